"""The section on labels by teachers: who agreed with whom, and how verdicts became labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.report.blocks import (
    Block,
    Cell,
    Plot,
    Plots,
    Section,
    Table,
    Text,
    columns,
    number_cell,
)
from judgesmith.report.dry_run_tables import dry_run_blocks
from judgesmith.report.heat_plots import Heat, HeatCell, grid_width, heat_plot, number_heat
from judgesmith.report.numbers import NOT_MEASURED, estimate, not_shown, read_number, whole
from judgesmith.report.teaching import Teaching

AMONG = "between teachers, no labels"
PEOPLE = "labels by people"
KINDS = ("items", "all agree", "disagree", "not all read")
POLICIES = {
    "primary": "the primary teacher's verdict is the label",
    "majority": "the label is what more than half of the votes say",
    "unanimity": "there is a label where all votes agree",
    "weighted": "votes are weighed by each teacher's estimated accuracy (Dawid-Skene)",
    "person": "what teachers do not agree on goes to a person",
}
LEGEND = "A dash is a number that must not be shown; the table has the reason."
QUOTA = (
    "Items are drawn by bucket, so that rare hard ones count as much as common easy ones: numbers "
    "over all of them are those of this mix, not of the data."
)
Row = Mapping[str, Any]


def teacher_section(found: Teaching | None, *, stamp: str = "") -> Section:
    """All that the labels by teachers rest on; without teachers there is no section."""
    title = "Labels by teachers"
    if found is None:
        return Section("teachers", title)
    blocks: list[Block] = [*_who(found)]
    if found.dry_run is not None:
        blocks += dry_run_blocks(found.dry_run, stopped=found.stopped)
    if found.against_people:
        blocks.append(people_table(found.against_people))
    if found.cross_check is not None:
        blocks.append(mix_table(found.panel_items, found.cross_check))
        blocks += kappa_blocks(found.cross_check, stamp=stamp)
        blocks += error_blocks(found.cross_check)
    if found.final_labels is not None:
        blocks += decision_blocks(found.final_labels, found.policy)
    if found.queue is not None:
        blocks.append(Text(f"The items left to a person wait in {found.queue} in the run folder."))
    return Section("teachers", title, tuple(blocks))


def _who(found: Teaching) -> list[Block]:
    parts = [f"Primary teacher: {found.primary}."] if found.primary else []
    if found.panel:
        parts.append(f"Panel: {', '.join(found.panel)}.")
    if found.policy:
        meaning = POLICIES.get(found.policy)
        parts.append(f"Policy: {found.policy}{f', {meaning}' if meaning else ''}.")
    blocks: list[Block] = [Text(" ".join(parts))] if parts else []
    if found.simulated:
        names = ", ".join(found.simulated)
        blocks.append(
            Text(
                f"Simulated: {names}. Their verdicts are drawn from the answer key at stated "
                "rates; numbers of theirs say nothing about any model.",
                "warning",
            )
        )
    return blocks


def people_table(rows: Sequence[Row]) -> Table:
    """The primary teacher against people, before its labels are used."""
    heads = ("items", "read", "agree", "kappa")
    return Table(
        f"Teacher {rows[0].get('teacher', '')} against people",
        columns("bucket", *heads, numeric=heads),
        tuple(
            (
                Cell(str(row.get("bucket")), tone="" if place else "strong"),
                Cell(whole(row.get("items"))),
                Cell(whole(row.get("read"))),
                Cell(whole(row.get("agree"))),
                number_cell(read_number(row.get("kappa")), absent=NOT_MEASURED),
            )
            for place, row in enumerate(rows)
        ),
        labels=PEOPLE,
        note="A verdict that was not read counts as wrong.",
    )


def mix_table(panel_items: Row, cross_check: Row) -> Table:
    """Which items the panel saw, and on how many of them it is of one mind."""
    counts: Mapping[str, Row] = cross_check.get("items", {})
    wanted = any((panel_items.get(name) or {}).get("wanted") is not None for name in counts)
    rows = []
    for place, (name, row) in enumerate(counts.items()):
        quota: Row = panel_items.get(name) or _all_of(panel_items)
        asked = [Cell(whole(quota.get("wanted"), absent="equal share"))] if wanted else []
        rows.append(
            (
                Cell(name, tone="" if place else "strong"),
                Cell(whole(quota.get("supply"))),
                *asked,
                *(Cell(whole(row.get(kind))) for kind in KINDS),
            )
        )
    heads = ("at hand", *(["wanted"] if wanted else []), "judged by the panel", *KINDS[1:])
    return Table(
        "Items of the cross-check",
        columns("bucket", *heads, numeric=heads),
        tuple(rows),
        labels=AMONG,
        note=f"Not all read: those that were read agree. {QUOTA}",
    )


def _all_of(panel_items: Row) -> dict[str, int]:
    """Sums over the buckets, for the row of all items."""
    sums: dict[str, int] = {}
    for row in panel_items.values():
        for name in ("supply", "wanted"):
            if isinstance(row.get(name), int):
                sums[name] = sums.get(name, 0) + row[name]
    return sums


def kappa_blocks(cross_check: Row, *, stamp: str = "") -> list[Block]:
    """Kappa of every two teachers in every bucket, and how much of each was read."""
    teachers = [str(row["teacher"]) for row in cross_check.get("teachers", ())]
    blocks: list[Block] = [_coverage_table(cross_check)] if teachers else []
    matrices = [one for one in cross_check.get("kappas", ()) if one.get("pairs")]
    if not matrices:
        return blocks
    title = "Kappa of every two teachers, by bucket"
    if any(_shown(pair) for one in matrices for pair in one["pairs"]):
        svg = _kappa_plot(f"{title} · {AMONG}", matrices, teachers, stamp)
        names = ", ".join(f"{place} {name}" for place, name in enumerate(teachers, 1))
        blocks.append(Plots((Plot(title, svg, AMONG, wide=True),)))
        blocks.append(Text(f"Columns are pairs of teachers: {names}. {LEGEND}", "note"))
    return [*blocks, _kappa_table(title, matrices)]


def _coverage_table(cross_check: Row) -> Table:
    rows = tuple(
        (
            Cell(str(row["teacher"]), tone="strong"),
            number_cell(read_number(row.get("coverage")), absent=NOT_MEASURED),
        )
        for row in cross_check["teachers"]
    )
    return Table(
        "Share of these items on which each teacher was read",
        columns("teacher", "coverage", numeric=["coverage"]),
        rows,
    )


def _shown(pair: Row) -> bool:
    number = read_number(pair.get("kappa"))
    return number is not None and not_shown(number) is None


def _kappa_plot(title: str, matrices: Sequence[Row], teachers: Sequence[str], stamp: str) -> str:
    pairs = [(str(one["first"]), str(one["second"])) for one in matrices[0]["pairs"]]
    places = {name: str(place) for place, name in enumerate(teachers, 1)}
    heads = tuple(f"{places.get(a, a)} × {places.get(b, b)}" for a, b in pairs)
    cells = []
    for one in matrices:
        by_pair = {(str(p["first"]), str(p["second"])): p for p in one["pairs"]}
        cells.append(tuple(_heat(str(one["bucket"]), pair, by_pair.get(pair)) for pair in pairs))
    rows = tuple(str(one["bucket"]) for one in matrices)
    wide = grid_width(len(heads))
    heat = Heat(title, rows, heads, tuple(cells), down="bucket", width=wide, tallest=26.0)
    return heat_plot(heat, stamp=stamp)


def _heat(bucket: str, pair: tuple[str, str], found: Row | None) -> HeatCell:
    number = None if found is None else read_number(found.get("kappa"))
    return number_heat(number, f"{pair[0]} and {pair[1]}, {bucket}")


def _kappa_table(title: str, matrices: Sequence[Row]) -> Table:
    rows = tuple(
        (
            Cell(str(one["bucket"])),
            Cell(str(pair["first"])),
            Cell(str(pair["second"])),
            number_cell(read_number(pair.get("kappa")), absent=NOT_MEASURED),
            Cell(whole(pair.get("left out"))),
        )
        for one in matrices
        for pair in one["pairs"]
    )
    heads = ("kappa", "left out, not read by both")
    return Table(
        title,
        columns("bucket", "teacher", "other teacher", *heads, numeric=heads),
        rows,
        labels=AMONG,
        folded=True,
    )


def error_blocks(cross_check: Row) -> list[Block]:
    """Whether teachers err together, and how many independent votes that leaves."""
    errors = cross_check.get("errors")
    if not isinstance(errors, Mapping):
        why = cross_check.get("errors not measured") or "no reason was given"
        return [Text(f"Whether the teachers err together was not measured: {why}.", "note")]
    votes, mean = (read_number(errors.get(k)) for k in ("effective votes", "mean correlation"))
    said = (
        f"Against {whole(errors.get('labels'))} labels by people, the "
        f"{whole(errors.get('members'))} teachers are worth "
        f"{estimate(votes, absent=NOT_MEASURED)} independent votes; the mean correlation of their "
        f"errors is {estimate(mean, absent=NOT_MEASURED)}."
    )
    counts = ("both wrong", "same wrong verdict")
    heads = ("correlation", *counts)
    rows = tuple(
        (
            Cell(str(pair["first"])),
            Cell(str(pair["second"])),
            number_cell(read_number(pair.get("correlation")), absent=NOT_MEASURED),
            *(Cell(whole(pair.get(name))) for name in counts),
        )
        for pair in errors.get("pairs", ())
    )
    titles = columns("teacher", "other teacher", *heads, numeric=heads)
    note = "Teachers that are wrong on the same items add little to each other."
    return [Text(said), Table("Errors of teachers together", titles, rows, PEOPLE, note)]


def decision_blocks(final: Row, policy: str) -> list[Block]:
    """How many items got a label, why, and which."""
    items = whole(final.get("items"))
    verdicts = ", ".join(f"{name} {whole(n)}" for name, n in final.get("by verdict", {}).items())
    said = (
        f"Of {items} items, {whole(final.get('decided'))} have a label"
        f"{f' ({verdicts})' if verdicts else ''}; {whole(final.get('to a person'))} go to a person."
    )
    people = final.get("decided by people")
    if isinstance(people, int) and people:
        said += f" Of the labels, {people:,} are a person's decision on what teachers left open."
    total = final.get("items")
    rows = tuple(
        (Cell(why), Cell(whole(n)), Cell(_share(n, total)))
        for why, n in sorted(final.get("by reason", {}).items(), key=lambda pair: -pair[1])
    )
    title = f"Decisions by reason, policy {policy}" if policy else "Decisions by reason"
    heads = ("items", "share of all")
    return [Text(said), Table(title, columns("reason", *heads, numeric=heads), rows)]


def _share(count: object, total: object) -> str:
    if not isinstance(count, int) or not isinstance(total, int) or not total:
        return ""
    return f"{count / total:.0%}"
