"""`run`, `status`, `recipes`, `report`."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from judgesmith.cli import show
from judgesmith.errors import AuditError, RecipeError, nearest
from judgesmith.pipeline import (
    check_until,
    find_recipe,
    open_run,
    read_recipe,
    run_recipe,
    shipped_recipes,
    start_run,
    survey,
)
from judgesmith.pipeline.report_run import (
    TO_WRITE_AGAIN,
    note_budget,
    read_money,
    stage_row,
    write_report,
)
from judgesmith.report.money import money_sentence
from judgesmith.report.money_sections import money_table
from judgesmith.report.numbers import money
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import Manifest
from judgesmith.runs.outside import use_data_folder
from judgesmith.runs.recipe import Recipe
from judgesmith.stages.gate import read_gate, read_results

HEAD = ("task", "description")
"""What the list of recipes says of each besides its name."""


class RunOptions(NamedTuple):
    """What a run may be told besides its recipe and its folder."""

    until: str | None
    overrides: tuple[str, ...]
    data: Path | None
    budget_usd: float | None
    rehearse: bool


def run_command(name: str, folder: Path | None, options: RunOptions) -> None:
    """Run a recipe and say what came of it."""
    until = options.until
    recipe = read_recipe(find_recipe(name), options.overrides, rehearse=options.rehearse)
    check_until(recipe, until)
    suffix = "-rehearsal" if recipe.header.rehearsed else ""
    folder = folder or Path("runs") / f"{recipe.header.name}{suffix}"
    run_dir = start_run(folder, recipe)
    use_data_folder(folder, options.data)
    show.console.print(f"[bold]{recipe.header.name}[/] -> {folder}")
    show.rehearsal(recipe.header.rehearsed)
    try:
        _show_results(recipe, run_dir, until, _run_stages(recipe, run_dir, options))
    finally:  # what was spent is said most of all where the run was stopped
        spent = read_money(run_dir)
        if spent is not None:
            show.line(f"Money: {money_sentence(spent)}, over all commands of this run")


def _run_stages(recipe: Recipe, run_dir: RunDir, options: RunOptions) -> Path:
    """Run what is not fresh, and write the report."""
    budget = options.budget_usd
    with run_dir.locked():
        note_budget(run_dir, budget)
        try:
            for manifest in run_recipe(
                recipe, run_dir, until=options.until, budget_usd=budget, announce=_announce
            ):
                _say(manifest)
        except AuditError:  # what stopped it is looked at on the page
            show.line(f"Report so far: {write_report(run_dir, recipe)}")
            raise
        return write_report(run_dir, recipe)


def _show_results(recipe: Recipe, run_dir: RunDir, until: str | None, page: Path) -> None:
    if "evaluate" in recipe.sections and until in (None, "evaluate", "gate"):
        show.evaluation(read_results(run_dir))
    gate = read_gate(run_dir) if "gate" in recipe.sections else None
    if gate is not None and until in (None, "gate"):
        show.gate(gate, str(page))
    else:
        show.line(f"Report: {page}")
    show.rehearsal(recipe.header.rehearsed)


def _announce(stage: str, what: str) -> None:
    if what != "fresh":
        show.console.print(f"[bold]{stage}[/] ({what})", soft_wrap=True)


def _say(manifest: Manifest) -> None:
    report = manifest.report
    dropped = sum(report.dropped.values())
    show.console.print(
        f"  {manifest.stage}: {report.taken} in, {report.made} out, {dropped} dropped, "
        f"{money(report.cost_usd)}, {manifest.wall_s:.1f} s",
        soft_wrap=True,
    )
    tables: dict[str, Any] = report.tables
    if manifest.stage == "items":
        show.supply(tables.get("supply", ()))
        show.confounds(tables.get("confounds"))
    found = tables.get("findings", ())
    show.findings([row for row in found if row["severity"] != "info"])


def status_command(folder: Path) -> None:
    """Where every stage of a run stands."""
    run_dir, recipe = open_run(folder)
    show.rehearsal(recipe.header.rehearsed)
    entries = survey(run_dir, recipe)
    show.stages(stage_row(entry) for entry in entries)
    for entry in entries:
        if entry.reason and entry.manifest is not None:
            show.line(f"{entry.stage} is {entry.state}: {entry.reason}")
        for given in entry.manifest.report.beside if entry.manifest is not None else ():
            if not run_dir.file(given).exists():
                show.line(f"{given} is not there; {TO_WRITE_AGAIN}")
    spent = read_money(run_dir)
    if spent is not None:
        show.block(money_table(spent))
        show.line(f"Money: {money_sentence(spent)}")


def recipes_command(name: str | None) -> None:
    """List the shipped recipes, or print one as it is."""
    shipped = shipped_recipes()
    if name is None:
        rows = []
        for key, path in shipped.items():
            plain = yaml.safe_load(path.read_text(encoding="utf-8"))
            head = plain if isinstance(plain, dict) else {}  # a file may hold only comments
            rows.append((key, *(str(head.get(name) or "").strip() for name in HEAD)))
        show.table("Shipped recipes", ("recipe", "task", "what it makes"), rows)
    elif name in shipped:
        print(shipped[name].read_text(encoding="utf-8"), end="")
    else:
        raise RecipeError(f"{name}: no shipped recipe of that name; {nearest(name, shipped)}")


def report_command(folder: Path) -> None:
    """Write the report again and say where it is."""
    run_dir, recipe = open_run(folder)
    with run_dir.locked():
        page = write_report(run_dir, recipe)
    show.line(f"Report: {page}")
