"""Which judgments become rows, and which rows are kept, so that nothing but the question pays."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from judgesmith.records import (
    Item,
    Judgment,
    Message,
    Question,
    Response,
    SftRow,
    Split,
    keyed_rng,
)
from judgesmith.tasks import Task

STORED, SWAPPED = (0, 1), (1, 0)

Orders = Literal["stored", "coin_flip", "both"]
"""Which orders of a pair become rows: the stored one, one that is drawn, or both."""


def in_orders(
    item: Item, judgments: Iterable[Judgment], orders: Orders, seed: int
) -> list[Judgment]:
    """The judgments of an item that were made in an order that becomes a row."""
    if orders == "both":
        return list(judgments)
    swap = orders == "coin_flip" and keyed_rng(seed, "order", item.id).random() < 0.5
    wanted = SWAPPED if swap else STORED
    return [judgment for judgment in judgments if judgment.order == wanted]


def without_repeats(rows: Iterable[SftRow]) -> list[SftRow]:
    """Each example of a dialect once on its side: several items may share a response or question.

    Two dialects may share the question that a judge answers first. Each keeps that row: a student
    of one of them must not lose it to the other.
    """
    seen: set[tuple[Split, str, tuple[Message, ...], str]] = set()
    kept = []
    for row in rows:
        example = (row.split, row.dialect, row.prompt, row.completion)
        if example not in seen:
            seen.add(example)
            kept.append(row)
    return kept


def chose_rightly(
    row: SftRow, item: Item, task: Task, questions: Mapping[str, Question],
    responses: Mapping[str, Response],
) -> bool | None:  # fmt: skip
    """Whether the one response of a row chose rightly; None where that is not the question."""
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
