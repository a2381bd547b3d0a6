"""What a merge found and did, written beside its result as `merge.json`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from judgesmith.backends.merging.methods import MergeMethod

MERGE_FILE = "merge.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TensorReport(_Part):
    """One tensor: how its inputs lie to each other, and what each contributed.

    Of an adapter a tensor is the product that a module's two factors stand for. `norms` are
    Frobenius norms of the deltas (of the weights where no base was given); `cosines` those of the
    pairs (1,2), (1,3), (2,3)..., None where one is zero. `sign_conflict` is the share of entries,
    among those where two or more inputs are not zero, whose signs differ; it was counted in
    `sign_rows` rows, spread evenly. `coefficients` is how much of each input the result holds:
    exact where the method adds whole inputs (the mean over rows or columns at those
    granularities), the least-squares fit where it chooses among entries. `norm` is that of the
    merged delta. `error` is the share of it that recompression lost, as a norm.
    """

    name: str
    shape: tuple[int, ...]
    norms: tuple[float, ...]
    cosines: tuple[float | None, ...]
    norm_ratio: float | None
    sign_conflict: float | None = None
    sign_rows: int = 0
    coefficients: tuple[float | None, ...]
    coefficient_low: tuple[float, ...] | None = None
    coefficient_high: tuple[float, ...] | None = None
    norm: float
    rank: int | None = None
    error: float | None = None
    kept: tuple[float, ...] | None = Field(None, description="share of entries kept, per input")


class MergeWarning(_Part):
    """A setting or an input that does less, or other, than its name promises (defect 18)."""

    kind: str
    message: str
    remedy: str


class MergeInput(_Part):
    """One input; `sha256` is of its weight files, in the order of their names.

    `name` is a hub name, or a folder's own name: paths of one machine are nobody else's concern.
    """

    name: str
    sha256: str
    weight: float
    ranks: tuple[int, ...] = Field((), description="ranks that occur, of an adapter")


class MergeReport(_Part):
    """A whole merge.

    `error` is the norm of all that recompression lost over the norm of all merged deltas.
    `tied` names tensors that are written once because the base ties them to another.
    """

    result: Literal["adapter", "model"]
    inputs: tuple[MergeInput, ...]
    base: str | None
    method: MergeMethod
    seed: int | None = None
    rank: int | None = None
    dtype: str = ""
    error: float | None = None
    tensors: tuple[TensorReport, ...]
    tied: tuple[str, ...] = ()
    warnings: tuple[MergeWarning, ...]
