"""Judging with scores: pairs and lists in one prompt, criteria, and what is asked of a model."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.models.judge import judge, requests_about, showings
from judgesmith.models.pointwise import expected_scores, pair_verdict
from judgesmith.models.protocol import Completion, Request, Sampling
from judgesmith.records import (
    Finish,
    Item,
    Judgment,
    Kind,
    Question,
    Response,
    Scores,
    Status,
    reorder,
)

ORIGIN: dict[str, Any] = {"source": "t", "licence": "t"}
QUESTION = Question.make(
    **ORIGIN, group_id="g", template_id=None, category=None, context=None, text="who?",
    choices=None, key=None, reference="Ann.", grounding="Ann was there.",
    task={"criteria": ["clarity", "depth"]},
)  # fmt: skip
TEXTS = ("<one>", "<three><three><three>", "<two><two>")
RESPONSES = [
    Response.make(
        **ORIGIN, question_id=QUESTION.id, model="m", sampling={}, text=text, finish=Finish.STOP,
        task={},
    )
    for text in TEXTS
]  # fmt: skip


def item(count: int) -> Item:
    kind = {1: Kind.SINGLE, 2: Kind.PAIR}.get(count, Kind.LIST)
    return Item.make(
        **ORIGIN, kind=kind, question_id=QUESTION.id, bucket="b", subtype=None, split=None,
        response_ids=tuple(response.id for response in RESPONSES[:count]),
    )  # fmt: skip


class Marker:
    """A judge that marks each response shown by what it is, in the form that the dialect wants."""

    name = "marker"

    def __init__(self, dialect: Dialect, spoil: str = "", **changes: Any) -> None:
        self.dialect, self.spoil, self.changes = dialect, spoil, changes
        self.asked: list[Request] = []

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            self.asked.append(request)
            text = request.messages[-1].content
            places = sorted((text.index(t), n) for n, t in enumerate(TEXTS) if t in text)
            marks = [(2.0, 4.0, 3.0)[n] for _, n in places]
            criteria = None
            if self.dialect.by_criterion:
                names = self.dialect.criteria or ("clarity", "depth")
                criteria = {name: tuple(marks) for name in names}
            verdict = Scores(kind="scores", values=tuple(marks), criteria=criteria)
            fields = {"text": self.dialect.write_reply("So.", verdict) + self.spoil}
            yield Completion(**{
                **fields, "finish": Finish.STOP, "prompt_tokens": 3, "completion_tokens": 2,
                **self.changes,
            })  # fmt: skip


def judged(dialect: Dialect, count: int, **changes: Any) -> list[Judgment]:
    found = judge(
        Marker(dialect, **changes), showings([item(count)], dialect), {QUESTION.id: QUESTION},
        {response.id: response for response in RESPONSES}, dialect=dialect, max_tokens=50,
    )  # fmt: skip
    return [judgment for judgment, _ in found]


@pytest.mark.parametrize("name", ["judgelm", "judgelm-reference", "judgelm-grounded"])
def test_a_pair_is_marked_in_both_orders(name: str) -> None:
    """The first response is worth 2, the second 4: shown swapped, the marks come as (4, 2)."""
    stored, swapped = judged(LIBRARY[name], 2)
    assert isinstance(stored.verdict, Scores)
    assert isinstance(swapped.verdict, Scores)
    assert (stored.order, stored.verdict.values) == ((0, 1), (2.0, 4.0))
    assert (swapped.order, swapped.verdict.values) == ((1, 0), (4.0, 2.0))
    assert [expected_scores(one) for one in (stored, swapped)] == [(2.0, 4.0), (4.0, 2.0)]
    assert [pair_verdict(one, margin=0.0) for one in (stored, swapped)] == ["B", "B"]
    assert stored.rationale == "So."


def test_a_list_is_marked_in_the_stored_order_and_its_reverse() -> None:
    stored, reverse = judged(LIBRARY["judgelm-list"], 3)
    assert (stored.order, reverse.order) == ((0, 1, 2), (2, 1, 0))
    for one in (stored, reverse):
        found = one.in_item_order()
        assert isinstance(found, Scores)
        assert found.values == (2.0, 4.0, 3.0)
    assert reverse.verdict == Scores(kind="scores", values=(3.0, 4.0, 2.0), criteria=None)


def test_scores_by_criterion_of_responses_that_are_asked_about_one_by_one() -> None:
    (one,) = judged(LIBRARY["criteria"], 2)
    assert isinstance(one.verdict, Scores)
    assert one.verdict.criteria == {"clarity": (2.0, 4.0), "depth": (2.0, 4.0)}
    assert one.verdict.values == (2.0, 4.0)
    assert one.distribution is None
    turned = reorder(one.verdict, (1, 0))
    assert isinstance(turned, Scores)
    assert turned.criteria == {"clarity": (4.0, 2.0), "depth": (4.0, 2.0)}


def test_criteria_that_the_question_names_must_be_in_the_reply() -> None:
    """The judge leaves out a criterion: no verdict, though what is there could be read."""
    other = LIBRARY["criteria"].model_copy(update={"name": "other"})
    text = '{"clarity": {"reason": "x", "score": 3}}'
    (found,) = judged(other, 1, text=text)
    assert (found.status, found.verdict) == (Status.NO_VERDICT, None)
    free = other.model_copy(update={"criteria": ("clarity",)})
    (read,) = judged(free, 1, text=text)
    assert read.status is Status.PARSED


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("8/10 9/10\nSo.", Status.OFF_SCALE),
        ("8 9 7\nSo.", Status.SEVERAL_VERDICTS),
        ("8\nSo.", Status.NO_VERDICT),
        ("Both are fine.", Status.NO_VERDICT),
    ],
)
def test_marks_that_cannot_be_read_are_no_tie(text: str, status: Status) -> None:
    for one in judged(LIBRARY["judgelm"], 2, text=text):
        assert (one.status, one.verdict, one.distribution) == (status, None, None)
        assert pair_verdict(one, margin=0.0) is None


def test_probabilities_are_wanted_of_one_score_behind_an_opening() -> None:
    sampling = Sampling()
    everything = {response.id: response for response in RESPONSES}

    def wanted(dialect: Dialect, count: int) -> Any:
        asked = requests_about(
            showings([item(count)], dialect), {QUESTION.id: QUESTION}, everything,
            dialect=dialect, sampling=sampling,
        )  # fmt: skip
        return asked[0].wanted

    for name, count in (("judgelm", 2), ("judgelm-list", 3), ("judgelm-single", 1)):
        assert wanted(LIBRARY[name], count) is None
    assert wanted(LIBRARY["criteria"], 1) is None
    graded = Dialect(
        name="graded", kind=Kind.SINGLE, user="{{ responses[0].text }}", scale=["good", "bad"],
        say={"good": "yes", "bad": "no"}, reply="{rationale} Good: {verdict}",
    )  # fmt: skip
    found = wanted(graded, 1)
    assert (found.after, found.options) == ("Good: ", ("yes", "no"))


def test_probabilities_of_words_are_kept_by_value() -> None:
    graded = Dialect(
        name="graded", kind=Kind.SINGLE, user="{{ responses[0].text }}",
        scale={"low": 2, "high": 4}, say={"2": "bad", "3": "fair", "4": "good"},
        reply="{rationale} It is {score}",
    )  # fmt: skip
    (one,) = judged(graded, 2, probabilities={"bad": 0.25, "fair": 0.0, "good": 0.75})
    assert one.distribution is not None
    assert one.distribution["1"] == one.distribution["2"] == {"2": 0.25, "3": 0.0, "4": 0.75}
    assert expected_scores(one) == (3.5, 3.5)


def test_probabilities_of_one_score_are_not_taken_for_those_of_two() -> None:
    chances = {"8": 0.5, "9": 0.5}
    for one in judged(LIBRARY["judgelm"], 2, probabilities=chances):
        assert one.distribution is None
        assert expected_scores(one) is not None


@pytest.mark.parametrize(("count", "kind"), [(1, "single"), (3, "list")])
def test_a_dialect_for_pairs_takes_pairs(count: int, kind: str) -> None:
    with pytest.raises(DataError, match=f"expected two responses.*Take a dialect of kind {kind}"):
        judged(LIBRARY["judgelm"], count)
