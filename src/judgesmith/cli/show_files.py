"""How a measurement of files looks on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

from judgesmith.cli import show
from judgesmith.cli.show import Cells, findings, line
from judgesmith.report.document import Document
from judgesmith.report.evidence import Evidence
from judgesmith.report.numbers import p_value
from judgesmith.report.results import Comparison, Evaluation

MOST_ROWS = 15
MOST_FOUND = 4


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table whose cells are printed as they are: a judge may be called `gpt[v2]`."""
    show.table(escape(title), heads, [[escape(str(cell)) for cell in row] for row in rows])


def document(found: Document) -> None:
    """Agreement, order, comparisons, people, and what could not be measured."""
    evaluation, evidence = found.evaluation, found.evidence
    if evaluation is None or evidence is None:
        return
    if evaluation.judges:
        _agreement(evaluation)
    elif any(judge.scores for judge in evidence.judges):
        _scores(evaluation, evidence)
    else:
        _without_labels(evaluation, evidence)
    _comparisons(evaluation)
    _people(evaluation, evidence)
    _repeats(evidence)
    findings([row for row in found.findings if row["severity"] != "info"][:MOST_FOUND])
    if found.findings:
        line(f"{len(found.findings)} audit findings in all; they are in the report.")
    for what, why in evidence.not_measured.items():
        if not what.startswith("audit of"):
            line(f"not measured: {what}: {why}")
    for note in evidence.notes:
        line(f"note: {note}")


def licences(tables: Mapping[str, Any]) -> None:
    """Under whose terms a run's records stand, and what may be published."""
    for name, found in tables.items():
        if not name.startswith("licences, "):
            continue
        rows = [
            (output["output"], "\n".join(one["terms"]), one["n"], one["publish"], one["train"])
            for output in found["outputs"]
            for one in output["sets"]
        ]
        heads = ("file", "licence", "records", "may publish", "may train")
        table(f"What may be published: {name.removeprefix('licences, ')}", heads, rows[:MOST_ROWS])
        if len(rows) > MOST_ROWS:
            line(f"{len(rows) - MOST_ROWS} more rows are in audit.json (--out FOLDER).")


def _agreement(evaluation: Evaluation) -> None:
    pairs = bool(evaluation.direction)
    cells = Cells("one order")
    rows = []
    for judge in evaluation.judges:
        part = judge.slices.get("all")
        if part is None:
            continue
        order = "order-proof" if judge.order_proof else cells.of(part.consistency)
        covered = part.coverage.value
        rows.append(
            (
                judge.name, part.coverage.n, cells.of(part.kappa), cells.of(part.accuracy),
                *([order] if pairs else []), "-" if covered is None else f"{covered:.1%}",
            )
        )  # fmt: skip
    consistency = ["consistency"] if pairs else []
    heads = ("judge", "judged", "kappa", "accuracy", *consistency, "coverage")
    table(f"Agreement; {evaluation.labels_title}", heads, rows)
    cells.explain()
    line(
        f"Intervals: {evaluation.confidence:.0%}, {evaluation.resamples:,} bootstrap resamples of "
        f"questions{'; ' if evaluation.direction else ''}{evaluation.direction}."
    )


def _scores(evaluation: Evaluation, evidence: Evidence) -> None:
    cells = Cells("-")
    rows = [
        (
            f"{judge.judge}: {one.criterion}", one.n, cells.of(one.pearson),
            cells.of(one.spearman), cells.of(one.weighted_kappa),
        )
        for judge in evidence.judges
        for one in judge.scores
    ]  # fmt: skip
    heads = ("judge: criterion", "n", "Pearson", "Spearman", "weighted kappa")
    table(f"Scores; {evaluation.labels_title}", heads, rows)
    cells.explain()


def _without_labels(evaluation: Evaluation, evidence: Evidence) -> None:
    cells = Cells("-")
    shown = [judge for judge in evidence.judges if judge.flips or judge.longer_wins]
    if not shown:
        return
    rows = []
    for judge in shown:
        flips = judge.flips
        cycles = judge.transitivity[0].cycles if judge.transitivity else None
        orders = (flips.consistency, flips.primacy) if flips else (None, None)
        rows.append((judge.judge, *map(cells.of, (*orders, judge.longer_wins, cycles))))
    heads = ("judge", "consistency", "primacy", "longer wins", "cycles of 3")
    table(f"Without labels; {evaluation.labels_title}", heads, rows)
    cells.explain()


def _comparisons(evaluation: Evaluation) -> None:
    if not evaluation.comparisons:
        return
    cells = Cells("-")
    rows = [
        (
            f"{one.a} minus {one.b}", _compared(one), cells.of(one.difference),
            f"{one.gained}/{one.lost}", p_value(one.p_holm), one.conclusion,
        )
        for one in evaluation.comparisons[:MOST_ROWS]
    ]  # fmt: skip
    heads = ("judges", "of", "difference", "gained/lost", "p (Holm)", "conclusion")
    table(f"Paired comparisons; {evaluation.labels_title}", heads, rows)
    cells.explain()
    if len(evaluation.comparisons) > MOST_ROWS:
        line(f"{len(evaluation.comparisons) - MOST_ROWS} more comparisons are in the report.")


def _compared(one: Comparison) -> str:
    """The metric, and the criterion where the comparison is of one."""
    return one.metric if one.slice == "all" else f"{one.metric} ({one.slice})"


def _repeats(evidence: Evidence) -> None:
    cells = Cells("-")
    rows = [
        (f"{judge.judge}: {part}", number.n, cells.of(number))
        for judge in evidence.judges
        for part, number in judge.repeats.items()
    ]
    if rows:
        heads = ("judge: items", "n", "alpha")
        table("Repeats of one judge, in one order: Krippendorff's alpha", heads, rows[:MOST_ROWS])
        cells.explain()


def _people(evaluation: Evaluation, evidence: Evidence) -> None:
    alphas = evidence.people_alpha
    cells = Cells("-")
    if alphas:
        shown = [(name, number.n, cells.of(number)) for name, number in alphas.items()]
        table("Krippendorff's alpha among the people", ("items", "n", "alpha"), shown[:MOST_ROWS])
    if not evidence.people:
        cells.explain()
        return
    what = "Spearman" if not evaluation.judges else "kappa"
    rows = [(f"{a}, {b}", number.n, cells.of(number)) for a, b, number in evidence.people]
    table("People with each other: the ceiling", ("people", "n", what), rows[:MOST_ROWS])
    cells.explain()
