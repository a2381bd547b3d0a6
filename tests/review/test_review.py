"""A review end to end without its pages: given, answered, taken back, disagreed on, settled."""

import json
import sqlite3
from dataclasses import fields, replace
from pathlib import Path

import pytest
from people import ALL, PAIR, a_review, answer, pairs, right, verdict, work

from judgesmith.errors import DataError, RunError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.reading import criteria_scores, scores_of
from judgesmith.records import Judgment, Status, choice
from judgesmith.review import answering
from judgesmith.review.agreement_page import warnings_of
from judgesmith.review.items import about_dialect
from judgesmith.review.review import Review
from judgesmith.review.types import (
    Answer,
    ConflictError,
    Outcome,
    Plan,
    Progress,
    Said,
    WithheldError,
)
from judgesmith.runs.jsonl import read_records
from judgesmith.tasks import load_task


def test_each_item_goes_to_as_many_people_as_planned(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(30), Plan(overlap=2))
    for name in ("ann", "bob", "cyd"):
        review.add_annotator(name, ["label"])
    assert review.progress("ann") == Progress(0, 30)
    assert [work(review, name, right) for name in ("ann", "bob", "cyd")] == [30, 30, 0]
    assert review.progress("ann") == Progress(30, 30)
    assert review.progress("cyd") == Progress(0, 0)


def test_what_was_given_ahead_is_not_given_to_others(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(10))
    review.add_annotator("ann", ["label"])
    review.add_annotator("bob", ["label"])
    ahead = {one.item_id for one in review.next("ann", 4)}
    assert len(ahead) == 4
    assert {one.item_id for one in review.next("ann", 4)} == ahead
    assert not ahead & {one.item_id for one in review.next("bob", 10)}


def test_what_somebody_left_for_an_hour_goes_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = a_review(tmp_path / "r", pairs(3))
    review.add_annotator("ann", ["label"])
    review.add_annotator("bob", ["label"])
    review.next("ann", 3)
    assert review.next("bob") == []
    monkeypatch.setattr("judgesmith.review.handing.LEFT_NS", -1)
    assert len(review.next("bob", 5)) == 3


def test_a_beginning_of_the_queue_holds_every_stratum_in_its_share(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(300))
    review.add_annotator("ann", ["label"])
    first = [int(one.item_id[1:]) % 3 for one in review.next("ann", 30)]
    assert all(9 <= first.count(stratum) <= 11 for stratum in range(3))


def test_an_answer_sent_again_changes_nothing_and_another_tab_is_told(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(3))
    review.add_annotator("ann", ["label"])
    shown = review.next("ann")[0]
    first = answer(shown, choice("A"))
    review.save("ann", first)
    review.save("ann", first)
    assert review.progress("ann").done == 1
    with pytest.raises(ConflictError) as caught:
        review.save("ann", answer(shown, choice("B")))
    assert caught.value.current == first
    second = answer(shown, choice("B"), replaces=first.id)
    review.save("ann", second)
    assert review.shown("ann", shown.item_id).answer == second
    assert [one.answer for one in review.history("ann")] == [second]


def test_undo_brings_back_what_stood_before(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(3))
    review.add_annotator("ann", ["label"])
    assert review.undo("ann") is None
    shown = review.next("ann")[0]
    first = answer(shown, choice("A"))
    review.save("ann", first)
    review.save("ann", answer(shown, choice("B"), replaces=first.id))
    back = review.undo("ann")
    assert back is not None
    assert back.answer == first
    again = review.undo("ann")
    assert again is not None
    assert again.answer is None
    assert review.next("ann")[0].item_id == shown.item_id
    assert review.progress("ann").done == 0


def test_an_undo_sent_again_takes_back_no_more(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(3))
    review.add_annotator("ann", ["label"])
    review.add_annotator("bob", ["label"])
    items = []
    for _ in range(2):
        shown = review.next("ann")[0]
        items.append(shown.item_id)
        review.save("ann", answer(shown, choice("A"), uid=f"a{len(items)}"))
    for _ in range(2):
        back = review.undo("ann", "u1")
        assert back is not None
        assert (back.item_id, back.answer) == (items[1], None)
    assert [one.item_id for one in review.history("ann")] == items[:1]
    for name, event in (("bob", "u1"), ("ann", "a1")):
        with pytest.raises(DataError, match="has this id"):
            review.undo(name, event)


def test_skipped_items_come_last(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(3))
    review.add_annotator("ann", ["label"])
    skipped = review.next("ann")[0]
    review.save("ann", answer(skipped, None, outcome="skip"))
    seen = []
    while len(seen) < 2:
        shown = review.next("ann")[0]
        seen.append(shown.item_id)
        review.save("ann", answer(shown, choice("A")))
    assert skipped.item_id not in seen
    last = review.next("ann")[0]
    assert last.item_id == skipped.item_id
    assert last.answer is not None
    review.save("ann", answer(last, choice("A"), replaces=last.answer.id))
    assert review.next("ann") == []


def test_slots_differ_between_people_and_verdicts_come_back_in_item_order(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(40), Plan(overlap=2))
    for name in ("ann", "bob"):
        review.add_annotator(name, ["label"])
    orders = {
        name: [review.next(name, 40)[at].responses[0].startswith("first") for at in range(40)]
        for name in ("ann", "bob")
    }
    assert orders["ann"] != orders["bob"]
    assert 8 < sum(orders["ann"]) < 32
    for name in ("ann", "bob"):
        work(review, name, right)
    review.export()
    found = list(read_records(review.folder / "judgments.jsonl", Judgment))
    assert len(found) == 80
    assert all(one.in_item_order() == right(one.item_id) for one in found)
    assert {one.order for one in found} == {(0, 1), (1, 0)}


def test_calibration_comes_first_with_feedback_and_its_items_are_labelled_by_nobody(
    tmp_path: Path,
) -> None:
    review = a_review(tmp_path / "r", pairs(9, gold=True), Plan(calibration=2))
    review.add_annotator("ann", ["label"])
    seen = []
    for _ in range(2):
        shown = review.next("ann", 5)[0]
        assert shown.round == "calibration"
        assert review.feedback("ann", shown.item_id) is None
        review.save("ann", answer(shown, right(shown.item_id)))
        found = review.feedback("ann", shown.item_id)
        assert found is not None
        assert (found.right, found.reason, found.gold) == (True, "secret reason", found.own)
        seen.append(shown.item_id)
    rest = {one.item_id for one in review.next("ann", 20)}
    assert len(rest) == 7
    assert not rest & set(seen)
    assert review.undo("ann") is None


def test_repeats_come_again_later_and_count_for_self_agreement_alone(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(60), Plan(repeats=0.5))
    review.add_annotator("ann", ["label"])
    rounds = []
    turned = set()
    while found := review.next("ann"):
        shown = found[0]
        rounds.append((shown.item_id, shown.round))
        said = right(shown.item_id)
        if shown.round == "repeat" and len(turned) < 5:
            turned.add(shown.item_id)
            said = choice("A" if said.value != "A" else "B")
        review.save("ann", answer(shown, said))
    again = [item for item, round in rounds if round == "repeat"]
    assert 15 < len(again) < 45
    assert all(
        rounds.index((item, "repeat")) - rounds.index((item, "label")) > 15 for item in again[:5]
    )
    agreement = review.agreement()
    assert agreement.answered == 60
    same = agreement.selves[0].estimate
    assert same.value == pytest.approx(1 - 5 / len(again))


def test_nothing_withheld_is_in_what_is_shown(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(5, teachers=["A", "B"], gold=True), Plan(overlap=2))
    review.add_annotator("ann", ALL)
    review.add_annotator("bob", ["label"])
    work(review, "bob", right)
    for shown in review.next("ann", 5):
        seen = " ".join(str(getattr(shown, one.name)) for one in fields(shown))
        assert "secret" not in seen
        assert "bob" not in seen
        with pytest.raises(WithheldError):
            review.reveal("ann", shown.item_id)
        with pytest.raises(WithheldError):
            review.adjudicate("ann", Outcome("o1", shown.item_id, choice("A"), "so", None, None))


def test_disagreements_are_answered_blind_then_revealed_then_settled(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(12, teachers=["A"]), Plan(overlap=2))
    for name, roles in (("ann", ["label"]), ("bob", ["label"]), ("eve", ["adjudicate"])):
        review.add_annotator(name, roles)
    work(review, "ann", right)
    work(review, "bob", lambda item: choice("B") if item == "i00000" else right(item))
    found = {one.item_id: one.why for one in review.disagreements()}
    assert found["i00000"] == ("people disagree", "teacher and people disagree")
    assert "i00003" not in found  # both say A, as the teacher does
    assert found["i00001"] == ("teacher and people disagree",)
    with pytest.raises(DataError, match="not given"):
        review.shown("bob", "i00000", "adjudicate")
    shown = review.shown("eve", "i00000")
    assert shown.round == "adjudicate"
    review.save("eve", answer(shown, choice("A")))
    revealed = review.reveal("eve", "i00000")
    assert {one.by: one.verdict for one in revealed.people} == {
        "ann": choice("A"), "bob": choice("B"), "eve": choice("A"),
    }  # fmt: skip
    assert revealed.item.generators == ("secret generator", "another")
    outcome = Outcome("o1", "i00000", choice("B"), "the rubric says so", "rubric conflict", None)
    review.adjudicate("eve", outcome)
    review.adjudicate("eve", outcome)
    with pytest.raises(ConflictError):
        review.adjudicate("eve", replace(outcome, id="o2"))
    assert [one.settled for one in review.disagreements() if one.item_id == "i00000"] == [True]
    group = review.conflicts()[0]
    assert (group.tag, group.outcomes[0][1].by) == ("rubric conflict", "eve")
    review.export()
    final = [json.loads(line) for line in (review.folder / "final.jsonl").read_text().splitlines()]
    assert len(final) == 12
    assert (final[0]["label"], final[0]["policy"]) == ("B", "adjudicated by eve")


def test_tokens_are_kept_as_hashes_and_a_new_one_ends_the_old(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(2))
    token = review.add_annotator("ann", ["label"])
    assert token not in (tmp_path / "r" / "review.db").read_bytes().decode("latin-1")
    found = review.who(token)
    assert found is not None
    assert found.name == "ann"
    assert review.who(token + "x") is None
    other = review.new_token("ann")
    assert review.who(token) is None
    assert review.who(other) is not None
    for name, roles in (("ann", ["label"]), ("", ["label"]), ("x", ["boss"]), ("x", [])):
        with pytest.raises(DataError, match="annotator"):
            review.add_annotator(name, roles)


def test_files_are_the_same_bytes_however_often_they_are_written(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(6))
    review.add_annotator("=cmd()", ["label"])
    work(review, "=cmd()", right)
    review.export()
    names = ("judgments.jsonl", "labels.jsonl", "labels.csv", "final.jsonl")
    first = {name: (review.folder / name).read_bytes() for name in names}
    Review.open(tmp_path / "r").export()
    assert {name: (review.folder / name).read_bytes() for name in names} == first
    assert b'"\'=cmd()"' in first["labels.csv"]


def test_a_newer_database_is_refused_and_no_review_is_said_to_be_none(tmp_path: Path) -> None:
    a_review(tmp_path / "r", pairs(2))
    path = tmp_path / "r" / "review.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DataError, match="newer judgesmith"):
        Review.open(tmp_path / "r")
    for beside in path.parent.glob("review.db-*"):
        beside.unlink()
    path.write_bytes(b"no database at all, but long enough to look like one" * 50)
    with pytest.raises(DataError, match="database of a review"):
        Review.open(tmp_path / "r")
    with pytest.raises(RunError, match="found none"):
        Review.open(tmp_path / "elsewhere")


def test_an_older_database_is_copied_and_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_review(tmp_path / "r", pairs(2))
    monkeypatch.setattr("judgesmith.review.schema.VERSION", 2)
    monkeypatch.setattr(
        "judgesmith.review.schema.UPGRADES",
        {1: lambda connection: connection.execute("CREATE TABLE more (x)")},
    )
    review = Review.open(tmp_path / "r")
    assert (tmp_path / "r" / "review.version-1.db").is_file()
    assert review.store.rows("SELECT * FROM more") == []
    assert review.about.items == 2


def test_nothing_is_left_where_a_review_cannot_be_made(tmp_path: Path) -> None:
    twice = [*pairs(3), *pairs(1)]
    for items, plan, told in (
        ([], Plan(), "one or more"),
        (twice, Plan(), "comes twice"),
        (pairs(3), Plan(calibration=2), "gold verdict"),
        (pairs(3), Plan(overlap=0), "overlap"),
        (pairs(3), Plan(repeats=2.0), "repeats"),
    ):
        with pytest.raises(DataError, match=told):
            a_review(tmp_path / "r", items, plan)
        assert not (tmp_path / "r").exists()
    with pytest.raises(DataError, match="rubric"):
        about_dialect("x", "x", load("bias-pair-compact"))
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="cannot be kept there"):
        a_review(tmp_path / "file" / "r", pairs(2))


def load(name: str) -> Dialect:
    return load_task("bias").dialects[name]


def test_answers_that_cannot_be_are_refused(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(3))
    review.add_annotator("ann", ["label"])
    shown = review.next("ann")[0]
    good = answer(shown, choice("A"))
    for bad in (
        replace(good, verdict=choice("C")), replace(good, verdict=None),
        replace(good, outcome="skip"), replace(good, confidence=1.5),
    ):  # fmt: skip
        with pytest.raises(DataError):
            review.save("ann", bad)
    with pytest.raises(DataError, match="not given"):
        review.save(
            "ann", replace(good, item_id="i00002" if shown.item_id != "i00002" else "i00001")
        )
    with pytest.raises(DataError, match="nobody of this name"):
        review.next("zoe")
    review.save("ann", good)
    other = review.next("ann")[0]
    with pytest.raises(DataError, match="this id"):
        review.save("ann", replace(answer(other, choice("A")), id=good.id))


@pytest.mark.parametrize(
    ("said", "waits"),
    [("A/B", False), ("A/B A/B", False), ("A/A B/B", True), ("A/A A/B", True), ("A/A A", False)],
)
def test_a_panel_disagrees_where_two_teachers_do_and_not_one_with_itself(
    tmp_path: Path, said: str, waits: bool
) -> None:
    """Each teacher's verdicts in item order, as it was shown the pair and then the other way."""
    taught = tuple(
        Said(f"teacher {at}", "teacher", Status.PARSED, choice(one), swapped=swapped)
        for at, both in enumerate(said.split())
        for one, swapped in zip(both.split("/"), (False, True), strict=False)
    )
    review = a_review(tmp_path / "r", [replace(pairs(1)[0], said=taught)])
    assert bool(review.disagreements()) == waits


def test_a_score_off_the_scale_is_refused(tmp_path: Path) -> None:
    about = about_dialect("x", "x", LIBRARY["judgelm"])
    item = replace(pairs(1)[0], kind=about.kind)
    good = Answer("a", item.id, "verdict", scores_of([8.5, 10]), None, "", 1.0, None)
    assert answering.checked(good, about, item) == good
    for bad in (
        scores_of([8.5, 11]), scores_of([8.2, 7]), scores_of([0, 7]), choice("8"),
        criteria_scores({"depth": (8.0, 7.0)}),
    ):  # fmt: skip
        with pytest.raises(DataError, match="expected"):
            answering.checked(replace(good, verdict=bad), about, item)


def test_scores_by_criterion_are_of_each_criterion_and_on_the_scale() -> None:
    about = about_dialect("x", "x", LIBRARY["criteria"])
    item = replace(
        pairs(1)[0], kind=about.kind, responses=("first",), criteria=("clarity", "depth")
    )
    good = criteria_scores({"clarity": (1.0,), "depth": (4.0,)})
    held = Answer("a", item.id, "verdict", good, None, "", 1.0, None)
    assert answering.checked(held, about, item) == held
    for bad in (
        scores_of([4.0]), criteria_scores({"clarity": (4.0,)}),
        criteria_scores({"clarity": (4.0,), "depth": (7.0,)}),
    ):  # fmt: skip
        with pytest.raises(DataError, match="expected"):
            answering.checked(replace(held, verdict=bad), about, item)


def test_repeats_that_come_early_as_the_queue_ends_are_told(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(30), Plan(repeats=1.0))
    review.add_annotator("ann", ["label"])
    rounds = []
    while found := review.next("ann"):
        rounds.append(found[0].round)
        review.save("ann", answer(found[0], right(found[0].item_id)))
    assert rounds.count("repeat") == 30
    assert review.agreement().early == 20
    (told,) = [one for one in warnings_of(review.agreement()) if "memory" in one]
    assert told.startswith("20 ")


def test_verdict_goes_a_b_tie() -> None:
    assert [verdict(at).value for at in range(3)] == ["A", "B", "TIE"]
    assert PAIR.direction is not None


def test_simulated_annotators_are_in_no_ceiling_and_hide_none(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(30), Plan(overlap=3, queue="active"))
    for name, kind in (("ann", "person"), ("bob", "person"), ("sim", "simulated")):
        review.add_annotator(name, ["label"], kind)
        work(review, name, right)
    found = review.agreement()
    assert found.simulated
    assert found.preferring
    assert {(row.first, row.second) for row in found.ceiling} == {("ann", "bob")}
    assert {row.first for row in found.pairs} | {row.second for row in found.pairs} == {
        "ann", "bob", "sim",
    }  # fmt: skip


def test_all_answers_of_a_person_to_an_item_are_judgments_of_their_own(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(4, teachers=["A", "B"]))
    review.add_annotator("ann", ALL)
    work(review, "ann", right)
    for one in review.disagreements():
        review.save("ann", answer(review.shown("ann", one.item_id, "adjudicate"), choice("A")))
    review.export()
    found = list(read_records(review.folder / "judgments.jsonl", Judgment))
    assert len(found) == 8
    assert len({one.id for one in found}) == 8
