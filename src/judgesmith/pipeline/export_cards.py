"""The cards of what a run exported, and what else lies beside the weights."""

import shutil
from pathlib import Path

from judgesmith.audits.licence_table import LicenceTable
from judgesmith.inference.abstaining import promises
from judgesmith.inference.calibration import Calibration, Figure
from judgesmith.inference.judge_file import JudgeFile, read_judge_file, write_judge_file
from judgesmith.pipeline.audit_licences import licences_of
from judgesmith.pipeline.export_data import write_dataset
from judgesmith.pipeline.gated import gated_for_others
from judgesmith.report.card import Card, render_card
from judgesmith.report.card_sure import Sureness
from judgesmith.report.document import Document
from judgesmith.report.exports import Exports
from judgesmith.report.licences import LicenceRow, Licences
from judgesmith.report.result_base import Number
from judgesmith.runs.jsonl import write_bytes
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import read_manifest
from judgesmith.runs.recipe import Recipe
from judgesmith.stages.export.stage import OUTPUTS
from judgesmith.tasks import task_of

STAGE = "export"
CARD = "README.md"


def read_exports(run_dir: RunDir) -> Exports | None:
    """What a run's export found; None where there is no finished one."""
    if read_manifest(run_dir.file(STAGE)) is None:
        return None
    return Exports.model_validate_json(run_dir.file(OUTPUTS[0]).read_bytes())


def write_cards(run_dir: RunDir, recipe: Recipe, document: Document) -> None:
    """Write the card of every exported checkpoint, with the recipe and the report beside it."""
    exports = read_exports(run_dir)
    if exports is None:
        return
    licences = _licences(licences_of(run_dir, recipe))
    if exports.dataset:
        write_dataset(run_dir, document, licences)
    for one in exports.exported:
        folder = run_dir.file(STAGE) / one.folder
        if not folder.is_dir():
            continue
        held = _tell_gate(folder, run_dir, recipe)
        card = Card(
            document=document, exported=one, dialect=held.dialect, judge=held.name,
            version=held.version, command=_command(recipe), licences=licences,
            simulated=bool(getattr(recipe.sections.get("responses"), "simulated", ())),
            policy=getattr(recipe.sections.get("labels"), "key_policy", None),
            glossary=dict(task_of(recipe.header).glossary),
            sureness=_sureness(held.calibration), language=_language(recipe),
        )  # fmt: skip
        write_bytes(folder / CARD, render_card(card).encode())
        shutil.copyfile(run_dir.file("recipe.yaml"), folder / "recipe.yaml")
        shutil.copyfile(run_dir.file("report/index.html"), folder / "report.html")


def _tell_gate(folder: Path, run_dir: RunDir, recipe: Recipe) -> JudgeFile:
    """The judge's file with what the run's gate says now; its gate may have run after the export.

    It changes nothing that the judge's version follows from.
    """
    held = read_judge_file(folder)
    gate = gated_for_others(run_dir, recipe, held)
    told = held.telling(rehearsed=recipe.header.rehearsed, gate=gate)
    if told != held:
        write_judge_file(folder, told)
    return told


_ENGLISH = {"bank", "bbq"}
"""Kinds of sources whose questions are known to be English."""


def _language(recipe: Recipe) -> str | None:
    sources = getattr(recipe.sections.get("questions"), "sources", ())
    kinds = {getattr(source, "kind", None) for source in sources}
    return "en" if kinds and kinds <= _ENGLISH else None


def _sureness(found: Calibration | None) -> Sureness | None:
    """What the card says of a calibration."""
    if found is None:
        return None
    on = found.fitted_on

    def number(figure: Figure) -> Number:
        return Number(
            value=figure.value, low=figure.low, high=figure.high,
            n=on.items - on.without_verdict, clusters=None if on.without_verdict else on.questions,
        )  # fmt: skip

    return Sureness(
        what=on.what, kind=on.kind.value, mapped=found.map is not None, labels=on.labels,
        items=on.items, without_verdict=on.without_verdict,
        also_chose=on.also_chose, before=number(found.ece_before), after=number(found.ece_after),
        promises=tuple(promises(found)),
    )  # fmt: skip


def _command(recipe: Recipe) -> str:
    rehearsed = " --rehearse" if recipe.header.rehearsed else ""
    return f"judgesmith run recipe.yaml{rehearsed}"


def _licences(found: LicenceTable | None) -> Licences:
    if found is None:
        return Licences()
    told = found.to_dict()
    rows = tuple(
        LicenceRow(
            file=output.output, terms=tuple(part.title for part in one.parts), records=one.n,
            publish=one.publish.value, train=one.train.value,
        )
        for output in found.outputs
        for one in output.sets
    )  # fmt: skip
    conditions = told["conditions"]
    assert isinstance(conditions, list)
    return Licences(
        rows=rows, judge=tuple(part.title for part in found.student()),
        conditions=tuple(map(str, conditions)),
    )  # fmt: skip
