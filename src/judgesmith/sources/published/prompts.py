"""A full Prometheus prompt, taken apart into what it was filled with."""

from typing import NamedTuple

from judgesmith.errors import DataError

INSTRUCTION = "###The instruction to evaluate:"
RESPONSE = "###Response to evaluate:"
REFERENCE = "###Reference Answer (Score 5):"
RUBRIC = "###Score Rubrics:"
END = "###Feedback:"


class Filled(NamedTuple):
    """What a prompt was filled with; `levels` say what each score means, the lowest first."""

    instruction: str
    response: str
    reference: str | None
    criterion: str
    levels: tuple[str, ...]


def take_apart(prompt: str, *, where: str, field: str) -> Filled:
    """The parts of an absolute prompt with a rubric, with or without a reference.

    The headings are looked for from both ends, so that one that a response quotes does no harm:
    the instruction begins at the first of its headings, the rubric at the last of its own, and the
    reference at the last before it.

    Raises:
        DataError: a heading is missing.

    >>> prompt = '''###The instruction to evaluate:
    ... Why?
    ... ###Response to evaluate:
    ... So.
    ... ###Score Rubrics:
    ... [Is it clear?]
    ... Score 1: No.
    ... Score 2: Yes.
    ... ###Feedback: '''
    >>> take_apart(prompt, where="f:1", field="instruction")
    Filled(instruction='Why?', response='So.', reference=None, criterion='Is it clear?',
           levels=('No.', 'Yes.'))
    """
    rest = prompt.rstrip()
    _, opened, rest = rest.partition(INSTRUCTION)
    body, ruled, rubric = rest.rpartition(RUBRIC)
    instruction, answered, response = body.partition(RESPONSE)
    if not (opened and answered and ruled):
        raise DataError(
            f"{where}: field {field!r}: expected a prompt with the headings {INSTRUCTION!r}, "
            f"{RESPONSE!r} and {RUBRIC!r}, found {prompt[:60]!r}."
        )
    before, referred, reference = response.rpartition(REFERENCE)
    criterion, levels = _rubric(rubric.removesuffix(END).strip())
    return Filled(
        instruction=_inner(instruction),
        response=_inner(before if referred else response),
        reference=_inner(reference) if referred else None,
        criterion=criterion,
        levels=levels,
    )


def _inner(text: str) -> str:
    """What stands between two headings, without the line breaks of the layout."""
    text = text.removeprefix("\n")
    return text.removesuffix("\n\n") if text.endswith("\n\n") else text.removesuffix("\n")


def _rubric(text: str) -> tuple[str, tuple[str, ...]]:
    """The criterion and its levels: `[criterion]`, then lines that begin with `Score N:`."""
    first, *rest = text.split("\nScore ")
    levels = tuple(level.partition(":")[2].strip() for level in rest)
    return first.strip().removeprefix("[").removesuffix("]").strip(), levels
