"""What spreadsheets make of a queue's cells, and what becomes of its files."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.records import Direction
from judgesmith.sources.queue import (
    SUPERSEDED,
    decided,
    read_queue,
    set_aside,
    write_queue,
)
from judgesmith.sources.queue_cells import LONGEST_CELL, guarded, to_csv, unguarded
from judgesmith.sources.queue_rows import QueueRow

PAIRS = [(f"first {n}", f"second {n}") for n in range(40)]


def rows_of(*texts: tuple[str, str]) -> list[QueueRow]:
    """Rows that nobody filled in, with the texts of their two responses."""
    rows = [
        QueueRow(
            id="", question="Who was it?", context=None, choices=None, reference=None,
            grounding=None, responses=pair, asks="verdict: A, B, TIE.", verdict=None,
            confidence=None, note=None, annotator=None, rubric="Which is worse?",
            names=Direction.WORSE, scale=("A", "B", "TIE"), item_id=f"item {n}",
            response_ids=(f"r{n} 0", f"r{n} 1"),
        )
        for n, pair in enumerate(texts)
    ]  # fmt: skip
    return [row.model_copy(update={"id": row.computed_id()}) for row in rows]


def filled(row: QueueRow, verdict: str, **more: Any) -> QueueRow:
    return row.model_copy(update={"verdict": verdict, "annotator": "pat", **more})


def delimited(table: list[list[str]], mark: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=mark).writerows(table)
    return out.getvalue()


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., list[QueueRow]]:
    """Write text to a file of this name and read it as a queue."""

    def read(name: str, text: str) -> list[QueueRow]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8-sig", newline="")
        return read_queue(path)

    return read


# Cells


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_confidence_may_have_a_decimal_comma(
    mark: str, saved: Callable[..., list[QueueRow]]
) -> None:
    """Spreadsheets of many countries write 0,8, and then separate columns with a semicolon."""
    table = list(csv.reader(io.StringIO(to_csv([filled(rows_of(*PAIRS)[0], "A", confidence=0.8)]))))
    table[1][table[0].index("confidence")] = "0,8"
    assert saved("queue.csv", delimited(table, mark))[0].confidence == 0.8


def test_rows_of_empty_cells_are_passed_over(saved: Callable[..., list[QueueRow]]) -> None:
    """A spreadsheet writes one where a cell below the table was touched."""
    rows = [filled(row, "A") for row in rows_of(*PAIRS)[:3]]
    table = list(csv.reader(io.StringIO(to_csv(rows))))
    empty = ["", " ", *[""] * (len(table[0]) - 2)]
    assert saved("queue.csv", delimited([*table[:2], empty, *table[2:], empty])) == rows


NUMBERS_AND_DATES = (
    "2.00", "007", "1e5", "1E5", "-1", "1,000", "12 %", "$5", "1/2", "3-4", "12:30", "12:30 pm",
    "2020-01-01", "2020-01-01T10:00Z", "3 May", "May 3", "2. Mai 2020", "Jan-02", "1.2.", "TRUE",
    "false", "12345678e9012345", "1234567890123456", "\u00bd 5",
)  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS_AND_DATES)
def test_no_cell_is_left_that_a_spreadsheet_takes_for_a_number_or_a_date(text: str) -> None:
    """Any text in such a form starts with an apostrophe; and comes back without."""
    row = rows_of((text, "Ann is 20 years older, so it was Ann."))[0]
    ((cells),) = csv.DictReader(io.StringIO(to_csv([row])))
    shown = {cells["response A"], cells["response B"]}
    assert shown == {f"'{text}", "Ann is 20 years older, so it was Ann."}
    assert unguarded(f"'{text}") == text


def test_an_id_is_guarded_only_where_it_is_a_number() -> None:
    """Ids are 16 hex digits; one in 770 has digits only, or one e between digits."""
    ids = ["7e5971c898210210", "0123456789abcdef", "1234567890123456", "12345678e9012345"]
    assert [guarded(name) for name in ids] == [*ids[:2], "'1234567890123456", "'12345678e9012345"]


@pytest.mark.parametrize(("text", "became"), [("2.00", "2"), ("007", "7"), ("1e5", "100000")])
def test_a_number_that_a_spreadsheet_wrote_anew_is_the_same(
    text: str, became: str, saved: Callable[..., list[QueueRow]]
) -> None:
    """Some take the apostrophe away when they open the file, and write the number their way."""
    (row,) = rows_of((text, "three"))
    table = list(csv.reader(io.StringIO(to_csv([filled(row, "A")]))))
    table[1][table[1].index(f"'{text}")] = became
    (label,), _ = decided(saved("queue.csv", delimited(table)), source="queue")
    assert label.response_ids == row.response_ids
    table[1][table[1].index(became)] = "3"
    with pytest.raises(DataError, match="not as it was issued"):
        saved("queue.csv", delimited(table))


def test_all_rows_that_cannot_be_read_are_named_at_once(
    saved: Callable[..., list[QueueRow]],
) -> None:
    """Lines 2, 4 and 5 of one file; of 40 only ten, and how many more there are."""
    rows = rows_of(*PAIRS)
    four = [filled(rows[0], "C"), rows[1], filled(rows[2], "D"), rows[3]]
    table = list(csv.reader(io.StringIO(to_csv(four))))
    table[4][table[0].index("response A")] = "2. Jan"
    with pytest.raises(DataError) as error:
        saved("queue.csv", delimited(table))
    told = str(error.value).splitlines()
    assert [re.search(r":(\d+): ", line)[1] for line in told] == ["2", "4", "5"]  # type: ignore[index]
    assert "a spreadsheet made a date of a text" in told[2]
    with pytest.raises(DataError) as error:
        saved("queue.csv", to_csv([filled(row, "C") for row in rows]))
    told = str(error.value).splitlines()
    assert len(told) == 11
    assert told[-1] == "... and 30 rows more."


# Files


def test_a_text_that_no_cell_holds_is_issued_as_json_lines(tmp_path: Path) -> None:
    """32,767 is what a spreadsheet's cell holds; a letter beyond 16 bits counts as two."""
    fits, over, wide = "x" * LONGEST_CELL, "x" * (LONGEST_CELL + 1), "\U0001f600" * 16_384
    rows = rows_of((fits, "a"), (over, "b"), (wide, "c"))
    path, other = write_queue(tmp_path, rows)
    assert other == path.with_suffix(".jsonl")
    assert path.suffix == ".csv"
    assert sorted(tmp_path.iterdir()) == [path, other]
    shown = [{text for row in read_queue(p) for text in row.responses} for p in (path, other)]
    assert shown == [{fits, "a"}, {over, "b", wide, "c"}]
    assert write_queue(tmp_path, [row for row in rows if fits not in row.responses]) != [other]
    (alone,) = write_queue(tmp_path / "alone", rows_of((over, "b")))
    assert alone.suffix == ".jsonl"
    assert list(alone.parent.iterdir()) == [alone]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.*"))


def test_an_earlier_queue_in_which_nobody_wrote_is_set_aside(tmp_path: Path) -> None:
    """It comes back as it was when its rows are issued again, also if somebody then wrote in it."""
    rows = rows_of(*PAIRS)
    (first,) = write_queue(tmp_path, rows[:5])
    before = first.read_bytes()
    (second,) = write_queue(tmp_path, rows[5:9])
    assert names(tmp_path) == [second.name]
    aside = tmp_path / SUPERSEDED / first.name
    assert aside.read_bytes() == before
    aside.write_text(to_csv([filled(row, "A") for row in rows[:5]]))
    assert write_queue(tmp_path, rows[:5]) == [first]
    assert names(tmp_path) == [first.name]
    assert decided(read_queue(first), source="q").undecided == 0


@pytest.mark.parametrize(
    "change", [{"verdict": "A"}, {"note": "hm"}, {"annotator": "pat"}, {"confidence": 0.0}]
)
def test_what_somebody_wrote_in_stays_where_it_is(change: dict[str, Any], tmp_path: Path) -> None:
    rows = rows_of(*PAIRS)
    (first,) = write_queue(tmp_path, rows[:2])
    first.write_text(to_csv([rows[0], rows[1].model_copy(update=change)]))
    before = first.read_bytes()
    (second,) = write_queue(tmp_path, rows[2:4])
    assert first.read_bytes() == before
    assert set_aside(tmp_path, keep=[second]) == [first]
    assert set_aside(tmp_path) == [first]
    assert names(tmp_path) == [first.name]


def test_what_cannot_be_read_or_is_imported_stays_where_it_is(tmp_path: Path) -> None:
    rows = rows_of(*PAIRS)
    (first,) = write_queue(tmp_path, rows[:2])
    first.write_text(first.read_text() + "a cell of mine\n")
    (imported,) = write_queue(tmp_path, rows[2:4])
    (last,) = write_queue(tmp_path, rows[4:6], keep=[imported])
    assert names(tmp_path) == sorted([first.name, imported.name, last.name])
    assert not (tmp_path / SUPERSEDED).exists()


def test_rows_that_were_decided_and_are_asked_again_get_a_new_file(tmp_path: Path) -> None:
    """Only where all of them are decided in an import; what nobody imports yet is left to wait."""
    rows = rows_of(*PAIRS)[:3]
    (first,) = write_queue(tmp_path, rows)
    done = [filled(row, "A") for row in rows]
    first.write_text(to_csv([*done[:2], rows[2]]))
    assert write_queue(tmp_path, rows, keep=[first]) == [first]
    first.write_text(to_csv(done))
    assert write_queue(tmp_path, rows) == [first]
    (second,) = write_queue(tmp_path, rows, keep=[first])
    assert second.name == f"{first.stem}-2.csv"
    assert [row.id for row in read_queue(second) if row.is_blank] == [row.id for row in rows]
    assert write_queue(tmp_path, rows, keep=[first]) == [second]
    second.write_text(to_csv(done))
    assert write_queue(tmp_path, rows, keep=[first, second])[0].name == f"{first.stem}-3.csv"


def test_a_queue_that_was_deleted_is_written_again(tmp_path: Path) -> None:
    (path,) = write_queue(tmp_path, rows_of(*PAIRS))
    before = path.read_bytes()
    path.unlink()
    assert write_queue(tmp_path, rows_of(*PAIRS)) == [path]
    assert path.read_bytes() == before
