"""Deltas as products of two thin factors: inner products, sums and SVD without the full matrix.

A delta is scale * B A, with B of shape (out, r) and A of shape (r, in). Factors keep the precision
that they are stored in, or float32; inner products and decompositions run in double precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from judgesmith.backends.loading import load
from judgesmith.backends.merging.methods import Granularity

Tensor = Any
"""A torch tensor; torch has no types that a checker could read without importing it."""


class NotFinite(Exception):
    """An input holds NaN or infinite entries."""


@dataclass(frozen=True, eq=False)
class Factors:
    """One delta: `scale` times the product of `b` (out, r) and `a` (r, in)."""

    b: Tensor
    a: Tensor
    scale: float = 1.0

    @property
    def rank(self) -> int:
        """The rank that is stored, which is the most that the product can have."""
        return int(self.b.shape[1])

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the product."""
        return int(self.b.shape[0]), int(self.a.shape[1])

    @cached_property
    def is_zero(self) -> bool:
        """Whether a factor is zero, and so the delta; untrained adapters have B = 0."""
        return not (_any(self.b) and _any(self.a))

    @cached_property
    def wide(self) -> tuple[Tensor, Tensor]:
        """Both factors in double precision, without the scale."""
        return self.b.double(), self.a.double()

    def dense(self, rows: slice | None = None) -> Tensor:
        """The product itself, or some of its rows, as float32."""
        b = self.b if rows is None else self.b[rows]
        return (b.float() @ self.a.float()).mul_(self.scale)


def _any(matrix: Tensor) -> bool:
    """Whether an entry is not zero; the first row nearly always says so."""
    return bool(matrix[:1].any()) or bool(matrix.any())


def inner(x: Factors, y: Factors, granularity: Granularity = "tensor") -> Tensor:
    """Inner products of two deltas from small matrices only; float64.

    Of whole tensors <B1 A1, B2 A2> = trace((B1' B2)(A2 A1')), a scalar tensor; of rows a vector of
    length out, whose i-th entry is b1_i (A1 A2') b2_i'; of columns one of length in.

    >>> import torch
    >>> x = Factors(torch.tensor([[1.0], [2.0]]).double(), torch.tensor([[1.0, 0.0]]).double())
    >>> y = Factors(torch.tensor([[1.0], [1.0]]).double(), torch.tensor([[3.0, 1.0]]).double())
    >>> inner(x, y).item(), inner(x, y, "row").tolist(), inner(x, y, "column").tolist()
    (9.0, [3.0, 6.0], [9.0, 0.0])
    """
    (xb, xa), (yb, ya), scale = x.wide, y.wide, x.scale * y.scale
    if granularity == "row":
        return ((xb @ (xa @ ya.T)) * yb).sum(1) * scale
    if granularity == "column":
        return (((xb.T @ yb) @ ya) * xa).sum(0) * scale
    return ((xb.T @ yb) * (xa @ ya.T)).sum() * scale


def inner_products(deltas: Sequence[Factors], by: Granularity = "tensor") -> list[list[Tensor]]:
    """All inner products of some deltas, a symmetric matrix of `inner`'s results.

    Raises:
        NotFinite: one of them is NaN or infinite.
    """
    places = range(len(deltas))
    found = {(i, j): inner(deltas[i], deltas[j], by) for j in places for i in range(j + 1)}
    if not all(bool(value.isfinite().all()) for value in found.values()):
        raise NotFinite
    return [[found[min(i, j), max(i, j)] for j in places] for i in places]


def combine(deltas: Sequence[Factors], coefficients: Sequence[Tensor], by: Granularity) -> Factors:
    """The sum of c_i scale_i B_i A_i as one pair of factors, exact: ranks add up.

    A coefficient per row scales rows of B, one per column columns of A. Deltas that are zero, or
    whose coefficients all are, are left out; if nothing is left, one zero delta of rank 1 is.
    """
    torch = load("torch")
    b, a = [], []
    for delta, c in zip(deltas, coefficients, strict=True):
        if delta.is_zero or not bool(c.any()):
            continue
        if by == "tensor":
            b.append(delta.b * float(c * delta.scale))
            a.append(delta.a)
            continue
        scaled = (c * delta.scale).to(delta.b.dtype)
        b.append(delta.b if by == "column" else delta.b * scaled[:, None])
        a.append(delta.a * scaled if by == "column" else delta.a)
    if not b:
        return Factors(torch.zeros_like(deltas[0].b[:, :1]), torch.zeros_like(deltas[0].a[:1]))
    return Factors(torch.cat(b, 1), torch.cat(a, 0))


@dataclass(frozen=True)
class Truncated:
    """Factors of smaller rank, with the squared norm that was dropped and the one there was."""

    factors: Factors
    dropped: float
    total: float

    @property
    def error(self) -> float:
        """Norm of what was dropped over the norm of the whole; 0 for a zero delta."""
        return (self.dropped / self.total) ** 0.5 if self.total else 0.0


def truncate(delta: Factors, rank: int) -> Truncated:
    """The nearest delta of at most this rank, with its exact distance.

    B = Qb Rb and A' = Qa Ra give B A = Qb (Rb Ra') Qa'; the SVD of the small matrix in brackets is
    that of the whole. What is dropped has the norm sqrt(sum of dropped sigma^2), and no other
    delta of that rank is nearer (Eckart and Young, 1936). Both new factors carry sqrt(sigma).
    """
    torch = load("torch")
    if delta.rank <= rank:
        total = float(inner(delta, delta))
        return Truncated(delta, 0.0, total)
    b, a = delta.wide
    qb, rb = torch.linalg.qr(b)
    qa, ra = torch.linalg.qr(a.T)
    u, sigma, vh = torch.linalg.svd(rb @ ra.T * delta.scale, full_matrices=False)
    return _cut(qb @ u, sigma, vh @ qa.T, rank)


def _cut(u: Tensor, sigma: Tensor, vh: Tensor, rank: int) -> Truncated:
    root = sigma[:rank].sqrt()
    factors = Factors(u[:, :rank] * root, root[:, None] * vh[:rank])
    squares = sigma**2
    return Truncated(factors, float(squares[rank:].sum()), float(squares.sum()))


_EXACT_BELOW = 512
"""Smaller sides up to this many entries take a whole SVD, which is then a matter of a second."""
_EXTRA, _POWERS = 16, 4


def compress(dense: Tensor, rank: int, seed: int) -> Truncated:
    """Factors of a full matrix, of at most this rank.

    Large matrices take the randomised range finder of Halko, Martinsson and Tropp (2011) with
    power iterations, on a start drawn from `seed`. Its result is a projection of the matrix, so
    the dropped norm is that of this result, to float32 rounding; it may lie a little above the
    least possible one.
    """
    torch = load("torch")
    side = min(dense.shape)
    if side <= _EXACT_BELOW or rank + _EXTRA >= side // 2:
        u, sigma, vh = torch.linalg.svd(dense.double(), full_matrices=False)
        return _cut(u, sigma, vh, rank)
    draw = torch.Generator().manual_seed(seed)
    start = torch.randn(dense.shape[1], rank + _EXTRA, generator=draw)
    q = torch.linalg.qr(dense @ start).Q
    for _ in range(_POWERS):
        q = torch.linalg.qr(dense @ torch.linalg.qr(dense.T @ q).Q).Q
    u, sigma, vh = torch.linalg.svd((q.T @ dense).double(), full_matrices=False)
    cut = _cut(q.double() @ u, sigma, vh, rank)
    total = squared_norm(dense)
    return Truncated(cut.factors, max(0.0, total - float((sigma[:rank] ** 2).sum())), total)


def squared_norm(dense: Tensor) -> float:
    """Sum of squares of a float32 tensor, summed in double precision block by block."""
    flat = dense.reshape(-1)
    return sum(float((block := part.double()) @ block) for part in flat.split(1 << 20))
