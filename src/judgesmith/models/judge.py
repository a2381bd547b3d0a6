"""Ask a model to judge items, and read its replies: the one place where both ends meet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import Reading, parse_reply
from judgesmith.judging.render import render_prompt
from judgesmith.models.protocol import Completion, Model, Request, Sampling, Wanted
from judgesmith.records import Item, Judgment, Question, Response, Status

PLACES = 6
"""Decimals kept of a probability, so that records do not differ in the last bits of a sum."""


class Shown(NamedTuple):
    """An item in one order; `order[p]` is the item position of the response at position p."""

    item: Item
    order: tuple[int, ...]


def both_orders(items: Iterable[Item]) -> list[Shown]:
    """Every pair in its stored order and swapped, side by side."""
    return [Shown(item, order) for item in items for order in ((0, 1), (1, 0))]


def judge(
    model: Model, shown: Sequence[Shown], questions: Mapping[str, Question],
    responses: Mapping[str, Response], *, dialect: Dialect, max_tokens: int,
) -> Iterator[tuple[Judgment, Completion]]:  # fmt: skip
    """One judgment per item and order, in the order given, with the completion it came from."""
    wanted = Wanted(after=dialect.verdict_opening, options=dialect.scale.values)
    requests = [
        Request(
            record_id=entry.item.id,
            messages=render_prompt(
                dialect,
                questions[entry.item.question_id],
                [responses[entry.item.response_ids[p]].text for p in entry.order],
            ),
            sampling=Sampling(temperature=0.0, max_tokens=max_tokens),
            wanted=wanted,
        )
        for entry in shown
    ]
    for entry, completion in zip(shown, model.complete(requests), strict=True):
        reading = read_completion(dialect, completion)
        yield _judgment(entry, model.name, dialect, completion, reading), completion


def read_completion(dialect: Dialect, completion: Completion) -> Reading:
    """What a completion says; a prompt that did not fit is `too_long`, not a failed parse."""
    if completion.too_long:
        return Reading(Status.TOO_LONG, None, None)
    return parse_reply(dialect, completion.text, completion.finish)


def _judgment(
    entry: Shown, judge_name: str, dialect: Dialect, completion: Completion, reading: Reading
) -> Judgment:
    chances = completion.probabilities if reading.verdict is not None else None
    distribution = None
    if chances is not None:
        distribution = {"verdict": {value: round(p, PLACES) for value, p in chances.items()}}
    return Judgment.make(
        source=f"model {judge_name}",
        licence=entry.item.licence,
        item_id=entry.item.id,
        judge=judge_name,
        dialect=dialect.hash,
        order=entry.order,
        sample=0,
        reply=None if completion.too_long else completion.text,
        rationale=reading.rationale,
        verdict=reading.verdict,
        distribution=distribution,
        status=reading.status,
    )
