"""The general task: its key by lines held, its simulated responders, and its dialects."""

from collections.abc import Iterable

import pytest

from judgesmith.errors import RecipeError
from judgesmith.judging.dialect import PAIR_SCALE, Scale
from judgesmith.models.protocol import Request, Sampling
from judgesmith.records import (
    TIE,
    Finish,
    Message,
    Question,
    Response,
    Scores,
    choice,
)
from judgesmith.sources.simulated import read_questions
from judgesmith.tasks.general import TASK
from judgesmith.tasks.general.key import must_hold

QUESTIONS = {q.id: q for q in list(read_questions(None))[:40]}
QUESTION = next(iter(QUESTIONS.values()))
POLICY = "share_held"


def response(text: str, question: Question = QUESTION, model: str = "m") -> Response:
    made = Response.make(
        source="t", licence="t", question_id=question.id, model=model, sampling={}, text=text,
        finish=Finish.STOP, task={},
    )  # fmt: skip
    return TASK.annotate_response(made, question)


def holding(count: int) -> Response:
    return response("\n".join(["First:", *must_hold(QUESTION)[:count], "that is all"]))


def scored(values: Iterable[float]) -> Scores:
    return Scores(kind="scores", values=tuple(values), criteria=None)


@pytest.mark.parametrize("count", range(5))
def test_held_lines_are_counted_once_each(count: int) -> None:
    found = holding(count)
    assert (found.task["held"], found.task["of"]) == (count, 4)
    twice = response(found.text + "\n" + found.text.upper())
    assert twice.task["held"] == count


def test_a_line_inside_another_is_not_held() -> None:
    line = must_hold(QUESTION)[0]
    assert response(f"I say {line}").task["held"] == 0
    assert response(f"{line}0").task["held"] == 0


@pytest.mark.parametrize(
    ("scale", "expected"),
    [(Scale(low=1, high=5), (4.0, 1.0)), (Scale(low=1, high=10), (8.0, 1.0))],
)
def test_scores_are_spread_over_the_scale(scale: Scale, expected: tuple[float, ...]) -> None:
    """Three of four: 1 + 3 * 4/4 = 4, and 1 + 3 * 9/4 = 7.75, so 8."""
    found = TASK.judge_by_key(QUESTION, [holding(3), holding(0)], POLICY, scale)
    assert found is not None
    assert found.verdict == scored(expected)
    assert "3 of 4" in found.rationale


def test_the_response_that_holds_more_is_named() -> None:
    for pair, verdict in (((3, 1), "A"), ((0, 2), "B"), ((2, 2), TIE)):
        found = TASK.judge_by_key(QUESTION, [holding(n) for n in pair], POLICY, PAIR_SCALE)
        assert found is not None
        assert found.verdict == choice(verdict)


def test_without_a_tie_on_the_scale_equal_ones_have_no_verdict() -> None:
    scale = Scale(choices=("A", "B"))
    assert TASK.judge_by_key(QUESTION, [holding(2), holding(2)], POLICY, scale) is None


def test_a_question_that_says_nothing_has_no_key() -> None:
    plain = QUESTION.with_fields(task={})
    assert TASK.judge_by_key(plain, [holding(1)], POLICY, Scale(low=1, high=5)) is None
    assert "held" not in response("x", plain).task


def test_an_unknown_policy_names_the_known_one() -> None:
    with pytest.raises(RecipeError, match="share_held"):
        TASK.judge_by_key(QUESTION, [holding(1)], "share", PAIR_SCALE)


def ask(skill: float, **rates: float) -> list[Response]:
    model = TASK.simulated_model({"name": "sim", "skill": skill, **rates}, QUESTIONS, seed=3)
    requests = [
        Request(
            record_id=question.id,
            messages=(Message(role="user", content=TASK.responder_prompt(question)),),
            sampling=Sampling(temperature=0.7, max_tokens=300),
            wanted=None,
        )
        for question in QUESTIONS.values()
    ]
    texts = [completion.text for completion in model.complete(requests)]
    return [
        response(text, question) for text, question in zip(texts, QUESTIONS.values(), strict=True)
    ]


def test_skill_is_the_share_of_parts_that_are_right() -> None:
    assert all(found.task["held"] == 4 for found in ask(1.0))
    assert all(found.task["held"] == 0 for found in ask(0.0))
    held = sum(int(str(found.task["held"])) for found in ask(0.5))
    assert 0.35 < held / (4 * len(QUESTIONS)) < 0.65  # 160 draws: five standard errors are 0.20
    assert TASK.response_outcome(ask(0.0)[0]).biased
    assert not TASK.response_outcome(ask(1.0)[0]).biased


def test_a_rate_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(RecipeError, match=r"'sim': skill"):
        ask(1.4)


def test_a_responder_needs_questions_that_say_what_is_right() -> None:
    plain = QUESTION.with_fields(task={})
    with pytest.raises(RecipeError, match="must_hold"):
        TASK.simulated_model({"name": "sim"}, {plain.id: plain}, seed=1)
