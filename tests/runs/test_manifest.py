"""Manifests: complete or not, which schema, and counts that add up."""

from pathlib import Path

import orjson
import pytest
from pydantic import ValidationError

from judgesmith.errors import RunError
from judgesmith.records import SCHEMA
from judgesmith.runs.manifest import (
    MANIFEST,
    StageReport,
    hash_inputs,
    library_versions,
    make_manifest,
    read_manifest,
    write_manifest,
)


def write_one(folder: Path, **changes: object) -> None:
    manifest = make_manifest(
        "items", 3, determined_by={"seed": 7}, inputs={"questions": "ab"}, outputs={"items": "cd"},
        report=StageReport(taken=3, made=2, dropped={"twice": 1}), wall_s=1.23456,
    )  # fmt: skip
    write_manifest(folder, manifest)
    path = folder / MANIFEST
    row = {**orjson.loads(path.read_bytes()), **changes}
    path.write_bytes(orjson.dumps({k: v for k, v in row.items() if v != "REMOVED"}))


def test_a_manifest_reads_back(tmp_path: Path) -> None:
    write_one(tmp_path / "items")
    found = read_manifest(tmp_path / "items")
    assert found is not None
    assert (found.stage, found.version, found.record_schema, found.wall_s) == (
        "items", 3, SCHEMA, 1.235,
    )  # fmt: skip
    assert found.report.dropped == {"twice": 1}


def test_no_manifest_means_not_complete(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None


@pytest.mark.parametrize("schema", [0, SCHEMA + 1, None, "REMOVED"])
def test_another_schema_is_refused_and_says_what_to_do(schema: object, tmp_path: Path) -> None:
    write_one(tmp_path, record_schema=schema)
    with pytest.raises(RunError, match=f"expected record schema {SCHEMA}, found") as caught:
        read_manifest(tmp_path)
    assert "run the recipe again" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b'{"stage": "ite', b"[]", b"null"])
def test_a_damaged_manifest_is_an_error_for_the_user(content: bytes, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(RunError, match="Delete this file and run the recipe again"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("changes", "field"), [({"version": "REMOVED"}, "version"), ({"clock": 1}, "clock")]
)
def test_wrong_fields_are_named(changes: dict[str, object], field: str, tmp_path: Path) -> None:
    write_one(tmp_path, **changes)
    with pytest.raises(RunError, match=f"wrong fields: {field}"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("taken", "made", "dropped"), [(3, 3, {"twice": 1}), (3, 1, {"twice": 1}), (0, 1, {})]
)
def test_counts_must_add_up(taken: int, made: int, dropped: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="counts must add up"):
        StageReport(taken=taken, made=made, dropped=dropped)


def test_every_drop_counts() -> None:
    """10 in, 4 out, 5 + 1 dropped: 4 + 5 + 1 = 10."""
    assert StageReport(taken=10, made=4, dropped={"a": 5, "b": 1}).taken == 10


def test_inputs_are_known_by_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    found = hash_inputs({"here": tmp_path / "a", "gone": tmp_path / "b"})
    # SHA-256 of the letter x, as printed by any sha256sum
    assert found["here"].startswith("2d711642b726b044")
    assert found["gone"] == "missing"


def test_library_versions_name_what_is_installed() -> None:
    import pydantic

    assert library_versions()["pydantic"] == pydantic.VERSION
