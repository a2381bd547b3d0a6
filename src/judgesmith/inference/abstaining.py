"""A judge that gives a verdict only where it may, and hands the rest to another or to nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from judgesmith.errors import DataError
from judgesmith.inference.calibration import Calibration
from judgesmith.inference.fitting import round_confidence
from judgesmith.inference.judge import Judge
from judgesmith.inference.judged import Judged
from judgesmith.inference.rows.writing import as_row
from judgesmith.metrics import Abstention
from judgesmith.metrics.selective import KEEPS_ALL
from judgesmith.records import Kind, Status, content_id
from judgesmith.sources.own_files import OwnPair

_WHAT = {Kind.SINGLE: "one response", Kind.PAIR: "two responses", Kind.LIST: "a list of responses"}

_TELLING = {"preference", "distribution", "scores"}
_SILENT = {"verdict": None, "status": Status.ABSTAINED.value}

ABSTAINED_BY = "abstained_by"
"""In the row of a second judge: the judge that abstained."""


RISKS = (0.05, 0.1, 0.2)
DELTA = 0.05
"""Risks that are shown where nobody names one, and how likely a promise about them may fail."""


@dataclass(frozen=True)
class Abstaining:
    """The rule by which a judge abstains, what it is about, and who is asked instead."""

    rule: Abstention
    kind: Kind
    second: Judge | None = None

    @property
    def id(self) -> str:
        """What tells this from another rule or another second judge."""
        second = self.second
        return content_id(
            "Abstaining", self.told, self.kind,
            None if second is None else [second.name, second.version, second.mode],
        )  # fmt: skip

    def check(self, entry: OwnPair) -> None:
        """Refuse a row that the promise says nothing of; DataError names file and line."""
        if entry.item.kind is not self.kind:
            raise DataError(
                f"{entry.where}: expected {_WHAT[self.kind]}, found {_WHAT[entry.item.kind]}: the "
                f"calibration was fitted on {_WHAT[self.kind]}, and promises nothing of others. "
                "Judge these rows without --abstain-risk."
            )

    def withholds(self, judged: Judged) -> bool:
        """Whether the verdict of a row is not given, as too many like it are wrong."""
        return judged.verdict is not None and not self.rule.gives(round_confidence(judged))

    def rows(self, judge: Judge, judged: Sequence[Judged], first: int) -> list[dict[str, Any]]:
        """The rows as they are written, in order; `first` is the position of the first, from 1.

        A row that the judge abstains on has the status `abstained` and nothing that tells the
        verdict but its reasons; one that a second judge took over is that judge's row, with the
        first judge's name in `abstained_by`. `abstention` says what was promised of the others.
        A row without a verdict stays what it is, as there was nothing to withhold.
        """
        withheld = [self.withholds(one) for one in judged]
        again = [one.entry for one, held in zip(judged, withheld, strict=True) if held]
        others = iter(self.second.judge(again) if self.second is not None and again else ())
        found = []
        for position, (one, held) in enumerate(zip(judged, withheld, strict=True), start=first):
            if not held:
                found.append(as_row(one, judge, position))
            elif self.second is not None:
                row = as_row(next(others), self.second, position)
                found.append({**row, ABSTAINED_BY: judge.name})
            else:
                found.append(_withheld(as_row(one, judge, position)))
        return [{**row, "abstention": self.told} for row in found]

    @property
    def told(self) -> dict[str, float | None]:
        """Under what promise the rows are written."""
        rule = self.rule
        return {"risk": rule.risk, "delta": rule.delta, "above": rule.above}


def _withheld(row: dict[str, Any]) -> dict[str, Any]:
    """A row without anything that says which verdict would have been given."""
    told = {**row, **dict.fromkeys(_TELLING & row.keys()), **_SILENT}
    if "orders" in row:
        told["orders"] = [{**order, **_SILENT} for order in row["orders"]]
    return told


def as_rows(
    judge: Judge, judged: Sequence[Judged], first: int, abstaining: Abstaining | None
) -> list[dict[str, Any]]:
    """What is written for rows in order, the first of them at position `first`, from 1."""
    if abstaining is not None:
        return abstaining.rows(judge, judged, first)
    return [as_row(one, judge, position) for position, one in enumerate(judged, start=first)]


def promises(calibration: Calibration) -> list[str]:
    """For each of some common risks what the calibration promises, or why it cannot."""
    told = []
    for risk in RISKS:
        rule = calibration.abstention(risk, DELTA)
        said = not_enough(calibration, rule) if rule.above is None else promise(calibration, rule)
        told.append(f"--abstain-risk {risk:g}: {said}")
    return told


def promise(calibration: Calibration, rule: Abstention) -> str:
    """What an abstention rule promises, in one sentence, and what that takes for granted."""
    fitted = calibration.fitted_on
    given = "all are given"
    if rule.above is not None and rule.above > KEEPS_ALL:
        given = f"given are those with a stated probability above {rule.above:.6g}"
    told = (
        f"With probability {1 - rule.delta:.0%} or more over the {rule.n:,} questions of "
        f"{fitted.what} (labels: {fitted.labels}), at most {rule.risk:.0%} of the verdicts given "
        f"are wrong on new questions like them, one item drawn of each: {given}, "
        f"{rule.coverage:.0%} there, of which "
        f"{rule.wrong} of {rule.kept} were wrong (upper bound {rule.upper:.1%}). "
        "Questions count as independent of one another."
    )
    if fitted.templates is not None and fitted.templates < rule.n:
        told += (
            f" They were made from {fitted.templates:,} templates: nothing is promised of "
            "questions from other templates."
        )
    if fitted.also_chose:
        told += (
            " Questions among them chose the judge's checkpoint or tie margin, so that the promise "
            "is somewhat too good; labels that chose nothing make it exact: `judgesmith calibrate "
            "RUN LABELLED.jsonl`."
        )
    return told


def not_enough(calibration: Calibration, rule: Abstention) -> str:
    """Why there is no threshold, and how many questions would do."""
    fitted = calibration.fitted_on
    nearest = (
        f"the nearest gives {rule.kept:,} verdicts, one of a question, {rule.wrong:,} of them "
        f"wrong, which is up to {rule.upper:.1%}"
    )
    more = (
        f"About {rule.questions_needed:,} labelled questions in all would do if these shares stay."
        if rule.questions_needed is not None
        else "At no confidence are so few of the verdicts wrong, so more labels would not help."
    )
    return (
        f"NOT ENOUGH EVIDENCE: no threshold keeps the errors at {rule.risk:.0%} with probability "
        f"{1 - rule.delta:.0%} on the {rule.n:,} questions of {fitted.what}: {nearest}. {more}"
    )
