"""What a merge did and found: spreads over its tensors, those that stand out, and its search."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from statistics import median
from typing import Any

from judgesmith.report.result_base import Result

FAR = 3.5
"""Robust standard deviations from the median beyond which a tensor stands out."""
LEAST_SPREAD = 8
"""Tensors from which on one can stand out from the others."""
MOST_UNUSUAL = 5
ROUTED = "routed"
"""The row of the specialists together, each asked in its own format."""
Tensor = Mapping[str, Any]
Reader = Callable[[Tensor], float | None]


class Spread(Result):
    """One measure over the tensors that have it: `share` is whether it lies between 0 and 1."""

    measure: str
    tensors: int
    median: float
    low: float
    high: float
    share: bool = False


class Unusual(Result):
    """A tensor that lies far from the others in one measure."""

    tensor: str
    shape: tuple[int, ...]
    measure: str
    value: float
    median: float


class Measured(Result):
    """One judge on the dev items of one dialect, as `models.dev_measures` measures it."""

    agreement: float | None
    right: float
    pearson: float | None
    parsed: float
    consistency: float | None
    items: int


class Tried(Result):
    """One judge in the search's table; only merges can be `undominated` or `chosen`."""

    name: str
    measures: dict[str, Measured]
    worst_kept: float | None
    undominated: bool
    chosen: bool


class Merging(Result):
    """A merge: `summary` is what its stage tells, without the table of tensors.

    `config` is what the stage was told; `search` what was tried on dev, merges first.
    """

    config: dict[str, Any]
    summary: dict[str, Any]
    spreads: tuple[Spread, ...] = ()
    unusual: tuple[Unusual, ...] = ()
    search: tuple[Tried, ...] = ()

    @property
    def merges(self) -> tuple[Tried, ...]:
        """The rows of the search that are merges; those after them stand beside."""
        names = [one.name for one in self.search]
        return self.search[: names.index(ROUTED)] if ROUTED in names else self.search

    @property
    def beside(self) -> tuple[Tried, ...]:
        """The rows that are none: the specialists, all of them routed, and further students."""
        return self.search[len(self.merges) :]


def spreads(tensors: Sequence[Tensor], names: Sequence[str]) -> tuple[Spread, ...]:
    """Median and range of each measure that any tensor has; `names` are those of the inputs.

    >>> rows = [{"cosines": [0.1], "norm_ratio": 2.0}, {"cosines": [0.3], "norm_ratio": None}]
    >>> for one in spreads(rows, ["a", "b"]):
    ...     print(one.measure, one.tensors, one.median, one.low, one.high)
    cosine 2 0.2 0.1 0.3
    longer over shorter 1 2.0 2.0 2.0
    """
    found = []
    for measure, (read, share) in _readers(names).items():
        values = [value for tensor in tensors if (value := read(tensor)) is not None]
        if values:
            found.append(
                Spread(
                    measure=measure, tensors=len(values), median=median(values), low=min(values),
                    high=max(values), share=share,
                )
            )  # fmt: skip
    return tuple(found)


def unusual(tensors: Sequence[Tensor], names: Sequence[str]) -> tuple[Unusual, ...]:
    """The few tensors that lie farthest from the median of a measure, each once, farthest first.

    Far is 3.5 robust standard deviations: 1.4826 times the median distance from the median
    (Iglewicz and Hoaglin, 1993). Where half of the tensors are alike in a measure, or there are
    fewer than eight, none stands out in it.
    """
    found: dict[str, tuple[float, Unusual]] = {}
    for measure, (read, _) in _readers(names).items():
        values = [(tensor, value) for tensor in tensors if (value := read(tensor)) is not None]
        if len(values) < LEAST_SPREAD:
            continue
        middle = median(value for _, value in values)
        unit = 1.4826 * median(abs(value - middle) for _, value in values)
        for tensor, value in values:
            far = abs(value - middle) / unit if unit > 1e-9 else 0.0
            name = str(tensor["name"])
            if far >= FAR and far > found.get(name, (0.0,))[0]:
                row = Unusual(
                    tensor=name, shape=tuple(tensor["shape"]), measure=measure, value=value,
                    median=middle,
                )  # fmt: skip
                found[name] = far, row
    ordered = sorted(found.items(), key=lambda entry: (-entry[1][0], entry[0]))
    return tuple(row for _, (_, row) in ordered[:MOST_UNUSUAL])


def _readers(names: Sequence[str]) -> dict[str, tuple[Reader, bool]]:
    """What is measured of each tensor, in words, and whether it is a share."""
    pairs = list(combinations(names, 2))
    found: dict[str, tuple[Reader, bool]] = {}
    for place, (a, b) in enumerate(pairs):
        words = "cosine" if len(pairs) == 1 else f"cosine of {a} and {b}"
        found[words] = (_nth("cosines", place), False)
    found["longer over shorter"] = (_one("norm_ratio"), False)
    found["entries whose signs differ"] = (_one("sign_conflict"), True)
    for place, name in enumerate(names):
        found[f"effective coefficient of {name}"] = (_nth("coefficients", place), False)
    for place, name in enumerate(names):
        found[f"entries kept of {name}"] = (_nth("kept", place), True)
    found["lost by recompression"] = (_one("error"), True)
    return found


def _one(field: str) -> Reader:
    def read(tensor: Tensor) -> float | None:
        return _finite(tensor.get(field))

    return read


def _nth(field: str, place: int) -> Reader:
    def read(tensor: Tensor) -> float | None:
        values = tensor.get(field) or ()
        return _finite(values[place]) if place < len(values) else None

    return read


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
