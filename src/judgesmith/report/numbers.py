"""How a number is written. Every page, table and picture asks here."""

import math
from collections.abc import Mapping
from typing import Any

from judgesmith.report.results import Number

NOT_APPLICABLE = "not applicable"
NOT_MEASURED = "not measured"
NOT_FINITE = "not a finite number"
MOST_PLACES = 9
"""Decimals of an amount of money: the ledger counts billionths of a dollar."""


def figure(value: float, *, places: int = 2) -> str:
    """Write a plain figure: no leading zero, no negative zero.

    >>> figure(0.618), figure(-0.06), figure(1), figure(-0.001), figure(0.0313, places=3)
    ('.62', '-.06', '1.00', '.00', '.031')
    >>> figure(2.5e9)
    '2.50e+09'
    """
    if not math.isfinite(value):
        return f"undefined: {NOT_FINITE}"
    if abs(value) >= 1e6:
        return f"{value:.2e}"
    written = f"{value:.{places}f}"
    if float(written) == 0:
        written = written.removeprefix("-")
    return written.replace("0.", ".", 1) if abs(float(written)) < 1 else written


def not_shown(number: Number) -> str | None:
    """Say why a number has no value to show, or None when it has one.

    >>> not_shown(Number(value=None, n=0, undefined="no items"))
    'undefined: no items'
    >>> not_shown(Number(value=0.4, n=4, hidden="only 4 labels"))
    'hidden: only 4 labels'
    >>> not_shown(Number(value=0.4, n=40))
    """
    if number.hidden is not None:
        return f"hidden: {number.hidden}"
    if number.undefined is not None:
        return f"undefined: {number.undefined}"
    if number.value is None:
        return "undefined: no reason was given"
    return None if math.isfinite(number.value) else f"undefined: {NOT_FINITE}"


def ends(number: Number) -> tuple[float, float] | None:
    """Give both ends of the interval, or None when it does not exist or must not be shown."""
    if number.low is None or number.high is None or not_shown(number):
        return None
    finite = math.isfinite(number.low) and math.isfinite(number.high)
    return (number.low, number.high) if finite else None


def estimate(number: Number | None, *, absent: str = NOT_APPLICABLE) -> str:
    """Write value and interval, or the reason why there is none.

    Args:
        number: The number; None stands for one that was not asked for.
        absent: What to write for None.

    >>> estimate(Number(value=0.618, low=0.55, high=0.68, n=231))
    '.62 [.55, .68]'
    >>> estimate(Number(value=0.618, n=231)), estimate(None)
    ('.62 [no interval]', 'not applicable')
    >>> estimate(Number(value=0.1, n=25, hidden="one label holds 96%"))
    'hidden: one label holds 96%'
    """
    if number is None:
        return absent
    reason = not_shown(number)
    if reason is not None or number.value is None:
        return reason or NOT_MEASURED
    interval = ends(number)
    inside = ", ".join(map(figure, interval)) if interval else "no interval"
    return f"{figure(number.value)} [{inside}]"


def denominator(number: Number | None) -> str:
    """Write what the number rests on: rows, and clusters where they are known.

    >>> denominator(Number(value=0.6, n=231, clusters=60)), denominator(None)
    ('n = 231, 60 questions', '')
    """
    if number is None:
        return ""
    return f"n = {number.n:,}" + (
        "" if number.clusters is None else f", {plural(number.clusters, 'question')}"
    )


def read_number(given: object) -> Number | None:
    """Read an estimate that was dumped to plain JSON; None when there is none.

    >>> read_number({"value": 0.5, "low": 0.4, "high": 0.6, "n": 8, "method": "wilson"})
    Number(value=0.5, low=0.4, high=0.6, n=8, clusters=None, undefined=None, hidden=None, \
no_interval=None)
    """
    if not isinstance(given, Mapping) or not isinstance(given.get("n"), int):
        return None
    known: dict[str, Any] = {name: given.get(name) for name in Number.model_fields}
    return Number(**known)


def p_value(p: float) -> str:
    """Write a p-value with three places.

    >>> p_value(0.0313), p_value(0.0002), p_value(1.0)
    ('.031', '< .001', '1.000')
    """
    return "< .001" if 0 <= p < 0.001 else figure(p, places=3)


def plural(count: int, noun: str) -> str:
    """Write a count with its noun.

    >>> plural(1, "question"), plural(1200, "question")
    ('1 question', '1,200 questions')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def whole(count: object, *, absent: str = NOT_APPLICABLE) -> str:
    """Write a count; what is not a count is said to be absent.

    >>> whole(12345), whole(None)
    ('12,345', 'not applicable')
    """
    return f"{count:,}" if isinstance(count, int) else absent


def megabytes(size: int | None) -> str:
    """Write a count of bytes.

    >>> megabytes(2_556_384), megabytes(None)
    ('2.6 MB', 'not measured')
    """
    return NOT_MEASURED if size is None else f"{size / 1e6:,.1f} MB"


def money(dollars: float) -> str:
    """Write US dollars; below ten cents with four places, and more where four show too little.

    >>> money(0), money(0.0042), money(1234.5)
    ('$0', '$0.0042', '$1,234.50')
    >>> money(0.000123), money(2e-9)
    ('$0.00012', '$0.000000002')
    """
    if not math.isfinite(dollars):
        return f"undefined: {NOT_FINITE}"
    if dollars == 0:
        return "$0"
    size = abs(dollars)
    if size >= 0.1:
        return f"${dollars:,.2f}"
    places = max(4, 1 - math.floor(math.log10(size)))
    return f"${dollars:.{min(places, MOST_PLACES)}f}"


def duration(seconds: float | None) -> str:
    """Write a time span in its two largest units.

    >>> duration(3.21), duration(200), duration(7322), duration(None)
    ('3.2 s', '3 min 20 s', '2 h 2 min', 'not measured')
    """
    if seconds is None:
        return NOT_MEASURED
    if not math.isfinite(seconds):
        return f"undefined: {NOT_FINITE}"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min {int(seconds % 60)} s"
    return f"{minutes // 60:,} h {minutes % 60} min"
