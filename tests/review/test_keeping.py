"""What was told as saved is kept, whatever else happens; and what cannot be kept is told so."""

import json
import os
import shutil
import sqlite3
import threading
import uuid
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from people import a_review, answer, pairs, right, work

from judgesmith.errors import DataError, RunError
from judgesmith.records import choice
from judgesmith.review import handing
from judgesmith.review.review import Review
from judgesmith.review.types import ConflictError, Outcome, Plan


def test_an_id_is_of_one_answer_alone(tmp_path: Path) -> None:
    """An answer that is not kept must not be told as saved."""
    review = a_review(tmp_path / "r", pairs(3, teachers=["A", "B"]))
    review.add_annotator("ann", ["label", "adjudicate"])
    shown = review.next("ann")[0]
    first = answer(shown, choice("A"))
    review.save("ann", first)
    review.save("ann", first)
    with pytest.raises(DataError, match="this id"):
        review.save("ann", replace(first, note="another"))
    review.adjudicate("ann", Outcome("o1", shown.item_id, choice("A"), "so", None, None))
    other = review.next("ann")[0]
    review.save("ann", answer(other, choice("B")))
    for outcome in (
        Outcome("o1", other.item_id, choice("A"), "so", None, None),
        Outcome("o1", shown.item_id, choice("B"), "so", None, None),
    ):
        with pytest.raises(DataError, match="this id"):
            review.adjudicate("ann", outcome)


def test_a_skipped_item_whose_answer_is_taken_back_still_waits(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(2))
    review.add_annotator("ann", ["label"])
    skipped = review.next("ann")[0]
    skip = answer(skipped, None, outcome="skip")
    review.save("ann", skip)
    review.save("ann", answer(skipped, right(skipped.item_id), replaces=skip.id))
    assert review.progress("ann").done == 1
    assert review.undo("ann") is not None
    assert review.progress("ann").done == 0
    work(review, "ann", right, most=1)
    assert review.next("ann")[0].item_id == skipped.item_id


def test_what_one_person_left_is_done_by_as_many_others_as_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = a_review(tmp_path / "r", pairs(10), Plan(overlap=1))
    for name in ("ann", "bob", "cora"):
        review.add_annotator(name, ["label"])
    assert len(review.next("ann", 10)) == 10
    assert review.next("bob") == []
    monkeypatch.setattr(handing, "LEFT_NS", 0)
    assert work(review, "bob", right) == 10
    assert work(review, "cora", right) == 0


def test_a_review_whose_making_was_cut_off_is_made_again(tmp_path: Path) -> None:
    def cut() -> object:
        yield from pairs(3)
        shutil.copytree(tmp_path / "r", tmp_path / "killed")  # as kill -9 leaves it
        yield from pairs(4)[3:]

    a_review(tmp_path / "r", cut())  # type: ignore[arg-type]
    with pytest.raises(RunError, match="found none"):
        Review.open(tmp_path / "killed")
    assert a_review(tmp_path / "killed", pairs(2)).about.items == 2
    assert list((tmp_path / "r").glob(".*")) == []


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_told_as_saved_in_a_database_that_was_removed(
    tmp_path: Path, replaced: bool
) -> None:
    review = a_review(tmp_path / "r", pairs(3))
    review.add_annotator("ann", ["label"])
    shown = review.next("ann")[0]
    for path in (tmp_path / "r").iterdir():
        path.unlink()
    if replaced:
        a_review(tmp_path / "r", pairs(3))
    sent = answer(shown, choice("A"))
    for save in (lambda: review.save("ann", sent), lambda: review.next("ann")):
        with pytest.raises(OSError, match="removed or replaced"):
            save()
        with ThreadPoolExecutor(1) as pool, pytest.raises((OSError, sqlite3.Error)):
            pool.submit(save).result()
    assert (tmp_path / "r" / "review.db").exists() == replaced


def test_export_beside_people_who_answer(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(400))
    review.add_annotator("ann", ["label"])
    worker = threading.Thread(target=work, args=(review, "ann", right, 300))
    worker.start()
    try:
        while worker.is_alive():
            review.export()
    finally:
        worker.join()


def answered(folder: Path, name: str, items: list[str]) -> int:
    """How many of these answers are the first of their item."""
    review = Review.open(folder)

    def save(item: str) -> bool:
        shown = review.shown(name, item, "label")
        try:
            review.save(name, answer(shown, choice("A"), uid=str(uuid.uuid4())))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(save, items))


def test_of_answers_sent_at_once_by_threads_and_processes_one_stands_and_none_is_hidden(
    tmp_path: Path,
) -> None:
    review = a_review(tmp_path / "r", pairs(60), Plan(overlap=2))
    review.add_annotator("ann", ["label"])
    items = [one.item_id for one in review.next("ann", 60)]
    with ProcessPoolExecutor(2) as pool:
        first, second = (pool.submit(answered, tmp_path / "r", "ann", items) for _ in range(2))
        assert first.result() + second.result() == 60
    assert len(review.history("ann")) == 60
    assert review.progress("ann").done == 60
    review.export()
    rows = [json.loads(line) for line in (tmp_path / "r" / "labels.jsonl").open()]
    assert len({row["item"] for row in rows}) == len(rows) == 60


def test_what_could_not_be_made_keeps_no_room_on_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        a_review(tmp_path / "r", [*pairs(3), *pairs(1)])
    held = [os.readlink(one.path) for one in os.scandir("/proc/self/fd") if one.is_symlink()]
    assert [one for one in held if one.startswith(str(tmp_path))] == []
