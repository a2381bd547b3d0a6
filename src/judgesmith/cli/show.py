"""How results look on a terminal."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from judgesmith.report import blocks
from judgesmith.report.advice import NO_ADVICE, advise_all
from judgesmith.report.document import StageRow
from judgesmith.report.numbers import estimate, money, not_shown, p_value
from judgesmith.report.result_tables import published_figure
from judgesmith.report.results import Evaluation, GateResult, Number, Published
from judgesmith.report.sections import REHEARSED

_PIPE_WIDTH = 120
console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
WRAPPED = (
    "dropped", "what it makes", "conclusion", "what it holds", "published", "licence", "model",
    "metric", "source",
)  # fmt: skip
OUTCOMES = {"pass": "PASS", "fail": "FAIL", "inconclusive": "NOT ENOUGH EVIDENCE"}
_OUTCOME_STYLE = {
    "pass": "bold green",
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "not applicable": "dim",
}


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; the first column is left-aligned, the others right."""
    console.print(f"\n[bold]{title}[/]")
    drawn = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for position, name in enumerate(columns):
        first = position == 0
        wraps = first or name in WRAPPED
        side: JustifyMethod = "left" if wraps else "right"
        drawn.add_column(name, justify=side, no_wrap=not wraps, overflow="fold")
    for row in rows:
        drawn.add_row(*[str(cell) for cell in row])
    console.print(drawn)


def line(text: str) -> None:
    """Print one line as it is, unbroken."""
    console.print(text, markup=False, soft_wrap=True)


def rehearsal(rehearsed: bool) -> None:
    """Say of a rehearsal that it is one, wherever its numbers are shown."""
    if rehearsed:
        console.print(f"[bold yellow]Rehearsed.[/] {REHEARSED}", soft_wrap=True)


def block(shown: blocks.Table) -> None:
    """Print a table of the report; what stands beside a cell's text comes below it."""
    rows = [
        [escape("\n".join([cell.text, *filter(None, cell.aside.split(", "))])) for cell in row]
        for row in shown.rows
    ]
    heads = ["\n".join(column.title.rsplit(" ", 1)) for column in shown.columns]
    table(shown.heading, heads, rows)
    if shown.note:
        console.print(shown.note, markup=False)


def stages(rows: Iterable[StageRow]) -> None:
    """The stages table of `judgesmith status`."""
    lines = []
    for row in rows:
        dropped = "; ".join(f"{n} {reason}" for reason, n in row.dropped.items()) or "0"
        counts = ("", "", "") if row.taken is None else (row.taken, row.made, dropped)
        seconds = "" if row.wall_s is None else f"{row.wall_s:.1f} s"
        lines.append((row.stage, row.state, *counts, money(row.cost_usd), seconds))
    table("Stages", ("stage", "state", "in", "out", "dropped", "cost", "time"), lines)


def supply(rows: Sequence[Mapping[str, Any]]) -> None:
    """The supply audit: what each bucket could draw from, and what is missing."""
    columns = ("bucket", "pool", "ceiling", "quota", "filled", "shortfall", "limiting")
    if rows:
        table("Supply", columns, [[row[name] for name in columns] for row in rows])


def confounds(found: Mapping[str, Any] | None) -> None:
    """Whether style gives the flagged side away: length and hedges by bucket, then generators."""
    if not found:
        return
    rows = [
        (
            row["bucket"],
            row["contrasts"],
            _share(row["longer_share"]),
            _share(row["hedged_flagged"]),
            _share(row["hedged_unflagged"]),
            row["flagged_first"],
        )
        for row in found["buckets"]
    ]
    columns = ("bucket", "contrasts", "flagged longer", "hedged", "other hedged", "shown first")
    table("Confounds: does style give the flagged side away?", columns, rows)
    generators = [(g["generator"], g["slots"], _share(g["share"])) for g in found["generators"]]
    table("Confounds: flagged share of each generator's slots",
          ("generator", "slots", "flagged"), generators)  # fmt: skip


def _share(number: Mapping[str, Any] | None) -> str:
    if number is None or number["value"] is None:
        return "-"
    return f"{number['value']:.0%} [{number['low']:.0%}, {number['high']:.0%}]"


def findings(rows: Sequence[Mapping[str, Any]]) -> None:
    """Findings, the worst first."""
    order = {"error": 0, "warning": 1, "info": 2}
    style = {"error": "bold red", "warning": "yellow", "info": "dim"}
    for row in sorted(rows, key=lambda row: order[row["severity"]]):
        severity = row["severity"]
        console.print(f"[{style[severity]}]{severity:7}[/] ", end="")
        console.print(f"{row['audit']}: {row['message']}", markup=False)
        if severity != "info":
            console.print(f"        effect: {row['effect']}", markup=False)
            console.print(f"        what to do: {row['remedy']}", markup=False)


class Cells:
    """Numbers as short cells; why one is not shown is said once, below the table."""

    def __init__(self, absent: str = "order-proof") -> None:
        self.reasons: list[str] = []
        self.absent = absent

    def of(self, number: Number | None) -> str:
        """One number as a cell."""
        if number is None:
            return self.absent
        reason = not_shown(number)
        if reason is None:
            return estimate(number)
        if reason not in self.reasons:
            self.reasons.append(reason)
        return f"not shown ({self.reasons.index(reason) + 1})"

    def explain(self) -> None:
        """Say below the table why numbers were not shown."""
        for position, reason in enumerate(self.reasons, start=1):
            line(f"({position}) {reason}")


def evaluation(results: Evaluation) -> None:
    """Every format in turn: judges on the domain slices, then what the student was compared with.

    Kappa where judges gave verdicts; exact agreement, weighted kappa and Pearson where scores.
    """
    for one in (results, *results.also):
        if results.also:
            line(f"\n{one.dialect}")
        (_scores if one.form == "scores" else _verdicts)(one)
        _compared(one)
        _published(one)
    times = "once" if results.test_looks == 1 else f"{results.test_looks} times"
    direction = f"; {results.direction}" if results.direction else ""
    line(
        f"Intervals: {results.confidence:.0%}, {results.resamples:,} bootstrap resamples of "
        f"questions{direction}. Test labels were looked at {times} in this run folder."
    )
    _advice(results)


def _verdicts(results: Evaluation) -> None:
    domains = [part for part in results.slices if part.kind == "domain"]
    heads = (f"{part.title} ({part.n})" for part in domains)
    columns = ["judge", *heads, "consistency", "coverage"]
    cells = Cells()
    rows = []
    for found in results.judges:
        main = found.slices[domains[0].name]
        kappas = [cells.of(found.slices[part.name].kappa) for part in domains]
        share = f"{main.coverage.value:.1%}" if main.coverage.value is not None else "-"
        rows.append((found.name, *kappas, cells.of(main.consistency), share))
    rows += [
        (f"{judge}, cited", *(_cited(results, judge, part.name) for part in domains), "", "")
        for judge in dict.fromkeys(e.judge for e in _placed(results))
    ]
    proof = all(judge.order_proof for judge in results.judges)
    how = "no judge sees an order" if proof else "order-averaged"
    table(f"Cohen's kappa, {how}; {results.labels_title}", columns, rows)
    cells.explain()


def _scores(results: Evaluation) -> None:
    domains = [part for part in results.slices if part.kind == "domain"]
    cells = Cells()
    rows = [
        (judge.name, part.title, cells.of(found.exact), cells.of(found.weighted_kappa),
         cells.of(found.pearson), f"{found.coverage.value or 0:.1%}")
        for part in domains
        for judge in results.scored
        for found in (judge.slices[part.name],)
    ]  # fmt: skip
    heads = ("judge", "slice", "exact", "weighted kappa", "Pearson", "coverage")
    table(f"Scores; {results.labels_title}", heads, rows)
    cells.explain()


def _compared(results: Evaluation) -> None:
    cells = Cells()
    names = [judge.name for judge in results.judges] + [judge.name for judge in results.scored]
    compared = [
        (c.b, c.slice, cells.of(c.difference), f"{c.gained}/{c.lost}", p_value(c.p_holm),
         c.conclusion)
        for c in results.comparisons
        if c.a == names[0]
    ]  # fmt: skip
    metrics = " or ".join(dict.fromkeys(c.metric for c in results.comparisons)) or "kappa"
    heads = ("student minus", "slice", metrics, "gained/lost", "p (Holm)", "conclusion")
    table(f"Paired comparisons; {results.labels_title}", heads, compared)
    cells.explain()


def _placed(results: Evaluation) -> list[Published]:
    """Published kappas of a domain that has a column here."""
    domains = {part.name for part in results.slices if part.kind == "domain"}
    verdicts = results.form == "pairs"
    return [e for e in results.published if verdicts and e.metric == "kappa" and e.slice in domains]


def _cited(results: Evaluation, judge: str, part: str) -> str:
    found = [e.value for e in _placed(results) if e.judge == judge and e.slice == part]
    return f"{found[0]:.3f}".removeprefix("0") if found else ""


def _published(results: Evaluation) -> None:
    """Published figures that have no place in the table above."""
    placed = _placed(results)
    rows = [
        (e.judge, e.metric, published_figure(e.value), "; ".join(filter(None, (e.source, e.note))))
        for e in results.published
        if e not in placed
    ]
    if rows:
        heads = ("judge", "metric", "value", "source")
        table("Published elsewhere, cited as context; compared by no test", heads, rows)


def _advice(results: Evaluation) -> None:
    """Which of the run's checkpoints to use where; nothing where fewer than two were compared."""
    found = advise_all(results)
    if found:
        console.print("\n[bold]Which checkpoint, where[/]")
    for one in found:
        whose = f" ({one.dialect})" if one.dialect else ""
        use = one.use if one.use == NO_ADVICE else f"use {one.use}"
        line(f"{one.place}{whose}, {use}. {one.because}")


def gate(result: GateResult, where: str) -> None:
    """The gate's verdict with its reasons."""
    console.print(f"\n[bold]Gate for {result.judge}[/]; {result.labels_title}")
    for check in result.checks:
        found = "" if check.found is None or not_shown(check.found) else estimate(check.found)
        console.print(f"  [{_OUTCOME_STYLE[check.outcome]}]{check.outcome:14}[/] ", end="")
        line(f"{check.requirement}: {found} {check.reason}".replace(":  ", ": "))
        if check.labels_needed is not None:
            line(f"{'':17}about {check.labels_needed:,} labels would decide it")
    console.print(f"\nGate: [{_OUTCOME_STYLE[result.outcome]}]{OUTCOMES[result.outcome]}[/]")
    line(f"Report: {where}")
