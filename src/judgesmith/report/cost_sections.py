"""Costs as tables: on a terminal, on a page, in the judge card."""

from collections.abc import Callable, Iterator, Sequence

from judgesmith.report.blocks import Banner, Block, Cell, Section, Table, Text, columns
from judgesmith.report.cost_words import (
    NEVER,
    count_range,
    count_words,
    money_range,
    money_words,
    month_range,
    month_words,
    share_words,
    times_words,
)
from judgesmith.report.costs import Costs, MeasuredRow, Payback, Spread, Swing
from judgesmith.report.numbers import plural

INTERVALS = "Medians, and the 5% and 95% quantiles, of {draws:,} draws of the inputs."
EXACT = "No input is uncertain, so there are no intervals."
MOST_SWINGS = 8


def cost_section(found: Costs | None) -> Section:
    """Everything on costs for a report; there is no section where nothing was worked out."""
    if found is None:
        return Section("cost", "Cost")
    return Section("cost", "Cost", tuple(cost_blocks(found)))


def cost_blocks(found: Costs) -> Iterator[Block]:
    """The advice, then what it rests on, from the figures to the inputs."""
    alike = [row for row in found.paybacks if row.like_for_like]
    for row in alike:
        yield Banner(f"{row.own} against {row.api} ({row.api_kind})", row.advice, "answer")
    yield option_table(found)
    if found.once:
        yield once_table(found)
    yield payback_table(found)
    yield probability_table(found)
    for row in alike:
        if row.swings:
            yield swing_table(row)
    yield Text(" ".join(found.rests_on), "note")
    yield input_table(found)


def cost_card_table(found: Costs) -> Table:
    """The whole in one table, for a judge card: each way, each break-even, and what they rest on.

    The figures are those of the other tables, so a card cannot say anything else.
    """
    rows = [
        (f"a judgment, {one.name} ({one.kind})", money_range(one.judgment), one.rests_on)
        for one in found.options
    ]
    rows += [
        (
            f"break-even, {row.own} against {_against(row)}",
            _break_even(row),
            row.advice,
        )
        for row in found.paybacks
        if row.like_for_like
    ]
    return Table(
        f"At {count_range(found.volume)} judgments a month",
        columns("what", "figure", "rests on", numeric=["figure"]),
        tuple((Cell(name), Cell(figure), Cell(why)) for name, figure, why in rows),
        note=" ".join((_intervals(found), *found.rests_on)),
    )


def _break_even(row: Payback) -> str:
    if row.months.low is None:
        return NEVER
    return f"{month_range(row.months)} months, {count_range(row.judgments)} judgments"


def option_table(found: Costs) -> Table:
    """What a judgment costs in every way."""
    heads = ("a judgment", "a month", "all in", "busy")
    rests = "; ".join(f"{one.name} ({one.kind}): {one.rests_on}" for one in found.options)
    return Table(
        f"What a judgment costs, at {count_range(found.volume)} a month",
        columns("way", *heads, numeric=heads),
        tuple(
            (
                Cell(one.name, aside=one.kind, tone="strong"),
                _cell(one.judgment, money_words),
                _cell(one.month, money_words),
                _cell(one.all_in, money_words),
                Cell("") if one.busy is None else _cell(one.busy, share_words),
            )
            for one in found.options
        ),
        note=f"{_intervals(found)} All in: a judgment with its part of what is paid once and each "
        f"month, over {found.months} months. Busy: the share of paid hours in which the machine "
        f"works. {rests}.",
    )


def _cell(found: Spread, write: Callable[[float | None], str]) -> Cell:
    """The median, and beside it what it lies between."""
    middle, low, high = (write(value) for value in (found.middle, found.low, found.high))
    return Cell(middle, aside="" if found.low == found.high else f"{low} to {high}")


def _intervals(found: Costs) -> str:
    return EXACT if found.draws == 1 else INTERVALS.format(draws=found.draws)


def once_table(found: Costs) -> Table:
    """What is paid once, and each month beside the machine."""
    parts = [(row.name, row.usd) for row in found.once]
    if len(parts) > 1:
        parts.append(("together", found.once_usd))
    if found.upkeep_usd.high:
        parts.append(("each month, beside the machine", found.upkeep_usd))
    rows = tuple((Cell(name, tone="strong"), _cell(usd, money_words)) for name, usd in parts)
    return Table("Paid once", columns("for", "dollars", numeric=["dollars"]), rows)


def payback_table(found: Costs) -> Table:
    """When a judge of one's own has paid for itself, for every way against every API."""
    heads = ("cheaper", "months", "judgments", "needed a month", "ahead at the end")
    return Table(
        "Break-even",
        columns("own judge", *heads, numeric=heads),
        tuple(
            (
                Cell(row.own, aside=f"against {_against(row)}", tone="strong"),
                _cell(row.cheaper, times_words),
                _cell(row.months, month_words),
                _cell(row.judgments, count_words),
                _cell(row.needed, count_words),
                _cell(row.ahead, money_words),
            )
            for row in found.paybacks
        ),
        note="Cheaper: how many times less a judgment costs, without what is paid once and each "
        "month. Months, judgments: until what was paid once is back. Needed: judgments a month "
        f"from which on that takes at most {found.months} months. Ahead: saved by their end, or "
        "lost. Other: one of the two answers at once and the other does not.",
    )


def _against(row: Payback) -> str:
    return f"{row.api} ({row.api_kind}{'' if row.like_for_like else '; other'})"


def probability_table(found: Costs) -> Table:
    """The probability that a judge of one's own has paid for itself by then."""
    first = found.paybacks[0]
    heads = [plural(int(one.limit), "month") for one in first.within_months]
    heads += [f"{count_words(one.limit)} judgments" for one in first.within_judgments]
    return Table(
        "Probability that it has paid for itself within",
        columns("own judge", *heads, numeric=heads),
        tuple(
            (
                Cell(row.own, aside=f"against {_against(row)}", tone="strong"),
                *(
                    Cell(f"{one.share:.0%}")
                    for one in (*row.within_months, *row.within_judgments)
                ),
            )
            for row in found.paybacks
        ),
    )  # fmt: skip


def swing_table(row: Payback) -> Table:
    """Which input moves the break-even most."""
    heads = ("low", "high", "months", "needed a month")
    return Table(
        f"What the break-even of {row.own} against {_against(row)} hangs on",
        columns("input", *heads, numeric=heads),
        tuple(_swing_row(swing) for swing in row.swings[:MOST_SWINGS]),
        note="One input at a time, all others at their medians: from its 5% to its 95% quantile; "
        "one that was given as a number (what if) from a fifth less to a quarter more. Months, "
        "needed: the break-even at low and at high.",
    )


def _swing_row(swing: Swing) -> tuple[Cell, ...]:
    return (
        Cell(swing.input + (" (what if)" if swing.assumed else ""), tone="strong"),
        Cell(_plain(swing.low)),
        Cell(_plain(swing.high)),
        Cell(_from_to(swing.months_at_low, swing.months_at_high, month_words)),
        Cell(_from_to(swing.needed_at_low, swing.needed_at_high, count_words)),
    )


def _from_to(low: float | None, high: float | None, write: Callable[[float | None], str]) -> str:
    return write(low) if low == high else f"{write(low)} to {write(high)}"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def input_table(found: Costs) -> Table:
    """Every input as it was given, and where it comes from."""
    return Table(
        "Inputs",
        columns("input", "value", "from", numeric=["value"]),
        tuple(
            (Cell(row.name), Cell(row.value), Cell(row.origin, aside=row.why or ""))
            for row in found.inputs
        ),
        folded=True,
    )


def measured_table(rows: Sequence[MeasuredRow]) -> Table:
    """What a run measured itself."""
    return Table(
        "Measured by the run",
        columns("what", "value", "from", numeric=["value"]),
        tuple((Cell(row.name, tone="strong"), Cell(row.value), Cell(row.origin)) for row in rows),
    )
