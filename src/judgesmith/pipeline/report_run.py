"""Collect what a run knows into one document, and write its pages."""

from pathlib import Path
from typing import Any

import orjson

from judgesmith import __version__
from judgesmith.pipeline.running import STOPPED, Standing, survey
from judgesmith.report.document import CurvePoint, Document, StageRow
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.report.results import Evaluation
from judgesmith.runs.jsonl import write_bytes, write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import library_versions
from judgesmith.runs.recipe import Recipe
from judgesmith.stages.gate import read_gate, read_results


def stage_row(entry: Standing) -> StageRow:
    """A stage's line in the stages table."""
    report = None if entry.manifest is None else entry.manifest.report
    return StageRow(
        stage=entry.stage,
        state=entry.state.value,
        taken=None if report is None else report.taken,
        made=None if report is None else report.made,
        dropped={} if report is None else report.dropped,
        calls=0 if report is None else report.calls,
        prompt_tokens=0 if report is None else report.prompt_tokens,
        completion_tokens=0 if report is None else report.completion_tokens,
        cost_usd=0.0 if report is None else report.cost_usd,
        wall_s=None if entry.manifest is None else entry.manifest.wall_s,
    )


def collect(run_dir: RunDir, recipe: Recipe) -> Document:
    """Everything the report shows, read from the run folder."""
    entries = survey(run_dir, recipe)
    tables: dict[str, dict[str, Any]] = {
        entry.stage: entry.manifest.report.tables for entry in entries if entry.manifest is not None
    }
    done = {entry.stage for entry in entries if entry.manifest is not None}
    evaluation: Evaluation | None = read_results(run_dir) if "evaluate" in done else None
    return Document(
        name=run_dir.header.name,
        description=run_dir.header.description,
        task=run_dir.header.task,
        rehearsed=False,
        stages=tuple(stage_row(entry) for entry in entries),
        gate=read_gate(run_dir) if "gate" in done else None,
        evaluation=evaluation,
        curve=tuple(run_dir.read_if_made("sft/curve.jsonl", CurvePoint)),
        findings=tuple(f for entry in entries for f in _findings(run_dir, entry)),
        supply=tuple(tables.get("items", {}).get("supply", ())),
        confounds=tables.get("items", {}).get("confounds"),
        leaks=tables.get("split", {}).get("leaks"),
        composition=tables.get("questions", {}).get("composition", {}),
        why=recipe.why,
        provenance=_provenance(run_dir, entries),
    )


def _findings(run_dir: RunDir, entry: Standing) -> list[dict[str, Any]]:
    """What a stage's audits found, also when they stopped it."""
    if entry.manifest is not None:
        return list(entry.manifest.report.tables.get("findings", ()))
    stopped = run_dir.file(f"{entry.stage}/{STOPPED}")
    return list(orjson.loads(stopped.read_bytes())) if stopped.exists() else []


def _provenance(run_dir: RunDir, entries: list[Standing]) -> dict[str, str]:
    found = {"judgesmith": __version__, "seed": str(run_dir.seed)}
    found |= library_versions()
    for entry in entries:
        if entry.manifest is not None:
            for name, digest in entry.manifest.outputs.items():
                found[f"sha256 of {name}"] = digest[:16]
            outside = {k: v for k, v in entry.manifest.inputs.items() if k.startswith("outside:")}
            found |= {f"sha256 of {k}": v[:16] for k, v in outside.items()}
    return found


def write_report(run_dir: RunDir, recipe: Recipe) -> Path:
    """Write report/index.html, report.md and report.json; returns the page's path."""
    document = collect(run_dir, recipe)
    page = run_dir.file("report/index.html")
    write_bytes(page, render_html(document).encode())
    write_bytes(run_dir.file("report/report.md"), render_markdown(document).encode())
    write_json(run_dir.file("report/report.json"), document.model_dump(mode="json"))
    return page
