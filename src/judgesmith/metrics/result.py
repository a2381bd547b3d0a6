"""The results that metrics return: a number with its interval, and a table of counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from judgesmith.errors import DataError
from judgesmith.metrics.coding import Label


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with what is needed to trust it. No field is ever NaN.

    Either `value` or `undefined` is None, never both: a value that does not exist says why.
    Likewise `low` and `high` are both there or both missing; `no_interval` then gives the reason
    where an interval was asked for.

    Attributes:
        value: the point estimate.
        low: lower end of the interval.
        high: upper end of the interval.
        n: the denominator, in rows.
        clusters: how many clusters (questions) the rows belong to; None where not asked.
        undefined: why there is no value.
        no_interval: why an interval that was asked for does not exist.
        confidence: level of the interval, 0 to 1.
        method: how the interval was made.
        resamples: how many bootstrap resamples were drawn.
        undefined_resamples: in how many of them the metric was undefined. The interval rests on
            the others.

    >>> kappa = Estimate(0.5, 0.3, 0.7, n=40, clusters=20)
    >>> float(kappa)
    0.5
    >>> float(Estimate.missing("no rows", n=0))
    Traceback (most recent call last):
    ...
    judgesmith.errors.DataError: the value is undefined, because: no rows
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    clusters: int | None = None
    undefined: str | None = None
    no_interval: str | None = None
    confidence: float | None = None
    method: str | None = None
    resamples: int | None = None
    undefined_resamples: int | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != (self.undefined is not None):
            raise DataError(
                f"expected a value or the reason why there is none, found value={self.value!r} "
                f"and undefined={self.undefined!r}"
            )
        if (self.low is None) != (self.high is None):
            raise DataError(f"expected both ends or none, found low={self.low}, high={self.high}")
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is None:
                continue
            if not math.isfinite(number):
                raise DataError(f"{name}: expected a finite number or None, found {number!r}")
            object.__setattr__(self, name, float(number))  # a numpy number is no plain JSON

    def __float__(self) -> float:
        if self.value is None:
            raise DataError(f"the value is undefined, because: {self.undefined}")
        return self.value

    @classmethod
    def of(cls, value: float, n: int) -> "Estimate":
        """Return a value for which no interval was asked.

        >>> Estimate.of(0.25, n=4).value
        0.25
        """
        return cls(value, None, None, n)

    @classmethod
    def missing(cls, reason: str, n: int, clusters: int | None = None) -> "Estimate":
        """Return an undefined value with its reason.

        >>> Estimate.missing("no rows", n=0).undefined
        'no rows'
        """
        return cls(None, None, None, n, clusters, undefined=reason)


class Headline:
    """A result of several parts, one of which is its main number.

    It reads like that number: `.value` is None where it is undefined, and `float()` then raises
    DataError with the reason.

    >>> class Rate(Headline):
    ...     @property
    ...     def headline(self):
    ...         return Estimate.of(0.25, n=4)
    >>> Rate().value, float(Rate())
    (0.25, 0.25)
    """

    __slots__ = ()

    @property
    def headline(self) -> Estimate:
        """The main number."""
        raise NotImplementedError

    @property
    def value(self) -> float | None:
        """The main number without its interval; None where it is undefined."""
        return self.headline.value

    def __float__(self) -> float:
        return float(self.headline)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of pairs of labels: row = label in x, column = label in y.

    >>> table = Confusion(("A", "B"), ((3, 1), (0, 2)))
    >>> table.count("A", "B"), table.n
    (1, 6)
    """

    labels: tuple[Label, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        """Number of pairs counted."""
        return sum(map(sum, self.counts))

    def count(self, x: Label, y: Label) -> int:
        """Return how often x and y met."""
        return self.counts[_position(self.labels, x)][_position(self.labels, y)]


def _position(labels: Sequence[Label], label: Label) -> int:
    if label not in labels:
        raise DataError(f"expected one of {list(labels)!r}, found {label!r}")
    return labels.index(label)
