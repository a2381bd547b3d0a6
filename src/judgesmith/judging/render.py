"""The one renderer: a dialect, a question and responses in the order shown -> messages."""

from collections.abc import Sequence
from functools import lru_cache

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from judgesmith.judging.dialect import Dialect
from judgesmith.records import LETTERS, Message, Question

_ENVIRONMENT = SandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
)


@lru_cache(maxsize=64)
def _template(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def render_prompt(
    dialect: Dialect, question: Question, responses: Sequence[str]
) -> tuple[Message, ...]:
    """The messages that ask a judge, with `responses` in the order shown.

    Values are filled in once: braces or tags inside a response are text and stay as they are.
    """
    user = _template(dialect.user).render(
        context=question.context,
        question=question.text,
        choices=_lettered(question.choices or ()),
        reference=question.reference,
        grounding=question.grounding,
        responses=_lettered(responses),
    )
    turns = [Message(role="user", content=user)]
    if dialect.system is not None:
        turns.insert(0, Message(role="system", content=dialect.system))
    return tuple(turns)


def _lettered(texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"letter": LETTERS[i], "text": text} for i, text in enumerate(texts)]
