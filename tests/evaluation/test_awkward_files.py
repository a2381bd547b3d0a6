"""Files that people really have: equal lengths, one name twice, nothing parsed, another scale."""

from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.evaluation.collect import collect
from judgesmith.evaluation.evidence import measure
from judgesmith.evaluation.measure import Subject, prepare
from judgesmith.evaluation.scoring import Plan
from judgesmith.records import Direction
from judgesmith.report.evidence import Evidence
from judgesmith.report.results import Evaluation, SliceResult
from judgesmith.sources.imported import ImportedRow

PLAN = Plan(seed=1, resamples=200, slice_resamples=100, confidence=0.95, least=20, scale=())
PAIRS = Subject(kind="pair", names=Direction.BETTER, scale=(), tie="TIE", labels="majority")
SCORES = Subject(kind="single", names=None, scale=(), tie=None, labels="mean")
N = 30


def measured(rows: list[ImportedRow], subject: Subject = PAIRS) -> tuple[Evaluation, Evidence]:
    found = collect(rows, responses=2 if subject.pairs else 1)
    return measure(prepare(found, subject, PLAN), lambda: iter(rows))


def whole(evaluation: Evaluation, name: str, role: str = "judge") -> SliceResult:
    (one,) = (j for j in evaluation.judges if (j.name, j.role) == (name, role))
    return one.slices["all"]


def test_equal_lengths_on_a_scale_without_a_tie(make_row: Any, say: Any) -> None:
    """Labels A and B only, two words each in 3 of 30 pairs: the longer response names nobody."""
    rows = []
    for i in range(N):
        item, texts = f"i{i}", ("two words", "two words" if i < 3 else "one")
        votes = say(item, "ann", "AB"[i % 2], role="person"), say(item, "j", "A")
        rows.append(make_row(item, *votes, responses=texts))
    evaluation, _ = measured(rows)
    longer = whole(evaluation, "longer response", "baseline")
    assert longer.coverage.value == pytest.approx(27 / 30)
    assert longer.confusion is not None
    assert longer.confusion.labels == ("A", "B")


def test_a_judge_may_have_the_name_of_an_annotator(make_row: Any, say: Any) -> None:
    """Ann labels and a judge called ann is wrong on every third item: accuracy 20 of 30."""
    rows = []
    for i in range(N):
        item, label = f"i{i}", "AB"[i % 2]
        said = label if i % 3 else "BA"[i % 2]
        rows.append(make_row(item, say(item, "ann", label, role="person"), say(item, "ann", said)))
    evaluation, _ = measured(rows)
    assert whole(evaluation, "ann").accuracy.value == pytest.approx(20 / 30)


def test_a_judge_without_one_parsed_verdict_spoils_nothing(make_row: Any, say: Any) -> None:
    rows = []
    for i in range(N):
        item, label = f"i{i}", "AB"[i % 2]
        votes = [say(item, name, label if name != "mute" else None) for name in ("x", "y", "mute")]
        rows.append(make_row(item, say(item, "ann", label, role="person"), *votes))
    evaluation, evidence = measured(rows)
    assert whole(evaluation, "mute").coverage.value == 0
    assert evidence.panel is not None
    assert [member.judge for member in evidence.panel.members] == ["x", "y"]


def test_two_orders_without_a_verdict_are_two_orders(make_row: Any, say: Any) -> None:
    rows = []
    for i in range(N):
        item = f"i{i}"
        votes = say(item, "j", "A"), say(item, "j", None, swapped=True)
        rows.append(make_row(item, say(item, "ann", "AB"[i % 2], role="person"), *votes))
    evaluation, _ = measured(rows)
    (judge,) = (one for one in evaluation.judges if one.name == "j")
    assert judge.note == ""
    assert judge.slices["all"].coverage.value == 0
    assert judge.slices["all"].accuracy_stored_order is not None
    assert judge.slices["all"].accuracy_stored_order.value == 0.5


def test_fields_of_two_files_are_joined(make_row: Any, say: Any) -> None:
    rows = []
    for i in range(N):
        item, label = f"i{i}", "AB"[i % 2]
        kind, place = {"category": f"c{i % 2}"}, {"bucket": f"b{i % 3}", "category": "late"}
        rows.append(make_row(item, say(item, "ann", label, role="person"), fields=kind))
        rows.append(make_row(item, say(item, "j", label, criterion=None), fields=place))
    evaluation, _ = measured(rows)
    assert [part.name for part in evaluation.slices] == [
        "all", "category:c0", "category:c1", "bucket:b0", "bucket:b1", "bucket:b2",
    ]  # fmt: skip


def test_ids_and_criteria_that_do_not_meet_are_told_apart(make_row: Any, say: Any) -> None:
    label = make_row("1", say("1", "ann", "A", role="person"))
    with pytest.raises(DataError, match="first labelled is '1', the first judged '1 '"):
        prepare(collect([label, make_row("1 ", say("1 ", "j", "A"))], responses=2), PAIRS, PLAN)
    other = make_row("1", say("1", "j", "A", criterion="depth"))
    with pytest.raises(DataError, match="for no criterion, the first judgment for the criterion"):
        prepare(collect([label, other], responses=2), PAIRS, PLAN)


def test_empty_cells_of_people_are_nobody_s_unparsed_verdicts(make_row: Any, say: Any) -> None:
    rows = [
        make_row("1", say("1", "ann", "A", role="person"), say("1", "j", None)),
        make_row("2", say("2", "ann", None, role="person"), say("2", "j", "A")),
    ]
    assert collect(rows, responses=2).statuses == {"j": {"no_verdict": 1}}


def scored(make_row: Any, say: Any, other: Any) -> list[ImportedRow]:
    """Thirty labels 1 to 5; `near` is one off on every other item, `other` what a function says."""
    rows = []
    for i in range(N):
        item, label = f"i{i}", float(i % 5 + 1)
        votes = [say(item, "ann", None, scores=(label,), role="person")]
        votes.append(say(item, "near", None, scores=(min(5.0, label + i % 2),)))
        given = other(i, label)
        votes.append(say(item, "other", None, scores=None if given is None else (given,)))
        rows.append(make_row(item, *votes))
    return rows


def test_a_score_that_is_not_given_is_farther_than_one_that_is(make_row: Any, say: Any) -> None:
    """The other judge is always right but silent on 20 of 30: it loses those and no more than 5.

    On the ten that both scored (i below 10, labels 1 to 5 twice), near is off where i is odd and
    the label is below 5: i = 1, 3, 5, 7, four of them since i = 9 has label 5. So 20 to 4.
    """
    rows = scored(make_row, say, lambda i, label: label if i < 10 else None)
    evaluation, evidence = measured(rows, SCORES)
    (compared,) = evaluation.comparisons
    assert (compared.a, compared.gained, compared.lost) == ("near", 20, 4)
    assert any("other scored 10 of the 30" in note for note in evidence.notes)
    assert evaluation.labels_title == "labels: 30 by one person (ann)"


def test_scores_on_another_scale_have_no_distance_to_the_labels(make_row: Any, say: Any) -> None:
    rows = scored(make_row, say, lambda i, label: 20 * label)
    evaluation, evidence = measured(rows, SCORES)
    assert evaluation.comparisons == ()
    assert "scale" in evidence.not_measured["paired comparison"]
    assert [one.scores[0].spearman.value for one in evidence.judges][1] == pytest.approx(1)


def test_single_responses_have_no_order(make_row: Any, say: Any) -> None:
    rows = [
        make_row(f"i{i}", say(f"i{i}", "ann", "yn"[i % 2], role="person"), say(f"i{i}", "j", "y"))
        for i in range(N)
    ]
    subject = Subject(kind="single", names=None, scale=("y", "n"), tie=None, labels="majority")
    evaluation, _ = measured(rows, subject)
    assert {one.note for one in evaluation.judges} == {"", "always n, the most common label"}


def test_a_judge_that_meets_no_label_is_named(make_row: Any, say: Any) -> None:
    rows = [
        make_row(f"i{i}", say(f"i{i}", "ann", "AB"[i % 2], role="person"), say(f"i{i}", "j", "A"))
        for i in range(N)
    ]
    rows += [make_row(f"x{i}", say(f"x{i}", "lost", "A")) for i in range(3)]
    evaluation, evidence = measured(rows)
    assert {one.name for one in evaluation.judges if one.role == "judge"} == {"j"}
    assert any(note.startswith("lost judged none of the labelled") for note in evidence.notes)
    assert any(note.startswith("3 judged items have no label") for note in evidence.notes)


def test_alpha_counts_items_that_two_people_rated(make_row: Any, say: Any) -> None:
    """Thirty items by ann, ten of them by ben too, each in a cluster of its own."""
    rows = []
    for i in range(N):
        item, label = f"i{i}", "AB"[i % 2]
        people = ["ann", "ben"] if i < 10 else ["ann"]
        votes = [say(item, name, label, role="person") for name in people]
        rows.append(make_row(item, *votes, say(item, "j", label)))
    evaluation, evidence = measured(rows)
    alpha = evidence.people_alpha["all items"]
    assert (alpha.n, alpha.clusters) == (10, 10)
    assert evaluation.labels_title == "labels: 30 by majority of ann, ben"


def test_labels_without_an_annotator_are_nobody_s_in_particular(make_row: Any, say: Any) -> None:
    rows = [
        make_row(f"i{i}", say(f"i{i}", "label", "AB"[i % 2], role="person"), say(f"i{i}", "j", "A"))
        for i in range(N)
    ]
    evaluation, _ = measured(rows)
    assert evaluation.labels_title == "labels: 30 by people who are not named (column `label`)"


def test_items_judged_in_one_order_beside_others_in_both_are_counted(
    make_row: Any, say: Any
) -> None:
    rows = []
    for i in range(N):
        item = f"i{i}"
        votes = [say(item, "ann", "AB"[i % 2], role="person"), say(item, "j", "A")]
        votes += [say(item, "j", "A", swapped=True)] if i < 12 else []
        rows.append(make_row(item, *votes))
    evaluation, _ = measured(rows)
    (judge,) = (one for one in evaluation.judges if one.name == "j")
    assert judge.note == "18 of 30 items judged in one order only"
    assert judge.slices["all"].consistency is not None
    assert judge.slices["all"].consistency.n == 12


@pytest.mark.parametrize("first", ["A", None])
def test_a_label_given_once_for_an_item_is_its_label(make_row: Any, say: Any, first: Any) -> None:
    """Two rows an item, one for each judge; the label stands in one of them."""
    given = {"A": None, None: "A"}
    rows = [
        make_row("i", say("i", "ann", label, role="person"), say("i", judge, "A"))
        for judge, label in (("x", first), ("y", given[first]))
    ]
    found = collect(rows, responses=2)
    (person,) = found.keys("person")
    assert found.verdict(found.votes[person], 0) == "A"
    with pytest.raises(DataError, match=r"another label by 'ann' \(A\)"):
        collect([*rows, make_row("i", say("i", "ann", "B", role="person"))], responses=2)
