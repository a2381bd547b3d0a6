"""Files of rows through a judge: any form in and out, kills, and what is wrong with a file."""

import fcntl
import json
import resource
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from longer import Longer, Struck, judge, read, rows, write

from judgesmith.cli.judging import tell_covered
from judgesmith.errors import DataError, RunError
from judgesmith.inference.rows.chunks import Source, in_chunks
from judgesmith.inference.rows.csv_rows import write_csv
from judgesmith.inference.rows.growing import growing
from judgesmith.inference.rows.stream import Tally, judge_file
from judgesmith.models.protocol import Completion, Request
from judgesmith.runs.jsonl import write_bytes


def test_a_call_struck_down_anywhere_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Chunks of four rows, eight prompts: the prompts of whole chunks are never asked again."""
    path = write(tmp_path / "rows.jsonl", rows(10))
    judge_file(judge(), path, tmp_path / "whole.jsonl")
    whole = (tmp_path / "whole.jsonl").read_bytes()
    for strike_at in (0, 3, 8, 15, 19):
        out = tmp_path / f"out{strike_at}.jsonl"
        with pytest.raises(Struck):
            judge_file(judge(Longer(strike_at)), path, out)
        assert not out.exists()
        assert "going on" not in capsys.readouterr().err
        again = Longer()
        tally = judge_file(judge(again), path, out)
        assert out.read_bytes() == whole
        kept = strike_at // 8 * 4
        assert again.asked == 20 - 2 * kept
        said = f"judge: going on after {kept} of 10 rows, judged by an earlier call."
        assert (said in capsys.readouterr().err) is (kept > 0)
        assert (tally.pairs, tally.pairs_parsed, tally.both) == (10, 10, 10)
        assert tally.verdicts == Counter(row["verdict"] for row in read(out))
    assert not list(tmp_path.glob(".*"))


def test_a_line_torn_at_any_byte_is_judged_again(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", rows(6))
    out = tmp_path / "out.jsonl"
    judge_file(judge(), path, out)
    whole = out.read_bytes()
    with pytest.raises(Struck):
        judge_file(judge(Longer(8)), path, out)
    (partial,) = tmp_path.glob(".*.partial")
    kept = partial.read_bytes()
    assert whole.startswith(kept)
    for length in (*range(0, len(kept), 97), len(kept) - 1, len(kept)):
        partial.write_bytes(whole[:length])
        judge_file(judge(), path, out)
        assert out.read_bytes() == whole


@pytest.mark.parametrize("change", ["rows", "judge", "limit"])
def test_nothing_is_taken_over_after_a_change(tmp_path: Path, change: str) -> None:
    path = write(tmp_path / "rows.jsonl", rows(6))
    with pytest.raises(Struck):
        judge_file(judge(Longer(8)), path, tmp_path / "out.jsonl")
    model = Longer()
    if change == "rows":
        write(path, rows(7))
    changed = judge(model, "v2" if change == "judge" else "v1")
    judge_file(changed, path, tmp_path / "out.jsonl", limit=5 if change == "limit" else None)
    assert model.asked == 2 * {"rows": 7, "judge": 6, "limit": 5}[change]


def test_a_row_tells_the_mode_and_the_version_that_goes_with_it(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", rows(1))
    fast = replace(judge(), mode="fast")
    for each in (judge(), fast):
        judge_file(each, path, tmp_path / f"{each.mode}.jsonl")
        (row,) = read(tmp_path / f"{each.mode}.jsonl")
        assert (row["mode"], row["version"]) == (each.mode, each.version)


def test_a_limit_judges_the_first_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", rows(6))
    assert judge_file(judge(), path, tmp_path / "out.jsonl", limit=3).pairs == 3
    assert [row["id"] for row in read(tmp_path / "out.jsonl")] == ["r0", "r1", "r2"]


def as_csv(path: Path, *, crlf: bool = False, bom: bool = False, mark: str = ",") -> Path:
    lines = [
        mark.join(("id", "question", "choices", "fields.criterion", "response_a", "response_b")),
        mark.join(("r1", '"Two\nlines, ""quoted"""', '"[""x"",""y""]"', "When?", "long one", "s")),
        mark.join(("r2", "Why?", "", "When?", "s", "long one")),
    ]
    text = ("\ufeff" if bom else "") + "\n".join(lines) + "\n"
    path.write_bytes((text.replace("\n", "\r\n") if crlf else text).encode())
    return path


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("rows.csv", {}),
        ("rows.csv", {"crlf": True, "bom": True}),
        ("rows.tsv", {"mark": "\t"}),
    ],
)
def test_a_table_is_read_as_the_same_rows_in_json(
    tmp_path: Path, name: str, given: dict[str, Any]
) -> None:
    table = as_csv(tmp_path / name, **given)
    judge_file(judge(), table, tmp_path / "out.jsonl")
    found = read(tmp_path / "out.jsonl")
    assert [(row["id"], row["verdict"]) for row in found] == [("r1", "A"), ("r2", "B")]


def test_parquet_is_read_as_the_same_rows_in_json(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    found = [{**row, "choices": ["x"] if n else None} for n, row in enumerate(rows(6))]
    parquet.write_table(pyarrow.Table.from_pylist(found), tmp_path / "rows.parquet")
    judge_file(judge(), tmp_path / "rows.parquet", tmp_path / "table.jsonl")
    judge_file(judge(), write(tmp_path / "rows.jsonl.gz", found), tmp_path / "lines.jsonl")
    assert read(tmp_path / "table.jsonl") == read(tmp_path / "lines.jsonl")
    odd = pyarrow.Table.from_pylist([{**found[0], "response_b": b"\xff"}])
    parquet.write_table(odd, tmp_path / "odd.parquet")
    with pytest.raises(DataError, match=r"odd\.parquet: row 1: field 'response_b': .* bytes"):
        judge_file(judge(), tmp_path / "odd.parquet", tmp_path / "odd.jsonl")


def test_verdicts_can_be_written_as_a_table(tmp_path: Path) -> None:
    from judgesmith.sources.tables import read_table

    path = write(tmp_path / "rows.jsonl", rows(6))
    judge_file(judge(), path, tmp_path / "out.jsonl")
    with pytest.raises(Struck):
        judge_file(judge(Longer(9)), path, tmp_path / "out.csv")
    judge_file(judge(), path, tmp_path / "out.csv")
    table = [row for _, _, row in read_table(tmp_path / "out.csv")]
    for flat, row in zip(table, read(tmp_path / "out.jsonl"), strict=True):
        assert (flat["id"], flat["verdict"]) == (row["id"], row["verdict"])
        assert float(flat["distribution.A"]) == row["distribution"]["A"]
        assert flat["orders.ba.rationale"] == row["orders"][1]["rationale"]
        assert (flat["consistent"], flat["own_reference"]) == ("true", "")
    assert not list(tmp_path.glob(".*"))


def test_a_lone_carriage_return_survives_a_table(tmp_path: Path) -> None:
    import csv

    lines = [json.dumps({"id": "r1", "rationale": reason}).encode() for reason in ("a\rb", "c")]
    for name, mark in (("out.csv", ","), ("out.tsv", "\t")):
        write_csv(lines, lines, tmp_path / name)
        with (tmp_path / name).open(newline="") as file:
            table = list(csv.DictReader(file, delimiter=mark))
        assert [row["rationale"] for row in table] == ["a\rb", "c"]


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"response_b": None}, r":6: not a valid PairRow:\n  field 'response_b' is missing"),
        ({"respons_b": "x"}, r":6: .*\n  field 'respons_b' is unknown; did you mean 'response_b'"),
        ({"model_a": "m", "model_b": "m"}, r":6: field 'model_b': expected another system"),
        ({"fields": {}}, r":6: dialect 'prometheus-relative': .*criterion.* A row brings what"),
        ({"id": "r2"}, r":6: field 'id': expected a name of its own, found 'r2', .*rows\.jsonl:3"),
        ({"question": 5}, r":6: .*\n  field 'question': Input should be a valid string, found 5"),
    ],
)
def test_a_bad_row_is_named_before_anything_is_judged(
    tmp_path: Path, spoilt: dict[str, Any], said: str
) -> None:
    """The sixth row, in the second chunk; what stands beside the file stays as it was."""
    found = rows(8)
    found[5] |= spoilt
    path = write(tmp_path / "rows.jsonl", found)
    model = Longer()
    with pytest.raises(DataError, match=said):
        judge_file(judge(model), path, tmp_path / "out.jsonl")
    assert (model.asked, [p.name for p in tmp_path.iterdir()]) == (0, ["rows.jsonl"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,question,response_a\nr1,When?\n", r"rows\.csv:2: expected 3 cells, found 2"),
        ("question,response_a,response_b\n", r"rows\.csv: expected rows, found none"),
        ("", r"rows\.csv: .*empty"),
        (
            "question,score,response_a,response_b\nq,high,x,y\n",
            r"rows\.csv:2: .*\n  field 'score': .*found 'high'",
        ),
        (
            "question,fields,response_a,response_b\nq,when,x,y\n",
            r"rows\.csv:2: field 'fields': expected a JSON object, or columns",
        ),
    ],
)
def test_a_bad_table_is_told_with_line_and_field(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        judge_file(judge(), path, tmp_path / "out.jsonl")


def test_names_with_one_hash_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from judgesmith.inference.rows import checking

    monkeypatch.setattr(checking, "_hash", lambda name: 7)
    path = write(tmp_path / "rows.jsonl", rows(3))
    assert judge_file(judge(), path, tmp_path / "out.jsonl").pairs == 3
    with pytest.raises(DataError, match="'r0'"):
        judge_file(judge(), write(path, rows(3) * 2), tmp_path / "out.jsonl")


@pytest.mark.parametrize("out", ["rows.jsonl", "folder", "out.xlsx", "out.jsonl.gz"])
def test_a_place_that_cannot_take_verdicts_is_refused(tmp_path: Path, out: str) -> None:
    (tmp_path / "folder").mkdir()
    path = write(tmp_path / "rows.jsonl", rows(2))
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"--out .*expected a n"):
        judge_file(judge(), path, tmp_path / out)
    assert path.read_bytes() == before


@pytest.mark.parametrize("folder", ["/proc", "rows.jsonl"])
def test_a_folder_that_takes_no_file_is_told_before_a_row_is_read(
    tmp_path: Path, folder: str
) -> None:
    """Nobody, root included, makes a file in /proc, or in a file."""
    path = tmp_path / "rows.jsonl"
    path.write_text("no row\n")
    with pytest.raises(DataError, match=r"--out .*: expected a place that can be written to"):
        judge_file(judge(), path, tmp_path / folder / "out.jsonl")


def test_a_second_process_on_the_same_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", rows(6))
    with pytest.raises(Struck):
        judge_file(judge(Longer(8)), path, tmp_path / "out.jsonl")
    (partial,) = tmp_path.glob(".*.partial")
    with growing(partial), pytest.raises(RunError, match="another judgesmith command"):
        judge_file(judge(), path, tmp_path / "out.jsonl")
    judge_file(judge(), path, tmp_path / "out.jsonl")


def test_a_file_that_was_finished_between_open_and_lock_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial, out = tmp_path / "partial", tmp_path / "out.jsonl"
    partial.write_bytes(b"{}\n")

    def finish_and_lock(file: Any, how: int) -> None:
        partial.replace(out)
        flock(file, how)

    flock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", finish_and_lock)
    with pytest.raises(RunError, match="another judgesmith command has just finished"):
        growing(partial).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert out.read_bytes() == b"{}\n"


def test_a_full_disk_keeps_what_was_judged(tmp_path: Path) -> None:
    """/dev/full takes nothing, as a full disk does."""
    with growing(tmp_path / "partial") as file:
        file.append([b"{}\n"])
        held, file._file = file._file, open("/dev/full", "wb", buffering=0)  # noqa: SIM115
        with pytest.raises(RunError, match=r"No space left on device. The 1 rows before are kept"):
            file.append([b"{}\n"])
        file._file.close()
        file._file = held


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    """A process may write so many bytes of a file and no more, as with a full disk."""
    out, line = tmp_path / "out.csv", b'{"id": "a name", "verdict": "A"}' + b"\n"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(RunError, match=r"out\.csv: cannot be written: File too large\. All"):
            write_csv([line] * 99, [line] * 99, out)
        with pytest.raises(OSError, match=r"\[Errno 27\] File too large: '.*/out\.json'"):
            write_bytes(tmp_path / "out.json", b"x" * 2_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_rows_as_long_as_books_make_smaller_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    from judgesmith.inference.rows import chunks

    monkeypatch.setattr(chunks, "BYTES", 1000)
    found = [("r:1", {"question": "x" * size}) for size in (10, 2000, 10, 10, 10)]
    assert [(c.start, len(c.rows)) for c in in_chunks(found, 3)] == [(0, 2), (2, 3)]


def test_a_model_is_asked_with_whole_chunks_in_memory_only(tmp_path: Path) -> None:
    """No more entries are alive than a chunk has, whatever the file holds."""
    import gc

    from judgesmith.sources.own_files import OwnPair

    alive: list[int] = []

    class Counting(Longer):
        def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
            alive.append(sum(type(one) is OwnPair for one in gc.get_objects()))
            return super().complete(requests)

    path = write(tmp_path / "rows.jsonl", rows(40))
    gc.collect()
    gc.freeze()  # what is there already need not be looked through ten times
    try:
        judge_file(judge(Counting()), path, tmp_path / "out.jsonl")
    finally:
        gc.unfreeze()
    assert len(alive) == 10
    assert max(alive) <= 2 * Longer.lot


def test_the_rows_of_a_file_are_read_as_often_as_asked(tmp_path: Path) -> None:
    source = Source(write(tmp_path / "rows.jsonl", rows(3)))
    assert len(list(source.rows())) == len(list(source.rows())) == 3


def test_the_covered_mass_is_told_and_a_judge_that_says_little_of_verdicts_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also of rows that an earlier call judged; a judge of a model without one says nothing."""

    class Elsewhere(Longer):
        def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
            for one in super().complete(requests):
                yield one.model_copy(update={"covered": 0.0004})

    path, out = write(tmp_path / "r.jsonl", rows(10)), tmp_path / "o.jsonl"
    with pytest.raises(Struck):
        judge_file(judge(Elsewhere(12)), path, out)
    tally = judge_file(judge(Elsewhere()), path, out)
    assert list(tally.covered) == [0.0004] * 10
    tell_covered(replace(judge(), mode="fast"), tally)
    told = " ".join(capsys.readouterr().out.split())
    assert "warning: run/student put only 0% of its probability on a verdict" in told
    assert "not trained to answer without reasons (`rows.without_reason`)" in told
    tell_covered(judge(), Tally(covered=array("d", [0.2, 0.99, 0.97])))
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith("Covered: 97% of the probability")
    assert "warning" not in told
    tell_covered(judge(), judge_file(judge(), path, tmp_path / "p.jsonl"))
    assert capsys.readouterr().out == ""
