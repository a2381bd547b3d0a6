"""Collect what a run knows into one document, and write its pages."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from pydantic import ValidationError

from judgesmith import __version__
from judgesmith.errors import DataError
from judgesmith.models.http.estimates import Estimate
from judgesmith.models.http.ledger import Line, look
from judgesmith.models.http.prices import usd
from judgesmith.pipeline.export_cards import STAGE as EXPORT
from judgesmith.pipeline.export_cards import read_exports, write_cards
from judgesmith.pipeline.opening import ESTIMATES, LEDGER, read_estimates
from judgesmith.pipeline.order import STAGES, load_stage
from judgesmith.pipeline.report_training import (
    merge_findings,
    read_merging,
    read_preference,
    read_training,
)
from judgesmith.pipeline.running import STOPPED, Standing, State, standing, survey
from judgesmith.report.advice import advise_all
from judgesmith.report.costs import Costs
from judgesmith.report.document import CurvePoint, Document, StageRow
from judgesmith.report.exports import Exports
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.report.money import Money, MoneyLine, PriceRow
from judgesmith.report.results import Evaluation
from judgesmith.report.setting_words import setting_words
from judgesmith.report.teaching import Teaching
from judgesmith.runs.endpoint import Endpoint, Price
from judgesmith.runs.jsonl import write_bytes, write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import library_versions, read_manifest
from judgesmith.runs.recipe import Recipe
from judgesmith.stages.gate import read_gate, read_results

COSTS = "cost.json"
"""What `judgesmith cost RUN FILE --out RUN/cost.json` leaves for the report."""
BUDGET = "budget.json"
"""The cap that the last command with one gave."""
DRY_RUN = "dry run"
TO_WRITE_AGAIN = (
    "to have it written anew, delete labels/manifest.json and run again (from the cache)"
)


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
    manifests = {entry.stage: entry.manifest for entry in entries if entry.manifest is not None}
    tables: dict[str, dict[str, Any]] = {
        stage: manifest.report.tables for stage, manifest in manifests.items()
    }
    evaluation: Evaluation | None = read_results(run_dir) if "evaluate" in manifests else None
    return Document(
        name=run_dir.header.name,
        description=run_dir.header.description,
        task=run_dir.header.task,
        rehearsed=run_dir.header.rehearsed,
        stages=tuple(stage_row(entry) for entry in entries),
        gate=read_gate(run_dir) if "gate" in manifests else None,
        evaluation=evaluation,
        curve=tuple(run_dir.read_if_made("sft/curve.jsonl", CurvePoint)),
        findings=tuple(f for entry in entries for f in _findings(run_dir, entry)),
        supply=tuple(tables.get("items", {}).get("supply", ())),
        confounds=tables.get("items", {}).get("confounds"),
        leaks=tables.get("split", {}).get("leaks"),
        composition=tables.get("questions", {}).get("composition", {}),
        why=recipe.why,
        provenance=_provenance(run_dir, entries),
        teaching=_teaching(run_dir, recipe, entries),
        generator_runs=tuple(_generator_runs(run_dir, entries)),
        preferences=tables.get("preferences", {}),
        trains="sft" in recipe.sections,
        money=read_money(run_dir),
        training=read_training(run_dir, manifests.get("sft")),
        preference=read_preference(run_dir, manifests.get("dpo")),
        merging=read_merging(run_dir, manifests.get("merge")),
        advice=advise_all(evaluation) if evaluation is not None else (),
        settings=setting_words(recipe.plain, recipe.why),
        costs=read_costs(run_dir),
        exports=_exports(run_dir),
    )


def _exports(run_dir: RunDir) -> Exports | None:
    """What was exported, and whether it is still what this run would export."""
    found, manifest = read_exports(run_dir), read_manifest(run_dir.file(EXPORT))
    if found is None or manifest is None:
        return None
    config = load_stage(EXPORT).Config.model_validate(manifest.determined_by["config"])
    entry = standing(EXPORT, config, run_dir)
    fresh = entry.state is State.FRESH
    return found if fresh else found.model_copy(update={"stale": entry.reason})


def note_budget(run_dir: RunDir, budget_usd: float | None) -> None:
    """Keep the cap that a command was given, so that every later report can name it."""
    if budget_usd is not None and isfinite(budget_usd):
        write_json(run_dir.file(BUDGET), {"budget_usd": budget_usd})


def read_money(run_dir: RunDir) -> Money | None:
    """What the run's ledger says, in US dollars; None where no model was called over HTTP."""
    path = run_dir.file(LEDGER)
    if not path.exists():
        return None
    totals, lines = look(path)
    foreseen = read_estimates(run_dir.file(ESTIMATES))
    budget = run_dir.file(BUDGET)
    return Money(
        lines=tuple(
            _money_line(line, foreseen.get((line.stage, line.model)))
            for line in sorted(lines, key=_place)
        ),
        prices=tuple(
            _price(name, run_dir.header.models.get(name))
            for name in sorted({line.model for line in lines})
        ),
        paid_usd=usd(totals.spent),
        possibly_paid_usd=usd(totals.possibly_paid),
        in_flight_usd=usd(totals.in_flight),
        cap_usd=orjson.loads(budget.read_bytes())["budget_usd"] if budget.exists() else None,
    )


def read_costs(run_dir: RunDir) -> Costs | None:
    """What `judgesmith cost` wrote into the run; None where it did not."""
    path = run_dir.file(COSTS)
    if not path.exists():
        return None
    try:
        return Costs.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, defect["loc"])) for defect in error.errors()[:3])
        raise DataError(
            f"{path}: expected what `judgesmith cost {run_dir.path} cost.yaml --out {path}` "
            f"writes; wrong: {fields or error}. Write it again, or delete it."
        ) from None


def _place(line: Line) -> tuple[int, str, str]:
    """Stages in the order of the flow; what is none of them comes last."""
    place = STAGES.index(line.stage) if line.stage in STAGES else len(STAGES)
    return place, line.stage, line.model


def _money_line(line: Line, foreseen: Estimate | None) -> MoneyLine:
    fields = line._asdict()
    spent, possibly_paid = fields.pop("spent"), fields.pop("possibly_paid")
    return MoneyLine(
        **fields, paid_usd=usd(spent), possibly_paid_usd=usd(possibly_paid),
        expected_usd=None if foreseen is None else usd(foreseen.expected),
        most_usd=None if foreseen is None else usd(foreseen.most),
    )  # fmt: skip


def _price(name: str, endpoint: Endpoint | None) -> PriceRow:
    """A model's prices; of its address only the host is told, as the rest may hold a key."""
    if endpoint is None:
        return PriceRow(model=name, known=False)
    server = urlsplit(endpoint.url).hostname or ""
    price = endpoint.price
    if not isinstance(price, Price):
        return PriceRow(model=name, served_as=endpoint.model, server=server)
    return PriceRow(
        model=name, served_as=endpoint.model, server=server,
        input_usd=price.input, output_usd=price.output,
        cached_input_usd=price.cached_input, cache_write_usd=price.cache_write,
        batch=None if endpoint.batch is None else price.batch, as_of=price.as_of.isoformat(),
    )  # fmt: skip


def _teaching(run_dir: RunDir, recipe: Recipe, entries: list[Standing]) -> Teaching | None:
    """What the labels stage says of its teachers, also where a dry run or people stopped it."""
    entry = next((one for one in entries if one.stage == "labels"), None)
    if entry is None:
        return None
    manifest = entry.manifest
    if manifest is None:
        config = recipe.sections["labels"].model_dump(mode="json")
        checks = _stopped_checks(run_dir, entry)
        tables: dict[str, Any] = {DRY_RUN: _of_checks(checks)} if checks else {}
        for row in _stopped(run_dir, entry):
            tables |= row.get("tables", {})
    else:
        config, tables = manifest.determined_by["config"], manifest.report.tables
    teachers = config.get("teachers")
    if not teachers or not tables:
        return None
    return Teaching(
        primary=teachers["primary"],
        panel=tuple(teachers["panel"]),
        simulated=tuple(spec["name"] for spec in teachers["simulated"]),
        policy=teachers["policy"],
        stopped=manifest is None,
        dry_run=tables.get(DRY_RUN),
        against_people=tuple(tables.get("teacher against people", ())),
        panel_items=tables.get("panel items by bucket", {}),
        cross_check=tables.get("cross-check"),
        final_labels=tables.get("final labels"),
        queue=_queue(run_dir, tables.get("disagreement queue", ())),
        statuses=tables.get("judgments by status", {}),
    )


def _queue(run_dir: RunDir, named: str | Sequence[str]) -> tuple[str, ...]:
    """The queue's files, and what to do where somebody took one away or lost it.

    Runs of before there could be two name one.
    """
    return tuple(
        name if run_dir.file(name).exists() else f"{name} (not there; {TO_WRITE_AGAIN})"
        for name in ([named] if isinstance(named, str) else named)
    )


def _generator_runs(run_dir: RunDir, entries: list[Standing]) -> Iterable[dict[str, Any]]:
    """Dry runs of generators, as a list or by generator; one that stopped has its checks only."""
    for entry in entries:
        if entry.stage != "responses":
            continue
        tables = {} if entry.manifest is None else entry.manifest.report.tables
        found = tables.get(DRY_RUN, ())
        if isinstance(found, Mapping):
            found = [found] if "checks" in found else list(found.values())
        yield from found
        if checks := _stopped_checks(run_dir, entry):
            yield _of_checks(checks)


def _of_checks(checks: list[dict[str, Any]]) -> dict[str, Any]:
    """A dry run that stopped its stage, as far as its checks tell."""
    outcomes = {check["outcome"] for check in checks}
    outcome = next((one for one in ("abort", "review") if one in outcomes), "pass")
    return {"outcome": outcome, "checks": checks}


def _stopped(run_dir: RunDir, entry: Standing) -> list[dict[str, Any]]:
    """What a stage that has not ended since was stopped by: findings, or checks of a dry run."""
    path = run_dir.file(f"{entry.stage}/{STOPPED}")
    if entry.manifest is not None or not path.exists():
        return []
    return list(orjson.loads(path.read_bytes()))


def _stopped_checks(run_dir: RunDir, entry: Standing) -> list[dict[str, Any]]:
    return [row for row in _stopped(run_dir, entry) if "severity" not in row and "outcome" in row]


def _findings(run_dir: RunDir, entry: Standing) -> list[dict[str, Any]]:
    """What a stage's audits found, also when they stopped it."""
    if entry.manifest is not None:
        tables = entry.manifest.report.tables
        return [*tables.get("findings", ()), *merge_findings(tables)]
    return [row for row in _stopped(run_dir, entry) if "severity" in row]


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
    """Write report/index.html, report.md and report.json, and the cards of what was exported.

    Returns the page's path.
    """
    document = collect(run_dir, recipe)
    page = run_dir.file("report/index.html")
    write_bytes(page, render_html(document).encode())
    write_bytes(run_dir.file("report/report.md"), render_markdown(document).encode())
    write_json(run_dir.file("report/report.json"), document.model_dump(mode="json"))
    write_cards(run_dir, recipe, document)
    return page
