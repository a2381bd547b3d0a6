"""The stage: try what the recipe tries, merge, and say what was found."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.merging.adapters import merge_adapters
from judgesmith.backends.merging.methods import MergeMethod
from judgesmith.backends.merging.result import MergeReport
from judgesmith.backends.origin import model_path, read_origin, require_trained_in
from judgesmith.backends.threads import choose_threads
from judgesmith.errors import DataError
from judgesmith.models.dev import Asking, DevSet, DevSets
from judgesmith.models.dev_measures import DevMeasures
from judgesmith.models.protocol import ModelOpener
from judgesmith.report.merging import ROUTED
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.progress import progress_bar
from judgesmith.runs.students import MERGED, student_folder
from judgesmith.stages.merge.config import Config, Search
from judgesmith.stages.merge.search import (
    Tried,
    beside,
    measure_all,
    rank_tried,
    routed,
)
from judgesmith.tasks import load_dialect, task_of

VERSION = 1
STUDENT, SEARCH = student_folder(MERGED), "merge/search.json"
OUTPUTS = (STUDENT, SEARCH)


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Merge the adapters, after a search on dev if the recipe wants one."""
    knows = {name: _dialects(run_dir, name) for name in config.judges}
    choose_threads(run_dir.file("machine.json"))
    method, tried = config.method, list[Tried]()
    if config.search is not None:
        tried = _search(config, config.search, knows, run_dir, models)
        chosen = next(one.name for one in tried if one.chosen)
        method = next(m for m in config.candidates if label_of(m) == chosen)
    shutil.rmtree(run_dir.file(STUDENT), ignore_errors=True)
    report = _merge(config, method, run_dir, run_dir.file(STUDENT))
    rows = [one.row() for one in tried]
    write_json(run_dir.file(SEARCH), rows)
    tables = {"merge": summary(report), **({"search": rows} if rows else {})}
    return StageReport(taken=len(config.judges), made=len(config.judges), tables=tables)


def _merge(config: Config, method: MergeMethod, run_dir: RunDir, out: Path) -> MergeReport:
    folders = [run_dir.file(student_folder(name)) for name in config.judges]
    return merge_adapters(folders, method, out, rank=config.rank, seed=run_dir.seed)


def _search(
    config: Config, search: Search, knows: Mapping[str, tuple[str, ...]], run_dir: RunDir,
    models: ModelOpener,
) -> list[Tried]:  # fmt: skip
    """Every candidate on dev, beside its specialists and what else the recipe names.

    All are asked in all dialects, but none in one that has changed since it was trained.
    """
    dev = _dev_sets(knows, search, run_dir)
    others = (*config.judges, *search.beside)
    for name in others:
        origin = read_origin(model_path(run_dir.file(student_folder(name))))
        for one in dev.values():
            require_trained_in(origin, one.asking.dialect, student=name, strangers=True)
    merges: dict[str, dict[str, DevMeasures]] = {}
    with progress_bar("merge, search", len(config.candidates) + len(others)) as bar:
        measured: dict[str, dict[str, DevMeasures]] = {}
        for name in others:
            measured[name] = measure_all(models(name), dev)
            bar.advance()
        scratch = run_dir.file("merge/candidate")
        for method in config.candidates:
            shutil.rmtree(scratch, ignore_errors=True)
            _merge(config, method, run_dir, scratch)
            merges[label_of(method)] = measure_all(LocalModel(MERGED, str(scratch)), dev)
            bar.advance()
        shutil.rmtree(scratch, ignore_errors=True)
    best = routed({name: measured[name] for name in config.judges}, knows)
    ranked = rank_tried(merges, best, label_of(config.method), choose=search.choose)
    return [
        *ranked,
        beside(ROUTED, best, best),
        *(beside(name, measured[name], best) for name in others),
    ]


def _dialects(run_dir: RunDir, name: str) -> tuple[str, ...]:
    """Names of the dialects that a student was trained in; refused where one has changed since."""
    folder = run_dir.file(student_folder(name))
    origin = read_origin(folder)
    if origin is None or not origin.dialects:
        raise DataError(
            f"{folder}: expected judgesmith.json with the dialects that this adapter was trained "
            "in, found none. Train it with this recipe; `judgesmith merge` takes any."
        )
    task = task_of(run_dir.header)
    for dialect in origin.dialects:
        require_trained_in(origin, load_dialect(task, dialect), student=name)
    return tuple(origin.dialects)


def _dev_sets(
    knows: Mapping[str, tuple[str, ...]], search: Search, run_dir: RunDir
) -> dict[str, DevSet]:
    task = task_of(run_dir.header)
    names = dict.fromkeys(dialect for dialects in knows.values() for dialect in dialects)
    askings = (
        Asking(load_dialect(task, name), search.reply_tokens, search.items, run_dir.seed)
        for name in names
    )
    found = dict(zip(names, DevSets.of_run(run_dir, askings).sets, strict=True))
    empty = [name for name, dev in found.items() if not dev.items]
    if empty:
        raise DataError(
            f"merge.search: no dev item has a label in dialect {empty[0]!r}, so merges cannot be "
            "scored in it. Raise split.dev_share, label in that dialect (labels.more), or leave "
            "`search` out."
        )
    return found


def label_of(method: MergeMethod) -> str:
    """A method with its settings in a few words, one for each candidate.

    >>> from judgesmith.backends.merging.methods import NuSlerp, TaskArithmetic
    >>> label_of(NuSlerp(weights=(0.3, 0.7))), label_of(TaskArithmetic(weights=(1, 1), scale=0.5))
    ('nuslerp 0.3 : 0.7', 'task_arithmetic 1 : 1, scale 0.5')
    """
    fields = method.model_dump(exclude={"kind", "weights"}, exclude_defaults=True)
    weights = " : ".join(f"{weight:g}" for weight in method.weights)
    more = "".join(f", {name} {value}" for name, value in fields.items())
    return f"{method.kind} {weights}{more}"


def summary(report: MergeReport) -> dict[str, Any]:
    """What a merge did, without its table of tensors, which lies in merge.json."""
    cosines = sorted(
        cosine for tensor in report.tensors for cosine in tensor.cosines if cosine is not None
    )
    return {
        **report.model_dump(mode="json", exclude={"tensors"}),
        "tensors": len(report.tensors),
        "median cosine": cosines[len(cosines) // 2] if cosines else None,
    }
