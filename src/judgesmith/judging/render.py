"""The one renderer: a dialect, a question and responses in the order shown -> messages."""

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
    dialect: Dialect, question: Question, responses: Sequence[str]
) -> tuple[Message, ...]:
    """The messages that ask a judge, with `responses` in the order shown.

    Values are filled in once: braces or tags inside a response are text and stay as they are. What
    a question does not have is shown as nothing. Raises DataError when the dialect's template is
    not valid or asks for what a question does not hold.
    """
    try:
        user = _template(dialect.user).render(
            context=question.context,
            question=question.text,
            choices=_lettered(question.choices or ()),
            reference=question.reference,
            grounding=question.grounding,
            responses=_lettered(responses),
        )
    except TemplateError as error:
        raise DataError(f"dialect {dialect.name!r}: `user` cannot be rendered: {error}.") from None
    turns = [Message(role="user", content=user)]
    if dialect.system is not None:
        turns.insert(0, Message(role="system", content=dialect.system))
    return tuple(turns)


def _lettered(texts: Sequence[str]) -> list[dict[str, str]]:
    if len(texts) > len(LETTERS):
        raise DataError(f"expected at most {len(LETTERS)} texts to letter, found {len(texts)}.")
    return [{"letter": LETTERS[i], "text": text} for i, text in enumerate(texts)]
