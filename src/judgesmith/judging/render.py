"""The one renderer: a dialect, a question and responses in the order shown -> messages.

A dialect that asks for a reference has a second prompt, which sees no response.
"""

from collections.abc import Sequence

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.templates import FAULTS, Fields, named, present, template
from judgesmith.records import LETTERS, Message, Question


def render_prompt(
    dialect: Dialect, question: Question, responses: Sequence[str], reference: str | None = None
) -> tuple[Message, ...]:
    """The messages that ask a judge, with `responses` in the order shown.

    `reference` is the judge's own; one that the question brings goes before it.

    Values are filled in once: braces or tags inside a response are text and stay as they are. What
    a question does not have is shown as nothing, but for its task fields and what the template
    calls `required`. Raises DataError where the template asks for what a question does not hold.
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
    return _messages(dialect, "reference_user", dialect.reference_user, question, reference=None)


def fold_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    r"""The same turns for a chat template without system role: its text heads the user's turn.

    A blank line separates the two. Turns without a system turn stay as they are.

    >>> turns = [Message(role="system", content="Judge."), Message(role="user", content="Q?")]
    >>> fold_system(turns)
    (Message(role='user', content='Judge.\n\nQ?'),)
    """
    if len(messages) < 2 or messages[0].role != "system" or messages[1].role != "user":
        return tuple(messages)
    whole = f"{messages[0].content}\n\n{messages[1].content}"
    return (Message(role="user", content=whole), *messages[2:])


def _messages(
    dialect: Dialect, field: str, source: str, question: Question, **more: object
) -> tuple[Message, ...]:
    try:
        user = template(source).render(
            context=present(question.context),
            question=question.text,
            choices=_lettered(question.choices or ()),
            grounding=present(question.grounding),
            fields=Fields(question.task),
            criteria=dialect.criteria_for(question),
            **{name: present(value) for name, value in more.items()},
        )
    except FAULTS as error:
        raise DataError(
            f"question {question.id}: dialect {dialect.name!r}: `{field}` cannot be rendered: "
            f"{error}."
        ) from None
    turns = [Message(role="user", content=user)]
    if dialect.system is not None:
        turns.insert(0, Message(role="system", content=dialect.system))
    return tuple(turns) if dialect.system_role else fold_system(turns)


def _lettered(texts: Sequence[str]) -> list[dict[str, str]]:
    if len(texts) > len(LETTERS):
        raise DataError(f"expected at most {len(LETTERS)} texts to letter, found {len(texts)}.")
    return named(texts)
