"""Rows one by one: a JSON array is never read whole, and what is broken is named."""

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


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("[]", "found none; the list is empty"),
        ('[{"a": 1}, 2]', r"row 2: expected an object, found '2'"),
        ('[{"a": 1} {"a": 2}]', r"row 1: expected a comma or the end"),
        ('[{"a": 1}, {"a": ', r"row 2: not valid JSON.*cut short"),
        ('[{"a": NaN}]', r"row 1: not valid JSON.*write null"),
        ('[{"a": 1}', r"row 1: expected a comma or the end"),
    ],
)
def test_a_broken_array_is_named(content: str, match: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(content)
    with pytest.raises(DataError, match=match):
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
