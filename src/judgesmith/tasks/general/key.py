"""The answer key of questions that say which lines a right answer holds."""

from collections.abc import Sequence

from judgesmith.errors import RecipeError, nearest
from judgesmith.judging.dialect import Scale
from judgesmith.records import LETTERS, TIE, Choice, Question, Response, Scores, Verdict, choice
from judgesmith.tasks import KeyJudgment

POLICY = "share_held"
"""A response is worth the share of the lines in `must_hold` that it holds."""


def must_hold(question: Question) -> list[str]:
    """The lines that a right answer holds; none where the question does not say."""
    lines = question.task.get("must_hold")
    return [str(line) for line in lines] if isinstance(lines, list) else []


def count_held(question: Question, text: str) -> int:
    """How many of the lines that a right answer holds are lines of the text.

    White space around a line does not count, and neither does letter case.
    """
    lines = {line.strip().casefold() for line in text.splitlines()}
    return sum(line.strip().casefold() in lines for line in must_hold(question))


def judge_by_key(
    question: Question, responses: Sequence[Response], policy: str, scale: Scale
) -> KeyJudgment | None:
    """Verdict and reason by the share of lines held; None where the question has no such lines.

    On a scale of scores each response has one, spread evenly over the scale and rounded to the
    nearest whole number. On a scale of choices the response that holds more is named; of as many it
    is a tie, and None where the scale has no tie.
    """
    if policy != POLICY:
        raise RecipeError(f"unknown answer-key policy {policy!r}; {nearest(policy, (POLICY,))}")
    lines = must_hold(question)
    if not lines:
        return None
    held = [count_held(question, response.text) for response in responses]
    verdict = _scores(held, len(lines), scale) or _named(held, scale)
    return None if verdict is None else KeyJudgment(verdict, _reason(held, len(lines)))


def _scores(held: Sequence[int], of: int, scale: Scale) -> Verdict | None:
    if scale.low is None or scale.high is None:
        return None
    spread = (scale.high - scale.low) / of
    values = tuple(float(round(scale.low + count * spread)) for count in held)
    return Scores(kind="scores", values=values, criteria=None)


def _named(held: Sequence[int], scale: Scale) -> Choice | None:
    if len(held) != 2:
        return None
    if held[0] == held[1]:
        return choice(TIE) if scale.has_tie else None
    return choice(LETTERS[held.index(max(held))])


def _reason(held: Sequence[int], of: int) -> str:
    if len(held) == 1:
        return f"It gets {held[0]} of {of} parts right."
    each = [f"Response {LETTERS[i]} gets {n} of {of} parts right" for i, n in enumerate(held)]
    return ", ".join(each) + "."
