"""`judge` and `gate`."""

from pathlib import Path
from statistics import median
from typing import NamedTuple

from pydantic import ValidationError

from judgesmith.cli import show
from judgesmith.cli.abstaining import (
    AbstainOptions,
    NotEnough,
    choose_abstaining,
    tell_abstained,
)
from judgesmith.cli.opening import open_told, tell_gated
from judgesmith.errors import RecipeError
from judgesmith.inference.abstaining import Abstaining
from judgesmith.inference.calibration import Calibration
from judgesmith.inference.engines import is_ray, same_judge
from judgesmith.inference.judge import Judge
from judgesmith.inference.lacking import MEAN_LITTLE, look_at, what_lacks
from judgesmith.inference.rows.chunks import Source
from judgesmith.inference.rows.stream import Elsewhere, Tally, judge_file
from judgesmith.inference.rows.target import choose_target, default_target
from judgesmith.models.protocol import Mode
from judgesmith.pipeline import open_run, require_fresh
from judgesmith.pipeline.elsewhere import over_ray
from judgesmith.stages import gate as gate_stage
from judgesmith.stages.gate import decide, read_results

LITTLE = 0.5
"""Of the probability: with less of it on a verdict, the judge would rather say something else."""

REHEARSED = "rehearsed"
"""In place of a gate's outcome."""


class JudgeOptions(NamedTuple):
    """Where verdicts go, which judge of a run is asked, how, and about how many rows."""

    out: Path | None
    dialect: str | None
    student: str | None
    mode: Mode | None
    limit: int | None
    abstain: AbstainOptions = AbstainOptions()
    engine: str | None = None


def judge_command(rows: Path, folder: Path, options: JudgeOptions) -> bool:
    """Judge a file of pairs, or of responses, and say where the verdicts are.

    False, with nothing judged, where the risk that was asked for cannot be promised.
    """
    if options.abstain.risk is not None and not same_judge(options.engine):
        raise RecipeError(
            f"--abstain-risk: a calibration belongs to the weights as they were trained, and does "
            f"not hold on another engine, {options.engine}. Leave --engine out."
        )
    judge = open_told(
        folder, dialect=options.dialect, student=options.student, mode=options.mode,
        engine=options.engine,
    )  # fmt: skip
    abstaining = choose_abstaining(judge, folder, options.abstain)
    if isinstance(abstaining, NotEnough):
        show.line(abstaining.told)
        return False
    source = Source(rows, options.limit)
    if rows.exists():
        tell_lacking(judge, source)
    target = options.out or _default_target(judge, source, abstaining)
    tally = judge_file(
        judge, rows, target, limit=options.limit, abstaining=abstaining,
        elsewhere=_elsewhere(judge, folder, options, abstaining),
    )  # fmt: skip
    if tally.pairs:
        show.console.print(_about_pairs(judge, tally), soft_wrap=True)
    if tally.alone:
        show.console.print(_about_responses(judge, tally), soft_wrap=True)
    if tally.lists:
        show.console.print(_about_lists(judge, tally), soft_wrap=True)
    if abstaining is not None:
        tell_abstained(judge, abstaining, tally)
    tell_covered(judge, tally)
    tell_sure(judge, tally)
    tell_gated(folder, judge, engine=options.engine)
    second = None if abstaining is None else abstaining.second
    if options.abstain.second is not None and second is not None:
        tell_gated(options.abstain.second, second, "Gate of the second judge")
    show.line(f"Verdicts: {target}")
    return True


def _elsewhere(
    judge: Judge, folder: Path, options: JudgeOptions, abstaining: Abstaining | None
) -> Elsewhere | None:
    if options.engine is None or not is_ray(options.engine):
        return None
    return over_ray(
        options.engine, judge, folder, dialect=options.dialect, student=options.student,
        mode=options.mode, abstaining=abstaining, second=options.abstain.second,
    )  # fmt: skip


def _default_target(judge: Judge, source: Source, abstaining: Abstaining | None) -> Path:
    """Beside the rows; where another judge's verdicts are there, that is told."""
    if not source.path.exists():
        return default_target(source)
    found, usual = choose_target(judge, source, abstaining), default_target(source)
    if found != usual:
        show.line(
            f"{usual} has verdicts of another judge, setting or file, and stays; these go to "
            f"{found.name} (or to --out FILE, which replaces what is there)."
        )
    return found


def _about_pairs(judge: Judge, tally: Tally) -> str:
    how = (
        f"in both orders: {tally.pairs_parsed} with a verdict, {tally.same} of {tally.both} the "
        "same in both orders."
    )
    if judge.margin is not None:
        how = f"by a score for each response alone: {tally.pairs_parsed} with a verdict."
    counts = ", ".join(f"{verdict} {count:,}" for verdict, count in sorted(tally.verdicts.items()))
    return (
        f"{tally.pairs} pairs judged {how} A verdict names the {judge.dialect.direction} response"
        f"{f': {counts}' if counts else ''}."
    )


def _about_responses(judge: Judge, tally: Tally) -> str:
    scored = judge.dialect.scored
    meaning = f" A higher score is {judge.dialect.direction}." if scored else ""
    what = "score" if scored else "verdict"
    return f"{tally.alone} single responses judged: {tally.alone_parsed} with a {what}.{meaning}"


def _about_lists(judge: Judge, tally: Tally) -> str:
    scored = judge.dialect.scored
    meaning = "higher score is" if scored else "verdict names the"
    return (
        f"{tally.lists} lists of responses judged, each in its order and the reverse: "
        f"{tally.lists_parsed} with {'scores' if scored else 'a verdict'}. "
        f"A {meaning} {judge.dialect.direction}{'' if scored else ' response'}."
    )


def tell_lacking(judge: Judge, source: Source) -> None:
    """Warn of rows without what all questions had that it learned from, and of unread fields."""
    count, found, unread = look_at(source.rows(), judge.expects)
    if unread:
        show.line(f"warning: fields that are not read: {', '.join(unread)}.")
    for name, lacking in found.items():
        what, known = what_lacks(name, judge.name)
        show.line(
            f"warning: {lacking.rows:,} of {count:,} rows have {what} (the first: "
            f"{lacking.first}){known}. {MEAN_LITTLE}"
        )


def tell_covered(judge: Judge, tally: Tally) -> None:
    """How much of its probability the judge put on the verdicts that it may give."""
    if not tally.covered:
        return
    middle = median(tally.covered)
    show.line(f"Covered: {middle:.0%} of the probability stood on a verdict (median of the rows).")
    if middle >= LITTLE:
        return
    why = (
        "in fast mode this judge was hardly asked what it learned: it was not trained to answer "
        "without reasons (`rows.without_reason`). Leave --mode fast out, or train one so"
        if judge.mode == "fast"
        else "this judge would mostly write something else there. Look at the rationales"
    )
    show.line(
        f"warning: {judge.name} put only {middle:.0%} of its probability on a verdict, so these "
        f"verdicts mean little: {why}."
    )


def tell_sure(judge: Judge, tally: Tally) -> None:
    """The mean confidence, and which labels it was calibrated on, if any."""
    if not tally.confident:
        return
    mean = f"Confidence: {tally.sure / tally.confident:.0%} on average of {tally.confident:,} rows"
    if not tally.calibrated or not isinstance(judge.calibration, Calibration):
        show.line(f"{mean}, not calibrated: it may be far from the share that is right.")
        return
    fitted = judge.calibration.fitted_on
    rest = tally.confident - tally.calibrated
    show.line(
        f"{mean}, calibrated ({judge.calibration.id}: {fitted.items:,} items of "
        f"{fitted.questions:,} questions from {fitted.what}, labels: {fitted.labels})"
        f"{f'; not that of {rest:,} scores' if rest else ''}."
    )


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
