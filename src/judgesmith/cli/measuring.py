"""`evaluate` on files, `compare`, `benchmarks`: any judge's judgments against labels."""

import re
from pathlib import Path

from judgesmith.cli import show, show_files
from judgesmith.errors import DataError
from judgesmith.pipeline import open_run, require_fresh
from judgesmith.pipeline.audit_files import audit_targets, with_audit
from judgesmith.pipeline.audit_sources import Reading
from judgesmith.pipeline.measure_files import (
    Asked,
    compare_targets,
    measure_readable,
    write_document,
)
from judgesmith.pipeline.measure_pairs import judged_pairs
from judgesmith.pipeline.readable import open_readable
from judgesmith.pipeline.recipes import is_run, model_file
from judgesmith.report.document import Document
from judgesmith.sources.benchmarks import load_shipped, shipped
from judgesmith.sources.patterns import find_files
from judgesmith.stages.gate import read_results


def evaluate_command(
    targets: list[str], reading: Reading, out: Path | None, asked: Asked, *, audit: bool
) -> None:
    """A run's own results; a run's judge on labelled pairs; or any judge in files."""
    first = Path(targets[0])
    if is_run(first) and len(targets) == 1:
        run_dir, recipe = open_run(first)
        require_fresh(run_dir, recipe, "evaluate")
        show.evaluation(read_results(run_dir))
        return
    if is_run(first) or (len(targets) > 1 and model_file(first)):
        if len(targets) > 2:
            raise DataError(f"{first} is a run: expected one file of pairs, found {targets[1:]}.")
        source = judged_pairs(first, Path(targets[1]))
    else:
        source = open_readable(targets, mapping=reading.mapping, data=reading.data)
    folder = out or Path(re.sub(r"[\s/\\]+", "-", f"{source.name}.evaluation").lstrip(".-"))
    _check_out(folder)
    document = measure_readable(source, asked)
    if audit and not is_run(first):
        document = _audited(document, targets, reading)
    _show(document, folder)


def _audited(document: Document, targets: list[str], reading: Reading) -> Document:
    """The document with the audits' findings; files that an audit cannot take are said so."""
    try:
        return with_audit(document, audit_targets(targets, reading=reading))
    except DataError as error:
        evidence = document.evidence
        if evidence is None:
            return document
        missing = {**evidence.not_measured, "audits": str(error)}
        return document.model_copy(
            update={"evidence": evidence.model_copy(update={"not_measured": missing})}
        )


def compare_command(
    targets: list[str], mapping: Path | None, data: Path | None, out: Path | None, asked: Asked
) -> None:
    """Compare judges of runs and files on the items that they share."""
    folder = out or Path("comparison")
    _check_out(folder)
    _show(compare_targets(targets, mapping, data, asked), folder)


def _check_out(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise DataError(f"--out {folder}: expected a folder's name, found a file.")


def _show(document: Document, folder: Path) -> None:
    page = write_document(document, folder)
    show_files.document(document)
    show.line(f"Report: {page}")


def benchmarks_command(name: str | None, data: Path | None) -> None:
    """List what can be read, or print one mapping with what it finds below `data`."""
    if name is None:
        rows = []
        for key in shipped():
            used = load_shipped(key)
            rows.append((key, used.kind, used.title, used.licence, used.published))
        heads = ("benchmark", "items", "what it holds", "licence", "published")
        show.table("Published judgments and labels that can be read", heads, rows)
        show.line("Fetch the files yourself, then: judgesmith evaluate BENCHMARK --data FOLDER")
        return
    used = load_shipped(name)
    show.line(f"{used.name}: {used.title}\npublished: {used.published}\nlicence: {used.licence}")
    for note in used.notes:
        show.line(f"note: {note}")
    for entry in used.files:
        show.line(f"reads: {entry.path}")
    if data is not None:
        show.line(f"found below {data}: {len(find_files(used, data))} files")
