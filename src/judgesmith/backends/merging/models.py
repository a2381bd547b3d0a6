"""Merge models with full weights: streamed tensor by tensor, computed in float32."""

import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from judgesmith.backends.loading import load
from judgesmith.backends.merging.adapters import check_dtype, check_method, write_report
from judgesmith.backends.merging.agreement import (
    check_architectures,
    check_tensors,
    check_tokenizers,
    merged_origin,
)
from judgesmith.backends.merging.dense import (
    Work,
    granularity_of,
    matrix_shape,
    merge_tensor,
)
from judgesmith.backends.merging.factors import NotFinite, Tensor
from judgesmith.backends.merging.folders import (
    ModelFolder,
    check_new,
    distinct_names,
    find_folder,
    new_folder,
)
from judgesmith.backends.merging.methods import Linear, MergeMethod, NuSlerp, Sparse
from judgesmith.backends.merging.origins import carry_margins, origin_warnings
from judgesmith.backends.merging.pool import workers
from judgesmith.backends.merging.result import MergeInput, MergeReport, TensorReport
from judgesmith.backends.merging.streams import (
    SHARD_BYTES,
    dtypes_of,
    forms_of,
    torch_dtype,
    write_model,
)
from judgesmith.backends.merging.warn import merge_warnings
from judgesmith.backends.merging.weight_files import FLOATS, Form, open_rows, read_tensor
from judgesmith.backends.origin import Origin, read_origin, write_origin
from judgesmith.errors import DataError, RecipeError


@dataclass(frozen=True)
class ModelSet:
    """Models that were found to belong together."""

    models: list[ModelFolder]
    base: ModelFolder | None
    names: list[str]
    tied: list[str]
    origin: Origin | None

    @property
    def everyone(self) -> list[ModelFolder]:
        """The models, and the base after them."""
        return [*self.models, self.base] if self.base else self.models


def open_models(
    paths: Sequence[str | Path], base: str | Path | None, method: MergeMethod, out: Path
) -> ModelSet:
    """Read configs and headers, and check all that can be checked before merging.

    Raises:
        DataError: a model is torn, or they do not belong together.
        RecipeError: the method does not fit the number of models, or needs a base.
    """
    check_method(paths, method)
    if base is None and not isinstance(method, NuSlerp | Linear):
        raise RecipeError(f"{method.kind} adds deltas to a base: give --base.")
    check_new(out)
    models = [ModelFolder(find_folder(path)) for path in paths]
    below = ModelFolder(find_folder(base)) if base is not None else None
    everyone = [*models, below] if below else models
    check_architectures(everyone)
    names, tied = check_tensors(everyone)
    folders = [model.path for model in models]
    check_tokenizers(folders)
    told = str(base) if base is not None else _told_base(folders)
    return ModelSet(models, below, names, tied, merged_origin(folders, told, out))


def _told_base(folders: Sequence[Path]) -> str:
    """What the first input that says so was trained from; empty where none does."""
    for folder in folders:
        if origin := read_origin(folder):
            beside = folder / origin.base
            return str(beside.resolve()) if beside.is_dir() else origin.base
    return ""


def merge_models(
    paths: Sequence[str | Path],
    base: str | Path | None,
    method: MergeMethod,
    out: Path,
    *,
    seed: int = 0,
    dtype: str | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> MergeReport:
    """Merge models with full weights into one model folder, which appears whole or not at all.

    Without a base, NuSLERP and linear act on the weights themselves; the other methods need one.
    Tensors are worked on in blocks of rows, in float32: large ones are never in memory as a whole,
    but for TIES and DARE, which need the deltas of one tensor at a time. `dtype` is that of the
    result, by default as the first model has it; `shard_bytes` is the most that one weight file
    holds.

    Raises:
        RecipeError: settings that do not fit.
        DataError: models that cannot be merged, a tensor with NaN or infinite entries, or an
            output folder that exists.
    """
    if dtype is not None:
        check_dtype(dtype)
    opened = open_models(paths, base, method, out)
    forms = forms_of(opened.models[0], opened.names, dtype)
    told: dict[str, TensorReport] = {}

    def make(form: Form) -> Iterable[Tensor]:
        if form[1] not in FLOATS:
            return [_equal(opened, form[0])]
        if _is_bound(opened, form[0]):
            return [read_tensor(opened.models[0].places[form[0]]).to(torch_dtype(form[1]))]
        told[form[0]], merged = _merge(opened, form, method, seed, pool)
        return merged

    with ExitStack() as stack:
        pool = stack.enter_context(workers())
        hashing = stack.enter_context(ThreadPoolExecutor(1))
        hashes = [hashing.submit(model.sha256) for model in opened.models]
        folder = stack.enter_context(new_folder(out))
        write_model(folder, opened.models[0], forms, make, shard_bytes)
        if opened.origin is not None:
            write_origin(folder, opened.origin)
        carry_margins([model.path for model in opened.models], folder)
        found = _inputs(opened, method, [digest.result() for digest in hashes])
        tensors = tuple(told[name] for name in opened.names if name in told)
        report = _report(opened, method, found, tensors).model_copy(
            update={"dtype": dtypes_of(forms), "seed": seed if isinstance(method, Sparse) else None}
        )
        write_report(folder, report)
    return report


def _inputs(opened: ModelSet, method: MergeMethod, hashes: Sequence[str]) -> tuple[MergeInput, ...]:
    names = distinct_names([model.path for model in opened.models])
    return tuple(
        MergeInput(name=name, sha256=digest, weight=weight)
        for name, digest, weight in zip(names, hashes, method.weights, strict=True)
    )


def _report(
    opened: ModelSet,
    method: MergeMethod,
    inputs: tuple[MergeInput, ...],
    tensors: tuple[TensorReport, ...],
) -> MergeReport:
    return MergeReport(
        result="model", inputs=inputs, base=opened.base and opened.base.path.resolve().name,
        method=method, tensors=tensors, tied=tuple(opened.tied),
        warnings=(
            *merge_warnings(method, inputs, tensors, of_deltas=opened.base is not None),
            *origin_warnings([model.path for model in opened.models], [i.name for i in inputs]),
        ),
    )  # fmt: skip


def _merge(
    opened: ModelSet, form: Form, method: MergeMethod, seed: int, pool: ThreadPoolExecutor
) -> tuple[TensorReport, Iterator[Tensor]]:
    name, code, shape = form
    matrix = matrix_shape(shape, granularity_of(method))
    rows = [open_rows(model.places[name], matrix) for model in opened.everyone]
    inputs = len(opened.models)
    work = Work(rows[:inputs], rows[inputs] if opened.base else None, pool)
    try:
        return merge_tensor(name, shape, work, method, dtype=torch_dtype(code), seed=seed)
    except NotFinite:
        raise _not_finite(opened, name) from None


def _equal(opened: ModelSet, name: str) -> Tensor:
    torch = load("torch")
    stored = [read_tensor(model.places[name]) for model in opened.models]
    if not all(torch.equal(stored[0], other) for other in stored[1:]):
        raise DataError(
            f"{opened.models[0].path}: tensor {name!r} holds whole numbers that differ between the "
            "inputs; they cannot be merged."
        )
    return stored[0]


def _is_bound(opened: ModelSet, name: str) -> bool:
    """Whether a tensor is one infinite number that is the same everywhere.

    Such are the bounds that some models keep beside their weights (the towers of Gemma 4): they
    are no weights, and stay as they are. Training that diverged leaves NaN, or other numbers.
    """
    if opened.models[0].places[name].count != 1:
        return False
    values = [float(read_tensor(model.places[name])) for model in opened.everyone]
    return math.isinf(values[0]) and len(set(values)) == 1


def _not_finite(opened: ModelSet, name: str) -> DataError:
    guilty = [
        str(model.path) for model in opened.everyone
        if not bool(read_tensor(model.places[name]).isfinite().all())
    ]  # fmt: skip
    return DataError(
        f"{guilty[0] if guilty else opened.models[0].path}: tensor {name!r} holds NaN or infinite "
        "weights (or such large ones that their squares are). Its training diverged, or the file "
        "is damaged; nothing was written."
    )
