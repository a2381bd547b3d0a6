"""Dry runs: what was tried before money was spent, and what it decided."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.report.blocks import Block, Cell, Section, Table, Text, columns, number_cell
from judgesmith.report.numbers import NOT_MEASURED, figure, read_number, whole

TONES = {"pass": "pass", "review": "inconclusive", "abort": "fail"}
DECIDED = {
    "pass": "every check passes at its interval bound",
    "review": "the numbers do not settle it",
    "abort": "a check is contradicted",
}
BY_BOUNDS = (
    "A check passes where the lower end of what was found reaches the bound, and aborts where the "
    "upper end lies below; interval bounds decide, not point values."
)
GENERATORS_BOUNDS = (
    "A share below the bound aborts; it passes only with its lower end, and is a review between."
)
READ = (
    "Coverage is the share of judgments that were parsed. Contradictions are pairs parsed in both "
    "orders that have no verdict; consistency is the share of pairs with the same verdict in both. "
    "Position bias is positive where what is shown first is named more often."
)
ONE_ORDER = "not applicable"
Row = Mapping[str, Any]


def outcome_cell(row: Row) -> Cell:
    """An outcome as a badge, with its reason beside it."""
    outcome = str(row.get("outcome"))
    return Cell(outcome, aside=str(row.get("reason", "")), tone=TONES.get(outcome, "inconclusive"))


def dry_run_blocks(found: Row, *, stopped: bool) -> list[Block]:
    """The dry run of two teachers: its outcome, its checks, and agreement by bucket.

    Args:
        found: The dump of a `DryRun`; one that stopped its stage has only checks.
        stopped: Whether the stage ended there.
    """
    outcome = str(found.get("outcome"))
    models = " and ".join(map(str, found.get("models", ())))
    who = f" of {models} on {whole(found.get('items'))} items" if models else ""
    then = "; the stage stopped there" if stopped else "; it was told to go on"
    ended = then if stopped or outcome != "pass" else ""
    text = f"Dry run{who}: {outcome}, {DECIDED.get(outcome, 'not known')}{ended}."
    blocks: list[Block] = [
        Text(text, "" if outcome == "pass" else "warning"), check_table(found, models)
    ]  # fmt: skip
    if found.get("teachers"):
        blocks.append(reading_table("Dry run: how each teacher was read", found["teachers"]))
    if found.get("buckets"):
        blocks.append(_bucket_table(found, models))
    return blocks


def reading_table(title: str, teachers: Sequence[Row]) -> Table:
    """How each teacher was read: replies that could not be parsed, and orders that contradict."""
    rows = tuple(
        (
            Cell(str(one["teacher"]), tone="strong"),
            Cell(whole(one.get("judgments"))),
            number_cell(read_number(one.get("coverage")), absent=NOT_MEASURED),
            Cell(_lost(one.get("statuses") or {})),
            Cell(whole(one.get("contradicts"))),
            number_cell(read_number(one.get("consistency")), absent=ONE_ORDER),
            number_cell(read_number(one.get("position_bias")), absent=ONE_ORDER),
        )
        for one in teachers
    )
    numeric = ("judgments", "coverage", "contradictions", "consistency", "position bias")
    return Table(
        title,
        columns("teacher", "judgments", "coverage", "not parsed", *numeric[2:], numeric=numeric),
        rows,
        note=READ,
    )


def _lost(statuses: Row) -> str:
    lost = ((name, n) for name, n in statuses.items() if name != "parsed")
    return ", ".join(f"{name.replace('_', ' ')} {whole(n)}" for name, n in lost) or "none"


def check_table(found: Row, models: str) -> Table:
    """Every tested number with its bounds."""
    rows = []
    for check in found.get("checks", ()):
        read = check.get("abort_on") != check.get("pass_on")
        more = whole(check.get("items_needed"), absent="")
        rows.append(
            (
                Cell(str(check.get("name")), tone="strong"),
                number_cell(read_number(check.get("pass_on")), absent=NOT_MEASURED),
                number_cell(read_number(check.get("abort_on")))
                if read
                else Cell("the same", tone="soft"),
                _bound(check.get("pass_above")),
                _bound(check.get("abort_below")),
                outcome_cell(check),
                Cell(f"about {more}" if more else ""),
            )
        )
    heads = (
        "found, no verdict counted against", "found, where both decide", "passes from",
        "aborts below",
    )  # fmt: skip
    return Table(
        "Dry run",
        columns("check", *heads, "outcome", "items needed", numeric=(*heads, "items needed")),
        tuple(rows),
        labels=f"{models}, against each other" if models else "two teachers against each other",
        note=BY_BOUNDS,
    )


def _bound(value: object) -> Cell:
    return Cell(figure(value) if isinstance(value, int | float) else NOT_MEASURED)


def _bucket_table(found: Row, models: str) -> Table:
    rows = tuple(
        (
            Cell(str(one["bucket"])),
            Cell(whole(one.get("items"))),
            Cell(whole(one.get("both"))),
            Cell(whole(one.get("agree"))),
            number_cell(read_number(one.get("kappa")), absent=NOT_MEASURED),
            number_cell(read_number(one.get("kappa_of_both")), absent=NOT_MEASURED),
        )
        for one in found["buckets"]
    )
    heads = ("items", "both decide", "agree", "kappa", "kappa where both decide")
    return Table(
        "Dry run by bucket",
        columns("bucket", *heads, numeric=heads),
        rows,
        labels=f"{models}, against each other",
        note="Shown, not tested. Kappa counts items on which one has no verdict as disagreement.",
    )


def generators_section(runs: Sequence[Row]) -> Section:
    """The first responses of every generator: can they be read, are enough of them biased."""
    rows = tuple(
        (
            Cell(", ".join(map(str, one.get("models", ()))) or "not named", tone="strong"),
            Cell(str(check.get("name"))),
            number_cell(read_number(check.get("pass_on")), absent=NOT_MEASURED),
            _bound(check.get("pass_above")),
            outcome_cell(check),
        )
        for one in runs
        for check in one.get("checks", ())
    )
    if not rows:
        return Section("generators", "Generators")
    heads = ("found", "passes from")
    table = Table(
        "Dry run of each generator, by its first responses",
        columns("generator", "check", *heads, "outcome", numeric=heads),
        rows,
        note=GENERATORS_BOUNDS,
    )
    return Section("generators", "Generators", (table,))
