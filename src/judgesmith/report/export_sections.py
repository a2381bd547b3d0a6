"""What an export made, on the page of its run: forms, sizes, parity, and what was refused."""

from collections.abc import Iterator

from judgesmith.report.blocks import Banner, Block, Section, Text
from judgesmith.report.export_tables import gguf_table, parity_table, stored
from judgesmith.report.exports import Exported, Exports

_OUTCOMES = {
    "pass": "Every form that was checked is the judge that was measured, within what may be lost.",
    "inconclusive": "There are too few dev items to tell of every form that it loses too little. "
    "More of them narrow the bound (split.max_dev, export.items).",
    "fail": "A form is not the judge that was measured, or loses too much.",
}


def export_section(found: Exports | None) -> Section:
    """Every exported checkpoint; there is no section where nothing was exported."""
    return Section("exports", "Exports", () if found is None else tuple(_blocks(found)))


def _blocks(found: Exports) -> Iterator[Block]:
    if found.stale is not None:
        told = f"The run has changed since this export ({found.stale}): export it again."
        yield Text(told, "warning")
    if found.outcome is None:
        yield Banner("Exports: not checked", "No form was held against the judge.", "none")
    else:
        yield Banner(f"Exports: {found.outcome}", _OUTCOMES[found.outcome], found.outcome)
    for one in found.exported:
        yield from _of_checkpoint(one)
    if found.dataset:
        yield Text("The data of the run lie in export/dataset, with their card.", "note")


def _of_checkpoint(one: Exported) -> Iterator[Block]:
    yield Text(
        f"The checkpoint {one.student}, {stored(one)}, in the dialect {one.dialect}. It lies in "
        f"export/{one.folder}, with its card (README.md)."
    )
    if one.parity:
        yield parity_table(one)
    if one.gguf:
        yield gguf_table(one)
    for file in one.gguf:
        if file.refused is not None:
            yield Text(f"Refused, and deleted: {file.file}: {file.refused}.", "warning")
    for form, why in one.not_measured.items():
        yield Text(f"{form}: not checked: {why}.", "warning")
