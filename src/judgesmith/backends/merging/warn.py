"""Settings and inputs that do less, or other, than their names promise (DESIGN, defect 18)."""

from collections.abc import Iterator, Sequence

from judgesmith.backends.merging.methods import (
    DareLinear,
    DareTies,
    Linear,
    MergeMethod,
    NuSlerp,
    Sparse,
    TaskArithmetic,
    Ties,
)
from judgesmith.backends.merging.result import MergeInput, MergeWarning, TensorReport

NEAR_PARALLEL = 0.999
"""Above this cosine the arc and the chord between two deltas differ by less than 0.03%."""
OPPOSED = -0.9
_LONGER = 1.25


def merge_warnings(
    method: MergeMethod,
    inputs: Sequence[MergeInput],
    tensors: Sequence[TensorReport],
    *,
    rank: int | None = None,
    of_deltas: bool = True,
) -> tuple[MergeWarning, ...]:
    """All warnings of a merge, in a fixed order.

    Args:
        method: how the inputs were merged.
        inputs: as reported.
        tensors: as reported.
        rank: what was asked for, of an adapter.
        of_deltas: whether `tensors` tell of deltas, or of weights because no base was given.
    """
    names = [one.name for one in inputs]
    return (
        *_weights(method, names),
        *_density(method, tensors),
        *_inputs(inputs, tensors, of_deltas=of_deltas),
        *_missing(method, names, tensors, of_deltas=of_deltas),
        *_angles(method, tensors, of_deltas=of_deltas),
        *_length(method, tensors, of_deltas=of_deltas),
        *_rank(rank, tensors),
    )


def _weights(method: MergeMethod, names: Sequence[str]) -> Iterator[MergeWarning]:
    for name, weight in zip(names, method.weights, strict=True):
        if weight == 0:
            yield MergeWarning(
                kind="weight_zero", message=f"{name} has weight 0 and does not change the result.",
                remedy="Leave it out, or give it a weight.",
            )  # fmt: skip
    divided = isinstance(method, NuSlerp) or getattr(method, "normalize", False)
    total = sum(method.weights)
    if divided and abs(total - 1) > 1e-6:
        shares = ", ".join(f"{share:.3g}" for share in method.shares())
        yield MergeWarning(
            kind="only_ratio_counts",
            message=f"{method.kind} divides the weights by their sum {total:g}: they act as "
            f"{shares}.",
            remedy="Write the weights so that they sum to 1; task_arithmetic takes them as they "
            "are.",
        )  # fmt: skip
    if isinstance(method, TaskArithmetic | Ties | DareLinear | DareTies) and method.scale == 0:
        yield MergeWarning(
            kind="scale_zero", message="scale is 0: the result is the base.",
            remedy="Give a scale above 0.",
        )  # fmt: skip


def _density(method: MergeMethod, tensors: Sequence[TensorReport]) -> Iterator[MergeWarning]:
    if not isinstance(method, Sparse):
        return
    full = [density == 1 for density in method.densities()]
    if any(full):
        what = "drops no entry" if isinstance(method, DareLinear | DareTies) else "trims nothing"
        who = "every input" if all(full) else f"{sum(full)} of {len(full)} inputs"
        yield MergeWarning(
            kind="density_one", message=f"density 1 for {who}: {method.kind} {what}.",
            remedy="Give the density that you mean, or take task_arithmetic, which this then is."
            if isinstance(method, DareLinear) else "Give the density that you mean.",
        )  # fmt: skip
    elif isinstance(method, DareLinear | DareTies) and method.rescale == "none":
        low = min(method.densities())
        yield MergeWarning(
            kind="not_rescaled",
            message="rescale none: what DARE drops is not made up for; entries shrink to "
            f"{low:g} of themselves in expectation.",
            remedy="Take rescale inverse_density, as the paper does.",
        )  # fmt: skip
    count = sum(_too_few(one, min(method.densities())) for one in tensors)
    if isinstance(method, Ties) and count:
        yield MergeWarning(
            kind="one_entry_kept",
            message=f"in {count} of {len(tensors)} tensors the density is less than one entry; one "
            "was kept.",
            remedy="Give a larger density.",
        )  # fmt: skip


def _too_few(tensor: TensorReport, density: float) -> bool:
    count = 1
    for n in tensor.shape:
        count *= n
    return density * count < 1


def _inputs(
    inputs: Sequence[MergeInput], tensors: Sequence[TensorReport], *, of_deltas: bool
) -> Iterator[MergeWarning]:
    for place, one in enumerate(inputs):
        for other in inputs[place + 1 :]:
            if one.sha256 == other.sha256:
                yield MergeWarning(
                    kind="equal_inputs",
                    message=f"{one.name} and {other.name} hold the same weights: merging them "
                    "combines nothing.",
                    remedy="Check the paths: one of them was probably given twice.",
                )  # fmt: skip
        if of_deltas and tensors and not any(tensor.norms[place] for tensor in tensors):
            yield MergeWarning(
                kind="zero_input",
                message=f"{one.name} changes no tensor: it equals the base.",
                remedy="Check that the right checkpoint was given; untrained LoRA has B = 0.",
            )  # fmt: skip


def _missing(
    method: MergeMethod, names: Sequence[str], tensors: Sequence[TensorReport], *, of_deltas: bool
) -> Iterator[MergeWarning]:
    """Tensors in which some inputs have a delta and others none, input by input."""
    partly = [i for i in range(len(names)) if any(tensor.norms[i] for tensor in tensors)]
    told = []
    for i in partly:
        lone = [t for t in tensors if any(t.norms) and not t.norms[i]]
        if lone:
            what = "changed nothing" if of_deltas else "holds only zeros"
            told.append(
                f"in {len(lone)} of {len(tensors)} tensors {names[i]} {what} (first: "
                f"{lone[0].name})"
            )
    if not told:
        return
    setting = getattr(method, "missing", None) if getattr(method, "normalize", True) else None
    how, other = {
        "absent": (
            "there the others were merged as if it were not among the inputs, at full length",
            ", or set `missing: zero`, which scales the others down there",
        ),
        "zero": (
            "there it counted as a delta of zero, which scales the others down",
            ", or set `missing: absent`, which leaves the others at full length there",
        ),
    }.get(setting or "", ("there the others count with their own weights alone", ""))
    yield MergeWarning(
        kind="missing_delta",
        message=f"{', '.join(told)}; {how}.",
        remedy=f"If that is not meant, train the judges with the same target_modules{other}.",
    )


def _angles(
    method: MergeMethod, tensors: Sequence[TensorReport], *, of_deltas: bool
) -> Iterator[MergeWarning]:
    known = [(t, c) for t in tensors for c in t.cosines if c is not None]
    parallel = [t for t, c in known if c > NEAR_PARALLEL]
    if isinstance(method, NuSlerp) and known and len(parallel) > len(known) / 2:
        what = "deltas" if of_deltas else "weights"
        yield MergeWarning(
            kind="near_parallel",
            message=f"in {len(parallel)} of {len(known)} tensors the {what} are parallel (cosine "
            f"above {NEAR_PARALLEL}): nuslerp gives the linear mean there.",
            remedy="The judges hardly differ." if of_deltas else "Give --base, so that what the "
            "judges learned is merged and not the weights they share.",
        )  # fmt: skip
    opposed = [t for t, c in known if c < OPPOSED]
    if opposed:
        most = max(abs(c) for t in opposed for c in t.coefficients if c is not None)
        yield MergeWarning(
            kind="opposed",
            message=f"in {len(opposed)} of {len(known)} tensors two inputs point against each "
            f"other (cosine below {OPPOSED}; first: {opposed[0].name}); the largest coefficient "
            f"there is {most:.3g}.",
            remedy="Such judges cannot be merged well: look whether a label or a weight has the "
            "wrong sign.",
        )  # fmt: skip


def _length(
    method: MergeMethod, tensors: Sequence[TensorReport], *, of_deltas: bool
) -> Iterator[MergeWarning]:
    if not of_deltas or isinstance(method, NuSlerp | Linear):
        return
    norm = sum(tensor.norm**2 for tensor in tensors) ** 0.5
    inputs = [sum(t.norms[i] ** 2 for t in tensors) ** 0.5 for i in range(len(method.weights))]
    if norm > _LONGER * max(inputs, default=0.0) > 0:
        yield MergeWarning(
            kind="longer_than_inputs",
            message=f"the merged delta is {norm / max(inputs):.2f} times as long as the longest "
            "input's: judges added up at full strength tend to lose their reply format.",
            remedy="Lower the weights or the scale, and check format validity on dev.",
        )  # fmt: skip


def _rank(rank: int | None, tensors: Sequence[TensorReport]) -> Iterator[MergeWarning]:
    stored = [tensor.rank for tensor in tensors if tensor.rank is not None]
    if rank is not None and stored and max(stored) < rank:
        yield MergeWarning(
            kind="rank_not_needed",
            message=f"rank {rank} was allowed, but no tensor needs more than {max(stored)}: "
            "nothing was recompressed.",
            remedy="Leave --rank out, or give a smaller one.",
        )  # fmt: skip


__all__ = ["NEAR_PARALLEL", "OPPOSED", "merge_warnings"]
