"""Encoded rows in the order in which a student sees them, fixed before training starts.

Batches hold rows of similar length, so little is spent on padding. What a row looks like in a pass
is drawn from the seed, the pass and the row's id, so a resumed training sees the same rows.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count, islice
from typing import Any, NamedTuple

from judgesmith.errors import RecipeError
from judgesmith.records import keyed_rng

RARE = 0.03
"""A token is rare when fewer than this share of the rows hold it: names and topics, no phrases."""
_BLOCK = 32


NO_LOSS = -100


class Lesson(NamedTuple):
    """One row as token ids. Loss falls on the reply, and on the prompt tokens `read` if any."""

    row_id: str
    prompt: list[int]
    reply: list[int]
    read: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        """Tokens of prompt and reply together."""
        return len(self.prompt) + len(self.reply)

    def fields(self) -> dict[str, list[int]]:
        """As a trainer takes it; a label of -100 carries no loss."""
        labels = [NO_LOSS] * len(self.prompt) + self.reply
        for place in self.read:
            labels[place] = self.prompt[place]
        return {"input_ids": self.prompt + self.reply, "labels": labels}


ACCUMULATION = "gradient_accumulation_steps"


def steps_of(
    epochs: float, rows: int, batch: int, trl: Mapping[str, Any], processes: int = 1
) -> int:
    """Optimizer steps in which every row is seen `epochs` times, rounded up.

    A step takes `batch` rows times the accumulation that `trl` asks for, in each process.

    >>> steps_of(3, 100, 4, {}), steps_of(1, 100, 4, {"gradient_accumulation_steps": 8})
    (75, 4)
    >>> steps_of(3, 100, 4, {}, processes=2)
    38
    """
    each = batch * _accumulated(trl) * processes
    return max(1, math.ceil(epochs * rows / each))


def lightly(trl: Mapping[str, Any]) -> dict[str, Any]:
    """The options for a rehearsal: the same, with two batches to a step at most."""
    if ACCUMULATION not in trl:
        return dict(trl)
    return {**trl, ACCUMULATION: min(2, _accumulated(trl))}


def _accumulated(trl: Mapping[str, Any]) -> int:
    """Batches to a step; RecipeError for what is no number of them."""
    given = trl.get(ACCUMULATION, 1)
    if type(given) is not int or given < 1:
        raise RecipeError(f"trl.{ACCUMULATION}: expected a whole number from 1, found {given!r}.")
    return given


class Plan(NamedTuple):
    """How many rows are seen, in batches of what size, and how they are varied.

    `renaming` is the share of rows whose rare words are renamed, but for the tokens of `keep`;
    `reading` the share of prompt tokens that carry loss too. `grouped` batches hold rows of similar
    length; others come as they were drawn.
    """

    rows: int
    batch: int
    seed: int
    renaming: float = 0.0
    reading: float = 0.0
    keep: frozenset[int] = frozenset()
    grouped: bool = True


def schedule(lessons: Sequence[Lesson], plan: Plan) -> Iterator[Lesson]:
    """Rows in training order, pass after pass, until `plan.rows` are given."""
    rare = rare_tokens(lessons, plan.keep) if plan.renaming else []
    endless = chain.from_iterable(_one_pass(lessons, plan, rare, n) for n in count())
    seen = islice(endless, plan.rows)
    if not plan.grouped:
        yield from seen
        return
    block_rows = _BLOCK * plan.batch
    for number in count():
        block = sorted(islice(seen, block_rows), key=lambda lesson: lesson.length)
        if not block:
            return
        batches = [block[i : i + plan.batch] for i in range(0, len(block), plan.batch)]
        whole = [batch for batch in batches if len(batch) == plan.batch]
        keyed_rng(plan.seed, "batches", number).shuffle(whole)
        yield from chain.from_iterable(whole)
        yield from chain.from_iterable(batch for batch in batches if len(batch) < plan.batch)


def _one_pass(
    lessons: Sequence[Lesson], plan: Plan, rare: Sequence[int], number: int
) -> Iterator[Lesson]:
    order = list(range(len(lessons)))
    keyed_rng(plan.seed, "pass", number).shuffle(order)
    is_rare = frozenset(rare)
    for i in order:
        lesson = lessons[i]
        draw = keyed_rng(plan.seed, "variation", number, lesson.row_id)
        if rare and draw.random() < plan.renaming:
            found = sorted(is_rare.intersection(lesson.prompt + lesson.reply))
            lesson = rename(lesson, dict(zip(found, draw.sample(rare, len(found)), strict=True)))
        if plan.reading:
            places = range(1, len(lesson.prompt))
            lesson = lesson._replace(
                read=tuple(place for place in places if draw.random() < plan.reading)
            )
        yield lesson


def rename(lesson: Lesson, names: Mapping[int, int]) -> Lesson:
    """The row with tokens replaced throughout, in prompt and reply alike.

    >>> rename(Lesson("r", [7, 8, 7], [7, 9]), {7: 5})
    Lesson(row_id='r', prompt=[5, 8, 5], reply=[5, 9], read=())
    """
    return Lesson(
        lesson.row_id,
        [names.get(token, token) for token in lesson.prompt],
        [names.get(token, token) for token in lesson.reply],
    )


def rare_tokens(lessons: Sequence[Lesson], keep: frozenset[int] = frozenset()) -> list[int]:
    """Tokens that fewer than `RARE` of the rows hold, sorted; never those of `keep`."""
    holders = Counter(chain.from_iterable({*row.prompt, *row.reply} for row in lessons))
    most = RARE * len(lessons)
    return sorted(token for token, n in holders.items() if n < most and token not in keep)
