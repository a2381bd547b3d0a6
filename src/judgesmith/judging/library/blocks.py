"""What the prompts of the library share: the question, and what responses are held against."""

from typing import NamedTuple

QUESTION = """{% if context %}
{{ context }}

{% endif %}
{{ question }}"""


class Support(NamedTuple):
    """What a judge is given beside the responses.

    `suffix` ends the names of such dialects, `field` is the question's field, and `use` says in the
    prompt how to use it.
    """

    suffix: str
    field: str | None
    use: str


NOTHING = Support("", None, "")
REFERENCE = Support(
    "-reference", "reference",
    "The reference answer is right. Hold what you judge against it: what contradicts it is wrong, "
    "what says the same in other words is as good.",
)  # fmt: skip
GROUNDED = Support(
    "-grounded", "grounding",
    "The document is all that is known here. A statement that it does not support counts as wrong, "
    "even where it happens to be true.",
)  # fmt: skip
SUPPORTS = (NOTHING, REFERENCE, GROUNDED)


def block(support: Support, heading: str) -> str:
    """The part of a prompt that shows the support, under a heading; empty where there is none.

    A question that lacks it is refused: it would be judged in another condition than the dialect's
    name and hash say.
    """
    if support.field is None:
        return ""
    return f'{heading}\n{{{{ {support.field} | required("{support.field}") }}}}\n\n'
