"""Soft labels of rows: whose chances they are, and that they turn with the verdict."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.errors import DataError, RecipeError
from judgesmith.evaluation.final_label import FinalLabel, Policy, decide
from judgesmith.evaluation.soft_targets import (
    SOFT_ROWS,
    Hard,
    Origin,
    SoftLabel,
    Targets,
    in_shown_order,
    read_chances,
)
from judgesmith.evaluation.teacher_reading import read_teachers
from judgesmith.judging.augment import swap
from judgesmith.judging.dialect import PAIR_SCALE, Dialect, Scale
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.reading import scores_of
from judgesmith.judging.reply import verdict_text
from judgesmith.records import (
    AnnotatorKind,
    Direction,
    Judgment,
    Label,
    Message,
    SftRow,
    Split,
    Status,
    Verdict,
    choice,
    reorder,
)
from judgesmith.runs.layout import Header, RunDir

PAIR = Dialect(
    name="pair", kind="pair", scale=PAIR_SCALE, direction="better",
    user="{% for r in responses %}{{ r.letter }}: {{ r.text }}\n{% endfor %}",
)  # fmt: skip
FIVE = Dialect(
    name="five", kind="single", scale=Scale(low=1, high=5), direction="better",
    user="{{ responses[0].text }}",
)  # fmt: skip
SAID = PAIR.model_copy(
    update={"name": "said", "say": {"A": "first", "B": "second", "TIE": "neither"}}
)


def judgment(
    verdict: str | Verdict, chances: Mapping[str, Mapping[str, float]] | None, *, by: str = "ann",
    order: tuple[int, ...] = (0, 1), item: str = "i", dialect: Dialect = PAIR,
) -> Judgment:  # fmt: skip
    said = choice(verdict) if isinstance(verdict, str) else verdict
    return Judgment.make(
        source="t", licence="t", item_id=item, judge=by, dialect=dialect.hash, order=order,
        sample=0, reply=dialect.write_reply("Because.", said), rationale="Because.", verdict=said,
        distribution=chances, status=Status.PARSED, reference=None,
    )  # fmt: skip


def label(
    verdict: str | Verdict, cited: Sequence[Judgment], *, by: str = "ann",
    policy: str = Policy.PRIMARY.value, kind: AnnotatorKind = AnnotatorKind.MODEL, item: str = "i",
) -> Label:  # fmt: skip
    return Label.make(
        source="t", licence="t", item_id=item, direction=Direction.BETTER, confidence=None,
        verdict=choice(verdict) if isinstance(verdict, str) else verdict, policy=policy,
        judgment_ids=tuple(one.id for one in cited), annotator_kind=kind, annotator=by,
    )  # fmt: skip


def row(of: Judgment, dialect: Dialect = PAIR) -> SftRow:
    return SftRow.make(
        source="t", licence="t", item_id=of.item_id, order=of.order, split=Split.TRAIN,
        dialect=dialect.hash, prompt=(Message(role="user", content="?"),),
        completion=str(of.reply),
    )  # fmt: skip


def target(
    of: Judgment, everyone: Sequence[Judgment], told: Label, dialect: Dialect = PAIR
) -> SoftLabel | Hard:
    found = Targets(everyone, {told.item_id: told}, [told.item_id])
    return found.of(row(of, dialect), of, dialect)


def soft(*given: Any) -> SoftLabel:
    found = target(*given)
    assert isinstance(found, SoftLabel)
    return found


def test_one_teacher_in_both_orders_by_hand() -> None:
    """In item order .9, .1, 0 and .6, .2, .2: the mean is .75, .15, .1, and turned .15, .75, .1."""
    one = judgment("A", {"verdict": {"A": 0.9, "B": 0.1, "TIE": 0.0}})
    two = judgment("B", {"verdict": {"A": 0.2, "B": 0.6, "TIE": 0.2}}, order=(1, 0))
    told = label("A", [one, two])
    stored, swapped = soft(one, [one, two], told), soft(two, [one, two], told)
    assert stored.chances == pytest.approx({"A": 0.75, "B": 0.15, "TIE": 0.1})
    assert swapped.chances == pytest.approx({"A": 0.15, "B": 0.75, "TIE": 0.1})
    assert (stored.origin, stored.slot, stored.missing) == (Origin.OWN, "verdict", 0.0)
    assert stored.row_id == row(one).id


def test_a_teacher_who_was_asked_once_has_its_own_chances() -> None:
    one = judgment("A", {"verdict": {"A": 0.9, "B": 0.1, "TIE": 0.0}})
    another = judgment("B", {"verdict": {"B": 1.0}}, by="bob")
    assert soft(one, [one, another], label("A", [one])).chances["A"] == 0.9


@st.composite
def stated(draw: st.DrawFn) -> Judgment:
    """A judgment whose verdict is the likeliest of its chances."""
    weights = [draw(st.floats(0.01, 1)) for _ in PAIR_SCALE.values]
    chances = {v: w / sum(weights) for v, w in zip(PAIR_SCALE.values, weights, strict=True)}
    order = draw(st.sampled_from([(0, 1), (1, 0)]))
    return judgment(max(chances, key=chances.__getitem__), {"verdict": chances}, order=order)


@given(stated())
def test_chances_turn_with_the_verdict_and_back(one: Judgment) -> None:
    """Defect 12: the twin in the other order has the same chances of the same responses.

    What the row's reply states has the same chance in both, and it is the highest; swapped twice
    the first label is there again. So it is for the made-up twin, and for one that was asked.
    """
    twin = swap(one, PAIR)
    assert twin is not None
    back = swap(twin, PAIR)
    assert back is not None
    verdict = one.in_item_order()
    assert verdict is not None
    told = label(verdict, [one])
    for everyone in ([one], [one, twin]):
        first, other, again = (soft(of, everyone, told) for of in (one, twin, back))
        assert other.chances == pytest.approx(in_shown_order(first.chances, (1, 0)))
        assert again == first
        for of, found in ((one, first), (twin, other)):
            said = parse_reply(PAIR, row(of).completion).verdict
            assert said is not None
            assert found.chances[said.value] == max(found.chances.values())
            assert reorder(said, of.order) == verdict
            assert math.fsum(found.chances.values()) == pytest.approx(1, abs=3e-6)


@given(st.permutations(range(4)), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_shown_order_is_the_inverse_of_item_order(order: list[int], given: list[float]) -> None:
    item_order = dict(zip("ABCD", given, strict=True))
    for value, p in in_shown_order(item_order, tuple(order)).items():
        turned = reorder(choice(value), tuple(order))
        assert item_order[turned.value] == p


def test_shares_of_votes_of_a_panel() -> None:
    """Two of three say A, one with .99 for B: 2/3, and the chances that teachers state are out."""
    said = [
        judgment("A", None), judgment("A", {"verdict": {"A": 0.5, "TIE": 0.5}}, by="bob"),
        judgment("B", {"verdict": {"B": 0.99, "A": 0.01}}, by="cy"),
    ]  # fmt: skip
    told = label("A", said[:1], by="ann, bob, cy", policy="majority")
    found = soft(said[0], said, told)
    assert found.chances == pytest.approx({"A": 2 / 3, "B": 1 / 3, "TIE": 0}, abs=1e-6)
    assert found.origin is Origin.VOTES


def test_who_is_no_voter_has_no_vote() -> None:
    """A model that only judged the dry run is not named by the label; one vote is no share."""
    said = [judgment("A", None), judgment("B", None, by="second")]
    assert target(said[0], said, label("A", said[:1], policy="majority")) is Hard.NO_CHANCES
    own = judgment("A", {"verdict": {"A": 0.8, "B": 0.2}})
    found = soft(own, [own, said[1]], label("A", [own], policy="majority"))
    assert (found.chances["A"], found.origin) == (0.8, Origin.OWN)


def test_a_vote_is_of_both_orders() -> None:
    """Bob says A in each order, so he has no verdict and no vote. Shown swapped, ann's A is B."""
    both = [(0, 1), (1, 0)]
    said = [judgment("A" if order == (0, 1) else "B", None, order=order) for order in both]
    said += [judgment("A", None, by="bob", order=order) for order in both]
    said += [judgment("TIE", None, by="cy", order=order) for order in both]
    told = label("A", said[:1], by="ann, bob, cy", policy="person")
    found = soft(said[1], said, told)
    assert found.chances == {"A": 0.0, "B": 0.5, "TIE": 0.5}


def test_weighted_votes_are_the_posterior_that_decided() -> None:
    """40 items, three teachers, one careless: each label's confidence is its row's chance."""
    said: list[Judgment] = []
    for n in range(40):
        truth = "AB"[n % 2]
        wrong = "BA"[n % 2]
        said.append(judgment(truth, None, item=f"i{n}"))
        said.append(judgment(wrong if n % 9 == 0 else truth, None, by="bob", item=f"i{n}"))
        said.append(judgment(wrong if n % 3 == 0 else truth, None, by="cy", item=f"i{n}"))
    items = [f"i{n}" for n in range(40)]
    rule = FinalLabel(policy=Policy.WEIGHTED, least_posterior=0.51)
    decisions = {d.item_id: d for d in decide(items, read_teachers(said, tie=None), rule)}
    labels = {
        item: label(str(d.verdict), [j for j in said if j.item_id == item][:1], item=item,
                    by="ann, bob, cy", policy="weighted")
        for item, d in decisions.items() if d.verdict is not None
    }  # fmt: skip
    targets = Targets(said, labels, items)
    checked = 0
    for one in said:
        decision = decisions[one.item_id]
        if one.judge != "ann" or decision.verdict != verdict_text(one.verdict):
            continue
        found = targets.of(row(one), one, PAIR)
        assert isinstance(found, SoftLabel)
        assert found.origin is Origin.WEIGHTED
        assert found.chances[str(decision.verdict)] == pytest.approx(decision.confidence, abs=1e-6)
        checked += 1
    assert checked > 30
    assert len({round(d.confidence or 0, 3) for d in decisions.values()}) > 1


def test_a_response_alone_has_its_own_chances() -> None:
    """The two responses of an item are asked about one by one: they are no orders of a pair."""
    both = [
        judgment(
            scores_of([value]), {"1": {"1": 0.1, str(value): 0.9}}, order=(place,), dialect=FIVE
        )
        for place, value in enumerate((4, 5))
    ]
    told = label("B", both, by="ann, bob", policy="majority")
    for one, value in zip(both, ("4", "5"), strict=True):
        found = soft(one, both, told, FIVE)
        assert (found.slot, found.chances[value], found.chances["1"]) == ("1", 0.9, 0.1)


def test_why_a_row_stays_hard() -> None:
    half = {"A": 0.5, "B": 0.5}
    cases: list[tuple[str, Mapping[str, Mapping[str, float]] | None, AnnotatorKind, Hard]] = [
        ("A", None, AnnotatorKind.MODEL, Hard.NO_CHANCES),
        ("A", {"1": {"1": 1.0}, "2": {"2": 1.0}}, AnnotatorKind.MODEL, Hard.SEVERAL),
        ("A", {"verdict": {"A": 0.9, "B": 0.1}}, AnnotatorKind.PERSON, Hard.PERSON),
        ("A", {"verdict": {"X": 1.0}}, AnnotatorKind.MODEL, Hard.OFF_SCALE),
        ("A", {"verdict": {"A": 0.4, "B": 0.6}}, AnnotatorKind.MODEL, Hard.ANOTHER_LIKELIER),
        ("TIE", {"verdict": half}, AnnotatorKind.MODEL, Hard.ANOTHER_LIKELIER),
    ]
    for verdict, chances, kind, why in cases:
        one = judgment(verdict, chances)
        assert target(one, [one], label(verdict, [one], kind=kind)) is why
    even = judgment("B", {"verdict": half})
    assert soft(even, [even], label("B", [even])).chances["B"] == 0.5


def test_missing_mass_is_shared_out_and_told() -> None:
    """.6 and .2 on the scale, .1 off it, .1 nowhere: .75, .25, and .2 were missing."""
    one = judgment("A", {"verdict": {"A": 0.6, "B": 0.2, "BOTH": 0.1}})
    found = soft(one, [one], label("A", [one]))
    assert found.chances == pytest.approx({"A": 0.75, "B": 0.25, "TIE": 0})
    assert found.missing == pytest.approx(0.2)


@pytest.mark.parametrize("chances", [{"A": 1.1, "B": -0.1}, {"A": 0.9, "B": 0.4}])
def test_what_is_no_distribution_is_refused(chances: dict[str, float]) -> None:
    one = judgment("A", {"verdict": chances})
    with pytest.raises(DataError, match=r"judgment .* by 'ann': expected chances of 0 or more"):
        target(one, [one], label("A", [one]))


def written(path: Path, dialect: Dialect, soft_rows: bool = True) -> tuple[RunDir, SftRow]:
    run_dir = RunDir(path, Header(name="t", task="general", seed=1))
    one = judgment("A", {"verdict": {"A": 0.9, "B": 0.1}}, dialect=dialect)
    run_dir.write("rows/sft.jsonl", [row(one, dialect)])
    found = soft(one, [one], label("A", [one]), dialect)
    if soft_rows:
        run_dir.write(SOFT_ROWS, [found])
    return run_dir, row(one, dialect)


def test_chances_are_read_in_the_words_of_the_reply(tmp_path: Path) -> None:
    run_dir, made = written(tmp_path, SAID)
    assert "<verdict>first</verdict>" in made.completion
    found = read_chances(run_dir, [PAIR, SAID])
    assert found == {made.id: {"first": 0.9, "second": 0.1, "neither": 0.0}}


def test_what_was_not_written_cannot_be_trained_on(tmp_path: Path) -> None:
    run_dir, _ = written(tmp_path, PAIR, soft_rows=False)
    with pytest.raises(RecipeError, match=r"Set rows\.soft: true"):
        read_chances(run_dir, [PAIR])
    run_dir, _ = written(tmp_path, PAIR)
    with pytest.raises(RecipeError, match="no row has the chances"):
        read_chances(run_dir, [SAID])
