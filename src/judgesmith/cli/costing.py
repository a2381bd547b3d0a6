"""`cost`: what a judgment costs, and when a judge of one's own pays."""

from datetime import date
from pathlib import Path

from judgesmith.cli import show
from judgesmith.costs import example, load_inputs, work_out
from judgesmith.errors import RecipeError
from judgesmith.pipeline.recipes import is_run
from judgesmith.pipeline.run_costs import Measured, measure_run
from judgesmith.report.blocks import Banner, Table, Text
from judgesmith.report.cost_sections import cost_blocks, cost_section, measured_table
from judgesmith.report.costs import Costs
from judgesmith.report.markdown import render_section
from judgesmith.report.numbers import plural
from judgesmith.runs.jsonl import write_bytes, write_json

OLD_DAYS = 90
"""Prices older than this are said to be."""
ENDINGS = (".json", ".md")


def cost_command(
    targets: list[str], overrides: tuple[str, ...], out: tuple[Path, ...], draws: int, seed: int
) -> None:
    """Work a cost file out, with what a run measured; show it, and write it where asked."""
    for path in out:
        if path.suffix not in ENDINGS or path.is_dir():
            raise RecipeError(f"--out {path}: expected a file's name that ends in .json or .md.")
    runs, files = _sorted_out(targets)
    measured = measure_run(Path(runs[0])) if runs else Measured()
    if not files:
        _without_prices(runs[0], measured, overrides, out)
        return
    inputs = load_inputs(Path(files[0]), overrides, measured.fill)
    found = work_out(inputs, draws=draws, seed=seed, origins=measured.origins)
    if runs:
        show.block(measured_table(measured.rows))
    _show(found)
    for note in (*measured.notes(inputs), *_old_prices(found, date.today())):
        show.line(f"warning: {note}")
    for path in out:
        if path.suffix == ".json":
            write_json(path, found.model_dump(mode="json"))
        else:
            write_bytes(path, render_section(cost_section(found), level=1).encode())
        show.line(f"Wrote {path}")


def example_command() -> None:
    """Print the example, to copy and edit."""
    print(example(), end="")


def _sorted_out(targets: list[str]) -> tuple[list[str], list[str]]:
    runs = [target for target in targets if is_run(Path(target))]
    files = [target for target in targets if target not in runs]
    if not targets or len(runs) > 1 or len(files) > 1:
        raise RecipeError(
            f"expected a cost file, a run, or both; found {targets}. `judgesmith cost --example` "
            "prints a cost file to copy."
        )
    return runs, files


def _without_prices(
    run: str, measured: Measured, overrides: tuple[str, ...], out: tuple[Path, ...]
) -> None:
    if overrides or out:
        raise RecipeError(
            "--set and --out need a cost file, which has the prices: `judgesmith cost --example > "
            f"cost.yaml`, then `judgesmith cost {run} cost.yaml`."
        )
    show.block(measured_table(measured.rows))
    show.line(
        "What it comes to hangs on prices, which no run knows: `judgesmith cost --example > "
        f"cost.yaml`, then `judgesmith cost {run} cost.yaml`."
    )


def _show(found: Costs) -> None:
    for block in cost_blocks(found):
        if isinstance(block, Banner):
            show.line(f"\n{block.title}: {block.text}")
        elif isinstance(block, Table) and not block.folded:
            show.block(block)
        elif isinstance(block, Text):
            show.line(f"\n{block.text}")


def _old_prices(found: Costs, today: date) -> list[str]:
    """Prices that are old, or of a day to come."""
    said = []
    for price in found.prices:
        days = (today - price.as_of).days
        if days > OLD_DAYS or days < 0:
            age = f"{plural(days, 'day')} old" if days > 0 else "of a day to come"
            said.append(f"the price of {price.name} (as of {price.as_of}) is {age}: look it up.")
    return said
