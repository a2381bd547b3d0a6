"""Merge LoRA adapters of one base in their own space: factors in, factors out, base untouched."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from judgesmith.backends.loading import load
from judgesmith.backends.merging.adapter_files import (
    Adapter,
    factor_tensors,
    merged_config,
    read_adapter,
    too_large,
)
from judgesmith.backends.merging.agreement import (
    check_bases,
    check_modules,
    check_tokenizers,
    merged_origin,
)
from judgesmith.backends.merging.diagnostics import (
    Facts,
    SignCount,
    describe,
    describe_chosen,
    factor_signs,
    whole,
)
from judgesmith.backends.merging.entries import Choosing, merge_entries
from judgesmith.backends.merging.factors import (
    Factors,
    NotFinite,
    Tensor,
    combine,
    compress,
    inner_products,
    squared_norm,
    truncate,
)
from judgesmith.backends.merging.folders import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    check_new,
    copy_tokenizer,
    distinct_names,
    find_folder,
    new_folder,
)
from judgesmith.backends.merging.methods import (
    Linear,
    MergeMethod,
    NuSlerp,
    Sparse,
)
from judgesmith.backends.merging.origins import carry_margins, origin_warnings
from judgesmith.backends.merging.pool import in_turn, workers
from judgesmith.backends.merging.result import (
    MERGE_FILE,
    MergeInput,
    MergeReport,
    TensorReport,
)
from judgesmith.backends.merging.warn import merge_warnings
from judgesmith.backends.merging.weighing import coefficients
from judgesmith.backends.merging.weight_files import TORCH, write_file
from judgesmith.backends.origin import Origin, write_origin
from judgesmith.errors import DataError, RecipeError

DTYPES = ("float32", "bfloat16", "float16")
_BLOCK_ROWS = 1024
_LARGEST = 3.38e38
"""About the largest number of float32 and bfloat16: no merged tensor may have a longer norm."""


@dataclass(frozen=True)
class AdapterSet:
    """Adapters that were found to belong together."""

    adapters: list[Adapter]
    base: str
    shapes: dict[str, tuple[int, int]]
    tokenizer: Path | None
    origin: Origin | None

    def deltas(self, module: str) -> list[Factors]:
        """A module's deltas, one per adapter; zero where an adapter does not have the module."""
        return [
            one.factors(module) if module in one.modules else _zero(self.shapes[module])
            for one in self.adapters
        ]

    @contextmanager
    def finite(self, module: str) -> Iterator[None]:
        """Say which adapter's module is not finite, where work on it found that one is."""
        try:
            yield
        except NotFinite:
            guilty = [
                str(one.path) for one in self.adapters
                if module in one.modules and not one.is_finite(module)
            ]  # fmt: skip
            raise DataError(
                f"{guilty[0] if guilty else self.adapters[0].path}: module {module} holds NaN or "
                "infinite weights. Its training diverged, or the file is damaged: train it again."
            ) from None

    @property
    def folders(self) -> list[Path]:
        """Where the adapters lie."""
        return [one.path for one in self.adapters]

    def inputs(self, method: MergeMethod) -> tuple[MergeInput, ...]:
        """The inputs as reports name them."""
        names = distinct_names(self.folders)
        return tuple(
            MergeInput(name=name, sha256=one.sha256, weight=weight, ranks=one.ranks)
            for name, one, weight in zip(names, self.adapters, method.weights, strict=True)
        )


def _zero(shape: tuple[int, int]) -> Factors:
    torch = load("torch")
    return Factors(torch.zeros(shape[0], 1), torch.zeros(1, shape[1]))


def open_adapters(
    paths: Sequence[str | Path], method: MergeMethod, out: Path, *, base: str | None = None
) -> AdapterSet:
    """Read the adapters' configs and headers, and check all that can be checked before merging.

    Raises:
        DataError: an adapter cannot be merged, or they do not belong together.
        RecipeError: the method does not fit the number of adapters, or adapters at all.
    """
    check_method(paths, method)
    if isinstance(method, Linear) and not method.normalize and abs(sum(method.weights) - 1) > 1e-9:
        raise RecipeError(
            f"linear without normalize and with weights that sum to {sum(method.weights):g} scales "
            "the base too, which no adapter can say. Take task_arithmetic to scale deltas only."
        )
    check_new(out)
    adapters = [read_adapter(find_folder(path)) for path in paths]
    folders = [adapter.path for adapter in adapters]
    wanted = check_bases(adapters, base)
    return AdapterSet(
        adapters, wanted, check_modules(adapters), check_tokenizers(folders),
        merged_origin(folders, wanted, out),
    )  # fmt: skip


def check_method(paths: Sequence[str | Path], method: MergeMethod) -> None:
    """Refuse a method whose weights are not one per input.

    Raises:
        RecipeError: they are not.
    """
    if len(paths) != len(method.weights):
        raise RecipeError(
            f"{len(method.weights)} weights for {len(paths)} inputs: expected one per input, in "
            "their order."
        )


def merge_adapters(
    paths: Sequence[str | Path],
    method: MergeMethod,
    out: Path,
    *,
    rank: int | None = None,
    seed: int = 0,
    dtype: str | None = None,
    base: str | None = None,
    all_signs: bool = False,
) -> MergeReport:
    """Merge adapters into one adapter folder, which appears whole or not at all.

    NuSLERP, linear and task arithmetic are exact: ranks add up. `rank` recompresses by SVD; its
    error is in the report. TIES and DARE choose among entries of the full deltas, which have full
    rank, so they need `rank` (or `merge_adapters_into`). `dtype` is that of the stored factors, by
    default the widest of the inputs'. `base` says what all adapters were trained on, where their
    names for it differ. `seed` keys DARE's masks and the SVD of large matrices. `all_signs`
    compares the signs of all rows and not of 64 per module, which takes longer than all else.

    Raises:
        RecipeError: settings that do not fit.
        DataError: inputs that cannot be merged, or an output folder that exists.
    """
    if rank is not None and rank < 1:
        raise RecipeError(f"rank {rank}: expected 1 or more")
    if isinstance(method, Sparse) and rank is None:
        raise RecipeError(
            f"{method.kind} chooses among entries, so its result has full rank: give --rank for "
            "the adapter to be compressed to, or --into to write full weights."
        )
    opened = open_adapters(paths, method, out, base=base)
    stored = dtype or TORCH[_widest(opened.adapters)]
    check_dtype(stored)

    def one(module: str) -> tuple[dict[str, Tensor], TensorReport]:
        deltas, name = opened.deltas(module), tensor_name(module)
        with opened.finite(module):
            if isinstance(method, Sparse):
                factors, tensor = _merge_sparse(deltas, name, method, seed=seed, rank=rank or 1)
            else:
                factors, tensor = merge_factors(deltas, name, method, rank, all_signs=all_signs)
        if not tensor.norm <= _LARGEST:
            raise too_large(tensor.name)
        return factor_tensors(module, factors, stored), tensor

    tensors: dict[str, Tensor] = {}
    told: list[TensorReport] = []
    with workers() as pool, ThreadPoolExecutor(1) as hashing:
        hashing.submit(opened.inputs, method)  # hashes are kept: ready when the report wants them
        for named, tensor in in_turn(pool, one, opened.shapes):
            tensors.update(named)
            told.append(tensor)
    lost = sum(((tensor.error or 0.0) * tensor.norm) ** 2 for tensor in told)
    norm = sum(tensor.norm**2 for tensor in told)
    inputs = opened.inputs(method)
    report = MergeReport(
        result="adapter", inputs=inputs, base=_base_name(opened.base), method=method,
        seed=seed if isinstance(method, Sparse) else None, rank=rank, dtype=stored,
        error=((lost / norm) ** 0.5 if norm else 0.0) if rank is not None else None,
        tensors=tuple(told),
        warnings=(
            *merge_warnings(method, inputs, told, rank=rank),
            *origin_warnings(opened.folders, [one.name for one in inputs]),
        ),
    )  # fmt: skip
    _write(out, opened, tensors, report)
    return report


def check_dtype(dtype: str) -> None:
    """Refuse a dtype that weights are not stored in.

    Raises:
        RecipeError: it is none of `DTYPES`.
    """
    if dtype not in DTYPES:
        raise RecipeError(f"dtype {dtype!r}: expected one of {', '.join(DTYPES)}")


def _widest(adapters: Sequence[Adapter]) -> str:
    codes = {adapter.dtype for adapter in adapters}
    return "F32" if codes & {"F32", "F64"} or len(codes) > 1 else codes.pop()


def _base_name(base: str) -> str:
    folder = Path(base)
    return folder.resolve().name if folder.is_dir() else base


def _merge_sparse(
    deltas: Sequence[Factors], name: str, method: Choosing, *, seed: int, rank: int
) -> tuple[Factors, TensorReport]:
    dense, report = merge_dense(deltas, name, method, seed)
    cut = compress(dense, min(rank, *dense.shape), seed)
    return cut.factors, report.model_copy(update={"rank": cut.factors.rank, "error": cut.error})


def tensor_name(module: str) -> str:
    """The weight that a module's delta is added to, which keys masks too."""
    return f"{module}.weight"


def merge_factors(
    deltas: Sequence[Factors],
    name: str,
    method: MergeMethod,
    rank: int | None = None,
    *,
    all_signs: bool = False,
) -> tuple[Factors, TensorReport]:
    """One module by a method that is linear in the deltas; never the full matrix."""
    by = method.granularity if isinstance(method, NuSlerp) else "tensor"
    gram = inner_products(deltas, by)
    shares = coefficients(method, gram)
    merged = combine(deltas, shares, by)
    if not bool(merged.a.isfinite().all() and merged.b.isfinite().all()):
        raise too_large(name)
    error = None
    if rank is not None:
        cut = truncate(merged, rank)
        merged, error = cut.factors, cut.error
    signs = factor_signs(deltas, all_rows=all_signs)
    facts = Facts(name, deltas[0].shape, signs, rank=merged.rank, error=error)
    return merged, describe(facts, gram, shares)


def merge_dense(
    deltas: Sequence[Factors], name: str, method: Choosing, seed: int
) -> tuple[Tensor, TensorReport]:
    """One module by TIES or DARE: the merged delta in full, float32."""
    gram = whole(inner_products(deltas))
    dense = [delta.dense() for delta in deltas]
    signs = SignCount()
    for start in range(0, dense[0].shape[0], _BLOCK_ROWS):
        signs.add([delta[start : start + _BLOCK_ROWS] for delta in dense])
    merged, kept = merge_entries(dense, method, name, seed)
    norm = squared_norm(merged) ** 0.5
    if not norm <= _LARGEST:
        raise too_large(name)
    onto = [float(((x.b.T @ merged.to(x.b.dtype)) * x.a).sum()) * x.scale for x in deltas]
    facts = Facts(name, deltas[0].shape, signs, kept=kept)
    return merged, describe_chosen(facts, gram, onto, norm)


def _write(
    out: Path,
    opened: AdapterSet,
    tensors: Mapping[str, Tensor],
    report: MergeReport,
) -> None:
    stored = (one.rank or 1 for one in report.tensors)
    ranks = dict(zip(opened.shapes, stored, strict=True))
    base = str(Path(opened.base).resolve()) if Path(opened.base).is_dir() else opened.base
    config = merged_config(opened.adapters, ranks, base)
    with new_folder(out) as folder:
        write_file(folder / ADAPTER_WEIGHTS, tensors)
        (folder / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2) + "\n")
        if opened.tokenizer is not None:
            copy_tokenizer(opened.tokenizer, folder)
        if opened.origin is not None:
            write_origin(folder, opened.origin)
        carry_margins(opened.folders, folder)
        write_report(folder, report)


def write_report(folder: Path, report: MergeReport) -> None:
    """Write the report beside the weights."""
    (folder / MERGE_FILE).write_text(report.model_dump_json(indent=1) + "\n")


def read_report(folder: str | Path) -> MergeReport:
    """The report of a merged folder.

    Raises:
        DataError: there is none.
    """
    file = Path(folder) / MERGE_FILE
    if not file.is_file():
        raise DataError(f"{folder}: expected {MERGE_FILE}, which every merge writes; found none.")
    return MergeReport.model_validate_json(file.read_bytes())
