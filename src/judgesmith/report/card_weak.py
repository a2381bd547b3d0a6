"""Where a judge is weakest, by its own results: the slices besides the domains."""

from collections.abc import Mapping
from typing import NamedTuple

from judgesmith.report.blocks import Cell, Table, columns, number_cell
from judgesmith.report.numbers import denominator, ends, estimate, not_shown
from judgesmith.report.results import Evaluation, JudgeResult, Number, SliceInfo, SliceResult

MOST = 3
"""Slices of each kind that are listed."""


class Weak(NamedTuple):
    """A slice, and the judge on it."""

    info: SliceInfo
    found: SliceResult


def judge_in(evaluation: Evaluation | None, student: str) -> tuple[Evaluation, JudgeResult] | None:
    """The evaluation, of one or several, that a student is in, with its results there."""
    for one in () if evaluation is None else (evaluation, *evaluation.also):
        for judge in one.judges:
            if judge.name == student:
                return one, judge
    return None


def weak_table(
    evaluation: Evaluation, judge: JudgeResult, glossary: Mapping[str, str]
) -> Table | None:
    """The slices of each kind with the lowest accuracy; None where nothing is broken down."""
    shown = _slices(evaluation, judge)
    if not shown:
        return None
    kinds = {weak.info.kind: [w for w in shown if w.info.kind == weak.info.kind] for weak in shown}
    rows = [
        (
            Cell(weak.info.title, aside=glossary.get(weak.info.title, ""), tone="strong"),
            Cell(kind), number_cell(weak.found.accuracy), number_cell(weak.found.kappa),
        )
        for kind, found in kinds.items() for weak in found[:MOST]
    ]  # fmt: skip
    return Table(
        f"The lowest of each kind, of {len(shown)} slices",
        columns("slice", "kind", "accuracy", "kappa", numeric=["accuracy", "kappa"]),
        tuple(rows),
        labels=evaluation.labels_title,
        note="The lowest of many are partly low by chance: their intervals are not widened for "
        "having been picked.",
    )


def clearly_weak(evaluation: Evaluation, judge: JudgeResult) -> list[Weak]:
    """Slices whose whole interval of accuracy lies under that of all items together."""
    whole = _whole(judge)
    bottom = None if whole is None else ends(whole)
    if bottom is None:
        return []
    inside = [(weak, ends(weak.found.accuracy)) for weak in _slices(evaluation, judge)]
    return [weak for weak, found in inside if found is not None and found[1] < bottom[0]]


def weak_sentences(
    evaluation: Evaluation, judge: JudgeResult, glossary: Mapping[str, str]
) -> list[str]:
    """A sentence for each slice on which the judge is clearly weak, with both numbers."""
    whole = _whole(judge)
    return [
        f"Clearly weaker on {info.title}{_meaning(info.title, glossary)}: accuracy "
        f"{estimate(found.accuracy)} ({denominator(found.accuracy)}), against {estimate(whole)} "
        f"({denominator(whole)}) on all; {evaluation.labels_title.partition('; n = ')[0]}."
        for info, found in clearly_weak(evaluation, judge)
    ]


def _meaning(name: str, glossary: Mapping[str, str]) -> str:
    return f" ({glossary[name]})" if name in glossary else ""


def _whole(judge: JudgeResult) -> Number | None:
    found = judge.slices.get("all") or judge.slices.get("in_domain")
    return None if found is None else found.accuracy


def _slices(evaluation: Evaluation, judge: JudgeResult) -> list[Weak]:
    """Slices that are no domain and have an accuracy, the lowest first."""
    known = [
        Weak(info, judge.slices[info.name]) for info in evaluation.slices
        if info.kind != "domain" and info.name in judge.slices
        and not_shown(judge.slices[info.name].accuracy) is None
    ]  # fmt: skip
    return sorted(known, key=lambda weak: (weak.found.accuracy.value or 0.0, weak.info.name))
