"""Where a judge is weakest, by its own results: the slices besides the domains.

Verdicts are told by accuracy and kappa, scores by exact agreement and weighted kappa.
"""

from collections.abc import Mapping
from typing import NamedTuple

from judgesmith.report.blocks import Cell, Table, columns, number_cell
from judgesmith.report.numbers import denominator, ends, estimate, not_shown
from judgesmith.report.results import Evaluation, JudgeResult, Number, SliceInfo
from judgesmith.report.score_results import ScoreResult

MOST = 3
"""Slices of each kind that are listed."""


AnyJudge = JudgeResult | ScoreResult


class Weak(NamedTuple):
    """A slice, and the judge on it: how often it is right, and agreement beyond chance."""

    info: SliceInfo
    right: Number
    agreement: Number


def judge_in(evaluation: Evaluation | None, student: str) -> tuple[Evaluation, JudgeResult] | None:
    """The evaluation, of one or several, that a student is in, with its results there."""
    for one in () if evaluation is None else (evaluation, *evaluation.also):
        for judge in one.judges:
            if judge.name == student:
                return one, judge
    return None


def broken_down(
    evaluation: Evaluation | None, student: str
) -> list[tuple[Evaluation, AnyJudge]]:  # fmt: skip
    """Every evaluation that a student is in, of verdicts or of scores, with its results there."""
    found: list[tuple[Evaluation, AnyJudge]] = []
    for one in () if evaluation is None else (evaluation, *evaluation.also):
        everyone: tuple[AnyJudge, ...] = (*one.judges, *one.scored)
        found += [(one, judge) for judge in everyone if judge.name == student]
    return found


def weak_table(
    evaluation: Evaluation, judge: AnyJudge, glossary: Mapping[str, str]
) -> Table | None:
    """The slices of each kind with the lowest accuracy; None where nothing is broken down."""
    shown = _slices(evaluation, judge)
    if not shown:
        return None
    kinds = {weak.info.kind: [w for w in shown if w.info.kind == weak.info.kind] for weak in shown}
    rows = [
        (
            Cell(weak.info.title, aside=glossary.get(weak.info.title, ""), tone="strong"),
            Cell(kind), number_cell(weak.right), number_cell(weak.agreement),
        )
        for kind, found in kinds.items() for weak in found[:MOST]
    ]  # fmt: skip
    return Table(
        f"The lowest of each kind, of {len(shown)} slices{_what(judge)}",
        columns("slice", "kind", *_heads(judge), numeric=_heads(judge)),
        tuple(rows),
        labels=evaluation.labels_title,
        note="The lowest of many are partly low by chance: their intervals are not widened for "
        "having been picked.",
    )


def clearly_weak(evaluation: Evaluation, judge: AnyJudge) -> list[Weak]:
    """Slices on which it is right less often: the whole interval lies under that of all items."""
    whole = _whole(judge)
    bottom = None if whole is None else ends(whole)
    if bottom is None:
        return []
    inside = [(weak, ends(weak.right)) for weak in _slices(evaluation, judge)]
    return [weak for weak, found in inside if found is not None and found[1] < bottom[0]]


def weak_sentences(
    evaluation: Evaluation, judge: AnyJudge, glossary: Mapping[str, str]
) -> list[str]:
    """A sentence for each slice on which the judge is clearly weak, with both numbers."""
    whole = _whole(judge)
    return [
        f"Clearly weaker on {info.title}{_meaning(info.title, glossary)}: {_heads(judge)[0]} "
        f"{estimate(right)} ({denominator(right)}), against {estimate(whole)} "
        f"({denominator(whole)}) on all; {evaluation.labels_title.partition('; n = ')[0]}."
        for info, right, _ in clearly_weak(evaluation, judge)
    ]


def _meaning(name: str, glossary: Mapping[str, str]) -> str:
    return f" ({glossary[name]})" if name in glossary else ""


def _heads(judge: AnyJudge) -> list[str]:
    scores = isinstance(judge, ScoreResult)
    return ["exact scores", "weighted kappa"] if scores else ["accuracy", "kappa"]


def _what(judge: AnyJudge) -> str:
    return ", by its scores" if isinstance(judge, ScoreResult) else ""


def _whole(judge: AnyJudge) -> Number | None:
    for name in ("all", "in_domain"):
        if isinstance(judge, ScoreResult) and name in judge.slices:
            return judge.slices[name].exact
        if isinstance(judge, JudgeResult) and name in judge.slices:
            return judge.slices[name].accuracy
    return None


def _slices(evaluation: Evaluation, judge: AnyJudge) -> list[Weak]:
    """Slices that are no domain and on which it is known how often it is right; lowest first."""
    known = [
        _weak(info, judge) for info in evaluation.slices
        if info.kind != "domain" and info.name in judge.slices
    ]  # fmt: skip
    shown = [weak for weak in known if not_shown(weak.right) is None]
    return sorted(shown, key=lambda weak: (weak.right.value or 0.0, weak.info.name))


def _weak(info: SliceInfo, judge: AnyJudge) -> Weak:
    if isinstance(judge, ScoreResult):
        scored = judge.slices[info.name]
        return Weak(info, scored.exact, scored.weighted_kappa)
    found = judge.slices[info.name]
    return Weak(info, found.accuracy, found.kappa)
