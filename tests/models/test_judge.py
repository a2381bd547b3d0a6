"""Judging through the seam: what is asked, and what each kind of completion becomes."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.judging.dialect import PAIR_SCALE, Dialect
from judgesmith.judging.forms import Tags
from judgesmith.judging.library import LIBRARY
from judgesmith.models.judge import Shown, both_orders, judge
from judgesmith.models.protocol import Completion, Request, Wanted
from judgesmith.records import (
    Direction,
    Finish,
    Item,
    Judgment,
    Kind,
    Question,
    Response,
    Status,
    choice,
)

DIALECT = Dialect(
    name="d", kind=Kind.PAIR, system=None, scale=PAIR_SCALE, direction=Direction.WORSE,
    user="{{ question }}|{{ responses[0].text }}|{{ responses[1].text }}",
    reply=Tags(rationale="reasoning", verdict="verdict"),
)  # fmt: skip
ORIGIN = {"source": "t", "licence": "t"}
QUESTION = Question.make(
    **ORIGIN, group_id="g", template_id=None, category=None, context=None, text="who?",
    choices=None, key=None, reference=None, grounding=None, task={},
)  # fmt: skip
FIRST, SECOND = (
    Response.make(
        **ORIGIN, question_id=QUESTION.id, model="m", sampling={}, text=text, finish=Finish.STOP,
        task={},
    )
    for text in ("LONGER ANSWER", "short")
)  # fmt: skip
ITEM = Item.make(
    **ORIGIN, kind=Kind.PAIR, question_id=QUESTION.id, response_ids=(FIRST.id, SECOND.id),
    bucket="b", subtype=None, split=None,
)  # fmt: skip


class LongerIsWorse:
    """A judge with one rule, so that its verdict must follow the response and not the slot."""

    name = "longer"
    takes_forced = False

    def __init__(self, **changes: Any) -> None:
        self.changes, self.asked = changes, list[Request]()

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            self.asked.append(request)
            _, first, second = request.messages[0].content.split("|")
            letter = "A" if len(first) > len(second) else "B"
            fields = {
                "text": f"<reasoning>{letter} is longer.</reasoning><verdict>{letter}</verdict>",
                "finish": Finish.STOP, "prompt_tokens": 3, "completion_tokens": 2,
                "probabilities": {"A": 1 / 3, "B": 1 / 3, "TIE": 1 / 3},
            }  # fmt: skip
            yield Completion(**{**fields, **self.changes})


def judged(model: LongerIsWorse, shown: Sequence[Shown] | None = None) -> list[Judgment]:
    responses = {r.id: r for r in (FIRST, SECOND)}
    replies = judge(
        model, both_orders([ITEM]) if shown is None else shown, {QUESTION.id: QUESTION}, responses,
        dialect=DIALECT, max_tokens=17,
    )  # fmt: skip
    return [judgment for judgment, _ in replies]


def test_both_orders_agree_after_mapping() -> None:
    stored, swapped = judged(LongerIsWorse())
    assert (stored.order, swapped.order) == ((0, 1), (1, 0))
    assert (stored.verdict, swapped.verdict) == (choice("A"), choice("B"))
    assert stored.in_item_order() == swapped.in_item_order() == choice("A")
    assert stored.id != swapped.id
    assert stored.rationale == "A is longer."


def test_what_is_asked_is_the_item_as_shown_and_the_wanted_probabilities() -> None:
    model = LongerIsWorse()
    judged(model)
    assert [r.messages[0].content for r in model.asked] == [
        "who?|LONGER ANSWER|short",
        "who?|short|LONGER ANSWER",
    ]
    for request in model.asked:
        assert request.record_id == ITEM.id
        assert request.sampling.max_tokens == 17
        assert request.wanted is not None
        assert request.wanted == Wanted(
            after="<verdict>", options=("A", "B", "TIE"), closing="</verdict>"
        )
        assert request.forced is None


def test_in_fast_mode_the_reply_is_given_up_to_the_verdict() -> None:
    model = LongerIsWorse(text="<reasoning></reasoning><verdict>A</verdict>")
    responses = {r.id: r for r in (FIRST, SECOND)}

    def fast(dialect: Dialect) -> list[Judgment]:
        found = judge(
            model, both_orders([ITEM]), {QUESTION.id: QUESTION}, responses,
            dialect=dialect, max_tokens=17, mode="fast",
        )  # fmt: skip
        return [judgment for judgment, _ in found]

    with pytest.raises(DataError, match="can be given the beginning of its reply"):
        fast(DIALECT)
    model.takes_forced = True
    assert [one.rationale or "" for one in fast(DIALECT)] == ["", ""]
    assert {request.forced for request in model.asked} == {"<reasoning></reasoning><verdict>"}
    assert all(r.wanted and r.wanted.closing == "</verdict>" for r in model.asked)
    with pytest.raises(DataError, match="several scores"):
        fast(LIBRARY["judgelm"])


def test_probabilities_are_rounded_and_mapped() -> None:
    _, swapped = judged(LongerIsWorse(probabilities={"A": 0.12345678, "B": 0.8, "TIE": 0.1}))
    assert swapped.distribution == {"verdict": {"A": 0.123457, "B": 0.8, "TIE": 0.1}}
    assert swapped.distribution_in_item_order() == {"B": 0.123457, "A": 0.8, "TIE": 0.1}
    assert judged(LongerIsWorse(probabilities=None))[0].distribution is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"too_long": True, "text": ""}, Status.TOO_LONG),
        ({"finish": Finish.FAILED}, Status.CALL_FAILED),
        ({"finish": Finish.REFUSED}, Status.REFUSED),
        ({"finish": Finish.LENGTH, "text": "<reasoning>on and on"}, Status.TRUNCATED),
        ({"text": "<verdict>C</verdict>"}, Status.OFF_SCALE),
        ({"text": "no idea"}, Status.NO_VERDICT),
    ],
)
def test_a_completion_without_a_verdict_has_a_status_and_no_distribution(
    changes: dict[str, Any], status: Status
) -> None:
    for judgment in judged(LongerIsWorse(**changes)):
        assert (judgment.status, judgment.verdict, judgment.distribution) == (status, None, None)
        assert (judgment.reply is None) == (status is Status.TOO_LONG)


def test_the_same_question_asked_alone_has_the_same_judgment() -> None:
    assert judged(LongerIsWorse(), [Shown(ITEM, (1, 0))]) == judged(LongerIsWorse())[1:]


def test_a_model_that_answers_fewer_prompts_is_not_believed() -> None:
    class Short(LongerIsWorse):
        def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
            yield next(super().complete(requests))

    with pytest.raises(ValueError, match="shorter"):
        judged(Short())
