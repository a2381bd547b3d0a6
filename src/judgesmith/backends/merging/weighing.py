"""How much of each delta a linear method takes, from the inner products of the deltas.

NuSLERP, linear and task arithmetic give c_1 delta_1 + c_2 delta_2 + ...; they differ in the c.
"""

from collections.abc import Sequence

from judgesmith.backends.loading import load
from judgesmith.backends.merging.factors import Tensor
from judgesmith.backends.merging.methods import Linear, MergeMethod, NuSlerp, TaskArithmetic

_SINE_IS_ZERO = 1e-8
"""Sines below this are rounding: the angle's cosine is known to about 1e-16, its sine to 1e-8."""


def coefficients(method: MergeMethod, grams: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """One coefficient per input, of the form of the inner products (a scalar, or one per row).

    Args:
        method: NuSLERP, linear or task arithmetic.
        grams: inner products of the inputs with each other, float64 tensors of one shape.
    """
    torch = load("torch")
    squares = [grams[i][i] for i in range(len(grams))]
    if isinstance(method, NuSlerp):
        return list(_arc(method, squares[0], squares[1], grams[0][1]))
    weights = [torch.full_like(squares[0], weight) for weight in method.weights]
    if isinstance(method, TaskArithmetic):
        return [weight * method.scale for weight in weights]
    if not isinstance(method, Linear):
        raise TypeError(f"{method.kind} is not linear in the deltas")
    if not method.normalize:
        return weights
    if method.missing == "zero":
        return [torch.full_like(squares[0], share) for share in method.shares()]
    there = [weight * (square > 0) for weight, square in zip(weights, squares, strict=True)]
    total = sum(there)
    return [weight / torch.where(total == 0, torch.ones_like(total), total) for weight in there]


def cosine(uu: Tensor, vv: Tensor, uv: Tensor) -> Tensor:
    """Cosine from inner products, within -1..1; 0 where one vector is zero."""
    torch = load("torch")
    norms = (uu * vv).sqrt()
    safe = torch.where(norms > 0, norms, torch.ones_like(norms))
    return torch.where(norms > 0, uv / safe, torch.zeros_like(norms)).clamp(-1.0, 1.0)


def _arc(method: NuSlerp, uu: Tensor, vv: Tensor, uv: Tensor) -> tuple[Tensor, Tensor]:
    """The two coefficients of the arc; where a delta is zero, what `missing` says.

    >>> import torch
    >>> one, zero = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    >>> [round(c.item(), 3) for c in _arc(NuSlerp(weights=(1, 1)), one, one, zero)]
    [0.707, 0.707]
    >>> [round(c.item(), 3) for c in _arc(NuSlerp(weights=(1, 1)), one, one, one)]
    [0.5, 0.5]
    >>> [round(c.item(), 3) for c in _arc(NuSlerp(weights=(1, 1)), one, zero, zero)]
    [1.0, 0.0]
    """
    torch = load("torch")
    t = method.t
    cos = cosine(uu, vv, uv)
    angle = cos.acos()
    sine = angle.sin()
    flat = (1 - cos * cos) <= _SINE_IS_ZERO**2
    safe = torch.where(flat, torch.ones_like(sine), sine)
    first = torch.where(flat, torch.full_like(sine, 1 - t), ((1 - t) * angle).sin() / safe)
    second = torch.where(flat, torch.full_like(sine, t), (t * angle).sin() / safe)
    if method.missing == "absent":
        alone = (uu > 0) != (vv > 0)
        first = torch.where(alone, (uu > 0).to(first.dtype), first)
        second = torch.where(alone, (vv > 0).to(second.dtype), second)
    return first, second
