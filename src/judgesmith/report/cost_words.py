"""How costs and times to break-even are written."""

from collections.abc import Callable

from judgesmith.report.costs import Spread
from judgesmith.report.numbers import money

NEVER = "never"


def month_words(months: float | None) -> str:
    """Write a number of months; None is never.

    >>> month_words(3.14159), month_words(0.04), month_words(1234), month_words(None)
    ('3.1', '0.04', '1,234', 'never')
    """
    if months is None:
        return NEVER
    if months >= 100:
        return f"{months:,.0f}"
    return f"{months:.1f}" if months >= 1 or months == 0 else f"{months:.2g}"


def duration_words(months: float) -> str:
    """Write a time to break-even in months.

    >>> duration_words(14.0), duration_words(1.0)
    ('14.0 months', '1.0 months')
    """
    return f"{month_words(months)} months"


def count_words(count: float | None) -> str:
    """Write a number of judgments to three figures, which is more than any estimate is good for.

    >>> count_words(61_234.5), count_words(512), count_words(0.4), count_words(None)
    ('61,200', '512', '0.4', 'never')
    >>> count_words(1_234_567), count_words(20000)
    ('1,230,000', '20,000')
    """
    if count is None:
        return NEVER
    return f"{float(f'{count:.3g}'):,.{0 if count >= 10 or count == 0 else 1}f}"


def count_range(found: Spread) -> str:
    """Write a number of judgments with its interval.

    >>> count_range(Spread(low=900, middle=1060, high=None))
    '1,060 [900, never]'
    """
    return _with_ends(found, count_words)


def month_range(found: Spread) -> str:
    """Write months to break-even with their interval."""
    return _with_ends(found, month_words)


def money_range(found: Spread) -> str:
    """Write dollars with their interval.

    >>> money_range(Spread(low=1.0, middle=1.5, high=2.0))
    '$1.50 [$1.00, $2.00]'
    >>> money_range(Spread(low=-5.0, middle=-5.0, high=-5.0))
    '-$5.00'
    """
    return _with_ends(found, money_words)


def times_words(times: float | None) -> str:
    """Write how many times less something costs; None is a price of nothing.

    >>> times_words(32.47), times_words(0.2444), times_words(None)
    ('32.5x', '0.24x', 'free')
    """
    if times is None:
        return "free"
    return f"{times:,.1f}x" if times >= 1 else f"{times:.2g}x"


def share_words(share: float | None) -> str:
    """Write a share in per cent."""
    return NEVER if share is None else f"{share:.0%}"


def money_words(usd: float | None) -> str:
    """Write dollars, also a loss.

    >>> money_words(0.0042), money_words(-1234.5)
    ('$0.0042', '-$1,234.50')
    """
    return NEVER if usd is None else money(usd) if usd >= 0 else f"-{money(-usd)}"


def _with_ends(found: Spread, write: Callable[[float | None], str]) -> str:
    middle = write(found.middle)
    if found.low == found.high:
        return middle
    return f"{middle} [{write(found.low)}, {write(found.high)}]"
