"""`judgesmith audit`: every audit that files or a run can feed, and why the others were not run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from judgesmith import __version__
from judgesmith.audits.finding import Finding, Severity
from judgesmith.errors import DataError, JudgesmithError
from judgesmith.evaluation.browser import place
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_inputs import AuditSet
from judgesmith.pipeline.audit_judges import audit_judgments
from judgesmith.pipeline.audit_labels import audit_labels
from judgesmith.pipeline.audit_licences import audit_licences
from judgesmith.pipeline.audit_overlap import (
    TextItem,
    audit_across,
    audit_leak,
    items_of,
    items_of_training,
    once,
)
from judgesmith.pipeline.audit_replies import audit_texts
from judgesmith.pipeline.audit_rows import audit_preferences
from judgesmith.pipeline.audit_sources import (
    Reading,
    Source,
    audit_dialects,
    open_sources,
    pack_sets,
    training_side,
)
from judgesmith.pipeline.readable import from_run
from judgesmith.pipeline.recipes import open_run
from judgesmith.pipeline.report_run import collect
from judgesmith.report.document import Document
from judgesmith.report.evidence import Evidence
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.runs.jsonl import write_bytes, write_json

RUN_FILES = (("training", "rows/sft.jsonl"), ("evaluation", "evaluate/judgments.jsonl"))
"""Files of a run that record a dialect."""


def audit_targets(
    targets: Sequence[str], *, train: Sequence[str] = (), reading: Reading | None = None
) -> Audited:
    """Audit runs, benchmarks and files; `train` are the paths that a judge learned from.

    Raises:
        DataError: a path cannot be read; the message says where and what to do.
    """
    reading = reading or Reading()
    into = Audited()
    learned = [training_side(source) for source in open_sources(train, reading)]
    given = [_opened(source, into) for source in open_sources(targets, reading)]
    sets = pack_sets(given, into)
    for one, name in zip(sets, once(one.name for one in sets), strict=True):
        one.name = name
        _audit_set(one, into)
    prepared = {source.name: source for source in given if source.rows}
    sides = {f"training side, {source.name}": source for source in learned}
    _audit_rows({**sides, **prepared}, reading, into)
    texts: dict[str, list[TextItem]] = {}
    if learned or len(given) > 1:
        texts = {one.name: items_of(one.read()) for one in sets}
        texts |= {name: items_of_training(source.rows) for name, source in prepared.items()}
    audit_across(texts, into)
    _audit_leak(sides, texts, into)
    audit_dialects(list(_sides(learned, given)), into)
    if not into.sets:
        raise DataError(f"{', '.join(targets)}: expected something to audit, found no rows.")
    return into


def _audit_leak(
    sides: Mapping[str, Source], texts: Mapping[str, Sequence[TextItem]], into: Audited
) -> None:
    if not sides:
        if into.leaks is None:  # a run has looked for leaks when it was split
            into.skip("leak", "needs the training side: name its files with --train")
        return
    trained = {name: _texts(source) for name, source in sides.items()}
    for name, items in trained.items():
        into.sets.setdefault(name, {"items": len(items)})
    evaluated = [item for several in texts.values() for item in several]
    audit_leak([item for items in trained.values() for item in items], evaluated, into)


def _opened(source: Source, into: Audited) -> Source:
    """A run's findings of its stages are taken over; its test items become a set."""
    if source.run is None:
        return source
    run_dir, recipe = open_run(source.run)
    document = collect(run_dir, recipe)
    into.rehearsed = into.rehearsed or document.rehearsed
    into.say(_finding(row) for row in document.findings)
    audit_licences(source.name, run_dir, recipe, into)
    into.confounds, into.leaks = document.confounds, document.leaks
    into.sets[source.name] = {"stages": len(document.stages)}
    if document.supply:
        into.tables["supply"] = list(document.supply)
    try:
        return Source(source.name, None, from_run(source.run), run=source.run)
    except JudgesmithError as error:
        into.skip("judgments and labels of the test items", str(error), of=source.name)
        return source


def _finding(row: dict[str, Any]) -> Finding:
    known = {**row, "severity": Severity(row["severity"]), "examples": tuple(row["examples"])}
    return Finding(**known)


def _audit_set(one: AuditSet, into: Audited) -> None:
    found = one.found
    if not found.where:
        raise DataError(f"{one.name}: expected at least one judged item, found no rows.")
    into.sets[one.name] = {
        "rows": found.rows,
        "items": len(found.where),
        "labelled": len(one.labels.verdicts or one.labels.scores),
        "annotators": len(found.people()),
        "judges": len(found.judges()),
    }
    if len(one.chosen) < len(found.where):
        into.sets[one.name]["looked at for order, family, generators and style"] = len(one.chosen)
    into.notes += [f"{one.name}: {note}" for note in one.notes]
    into.notes.append(f"{one.name}: {one.labels.title}")
    audit_labels(one, into)
    audit_judgments(one, into)
    audit_texts(one, into)


def _audit_rows(sources: Mapping[str, Source], reading: Reading, into: Audited) -> None:
    preferences = False
    for name, source in sources.items():
        if not source.rows:
            continue
        into.sets[name] = {"training rows": len(source.rows)}
        if any(row.rejected for row in source.rows):
            preferences = True
            audit_preferences(source.name, list(source.rows), reading.names, into)
    if not preferences:
        for audit in ("separability", "inversion"):
            into.skip(audit, "no file has rows with the columns chosen and rejected")


def _texts(source: Source) -> list[TextItem]:
    if source.readable is not None:
        return items_of(source.readable.read())
    return items_of_training(source.rows)


def _sides(learned: Sequence[Source], given: Sequence[Source]) -> list[tuple[str, Path]]:
    sides = [("training", source.path) for source in learned if source.path is not None]
    for source in given:
        if source.run is not None:
            for side, name in RUN_FILES:
                path = source.run / name
                if path.is_file():
                    sides.append((f"{source.name}, {side}", path))
        elif source.path is not None:
            sides.append((source.name, source.path))
    return sides


def document_of(found: Audited, name: str) -> Document:
    """The page of an audit: findings, tables that have a picture, and what was not checked."""
    counts = {title: dict(numbers) for title, numbers in found.sets.items()}
    evidence = Evidence(
        judges=(), people=(), panel=None, alternative=(), fidelity=None, browser=(), browser_of=0,
        not_measured=dict(found.not_checked), notes=tuple(found.notes),
    )  # fmt: skip
    return Document(
        name=name,
        description=f"Audit of {name}",
        task="audit",
        rehearsed=found.rehearsed,
        stages=(),
        gate=None,
        evaluation=None,
        curve=(),
        findings=_for_a_page(found),
        supply=tuple(found.tables.get("supply", ())),
        confounds=found.confounds,
        leaks=found.leaks,
        composition={},
        why={},
        provenance={
            "judgesmith": __version__,
            **{
                f"read of {title}": ", ".join(f"{what} {n:,}" for what, n in numbers.items())
                for title, numbers in counts.items()
            },
        },
        subject="files",
        evidence=evidence,
    )


def _for_a_page(found: Audited) -> tuple[dict[str, Any], ...]:
    """Findings, worst first, whose examples do not tell the folders of this machine."""
    rows = [finding.to_dict() for finding in found.worst_first()]
    return tuple(
        {**row, "examples": [place(one) for one in examples]}
        for row in rows
        if isinstance(examples := row["examples"], list)
    )


def with_audit(document: Document, found: Audited) -> Document:
    """A measurement's page with what the audits of the same files found, and could not check."""
    findings = _for_a_page(found)
    evidence = document.evidence
    if evidence is not None:
        skipped = {f"audit of {what}": why for what, why in found.not_checked.items()}
        both = {**evidence.not_measured, **skipped}
        evidence = evidence.model_copy(update={"not_measured": both})
    return document.model_copy(
        update={"findings": findings, "confounds": found.confounds, "evidence": evidence}
    )


def write_audit(found: Audited, name: str, folder: Path) -> Path:
    """Write audit.json, index.html and report.md into a folder; returns the page's path."""
    document = document_of(found, name)
    page = folder / "index.html"
    write_json(folder / "audit.json", found.to_dict())
    write_bytes(page, render_html(document).encode())
    write_bytes(folder / "report.md", render_markdown(document).encode())
    return page
