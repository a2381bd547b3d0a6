"""The page of judgments that were read from files: its sections, in the order of the page."""

from collections import Counter
from collections.abc import Iterable

from judgesmith.report import agreement_sections
from judgesmith.report import evidence_sections as parts
from judgesmith.report.answer import COMPETING, answer, listed
from judgesmith.report.blocks import Banner, Block, Browser, Cell, Section, Table, Text, columns
from judgesmith.report.comparison_plots import comparisons_section
from judgesmith.report.document import Document
from judgesmith.report.evidence import Evidence
from judgesmith.report.numbers import plural
from judgesmith.report.result_tables import by_role, size, slices_of
from judgesmith.report.results import Evaluation
from judgesmith.report.run_tables import named_table

EMPTY = Evidence(
    judges=(),
    people=(),
    panel=None,
    alternative=(),
    fidelity=None,
    browser=(),
    browser_of=0,
    not_measured={},
    notes=(),
)
MOST_LABELS = 12


def file_sections(document: Document, stamp: str) -> Iterable[Section]:
    """Lay out a meta-evaluation, up to but without the audits and the provenance.

    Args:
        document: Its evaluation and its evidence; either may be absent.
        stamp: The word that every picture carries, or none.

    Returns:
        Sections, also those without blocks.
    """
    evaluation, evidence = document.evaluation, document.evidence or EMPTY
    if evaluation is None:
        return [Section("summary", "What was found", (_findings_banner(document),))]
    return [
        _summary(document, evaluation, evidence),
        agreement_sections.agreement_section(evaluation, evidence, stamp=stamp),
        agreement_sections.people_section(evidence, stamp=stamp),
        comparisons_section(evaluation, stamp=stamp),
        agreement_sections.cells_section(evaluation, stamp=stamp),
        parts.order_section(evaluation, evidence, stamp=stamp),
        parts.length_section(evaluation, evidence, stamp=stamp),
        parts.confidence_section(evidence, evaluation.labels_title, stamp=stamp),
        parts.conflict_section(evidence),
        parts.panel_section(evidence, evaluation.labels_title, stamp=stamp),
        parts.alternative_section(evidence, evaluation.labels_title),
        parts.fidelity_section(evidence, evaluation.labels_title, stamp=stamp),
    ]


def closing_sections(document: Document) -> list[Section]:
    """What could not be measured, notes, and the disagreement browser."""
    evidence = document.evidence or EMPTY
    lacking: tuple[Block, ...] = ()
    if evidence.not_measured:
        lacking = (named_table("Not measured", ("what", "why"), evidence.not_measured),)
    notes = tuple(Text(note) for note in evidence.notes)
    return [
        Section("not-measured", "What could not be measured, and why", lacking),
        Section("notes", "Notes", notes),
        Section("browser", "Disagreement browser", _browser(document.evaluation, evidence)),
    ]


def _browser(evaluation: Evaluation | None, evidence: Evidence) -> tuple[Block, ...]:
    if not evidence.browser:
        return ()
    listed_judges = [judge.name for judge in by_role(evaluation)] if evaluation else []
    seen = dict.fromkeys(name for row in evidence.browser for name in row.verdicts)
    judges = [name for name in listed_judges if name in seen]
    judges += [name for name in seen if name not in judges]
    labels = evaluation.labels_title if evaluation else "labels as read"
    title = "Items, labels and verdicts"
    return (Browser(title, labels, tuple(judges), evidence.browser, evidence.browser_of),)


def _findings_banner(document: Document) -> Banner:
    """How many findings of which severity, in words."""
    counts = Counter(str(row["severity"]) for row in document.findings)
    said = [
        plural(counts[severity], severity) for severity in ("error", "warning") if counts[severity]
    ]
    title = " and ".join(said) or "Nothing above a figure to know"
    effect = {
        "error": "An error means that a result on these data would be wrong.",
        "warning": "A warning belongs beside every result on these data.",
    }
    text = next((effect[severity] for severity in effect if counts[severity]), "")
    more = plural(len(document.findings), "finding")
    tone = "fail" if counts["error"] else "inconclusive" if counts["warning"] else "pass"
    return Banner(
        title, f"{text} {more} in all; what was not checked stands near the end.".strip(), tone
    )


def _summary(document: Document, evaluation: Evaluation, evidence: Evidence) -> Section:
    found = answer(evaluation)
    blocks: list[Block] = []
    if document.rehearsed:
        blocks.append(Text("Every number on this page is from simulated judges.", "warning"))
    blocks.append(Banner(found.title, found.text, "answer"))
    errors = sum(one.get("severity") == "error" for one in document.findings)
    if errors:
        told = plural(errors, "error")
        blocks.append(
            Text(f"The audits found {told}: read that section before any number here.", "warning")
        )
    blocks.append(_measured_table(evaluation, evidence))
    if evidence.not_measured:
        left = plural(len(evidence.not_measured), "part")
        blocks.append(
            Text(f"{left} could not be measured; the reasons stand near the end.", "note")
        )
    return Section("summary", "What was measured", tuple(blocks))


def _between(counts: set[int]) -> str:
    """One count, or the least and the most of several judges."""
    ends = sorted({min(counts), max(counts)})
    return " to ".join(f"{n:,}" for n in ends)


def _measured_table(evaluation: Evaluation, evidence: Evidence) -> Table:
    rows = [("labels", evaluation.labels_title, _kind(evaluation))]
    for role in dict.fromkeys(judge.role for judge in by_role(evaluation)):
        names = [judge.name for judge in evaluation.judges if judge.role == role]
        group = f"{role}s" if len(names) > 1 and role in (*COMPETING, "baseline") else role
        rows.append((group, listed(names), f"{len(names):,} {group}" if len(names) > 1 else ""))
    if not evaluation.judges and evidence.judges:
        names = [one.judge for one in evidence.judges]
        rows.append(("judges", listed(names), plural(len(names), "judge")))
        scored: dict[str, set[int]] = {}
        for row in (row for one in evidence.judges for row in one.scores):
            scored.setdefault(row.criterion, set()).add(row.n)
        sizes = [f"{name}\N{NO-BREAK SPACE}{_between(ns)}" for name, ns in scored.items()]
        if sizes:
            rows.append(("scored items, by criterion", ", ".join(sizes), ""))
    for info in slices_of(evaluation, "domain"):
        counts = [
            f"{label}\N{NO-BREAK SPACE}{n:,}" for label, n in info.label_counts.items() if label
        ]
        more = len(counts) - MOST_LABELS
        told = ", ".join(counts[:MOST_LABELS]) + (f" and {more:,} more" if more > 0 else "")
        rows.append((f"items, {info.title}", size(info), f"labels {told}" if told else ""))
    if evaluation.direction:
        rows.append(("direction", evaluation.direction, ""))
    return Table(
        "Labels, judges and items",
        columns("", ""),
        tuple((Cell(name, tone="strong"), Cell(text, aside)) for name, text, aside in rows),
    )


def _kind(evaluation: Evaluation) -> str:
    if evaluation.labels_kind == "nobody":
        return "agreement cannot be measured"
    return (
        "by an answer key"
        if evaluation.labels_kind == "answer key"
        else (f"by {evaluation.labels_kind}")
    )
