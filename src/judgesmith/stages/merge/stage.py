"""The stage: try what the recipe tries, merge, and say what was found."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from judgesmith.audits.finding import Finding, Severity
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.merging.adapters import merge_adapters, write_report
from judgesmith.backends.merging.methods import MergeMethod
from judgesmith.backends.merging.origins import MARGIN_KEPT
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
from judgesmith.tasks import known_dialects, load_dialect, task_of

VERSION = 2
STUDENT, SEARCH = student_folder(MERGED), "merge/search.json"
OUTPUTS = (STUDENT, SEARCH)


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Merge the adapters, after a search on dev if the recipe wants one."""
    knows = {name: _dialects(run_dir, name) for name in config.judges}
    choose_threads(run_dir.file("machine.json"))
    method, tried, dev = config.method, list[Tried](), dict[str, DevSet]()
    if config.search is not None:
        dev = _dev_sets(knows, config.search, run_dir)
        tried = _search(config, config.search, knows, dev, run_dir, models)
        chosen = next(one.name for one in tried if one.chosen)
        method = next(m for m in config.candidates if label_of(m) == chosen)
    shutil.rmtree(run_dir.file(STUDENT), ignore_errors=True)
    report = _merge(config, method, run_dir, run_dir.file(STUDENT))
    margins: dict[str, float] = {}
    if dev:
        report, margins = _with_own_margins(report, dev, run_dir.file(STUDENT))
    rows = [one.row() for one in tried]
    write_json(run_dir.file(SEARCH), rows)
    told = summary(report)
    tables = {
        "merge": told,
        **({"search": rows} if rows else {}),
        **({"tie margin": margins} if margins else {}),
        "findings": findings_of(told["warnings"]),
    }
    return StageReport(taken=len(config.judges), made=len(config.judges), tables=tables)


def _with_own_margins(
    report: MergeReport, dev: Mapping[str, DevSet], folder: Path
) -> tuple[MergeReport, dict[str, float]]:
    """Measure the merged judge's tie margins on dev, in place of its inputs'; and the report so.

    The merge goes without the warning that it holds margins of others.
    """
    sets = DevSets(tuple(dev.values()))
    margins = sets.keep_margins(lambda: LocalModel(MERGED, str(folder)), folder)
    others = tuple(one for one in report.warnings if one.kind != MARGIN_KEPT)
    report = report.model_copy(update={"warnings": others})
    write_report(folder, report)
    return report, margins


def findings_of(warnings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The warnings of a merge as findings, which the run and its report show."""
    return [
        Finding(
            audit="merge", severity=Severity.WARNING, message=warning["message"], count=1, of=1,
            examples=(), effect="the merge does less, or other, than its settings promise",
            remedy=warning["remedy"],
        ).to_dict()
        for warning in warnings
    ]  # fmt: skip


def _merge(config: Config, method: MergeMethod, run_dir: RunDir, out: Path) -> MergeReport:
    folders = [run_dir.file(student_folder(name)) for name in config.judges]
    return merge_adapters(folders, method, out, rank=config.rank, seed=run_dir.seed)


def _search(
    config: Config, search: Search, knows: Mapping[str, tuple[str, ...]],
    dev: Mapping[str, DevSet], run_dir: RunDir, models: ModelOpener,
) -> list[Tried]:  # fmt: skip
    """Every candidate on dev, beside its specialists and what else the recipe names.

    All are asked in all dialects, but none in one that has changed since it was trained.
    """
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
    dev_sets = DevSets.of_run(run_dir, askings, known_dialects(task_of(run_dir.header)))
    found = dict(zip(names, dev_sets.sets, strict=True))
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
