"""What somebody has seen of others changes no answer of theirs that counts as blind."""

import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from people import a_review, answer, pairs, right

from judgesmith.errors import DataError
from judgesmith.records import choice
from judgesmith.review.assigning import places, returns
from judgesmith.review.review import Review
from judgesmith.review.types import Outcome, Plan, Shown, WithheldError


def calibrating(folder: Path, count: int = 2) -> tuple[Review, Shown]:
    review = a_review(folder, pairs(9, gold=True), Plan(calibration=count))
    review.add_annotator("ann", ["label"])
    return review, review.next("ann")[0]


def test_a_calibration_answer_stays_as_the_gold_verdict_is_told_after_it(tmp_path: Path) -> None:
    review, shown = calibrating(tmp_path / "r")
    first = answer(shown, None, outcome="cannot_decide")
    review.save("ann", first)
    assert review.feedback("ann", shown.item_id) is not None
    again = answer(shown, right(shown.item_id), replaces=first.id)
    with pytest.raises(DataError, match="stays"):
        review.save("ann", again)
    review.save("ann", first)  # sent again


def test_a_skipped_calibration_item_comes_back(tmp_path: Path) -> None:
    review, first = calibrating(tmp_path / "r")
    skip = answer(first, None, outcome="skip")
    review.save("ann", skip)
    second = review.next("ann")[0]
    assert (second.round, second.item_id != first.item_id) == ("calibration", True)
    review.save("ann", answer(second, right(second.item_id)))
    assert review.progress("ann").done == 1
    last = review.next("ann")[0]
    assert (last.item_id, last.round) == (first.item_id, "calibration")
    review.save("ann", answer(last, right(last.item_id), replaces=skip.id))
    assert review.next("ann")[0].round == "label"
    assert review.progress("ann").done == 2


def revealed(folder: Path, plan: Plan) -> tuple[Review, Shown]:
    """An item that Ann labelled, and whose other answers she has seen since."""
    review = a_review(folder, pairs(30), plan)
    review.add_annotator("ann", ["label", "adjudicate"])
    review.add_annotator("bob", ["label"])
    shown = review.next("ann")[0]
    review.save("ann", answer(shown, choice("A"), uid="a1"))
    review.reveal("ann", shown.item_id)
    return review, shown


def test_what_was_answered_blind_stays_once_others_answers_were_seen(tmp_path: Path) -> None:
    review, shown = revealed(tmp_path / "r", Plan(overlap=2))
    with pytest.raises(DataError, match="stays"):
        review.save("ann", answer(shown, choice("B"), replaces="a1"))
    assert review.undo("ann") is None
    other = review.next("ann")[0]
    review.save("ann", answer(other, choice("B")))
    back = review.undo("ann")
    assert back is not None
    assert back.item_id == other.item_id
    assert review.undo("ann") is None


def test_no_repeat_comes_of_an_item_of_which_all_was_seen(tmp_path: Path) -> None:
    review, shown = revealed(tmp_path / "r", Plan(overlap=2, repeats=1.0))
    done = [(one.item_id, one.round) for one in iter_work(review, "ann")]
    assert (shown.item_id, "repeat") not in done
    assert len([one for one in done if one[1] == "repeat"]) == 29
    found = review.progress("ann")
    assert found.done == found.total


def iter_work(review: Review, name: str) -> list[Shown]:
    seen = []
    while found := review.next(name):
        seen.append(found[0])
        review.save(name, answer(found[0], right(found[0].item_id)))
    return seen


@pytest.mark.parametrize("given_before", [False, True])
def test_nobody_labels_an_item_that_they_saw_all_of_as_adjudicator(
    tmp_path: Path, given_before: bool
) -> None:
    review = a_review(tmp_path / "r", pairs(8, teachers=["A", "B"]), Plan(overlap=1))
    review.add_annotator("ann", ["label", "adjudicate"])
    review.add_annotator("bob", ["label"])
    waiting = review.next("ann")[0] if given_before else review.disagreements()[3]
    item = waiting.item_id
    review.save("ann", answer(review.shown("ann", item, "adjudicate"), choice("A")))
    review.reveal("ann", item)
    seen = [one.item_id for one in iter_work(review, "ann")]
    assert item not in seen
    assert len(seen) == 7
    assert review.progress("ann").done == review.progress("ann").total == 7
    assert [one.item_id for one in iter_work(review, "bob")] == [item]  # it is left for others
    assert review.progress("bob").done == review.progress("bob").total == 1
    with pytest.raises((DataError, WithheldError)):
        review.save("ann", replace(answer(review.shown("ann", item), choice("A")), round="label"))


def test_a_list_names_no_item_that_may_still_be_asked_about(tmp_path: Path) -> None:
    """Who labels and adjudicates would read in it how their own answer compares, and change it."""
    review = a_review(tmp_path / "r", pairs(6, teachers=["A"]), Plan(overlap=2, repeats=0.5))
    review.add_annotator("ann", ["label", "adjudicate"])
    review.add_annotator("bob", ["label"])
    review.add_annotator("cora", ["adjudicate"])
    iter_work(review, "bob")
    waiting = {one.item_id for one in review.disagreements("cora")}
    assert waiting == {f"i{at:05}" for at in (1, 2, 4, 5)}
    assert review.disagreements("ann") == []
    said = {}
    while found := review.next("ann"):
        said[found[0].item_id, found[0].round] = answer(found[0], choice("B"))
        review.save("ann", said[found[0].item_id, found[0].round])
        named = {one.item_id for one in review.disagreements("ann")}
        assert named <= {item for item, _ in said}
    repeated = {item for item, round in said if round == "repeat"}
    assert repeated == {item for item, _ in said if returns(11, "ann", item, 0.5)} != set()
    named = {one.item_id for one in review.disagreements("ann")}
    assert named == {f"i{at:05}" for at in range(6)}
    for item in named:
        shown = review.shown("ann", item, "label")
        assert shown.answer is not None
        with pytest.raises(DataError, match="stays"):
            review.save("ann", answer(shown, choice("A"), replaces=shown.answer.id))
    assert review.undo("ann") is None


def test_what_others_decided_is_listed_after_the_own_answer(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(2, teachers=["TIE"]), Plan(overlap=2))
    review.add_annotator("ann", ["label", "adjudicate"])
    review.add_annotator("cora", ["adjudicate"])
    review.save("cora", answer(review.shown("cora", "i00000"), choice("A")))
    review.adjudicate("cora", Outcome("o1", "i00000", choice("A"), "because", "a tag", None))
    assert review.conflicts("ann") == []
    assert len(review.conflicts("cora")) == 1
    iter_work(review, "ann")
    assert len(review.conflicts("ann")) == 1


def test_the_order_of_items_does_not_tell_their_strata() -> None:
    """In strata of one size, one after the other would come in one order for ever."""
    ids = [(f"i{at}", f"s{at % 3}", 1.0) for at in range(300)]
    order = sorted(range(300), key=lambda at: places(ids, "stratified", 4)[at])
    same = statistics.mean(order[at] % 3 == order[at + 3] % 3 for at in range(len(order) - 3))
    assert same < 0.6
    for most in (30, 90, 150):
        counts = [sum(at % 3 == stratum for at in order[:most]) for stratum in range(3)]
        assert max(counts) - min(counts) <= 2
