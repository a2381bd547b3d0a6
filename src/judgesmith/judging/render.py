"""The one renderer: a dialect, a question and responses in the order shown -> messages.

A dialect that asks for a reference has a second prompt, which sees no response.
"""

from collections.abc import Sequence
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.records import LETTERS, Message, Question

_ENVIRONMENT = SandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False,
    finalize=lambda value: "" if value is None else value,
)  # fmt: skip


@lru_cache(maxsize=64)
def _template(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def render_prompt(
    dialect: Dialect, question: Question, responses: Sequence[str], reference: str | None = None
) -> tuple[Message, ...]:
    """The messages that ask a judge, with `responses` in the order shown.

    `reference` is the judge's own; one that the question brings goes before it.

    Values are filled in once: braces or tags inside a response are text and stay as they are. What
    a question does not have is shown as nothing. Raises DataError when the dialect's template is
    not valid or asks for what a question does not hold.
    """
    return _messages(
        dialect, "user", dialect.user, question,
        reference=reference if question.reference is None else question.reference,
        responses=_lettered(responses),
    )  # fmt: skip


def render_reference_prompt(dialect: Dialect, question: Question) -> tuple[Message, ...] | None:
    """The messages that ask a judge for its own reference, before it sees any response.

    None where the judge is not to be asked: its dialect has no `reference_user`, or the question
    brings its reference. Raises DataError as `render_prompt` does; the template has no `responses`.
    """
    if dialect.reference_user is None or not dialect.answers_first(question):
        return None
    return _messages(dialect, "reference_user", dialect.reference_user, question)


def _messages(
    dialect: Dialect, field: str, source: str, question: Question, **more: object
) -> tuple[Message, ...]:
    try:
        user = _template(source).render(
            context=question.context,
            question=question.text,
            choices=_lettered(question.choices or ()),
            grounding=question.grounding,
            **more,
        )
    except TemplateError as error:
        raise DataError(
            f"dialect {dialect.name!r}: `{field}` cannot be rendered: {error}."
        ) from None
    turns = [Message(role="user", content=user)]
    if dialect.system is not None:
        turns.insert(0, Message(role="system", content=dialect.system))
    return tuple(turns)


def _lettered(texts: Sequence[str]) -> list[dict[str, str]]:
    if len(texts) > len(LETTERS):
        raise DataError(f"expected at most {len(LETTERS)} texts to letter, found {len(texts)}.")
    return [{"letter": LETTERS[i], "text": text} for i, text in enumerate(texts)]
