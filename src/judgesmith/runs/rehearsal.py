"""What a rehearsal changes in a recipe: its own section, and the rates of simulated models."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from judgesmith.errors import RecipeError, nearest

B = TypeVar("B", bound=BaseModel)

SECTION = "rehearse"
MARK = "rehearsed"
MODELS = "models"


def overlay(tree: dict[str, Any]) -> None:
    """Turn a recipe's tree into that of its rehearsal, in place.

    What `rehearse` says of a section is laid over it: mappings are merged, other values replaced.
    Its `models` stay where they are. A tree that is a rehearsal's already stays as it is.

    >>> tree = {"sft": {"steps": 900, "batch": 8}, "rehearse": {"sft": {"steps": 5}}}
    >>> overlay(tree)
    >>> tree
    {'sft': {'steps': 5, 'batch': 8}, 'rehearsed': True}
    """
    if tree.get(MARK):
        return
    changes = tree.pop(SECTION, None) or {}
    if not isinstance(changes, dict):
        raise RecipeError(f"{SECTION}: expected sections and what to change, found {changes!r}.")
    models = changes.pop(MODELS, None)
    _lay_over(tree, changes)
    tree[MARK] = True
    if models:
        tree[SECTION] = {MODELS: models}


def _lay_over(tree: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, change in changes.items():
        below, inner = _without_reason(tree.get(key)), _without_reason(change)
        if isinstance(below, dict) and isinstance(inner, dict):
            _lay_over(below, inner)
        else:
            tree[key] = change


def _without_reason(value: object) -> object:
    reasoned = isinstance(value, dict) and set(value) == {"value", "why"}
    return value["value"] if isinstance(value, dict) and reasoned else value


def refused_override(key: str) -> str | None:
    """Why an override cannot mean what it says; None for others."""
    parts = key.split(".")
    if parts[0] == MARK:
        return "give --rehearse"
    if parts[0] == SECTION and parts[1:2] != [MODELS]:
        return "set the value itself: an override stands above what a rehearsal changes"
    return None


class Rates:
    """The rates that a recipe's `rehearse.models` states for its models, by name.

    `of_responders` are the names of those that a simulated responder of the task knows.
    """

    def __init__(self, stated: object, of_responders: Collection[str]) -> None:
        if stated is not None and not (
            isinstance(stated, Mapping) and all(isinstance(r, Mapping) for r in stated.values())
        ):
            raise RecipeError(
                f"{SECTION}.{MODELS}: expected the rates of simulated models by name, for example "
                f"{{teacher: {{accuracy: 0.9}}}}, found {stated!r}."
            )
        self._stated: dict[str, dict[str, Any]] = {k: dict(v) for k, v in (stated or {}).items()}
        self._used: dict[str, set[str]] = {}
        self._of_responders = of_responders

    def responder(self, name: str) -> dict[str, Any]:
        """The rates of a model as a responder; the task checks their values."""
        stated = self._stated.get(name, {})
        found = {rate: value for rate, value in stated.items() if rate in self._of_responders}
        self._used.setdefault(name, set()).update(found)
        return found

    def spec(self, name: str, kind: type[B]) -> B:
        """A simulated model of one kind with the rates that apply to it; RecipeError if invalid."""
        found = {k: v for k, v in self._stated.get(name, {}).items() if k in kind.model_fields}
        self._used.setdefault(name, set()).update(found)
        try:
            return kind.model_validate({**found, "name": name})
        except ValidationError as error:
            told = "; ".join(
                f"{'.'.join(map(str, d['loc']))}: {d['msg']}, found {d['input']!r}"
                for d in error.errors(include_url=False)
            )
            raise RecipeError(f"{SECTION}.{MODELS}.{name}: {told}") from None

    def require_all_used(self, names: Mapping[str, object]) -> None:
        """Refuse rates of models that are not there, or that no stage knows."""
        for name, rates in self._stated.items():
            if name not in names:
                raise RecipeError(f"{SECTION}.{MODELS}: no model {name!r}; {nearest(name, names)}")
            for rate in rates:
                if rate not in self._used.get(name, ()):
                    raise RecipeError(
                        f"{SECTION}.{MODELS}.{name}: no stage that asks {name!r} knows the rate "
                        f"{rate!r}."
                    )
