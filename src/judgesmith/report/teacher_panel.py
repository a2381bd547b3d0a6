"""The panel of teachers: which items it saw, who agrees with whom, and who errs with whom."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.report.blocks import Block, Cell, Plot, Plots, Table, Text, columns, number_cell
from judgesmith.report.dry_run_tables import reading_table
from judgesmith.report.heat_plots import Heat, HeatCell, grid_width, heat_plot, number_heat
from judgesmith.report.numbers import NOT_MEASURED, estimate, not_shown, read_number, whole

AMONG = "between teachers, no labels"
PEOPLE = "labels by people"
KEY = "labels: answer key, not people"
KINDS = ("items", "all agree", "disagree", "one contradicts itself", "not all read")
LEGEND = (
    "Items on which one of the two has no verdict count as disagreement. A dash is a number that "
    "must not be shown; the table has the reason."
)
QUOTA = (
    "Items are drawn by bucket, so that rare hard ones count as much as common easy ones: numbers "
    "over all of them are those of this mix, not of the data."
)
Row = Mapping[str, Any]


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
        note=(
            "Each item counts once, in the first of these columns that holds of it: teachers "
            "disagree; one contradicts itself in the other order; one was not read; all agree. "
            f"{QUOTA}"
        ),
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
    """Kappa of every two teachers in every bucket, and how each was read."""
    readings = cross_check.get("teachers", ())
    teachers = [str(row["teacher"]) for row in readings]
    title = "How each teacher was read on these items"
    blocks: list[Block] = [reading_table(title, readings)] if teachers else []
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
            number_cell(read_number(pair.get("kappa of both")), absent=NOT_MEASURED),
            Cell(whole(pair.get("left out"))),
        )
        for one in matrices
        for pair in one["pairs"]
    )
    heads = ("kappa", "kappa where both decide", "left out there")
    return Table(
        title,
        columns("bucket", "teacher", "other teacher", *heads, numeric=heads),
        rows,
        labels=AMONG,
        note="The first kappa counts items on which one has no verdict as disagreement.",
        folded=True,
    )


def error_blocks(cross_check: Row) -> list[Block]:
    """Whether teachers err together by what people say, and how many votes that leaves."""
    errors = cross_check.get("errors")
    if isinstance(errors, Mapping):
        return _errors(errors, "labels by people", PEOPLE)
    why = cross_check.get("errors not measured") or "no reason was given"
    said = f"Whether the teachers err together was not measured against people: {why}."
    return [Text(said, "note")]


def key_error_blocks(cross_check: Row) -> list[Block]:
    """The same by what the answer key says, where it labels."""
    errors = cross_check.get("errors against the key")
    if not isinstance(errors, Mapping):
        return []
    return _errors(errors, "labels by the answer key, which are not people's", KEY)


def _errors(errors: Row, by: str, labels: str) -> list[Block]:
    votes, mean = (read_number(errors.get(k)) for k in ("effective votes", "mean correlation"))
    said = (
        f"Against {whole(errors.get('labels'))} {by}, the "
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
    return [Text(said), Table("Errors of teachers together", titles, rows, labels, note)]
