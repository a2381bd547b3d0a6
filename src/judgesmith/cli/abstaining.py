"""`judge --abstain-risk`: the rule from the calibration's labels, what it promises, and counts."""

from pathlib import Path
from typing import NamedTuple

from judgesmith.cli import show
from judgesmith.cli.opening import open_told
from judgesmith.errors import RecipeError, RunError
from judgesmith.inference.abstaining import DELTA, Abstaining, not_enough, promise
from judgesmith.inference.calibration import Calibration
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.stream import Tally
from judgesmith.judging.dialect import Dialect
from judgesmith.records import Kind


class AbstainOptions(NamedTuple):
    """The risk that is promised, how likely that may fail, and the judge that takes the rest."""

    risk: float | None = None
    delta: float | None = None
    second: Path | None = None


class NotEnough(NamedTuple):
    """There is no threshold; `told` says why."""

    told: str


def choose_abstaining(
    judge: Judge, folder: Path, options: AbstainOptions
) -> Abstaining | NotEnough | None:
    """How the judge abstains, with the promise printed; None where that was not asked for.

    Raises RunError for a judge without a calibration, and RecipeError for a second judge or a delta
    without a risk, or a second judge of another direction or scale.
    """
    if options.risk is None:
        if options.second is not None:
            raise RecipeError(
                "--second: expected --abstain-risk beside it, such as --abstain-risk 0.1: the "
                "second judge takes what the first abstains on."
            )
        if options.delta is not None:
            raise RecipeError(
                "--abstain-delta: expected --abstain-risk beside it, such as --abstain-risk 0.1: "
                "it says how likely that promise may fail."
            )
        return None
    calibration = judge.calibration
    if not isinstance(calibration, Calibration):
        raise RunError(
            f"--abstain-risk: {judge.name} has no calibration, so that nothing is known of its "
            f"errors. Run `judgesmith calibrate {folder}`, or with a file of labelled rows."
        )
    rule = calibration.abstention(options.risk, DELTA if options.delta is None else options.delta)
    if rule.above is None:
        return NotEnough(not_enough(calibration, rule))
    second = None if options.second is None else open_told(options.second)
    if second is not None:
        _require_alike(judge, second)
    show.line(promise(calibration, rule))
    return Abstaining(rule, calibration.fitted_on.kind, second)


def _require_alike(judge: Judge, second: Judge) -> None:
    """Refuse a second judge whose letters mean something else: one file holds the rows of both."""
    ours, theirs = _names(judge.dialect), _names(second.dialect)
    if ours != theirs:
        raise RecipeError(
            f"--second: expected a judge whose verdicts mean the same as those of {judge.name}: "
            f"{ours}, found {second.name}: {theirs}. Take one of the same direction and scale."
        )


def _names(dialect: Dialect) -> str:
    """What a verdict is and names."""
    chosen = dialect.kind is Kind.SINGLE and not dialect.scored
    values = (dialect.scale if chosen else dialect.pair_scale).values
    return f"{'/'.join(values)}, the {dialect.direction} response"


def tell_abstained(judge: Judge, abstaining: Abstaining, tally: Tally) -> None:
    """How many rows each judge took."""
    second, rest = abstaining.second, tally.abstained + tally.second
    if second is None:
        show.line(f"{judge.name} abstained on {rest:,} rows; nobody judged them.")
        return
    show.line(
        f"{judge.name} abstained on {rest:,} rows; {second.name} gave a verdict on "
        f"{tally.second_parsed:,} of them, which the promise does not cover."
    )
