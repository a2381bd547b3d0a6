"""The labels stage: who labels, and what the audits say of it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from judgesmith.audits import LabelItem, label_findings, label_table
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Choice, Item, Judgment, Label, Question, Response, index_by_id
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.outside import find_outside
from judgesmith.runs.recipe import Section
from judgesmith.sources import LABEL_READERS, Import, import_files, reader
from judgesmith.stages.labels.key import judge_by_key
from judgesmith.stages.labels.people import person_labels
from judgesmith.tasks import load_dialect, load_task

VERSION = 2
OUTPUTS = ("labels/judgments.jsonl", "labels/labels.jsonl")


class Config(Section):
    """`key_policy` names how the answer key decides; null leaves the key out.

    `dialect` fixes what a verdict's letter names.
    """

    dialect: str
    key_policy: str | None = None
    imports: tuple[Import, ...] = ()


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("questions/questions.jsonl", "responses/responses.jsonl", "split/items.jsonl")


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run, by the name the recipe gives them."""
    return import_files(config.imports)


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Label by key and by people, and audit the labels' balance."""
    task = load_task(run_dir.header.task)
    dialect = load_dialect(task, config.dialect)
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    items = run_dir.read("split/items.jsonl", Item)
    judgments: list[Judgment] = []
    labels: list[Label] = []
    if config.key_policy is not None:
        judgments, labels = judge_by_key(
            items, questions, responses, task, policy=config.key_policy, dialect=dialect
        )
    strays = 0
    for source in config.imports:
        rows = reader(LABEL_READERS, source.kind)(find_outside(source.path), questions, responses)
        found, without_item = person_labels(rows, items, dialect.direction)
        labels += found
        strays += without_item
    run_dir.write(OUTPUTS[0], judgments)
    run_dir.write(OUTPUTS[1], labels)
    labelled = {label.item_id for label in labels}
    table = label_table(_audited(labels, items))
    unlabelled = len(items) - len(labelled)
    return StageReport(
        taken=len(items),
        made=len(labelled),
        dropped={"no annotator has a verdict": unlabelled} if unlabelled else {},
        tables={
            "labels by annotator": dict(Counter(label.annotator for label in labels)),
            "imported labels of no item": strays,
            "findings": [finding.to_dict() for finding in label_findings(table)],
        },
    )


def _audited(labels: Sequence[Label], items: Sequence[Item]) -> list[LabelItem]:
    """One label per item for the audit; a person's outweighs the key's."""
    bucket = {item.id: item.bucket for item in items}
    chosen = {label.item_id: label for label in labels}
    return [
        LabelItem(item_id=i, bucket=bucket[i], verdict=label.verdict.value)
        for i, label in chosen.items()
        if isinstance(label.verdict, Choice)
    ]
