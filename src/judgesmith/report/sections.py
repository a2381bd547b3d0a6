"""The page as data: which blocks stand in which section, in which order."""

from judgesmith.report import audit_tables, result_tables, run_tables
from judgesmith.report.advice_sections import advice_section
from judgesmith.report.blocks import Banner, Block, Judged, Plot, Plots, Section, Text
from judgesmith.report.cost_sections import cost_section
from judgesmith.report.document import Document
from judgesmith.report.dry_run_tables import generators_section
from judgesmith.report.export_sections import export_section
from judgesmith.report.files_sections import closing_sections, file_sections
from judgesmith.report.format_sections import evaluation_sections
from judgesmith.report.merge_sections import merge_section
from judgesmith.report.money_sections import money_section
from judgesmith.report.negative_sections import negative_section
from judgesmith.report.numbers import plural
from judgesmith.report.plots import supply_plot
from judgesmith.report.results import Evaluation, GateResult
from judgesmith.report.teacher_sections import teacher_section
from judgesmith.report.training_sections import preference_section, training_section

REHEARSED = (
    "Every number here is from a rehearsal with simulated models and a tiny random "
    "student. It shows that the recipe runs; it says nothing about any judge."
)
MOST_EXAMPLES = 20

GATE_TEXT = {
    "pass": "Every check holds at its interval bound.",
    "fail": "At least one check is contradicted at its interval bound.",
    "inconclusive": "No check is contradicted, but the evidence does not decide all of them.",
}


def stamp_of(document: Document) -> str:
    """Give the word that every table and picture of this document carries, if any."""
    return "rehearsed" if document.rehearsed else ""


def build_sections(document: Document) -> tuple[Section, ...]:
    """Lay out the whole document. Sections without content are left out.

    Args:
        document: Everything that the report shows.

    Returns:
        Sections in the order of the page, each with at least one block.
    """
    stamp = stamp_of(document)
    if document.subject == "files":
        found = [*file_sections(document, stamp), _audit_section(document, stamp)]
        found += closing_sections(document)
    else:
        found = _run_sections(document, stamp)
    found.append(_provenance_section(document))
    return tuple(section for section in found if section.blocks)


def _run_sections(document: Document, stamp: str) -> list[Section]:
    evaluation = document.evaluation
    labels = evaluation.labels_title if evaluation and not evaluation.also else None
    found = [_verdict_section(document), advice_section(document.advice, labels)]
    if evaluation is None:
        missing = Text("There is no evaluation in this run, so no agreement is shown.", "note")
        found.append(Section("agreement", "Agreement", (missing,)))
    else:
        found += evaluation_sections(evaluation, document.gate, stamp)
    found += [generators_section(document.generator_runs)]
    found += [teacher_section(document.teaching, stamp=stamp)]
    found += [negative_section(document.preferences)]
    found += [training_section(document, stamp)]
    found += [preference_section(document.preference, stamp=stamp)]
    found += [merge_section(document.merging, stamp=stamp), _audit_section(document, stamp)]
    if evaluation is not None:
        found += _example_sections(evaluation)
    found.append(export_section(document.exports))
    return [*found, money_section(document.money), cost_section(document.costs)]


def _verdict_section(document: Document) -> Section:
    blocks: list[Block] = []
    if document.rehearsed:
        blocks.append(Banner("Rehearsed run", REHEARSED, "rehearsed"))
    gate = document.gate
    if gate is None:
        said = "This run has no gate: nothing was required of the judge and nothing was decided."
        blocks.append(Banner("No gate", said, "none"))
    else:
        title = f"Gate: {gate.outcome}"
        blocks.append(Banner(title, _gate_text(gate), gate.outcome))
        blocks.append(result_tables.gate_table(gate))
    return Section("verdict", "Verdict", tuple(blocks))


def _gate_text(gate: GateResult) -> str:
    counts = [
        f"{sum(check.outcome == outcome for check in gate.checks)} {outcome}"
        for outcome in ("pass", "fail", "inconclusive", "not applicable")
        if any(check.outcome == outcome for check in gate.checks)
    ]
    needed = [lacking for check in gate.checks if (lacking := result_tables.still_needed(check))]
    more = f" Labels still needed: about {max(needed):,}." if needed else ""
    checks = f"Of {plural(len(gate.checks), 'check')}: {', '.join(counts) or 'none'}."
    return f"{GATE_TEXT[gate.outcome]} {checks}{more} Judge: {gate.judge}; {gate.labels_title}."


def _audit_section(document: Document, stamp: str) -> Section:
    blocks: list[Block] = []
    if document.findings:
        blocks.append(audit_tables.findings_table(document.findings))
    elif document.supply or document.confounds or document.leaks:
        blocks.append(Text("The audits found nothing to report.", "note"))
    else:
        blocks.append(Text("No audit was run.", "warning"))
    if document.supply:
        title = "Supply of each bucket"
        svg = supply_plot(f"{title}, in items", document.supply, stamp=stamp)
        blocks += [Plots((Plot(title, svg),)), audit_tables.supply_table(document.supply)]
    if document.confounds:
        blocks.append(audit_tables.confound_table(document.confounds))
        blocks.append(audit_tables.generator_table(document.confounds))
    if document.leaks:
        blocks.append(audit_tables.leak_table(document.leaks))
    return Section("audits", "Audits", tuple(blocks))


def _example_sections(evaluation: Evaluation) -> list[Section]:
    """Examples of every format, each under its name where there are several."""
    found = [_example_section(evaluation, "examples", "Examples")]
    for place, one in enumerate(evaluation.also, start=2):
        found.append(_example_section(one, f"examples-{place}", f"Examples: {one.dialect}"))
    return found


def _example_section(evaluation: Evaluation, anchor: str, title: str) -> Section:
    right = [example for example in evaluation.examples if example.right]
    wrong = [example for example in evaluation.examples if not example.right]
    what = "scores" if evaluation.form == "scores" else "verdicts"
    blocks = [
        Judged(
            f"{name} {what}" + _of(len(examples)),
            evaluation.labels_title,
            tuple(examples[:MOST_EXAMPLES]),
        )
        for name, examples in (("Wrong", wrong), ("Right", right))
        if examples
    ]
    return Section(anchor, title, tuple(blocks))


def _of(count: int) -> str:
    return f" ({min(count, MOST_EXAMPLES)} of {count})" if count > MOST_EXAMPLES else ""


def _provenance_section(document: Document) -> Section:
    blocks: list[Block] = []
    if document.stages:
        blocks.append(run_tables.stage_table(document.stages))
    if document.composition:
        blocks.append(run_tables.composition_table(document.composition))
    if document.why:
        heads = ("setting", "reason")
        title = "Why the recipe is so"
        blocks.append(run_tables.named_table(title, heads, document.why, document.settings))
    if document.provenance:
        heads = ("name", "value")
        blocks.append(run_tables.named_table("Versions and hashes", heads, document.provenance))
    return Section("provenance", "Provenance", tuple(blocks))
