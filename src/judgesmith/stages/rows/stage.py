"""The stage: its settings, and the rows of the training and dev sides."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.dialect import Dialect, require_direction
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    AnnotatorKind,
    Item,
    Judgment,
    Kind,
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
from judgesmith.stages.rows.select import (
    Orders,
    capped,
    chose_rightly,
    evened,
    in_orders,
    without_repeats,
)
from judgesmith.stages.rows.write import build_rows, reference_row
from judgesmith.tasks import Task, key_reference, load_dialect, load_task

VERSION = 3
OUTPUTS = ("rows/sft.jsonl",)
LEARNING = (Split.TRAIN, Split.DEV)


class Config(Section):
    """`dialect` is how the student will be asked; `labels` whose labels it learns from.

    `orders` is for dialects of pairs. "coin_flip" draws one order per item from the seed and the
    item's id; "both" shows the student every pair twice, so that no slot can pay.

    `even` is for dialects of single responses: of training rows whose response chose rightly, and
    of those that chose wrongly, as many are kept of both, drawn by seed. Else a student learns that
    responses are mostly right, and believes them instead of reading.

    `per_question`, for the same dialects, caps the training rows that show responses to one
    question, drawn by seed. It leaves more of the training to other questions, and to answers.
    """

    dialect: str
    labels: AnnotatorKind = AnnotatorKind.KEY
    orders: Orders = "both"
    even: bool = False
    per_question: int | None = Field(None, gt=0)


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


def _require_kind(config: Config, dialect: Dialect) -> None:
    if config.per_question is not None and dialect.kind is not Kind.SINGLE:
        raise RecipeError(
            "rows.per_question: expected a dialect of single responses, found rows.dialect "
            f"{dialect.name!r}: a cap on rows would part the two orders of a pair. Leave it out, "
            "or cap pairs with split.max_train."
        )
    if config.orders != "both" and dialect.kind is not Kind.PAIR:
        raise RecipeError(
            f"rows.orders: expected a dialect of pairs, found {config.orders!r} with rows.dialect "
            f"{dialect.name!r}, which shows each response alone and so has no order. Leave it out, "
            "or choose a dialect of pairs."
        )


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Build the rows of the training and dev sides."""
    task = load_task(run_dir.header.task)
    dialect = load_dialect(task, config.dialect)
    _require_kind(config, dialect)
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
    with_rows = other_order = 0
    for item in items:
        if item.split not in LEARNING:
            dropped["on the test side"] += 1
            continue
        label = labels.get(item.id)
        found = [] if label is None else [judgments[i] for i in label.judgment_ids]
        chosen = in_orders(item, found, config.orders, run_dir.seed)
        other_order += len(found) - len(chosen)
        question = questions[item.question_id]
        reference = key_reference(task, dialect, question) if chosen else None
        made = build_rows(item, question, responses, chosen, dialect, reference)
        with_rows += bool(made)
        dropped["no label with a reason"] += not made
        rows += made
        rows += reference_row(item, question, dialect, reference) if made else []
    if not rows:
        raise DataError(
            f"rows: no training item has a label of kind {config.labels.value!r} with a reason to "
            "learn from. Verdicts by people carry none: learn from the key (rows.labels: key) and "
            "measure against people (evaluate.labels: person)."
        )
    by_id = index_by_id(items)
    kept, left_out = _select(rows, by_id, task, questions, responses, config, run_dir.seed)
    run_dir.write(OUTPUTS[0], kept)
    by_side = Counter(row.split.value for row in kept)
    return StageReport(
        taken=len(items),
        made=with_rows,
        dropped={reason: n for reason, n in dropped.items() if n},
        tables={
            "rows by side": dict(by_side),
            "judgments in an order left out": other_order,
            **left_out,
            "dialect": dialect.name,
        },
    )


def _select(
    rows: Sequence[SftRow], items: Mapping[str, Item], task: Task,
    questions: Mapping[str, Question], responses: Mapping[str, Response], config: Config, seed: int,
) -> tuple[list[SftRow], dict[str, int]]:  # fmt: skip
    """The rows that are kept, and how many are not for which reason."""
    unique = without_repeats(rows)
    few = unique
    if config.per_question is not None:
        few = capped(unique, items, config.per_question, seed)
    even = few
    if config.even:
        right = {r.id: chose_rightly(r, items[r.item_id], task, questions, responses) for r in few}
        even = evened(few, right, seed)
    return even, {
        "examples that another item has too": len(rows) - len(unique),
        "left out over per_question": len(unique) - len(few),
        "left out to be even": len(few) - len(even),
    }
