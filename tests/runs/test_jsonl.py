"""Record files: what a reader refuses, what a kill may leave behind, what a file's bytes are."""

import gzip
import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from judgesmith.errors import DataError
from judgesmith.runs import jsonl
from judgesmith.runs.jsonl import (
    PartialFile,
    encode,
    file_sha256,
    read_records,
    read_rows,
    write_bytes,
    write_json,
    write_records,
)


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    count: int


ROWS = [Row(id="a", count=1), Row(id="ü\n\u2028", count=2), Row(id="", count=3)]


def rows_of(path: Path) -> list[tuple[int, dict[str, object]]]:
    return list(read_rows(path))


def test_line_numbers_count_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\r\n\n   \n{"a": 2}')
    assert rows_of(path) == [(1, {"a": 1}), (4, {"a": 2})]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n', encoding="utf-8-sig")
    assert rows_of(path) == [(1, {"a": 1})]


def test_gz_is_read_compressed(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(encode(row) for row in ROWS)))
    assert list(read_records(path, Row)) == ROWS


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"[1, 2]", "expected a JSON object, found [1, 2]"),
        (b"3", "expected a JSON object, found 3"),
        (b"null", "expected a JSON object"),
        (b"{'a': 1}", "expected one JSON object a line, found {'a': 1}"),
        (b'{"a": 1', "expected one JSON object a line"),
        (b'{"a": NaN}', "expected one JSON object a line"),
        (b'{"a": "\xe4"}', "not UTF-8 at byte 16 of the file (found 0xE4)"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8 at byte 9 of the file (found 0xFF)"),
        (b'{"a": "' + b"x" * 5000, "xxx... ("),
    ],
)
def test_a_line_that_is_no_object_is_named(line: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line.replace(b"\n", b"") + b"\n")
    with pytest.raises(DataError) as caught:
        rows_of(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert said in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 300


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('{"id": 1, "verdict": "A", "verdict": "B"}', "verdict"),
        ('{"id": 1, "fields": [{"tone": 1, "tone": 2}]}', "tone"),
        ('{"id" : 1, "id" : 2}', "id"),
        # A text with the same signs does not hide it.
        ('{"id": 1, "id": 2, "text": "say \\"so\\": yes"}', "id"),
    ],
)
def test_a_field_that_is_named_twice_is_refused(line: str, field: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 0, "text": "say \\"so\\": yes", "fields": {"id": 3}}\n' + line + "\n")
    rows = read_rows(path)
    assert next(rows)[1]["text"] == 'say "so": yes'
    with pytest.raises(DataError, match=rf"rows\.jsonl:2: field '{field}': .* found it twice"):
        next(rows)


def test_wrong_encoding_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"a": "Käse"}\n'.encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        rows_of(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no file there"):
        rows_of(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="found a folder"):
        rows_of(tmp_path)


def broken_archives() -> list[bytes]:
    whole = gzip.compress(os.urandom(4096))
    flipped = bytearray(whole)
    flipped[60:90] = bytes(255 - byte for byte in flipped[60:90])
    flate = bytearray(gzip.compress(b'{"a": 1}\n' * 9000))
    flate[12:30] = b"\xff" * 18
    return [b"no archive", whole[:-9], bytes(flipped), bytes(flate)]


@pytest.mark.parametrize("number", range(4))
def test_a_broken_archive_is_refused(number: int, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(broken_archives()[number])
    with pytest.raises(DataError):
        rows_of(path)


def test_a_failing_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "rows.jsonl"
    write_records(path, ROWS)
    old = path.read_bytes()

    def disk_full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jsonl.os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space"):
        write_records(path, ROWS[:1])
    assert path.read_bytes() == old
    assert [p.name for p in path.parent.iterdir()] == ["rows.jsonl"]


def test_a_reader_of_the_old_file_never_sees_half_of_the_new_one(tmp_path: Path) -> None:
    """A rename gives the name to a new file; one written in place would change under a reader."""
    path = tmp_path / "rows.jsonl"
    write_records(path, ROWS)
    old = path.read_bytes()
    with path.open("rb") as reader:
        write_records(path, ROWS[:1])
        assert reader.read() == old
    assert path.read_bytes() == encode(ROWS[0])


def test_a_record_that_fails_while_it_is_made_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_records(path, ROWS)
    old = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        write_records(path, (Row(id="x", count=1 // (1 - i)) for i in range(3)))
    assert path.read_bytes() == old


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_never_holds_nan(value: float, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    with pytest.raises(ValueError, match=r"/table/1: .* missing is None"):
        write_json(path, {"table": [1.0, value]})
    assert not path.exists()
    write_json(path, {"table": [1.0, None]})
    assert path.read_text() == '{\n  "table": [\n    1.0,\n    null\n  ]\n}\n'


def test_hash_of_a_folder_follows_names_and_contents(tmp_path: Path) -> None:
    def hash_of(files: dict[str, str], name: str) -> str:
        for inner, text in files.items():
            write_bytes(tmp_path / name / inner, text.encode())
        return file_sha256(tmp_path / name)

    first = hash_of({"a": "1", "b/c": "2"}, "one")
    assert hash_of({"b/c": "2", "a": "1"}, "two") == first
    assert hash_of({"a": "1", "b/c": "3"}, "three") != first
    assert hash_of({"a": "1", "b/d": "2"}, "four") != first


@given(cut=st.integers(0, 200))
def test_wherever_a_kill_cuts_resuming_gives_the_same_bytes(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Kill after `cut` bytes, load, append what is missing: byte-equal to an undisturbed file."""
    folder = tmp_path_factory.mktemp("kill")
    undisturbed = b"".join(encode(row) for row in ROWS)
    partial = PartialFile(folder / "rows.jsonl.partial")
    partial.path.write_bytes(undisturbed[:cut])
    done = partial.load(Row)
    assert done == ROWS[: len(done)]
    assert len(done) == undisturbed[:cut].count(b"\n")
    with partial as file:
        for row in ROWS[len(done) :]:
            file.append([row])
    assert partial.path.read_bytes() == undisturbed
    write_records(folder / "rows.jsonl", partial.load(Row))
    assert (folder / "rows.jsonl").read_bytes() == undisturbed


def test_a_partial_file_is_readable_after_each_append(tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "new" / "rows.jsonl.partial")
    assert partial.load(Row) == []
    with partial as file:
        for count, row in enumerate(ROWS, start=1):
            file.append([row])
            assert list(read_records(partial.path, Row)) == ROWS[:count]


def test_a_whole_line_that_is_damaged_is_not_passed_over(tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "rows.jsonl.partial")
    partial.path.write_bytes(encode(ROWS[0]) + b"{broken}\n" + encode(ROWS[1]))
    with pytest.raises(DataError, match=":2: "):
        partial.load(Row)
