"""One tensor of full weights: how its inputs lie to each other, then their merge, block by block.

The inputs come in the dtype that they are stored in. Each block of rows is widened to float32,
and inner products are summed in double precision.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations_with_replacement

from judgesmith.backends.loading import load
from judgesmith.backends.merging.adapter_files import too_large
from judgesmith.backends.merging.diagnostics import (
    Facts,
    SignCount,
    describe,
    describe_chosen,
    whole,
)
from judgesmith.backends.merging.entries import Choosing, join, thin
from judgesmith.backends.merging.factors import NotFinite, Tensor
from judgesmith.backends.merging.methods import (
    Granularity,
    MergeMethod,
    NuSlerp,
    Sparse,
)
from judgesmith.backends.merging.pool import in_turn
from judgesmith.backends.merging.result import TensorReport
from judgesmith.backends.merging.weighing import coefficients
from judgesmith.backends.merging.weight_files import Rows

_BLOCK = 1 << 18
"""Entries worked on at a time: a few arrays of this length stay in a core's cache."""


def granularity_of(method: MergeMethod) -> Granularity:
    """What the method takes one coefficient per."""
    return method.granularity if isinstance(method, NuSlerp) else "tensor"


def matrix_shape(shape: tuple[int, ...], by: Granularity) -> tuple[int, int]:
    """Rows and columns of a tensor as a matrix of which one or the other are the vectors meant.

    A row runs along the last dimension, a column along the first; a vector is one of either.

    >>> [matrix_shape(shape, "row") for shape in ((), (3,), (2, 3), (4, 2, 3))]
    [(1, 1), (1, 3), (2, 3), (8, 3)]
    >>> [matrix_shape(shape, "column") for shape in ((), (3,), (4, 2, 3))]
    [(1, 1), (3, 1), (4, 6)]
    """
    count = 1
    for n in shape:
        count *= n
    if not shape or not count:
        return (1, count)
    columns = count // shape[0] if by == "column" else shape[-1]
    return count // columns, columns


def row_blocks(shape: tuple[int, int]) -> list[slice]:
    """Slices of rows that hold about `_BLOCK` entries each, at least one row."""
    rows, columns = shape
    step = max(1, _BLOCK // max(1, columns))
    return [slice(start, min(rows, start + step)) for start in range(0, rows, step)]


@dataclass(frozen=True)
class Work:
    """The matrices of one tensor, as stored, and the threads to work on them."""

    inputs: Sequence[Rows]
    base: Rows | None
    pool: ThreadPoolExecutor

    def blocks(self) -> list[slice]:
        """Slices of rows."""
        return row_blocks(self.inputs[0].shape)

    def parts(self, rows: slice, below: Tensor | None) -> list[Tensor]:
        """A block of each input in float32, less the base's block where there is one."""
        wide = [one.read(rows).float() for one in self.inputs]
        return wide if below is None else [part - below for part in wide]

    def below(self, rows: slice) -> Tensor | None:
        """A block of the base in float32."""
        return None if self.base is None else self.base.read(rows).float()


def merge_tensor(
    name: str, shape: tuple[int, ...], work: Work, method: MergeMethod, *, dtype: object, seed: int
) -> tuple[TensorReport, Iterator[Tensor]]:
    """Measure one tensor; its merge follows in blocks of rows, in the dtype wanted.

    Args:
        name: of the tensor; keys DARE's masks.
        shape: of the tensor.
        work: its inputs as matrices of `matrix_shape`. TIES, DARE and task arithmetic need a base.
        method: how to merge.
        dtype: torch dtype of the result.
        seed: of DARE's masks.

    Raises:
        NotFinite: an input holds NaN or infinite entries.
    """
    by = granularity_of(method)
    gram, signs = measure(work, by)
    facts = Facts(name, shape, signs)
    if isinstance(method, Sparse):
        return _choose(work, method, facts, gram, dtype=dtype, seed=seed)
    shares = coefficients(method, gram)
    return describe(facts, gram, shares), _add_up(work, shares, by, dtype, name=name)


def measure(work: Work, by: Granularity) -> tuple[list[list[Tensor]], SignCount]:
    """Inner products of the inputs and their sign differences, in one pass.

    Raises:
        NotFinite: an inner product is not finite.
    """
    torch = load("torch")
    places = range(len(work.inputs))
    pairs = list(combinations_with_replacement(places, 2))
    product = _PRODUCTS[by]

    def one(rows: slice) -> tuple[list[Tensor], SignCount]:
        parts = work.parts(rows, work.below(rows))
        signs = SignCount()
        signs.add(parts)
        wide = [part.double() for part in parts]
        return [product(wide[i], wide[j]) for i, j in pairs], signs

    found, signs = [], SignCount()
    for products, count in in_turn(work.pool, one, work.blocks()):
        found.append(products)
        signs = signs + count
    sums = {}
    for place, pair in enumerate(pairs):
        values = [products[place] for products in found]
        sums[pair] = torch.cat(values) if by == "row" else torch.stack(values).sum(0)
        if not bool(sums[pair].isfinite().all()):
            raise NotFinite
    return [[sums[min(i, j), max(i, j)] for j in places] for i in places], signs


_PRODUCTS: dict[Granularity, Callable[[Tensor, Tensor], Tensor]] = {
    "tensor": lambda x, y: x.reshape(-1) @ y.reshape(-1),
    "row": lambda x, y: (x * y).sum(1),
    "column": lambda x, y: (x * y).sum(0),
}


def _add_up(
    work: Work, shares: Sequence[Tensor], by: Granularity, dtype: object, *, name: str
) -> Iterator[Tensor]:
    scalars = [float(share) for share in shares] if by == "tensor" else []
    narrow = [share.float() for share in shares]
    if not all(bool(share.isfinite().all()) for share in narrow):
        raise too_large(name)

    def one(rows: slice) -> Tensor:
        below = work.below(rows)
        merged = None if below is None else below.clone()
        for place, part in enumerate(work.parts(rows, below)):
            factor = narrow[place][rows, None] if by == "row" else narrow[place]
            if merged is None:
                merged = part * factor  # never in place: the part may be the input itself
            elif scalars:
                merged.add_(part, alpha=scalars[place])
            else:
                merged.addcmul_(part, factor)
        assert merged is not None
        return _fitting(merged.to(dtype), name)

    return in_turn(work.pool, one, work.blocks())


def _fitting(block: Tensor, name: str) -> Tensor:
    """The block as it is to be written. Raises DataError where its dtype cannot hold it."""
    if not bool(block.isfinite().all()):
        raise too_large(name, str(block.dtype).removeprefix("torch."))
    return block


def _choose(
    work: Work, method: Choosing, facts: Facts, gram: Sequence[Sequence[Tensor]],
    *, dtype: object, seed: int,
) -> tuple[TensorReport, Iterator[Tensor]]:  # fmt: skip
    torch = load("torch")
    base = work.base
    assert base is not None
    products = whole(gram)
    blocks = work.blocks()
    if not any(products[i][i] for i in range(len(products))):
        still = (base.read(rows).to(dtype) for rows in blocks)
        return describe_chosen(facts, products, [0.0] * len(products), 0.0), still
    deltas = _deltas(work)
    views = [delta.reshape(facts.shape) for delta in deltas]
    kept = tuple(
        work.pool.map(lambda place: thin(views, method, facts.name, seed, place), range(len(views)))
    )
    merged = deltas[0]  # its blocks are read before they are written over

    def one(rows: slice) -> Tensor:
        merged[rows] = join([delta[rows] for delta in deltas], method)
        block = merged[rows].double().reshape(-1)
        parts = [part.double().reshape(-1) for part in work.parts(rows, work.below(rows))]
        return torch.stack([block @ other for other in (*parts, block)])

    def laid(rows: slice) -> Tensor:
        return _fitting(merged[rows].add(base.read(rows).float()).to(dtype), facts.name)

    *onto, square = torch.stack(list(in_turn(work.pool, one, blocks))).sum(0).tolist()
    facts = Facts(facts.name, facts.shape, facts.signs, kept=kept)
    report = describe_chosen(facts, products, onto, square**0.5)
    return report, in_turn(work.pool, laid, blocks)


def _deltas(work: Work) -> list[Tensor]:
    """The whole deltas in float32."""
    torch = load("torch")
    deltas = [torch.empty(work.inputs[0].shape, dtype=torch.float32) for _ in work.inputs]

    def fill(rows: slice) -> None:
        for delta, part in zip(deltas, work.parts(rows, work.below(rows)), strict=True):
            delta[rows] = part

    for _ in in_turn(work.pool, fill, work.blocks()):
        pass
    return deltas
