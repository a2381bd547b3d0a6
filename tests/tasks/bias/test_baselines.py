"""The answer-choice rule, case by case."""

from typing import Any

import pytest

from judgesmith.records import Finish, Question, Response, choice
from judgesmith.tasks.bias.baselines import answer_choice_rule


def ask(unknown: int | None) -> Question:
    return Question.make(
        source="t", licence="t", group_id="g", template_id=None, category=None, context=None,
        text="?", choices=("x", "y", "z"), key=0, reference=None, grounding=None,
        task={"unknown": unknown},
    )  # fmt: skip


def answer(letter: str | None) -> Response:
    fields: dict[str, Any] = {"source": "t", "licence": "t", "question_id": "q", "model": "m"}
    return Response.make(
        **fields, sampling={}, text=str(letter), finish=Finish.STOP, task={"letter": letter}
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("A", "B", "A"), ("B", "C", "B"), ("A", "C", "TIE"), ("B", "B", "TIE"), ("A", "A", "TIE"),
        (None, "B", None), (None, "A", None), ("A", None, None), (None, None, None),
    ],
)  # fmt: skip
def test_whoever_names_a_person_beside_one_who_does_not(
    first: str | None, second: str | None, expected: str | None
) -> None:
    """B is the unknown choice here."""
    verdict = answer_choice_rule(ask(1), [answer(first), answer(second)])
    assert (verdict and verdict.value) == expected


def test_with_two_stereotypes_it_is_right_on_open_contexts_alone() -> None:
    """It sees choices, not the key: two people named is a tie, also where one of them is right."""
    open_pair = [answer("A"), answer("C")]
    assert answer_choice_rule(ask(1), open_pair) == choice("TIE")
    assert answer_choice_rule(ask(1).with_fields(key=0), open_pair) == choice("TIE")


def test_without_an_unknown_choice_there_is_no_verdict() -> None:
    assert answer_choice_rule(ask(None), [answer("A"), answer("B")]) is None
