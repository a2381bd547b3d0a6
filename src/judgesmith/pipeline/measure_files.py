"""Measure, compare and write: judgments and labels in, one page out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from judgesmith import __version__
from judgesmith.errors import DataError
from judgesmith.evaluation.collect import Collected, collect
from judgesmith.evaluation.evidence import measure
from judgesmith.evaluation.measure import prepare
from judgesmith.evaluation.scoring import Plan
from judgesmith.pipeline.readable import (
    Readable,
    from_run,
    open_readable,
    read_counted,
    together,
)
from judgesmith.pipeline.recipes import is_run, open_run
from judgesmith.report.document import Document
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.runs.jsonl import write_bytes, write_json
from judgesmith.sources.benchmarks import shipped


@dataclass(frozen=True)
class Asked:
    """What the user may choose; None or empty leaves it to the mapping."""

    labels: str | None = None
    judges: tuple[str, ...] = ()
    seed: int = 0
    resamples: int = 10_000
    confidence: float = 0.95
    least: int = 20


def measure_readable(source: Readable, asked: Asked) -> Document:
    """Read everything twice (numbers, then the texts of a few items) and measure it.

    Raises:
        DataError: nothing to measure, or nothing to measure against.
    """
    subject = replace(
        source.subject, labels=asked.labels or source.subject.labels,
        judges=asked.judges or source.subject.judges,
    )  # fmt: skip
    found = collect(read_counted(source), responses=2 if subject.pairs else 1)
    if not found.where:
        raise DataError(f"{source.name}: expected at least one judged item, found no rows.")
    plan = Plan(
        seed=asked.seed, resamples=asked.resamples, slice_resamples=min(2_000, asked.resamples),
        confidence=asked.confidence, least=asked.least, scale=(),
    )  # fmt: skip
    measured = prepare(found, subject, plan)
    evaluation, evidence = measure(measured, source.read, source.notes)
    return Document(
        name=source.name,
        description=source.title,
        task=f"{subject.kind} judgments",
        rehearsed=False,
        stages=(),
        gate=None,
        evaluation=evaluation,
        curve=(),
        findings=(),
        supply=(),
        confounds=None,
        leaks=None,
        composition={},
        why={},
        provenance={
            "judgesmith": __version__,
            "seed": str(asked.seed),
            "rows read": f"{found.rows:,}",
            "items": f"{len(found.where):,}",
            **_unparsed(found),
            **dict(source.provenance),
        },
        subject="files",
        evidence=evidence,
    )


def _unparsed(found: Collected) -> dict[str, str]:
    return {
        f"unparsed, {judge}": ", ".join(f"{count:,} {why}" for why, count in counts.items())
        for judge, counts in found.statuses.items()
    }


def compare_targets(
    targets: Sequence[str], mapping: Path | None, data: Path | None, asked: Asked
) -> Document:
    """Runs, benchmarks and files together: every judge, on the items that each two share."""
    parts: list[Readable] = []
    students: list[str] = []
    files: list[str] = []
    names = _run_names([Path(target) for target in targets if is_run(Path(target))])
    for target in targets:
        if is_run(Path(target)):
            part = from_run(Path(target), names[Path(target)])
            students.append(str(part.subject.student))
            parts.append(part)
        elif target in shipped() and not Path(target).exists():
            parts.append(open_readable([target], data=data))
        else:
            files.append(target)
    if files:
        parts.append(open_readable(files, mapping=mapping))
    judges = asked.judges or (tuple(students) if len(students) > 1 and not files else ())
    return measure_readable(together(parts), replace(asked, judges=judges))


def _run_names(folders: Sequence[Path]) -> dict[Path, str]:
    """The recipes' names; where two runs share one, as much of their paths as tells them apart."""
    paths = [folder.resolve() for folder in folders]
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise DataError(f"{twice}: the run is named twice; expected different runs.")
    names = [open_run(path)[0].header.name for path in paths]
    for depth in range(1, max((len(path.parts) for path in paths), default=0)):
        if len(set(names)) == len(names):
            break
        names = ["/".join(path.parts[-depth:]) for path in paths]
    return dict(zip(folders, names, strict=True))


def write_document(document: Document, folder: Path) -> Path:
    """Write index.html, report.md and report.json into a folder; returns the page's path."""
    page = folder / "index.html"
    write_bytes(page, render_html(document).encode())
    write_bytes(folder / "report.md", render_markdown(document).encode())
    write_json(folder / "report.json", document.model_dump(mode="json"))
    return page
