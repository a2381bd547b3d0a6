"""`judge` and `gate`."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from judgesmith.cli import show
from judgesmith.errors import DataError, RecipeError
from judgesmith.pipeline import open_run, require_fresh
from judgesmith.pipeline.judge_pairs import Judged, OwnJudge, own_judge, write_judged
from judgesmith.stages import gate as gate_stage
from judgesmith.stages.gate import decide, read_results

REHEARSED = "rehearsed"
"""In place of a gate's outcome."""


def judge_command(pairs: Path, run_folder: Path, out: Path | None, dialect: str | None) -> None:
    """Judge a file of pairs, or of responses, and say where the verdicts are."""
    run_dir, recipe = open_run(run_folder)
    show.rehearsal(recipe.header.rehearsed)
    own = own_judge(run_dir, recipe, dialect)
    target = out or pairs.with_name(f"{pairs.name.removesuffix('.jsonl')}.judged.jsonl")
    if target.is_dir() or target.resolve() == pairs.resolve():
        raise DataError(f"--out {target}: expected a new file's name, found the input or a folder.")
    judged = write_judged(own, pairs, target)
    pairs_judged = [entry for entry in judged if entry.read is not None]
    if pairs_judged:
        show.console.print(_about_pairs(own, pairs_judged), soft_wrap=True)
    if len(pairs_judged) < len(judged):
        alone = [entry for entry in judged if entry.read is None]
        show.console.print(_about_responses(own, alone), soft_wrap=True)
    show.line(f"Verdicts: {target}")


def _about_pairs(own: OwnJudge, judged: Sequence[Judged]) -> str:
    reads = [entry.read for entry in judged if entry.read is not None]
    parsed = sum(read.averaged is not None for read in reads)
    both = [read for read in reads if read.stored is not None and read.swapped is not None]
    same = sum(read.stored == read.swapped for read in both)
    how = f"in both orders: {parsed} with a verdict, {same} of {len(both)} the same in both orders."
    if own.margin is not None:
        how = f"by a score for each response alone: {parsed} with a verdict."
    return f"{len(reads)} pairs judged {how} A verdict names the {own.dialect.direction} response."


def _about_responses(own: OwnJudge, judged: Sequence[Judged]) -> str:
    parsed = sum(entry.parsed for entry in judged)
    what = "score" if own.dialect.scored else "verdict"
    meaning = f" A higher score is {own.dialect.direction}." if own.dialect.scored else ""
    return f"{len(judged)} single responses judged: {parsed} with a {what}.{meaning}"


def gate_command(folder: Path, overrides: tuple[str, ...]) -> str:
    """Decide, show the reasons, and give the outcome; a rehearsal never passes."""
    run_dir, recipe = open_run(folder)
    show.rehearsal(recipe.header.rehearsed)
    config = recipe.sections.get("gate") or gate_stage.Config()
    values = config.model_dump()
    for override in overrides:
        key, _, text = override.removeprefix("gate.").partition("=")
        if key not in values:
            raise RecipeError(f"--set {override!r}: gate has the bounds {', '.join(values)}")
        values[key] = text
    try:
        bounds = gate_stage.Config.model_validate(values)
    except ValidationError as error:
        found = "; ".join(
            f"{d['loc'][0]}: {d['msg']}, found {d['input']!r}" for d in error.errors()
        )
        raise RecipeError(f"--set: {found}") from None
    require_fresh(run_dir, recipe, "evaluate")
    results = read_results(run_dir)
    result = decide(results, gate_stage.deciding_judge(results), bounds)
    show.gate(result, str(run_dir.file("report/index.html")))
    return REHEARSED if recipe.header.rehearsed else result.outcome
