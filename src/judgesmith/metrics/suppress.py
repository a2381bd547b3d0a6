"""When agreement may be shown at all."""

from collections import Counter
from collections.abc import Sequence

from judgesmith.errors import DataError
from judgesmith.metrics.coding import Label, distinct


def not_shown_because(
    labels: Sequence[Label], *, least: int = 20, largest_share: float = 0.9
) -> str | None:
    """Return why chance-corrected agreement with these labels must not be shown, or None.

    Two reasons exist. Fewer than `least` labels: one item moves the number too far. One label
    holds more than `largest_share` of them: chance agreement is then near 1, and kappa turns on
    the few other rows. (A published bucket of 25 pairs, 24 of them ties, printed -.056 for one
    judge and .359 for the next; one pair made the difference.)

    Args:
        labels: the labels agreement would be measured against.
        least: the smallest number of labels that is enough.
        largest_share: the largest allowed share of one label; exactly this share is allowed.

    Raises:
        DataError: a label is None, or a setting is out of range.

    >>> not_shown_because(["A", "B"] * 10)
    >>> not_shown_because(["A", "B"])
    'only 2 labels, fewer than 20'
    >>> not_shown_because(["TIE"] * 24 + ["A"])
    "the label 'TIE' holds 24 of 25 labels (96%), more than 90%"
    """
    if least < 1 or not 0 < largest_share <= 1:
        raise DataError(
            "expected least >= 1 and largest_share above 0 and at most 1, found "
            f"least={least!r}, largest_share={largest_share!r}"
        )
    distinct("labels", labels)
    n = len(labels)
    if n < least:
        return f"only {n} label{'' if n == 1 else 's'}, fewer than {least}"
    label, count = Counter(labels).most_common(1)[0]
    if count > largest_share * n:
        return (
            f"the label {label!r} holds {count} of {n} labels ({count / n:.0%}), "
            f"more than {largest_share:.0%}"
        )
    return None
