"""The answer key in a dialect whose letters name the other side: turned, never inverted."""

import pytest

from judgesmith.judging.dialect import Dialect
from judgesmith.records import Finish, Response, Scores, choice
from judgesmith.sources.simulated import read_questions
from judgesmith.tasks import key_judgment
from judgesmith.tasks.general import TASK
from judgesmith.tasks.general.key import POLICY, must_hold

QUESTION = next(iter(read_questions(None)))


def holding(count: int) -> Response:
    made = Response.make(
        source="t", licence="t", question_id=QUESTION.id, model=f"m{count}", sampling={},
        text="\n".join(["Here:", *must_hold(QUESTION)[:count]]), finish=Finish.STOP, task={},
    )  # fmt: skip
    return TASK.annotate_response(made, QUESTION)


def pairs(direction: str | None) -> Dialect:
    return Dialect(
        name="d", kind="pair", user="{{ responses[0].text }}{{ responses[1].text }}",
        scale=["A", "B", "TIE"], direction=direction,
    )  # fmt: skip


def grades(direction: str) -> Dialect:
    return Dialect(
        name="d", kind="single", user="{{ responses[0].text }}", scale={"low": 1, "high": 5},
        direction=direction,
    )  # fmt: skip


@pytest.mark.parametrize(("direction", "named"), [("better", "A"), ("worse", "B"), (None, "A")])
def test_letters_change_places(direction: str | None, named: str) -> None:
    for shown, value in (((4, 1), named), ((2, 2), "TIE")):
        responses = [holding(n) for n in shown]
        found = key_judgment(TASK, QUESTION, responses, POLICY, pairs(direction))
        assert found is not None
        assert found.verdict == choice(value)


@pytest.mark.parametrize(("direction", "score"), [("better", 5.0), ("worse", 1.0)])
def test_scores_are_mirrored(direction: str, score: float) -> None:
    found = key_judgment(TASK, QUESTION, [holding(4)], POLICY, grades(direction))
    assert found is not None
    assert found.verdict == Scores(kind="scores", values=(score,), criteria=None)


@pytest.mark.parametrize("choices", [["a", "b"], ["first", "second", "TIE"], ["1", "2"]])
def test_choices_that_are_no_letters_are_refused(choices: list[str]) -> None:
    """They could not be turned with the order shown."""
    with pytest.raises(ValueError, match="expected the letters of the responses"):
        Dialect(name="d", kind="pair", user="{{ responses }}", scale=choices, direction="better")
