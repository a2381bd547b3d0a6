"""Verdicts as Parquet: the rows of the JSON Lines, in typed columns."""

import json
import resource
from pathlib import Path
from typing import Any

import pytest
from longer import judge, read, rows, write

from judgesmith.errors import RunError
from judgesmith.inference.rows import parquet_rows
from judgesmith.inference.rows.parquet_rows import write_parquet
from judgesmith.inference.rows.stream import judge_file

pytest.importorskip("pyarrow")
from pyarrow import parquet


def lines(*found: dict[str, Any]) -> list[bytes]:
    return [json.dumps(one).encode() + b"\n" for one in found]


def test_verdicts_of_a_judge_are_columns_with_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In groups of four rows, of which there are ten."""
    monkeypatch.setattr(parquet_rows, "_GROUP", 4)
    path = write(tmp_path / "rows.jsonl", rows(10))
    judge_file(judge(), path, tmp_path / "out.jsonl")
    judge_file(judge(), path, tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert parquet.ParquetFile(tmp_path / "out.parquet").num_row_groups == 3
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert (kinds["id"], kinds["confidence"], kinds["consistent"], kinds["own_reference"]) == (
        "string", "double", "bool", "string",
    )  # fmt: skip
    for flat, row in zip(table.to_pylist(), read(tmp_path / "out.jsonl"), strict=True):
        assert (flat["id"], flat["verdict"]) == (row["id"], row["verdict"])
        assert flat["distribution.A"] == row["distribution"]["A"]
        assert flat["orders.ba.rationale"] == row["orders"][1]["rationale"]
        assert (flat["consistent"], flat["own_reference"]) == (row["consistent"], None)
    assert not list(tmp_path.glob(".*"))


def test_a_column_of_several_types_is_text_unless_all_are_numbers(tmp_path: Path) -> None:
    found = lines({"id": 1, "n": 1, "k": 1}, {"id": "b", "n": 0.5, "k": 2}, {"id": None, "n": None})
    write_parquet(found, found, tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    assert table == {"id": ["1", "b", None], "n": [1.0, 0.5, None], "k": [1, 2, None]}


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    found = lines({"id": "a", "rationale": "".join(map(str, range(2_000)))})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(RunError, match=r"out\.parquet: cannot be written: .*All rows are jud"):
            write_parquet(found, found, tmp_path / "out.parquet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())
