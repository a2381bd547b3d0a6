"""A full Prometheus prompt, taken apart into what it was filled with."""

import re
from typing import NamedTuple

from judgesmith.errors import DataError
from judgesmith.sources import Dropped

INSTRUCTION = "###The instruction to evaluate:"
RESPONSE = "###Response to evaluate:"
REFERENCE = "###Reference Answer (Score 5):"
RUBRIC = "###Score Rubrics:"
END = "###Feedback:"
QUOTED = "the prompt quotes a heading of its own layout, so its parts cannot be told apart"
LEVELS = "the rubric does not say once what each score from 1 on means"

_ALONE = "|".join(re.escape(name) for name in (INSTRUCTION, RESPONSE, REFERENCE, RUBRIC))
_HEADING = re.compile(rf"^(?:(?:{_ALONE})(?=[ \t\r]*$)|{END})", re.MULTILINE)
_LEVEL = re.compile(r"\nScore (\d+):")


class Filled(NamedTuple):
    """What a prompt was filled with; `levels` say what each score means, the lowest first."""

    instruction: str
    response: str
    reference: str | None
    criterion: str
    levels: tuple[str, ...]


def take_apart(prompt: str, *, where: str, field: str) -> Filled | Dropped:
    """The parts of an absolute prompt with a rubric, with or without a reference.

    A heading stands on a line of its own. A text may quote one. The first of the instruction and
    the last of the rubric are the real ones whatever stands between; of the response's and the
    reference's there must be one, or the row is dropped. So it is where the task description speaks
    of no reference and there is one. The levels may stand in any order: each is put in the place
    that its number says.

    Raises:
        DataError: a heading is missing, so that the prompt is of another layout.

    >>> prompt = '''###The instruction to evaluate:
    ... Why?
    ... ###Response to evaluate:
    ... So.
    ... ###Score Rubrics:
    ... [Is it clear?]
    ... Score 2: Yes.
    ... Score 1: No.
    ... ###Feedback: '''
    >>> take_apart(prompt, where="f:1", field="instruction")
    Filled(instruction='Why?', response='So.', reference=None, criterion='Is it clear?',
           levels=('No.', 'Yes.'))
    """
    found: dict[str, list[re.Match[str]]] = {}
    for heading in _HEADING.finditer(prompt):
        found.setdefault(heading[0], []).append(heading)
    if not {INSTRUCTION, RESPONSE, RUBRIC} <= found.keys():
        raise DataError(
            f"{where}: field {field!r}: expected a prompt with the headings {INSTRUCTION!r}, "
            f"{RESPONSE!r} and {RUBRIC!r}, each on a line of its own, found {prompt[:60]!r}."
        )
    begin, ruled = found[INSTRUCTION][0], found[RUBRIC][-1]
    referred = found.get(REFERENCE, [])
    closed = [heading for heading in found.get(END, []) if heading.start() > ruled.start()]
    cuts = [begin, *found[RESPONSE], *referred, ruled, *closed]
    starts = [heading.start() for heading in cuts]
    told = prompt[: begin.start()].strip().lower()
    undescribed = referred and told and "reference" not in told
    counts = len(found[RESPONSE]), len(referred), len(closed)
    if undescribed or starts != sorted(starts) or max(counts) > 1:
        return Dropped(QUOTED)
    texts = [
        prompt[heading.end() : end] for heading, end in zip(cuts, [*starts[1:], None], strict=True)
    ]
    if closed and texts.pop().strip():
        return Dropped(QUOTED)
    rubric = _rubric(texts[-1].strip())
    if rubric is None:
        return Dropped(LEVELS)
    criterion, levels = rubric
    return Filled(
        instruction=_inner(texts[0]),
        response=_inner(texts[1]),
        reference=_inner(texts[2]) if referred else None,
        criterion=criterion,
        levels=levels,
    )


def _inner(text: str) -> str:
    """What stands between two headings, without the line breaks of the layout."""
    text = text.removeprefix("\n")
    return text.removesuffix("\n\n") if text.endswith("\n\n") else text.removesuffix("\n")


def _rubric(text: str) -> tuple[str, tuple[str, ...]] | None:
    """The criterion and its levels: `[criterion]`, then lines that begin with `Score N:`.

    None where a level is missing or there twice.
    """
    criterion, *rest = _LEVEL.split(text)
    numbers, meanings = [int(number) for number in rest[::2]], rest[1::2]
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        return None
    named = criterion.strip().removeprefix("[").removesuffix("]").strip()
    return named, tuple(text.strip() for _, text in sorted(zip(numbers, meanings, strict=True)))
