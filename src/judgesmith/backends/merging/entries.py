"""TIES and DARE: methods that choose among the entries of full deltas, one tensor at a time."""

from collections.abc import Sequence

import numpy as np

from judgesmith.backends.loading import load
from judgesmith.backends.merging.factors import Tensor
from judgesmith.backends.merging.masks import keep_mask
from judgesmith.backends.merging.methods import DareLinear, DareTies, Rescale, Ties

Choosing = Ties | DareLinear | DareTies


def merge_entries(
    deltas: Sequence[Tensor], method: Choosing, name: str, seed: int
) -> tuple[Tensor, tuple[float, ...]]:
    """Merge full deltas (float32, one shape) by TIES or DARE; the deltas are used up.

    Returns the merged delta, and the share of entries that each input kept.
    """
    kept = tuple(thin(deltas, method, name, seed, place) for place in range(len(deltas)))
    return join(deltas, method), kept


def thin(deltas: Sequence[Tensor], method: Choosing, name: str, seed: int, place: int) -> float:
    """Zero the entries of one delta that the method leaves out; the share that is left."""
    delta, density = deltas[place], method.densities()[place]
    if isinstance(method, Ties):
        trim(delta, density)
    else:
        mask = keep_mask(tuple(delta.shape), density, seed, (place, name))
        drop(delta, mask, density, method.rescale)
    return int(np.count_nonzero(delta.numpy() != 0)) / max(1, int(delta.numel()))


def join(deltas: Sequence[Tensor], method: Choosing) -> Tensor:
    """Add up what the deltas have left, or blocks of them, as the method does."""
    if isinstance(method, DareLinear):
        merged = add_up(deltas, method.weights, normalize=method.normalize)
    else:
        merged = elect(deltas, method.weights, normalize=method.normalize)
    return merged.mul_(method.scale)


def trim(delta: Tensor, density: float) -> Tensor:
    """Zero all but the largest entries by magnitude: floor(density * n) of them, at least one.

    Of equal magnitudes at the limit the first are kept, so that the count is exact.

    >>> import torch
    >>> trim(torch.tensor([1.0, -3.0, 2.0, -2.0]), 0.5)
    tensor([ 0., -3.,  2.,  0.])
    """
    torch = load("torch")
    count = delta.numel()
    keep = max(1, int(density * count))
    if keep >= count:
        return delta
    flat = delta.view(-1)  # never a copy: it is written to
    size = flat.abs().numpy()
    limit = float(np.partition(size, count - keep)[count - keep])
    above = int(np.count_nonzero(size > limit))
    at = torch.from_numpy(np.flatnonzero(size == limit)[: keep - above])
    level = flat[at]
    flat.copy_(torch.nn.functional.hardshrink(flat, limit))  # zeroes up to the limit itself
    flat[at] = level
    return delta


def drop(delta: Tensor, mask: Tensor, density: float, rescale: Rescale) -> Tensor:
    """Zero the entries outside the mask and scale the others up.

    >>> import torch
    >>> mask = torch.tensor([True, False, True, False])
    >>> drop(torch.tensor([1.0, 1.0, 2.0, 4.0]), mask, 0.5, "inverse_density")
    tensor([2., 0., 4., 0.])
    >>> drop(torch.tensor([1.0, 1.0, 2.0, 4.0]), mask, 0.5, "norm")
    tensor([2.6667, 0.0000, 5.3333, 0.0000])
    """
    torch = load("torch")
    before = float(delta.abs().sum(dtype=torch.float64)) if rescale == "norm" else 0.0
    delta.mul_(mask)
    if rescale == "inverse_density":
        return delta.div_(density)
    if rescale == "norm":
        after = float(delta.abs().sum(dtype=torch.float64))
        return delta.mul_(before / after) if after else delta
    return delta


def add_up(deltas: Sequence[Tensor], weights: Sequence[float], *, normalize: bool) -> Tensor:
    """The sum of w_i delta_i, over the sum of w_i where `normalize` is set."""
    total = sum(weights) if normalize else 1.0
    merged = deltas[0] * (weights[0] / total)
    for delta, weight in zip(deltas[1:], weights[1:], strict=True):
        merged.add_(delta, alpha=weight / total)
    return merged


def elect(deltas: Sequence[Tensor], weights: Sequence[float], *, normalize: bool) -> Tensor:
    """Add up, entry by entry, what agrees in sign with the weighted sum; zeros have no say.

    >>> import torch
    >>> elect([torch.tensor([3.0, 1.0, 2.0]), torch.tensor([-1.0, -1.0, 4.0])], (1.0, 1.0),
    ...       normalize=True)
    tensor([3., 1., 3.])
    """
    torch = load("torch")
    ups, downs, over, under = (torch.zeros_like(deltas[0]) for _ in range(4))
    for delta, weight in zip(deltas, weights, strict=True):
        weighted = delta * weight
        ups.add_(weighted.clamp(min=0.0))
        downs.add_(weighted.clamp(max=0.0))
        if normalize:
            over.add_((weighted > 0).float(), alpha=weight)
            under.add_((weighted < 0).float(), alpha=weight)
    plus = ups + downs >= 0
    merged = torch.where(plus, ups, downs)
    if normalize:
        divisor = torch.where(plus, over, under)
        merged.div_(divisor.masked_fill_(divisor.abs() < 1e-8, 1.0))
    return merged
