"""Read a merge written for mergekit, with the meaning that it has there, and say its traps.

Taken: `merge_method`, `models`, `base_model`, `parameters`, `dtype`, `out_dtype`. A model may be
`base+adapter`; if all are, the adapters are merged in their own space.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from judgesmith.backends.merging.methods import KINDS, MergeMethod, parse_method
from judgesmith.backends.merging.result import MergeWarning
from judgesmith.errors import RecipeError, nearest

_TAKEN = {
    "nuslerp": {"weight", "nuslerp_flatten", "nuslerp_row_wise"},
    "linear": {"weight", "normalize"},
    "task_arithmetic": {"weight", "lambda"},
    "ties": {"weight", "density", "normalize", "lambda"},
    "dare_linear": {"weight", "density", "normalize", "lambda", "rescale"},
    "dare_ties": {"weight", "density", "normalize", "lambda", "rescale"},
}
_REFUSED = {
    "slices": "stacks layers of several models, which gives another architecture",
    "modules": "merges parts of a model apart",
    "tokenizer": "builds a tokenizer per token; here all inputs must have one tokenizer",
}
_KEYS = {"merge_method", "models", "base_model", "parameters", "dtype", "out_dtype",
         "tokenizer_source", "chat_template", *_REFUSED}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A merge as it was written: inputs, method, base, and what its writer may not expect."""

    paths: tuple[str, ...]
    adapters: bool
    base: str | None
    method: MergeMethod
    dtype: str | None
    warnings: tuple[MergeWarning, ...] = field(default=())


def read_plan(file: Path) -> Plan:
    """Read a YAML file.

    Raises:
        RecipeError: it is not such a file, or asks for what is not supported.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file}: expected YAML, found what cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise RecipeError(f"{file}: expected merge_method, models and parameters.")
    try:
        return plan_of(content)
    except RecipeError as error:
        raise RecipeError(f"{file}: {error}") from None


def plan_of(content: Mapping[str, Any]) -> Plan:
    """The plan that a configuration stands for.

    Raises:
        RecipeError: it asks for what is not supported.

    >>> plan = plan_of({"merge_method": "linear", "models": [
    ...     {"model": "one", "parameters": {"weight": 1}},
    ...     {"model": "two", "parameters": {"weight": 3}}]})
    >>> plan.paths, plan.method.weights, plan.adapters
    (('one', 'two'), (1.0, 3.0), False)
    """
    for key in content:
        if key in _REFUSED:
            raise RecipeError(f"{key} {_REFUSED[key]}; not supported.")
        if key not in _KEYS:
            raise RecipeError(f"no key {key!r}: {nearest(key, _KEYS - _REFUSED.keys())}")
    kind = content.get("merge_method")
    if kind not in KINDS:
        raise RecipeError(f"merge_method {kind!r} is not supported: {nearest(str(kind), KINDS)}")
    if content.get("chat_template", "auto") != "auto":
        raise RecipeError("chat_template: all inputs must have one chat template; leave it out.")
    base = content.get("base_model")
    rows = [row for row in _rows(content) if not _is_base(row, base)]
    shared = _numbers(content.get("parameters") or {}, "parameters", kind)
    own = [_numbers(row.get("parameters") or {}, row["model"], kind) for row in rows]
    method = _method(kind, shared, own)
    paths, adapters, base = _inputs([str(row["model"]) for row in rows], base)
    warned = [*_ignored(kind, shared, own), *_traps(kind, shared, base, content)]
    dtype = content.get("out_dtype") or content.get("dtype")
    return Plan(paths, adapters, base, method, dtype, tuple(warned))


def _rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = content.get("models")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RecipeError("models: expected a list of {model: ..., parameters: {...}}.")
    for row in rows:
        if not isinstance(row.get("model"), str) or set(row) - {"model", "parameters"}:
            raise RecipeError(f"models: expected `model` and `parameters`, found {row!r}.")
    return rows


def _is_base(row: Mapping[str, Any], base: object) -> bool:
    return (
        base is not None and row["model"] == base and "weight" not in (row.get("parameters") or {})
    )


def _numbers(given: Mapping[str, Any], where: str, kind: str) -> dict[str, Any]:
    for key, value in given.items():
        if isinstance(value, list | dict) and key in _TAKEN[kind]:
            raise RecipeError(
                f"{where}: {key} is {value!r}: values by layer or by tensor name are not "
                "supported; expected one number."
            )
    return dict(given)


def _method(kind: str, shared: dict[str, Any], own: list[dict[str, Any]]) -> MergeMethod:
    each = [{**shared, **one} for one in own]
    if any("weight" not in one for one in each):
        raise RecipeError("parameters: each model needs a weight.")
    given: dict[str, Any] = {"kind": kind, "weights": [one["weight"] for one in each]}
    if kind == "nuslerp":
        flat, along = shared.get("nuslerp_flatten", True), shared.get("nuslerp_row_wise", False)
        given["granularity"] = "tensor" if flat else "column" if along else "row"
    if kind in ("nuslerp", "linear"):
        given["missing"] = "zero"
    if "density" in _TAKEN[kind]:
        given["density"] = [one.get("density", 1.0) for one in each]
    for theirs, ours in (("normalize", "normalize"), ("lambda", "scale")):
        if theirs in _TAKEN[kind] and theirs in shared:
            given[ours] = shared[theirs]
    if "rescale" in _TAKEN[kind]:
        given["rescale"] = "norm" if shared.get("rescale", True) else "none"
    return parse_method(given)


def _inputs(names: list[str], base: str | None) -> tuple[tuple[str, ...], bool, str | None]:
    """Paths, whether they are adapters, and the base."""
    split = [name.partition("+") for name in names]
    over = [(below, adapter) for below, plus, adapter in split if plus]
    if not over:
        return tuple(names), False, base
    bases = {below for below, _ in over} | ({base} if base else set())
    if len(over) < len(names) or len(bases) > 1:
        raise RecipeError(
            f"models: found {names} over base {base!r}; expected all with full weights, or all as "
            "base+adapter of one base."
        )
    return tuple(adapter for _, adapter in over), True, over[0][0]


def _ignored(kind: str, shared: dict[str, Any], own: list[dict[str, Any]]) -> list[MergeWarning]:
    stray = sorted({key for one in (shared, *own) for key in one} - _TAKEN[kind])
    return [
        MergeWarning(
            kind="ignored_parameter", message=f"{kind} has no parameter {name!r}: it does nothing.",
            remedy="Take it out.",
        )
        for name in stray
    ]  # fmt: skip


def _traps(
    kind: str, shared: Mapping[str, Any], base: str | None, content: Mapping[str, Any]
) -> list[MergeWarning]:
    found = []
    if kind == "nuslerp" and base is None:
        found.append(MergeWarning(
            kind="weights_not_deltas",
            message="nuslerp without base_model turns the weights, not what training added; judges "
            "of one base are then so close that it is the linear mean.",
            remedy="Give base_model.",
        ))  # fmt: skip
    if shared.get("nuslerp_row_wise") and shared.get("nuslerp_flatten", True):
        found.append(MergeWarning(
            kind="row_wise_without_effect",
            message="nuslerp_row_wise does nothing while nuslerp_flatten is true, its default.",
            remedy="Set nuslerp_flatten: false; row_wise then means columns of the stored matrix.",
        ))  # fmt: skip
    if content.get("dtype") in ("bfloat16", "float16"):
        found.append(MergeWarning(
            kind="computed_in_float32",
            message=f"dtype {content['dtype']} is taken for the result only: angles and sums are "
            "computed in float32 and above.",
            remedy="Nothing to do; mergekit itself would compute in that dtype.",
        ))  # fmt: skip
    return found
