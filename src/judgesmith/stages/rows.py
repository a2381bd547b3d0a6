"""Labels -> supervised rows, each item in both orders.

    in   questions/questions.jsonl, responses/responses.jsonl, split/items.jsonl,
         labels/judgments.jsonl, labels/labels.jsonl
    out  rows/sft.jsonl
    run  judgesmith run RECIPE --until rows

Twins (the two orders of one item) have the item's side of the split. Each twin's reply comes from
the teacher's judgment in that very order, so text and verdict cannot part company.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect, require_direction
from judgesmith.judging.render import render_prompt
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Item,
    Judgment,
    Label,
    Question,
    Response,
    SftRow,
    Split,
    index_by_id,
)
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.tasks import load_dialect, load_task

VERSION = 1
OUTPUTS = ("rows/sft.jsonl",)
LEARNING = (Split.TRAIN, Split.DEV)


class Config(Section):
    """`dialect` is how the student will be asked; `labels` whose labels it learns from."""

    dialect: str
    labels: AnnotatorKind = AnnotatorKind.KEY


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return (
        "questions/questions.jsonl",
        "responses/responses.jsonl",
        "split/items.jsonl",
        "labels/judgments.jsonl",
        "labels/labels.jsonl",
    )


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def build_rows(
    item: Item, question: Question, responses: Mapping[str, Response],
    judgments: Iterable[Judgment], dialect: Dialect,
) -> list[SftRow]:  # fmt: skip
    """One row per judgment that has a rationale and a reply, in the order it was made in.

    A judgment made in another dialect is written again in this one: a row's prompt and completion
    are always of one dialect.
    """
    assert item.split is not None
    return [
        SftRow.make(
            source=judgment.source,
            licence=item.licence,
            item_id=item.id,
            order=judgment.order,
            split=item.split,
            dialect=dialect.hash,
            prompt=render_prompt(
                dialect, question, [responses[item.response_ids[p]].text for p in judgment.order]
            ),
            completion=_completion(judgment, dialect),
        )
        for judgment in judgments
        if judgment.reply is not None
        and judgment.rationale is not None
        and isinstance(judgment.verdict, Choice)
    ]


def _completion(judgment: Judgment, dialect: Dialect) -> str:
    if judgment.dialect == dialect.hash:
        return str(judgment.reply)
    assert isinstance(judgment.verdict, Choice)
    return dialect.write_reply(str(judgment.rationale), judgment.verdict.value)


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Build the rows of the training and dev sides."""
    dialect = load_dialect(load_task(run_dir.header.task), config.dialect)
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    items = run_dir.read("split/items.jsonl", Item)
    judgments = index_by_id(run_dir.read("labels/judgments.jsonl", Judgment))
    labels = {
        label.item_id: label
        for label in run_dir.read("labels/labels.jsonl", Label)
        if label.annotator_kind is config.labels
    }
    require_direction(labels.values(), dialect, setting="rows.dialect")
    rows: list[SftRow] = []
    dropped: Counter[str] = Counter()
    with_rows = 0
    for item in items:
        if item.split not in LEARNING:
            dropped["on the test side"] += 1
            continue
        label = labels.get(item.id)
        found = [] if label is None else [judgments[i] for i in label.judgment_ids]
        made = build_rows(item, questions[item.question_id], responses, found, dialect)
        with_rows += bool(made)
        dropped["no label with a reason"] += not made
        rows += made
    if not rows:
        raise DataError(
            f"rows: no training item has a label of kind {config.labels.value!r} with a reason to "
            "learn from. Verdicts by people carry none: learn from the key (rows.labels: key) and "
            "measure against people (evaluate.labels: person)."
        )
    run_dir.write(OUTPUTS[0], rows)
    by_side = Counter(row.split.value for row in rows)
    return StageReport(
        taken=len(items),
        made=with_rows,
        dropped={reason: n for reason, n in dropped.items() if n},
        tables={"rows by side": dict(by_side), "dialect": dialect.name},
    )
