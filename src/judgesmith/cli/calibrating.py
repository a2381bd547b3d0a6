"""`calibrate`: fit a judge's confidence to labels, and say what that did."""

from pathlib import Path

from judgesmith.cli import show
from judgesmith.inference.abstaining import promises
from judgesmith.inference.calibration import Calibration, Figure
from judgesmith.models.protocol import Mode
from judgesmith.pipeline import open_run
from judgesmith.pipeline.calibrating import calibrate


def calibrate_command(
    folder: Path, labelled: Path | None, *, dialect: str | None, student: str | None,
    mode: Mode | None, seed: int, replace: bool,
) -> None:  # fmt: skip
    """Fit, keep, and show the calibration, with what it lets the judge promise."""
    show.rehearsal(open_run(folder)[1].header.rehearsed)
    judge, found, before = calibrate(
        folder, labelled, dialect=dialect, student=student, mode=mode, seed=seed, replace=replace
    )
    fitted = found.fitted_on
    show.line(
        f"{judge.name} on {fitted.items:,} items of {fitted.questions:,} questions from "
        f"{fitted.what} (labels: {fitted.labels}); {fitted.without_verdict:,} without a verdict."
    )
    show.table(
        "Confidence before and after, on the held-out questions that chose the map",
        ["", "before", "after", "change"],
        [
            ("log loss, nats", _shown(found.loss_before), _shown(found.loss_after),
             _shown(found.loss_change)),
            ("calibration error", _shown(found.ece_before), _shown(found.ece_after), ""),
        ],
    )  # fmt: skip
    show.line(f"{_what(found)} Calibration {found.id}, kept in {folder}.")
    if before is not None and before.id != found.id:
        show.line(
            f"It replaces {before.id}, on {before.fitted_on.questions:,} questions of "
            f"{before.fitted_on.what}."
        )
    for told in promises(found):
        show.line(told)


def _what(found: Calibration) -> str:
    if found.temperature is not None:
        return f"Temperature {found.temperature.value:.2f} (above 1: the judge was too sure)."
    if found.isotonic is not None:
        return f"An isotonic map with {len(found.isotonic.knots)} knots."
    return "No map is shown to make the stated confidence better, so it is left as it is."


def _shown(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    ends = "" if figure.low is None else f" [{figure.low:.3f}, {figure.high:.3f}]"
    return f"{figure.value:.3f}{ends}"
