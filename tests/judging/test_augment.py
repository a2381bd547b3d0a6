"""Augmentations: pure, keyed by id, and text, scores and verdict never part company."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.judging.augment import (
    Meant,
    drops_reference,
    epoch_rows,
    is_swapped,
    parted,
    speaks_of_reference,
    swap,
)
from judgesmith.judging.dialect import PAIR_SCALE, Dialect, Scale
from judgesmith.judging.forms import ScoresFirst
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.render import render_prompt
from judgesmith.records import (
    Choice,
    Judgment,
    Kind,
    Question,
    Scores,
    SftRow,
    Split,
    Status,
    Verdict,
    choice,
)

_USER = "{{ question }}\n{% for r in responses %}\n{{ r.letter }}: {{ r.text }}\n{% endfor %}"
LETTERS = Dialect(name="letters", kind="pair", user=_USER, scale=PAIR_SCALE, direction="better")
MARKS = Dialect(
    name="marks", kind="pair", user=_USER + "{{ reference }}", scale=Scale(low=1, high=10),
    direction="better", reply=ScoresFirst(),
)  # fmt: skip
QUESTION = Question.make(
    source="t", licence="t", group_id="g", template_id=None, category=None, context=None,
    text="Why?", choices=None, key=None, reference=None, grounding=None, task={},
)  # fmt: skip


def judged(
    verdict: Verdict, rationale: str | None, dialect: Dialect, order: tuple[int, ...] = (0, 1),
    item: str = "i", **more: Any,
) -> Judgment:  # fmt: skip
    reply = None if rationale is None else dialect.write_reply(rationale, verdict)
    return Judgment.make(
        source="t", licence="t", item_id=item, judge="j", dialect=dialect.hash, order=order,
        sample=0, reply=reply, rationale=rationale, verdict=verdict, status=Status.PARSED,
        reference=None, **{"distribution": None, **more},
    )  # fmt: skip


def marks(*values: float) -> Scores:
    return Scores(kind="scores", values=values, criteria=None)


def row(judgment: Judgment, dialect: Dialect, texts: tuple[str, str]) -> SftRow:
    shown = [texts[p] for p in judgment.order]
    assert judgment.reply is not None
    return SftRow.make(
        source="t", licence="t", item_id=judgment.item_id, order=judgment.order,
        split=Split.TRAIN, dialect=dialect.hash, completion=judgment.reply,
        prompt=render_prompt(dialect, QUESTION, shown),
    )  # fmt: skip


def test_order_scores_and_names_turn_together() -> None:
    """Assistant 1 got 3, Assistant 2 got 8; shown the other way, Assistant 1 gets 8."""
    given_ = judged(marks(3, 8), "Assistant 1 is vague, Assistant 2 is clear.", MARKS)
    found = swap(given_, MARKS)
    assert found is not None
    assert (found.order, found.verdict) == ((1, 0), marks(8, 3))
    assert found.reply == "8 3\nAssistant 2 is vague, Assistant 1 is clear."
    assert found.in_item_order() == given_.in_item_order()
    assert swap(found, MARKS) == given_


def test_a_letter_and_its_probabilities_turn() -> None:
    chances = {"verdict": {"A": 0.7, "B": 0.2, "TIE": 0.1}}
    given_ = judged(choice("A"), "Response A says why.", LETTERS, distribution=chances)
    found = swap(given_, LETTERS)
    assert found is not None
    assert found.verdict == choice("B")
    assert found.distribution == {"verdict": {"B": 0.7, "A": 0.2, "TIE": 0.1}}
    assert found.distribution_in_item_order() == given_.distribution_in_item_order()
    scored = judged(
        marks(3, 8), "So.", MARKS, distribution={"1": {"3": 1.0}, "2/clarity": {"8": 1.0}}
    )
    turned = swap(scored, MARKS)
    assert turned is not None
    assert turned.distribution == {"2": {"3": 1.0}, "1/clarity": {"8": 1.0}}


@pytest.mark.parametrize(
    "judgment",
    [
        judged(choice("A"), "The former is better.", LETTERS),
        judged(choice("A"), None, LETTERS),
        judged(choice("A"), "So.", LETTERS).model_copy(update={"verdict": None}),
        judged(choice("A"), "So.", LETTERS).model_copy(update={"order": (0,)}),
        judged(marks(1, 2), "So.", MARKS).model_copy(update={"verdict": marks(1, 99)}),
    ],
)
def test_what_cannot_be_turned_is_none(judgment: Judgment) -> None:
    assert swap(judgment, MARKS if isinstance(judgment.verdict, Scores) else LETTERS) is None


def test_without_a_place_for_a_reason_a_verdict_turns_alone() -> None:
    alone = Dialect(
        name="alone", kind="pair", user=_USER, scale=PAIR_SCALE, direction="better",
        reply="Best: {verdict}.",
    )  # fmt: skip
    turned = swap(judged(choice("A"), None, alone), alone)
    assert turned is not None
    assert (turned.verdict, turned.order, turned.rationale) == (choice("B"), (1, 0), None)
    assert turned.reply == "Best: B."


_PARTS = st.lists(
    st.sampled_from(
        ["Assistant 1", "Assistant 2", "Response A's", "response B", "is clear", "both", "vague."]
    ),
    min_size=1, max_size=12,
).map(" ".join)  # fmt: skip
_VERDICTS = st.one_of(
    st.sampled_from(["A", "B", "TIE"]).map(choice),
    st.tuples(st.integers(1, 10), st.integers(1, 10)).map(lambda v: marks(*map(float, v))),
)


@given(_VERDICTS, _PARTS, st.sampled_from([(0, 1), (1, 0)]))
def test_twice_is_the_first_one(verdict: Verdict, text: str, order: tuple[int, ...]) -> None:
    dialect = LETTERS if isinstance(verdict, Choice) else MARKS
    first = judged(verdict, text, dialect, order)
    found = swap(first, dialect)
    assert found is not None
    assert found.in_item_order() == first.in_item_order()
    assert found.id != first.id
    assert swap(found, dialect) == first


def both(item: str, better: int) -> list[SftRow]:
    """Twins of an item whose texts say which is the better one."""
    values = (9.0, 2.0) if better == 0 else (2.0, 9.0)
    first = judged(marks(*values), f"Assistant {better + 1} knows.", MARKS, item=item)
    second = swap(first, MARKS)
    assert second is not None
    texts = ("good " + item, "bad " + item) if better == 0 else ("bad " + item, "good " + item)
    return [row(first, MARKS, texts), row(second, MARKS, texts)]


def says_the_truth(found: SftRow) -> bool:
    """Whether the higher score and the name in the reason are those of the text called good."""
    lines = [line for line in found.prompt[-1].content.splitlines() if line[:2] in ("A:", "B:")]
    (good,) = (i for i, line in enumerate(lines) if ": good" in line)
    read = parse_reply(MARKS, found.completion)
    assert isinstance(read.verdict, Scores)
    highest = read.verdict.values.index(max(read.verdict.values))
    return highest == good and f"Assistant {good + 1} knows." in (read.rationale or "")


@given(st.dictionaries(st.text("abc", min_size=1, max_size=4), st.integers(0, 1), max_size=8),
       st.integers(0, 99))  # fmt: skip
def test_over_five_epochs_and_any_shards_nothing_parts(items: dict[str, int], seed: int) -> None:
    """Each epoch shows each item once, whatever worker holds it, and what it shows is true."""
    twins = {item: both(item, better) for item, better in items.items()}
    rows = [one for pair in twins.values() for one in pair]
    before = [one.model_dump() for one in rows]
    for epoch in range(5):
        whole = epoch_rows(rows, seed, epoch)
        assert [one.item_id for one in whole] == list(items)
        assert all(map(says_the_truth, whole))
        for workers in (1, 2, 4):
            shards = [
                [one for i, item in enumerate(items) if i % workers == w for one in twins[item]]
                for w in range(workers)
            ]
            parts = [one.id for shard in shards for one in epoch_rows(shard[::-1], seed, epoch)]
            assert sorted(parts) == sorted(one.id for one in whole)
    assert [one.model_dump() for one in rows] == before


def test_over_epochs_both_orders_are_seen() -> None:
    rows = [one for n in range(50) for one in both(f"i{n}", n % 2)]
    seen = [{one.order for one in epoch_rows(rows, 7, e)} for e in range(5)]
    assert seen == [{(0, 1), (1, 0)}] * 5
    orders = [tuple(one.order for one in epoch_rows(rows, 7, e)) for e in range(5)]
    assert len(set(orders)) == 5
    lone = rows[0]
    assert epoch_rows([lone], 7, 0) == epoch_rows([lone], 7, 1) == [lone]


def test_coins_are_fair_and_of_the_id_alone() -> None:
    ids = [f"x{n}" for n in range(2000)]
    for epoch in range(3):
        assert 0.45 < sum(is_swapped(i, 7, epoch) for i in ids) / len(ids) < 0.55
    for rate in (0.0, 0.1, 0.9, 1.0):
        dropped = [drops_reference(i, 7, rate) for i in ids]
        assert sum(dropped) / len(ids) == pytest.approx(rate, abs=0.03)
        assert dropped == [drops_reference(i, 7, rate) for i in ids]
    # Who is dropped at a rate is dropped at every higher one: rates are comparable.
    assert all(drops_reference(i, 7, 0.9) for i in ids if drops_reference(i, 7, 0.1))


def test_a_dialect_shows_a_reference_or_not() -> None:
    assert (MARKS.shows("reference"), LETTERS.shows("reference")) == (True, False)
    assert speaks_of_reference("as the provided reference says")
    assert not speaks_of_reference("It is in reference to it.")


def test_parted_names_what_is_wrong() -> None:
    texts = ("good", "bad")
    first = judged(choice("A"), "Response A knows.", LETTERS)
    made = row(first, LETTERS, texts)
    meant = Meant(QUESTION, texts, [first])
    assert parted(made, LETTERS, meant) is None
    turned = swap(first, LETTERS)
    assert turned is not None
    assert parted(row(turned, LETTERS, texts), LETTERS, meant) is None
    shown = made.model_copy(update={"prompt": render_prompt(LETTERS, QUESTION, texts[::-1])})
    assert "does not show the responses" in str(parted(shown, LETTERS, meant))
    said = made.model_copy(update={"completion": LETTERS.write_reply("So.", "B")})
    assert "was not given for these texts" in str(parted(said, LETTERS, meant))
    mute = made.model_copy(update={"completion": "Nothing."})
    assert "states no verdict" in str(parted(mute, LETTERS, meant))


def test_parted_tells_responses_judged_alone_apart() -> None:
    alone = Dialect(name="alone", kind=Kind.SINGLE, user=_USER, scale=Scale(low=1, high=5))
    given_ = [
        judged(marks(score), "So.", alone, order=(position,))
        for position, score in ((0, 5.0), (1, 2.0))
    ]
    meant = Meant(QUESTION, ("good", "bad"), given_)
    assert [parted(row(g, alone, ("good", "bad")), alone, meant) for g in given_] == [None, None]
    other = row(given_[0], alone, ("good", "bad")).model_copy(update={"order": (1,)})
    assert parted(other, alone, meant) is not None
