"""Inputs that may be uncertain: a number, a range, or a mean with its spread."""

import math
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, StrictFloat, model_validator
from scipy.special import betaincinv, ndtri

FloatArray = NDArray[np.float64]
MOST = 1e12
NO_SPREAD = 1e-6
"""A spread that is a smaller part of its mean shows in no figure and is taken for none."""
FORMS = "a number, {low, high} or {mean, sd}"


class Amount(BaseModel):
    """Zero or more: a number, `{low, high}` or `{mean, sd}`.

    Between `low` and `high` every value is as likely as any other. `{mean, sd}` is log-normal, so
    never below zero; that of a share is a beta distribution, so never above one. `why` is a remark.

    >>> Amount.model_validate(3).quantile(np.array([0.05, 0.95])).tolist()
    [3.0, 3.0]
    >>> Amount.model_validate({"low": 10, "high": 20}).quantile(np.array([0.0, 0.5])).tolist()
    [10.0, 15.0]
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    LEAST: ClassVar[str] = "0 or more"
    CAP: ClassVar[float] = MOST

    value: StrictFloat | None = None
    low: StrictFloat | None = None
    high: StrictFloat | None = None
    mean: StrictFloat | None = None
    sd: StrictFloat | None = None
    why: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _number_alone(cls, given: Any) -> Any:
        if isinstance(given, bool | str) or given is None:
            hint = "; write 1.0e+6 or 1000000 for a million" if isinstance(given, str) else ""
            raise ValueError(f"expected {FORMS}{hint}")
        return {"value": given} if isinstance(given, int | float) else given

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        named = [name for name, _ in self._numbers()]
        if named not in (["value"], ["low", "high"], ["mean", "sd"]):
            raise ValueError(f"expected {FORMS}, found {', '.join(named) or 'nothing'}")
        for name, part in self._numbers():
            if name != "sd" and not self._allows(part):
                found = "" if name == "value" else f", found {name} {part:g}"
                raise ValueError(f"expected {self.LEAST} and at most {self.CAP:g}{found}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"expected low up to high, found {self.low:g} to {self.high:g}")
        if self.mean is not None and self.sd is not None:
            self._check_spread(self.mean, self.sd)
        return self

    def _numbers(self) -> Iterator[tuple[str, float]]:
        yield from ((name, part) for name, part in self if isinstance(part, float | int))

    @classmethod
    def _allows(cls, part: float) -> bool:
        return 0 <= part <= cls.CAP

    def _check_spread(self, mean: float, sd: float) -> None:
        if sd < 0:
            raise ValueError(f"expected an sd of 0 or more, found {sd:g}")
        if mean == 0 < sd:
            raise ValueError(f"expected a mean above 0 where sd is {sd:g}; give {{low, high}}")
        if sd > 10 * mean:
            raise ValueError(f"expected an sd of at most ten means, found {sd:g} with {mean:g}")

    @property
    def exact(self) -> bool:
        """Whether there is one value only."""
        if self.mean is not None and self.sd is not None:
            return self.sd <= NO_SPREAD * self.mean
        return self.low == self.high

    @property
    def words(self) -> str:
        """As it was written.

        >>> Amount.model_validate({"low": 1, "high": 2.5}).words
        '1 to 2.5'
        """
        if self.value is not None:
            return f"{self.value:,.15g}"
        if self.low is not None and self.high is not None:
            return f"{self.low:,.15g} to {self.high:,.15g}"
        return ", ".join(f"{name} {value:,.15g}" for name, value in self._numbers())

    @property
    def middle(self) -> float:
        """The median."""
        return float(self.quantile(np.array([0.5]))[0])

    def quantile(self, p: FloatArray) -> FloatArray:
        """The values below which shares `p` of the input lie; `p` is inside (0, 1)."""
        if self.mean is not None and self.sd is not None and not self.exact:
            return self._spread(self.mean, self.sd, p)
        low = next(x for x in (self.value, self.low, self.mean) if x is not None)
        high = low if self.high is None else self.high
        return np.asarray(low + p * (high - low), dtype=np.float64)

    def _spread(self, mean: float, sd: float, p: FloatArray) -> FloatArray:
        variance = math.log1p((sd / mean) ** 2)
        found = np.exp(math.log(mean) - variance / 2 + math.sqrt(variance) * ndtri(p))
        return np.asarray(found, dtype=np.float64)


class Positive(Amount):
    """Above zero."""

    LEAST: ClassVar[str] = "above 0"

    @classmethod
    def _allows(cls, part: float) -> bool:
        return 0 < part <= cls.CAP


class Share(Amount):
    """From zero to one."""

    LEAST: ClassVar[str] = "a share of 0 or more"
    CAP: ClassVar[float] = 1.0

    def _check_spread(self, mean: float, sd: float) -> None:
        if not 0 <= sd * sd < mean * (1 - mean) and sd != 0:
            most = math.sqrt(mean * (1 - mean))
            raise ValueError(
                f"expected an sd below {most:.3g}, the most that a share of {mean:g} can have, "
                f"found {sd:g}"
            )

    def _spread(self, mean: float, sd: float, p: FloatArray) -> FloatArray:
        strength = mean * (1 - mean) / (sd * sd) - 1
        found = betaincinv(mean * strength, (1 - mean) * strength, p)
        return np.asarray(found, dtype=np.float64)


class PositiveShare(Share):
    """Above zero, up to one."""

    LEAST: ClassVar[str] = "a share above 0"

    @classmethod
    def _allows(cls, part: float) -> bool:
        return 0 < part <= cls.CAP

    def _spread(self, mean: float, sd: float, p: FloatArray) -> FloatArray:
        # The lower end of a wide beta distribution rounds to zero, and nothing divides by that.
        return np.maximum(super()._spread(mean, sd, p), 1e-6)


class PartialShare(Share):
    """From zero to 0.99."""

    CAP: ClassVar[float] = 0.99

    def _spread(self, mean: float, sd: float, p: FloatArray) -> FloatArray:
        return np.minimum(super()._spread(mean, sd, p), self.CAP)


def amounts_in(part: object, at: str = "") -> Iterator[tuple[str, Amount]]:
    """All amounts inside a config with their places, such as `once.people.minutes`."""
    if isinstance(part, Amount):
        yield at, part
        return
    inner: Iterator[tuple[object, object]]
    if isinstance(part, BaseModel):
        inner = iter(part)
    elif isinstance(part, dict):
        inner = iter(part.items())
    elif isinstance(part, tuple):
        inner = iter(enumerate(part))
    else:
        return
    for name, value in inner:
        yield from amounts_in(value, f"{at}.{name}" if at else str(name))
