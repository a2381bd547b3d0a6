"""The section on preference rows: who wrote what is rejected, what was refused, what it teaches."""

from collections.abc import Mapping
from typing import Any

from judgesmith.report.blocks import Block, Cell, Section, Table, Text, columns, number_cell
from judgesmith.report.numbers import plural, read_number, whole

WRITTEN = "written by a teacher"
CHANCE = "tells nothing apart at .50"
QUALITY = (
    ("words of one text tell chosen from rejected", "bag of words", "alone", CHANCE),
    ("words of two texts tell which is chosen", "bag of words", "paired", CHANCE),
    ("one keyword tells chosen from rejected", "one keyword", "accuracy", CHANCE),
    ("a chosen text argues against its verdict", "verdict and rationale, chosen", "share", ""),
    ("a rejected text argues against its verdict", "verdict and rationale, rejected", "share", ""),
)
"""What is shown of the audits of preference rows: in words, its table, its number, a remark."""
Row = Mapping[str, Any]


def negative_section(tables: Row) -> Section:
    """What preference rows rest on, from the tables of their stage; none without the stage."""
    title = "Preference rows"
    if not tables:
        return Section("negatives", title)
    written: Row = tables.get(WRITTEN, {})
    blocks: list[Block] = [Text(_who(tables, written))]
    if written:
        blocks += [_rounds(written), _rejected(written)]
    blocks += [_modes(tables), _quality(tables)]
    return Section("negatives", title, tuple(blocks))


def _who(tables: Row, written: Row) -> str:
    sides = tables.get("rows by side", {})
    rows = ", ".join(f"{whole(count)} on the {side} side" for side, count in sides.items())
    made = f"Rows of a chosen and a rejected reply: {rows}."
    if not written:
        return f"{made} Rejected replies misread a fact of the answer key."
    return (
        f"{made} Rejected replies were written by {written['model']}, who was told for which "
        f"mistake and which verdict to argue: {plural(written['wishes'], 'mistake')} asked for, "
        f"{whole(written['candidates'])} with a good reply in every order."
    )


def _rounds(written: Row) -> Table:
    rounds = [row for row in written["by attempt"] if row["asked"]]
    rows = [(str(n), row["asked"], row["accepted"]) for n, row in enumerate(rounds, 1)]
    rows.append(("all", written["requests"], written["accepted"]))
    return Table(
        "Replies asked for, by attempt",
        columns("attempt", "asked", "accepted", "share", numeric=("asked", "accepted", "share")),
        tuple(
            (
                Cell(name, tone="strong"),
                Cell(whole(asked)),
                Cell(whole(accepted)),
                Cell(f"{accepted / asked:.0%}" if asked else ""),
            )
            for name, asked, accepted in rows
        ),
        note="A reply that fails a check is asked for again, as far as the bounds allow.",
    )


def _rejected(written: Row) -> Table:
    reasons: dict[str, int] = written["rejected by reason"]
    last: dict[str, int] = written["without a good reply, by last reason"]
    named = sorted({*reasons, *last}, key=lambda reason: -reasons.get(reason, 0))
    heads = ("replies", "mistakes given up")
    return Table(
        "Replies refused, by reason",
        columns("reason", *heads, numeric=heads),
        tuple(
            (
                Cell(reason),
                Cell(whole(reasons.get(reason, 0))),
                Cell(whole(last.get(reason, 0))),
            )
            for reason in named
        ),
        note="A mistake is given up when the last attempt at one of its orders was refused.",
    )


def _modes(tables: Row) -> Table:
    found, used = tables.get("mistakes to choose from", {}), tables.get("rows by mode", {})
    heads = ("rows to choose from", "rows used")
    return Table(
        "Rows by the way to fail",
        columns("failure mode", *heads, numeric=heads),
        tuple(
            (
                Cell(mode, tone="strong"),
                Cell(whole(found.get(mode, 0))),
                Cell(whole(used.get(mode, 0))),
            )
            for mode in sorted({*found, *used})
        ),
        note="Rows are used as far as verdicts, words and modes stay even on both sides.",
    )


def _quality(tables: Row) -> Table:
    rows = []
    for words, table, name, remark in QUALITY:
        number = read_number(tables.get(table, {}).get(name))
        if number is not None:
            rows.append((Cell(words), number_cell(number), Cell(remark, tone="soft")))
    return Table(
        "What the rows give away",
        columns("audit", "found", "", numeric=("found",)),
        tuple(rows),
        note="Shares of texts or pairs of texts, held out. The findings are in the audits.",
    )
