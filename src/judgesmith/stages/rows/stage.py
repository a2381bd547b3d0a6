"""The stage: its settings, and the rows of the training and dev sides."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field

from judgesmith.errors import DataError, RecipeError
from judgesmith.evaluation.final_label import why_no_reason
from judgesmith.evaluation.learnt import learnt_labels
from judgesmith.judging.dialect import Dialect, require_direction
from judgesmith.models.origins import Origins
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
from judgesmith.runs.endpoint import model_terms
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
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

    A row is learnt from a judgment that says the label's verdict: of a teacher (`labels: model`, or
    `simulated`) there may be one in one order only, or none. Where a person decided an item by the
    policy `person`, that verdict is learnt with the reasons of the teachers that say the same. A
    dialect that asks the judge for its own answer first gets that of the teacher, else the key's.

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

    def rehearsed(self, rates: Rates) -> Self:
        """Labels by simulated teachers in place of real ones."""
        return self.model_copy(update={"labels": self.labels.rehearsed})


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
    everyone = run_dir.read("labels/labels.jsonl", Label)
    labels = learnt_labels(everyone, config.labels)
    require_direction(labels.values(), dialect, setting="rows.dialect")
    rows: list[SftRow] = []
    dropped: Counter[str] = Counter()
    with_rows = other_order = with_tags = 0
    for item in items:
        if item.split not in LEARNING:
            dropped["on the test side"] += 1
            continue
        label = labels.get(item.id)
        found = [] if label is None else [judgments[i] for i in label.judgment_ids]
        chosen = in_orders(item, found, config.orders, run_dir.seed)
        other_order += len(found) - len(chosen)
        sayable = [one for one in chosen if can_be_written(dialect, one)]
        with_tags += len(chosen) - len(sayable)
        made = _rows(item, questions[item.question_id], responses, sayable, dialect, task)
        with_rows += bool(made)
        dropped[why_no_reason(label)] += not made
        rows += made
    if not rows:
        kinds = ", ".join(sorted({label.annotator_kind.value for label in everyone})) or "none"
        raise DataError(
            f"rows: no training item has a label of kind {config.labels.value!r} with a reason to "
            f"learn from; labels are of kind: {kinds}. Verdicts by people carry no reasons: learn "
            "from the key or from teachers (rows.labels), and measure against people "
            "(evaluate.labels: person)."
        )
    by_id = index_by_id(items)
    origins = Origins(questions, responses, model_terms(run_dir.header.models))
    rows = origins.licensed(rows, by_id, labels, judgments.values())
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
            "judgments whose reason holds a tag": with_tags,
            **left_out,
            "dialect": dialect.name,
        },
    )


def _rows(
    item: Item, question: Question, responses: Mapping[str, Response],
    judgments: Sequence[Judgment], dialect: Dialect, task: Task,
) -> list[SftRow]:  # fmt: skip
    """The rows of an item's judgments, and the one with the answer that the judge gives first."""
    if not judgments:
        return []
    first = dialect.answers_first(question)
    own = next((one.reference for one in judgments if one.reference is not None), None)
    told = own if first and own is not None else key_reference(task, dialect, question)
    rows = [
        row
        for one in judgments
        for row in build_rows(
            item, question, responses, [one], dialect, (one.reference if first else None) or told
        )
    ]
    answer = reference_row(item, question, dialect, told) if rows else []
    if told == own:
        answer = [row.with_fields(source=rows[0].source) for row in answer]
    return rows + answer


def can_be_written(dialect: Dialect, judgment: Judgment) -> bool:
    """Whether the judgment's reason can stand in a reply of the dialect.

    A teacher may quote a response that holds a tag: written in another dialect than it was said in,
    such a reply could not be read back.
    """
    if judgment.dialect == dialect.hash or judgment.rationale is None:
        return True
    tags = (dialect.rationale_tag, dialect.verdict_tag)
    return not any(
        f"<{tag}>" in judgment.rationale or f"</{tag}>" in judgment.rationale for tag in tags
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
