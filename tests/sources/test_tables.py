"""Tables: every format and compression gives the same rows; damage is named with its place."""

import builtins
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from judgesmith.errors import DataError
from judgesmith.sources.tables import find_format, read_table

ROWS = [
    {"id": "a", "text": "plain", "n": "1"},
    {"id": "b", "text": 'two\nlines, with a comma and a "quote"', "n": "2"},
    {"id": "c", "text": "Käse\ttab", "n": ""},
]


def cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def as_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_cells(rows: list[dict[str, Any]], separator: str) -> str:
    lines = [separator.join(rows[0])]
    lines += [separator.join(cell(str(value)) for value in row.values()) for row in rows]
    return "\n".join(lines) + "\n"


WRITTEN: dict[str, str] = {
    "rows.jsonl": as_lines(ROWS),
    "lines.json": as_lines(ROWS),
    "array.json": json.dumps(ROWS, indent=1),
    "short.json": json.dumps(ROWS),
    "rows.csv": as_cells(ROWS, ","),
    "rows.tsv": as_cells(ROWS, "\t"),
    "UPPER.CSV": as_cells(ROWS, ","),
}


def write(path: Path, text: str | bytes) -> Path:
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def rows_of(path: Path, **options: Any) -> list[dict[str, Any]]:
    return [row for _, _, row in read_table(path, **options)]


def said(path: Path, **options: Any) -> str:
    """The error of reading a file; it must begin with the file's own name."""
    with pytest.raises(DataError) as caught:
        rows_of(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", WRITTEN)
def test_every_format_gives_the_same_rows(
    name: str, mark: bytes, suffix: str, tmp_path: Path
) -> None:
    path = write(tmp_path / (name + suffix), mark + WRITTEN[name].encode())
    assert rows_of(path) == ROWS


def test_windows_line_ends_and_blank_lines_change_nothing(tmp_path: Path) -> None:
    text = 'id,text\r\n\r\na,"x\r\ny"\r\n\r\nb,z\r\n'
    found = list(read_table(write(tmp_path / "t.csv", text)))
    assert [row for _, _, row in found] == [{"id": "a", "text": "x\r\ny"}, {"id": "b", "text": "z"}]
    lines = '\r\n{"id": 1}\r\n\r\n{"id": 2}\r\n'
    where = [where for where, _, _ in read_table(write(tmp_path / "t.jsonl", lines))]
    assert where == [f"{tmp_path}/t.jsonl:2", f"{tmp_path}/t.jsonl:4"]


def test_a_row_of_several_lines_is_where_it_begins(tmp_path: Path) -> None:
    """Header 1; rows begin on lines 2, 3 (holding 3 and 4) and 5."""
    path = write(tmp_path / "t.csv", WRITTEN["rows.csv"])
    assert [where for where, _, _ in read_table(path)] == [f"{path}:{n}" for n in (2, 3, 5)]
    ragged = write(tmp_path / "r.csv", WRITTEN["rows.csv"] + "d,e\n")
    assert said(ragged).startswith(":6: expected 3 cells, found 2")


@pytest.mark.parametrize(
    ("rows", "value", "keys"),
    [
        ("data", {"data": ROWS}, [None] * 3),
        ("a.b.-1", {"a": {"b": {"-1": ROWS}}}, [None] * 3),
        ("*", {"x": ROWS[0], "y": ROWS[1], "z": ROWS[2]}, ["x", "y", "z"]),
        ("in.*", {"in": {"1": ROWS[0], "2": ROWS[1], "3": ROWS[2]}}, ["1", "2", "3"]),
    ],
)
def test_rows_inside_an_object_are_found(
    rows: str, value: object, keys: list[str | None], tmp_path: Path
) -> None:
    for indent in (None, 2):
        path = write(tmp_path / "t.json.gz", json.dumps(value, indent=indent))
        found = list(read_table(path, rows=rows))
        assert [row for _, _, row in found] == ROWS
        assert [key for _, key, _ in found] == keys
        assert [where for where, _, _ in found] == [f"{path}: row {n}" for n in (1, 2, 3)]


def test_parquet_and_saved_data_sets_are_read(tmp_path: Path) -> None:
    rows = [{"id": i, "scores": [1.5, None], "in": {"a": str(i)}} for i in range(2500)]
    table = pa.Table.from_pylist(rows)
    parquet.write_table(table, tmp_path / "t.parquet")
    assert rows_of(tmp_path / "t.parquet") == rows
    saved = tmp_path / "saved"
    saved.mkdir()
    with ipc.new_stream(saved / "data-00000-of-00001.arrow", table.schema) as writer:
        writer.write_table(table)
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
    write(saved / "state.json", json.dumps(state))
    assert find_format(saved) == "hf"
    found = list(read_table(saved))
    assert [row for _, _, row in found] == rows
    assert found[2499][0] == f"{saved}: row 2500"
    (tmp_path / "both" / "data").mkdir(parents=True)
    for part, half in (("0", table.slice(0, 1000)), ("1", table.slice(1000))):
        parquet.write_table(half, tmp_path / "both" / "data" / f"test-{part}.parquet")
    assert rows_of(tmp_path / "both") == rows


def test_a_data_set_of_several_splits_asks_which(tmp_path: Path) -> None:
    write(tmp_path / "dataset_dict.json", '{"splits": ["dev", "test"]}')
    assert "name the folder of one of them, for example" in said(tmp_path)


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_import: Callable[..., Any] = builtins.__import__

    def no_pyarrow(name: str, *rest: Any, **options: Any) -> Any:
        if name.split(".")[0] == "pyarrow":
            raise ImportError(name)
        return true_import(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", no_pyarrow)
    assert "pip install 'judgesmith[tables]'" in said(write(tmp_path / "t.parquet", b"PAR1"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.jsonl", b"", ": expected rows, found none"),
        ("t.json", b"  \n", ": expected rows, found none"),
        ("t.json", b"[]", ": expected rows, found none"),
        ("t.csv", b"", ": expected rows, found none"),
        ("t.csv", b"id,text\n", ": expected rows, found none"),
        ("t.csv.gz", b"id,text\n", ": expected rows, found none"),
        ("t.jsonl", b'{"id": 1}\n[1]\n', ":2: expected a JSON object, found [1]"),
        ("t.jsonl", b'{"id": 1}\n{"id": \n', ":2: expected one JSON object a line"),
        ("t.jsonl", b'{"id": NaN}\n', ":1: expected one JSON object a line"),
        ("t.json", b'[{"id": 1}, 2]', ": row 2: expected an object, found 2"),
        ("t.json", b'[{"id": 1},\n {"id": Infinity}]', ":2: not valid JSON"),
        ("t.json", b'[{"id": 1},\n {"id": ]', ":2: not valid JSON"),
        ("t.json", b'{"id": 1}\n{"id": oops}\n', ":2: expected one JSON object a line"),
        ("t.json", b'{"a": 1,\n "b": []}', ": expected a list of rows, found an object with the"),
        ("t.json", b'"text"', ": expected a list of rows, found 'text'"),
        ("t.csv", b"id,text\na\n", ":2: expected 2 cells, found 1"),
        ("t.csv", b"id,text\na,b,c\n", ":2: expected 2 cells, found 3"),
        ("t.csv", b'id,text\na,b\nc,"d\ne,f\n', ":3: the row that begins here is not valid CSV"),
        ("t.csv", b'id,text\na,"b"c\n', ":2: the row that begins here is not valid CSV"),
        ("t.csv", b"id,id\na,b\n", ":1: two columns have the name 'id'"),
        ("t.csv", b"id;text\na;b\n", ":1: expected columns separated by a comma"),
        ("t.csv", b"id\ttext\na\tb\n", "holds a tab"),
        ("t.csv", "id,text\na,b\nc,é\n".encode("latin-1"), ":3: not UTF-8 at byte 14"),
        ("t.tsv", "id\ttext\n".encode("utf-16"), ":1: not UTF-8 at byte 0"),
        ("t.jsonl", '{"a": 1}\n{"a": "é"}\n'.encode("latin-1"), ":2: not UTF-8 at byte 16"),
        ("t.json", '[{"a": 1},\n{"a": "é"}]'.encode("latin-1"), ":2: not UTF-8 at byte 18"),
        ("t.parquet", b"PAR1 no", ": after row 0: not readable as Parquet"),
        ("t.xlsx", b"PK", ": expected a name that ends in .jsonl"),
        ("t.parquet.gz", b"PAR1", ": expected a name that ends in .jsonl"),
    ],
)
def test_damage_is_named_with_its_place(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    assert message in said(write(tmp_path / name, content))


def test_not_a_number_says_what_to_write(tmp_path: Path) -> None:
    for name in ("t.jsonl", "t.json"):
        path = write(tmp_path / name, '[\n{"score": NaN}]' if name == "t.json" else '{"s": NaN}')
        assert "write null for a value that is not there" in said(path)


@pytest.mark.parametrize("name", ["t.jsonl.gz", "t.json.gz", "t.csv.gz"])
def test_broken_archives_are_named(name: str, tmp_path: Path) -> None:
    plain = "id,text\n" + "a,b\n" * 5000 if "csv" in name else '{"id": 1}\n' * 5000
    whole = gzip.compress(plain.encode(), mtime=0)
    for broken in (whole[:-20], whole[: len(whole) // 2], b"not gzip at all", whole[:-4] + b"0000"):
        (tmp_path / name).write_bytes(broken)
        assert "the gzip archive is broken" in said(tmp_path / name)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    for name in ("t.jsonl", "t.json", "t.csv", "t.parquet", "t.csv.gz"):
        assert "found no file there" in said(tmp_path / name)
    assert "found a folder without one" in said(tmp_path)


def test_rows_that_are_not_where_the_mapping_says(tmp_path: Path) -> None:
    path = write(tmp_path / "t.json", json.dumps({"data": {"rows": 3}}))
    assert "expected 'row', found the keys rows" in said(path, rows="data.row")
    assert "expected a list of rows, found 3" in said(path, rows="data.rows")
    assert "expected an object of rows, found 3" in said(path, rows="data.rows.*")
    lines = write(tmp_path / "t.jsonl", '{"a": 1}')
    assert "`rows` names a place inside a JSON object" in said(lines, rows="a")
    assert rows_of(lines, format="json") == [{"a": 1}]
