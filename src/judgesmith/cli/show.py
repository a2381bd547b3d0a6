"""How results look on a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from judgesmith.report.numbers import estimate
from judgesmith.report.results import Evaluation, GateResult, JudgeResult, StageRow

console = Console(highlight=False, soft_wrap=False)
_OUTCOME_STYLE = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; the first column is left-aligned, the others right."""
    drawn = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for position, name in enumerate(columns):
        drawn.add_column(name, justify="left" if position == 0 else "right")
    for row in rows:
        drawn.add_row(*[str(cell) for cell in row])
    console.print(drawn)


def stages(rows: Iterable[StageRow]) -> None:
    """The stages table of `judgesmith status`."""
    lines = []
    for row in rows:
        dropped = "; ".join(f"{n} {reason}" for reason, n in row.dropped.items()) or "0"
        counts = ("", "", "") if row.taken is None else (row.taken, row.made, dropped)
        seconds = "" if row.wall_s is None else f"{row.wall_s:.1f} s"
        lines.append((row.stage, row.state, *counts, f"${row.cost_usd:.2f}", seconds))
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
    rows = []
    for row in found["buckets"]:
        rows.append(
            (
                row["bucket"], row["n"], row["contrasts"], _share(row["longer_share"]),
                _share(row["hedged_flagged"]), _share(row["hedged_unflagged"]),
                f"{row['flagged_first']}/{row['contrasts']}",
            )
        )  # fmt: skip
    columns = ("bucket", "n", "contrasts", "flagged longer", "hedged", "other hedged", "first")
    table("Confounds: does style give the flagged side away?", columns, rows)
    generators = [(g["generator"], g["slots"], _share(g["share"])) for g in found["generators"]]
    table("Confounds: share of each generator's slots that are flagged",
          ("generator", "slots", "flagged"), generators)  # fmt: skip


def _share(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None or estimate["value"] is None:
        return "-"
    return f"{estimate['value']:.0%} [{estimate['low']:.0%}, {estimate['high']:.0%}]"


def findings(rows: Sequence[Mapping[str, Any]]) -> None:
    """Findings, the worst first."""
    order = {"error": 0, "warning": 1, "info": 2}
    style = {"error": "bold red", "warning": "yellow", "info": "dim"}
    for row in sorted(rows, key=lambda row: order[row["severity"]]):
        severity = row["severity"]
        console.print(f"[{style[severity]}]{severity:7}[/] {row['audit']}: ", end="")
        console.print(row["message"], markup=False)
        if severity != "info":
            console.print(f"        effect: {row['effect']}", markup=False)
            console.print(f"        what to do: {row['remedy']}", markup=False)


def evaluation(results: Evaluation) -> None:
    """Kappa of every judge on the domain slices, then the paired comparisons."""
    domains = [part for part in results.slices if part.kind == "domain"]
    columns = ["judge", *(f"{part.title} (n = {part.n})" for part in domains), "consistency"]
    rows = []
    for found in results.judges:
        cells = [estimate(found.slices[part.name].kappa) for part in domains]
        consistency = found.slices[domains[0].name].consistency
        shown = "order-proof" if consistency is None else estimate(consistency)
        rows.append((found.name, *cells, shown))
    table(f"Cohen's kappa, order-averaged; {results.labels_title}", columns, rows)
    if results.published:
        cited = [(p.judge, p.slice, f"{p.kappa:.3f}", p.source) for p in results.published]
        table("Published figures, cited as context", ("judge", "slice", "kappa", "source"), cited)
    compared = [
        (f"{c.a} - {c.b}", c.slice, estimate(c.difference), f"{c.gained}/{c.lost}",
         f"{c.p_holm:.3f}", c.conclusion)
        for c in results.comparisons
    ]  # fmt: skip
    heads = ("difference of kappas", "slice", "value", "gained/lost", "p (Holm)", "conclusion")
    table(f"Paired comparisons; {results.labels_title}", heads, compared)
    times = "once" if results.test_looks == 1 else f"{results.test_looks} times"
    console.print(f"Test labels were looked at {times}.")


def judge_result(result: JudgeResult, title: str) -> None:
    """One judge on a user's own labelled pairs."""
    found = result.slices["all"]
    pairs = [
        ("kappa, order-averaged", found.kappa),
        ("kappa, stored order", found.kappa_stored_order),
        ("kappa, swapped order", found.kappa_swapped_order),
        ("accuracy", found.accuracy),
        ("coverage", found.coverage),
        ("consistency over orders", found.consistency),
        ("signed position bias", found.position_bias),
        ("verbosity against labels", found.verbosity),
        *((f"kappa, unparsed {name}", value) for name, value in found.if_unparsed.items()),
    ]
    table(title, ("measure", "value", "n"), [(n, estimate(v), v.n) for n, v in pairs if v])


def gate(result: GateResult, where: str) -> None:
    """The gate's verdict with its reasons."""
    rows = []
    for check in result.checks:
        found = "-" if check.found is None else estimate(check.found)
        needed = "" if check.labels_needed is None else f"{check.labels_needed} labels"
        rows.append((check.requirement, found, check.outcome, check.reason, needed))
    heads = ("requirement", "found", "outcome", "reason", "would decide it")
    table(f"Gate for {result.judge}; {result.labels_title}", heads, rows)
    words = {"pass": "PASS", "fail": "FAIL", "inconclusive": "NOT ENOUGH EVIDENCE"}
    style = _OUTCOME_STYLE[result.outcome]
    console.print(f"Gate: [{style}]{words[result.outcome]}[/]")
    console.print(f"Report: {where}", markup=False, soft_wrap=True)
