"""What the order table means: results that hang on which response was shown first."""

from collections.abc import Iterator
from dataclasses import dataclass

from judgesmith.audits.association import LEVEL, check_share
from judgesmith.audits.finding import Finding, Severity
from judgesmith.audits.order import OrderClash, OrderRow, OrderTable
from judgesmith.metrics.paired import holm


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """From where on an order is reported.

    Attributes:
        level: Chance of a warning from the tests where neither imbalance nor move exists.
        move: A move of kappa up to this is no finding at all; above it, but not significant, it
            is a figure to know.
    """

    level: float = LEVEL
    move: float = 0.02

    def __post_init__(self) -> None:
        check_share("order limits", level=self.level, move=self.move)


def order_findings(table: OrderTable, limits: OrderLimits | None = None) -> tuple[Finding, ...]:
    """Report what the orders do to the results: warnings, and moves that may be chance as `info`.

    Args:
        table: What `order_table` counted.
        limits: From where on to report; the defaults of `OrderLimits` if None.
    """
    limits = limits or OrderLimits()
    tested = [(row.balance_p, 1.0 if row.move is None else row.move.p) for row in table.judges]
    adjusted = iter(holm([p for pair in tested for p in pair]))
    found: list[Finding] = []
    for row in table.judges:
        found.extend(_recorded(row))
        found.extend(_balance(row, next(adjusted), limits.level))
        found.extend(_moved(row, next(adjusted), limits))
    found.extend(map(_clash_finding, table.clashes))
    return tuple(found)


def _warning(message: str, count: int, of: int, examples: tuple[str, ...], effect: str) -> Finding:
    return Finding(
        audit="order",
        severity=Severity.WARNING,
        message=message,
        count=count,
        of=of,
        examples=examples,
        effect=effect,
        remedy="judge every item in both orders and report the order-averaged verdict",
    )


def _recorded(row: OrderRow) -> Iterator[Finding]:
    if row.unrecorded:
        yield _warning(
            f"{row.judge}: {row.unrecorded} judgments do not say which response was shown first",
            min(row.unrecorded, row.items),
            row.items,
            row.unrecorded_examples,
            "position bias cannot be told from preference, and a repeat can differ",
        )
    if row.single:
        yield _warning(
            f"{row.judge}: {row.single} of {row.items} items were judged in one order only",
            row.single,
            row.items,
            row.single_examples,
            "a judge that follows the slot looks like one that reads; the number moves with the "
            "order",
        )


def _balance(row: OrderRow, p: float, level: float) -> Iterator[Finding]:
    if p < level:
        n = row.label_first + row.label_second
        yield _warning(
            f"{row.judge}: the response that the label names was shown first in "
            f"{row.label_first} of {n} items judged once (exact binomial p = {p:.2g}, adjusted)",
            row.label_first,
            n,
            row.single_examples,
            "a judge that prefers the commoner slot agrees with the labels by that alone",
        )


def _moved(row: OrderRow, p: float, limits: OrderLimits) -> Iterator[Finding]:
    move = row.move
    if move is None or move.kappa_original is None or move.kappa_swapped is None:
        return
    if move.low is None or move.high is None:
        return
    ends = move.kappa_original, move.kappa_swapped
    widest = max(abs(ends[0] - ends[1]), move.high - move.low)
    significant = p < limits.level
    if widest <= limits.move and not significant:
        return
    # A judge that is worse than chance in one order only is mostly a file that was not mapped back.
    mapped = (
        "" if min(ends) >= 0 or max(ends) <= 0 else "; check that swapped verdicts are mapped back"
    )
    yield Finding(
        audit="order",
        severity=Severity.WARNING if significant else Severity.INFO,
        message=(
            f"{row.judge}: kappa is {ends[0]:.3f} in the stored and {ends[1]:.3f} in the swapped "
            f"order of {move.n} items ({move.gained} right only in the first, {move.lost} only in "
            f"the second, exact p = {p:.2g}, adjusted); with an unseeded order it falls anywhere "
            f"from {move.low:.3f} to {move.high:.3f}"
        ),
        count=move.gained + move.lost,
        of=move.n,
        examples=(),
        effect=f"a number of one order can move by {widest:.3f} without any change of the judge",
        remedy="report the order-averaged verdict, with both single-order numbers beside it"
        + mapped,
    )


def _clash_finding(clash: OrderClash) -> Finding:
    return _warning(
        f"{clash.first} and {clash.second} saw {clash.count} of {clash.of} common items in "
        "different orders only",
        clash.count,
        clash.of,
        clash.examples,
        "a difference between these judges may be one of order",
    )
