"""Simulated teachers: their rates are as stated, and what they say depends on nothing else."""

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from typing import Any

import pytest
from pydantic import ValidationError
from scipy.stats import binom

from judgesmith.judging.dialect import PAIR_SCALE, Dialect, Scale
from judgesmith.judging.forms import Json, ScoresFirst, Tags
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.reading import scores_of
from judgesmith.models import simulated_teacher
from judgesmith.models.judge import Shown, both_orders, judge, showings
from judgesmith.models.protocol import Request, Sampling
from judgesmith.models.simulated_teacher import Known, SimulatedTeacher, TeacherSpec
from judgesmith.records import (
    TIE,
    Choice,
    Direction,
    Finish,
    Item,
    Judgment,
    Kind,
    Message,
    Question,
    Response,
    Scores,
    Status,
    Verdict,
    choice,
    index_by_id,
)

PAIR = Dialect(
    name="pair", kind=Kind.PAIR, system="Which is worse?", scale=PAIR_SCALE,
    direction=Direction.WORSE, reply=Tags(rationale="reasoning", verdict="verdict"),
    user="{{ question }} {% for r in responses %}{{ r.letter }}: {{ r.text }} {% endfor %}",
)  # fmt: skip
SINGLE = PAIR.model_copy(
    update={
        "name": "single",
        "kind": Kind.SINGLE,
        "scale": Scale(low=0, high=3),
        "user": "{{ question }} {{ reference }} {{ responses[0].text }}",
        "reference_user": "{{ question }} What is right?",
    }
)
PAIR_FIRST = PAIR.model_copy(
    update={
        "name": "answers first",
        "user": "{{ reference }} " + PAIR.user,
        "reference_user": "{{ question }} What is right?",
    }
)
ORIGIN: dict[str, Any] = {"source": "t", "licence": "t"}
ITEMS = 400


def pairs(count: int) -> tuple[list[Item], dict[str, Question], dict[str, Response]]:
    """Each item has a good response and a bad one, which stands first in every second item."""
    items, questions, responses = [], {}, {}
    for n in range(count):
        question = Question.make(
            **ORIGIN, group_id=f"g{n}", template_id=None, category=None, context=None,
            text=f"Question {n}?", choices=None, key=None, reference=None, grounding=None, task={},
        )  # fmt: skip
        both = [
            Response.make(
                **ORIGIN, question_id=question.id, model="m", sampling={}, finish=Finish.STOP,
                text=f"{kind} {n}", task={"bad": kind == "bad"},
            )
            for kind in ("good", "bad")[:: 1 if n % 2 else -1]
        ]  # fmt: skip
        items.append(
            Item.make(
                **ORIGIN, kind=Kind.PAIR, question_id=question.id, bucket="b", subtype=None,
                response_ids=tuple(response.id for response in both), split=None,
            )
        )  # fmt: skip
        questions[question.id] = question
        responses |= index_by_id(both)
    return items, questions, responses


ALL_ITEMS, QUESTIONS, RESPONSES = pairs(ITEMS)


def bad_is_worse(question: Question, shown: Sequence[Response]) -> tuple[Verdict, str] | None:
    bad = [bool(response.task["bad"]) for response in shown]
    if len(bad) == 1:
        return scores_of([2.0 if bad[0] else 0.0]), "It is what it is."
    return choice("AB"[bad.index(True)]), "One of them is bad."


def nobody_knows(question: Question, shown: Sequence[Response]) -> tuple[Verdict, str] | None:
    return None


def teacher(
    dialect: Dialect = PAIR, *, right: Any = bad_is_worse, items: Sequence[Item] = ALL_ITEMS,
    seed: int = 11, **spec: Any,
) -> SimulatedTeacher:  # fmt: skip
    known = Known(
        index_by_id(items), QUESTIONS, RESPONSES, dialect, right, lambda question: None, seed
    )
    return SimulatedTeacher(TeacherSpec(**{"name": "sim", "first_rate": 0.0, **spec}), known)


def judged(
    by: SimulatedTeacher, shown: Sequence[Shown] | None = None, dialect: Dialect = PAIR
) -> list[Judgment]:
    asked = both_orders(ALL_ITEMS) if shown is None else shown
    found = judge(by, asked, QUESTIONS, RESPONSES, dialect=dialect, max_tokens=50)
    return [judgment for judgment, _ in found]


def verdicts(judgments: Sequence[Judgment]) -> list[str | None]:
    said = [judgment.in_item_order() for judgment in judgments]
    return [one.value if isinstance(one, Choice) else None for one in said]


def stored(items: Sequence[Item] = ALL_ITEMS) -> list[Shown]:
    return [Shown(item, (0, 1)) for item in items]


RIGHT = {item.id: "B" if n % 2 else "A" for n, item in enumerate(ALL_ITEMS)}


def likely(count: int, of: int, rate: float) -> bool:
    """Whether a count lies where 9,999 of 10,000 counts at this rate do."""
    low, high = binom.interval(0.9999, of, rate)
    return bool(low <= count <= high)


def test_the_rates_come_out_as_stated() -> None:
    """Of judgments .05 fail, .1 are refused, .15 cut; of the others .8 + .2 * 0 are right.

    first_rate is 0 here; how it mixes with accuracy is looked at below.
    """
    by = teacher(accuracy=0.8, fail_rate=0.05, refuse_rate=0.1, cut_rate=0.15)
    found = judged(by, stored())
    statuses = [judgment.status for judgment in found]
    assert likely(statuses.count(Status.CALL_FAILED), ITEMS, 0.05)
    assert likely(statuses.count(Status.REFUSED), ITEMS, 0.1)
    assert likely(statuses.count(Status.TRUNCATED), ITEMS, 0.15)
    parsed = [judgment for judgment in found if judgment.status is Status.PARSED]
    others = {Status.CALL_FAILED, Status.REFUSED, Status.TRUNCATED, Status.PARSED}
    assert set(statuses) == others
    assert all(judgment.verdict is None for judgment in found if judgment not in parsed)
    right = sum(v == RIGHT[j.item_id] for v, j in zip(verdicts(parsed), parsed, strict=True))
    assert likely(right, len(parsed), 0.8)


@pytest.mark.parametrize(
    ("rate", "status"),
    [
        ("fail_rate", Status.CALL_FAILED),
        ("refuse_rate", Status.REFUSED),
        ("cut_rate", Status.TRUNCATED),
    ],
)
def test_what_is_lost_is_a_status_and_no_verdict(rate: str, status: Status) -> None:
    for dialect in (PAIR, SINGLE):
        shown = showings(ALL_ITEMS[:20], dialect)
        found = judged(teacher(dialect, **{rate: 1.0}), shown, dialect)
        assert {judgment.status for judgment in found} == {status}
        assert {judgment.verdict for judgment in found} == {None}


def test_it_is_wrong_about_the_same_response_in_both_orders() -> None:
    """Accuracy 0: never right; without position bias, both orders say the same of the item."""
    by = teacher(accuracy=0.0)
    found = judged(by)
    said = verdicts(found)
    assert said[0::2] == said[1::2]
    assert not any(v == RIGHT[j.item_id] for v, j in zip(said, found, strict=True))
    assert likely(said[0::2].count(TIE), ITEMS, 0.5)


def test_position_bias_names_what_is_shown_first() -> None:
    """Right otherwise, so that A where B is right can come from nothing else: share .3.

    Each order is drawn for itself: both orders name their first on .3 * .3 of the items.
    """
    found = judged(teacher(accuracy=1.0, first_rate=0.3))
    wrong = [j for j, v in zip(found, verdicts(found), strict=True) if v != RIGHT[j.item_id]]
    assert all(j.verdict == Choice(kind="choice", value="A") for j in wrong)
    b_is_right = [j for j, r in zip(found, (RIGHT[j.item_id] for j in found), strict=True)
                  if (r == "B") == (j.order == (0, 1))]  # fmt: skip
    assert len(b_is_right) == ITEMS
    assert likely(len(wrong), ITEMS, 0.3)
    always = judged(teacher(accuracy=1.0, first_rate=1.0), both_orders(ALL_ITEMS[:30]))
    assert {v.value for j in always if isinstance(v := j.verdict, Choice)} == {"A"}
    said = verdicts(always)
    assert (set(said[0::2]), set(said[1::2])) == ({"A"}, {"B"})


def test_nothing_but_seed_name_and_what_is_shown_counts() -> None:
    """Not the order of requests, nor the lots, nor the other items that the teacher knows of."""
    rates = {"accuracy": 0.7, "first_rate": 0.2, "refuse_rate": 0.1, "cut_rate": 0.1}
    shown = both_orders(ALL_ITEMS[:60])
    wanted = {j.id: j for j in judged(teacher(**rates), shown)}
    mixed = list(shown)
    random.Random(1).shuffle(mixed)
    again = teacher(items=ALL_ITEMS[:60], **rates)
    halves = [*judged(again, mixed[:50]), *judged(again, mixed[50:])]
    assert {j.id: j for j in halves} == wanted
    assert {j.id: j.reply for j in judged(teacher(seed=12, **rates), shown)} != {
        id_: j.reply for id_, j in wanted.items()
    }


def test_two_teachers_err_apart() -> None:
    """Each is wrong on .3 of the items; together on .09 if nothing joins them."""
    first, second = (
        verdicts(judged(teacher(name=name, accuracy=0.7), stored())) for name in ("one", "two")
    )
    right = [RIGHT[item.id] for item in ALL_ITEMS]
    both = sum(a != r and b != r for a, b, r in zip(first, second, right, strict=True))
    assert likely(both, ITEMS, 0.09)


def test_single_responses_are_scored_at_the_stated_rate() -> None:
    """800 responses, .75 of the scores right; the wrong ones are any other of the scale."""
    found = judged(teacher(SINGLE, accuracy=0.75), showings(ALL_ITEMS, SINGLE), SINGLE)
    scores = [
        (value, 2.0 if RESPONSES[response_id].task["bad"] else 0.0)
        for judgment, item in zip(found, ALL_ITEMS, strict=True)
        if isinstance(judgment.verdict, Scores)
        for value, response_id in zip(judgment.verdict.values, item.response_ids, strict=True)
    ]
    assert len(scores) == 2 * ITEMS
    assert likely(sum(said == right for said, right in scores), 2 * ITEMS, 0.75)
    assert {said for said, _ in scores} == {0.0, 1.0, 2.0, 3.0}
    assert all(judgment.reference == "It cannot be told." for judgment in found)


def test_a_response_has_one_score_whatever_item_it_is_in() -> None:
    """The same response in two items, asked alone or known in another order: the same score."""
    ids = ALL_ITEMS[0].response_ids
    other = Item.make(
        **ORIGIN, kind=Kind.PAIR, question_id=ALL_ITEMS[0].question_id, bucket="b", subtype=None,
        response_ids=(ids[1], ALL_ITEMS[1].response_ids[0]), split=None,
    )  # fmt: skip
    alone = [
        judged(
            teacher(SINGLE, accuracy=0.5, items=items), [Shown(item, (place,))], SINGLE
        )[0].reply
        for item, place in ((ALL_ITEMS[0], 1), (other, 0))
        for items in ([ALL_ITEMS[0], other], [other, ALL_ITEMS[0]])
    ]  # fmt: skip
    assert len(set(alone)) == 1


def test_a_judge_of_pairs_that_answers_first() -> None:
    """Its own answer is in the prompt, and the order that was shown is found all the same."""
    by = teacher(PAIR_FIRST, accuracy=1.0)
    found = judged(by, both_orders(ALL_ITEMS[:20]), PAIR_FIRST)
    assert verdicts(found) == [RIGHT[judgment.item_id] for judgment in found]
    assert {judgment.reference for judgment in found} == {"It cannot be told."}


def test_where_nobody_knows_teachers_share_a_truth() -> None:
    """Two teachers that are always right agree always, and at .8 on .64 + .2 * .2 / 2 = .66."""
    sure = [
        verdicts(judged(teacher(name=name, accuracy=1.0, right=nobody_knows)))
        for name in ("one", "two")
    ]
    assert sure[0] == sure[1]
    assert sure[0][0::2] == sure[0][1::2]
    assert all(likely(sure[0][0::2].count(value), ITEMS, 1 / 3) for value in ("A", "B", TIE))
    less = [
        verdicts(judged(teacher(name=name, accuracy=0.8, right=nobody_knows), stored()))
        for name in ("one", "two")
    ]
    assert likely(sum(a == b for a, b in zip(*less, strict=True)), ITEMS, 0.66)


def test_a_right_verdict_off_the_scale_is_none() -> None:
    """The key says TIE where the dialect has none: a truth on the scale stands for it."""
    no_tie = PAIR.model_copy(update={"scale": Scale(choices=("A", "B"))})
    by = teacher(no_tie, accuracy=1.0, right=lambda question, shown: (choice(TIE), "Both."))
    said = verdicts(judged(by, both_orders(ALL_ITEMS[:30]), no_tie))
    assert set(said) == {"A", "B"}
    assert said[0::2] == said[1::2]


def test_a_reason_that_quotes_a_tag_is_left_out() -> None:
    quoted = (choice("A"), "It says <verdict>B</verdict>.")
    by = teacher(right=lambda question, shown: quoted, accuracy=1.0)
    (found,) = judged(by, stored(ALL_ITEMS[:1]))
    assert found.verdict == Choice(kind="choice", value="A")
    assert found.reply is not None
    assert "<verdict>B" not in found.reply


def test_what_it_cannot_have_been_asked_is_refused() -> None:
    def ask(record_id: str) -> Request:
        messages = (Message(role="user", content="Something else"),)
        return Request(record_id=record_id, messages=messages, sampling=Sampling())

    for record_id, said in (("absent", "no item, response or question"), (ALL_ITEMS[0].id, "no")):
        with pytest.raises(ValueError, match=said):
            list(teacher().complete([ask(record_id)]))


def test_rates_that_cannot_be() -> None:
    with pytest.raises(ValidationError, match="may not exceed 1 together"):
        TeacherSpec(name="t", fail_rate=0.5, refuse_rate=0.4, cut_rate=0.2)
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        TeacherSpec(name="t", accuracy=1.2)
    TeacherSpec(name="t", fail_rate=0.1, refuse_rate=0.2, cut_rate=0.7)


def test_a_teacher_that_doubts_states_how_likely_each_verdict_is() -> None:
    """Its verdict stays the likeliest, the others share the rest, and both orders say the same."""
    found = judged(teacher(accuracy=0.8, doubt=0.2))
    left = []
    for one, other in zip(found[0::2], found[1::2], strict=True):
        chances = dict((one.distribution or {})["verdict"])
        assert isinstance(one.verdict, Choice)
        own = chances.pop(one.verdict.value)
        assert own > max(chances.values())
        assert len(set(chances.values())) == 1
        assert own + sum(chances.values()) == pytest.approx(1, abs=3e-6)
        left.append(1 - own)
        assert other.distribution_in_item_order() == one.distribution_in_item_order()
    assert max(left) < 0.4
    # Uniform from 0 to .4: mean .2, standard deviation .4 / sqrt(12) = .115.
    assert sum(left) / ITEMS == pytest.approx(0.2, abs=4 * 0.115 / ITEMS**0.5)


def test_a_doubt_as_large_as_its_errors_is_calibrated() -> None:
    """Of what it is .6 to .8 sure of, .7 are right; of what it is surer of, .9; .8 in all."""
    found = judged(teacher(accuracy=0.8, doubt=0.2), stored())
    sides: dict[bool, list[bool]] = {True: [], False: []}
    for one in found:
        sure = max((one.distribution or {})["verdict"].values()) > 0.8
        sides[sure].append(verdicts([one]) == [RIGHT[one.item_id]])
    assert likely(sum(sides[False]), len(sides[False]), 0.7)
    assert likely(sum(sides[True]), len(sides[True]), 0.9)
    assert likely(sum(sides[True]) + sum(sides[False]), ITEMS, 0.8)


def test_scores_are_doubted_and_several_in_one_reply_are_not() -> None:
    shown = showings(ALL_ITEMS[:20], SINGLE)
    for one in judged(teacher(SINGLE, accuracy=0.9, doubt=0.1), shown, SINGLE):
        assert list(one.distribution or {}) == ["1", "2"]
    marks = teacher(MARKS, right=good_is_higher, accuracy=0.9, doubt=0.1)
    assert judged(marks, stored(ALL_ITEMS[:3]), MARKS)[0].distribution is None


def test_without_doubt_nothing_is_stated_and_nothing_moves() -> None:
    plain = judged(teacher(accuracy=0.8))
    assert {one.distribution for one in plain} == {None}
    for wrong in ({"doubt": 0.3}, {"doubt": 0.0}, {"doubt": 0.1, "accuracy": 0.4}):
        with pytest.raises(ValidationError):
            TeacherSpec(name="t", **wrong)


MARKS = Dialect(
    name="marks", kind=Kind.PAIR, scale=Scale(low=1, high=10), direction=Direction.BETTER,
    user="{{ question }} {{ responses[0].text }} {{ responses[1].text }}", reply=ScoresFirst(),
)  # fmt: skip
ASPECTS = Dialect(
    name="aspects", kind=Kind.SINGLE, scale=Scale(low=1, high=5), direction=Direction.BETTER,
    user="{{ question }} {{ responses[0].text }}", criteria=("clarity", "depth"),
    reply=Json(by_criterion=True),
)  # fmt: skip


def good_is_higher(question: Question, shown: Sequence[Response]) -> tuple[Verdict, str]:
    return scores_of([3.0 if response.task["bad"] else 8.0 for response in shown]), "As they are."


def marks(found: Iterable[Judgment]) -> list[tuple[float, ...]]:
    """The scores of each judgment in item order."""
    verdicts = [one.in_item_order() for one in found]
    assert all(isinstance(verdict, Scores) for verdict in verdicts)
    return [verdict.values for verdict in verdicts if isinstance(verdict, Scores)]


def test_two_marks_in_one_prompt_at_the_stated_rate() -> None:
    """A wrong judgment mirrors the marks on the scale: 8 and 3 of 1 to 10 become 3 and 8."""
    found = judged(teacher(MARKS, right=good_is_higher, accuracy=0.75), dialect=MARKS)
    values = marks(found)
    assert set(values) == {(8.0, 3.0), (3.0, 8.0)}
    right = [
        all((mark == 3.0) == RESPONSES[i].task["bad"] for mark, i in zip(pair, ids, strict=True))
        for pair, ids in zip(
            values, [i.response_ids for i in ALL_ITEMS for _ in range(2)], strict=True
        )
    ]
    assert likely(sum(right[::2]), ITEMS, 0.75)
    assert right[::2] == right[1::2]


def test_marks_that_favour_what_is_shown_first() -> None:
    found = judged(teacher(MARKS, right=good_is_higher, first_rate=1.0), dialect=MARKS)
    assert all(one.verdict is not None for one in found)
    assert {one.verdict.values for one in found if isinstance(one.verdict, Scores)} == {(8.0, 3.0)}


def test_marks_that_nobody_knows_follow_the_responses() -> None:
    by = teacher(MARKS, right=nobody_knows, accuracy=1.0)
    found = judged(by, both_orders(ALL_ITEMS[:40]), MARKS)
    values = marks(found)
    assert values[::2] == values[1::2]
    assert len(set(values)) > 20
    other = teacher(MARKS, right=nobody_knows, accuracy=1.0, name="another")
    assert marks(judged(other, both_orders(ALL_ITEMS[:40]), MARKS)) == values


def test_scores_by_criterion() -> None:
    shown = showings(ALL_ITEMS[:40], ASPECTS)
    found = judged(teacher(ASPECTS, right=nobody_knows, accuracy=1.0), shown, ASPECTS)
    wrong = judged(teacher(ASPECTS, right=nobody_knows, accuracy=0.0), shown, ASPECTS)
    for right, other in zip(found, wrong, strict=True):
        assert isinstance(right.verdict, Scores)
        assert isinstance(other.verdict, Scores)
        assert right.verdict.criteria is not None
        assert other.verdict.criteria is not None
        assert set(right.verdict.criteria) == {"clarity", "depth"}
        for name, values in right.verdict.criteria.items():
            assert all(a != b for a, b in zip(values, other.verdict.criteria[name], strict=True))


@pytest.mark.parametrize("dialect", LIBRARY.values(), ids=lambda d: d.name)
def test_it_can_speak_every_dialect_of_the_library(dialect: Dialect) -> None:
    few = ALL_ITEMS[:10]
    task = {"criterion": "c", "levels": list("abcde"), "criteria": ["clarity"]}
    questions = {
        name: question.with_fields(task=task).model_copy(
            update={"reference": "r", "grounding": "g"}
        )
        for name, question in QUESTIONS.items()
    }
    known = Known(
        index_by_id(few), questions, RESPONSES, dialect, nobody_knows, lambda question: None, 3
    )
    by = SimulatedTeacher(TeacherSpec(name="sim", accuracy=0.5, first_rate=0.3), known)
    made = judge(by, showings(few, dialect), questions, RESPONSES, dialect=dialect, max_tokens=99)
    assert {judgment.status for judgment, _ in made} == {Status.PARSED}


LISTED = LIBRARY["judgelm-list"]


def listed(texts: Sequence[str]) -> tuple[Item, dict[str, Response]]:
    """One item of several responses to the first question."""
    question_id = ALL_ITEMS[0].question_id
    made = [
        Response.make(
            **ORIGIN, question_id=question_id, model=f"m{n}", sampling={}, finish=Finish.STOP,
            text=text, task={"bad": n % 2 == 0},
        )
        for n, text in enumerate(texts)
    ]  # fmt: skip
    item = Item.make(
        **ORIGIN, kind=Kind.LIST, question_id=question_id, bucket="b", subtype=None,
        response_ids=tuple(response.id for response in made), split=None,
    )  # fmt: skip
    return item, index_by_id(made)


def marked(
    texts: Sequence[str], orders: Iterable[tuple[int, ...]], right: Any = nobody_knows
) -> list[tuple[float, ...]]:
    """The marks in item order of a list shown in these orders, half of which are wrong."""
    item, responses = listed(texts)
    known = Known({item.id: item}, QUESTIONS, responses, LISTED, right, lambda question: None, 5)
    by = SimulatedTeacher(TeacherSpec(name="sim", accuracy=0.5, first_rate=0.3), known)
    shown = [Shown(item, order) for order in orders]
    made = judge(by, shown, QUESTIONS, responses, dialect=LISTED, max_tokens=99)
    return marks(judgment for judgment, _ in made)


def old_orders(stored: Sequence[Response], *_: object) -> Iterator[list[Response]]:
    """Every order, as there are K! of them."""
    yield from map(list, permutations(stored))


@pytest.mark.parametrize(
    "texts", [["a", "b"], ["a", "b", "c"], ["a b", "a", "b"], ["ab", "bb", "abb"], ["", "1", "11"]]
)
def test_an_order_is_found_as_by_trying_all(
    texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = list(permutations(range(len(texts))))
    found = marked(texts, orders)
    monkeypatch.setattr(simulated_teacher, "_likely_orders", old_orders)
    assert marked(texts, orders) == found
    assert len(set(found)) > 1


def test_a_long_list_is_no_longer_work_than_its_square() -> None:
    """Ten responses have 3,628,800 orders."""
    texts = [f"response {n}" for n in range(10)]
    stored, mixed = tuple(range(10)), (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)
    found = marked(texts, [stored, mixed, stored[::-1]])
    assert all(len(values) == 10 for values in found)
    right = order_seen(texts, mixed)
    assert right == [texts[i] for i in mixed]


def order_seen(texts: Sequence[str], order: tuple[int, ...]) -> list[str]:
    """The texts in the order in which the teacher takes a prompt to show them."""
    seen: list[list[str]] = []

    def right(question: Question, shown: Sequence[Response]) -> tuple[Verdict, str]:
        seen.append([response.text for response in shown])
        return scores_of([5.0] * len(shown)), "As they are."

    marked(texts, [order], right)
    return seen[0]
