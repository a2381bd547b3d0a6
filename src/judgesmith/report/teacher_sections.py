"""The section on labels by teachers: who agreed with whom, and how verdicts became labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.report.blocks import Block, Cell, Section, Table, Text, columns, number_cell
from judgesmith.report.dry_run_tables import dry_run_blocks
from judgesmith.report.numbers import NOT_MEASURED, figure, read_number, whole
from judgesmith.report.teacher_panel import (
    PEOPLE,
    error_blocks,
    kappa_blocks,
    key_error_blocks,
    mix_table,
)
from judgesmith.report.teaching import Teaching

POLICIES = {
    "primary": "the primary teacher's verdict is the label",
    "majority": "the label is what more than half of the votes say",
    "unanimity": "there is a label where all votes agree",
    "weighted": "votes are weighed by each teacher's estimated accuracy (Dawid-Skene)",
    "person": "what teachers do not agree on goes to a person, whose verdict is final",
}
ONE_VOTE = "the only vote"
STOPPED_BY_PEOPLE = (
    "The stage stopped here: people contradict the primary teacher, see Audits. It gave no label."
)
Row = Mapping[str, Any]


def teacher_section(found: Teaching | None, *, stamp: str = "") -> Section:
    """All that the labels by teachers rest on; without teachers there is no section."""
    title = "Labels by teachers"
    if found is None:
        return Section("teachers", title)
    blocks: list[Block] = [*_who(found)]
    if found.statuses:
        blocks.append(status_table(found.statuses))
    if found.dry_run is not None:
        stopped = found.stopped and not found.against_people
        blocks += dry_run_blocks(found.dry_run, stopped=stopped)
    if found.against_people:
        blocks.append(people_table(found.against_people))
        if found.stopped:
            blocks.append(Text(STOPPED_BY_PEOPLE, "warning"))
    if found.cross_check is not None:
        blocks.append(mix_table(found.panel_items, found.cross_check))
        blocks += kappa_blocks(found.cross_check, stamp=stamp)
        blocks += error_blocks(found.cross_check)
        blocks += key_error_blocks(found.cross_check)
    if found.final_labels is not None:
        blocks += decision_blocks(found.final_labels, found.policy)
    if found.queue:
        files = " and ".join(found.queue)
        blocks.append(Text(f"The items left to a person wait in {files} in the run folder."))
    return Section("teachers", title, tuple(blocks))


def _who(found: Teaching) -> list[Block]:
    parts = [f"Primary teacher: {found.primary}."] if found.primary else []
    if found.panel:
        parts.append(f"Panel: {', '.join(found.panel)}.")
    if found.policy:
        meaning = POLICIES.get(found.policy)
        parts.append(f"Policy: {found.policy}{f', {meaning}' if meaning else ''}.")
    blocks: list[Block] = [Text(" ".join(parts))] if parts else []
    if found.simulated:
        names = ", ".join(found.simulated)
        blocks.append(
            Text(
                f"Simulated: {names}. Their verdicts are drawn from the answer key at stated "
                "rates; numbers of theirs say nothing about any model.",
                "warning",
            )
        )
    return blocks


def status_table(statuses: Mapping[str, Mapping[str, int]]) -> Table:
    """How the judgments of each teacher ended."""
    names = list(dict.fromkeys(name for counts in statuses.values() for name in counts))
    heads = ["judgments", *(name.replace("_", " ") for name in names)]
    rows = tuple(
        (
            Cell(teacher, tone="strong"),
            Cell(whole(sum(counts.values()))),
            *(Cell(whole(counts.get(name, 0))) for name in names),
        )
        for teacher, counts in statuses.items()
    )
    return Table("How judgments ended", columns("teacher", *heads, numeric=heads), rows)


def people_table(rows: Sequence[Row]) -> Table:
    """The primary teacher against people, before its labels are used."""
    counts = ("items", "with a verdict", "contradicts itself", "agree")
    heads = (*counts, "kappa")
    return Table(
        f"Teacher {rows[0].get('teacher', '')} against people",
        columns("bucket", *heads, numeric=heads),
        tuple(
            (
                Cell(str(row.get("bucket")), tone="" if place else "strong"),
                *(Cell(whole(row.get(name))) for name in counts),
                number_cell(read_number(row.get("kappa")), absent=NOT_MEASURED),
            )
            for place, row in enumerate(rows)
        ),
        labels=PEOPLE,
        note=(
            "An item without a verdict of the teacher counts as wrong. Items that went to people "
            "because teachers left them open are not among these."
        ),
    )


def decision_blocks(final: Row, policy: str) -> list[Block]:
    """How many items got a label, why, and which; and what weighing the votes rests on."""
    items = whole(final.get("items"))
    verdicts = ", ".join(f"{name} {whole(n)}" for name, n in final.get("by verdict", {}).items())
    said = (
        f"Of {items} items, {whole(final.get('decided'))} have a label"
        f"{f' ({verdicts})' if verdicts else ''}; {whole(final.get('to a person'))} go to a person."
    )
    blocks: list[Block] = [Text(said + _by_people(final))]
    reasons: Mapping[str, int] = final.get("by reason", {})
    if reasons.get(ONE_VOTE):
        blocks.append(
            Text(
                f"Nobody checked {whole(reasons[ONE_VOTE])} of these items ({ONE_VOTE}): only the "
                "primary teacher was asked, or only one teacher has a verdict.",
                "note",
            )
        )
    total = final.get("items")
    rows = tuple(
        (Cell(why), Cell(whole(n)), Cell(_share(n, total)))
        for why, n in sorted(reasons.items(), key=lambda pair: -pair[1])
    )
    title = f"Decisions by reason, policy {policy}" if policy else "Decisions by reason"
    heads = ("items", "share of all")
    blocks.append(Table(title, columns("reason", *heads, numeric=heads), rows))
    return [*blocks, *_weights(final)]


def _by_people(final: Row) -> str:
    """What people decided, and what of it teachers had said otherwise."""
    opened, confirmed, overruled = (
        final.get(f"{what} by people") or 0 for what in ("decided", "confirmed", "overruled")
    )
    torn = final.get("people disagree") or 0
    again = f" On {torn:,} items people contradict each other; they are open." if torn else ""
    if not opened + confirmed + overruled:
        return again
    return (
        f" {opened + confirmed + overruled:,} labels are a person's: on {opened:,} items teachers "
        f"left the verdict open, on {confirmed:,} they had said the same, and on {overruled:,} "
        f"the person overruled them.{again}"
    )


def _weights(final: Row) -> list[Block]:
    """How right each teacher seems to be, and the verdicts that are lost for want of certainty."""
    found: Mapping[str, float] = final.get("accuracies") or {}
    if not found:
        return []
    heads = ["accuracy by Dawid-Skene"]
    accuracy = Table(
        "Weights of the votes",
        columns("teacher", *heads, numeric=heads),
        tuple(
            (Cell(name, tone="strong"), Cell(figure(value), aside="no interval"))
            for name, value in found.items()
        ),
        note="Estimated from the verdicts alone, without labels: too high where all err alike.",
    )
    lost: Mapping[str, int] = final.get("not sure of") or {}
    kept: Mapping[str, int] = final.get("by verdict", {})
    counts = ["label", "not sure enough"]
    return [
        accuracy,
        Table(
            "Labels by most probable verdict",
            columns("verdict", *counts, numeric=counts),
            tuple(
                (Cell(name), Cell(whole(kept.get(name, 0))), Cell(whole(lost.get(name, 0))))
                for name in sorted({*kept, *lost})
            ),
        ),
    ]


def _share(count: object, total: object) -> str:
    if not isinstance(count, int) or not isinstance(total, int) or not total:
        return ""
    return f"{count / total:.0%}"
