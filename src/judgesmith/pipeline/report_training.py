"""What a run's training stages left, as the report shows it."""

from collections.abc import Mapping
from typing import Any

import orjson

from judgesmith.report.merging import Merging, Tried, spreads, unusual
from judgesmith.report.training import (
    CurvePoint,
    Preference,
    PreferencePoint,
    Student,
    Training,
)
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import Manifest
from judgesmith.runs.students import MERGED, STUDENT, student_folder
from judgesmith.stages.merge.stage import findings_of

TENSORS = f"{student_folder(MERGED)}/merge.json"


def read_training(run_dir: RunDir, manifest: Manifest | None) -> Training | None:
    """Every student that `sft` trained, as it was told to; None where it has not ended.

    Runs of before rows were counted in tokens have nothing to tell but their curve.
    """
    if manifest is None or not {"students", "tokens"} & manifest.report.tables.keys():
        return None
    config, tables = _config(manifest), manifest.report.tables
    by_name: Mapping[str, Any] = tables.get("students") or {STUDENT: tables}
    judges: Mapping[str, Any] = config.get("judges") or {}
    return Training(
        students=tuple(
            Student(
                name=name,
                config=_of_one(config, judges.get(name, {})),
                counts=found.get("training", {}),
                tokens=found.get("tokens", {}),
                dry_run=found.get("dry run"),
                curve=tuple(run_dir.read_if_made(_curve(name), CurvePoint)),
            )
            for name, found in by_name.items()
        ),
        wall_s=manifest.wall_s,
    )


def _config(manifest: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = manifest.determined_by["config"]
    return found


def _curve(name: str) -> str:
    return f"{student_folder(name).rpartition('/')[0]}/curve.jsonl"


def _of_one(config: Mapping[str, Any], judge: Mapping[str, Any]) -> dict[str, Any]:
    """What one of several students was told: its own, and what is as for all."""
    own = {name: value for name, value in judge.items() if value is not None}
    if own.keys() & {"steps", "epochs"}:
        own = {"steps": None, "epochs": None} | own
    return {**config, "judges": {}, **own}


def read_preference(run_dir: RunDir, manifest: Manifest | None) -> Preference | None:
    """What preference training found; None where it has not ended."""
    if manifest is None:
        return None
    config, tables = _config(manifest), manifest.report.tables
    return Preference(
        config={**config, "quantize": tables.get("quantize", config.get("quantize"))},
        counts=tables.get("training", {}),
        before=tables.get("before the first step", {}),
        after=tables.get("after the last step", {}),
        curve=tuple(run_dir.read_if_made("dpo/curve.jsonl", PreferencePoint)),
    )


def read_merging(run_dir: RunDir, manifest: Manifest | None) -> Merging | None:
    """What a merge did and found; None where there is none."""
    if manifest is None:
        return None
    tables = manifest.report.tables
    summary = _named(tables["merge"])
    names = [one["name"] for one in summary["inputs"]]
    path = run_dir.file(TENSORS)
    tensors = orjson.loads(path.read_bytes())["tensors"] if path.exists() else []
    return Merging(
        config=_config(manifest),
        summary=summary,
        spreads=spreads(tensors, names),
        unusual=unusual(tensors, names),
        search=tuple(Tried.model_validate(row) for row in tables.get("search", ())),
    )


def _named(summary: Mapping[str, Any]) -> dict[str, Any]:
    """With the run's own names of judges in place of those of their folders."""
    inputs = [
        {**one, "name": str(one["name"]).removesuffix(f"/{STUDENT}")} for one in summary["inputs"]
    ]
    base = "the student before training" if summary["base"] == "before" else summary["base"]
    return {**summary, "inputs": inputs, "base": base}


def merge_findings(tables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Warnings of a merge whose stage, in an older run, did not yet give them as findings."""
    if "findings" in tables:
        return []
    return findings_of(tables.get("merge", {}).get("warnings", ()))
