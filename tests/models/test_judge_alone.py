"""Judging pairs by scoring each response alone: what is asked, and how replies are joined."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect, Scale
from judgesmith.judging.forms import Tags
from judgesmith.models.judge import Shown, judge, showings, shown_at_once
from judgesmith.models.pointwise import pair_verdict
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import (
    Direction,
    Finish,
    Item,
    Judgment,
    Kind,
    Question,
    Response,
    Scores,
    Status,
)

DIALECT = Dialect(
    name="d", kind=Kind.SINGLE, system=None, scale=Scale(low=0, high=1),
    direction=Direction.WORSE, reply=Tags(rationale="reasoning", verdict="verdict"),
    user="{{ question }}{% for response in responses %}|{{ response.text }}{% endfor %}",
)  # fmt: skip
ORIGIN = {"source": "t", "licence": "t"}
QUESTION = Question.make(
    **ORIGIN, group_id="g", template_id=None, category=None, context=None, text="who?",
    choices=None, key=None, reference=None, grounding=None, task={},
)  # fmt: skip
RESPONSES = {
    text: Response.make(
        **ORIGIN, question_id=QUESTION.id, model="m", sampling={}, text=text, finish=Finish.STOP,
        task={},
    )
    for text in ("bad", "fine", "poor")
}  # fmt: skip


def item(*texts: str) -> Item:
    return Item.make(
        **ORIGIN, kind=Kind.PAIR if len(texts) == 2 else Kind.SINGLE, question_id=QUESTION.id,
        response_ids=tuple(RESPONSES[text].id for text in texts), bucket="b", subtype=None,
        split=None,
    )  # fmt: skip


def reply(score: str, rationale: str = "So.", **fields: Any) -> Completion:
    chance = {"0": 1 / 3, "1": 2 / 3} if score == "1" else {"0": 0.8, "1": 0.2}
    found: dict[str, Any] = {
        "text": f"<reasoning>{rationale}</reasoning><verdict>{score}</verdict>",
        "finish": Finish.STOP, "prompt_tokens": 3, "completion_tokens": 2,
        "probabilities": chance, "cost_usd": 0.25,
    }  # fmt: skip
    return Completion(**{**found, **fields})


REPLIES = {"bad": reply("1", "Bad."), "fine": reply("0", "Fine."), "poor": reply("1", "Poor.")}


class ByText:
    """Answers by the text of the one response that it is shown."""

    name = "by text"

    def __init__(self, **changed: Completion) -> None:
        self.replies, self.asked = {**REPLIES, **changed}, list[Request]()

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            self.asked.append(request)
            _, text = request.messages[0].content.split("|")
            yield self.replies[text]


def both(model: Any, *items: Item, dialect: Dialect = DIALECT) -> list[tuple[Judgment, Completion]]:
    responses = {response.id: response for response in RESPONSES.values()}
    shown = showings(items, dialect)
    questions = {QUESTION.id: QUESTION}
    return list(judge(model, shown, questions, responses, dialect=dialect, max_tokens=9))


def test_each_response_is_asked_about_alone_and_once() -> None:
    model = ByText()
    both(model, item("bad", "fine"), item("fine", "poor"))
    assert [request.messages[0].content for request in model.asked] == [
        "who?|bad", "who?|fine", "who?|fine", "who?|poor",
    ]  # fmt: skip
    assert [request.record_id for request in model.asked] == [
        RESPONSES[text].id for text in ("bad", "fine", "fine", "poor")
    ]
    wanted = {(request.wanted.after, request.wanted.options) for request in model.asked
              if request.wanted}  # fmt: skip
    assert wanted == {("<verdict>", ("0", "1"))}


def test_the_scores_are_joined_into_one_judgment() -> None:
    ((found, _),) = both(ByText(), item("bad", "fine"))
    assert found.verdict == Scores(kind="scores", values=(1.0, 0.0), criteria=None)
    assert found.distribution == {"1": {"0": 0.333333, "1": 0.666667}, "2": {"0": 0.8, "1": 0.2}}
    assert (found.order, found.status, found.rationale) == ((0, 1), Status.PARSED, "Bad.\nFine.")
    assert found.reply == f"{REPLIES['bad'].text}\n{REPLIES['fine'].text}"
    assert pair_verdict(found, 0.1) == "A"


def test_the_verdict_does_not_follow_the_order() -> None:
    """Order-proof by construction: shown swapped, the scores are swapped, the verdict is not."""
    questions = {QUESTION.id: QUESTION}
    responses = {response.id: response for response in RESPONSES.values()}
    pair = item("bad", "fine")
    shown = [Shown(pair, (0, 1)), Shown(pair, (1, 0))]
    stored, swapped = (
        found
        for found, _ in judge(
            ByText(), shown, questions, responses, dialect=DIALECT, max_tokens=9
        )
    )  # fmt: skip
    assert isinstance(stored.verdict, Scores)
    assert isinstance(swapped.verdict, Scores)
    assert stored.verdict.values == swapped.verdict.values[::-1]
    assert stored.in_item_order() == swapped.in_item_order()
    for margin in (0.0, 0.4, 0.5):
        assert pair_verdict(stored, margin) == pair_verdict(swapped, margin)


def test_tokens_and_cost_are_those_of_both_requests() -> None:
    changed = reply("0", prompt_tokens=5, completion_tokens=7, finish=Finish.LENGTH)
    ((_, together),) = both(ByText(fine=changed), item("bad", "fine"))
    assert (together.prompt_tokens, together.completion_tokens) == (8, 9)
    assert (together.cost_usd, together.finish) == (0.5, Finish.LENGTH)
    assert [len(shown_at_once(one, DIALECT)) for one in showings([item("bad", "fine")], DIALECT)]\
        == [2]  # fmt: skip


@pytest.mark.parametrize("text", ["bad", "fine"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"finish": Finish.FAILED}, Status.CALL_FAILED),
        ({"finish": Finish.REFUSED}, Status.REFUSED),
        ({"finish": Finish.LENGTH, "text": "<reasoning>on and on"}, Status.TRUNCATED),
        ({"text": "<verdict>2</verdict>"}, Status.OFF_SCALE),
        ({"text": "no idea"}, Status.NO_VERDICT),
        ({"text": "", "too_long": True, "finish": Finish.FAILED}, Status.TOO_LONG),
    ],
)
def test_one_unread_reply_leaves_the_item_unparsed_with_its_status(
    text: str, fields: dict[str, Any], status: Status
) -> None:
    """And the next item is not touched by it."""
    broken = {text: reply("1", **fields)}
    (found, together), (after, _) = both(
        ByText(**broken), item("bad", "fine"), item("poor", "poor")
    )  # fmt: skip
    assert (found.status, found.verdict, found.distribution) == (status, None, None)
    assert pair_verdict(found, 1.0) is None
    assert (found.reply is None) == together.too_long == (status is Status.TOO_LONG)
    assert (after.status, pair_verdict(after, 0.0)) == (Status.PARSED, "TIE")


def test_a_rationale_has_one_line_per_response() -> None:
    """Even where one holds line breaks; where nothing was said there is none."""
    model = ByText(bad=reply("1", "Says A.\n\nIt is  open."), fine=reply("0", ""))
    ((found, _),) = both(model, item("bad", "fine"))
    assert found.rationale == "Says A. It is open.\n"
    gone = reply("0", text="", too_long=True)
    ((found, _),) = both(ByText(bad=gone, fine=gone), item("bad", "fine"))
    assert found.rationale is None


def test_without_all_probabilities_there_are_none() -> None:
    model = ByText(fine=reply("0", probabilities=None))
    ((found, _),) = both(model, item("bad", "fine"))
    assert found.distribution is None
    assert pair_verdict(found, 0.0) == "A"


def test_an_item_of_one_response_has_one_score() -> None:
    ((found, completion),) = both(ByText(), item("bad"))
    assert found.verdict == Scores(kind="scores", values=(1.0,), criteria=None)
    assert found.distribution == {"1": {"0": 0.333333, "1": 0.666667}}
    assert completion == REPLIES["bad"]


@pytest.mark.parametrize("given", [1, 3, 5])
def test_a_model_that_answers_fewer_or_more_prompts_is_not_believed(given: int) -> None:
    class Miscounting(ByText):
        def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
            yield from [REPLIES["bad"]] * given

    with pytest.raises(ValueError, match="longer" if given > 4 else "shorter"):
        both(Miscounting(), item("bad", "fine"), item("fine", "poor"))


def test_choices_for_one_response_cannot_judge_a_pair() -> None:
    words = DIALECT.model_copy(update={"scale": Scale(choices=("bad", "ok"))})
    model = ByText()
    with pytest.raises(DataError, match="expected a scale from `low` to `high`"):
        both(model, item("bad", "fine"), dialect=words)
    assert model.asked == []
