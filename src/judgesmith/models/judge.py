"""Ask a model to judge items, and read its replies: the one place where both ends meet."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.frame import bare_frame, closing
from judgesmith.judging.parse import Reading, parse_reply
from judgesmith.judging.render import render_prompt
from judgesmith.models.own_reference import OwnReferences, together
from judgesmith.models.protocol import Completion, Mode, Model, Request, Sampling, Wanted
from judgesmith.records import (
    Item,
    Judgment,
    Kind,
    Question,
    Response,
    Scores,
    Status,
)

PLACES = 6
"""Decimals kept of a probability, so that records do not differ in the last bits of a sum."""


class Shown(NamedTuple):
    """An item in one order; `order[p]` is the item position of the response at position p."""

    item: Item
    order: tuple[int, ...]


def both_orders(items: Iterable[Item]) -> list[Shown]:
    """Every item in its stored order and reversed, side by side; a pair is then swapped."""
    return [Shown(item, order) for item in items for order in _orders(len(item.response_ids))]


def _orders(count: int) -> list[tuple[int, ...]]:
    stored = tuple(range(count))
    return [stored, stored[::-1]] if count > 1 else [stored]


def showings(items: Iterable[Item], dialect: Dialect) -> list[Shown]:
    """The orders in which a judge of this dialect is to be asked about each item.

    A dialect for pairs sees both orders, one for lists the stored order and its reverse. One for
    single responses scores each response by itself, so that no order exists: it is asked once.
    """
    if dialect.kind is Kind.SINGLE:
        return [Shown(item, tuple(range(len(item.response_ids)))) for item in items]
    return both_orders(items)


def judge(
    model: Model, shown: Sequence[Shown], questions: Mapping[str, Question],
    responses: Mapping[str, Response], *, dialect: Dialect, max_tokens: int,
    mode: Mode = "rationale",
) -> Iterator[tuple[Judgment, Completion]]:  # fmt: skip
    """One judgment per item and order, in the order given, with the completion it came from.

    In a dialect for single responses each response of an item is asked about by itself; the
    judgment then holds one score per response, and the completion all the replies, line by line.

    In a dialect with a reference the model is first asked for its own, once per question, so that
    every response to a question is held against the same one. Where it gives none (the prompt is
    too long, it refuses, the call fails, the reply is empty) nothing more is asked about that
    question. Its tokens and cost are in the completion of the first judgment that rests on it.

    In fast mode the model writes no reason: it is given its reply up to the verdict, and the chance
    of each verdict is read out. Its own reference it still writes.

    Raises ValueError where the model gives fewer or more completions than it was asked for, and
    DataError where several responses are to be scored in a dialect that has no scores, and where
    fast mode is asked of a dialect or model that has none.
    """
    if mode == "fast":
        _require_fast(model)
    sampling = Sampling(temperature=0.0, max_tokens=max_tokens)
    asked_about = (questions[entry.item.question_id] for entry in shown)
    own = OwnReferences(model, asked_about, dialect, sampling)
    asked = [entry for entry in shown if not own.missing(entry.item.question_id)]
    requests = requests_about(
        asked, questions, responses, dialect=dialect, sampling=sampling, own=own.text, mode=mode
    )
    answered = zip(requests, model.complete(requests), strict=True)
    for entry in shown:
        question_id = entry.item.question_id
        found = own.missing(question_id) or [
            completion for _, completion in islice(answered, len(shown_at_once(entry, dialect)))
        ]
        judgment = _judgment(
            entry, model.name, dialect, questions[question_id], found, own.text(question_id)
        )
        yield judgment, together(found, own.to_pay(question_id))
    next(answered, None)  # raises where there is a completion too many


def requests_about(
    shown: Iterable[Shown], questions: Mapping[str, Question], responses: Mapping[str, Response],
    *, dialect: Dialect, sampling: Sampling, own: Callable[[str], str | None] = lambda _: None,
    mode: Mode = "rationale",
) -> list[Request]:  # fmt: skip
    """What a model is asked about items; `own` gives its own answer to a question, by id."""
    read_out = _read_out(dialect, mode)
    return [
        Request(
            record_id=_asked_about(entry.item, part),
            messages=render_prompt(
                dialect,
                questions[entry.item.question_id],
                [responses[entry.item.response_ids[p]].text for p in part],
                own(entry.item.question_id),
            ),
            sampling=sampling,
            wanted=read_out.wanted(len(part)),
            forced=read_out.forced,
        )
        for entry in shown
        for part in shown_at_once(entry, dialect)
    ]


class _ReadOut(NamedTuple):
    """What is read out of a reply of one verdict, and what of the reply is given."""

    dialect: Dialect
    one: Wanted | None
    forced: str | None

    def wanted(self, responses: int) -> Wanted | None:
        """None for several scores.

        Each follows from those before it, so no prefix of the reply gives the chances of all.
        """
        several = self.dialect.by_criterion or len(self.dialect.slots(responses)) > 1
        return None if several else self.one


def _read_out(dialect: Dialect, mode: Mode) -> _ReadOut:
    """Where a reason is written, nothing is read out of a verdict that no text opens."""
    after = dialect.verdict_opening
    if mode == "fast":
        frame = bare_frame(dialect)
        one = Wanted(after=after, options=frame.options, closing=frame.closing)
        return _ReadOut(dialect, one, frame.opening)
    if not after:
        return _ReadOut(dialect, None, None)
    options = tuple(dialect.wording.of.values())
    return _ReadOut(dialect, Wanted(after=after, options=options, closing=closing(dialect)), None)


def _require_fast(model: Model) -> None:
    if not getattr(model, "takes_forced", False):
        raise DataError(
            f"mode fast: expected a model that can be given the beginning of its reply, found "
            f"{model.name!r}, which can not. Judge with reasons (mode: rationale), or with a local "
            "student."
        )


def shown_at_once(entry: Shown, dialect: Dialect) -> list[tuple[int, ...]]:
    """What is asked about at once, one request each: the whole item, or each response by itself."""
    if dialect.kind is not Kind.SINGLE:
        if dialect.kind is Kind.PAIR and len(entry.order) != 2:
            raise DataError(
                f"dialect {dialect.name!r} is for pairs: expected two responses to show, found "
                f"{len(entry.order)} in item {entry.item.id}. Take a dialect of kind "
                f"{'single' if len(entry.order) == 1 else 'list'}."
            )
        return [entry.order]
    if dialect.scale.choices is not None and len(entry.order) > 1:
        raise DataError(
            f"dialect {dialect.name!r}: expected a scale from `low` to `high` to score each of "
            f"{len(entry.order)} responses alone, found the choices {dialect.scale.choices!r}."
        )
    return [(position,) for position in entry.order]


def _asked_about(item: Item, part: tuple[int, ...]) -> str:
    """The record that a request is about: the item, or the one of its responses that is shown."""
    return item.id if len(part) == len(item.response_ids) else item.response_ids[part[0]]


def read_completion(
    dialect: Dialect, completion: Completion, responses: int | None = None,
    criteria: tuple[str, ...] | None = None,
) -> Reading:  # fmt: skip
    """What a completion says; a prompt that did not fit is `too_long`, not a failed parse."""
    if completion.too_long:
        return Reading(Status.TOO_LONG, None, None)
    return parse_reply(dialect, completion.text, completion.finish, responses, criteria)


def _judgment(
    entry: Shown, judge_name: str, dialect: Dialect, question: Question,
    completions: Sequence[Completion], reference: str | None,
) -> Judgment:  # fmt: skip
    count = 1 if dialect.kind is Kind.SINGLE else len(entry.order)
    criteria = dialect.criteria_for(question)
    readings = [read_completion(dialect, found, count, criteria) for found in completions]
    reading = readings[0] if len(readings) == 1 else _joined(readings)
    asked = not any(completion.too_long for completion in completions)
    return Judgment.make(
        source=f"model {judge_name}",
        licence=entry.item.licence,
        item_id=entry.item.id,
        judge=judge_name,
        dialect=dialect.hash,
        order=entry.order,
        sample=0,
        reply="\n".join(completion.text for completion in completions) if asked else None,
        rationale=reading.rationale,
        verdict=reading.verdict,
        distribution=_distribution(reading, completions, dialect, len(entry.order)),
        status=reading.status,
        reference=reference,
    )


def _joined(readings: Sequence[Reading]) -> Reading:
    """The scores of several responses as one verdict; one that is unread leaves none.

    The rationale has one line per response, empty where a reply has none.
    """
    lines = [" ".join((reading.rationale or "").split()) for reading in readings]
    rationale = "\n".join(lines) if any(lines) else None
    found = [reading.verdict for reading in readings if isinstance(reading.verdict, Scores)]
    if len(found) == len(readings):
        scores = Scores(
            kind="scores",
            values=tuple(one.values[0] for one in found),
            criteria=_joined_criteria(found),
        )
        return Reading(Status.PARSED, scores, rationale)
    unread = next(reading.status for reading in readings if reading.verdict is None)
    return Reading(unread, None, rationale)


def _joined_criteria(found: Sequence[Scores]) -> dict[str, tuple[float, ...]] | None:
    """The scores by criterion of responses that were asked about one by one."""
    by_response = [one.criteria for one in found if one.criteria is not None]
    if len(by_response) < len(found):
        return None
    return {name: tuple(each[name][0] for each in by_response) for name in by_response[0]}


def _distribution(
    reading: Reading, completions: Sequence[Completion], dialect: Dialect, responses: int
) -> dict[str, dict[str, float]] | None:
    """The probabilities of each slot of the verdict; None unless there are some for every slot."""
    chances = [c.probabilities for c in completions if c.probabilities is not None]
    slots = dialect.slots(responses)
    if reading.verdict is None or not chances or len(chances) != len(slots):
        return None
    value_of = {words: value for value, words in dialect.wording.of.items()}
    return {
        slot: {value_of[words]: round(p, PLACES) for words, p in found.items()}
        for slot, found in zip(slots, chances, strict=True)
    }
