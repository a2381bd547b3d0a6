"""Lay adapters over full weights: base + scale * B A, streamed tensor by tensor in float32."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from judgesmith.backends.merging.adapter_files import read_adapter, too_large
from judgesmith.backends.merging.adapters import (
    AdapterSet,
    check_dtype,
    merge_dense,
    merge_factors,
    open_adapters,
    tensor_name,
    write_report,
)
from judgesmith.backends.merging.dense import matrix_shape, row_blocks
from judgesmith.backends.merging.factors import Tensor
from judgesmith.backends.merging.folders import (
    ModelFolder,
    check_new,
    copy_tokenizer,
    find_folder,
    new_folder,
)
from judgesmith.backends.merging.methods import MergeMethod, Sparse
from judgesmith.backends.merging.origins import carry_margins, origin_warnings
from judgesmith.backends.merging.pool import in_turn, workers
from judgesmith.backends.merging.result import MergeReport, TensorReport
from judgesmith.backends.merging.streams import (
    SHARD_BYTES,
    dtypes_of,
    forms_of,
    torch_dtype,
    write_model,
)
from judgesmith.backends.merging.warn import merge_warnings
from judgesmith.backends.merging.weight_files import FLOATS, Form, Place, Rows, open_rows
from judgesmith.backends.origin import write_origin
from judgesmith.errors import DataError

Delta = Callable[[slice], Tensor]
"""Rows of a delta, as float32."""
_WRAPPERS = {"model", "language_model"}
"""Parts of a name that versions of transformers put in different places, or leave out."""


def targets(
    modules: Iterable[tuple[str, tuple[int, int]]], places: dict[str, Place], where: Path
) -> dict[str, str]:
    """Which tensor each module's delta is added to: {tensor: module}.

    A model in memory and its files may name a layer differently (`model.language_model.layers`
    and `language_model.model.layers`); names count as one where they are equal but for `model` and
    `language_model`, and only one tensor fits.

    Raises:
        DataError: no tensor, several, or one of another shape.
    """
    loose: dict[tuple[str, ...], list[str]] = {}
    for name in places:
        loose.setdefault(_bare(name), []).append(name)
    found: dict[str, str] = {}
    for module, shape in modules:
        name = tensor_name(module)
        fitting = [name] if name in places else loose.get(_bare(name), [])
        if len(fitting) != 1:
            raise DataError(
                f"{where}: expected one tensor for the adapter's module {module}, found "
                f"{fitting or 'none'}. The adapter was trained on another architecture."
            )
        place = places[fitting[0]]
        if place.shape != shape or place.dtype not in FLOATS:
            raise DataError(
                f"{where}: tensor {fitting[0]!r} is {place.shape} in {place.dtype}; the adapter's "
                f"module {module} needs {shape} in floats. Was the adapter trained on this model?"
            )
        found[fitting[0]] = module
    return found


def _bare(name: str) -> tuple[str, ...]:
    return tuple(part for part in name.split(".") if part not in _WRAPPERS)


def fold_adapter(
    adapter: str | Path, model: str | Path, out: Path, *, dtype: str | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> None:  # fmt: skip
    """Write the model that an adapter over its base is.

    Args:
        adapter: folder or hub name.
        model: its base, with full weights.
        out: a folder that is not there yet.
        dtype: of the result; None: as the base has it.
        shard_bytes: most bytes of one weight file.

    Raises:
        DataError: they do not belong together.
    """
    read = read_adapter(find_folder(adapter))
    shapes = {module: (pair[1].shape[0], pair[0].shape[1]) for module, pair in read.modules.items()}
    with new_folder(out) as folder:
        _write(
            folder, ModelFolder(find_folder(model)), shapes,
            lambda module: read.factors(module).dense, dtype=dtype, shard_bytes=shard_bytes,
        )  # fmt: skip
        copy_tokenizer(read.path, folder)


def recast_model(
    model: str | Path, out: Path, *, dtype: str, shard_bytes: int = SHARD_BYTES
) -> None:
    """Write a model in another precision, with its tokenizer, into a folder that is not there yet.

    Raises:
        DataError: the model's folder is not whole.
    """

    def nothing_laid(module: str) -> Delta:
        raise KeyError(module)

    with new_folder(out) as folder:
        _write(folder, ModelFolder(find_folder(model)), {}, nothing_laid, dtype=dtype,
               shard_bytes=shard_bytes)  # fmt: skip


def merge_adapters_into(
    paths: Sequence[str | Path],
    method: MergeMethod,
    model: str | Path,
    out: Path,
    *,
    seed: int = 0,
    dtype: str | None = None,
    base: str | None = None,
) -> MergeReport:
    """Merge adapters and lay the result over the weights of a model, without compressing it.

    TIES and DARE lose nothing this way. The model is the adapters' base, or one that their deltas
    are meant for. Needs memory for a few tensors, whatever the model's size.

    Raises:
        RecipeError: settings that do not fit.
        DataError: inputs that do not belong together, or an output folder that exists.
    """
    if dtype is not None:
        check_dtype(dtype)
    check_new(out)
    below = ModelFolder(find_folder(model))
    opened = open_adapters(paths, method, out, base=base)
    told: dict[str, TensorReport] = {}

    def delta(module: str) -> Delta:
        merged, told[module] = _delta(opened, module, method, seed)
        return merged

    with new_folder(out) as folder:
        written = _write(folder, below, opened.shapes, delta, dtype=dtype, shard_bytes=SHARD_BYTES)
        if opened.tokenizer is not None:
            copy_tokenizer(opened.tokenizer, folder)
        if opened.origin is not None:
            write_origin(folder, opened.origin)
        carry_margins(opened.folders, folder)
        inputs = opened.inputs(method)
        tensors = tuple(told[module] for module in opened.shapes)
        report = MergeReport(
            result="model", inputs=inputs, base=below.path.resolve().name, method=method,
            seed=seed if isinstance(method, Sparse) else None, dtype=written, tensors=tensors,
            warnings=(
                *merge_warnings(method, inputs, tensors),
                *origin_warnings(opened.folders, [one.name for one in inputs]),
            ),
        )  # fmt: skip
        write_report(folder, report)
    return report


def _delta(
    opened: AdapterSet, module: str, method: MergeMethod, seed: int
) -> tuple[Delta, TensorReport]:
    deltas = opened.deltas(module)
    with opened.finite(module):
        if isinstance(method, Sparse):
            dense, report = merge_dense(deltas, tensor_name(module), method, seed)
            return dense.__getitem__, report
        merged, report = merge_factors(deltas, tensor_name(module), method)
    return merged.dense, report


def _write(
    folder: Path,
    model: ModelFolder,
    shapes: dict[str, tuple[int, int]],
    delta: Callable[[str], Delta],
    *,
    dtype: str | None,
    shard_bytes: int,
) -> str:
    """Write the model; the dtypes of its tensors."""
    tied = [n for n in model.places if model.is_tied and n.split(".")[-2:] == ["lm_head", "weight"]]
    reached = targets(shapes.items(), model.places, model.path)
    if set(tied) & set(reached):
        raise DataError(
            f"{model.path}: the adapter changes {tied[0]}, which this model ties to its input "
            "embedding; folding it would change both. Keep it as an adapter."
        )
    forms = forms_of(model, [name for name in model.places if name not in tied], dtype)

    def make(form: Form) -> Iterable[Tensor]:
        name, code, shape = form
        rows = open_rows(model.places[name], matrix_shape(shape, "tensor"))
        blocks = row_blocks(rows.shape)
        if name not in reached:
            dtype = torch_dtype(code)
            return (rows.read(block).to(dtype) for block in blocks)
        return in_turn(pool, _laid(rows, delta(reached[name]), name, torch_dtype(code)), blocks)

    with workers() as pool:
        write_model(folder, model, forms, make, shard_bytes)
    return dtypes_of(forms)


def _laid(rows: Rows, delta: Delta, name: str, dtype: object) -> Callable[[slice], Tensor]:
    """What makes a block of a tensor with a delta laid over it."""

    def one(block: slice) -> Tensor:
        below = rows.read(block).float()
        if not bool(below.isfinite().all()):
            raise DataError(f"tensor {name!r} of the model is NaN or infinite.")
        weight = (below + delta(block)).to(dtype)
        if not bool(weight.isfinite().all()):
            raise too_large(name, str(dtype).removeprefix("torch."))
        return weight

    return one
