"""`merge`: judges of one base into one, with what each tensor of them has in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from judgesmith.backends.merging import (
    MergeMethod,
    MergeReport,
    MergeWarning,
    TensorReport,
    merge_adapters,
    merge_adapters_into,
    merge_models,
    parse_method,
)
from judgesmith.backends.merging.folders import find_folder, is_adapter
from judgesmith.backends.merging.mergekit_yaml import Plan, read_plan
from judgesmith.backends.merging.methods import Sparse
from judgesmith.cli import show
from judgesmith.errors import RecipeError

_YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class MergeOptions:
    """What the command line said; None is what it did not say."""

    out: Path
    base: str | None = None
    into: str | None = None
    rank: int | None = None
    dtype: str | None = None
    seed: int | None = None


def merge_command(inputs: list[str], settings: dict[str, Any], options: MergeOptions) -> None:
    """Merge adapters or models, or do what a YAML file says; show what was found."""
    plan = _plan(inputs, settings, options)
    method = plan.method
    if options.seed is not None and not isinstance(method, Sparse):
        raise RecipeError(f"--seed does nothing with {method.kind}, which draws nothing.")
    report = _merge(plan, options)
    _show(report, plan.warnings)
    show.line(f"Wrote {options.out}; all tensors stand in {options.out / 'merge.json'}.")


def _plan(inputs: list[str], settings: dict[str, Any], options: MergeOptions) -> Plan:
    given = {key: value for key, value in settings.items() if value is not None}
    if len(inputs) == 1 and inputs[0].endswith(_YAML):
        stray = sorted(given) + (["base"] if options.base else [])
        if stray:
            option = stray[0].replace("kind", "method")
            raise RecipeError(f"--{option}: {inputs[0]} says how to merge; change it there.")
        return read_plan(Path(inputs[0]))
    if len(inputs) < 2:
        raise RecipeError(f"expected two or more judges, or one YAML file; found {inputs}.")
    method = _method(given, len(inputs))
    kinds = {name: is_adapter(find_folder(name)) for name in inputs}
    if len(set(kinds.values())) > 1:
        adapters = [name for name, adapter in kinds.items() if adapter]
        raise RecipeError(
            f"{', '.join(adapters)}: adapters, the others full models. Expected one kind; fold an "
            "adapter into its base first."
        )
    return Plan(tuple(inputs), kinds[inputs[0]], options.base, method, None)


def _method(given: dict[str, Any], count: int) -> MergeMethod:
    weights = given.pop("weights", None)
    numbers = [1 / count] * count if weights is None else _numbers("weights", weights)
    if len(numbers) != count:
        raise RecipeError(f"--weights {weights}: {len(numbers)} numbers for {count} judges.")
    if "density" in given:
        densities = _numbers("density", given["density"])
        given["density"] = densities[0] if len(densities) == 1 else densities
    return parse_method({"kind": "nuslerp", **given, "weights": numbers})


def _numbers(option: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise RecipeError(f"--{option} {text!r}: expected numbers such as 0.5,0.5") from None


def _merge(plan: Plan, options: MergeOptions) -> MergeReport:
    dtype = options.dtype or plan.dtype
    seed = options.seed or 0
    if options.rank is not None and (options.into or not plan.adapters):
        raise RecipeError("--rank compresses an adapter; full weights have no rank to choose.")
    if options.into is not None:
        if not plan.adapters:
            raise RecipeError("--into lays adapters over a model; these are full models already.")
        return merge_adapters_into(
            plan.paths, plan.method, options.into, options.out, seed=seed, dtype=dtype,
            base=plan.base,
        )  # fmt: skip
    if plan.adapters:
        return merge_adapters(
            plan.paths, plan.method, options.out, rank=options.rank, seed=seed, dtype=dtype,
            base=plan.base,
        )  # fmt: skip
    return merge_models(plan.paths, plan.base, plan.method, options.out, seed=seed, dtype=dtype)


def _show(report: MergeReport, warned: Sequence[MergeWarning]) -> None:
    names = [one.name for one in report.inputs]
    weights = ", ".join(f"{one.name} {one.weight:g}" for one in report.inputs)
    groups: dict[str, list[TensorReport]] = {}
    for tensor in report.tensors:
        groups.setdefault(_kind(tensor.name), []).append(tensor)
    rows = [_row(kind, group) for kind, group in sorted(groups.items())]
    taken = [f"takes of {place}" for place in range(1, len(names) + 1)]
    columns = ("tensors", "count", "cosine", "norm ratio", "signs differ", *taken, "rank", "lost")
    show.table(f"{report.method.kind} of {weights}", columns, rows)
    if report.error is not None:
        show.line(f"Recompression lost {report.error:.2%} of the merged deltas' norm.")
    for warning in (*warned, *report.warnings):
        show.line(f"warning {warning.kind}: {warning.message} {warning.remedy}")


def _kind(name: str) -> str:
    """The layer's kind: the last part of a name that is no number and no `weight`."""
    parts = [part for part in name.split(".") if part != "weight" and not part.isdigit()]
    return parts[-1] if parts else name


def _row(kind: str, group: Sequence[TensorReport]) -> tuple[str, ...]:
    taken = [
        _mean([c for t in group if (c := t.coefficients[place]) is not None])
        for place in range(len(group[0].norms))
    ]
    ranks = sorted({t.rank for t in group if t.rank is not None})
    errors = [t.error for t in group if t.error is not None]
    return (
        kind,
        str(len(group)),
        _spread([c for t in group for c in t.cosines if c is not None]),
        _mean([t.norm_ratio for t in group if t.norm_ratio is not None]),
        _share([t.sign_conflict for t in group if t.sign_conflict is not None]),
        *taken,
        "-" if not ranks else str(ranks[0]) if len(ranks) == 1 else f"{ranks[0]}-{ranks[-1]}",
        f"{max(errors):.2%}" if errors else "-",
    )


def _spread(values: Sequence[float]) -> str:
    """Mean, and the range where there is one.

    >>> _spread([0.5, 0.7]), _spread([0.5]), _spread([])
    ('0.60 (0.50..0.70)', '0.50', '-')
    """
    if not values:
        return "-"
    low, high = min(values), max(values)
    middle = f"{mean(values):.2f}"
    return middle if f"{low:.2f}" == f"{high:.2f}" else f"{middle} ({low:.2f}..{high:.2f})"


def _mean(values: Sequence[float]) -> str:
    return f"{mean(values):.2f}" if values else "-"


def _share(values: Sequence[float]) -> str:
    return f"{mean(values):.0%}" if values else "-"
