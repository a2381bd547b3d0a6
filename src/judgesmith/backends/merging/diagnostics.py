"""How inputs lie to each other, tensor by tensor, as pure functions of arrays."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from judgesmith.backends.loading import load
from judgesmith.backends.merging.factors import Factors, Tensor
from judgesmith.backends.merging.result import TensorReport

SAMPLED_ROWS = 64
"""Rows of an adapter's product in which signs are compared, unless all are asked for."""


@dataclass
class SignCount:
    """Entries where at least two inputs are not zero, and those of them whose signs differ."""

    differing: int = 0
    compared: int = 0
    rows: int = 0

    def add(self, parts: Sequence[Tensor]) -> None:
        """Count the entries of equal blocks, one per input.

        >>> import torch
        >>> count = SignCount()
        >>> count.add([torch.tensor([[1.0, -2.0, 0.0]]), torch.tensor([[3.0, 1.0, 5.0]])])
        >>> count.differing, count.compared, count.share
        (1, 2, 0.5)
        """
        self.rows += int(parts[0].shape[0])
        if len(parts) == 2:
            product = (parts[0] * parts[1]).numpy()
            self.differing += int(np.count_nonzero(product < 0))
            self.compared += int(np.count_nonzero(product != 0))
            return
        plus = sum((part > 0).numpy().astype(np.uint8) for part in parts)
        minus = sum((part < 0).numpy().astype(np.uint8) for part in parts)
        self.differing += int(np.count_nonzero((plus > 0) & (minus > 0)))
        self.compared += int(np.count_nonzero(plus + minus >= 2))

    def __add__(self, other: "SignCount") -> "SignCount":
        """The counts of both."""
        return SignCount(
            self.differing + other.differing, self.compared + other.compared, self.rows + other.rows
        )

    @property
    def share(self) -> float | None:
        """Differing over compared; None where nothing could be compared."""
        return self.differing / self.compared if self.compared else None


def factor_signs(deltas: Sequence[Factors], *, all_rows: bool) -> SignCount:
    """Sign differences of products of factors, in rows spread evenly or in all, block by block."""
    torch = load("torch")
    count = SignCount()
    live = [delta for delta in deltas if not delta.is_zero]
    if len(live) < 2:
        return count
    rows = live[0].shape[0]
    if all_rows or rows <= SAMPLED_ROWS:
        for start in range(0, rows, 1024):
            count.add([delta.dense(slice(start, start + 1024)) for delta in live])
        return count
    at = torch.linspace(0, rows - 1, SAMPLED_ROWS).long()
    count.add([delta.dense(at) for delta in live])
    return count


Gram = Sequence[Sequence[Tensor]]
"""Inner products of the inputs: k by k float64 tensors, scalars or one entry per row (column)."""


@dataclass(frozen=True)
class Facts:
    """What is known of one tensor besides its inner products."""

    name: str
    shape: tuple[int, ...]
    signs: SignCount = field(default_factory=SignCount)
    kept: tuple[float, ...] | None = None
    rank: int | None = None
    error: float | None = None


def whole(gram: Gram) -> list[list[float]]:
    """Inner products of whole tensors, from those of their rows."""
    return [[float(entry.sum()) for entry in row] for row in gram]


def describe(facts: Facts, gram: Gram, coefficients: Sequence[Tensor]) -> TensorReport:
    """The report of a tensor that was merged by adding whole inputs up."""
    squared = sum(
        (coefficients[i] * coefficients[j] * gram[i][j]).sum().item()
        for i in range(len(gram))
        for j in range(len(gram))
    )
    several = coefficients[0].numel() > 1
    return _report(
        facts, whole(gram), [float(c.mean()) for c in coefficients], math.sqrt(max(0.0, squared))
    ).model_copy(
        update={
            "coefficient_low": tuple(float(c.min()) for c in coefficients) if several else None,
            "coefficient_high": tuple(float(c.max()) for c in coefficients) if several else None,
        }
    )


def describe_chosen(
    facts: Facts, gram: Sequence[Sequence[float]], onto: Sequence[float], norm: float
) -> TensorReport:
    """The report of a tensor whose entries were chosen.

    Args:
        facts: what else is known.
        gram: inner products of the inputs.
        onto: inner products of the merged delta with each input.
        norm: of the merged delta.

    The coefficients are the least-squares fit: those c for which sum c_i delta_i is nearest to the
    merged delta. They solve gram c = onto; an input that is zero has none.
    """
    torch = load("torch")
    live = [i for i in range(len(gram)) if gram[i][i] > 0]
    fitted: list[float | None] = [None] * len(gram)
    if live:
        matrix = torch.tensor([[gram[i][j] for j in live] for i in live], dtype=torch.float64)
        right = torch.tensor([[onto[i]] for i in live], dtype=torch.float64)
        solved = torch.linalg.pinv(matrix, rtol=1e-10, hermitian=True) @ right
        for i, value in zip(live, solved.reshape(-1).tolist(), strict=True):
            fitted[i] = value
    return _report(facts, gram, fitted, norm)


def _report(
    facts: Facts,
    gram: Sequence[Sequence[float]],
    coefficients: Sequence[float | None],
    norm: float,
) -> TensorReport:
    norms = [math.sqrt(max(0.0, gram[i][i])) for i in range(len(gram))]
    live = [norm for norm in norms if norm > 0]
    return TensorReport(
        name=facts.name, shape=facts.shape, norms=tuple(norms), cosines=cosines(gram),
        norm_ratio=max(live) / min(live) if len(live) > 1 else None,
        sign_conflict=facts.signs.share, sign_rows=facts.signs.rows,
        coefficients=tuple(coefficients), norm=norm, rank=facts.rank, error=facts.error,
        kept=facts.kept,
    )  # fmt: skip


def cosines(gram: Sequence[Sequence[float]]) -> tuple[float | None, ...]:
    """Cosines of all pairs, (1,2), (1,3), (2,3)...; None where an input is zero.

    >>> cosines([[4.0, 3.0], [3.0, 9.0]]), cosines([[4.0, 0.0], [0.0, 0.0]])
    ((0.5,), (None,))
    """
    found: list[float | None] = []
    for i, j in combinations(range(len(gram)), 2):
        norms = math.sqrt(max(0.0, gram[i][i]) * max(0.0, gram[j][j]))
        found.append(max(-1.0, min(1.0, gram[i][j] / norms)) if norms else None)
    return tuple(found)
