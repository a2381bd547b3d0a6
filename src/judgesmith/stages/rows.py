"""Labels -> supervised rows: each pair in both orders or in one, or each response alone.

Where the dialect has the judge answer first, each question gives one more row: its right answer.

    in   questions/questions.jsonl, responses/responses.jsonl, split/items.jsonl,
         labels/judgments.jsonl, labels/labels.jsonl
    out  rows/sft.jsonl
    run  judgesmith run RECIPE --until rows

Twins (the two orders of one item) have the item's side of the split. Each twin's reply comes from
the teacher's judgment in that very order, so text and verdict cannot part company.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.dialect import Dialect, require_direction
from judgesmith.judging.render import render_prompt, render_reference_prompt
from judgesmith.judging.reply import reply_in
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    AnnotatorKind,
    Item,
    Judgment,
    Kind,
    Label,
    Message,
    Question,
    Response,
    SftRow,
    Split,
    index_by_id,
    keyed_rng,
)
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.tasks import Task, key_reference, load_dialect, load_task

VERSION = 3
OUTPUTS = ("rows/sft.jsonl",)
LEARNING = (Split.TRAIN, Split.DEV)
STORED, SWAPPED = (0, 1), (1, 0)

Orders = Literal["stored", "coin_flip", "both"]
"""Which orders of a pair become rows: the stored one, one that is drawn, or both."""


class Config(Section):
    """`dialect` is how the student will be asked; `labels` whose labels it learns from.

    `orders` is for dialects of pairs. "coin_flip" draws one order per item from the seed and the
    item's id; "both" shows the student every pair twice, so that no slot can pay.

    `even` is for dialects of single responses: of training rows whose response chose rightly, and
    of those that chose wrongly, as many are kept of both, drawn by seed. Else a student learns that
    responses are mostly right, and believes them instead of reading.

    `per_question` caps the training rows that show responses to one question, drawn by seed. It
    leaves more of the training to other questions, and to answering them.
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


def in_orders(
    item: Item, judgments: Iterable[Judgment], orders: Orders, seed: int
) -> list[Judgment]:
    """The judgments of an item that were made in an order that becomes a row."""
    if orders == "both":
        return list(judgments)
    swap = orders == "coin_flip" and keyed_rng(seed, "order", item.id).random() < 0.5
    wanted = SWAPPED if swap else STORED
    return [judgment for judgment in judgments if judgment.order == wanted]


def build_rows(
    item: Item, question: Question, responses: Mapping[str, Response],
    judgments: Iterable[Judgment], dialect: Dialect, reference: str | None = None,
) -> list[SftRow]:  # fmt: skip
    """One row per judgment that has a rationale and a reply, in the order it was made in.

    A judgment made in another dialect is written again in this one: a row's prompt and completion
    are always of one dialect. `reference` is what the judge is to have answered before.
    """
    assert item.split is not None
    rows = []
    for judgment in judgments:
        reply = reply_in(dialect, judgment)
        if reply is None:
            continue
        texts = [responses[item.response_ids[position]].text for position in judgment.order]
        rows.append(
            SftRow.make(
                source=judgment.source,
                licence=item.licence,
                item_id=item.id,
                order=judgment.order,
                split=item.split,
                dialect=dialect.hash,
                prompt=render_prompt(dialect, question, texts, reference),
                completion=reply,
            )
        )
    return rows


def reference_row(
    item: Item, question: Question, dialect: Dialect, reference: str | None
) -> list[SftRow]:
    """The row from which a judge learns to answer the question itself; it shows no response."""
    prompt = render_reference_prompt(dialect, question)
    if prompt is None or reference is None:
        return []
    assert item.split is not None
    return [
        SftRow.make(
            source="answer key",
            licence=question.licence,
            item_id=item.id,
            order=(),
            split=item.split,
            dialect=dialect.hash,
            prompt=prompt,
            completion=reference,
        )
    ]


def without_repeats(rows: Iterable[SftRow]) -> list[SftRow]:
    """Each example once on its side: where responses are judged alone, several items share one."""
    seen: set[tuple[Split, tuple[Message, ...], str]] = set()
    kept = []
    for row in rows:
        example = (row.split, row.prompt, row.completion)
        if example not in seen:
            seen.add(example)
            kept.append(row)
    return kept


def _require_pairs(config: Config, dialect: Dialect) -> None:
    if config.orders != "both" and dialect.kind is not Kind.PAIR:
        raise RecipeError(
            f"rows.orders: expected a dialect of pairs, found {config.orders!r} with rows.dialect "
            f"{dialect.name!r}, which shows each response alone and so has no order. Leave it out, "
            "or choose a dialect of pairs."
        )


def _right(
    row: SftRow, item: Item, task: Task, questions: Mapping[str, Question],
    responses: Mapping[str, Response],
) -> bool | None:  # fmt: skip
    if len(row.order) != 1:
        return None
    response = responses[item.response_ids[row.order[0]]]
    return task.right_choice(questions[item.question_id], response)


def evened(rows: Sequence[SftRow], right: Mapping[str, bool | None], seed: int) -> list[SftRow]:
    """Training rows with as many right choices as wrong ones; others and dev rows stay as they are.

    `right` says of a row's id whether its response chose rightly; None is neither.
    """
    sides = {
        side: sorted(
            (row.id for row in rows if row.split is Split.TRAIN and right[row.id] is side),
            key=lambda row_id: keyed_rng(seed, "even", row_id).random(),
        )
        for side in (True, False)
    }
    fewest = min(map(len, sides.values()))
    left_out = {row_id for found in sides.values() for row_id in found[fewest:]}
    return [row for row in rows if row.id not in left_out]


def capped(rows: Sequence[SftRow], items: Mapping[str, Item], most: int, seed: int) -> list[SftRow]:
    """Training rows with at most `most` per question that show responses, drawn by seed."""
    by_question: dict[str, list[SftRow]] = defaultdict(list)
    for row in rows:
        if row.split is Split.TRAIN and row.order:
            by_question[items[row.item_id].question_id].append(row)
    left_out: set[str] = set()
    for found in by_question.values():
        found.sort(key=lambda row: keyed_rng(seed, "per question", row.id).random())
        left_out |= {row.id for row in found[most:]}
    return [row for row in rows if row.id not in left_out]


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Build the rows of the training and dev sides."""
    task = load_task(run_dir.header.task)
    dialect = load_dialect(task, config.dialect)
    _require_pairs(config, dialect)
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
        reference = key_reference(task, dialect, question)
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
    unique = without_repeats(rows)
    by_id = index_by_id(items)
    kept = unique
    if config.per_question is not None:
        kept = capped(unique, by_id, config.per_question, run_dir.seed)
    fewer = len(kept)
    if config.even:
        right = {
            row.id: _right(row, by_id[row.item_id], task, questions, responses) for row in kept
        }
        kept = evened(kept, right, run_dir.seed)
    run_dir.write(OUTPUTS[0], kept)
    by_side = Counter(row.split.value for row in kept)
    return StageReport(
        taken=len(items),
        made=with_rows,
        dropped={reason: n for reason, n in dropped.items() if n},
        tables={
            "rows by side": dict(by_side),
            "judgments in an order left out": other_order,
            "examples that another item has too": len(rows) - len(unique),
            "left out over per_question": len(unique) - fewer,
            "left out to be even": fewer - len(kept),
            "dialect": dialect.name,
        },
    )
