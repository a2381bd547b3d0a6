"""Rows one by one: a JSON array is never read whole, and what is broken is named."""

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from published_rows import write_lines

from judgesmith.errors import DataError
from judgesmith.sources.published import files
from judgesmith.sources.published.files import choose_file, stream_rows

ROWS = [{"a": n, "text": 'x "]}, {é ' * (n + 1)} for n in range(20)]


@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("indent", [None, 4])
def test_an_array_in_chunks_of_any_size(
    chunk: int, indent: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_CHUNK", chunk)
    path = tmp_path / "rows.json"
    path.write_text("\ufeff " + json.dumps(ROWS, indent=indent, ensure_ascii=False), "utf-8")
    # The head is looked at in one chunk, so the smallest ones must still show the bracket.
    monkeypatch.setattr(files, "_begins_a_list", lambda path: True)
    found = list(stream_rows(path))
    assert [row for _, row in found] == ROWS
    assert found[4][0] == f"{path}: row 5"


def test_memory_does_not_grow_with_an_array(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    with path.open("w") as file:
        file.write("[" + ",".join(json.dumps({"text": "y" * 10_000}) for _ in range(3_000)) + "]")
    assert path.stat().st_size > 30_000_000
    tracemalloc.start()
    count = sum(1 for _ in stream_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, peak < 12_000_000) == (3_000, True)


BAD_FIRST = '[{"a": "x, "b": 1},'
OPEN_FIRST = '[{"a": [1, {"b": 1},'


@pytest.mark.parametrize(
    ("first", "match"),
    [
        (BAD_FIRST, r"rows\.json: row 1: not valid JSON: Expecting ',' .* character 12 of the row"),
        (OPEN_FIRST, r"rows\.json: row 1: expected a row of at most 2,000,000 char.*not be closed"),
    ],
)
def test_a_bad_first_row_is_named_before_the_file_is_read(
    first: str, match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """30 MB behind it; with a bracket that is not closed, the rest could be one long row."""
    monkeypatch.setattr(files, "_LONGEST_ROW", 2_000_000)
    path = tmp_path / "rows.json"
    with path.open("w") as file:
        file.write(first + ",".join(json.dumps({"text": "y" * 10_000}) for _ in range(3_000)) + "]")
    tracemalloc.start()
    with pytest.raises(DataError, match=match):
        list(stream_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("[]", "found none; the list is empty"),
        ('[{"a": 1}, 2]', r"row 2: expected an object, found '2'"),
        ('[{"a": 1} {"a": 2}]', r"row 1: expected a comma or the end.*found '\{\"a\": 2"),
        ('[{"a": 1}, {"a": ', r"row 2: not valid JSON.*cut short"),
        ('[{"a": NaN}]', r"row 1: not valid JSON.*write null"),
        ('[{"a": 1}', r"row 1: expected a comma or the end .*, found the end of the file"),
        ('[{"a": 1}, ]', r"row 1: expected a row after its comma"),
        ('[{"a": 1}]\n[{"a": 2}]', r"end of the file after row 1, where its list ends.*'\[\{"),
        ('[{"a": 1}] or so', r"expected the end of the file after row 1.*found 'or so'"),
        ('[{"a": 1}, {"a": 2, "a": 3}]', r"row 2: .*an object has the name 'a' twice"),
        ('[{"a": [{"b": 2, "b": 2}]}]', r"row 1: .*an object has the name 'b' twice"),
        (r'[{"a": "\ud83d\ude00"}, {"a": "\ud83d"}]', r"row 2: .*found \\ud83d, half of one"),
        ("[" + "[" * 200_000, r"row 1: not valid JSON: .*recursion"),
    ],
)
def test_a_broken_array_is_named(content: str, match: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(content)
    with pytest.raises(DataError, match=match):
        list(stream_rows(path))


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
@pytest.mark.parametrize(
    ("content", "match"),
    [
        ('{"a": 1}\n\n{"a": 2, "a": 3}\n', r":3: not valid JSON: .*has the name 'a' twice; keep"),
        ('{"a": 1} {"a": 2}\n', r":1: expected one JSON object a line, then found '\{\"a\": 2\}'"),
        ('{"a": 1}\n[1]\n', r":2: expected an object, found '\[1\]'"),
        ('{"a": 1}\n{"a": \n', r":2: not valid JSON.*cut short"),
        ('{\n"a": 1}\n', r":1: not valid JSON.*a list of them, or one object a line"),
        ('{"a": Infinity}\n', r":1: not valid JSON: JSON has no Infinity; write null"),
        (r'{"a": "\udc00"}', r":1: expected whole characters"),
    ],
)
def test_a_broken_line_is_named(name: str, content: str, match: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=match):
        list(stream_rows(path))


def test_lines_with_a_mark_blank_ones_and_packed(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    lines = "\ufeff" + "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\r\n"
    path.write_bytes(gzip.compress(lines.encode()))
    found = list(stream_rows(path))
    assert [row for _, row in found] == ROWS
    assert found[1][0] == f"{path}:3"
    path.write_bytes(gzip.compress(b"\n \n"))
    with pytest.raises(DataError, match="found none; the file is empty"):
        list(stream_rows(path))


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(b'[{"a": "\xff"}]')
    with pytest.raises(DataError, match="not UTF-8"):
        list(stream_rows(path))


def test_a_folder_has_the_published_file_or_one_file(tmp_path: Path) -> None:
    one = write_lines(tmp_path / "one.jsonl", [{"a": 1}])
    assert choose_file(tmp_path) == one
    (tmp_path / "README.md").write_text("x")
    two = write_lines(tmp_path / "set.jsonl", [{"a": 2}])
    with pytest.raises(DataError, match=r"found one\.jsonl, set\.jsonl"):
        choose_file(tmp_path)
    assert choose_file(tmp_path, ("set.jsonl",)) == two
    assert [row for _, row in stream_rows(two)] == [{"a": 2}]


def test_a_parquet_file_is_read_too(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "rows.parquet")
    assert [row for _, row in stream_rows(tmp_path)] == ROWS
