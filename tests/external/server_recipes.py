"""The shipped recipe `bias-judge-data`, small, with the models of our server.

It is made from the shipped file, so a change of that is followed: its models, who generates, who
teaches, who checks, the words in which each is asked. Only the size and the addresses are changed.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from judgesmith.pipeline import find_recipe

SHIPPED = "bias-judge-data"
QUESTIONS = 120
IN_FLIGHT = 2
REPLY = 160
"""Tokens of a reply; the longest of our students' has about 100."""
OPTIONS = {"repeat_penalty": 1.0}
"""The server punishes repeated tokens by 1.1 where it is not told otherwise, at temperature 0 too,
so that its replies are not those of the model."""

Tree = dict[str, Any]


class Cast(NamedTuple):
    """Who does what in the recipe."""

    generators: tuple[str, ...]
    teacher: str
    second: str
    third: str

    @property
    def names(self) -> tuple[str, ...]:
        """All models; the server takes the first for any name that it does not know."""
        return (self.teacher, self.second, self.third, *self.generators)


def shipped() -> Tree:
    """The recipe as it is shipped."""
    tree: Tree = yaml.safe_load(find_recipe(SHIPPED).read_text())
    return tree


def cast(tree: Mapping[str, Any]) -> Cast:
    """Who does what."""
    teachers = tree["labels"]["teachers"]
    second, third = teachers["panel"]
    assert tree["preferences"]["teacher"]["model"] == teachers["primary"]
    assert teachers["dry_run"]["second"] == second
    generators = tuple(entry["model"] for entry in tree["responses"]["generators"])
    return Cast(generators, teachers["primary"], second, third)


def served(url: str) -> Tree:
    """The shipped recipe, small, with all its models at one address.

    Prices stay, so that the money of counted tokens is booked. Replies are bounded as the context
    of our students wants it. A dry run that leaves it open whether teachers agree goes on, and so
    do negatives that words tell from the chosen replies: a student of this size writes no better.
    """
    tree = shipped()
    del tree["rehearse"]
    for name, model in tree["models"].items():
        kept = {key: model[key] for key in ("price", "terms") if key in model}
        tree["models"][name] = {
            "protocol": "openai", "url": url, "model": name, "in_flight": IN_FLIGHT,
            "options": OPTIONS, **kept,
        }  # fmt: skip
    tree["questions"] = {"sources": [{"kind": "bank", "count": QUESTIONS}]}
    tree["responses"]["sampling"] = {"temperature": 0.7, "max_tokens": REPLY}
    tree["items"]["quota_scale"] = 0.1
    tree["labels"]["teachers"] |= {"panel_items": 60, "reply_tokens": REPLY}
    tree["labels"]["teachers"]["dry_run"] |= {"items": 60, "on_review": "go"}
    tree["preferences"]["teacher"] |= {"reply_tokens": REPLY, "most_asked": 600}
    tree["preferences"]["separability"] = 1.0
    return tree


def write(tree: Tree) -> str:
    """A recipe as YAML."""
    return yaml.safe_dump(tree, sort_keys=False)
