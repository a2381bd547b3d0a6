"""What can be done to two or more judges of one base: six methods, each with its own settings.

Notation: b is the base, theta_i a judge, delta_i = theta_i - b what its training added, w_i its
weight. All act on one tensor at a time.
"""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from judgesmith.errors import RecipeError, nearest

Granularity = Literal["tensor", "row", "column"]
Rescale = Literal["inverse_density", "norm", "none"]
Missing = Literal["absent", "zero"]
Share = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=-1e38, le=1e38, allow_inf_nan=False)]


class _Method(BaseModel):
    """`weights`: one number per input, in the order of the inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    weights: tuple[Weight, ...] = Field(min_length=2)

    def shares(self) -> tuple[float, ...]:
        """The weights divided by their sum."""
        total = math.fsum(self.weights)
        return tuple(weight / total for weight in self.weights)

    def _refuse_sum_zero(self) -> None:
        if abs(math.fsum(self.weights)) < 1e-6:
            raise ValueError(f"weights {self.weights} are divided by their sum, which is 0")


class NuSlerp(_Method):
    """Turn from the first delta to the second along their arc, keeping the length.

    With t = w2 / (w1 + w2) and the angle phi between u and v:

        (sin((1 - t) phi) u + sin(t phi) v) / sin phi

    so only the ratio of the weights counts. Where phi is so small that its sine is 0 in double
    precision, the limit (1 - t) u + t v is taken. After Shoemake, Animating rotation with
    quaternion curves, 1985, without normalising u and v.

    `granularity`: one angle per tensor, per row (all that one output unit reads) or per column.
    `missing`: where one delta is zero there is no angle. `absent` takes the other delta as it is;
    `zero` takes the angle as a right one, which at equal weights scales the other by 0.707.
    """

    kind: Literal["nuslerp"] = "nuslerp"
    granularity: Granularity = "tensor"
    missing: Missing = "absent"

    @model_validator(mode="after")
    def _two_positive(self) -> Self:
        if len(self.weights) != 2:
            raise ValueError(f"nuslerp takes exactly two inputs, found {len(self.weights)} weights")
        if min(self.weights) < 0:
            raise ValueError(f"nuslerp takes weights of 0 or more, found {self.weights}")
        self._refuse_sum_zero()
        return self

    @property
    def t(self) -> float:
        """How far to turn: 0 is the first, 1 the second.

        >>> NuSlerp(weights=(1, 3)).t
        0.75
        """
        return self.shares()[1]


class Linear(_Method):
    """The weighted mean: sum of w_i theta_i, over the sum of w_i where `normalize` is set.

    `missing`: where a judge's delta is zero, `absent` takes the mean of the others; `zero` counts
    it, which halves a delta that only one of two judges has.
    """

    kind: Literal["linear"] = "linear"
    normalize: bool = True
    missing: Missing = "absent"

    @model_validator(mode="after")
    def _sum(self) -> Self:
        if self.normalize:
            self._refuse_sum_zero()
        return self


class TaskArithmetic(_Method):
    """Add the deltas up: b + scale * sum of w_i delta_i (Ilharco et al., 2023)."""

    kind: Literal["task_arithmetic"] = "task_arithmetic"
    scale: float = Field(1.0, allow_inf_nan=False)


class _Sparse(_Method):
    """`density`: the share of entries that each delta keeps, one number or one per input."""

    density: Share | tuple[Share, ...]
    scale: float = Field(1.0, allow_inf_nan=False)
    normalize: bool = False

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if isinstance(self.density, tuple) and len(self.density) != len(self.weights):
            raise ValueError(f"{len(self.density)} densities for {len(self.weights)} weights")
        if self.normalize:
            self._refuse_sum_zero()
        return self

    def densities(self) -> tuple[float, ...]:
        """One density per input."""
        if isinstance(self.density, tuple):
            return self.density
        return (self.density,) * len(self.weights)


class Ties(_Sparse):
    """Keep the largest entries of each delta, then add up those that agree with the elected sign.

    The sign of an entry is that of sum w_i delta_i; plus where the sum is 0. With `normalize` the
    agreeing entries are averaged by their weights instead of added (Yadav et al., 2023).
    """

    kind: Literal["ties"] = "ties"
    normalize: bool = True


class _Dare(_Sparse):
    """`rescale`: what makes up for the dropped entries.

    `inverse_density` divides by the density, as the paper does: the expectation is kept. `norm`
    restores the sum of absolute values that the delta had, as mergekit does. `none` does nothing.
    """

    rescale: Rescale = "inverse_density"


class DareLinear(_Dare):
    """Drop entries at random, scale what is left, add up (Yu et al., 2024)."""

    kind: Literal["dare_linear"] = "dare_linear"


class DareTies(_Dare):
    """Drop entries at random, scale what is left, then elect signs as TIES does."""

    kind: Literal["dare_ties"] = "dare_ties"


MergeMethod = Annotated[
    NuSlerp | Linear | TaskArithmetic | Ties | DareLinear | DareTies, Field(discriminator="kind")
]
Sparse = (Ties, DareLinear, DareTies)
"""Methods that choose among entries: their result is no combination of whole deltas."""
_ADAPTER: TypeAdapter[MergeMethod] = TypeAdapter(MergeMethod)
KINDS = ("nuslerp", "linear", "task_arithmetic", "ties", "dare_linear", "dare_ties")


def parse_method(given: dict[str, Any]) -> MergeMethod:
    """A method from its settings, as a recipe or the command line gives them.

    Raises:
        RecipeError: no such method, or a setting that it does not take.

    >>> parse_method({"kind": "nuslerp", "weights": [1, 1]}).t
    0.5
    """
    kind = given.get("kind")
    if kind not in KINDS:
        raise RecipeError(f"no merge method {kind!r}: {nearest(str(kind), KINDS)}")
    try:
        return _ADAPTER.validate_python(given)
    except ValidationError as error:
        told = []
        for one in error.errors():
            place = ".".join(str(part) for part in one["loc"][1:])
            if one["type"] == "extra_forbidden":
                told.append(f"{kind} has no setting {place!r}, which would do nothing")
            elif one["type"] == "missing":
                told.append(f"{kind} needs {place!r}")
            else:
                told.append(f"{place or kind}: {one['msg'].removeprefix('Value error, ')}")
        raise RecipeError("; ".join(told)) from None
