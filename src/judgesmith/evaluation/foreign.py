"""Collected votes as judges, labelled items and slices, in the form that scoring takes."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from judgesmith.evaluation.collect import Collected, Votes
from judgesmith.evaluation.judges import ItemKey, Judge, Read, combine
from judgesmith.evaluation.labels import Labels
from judgesmith.evaluation.scoring import Scored, SliceOfItems
from judgesmith.records import LETTERS, TIE, keyed_rng
from judgesmith.report.results import Role

MOST_PARTS = 40
"""A field with more values than this (an id, say) is not broken down by."""

ONE_ORDER = "judged in one order only"

LONGER = "longer response"


Fields = dict[tuple[tuple[str, str], ...], dict[str, str]]
"""Field values as they repeat over items; a million items share a few of them."""


class Passes(NamedTuple):
    """A judge's first pass in each order."""

    stored: Votes | None
    swapped: Votes | None


def passes(found: Collected, name: str) -> Passes:
    """A judge's pass with the smallest sample number in each order; later ones are repeats."""
    chosen: list[Votes | None] = []
    for swapped in (False, True):
        keys = [key for key in found.passes_of(name) if key.swapped is swapped]
        keys.sort(key=lambda key: key.sample)
        chosen.append(found.votes[keys[0]] if keys else None)
    return Passes(*chosen)


def judge_of(
    found: Collected, name: str, role: Role, positions: Iterable[int], *, tie: str | None
) -> Judge:
    """A judge's verdicts on those of the given items that it judged.

    Where it judged an item in both orders, the two make one verdict (see `combine`); where it
    judged in one order, that verdict counts. An item it never saw is absent, not unparsed.
    """
    both = passes(found, name)
    verdicts: dict[ItemKey, Read] = {}
    for position in positions:
        seen = [votes for votes in both if votes is not None and votes.has(position)]
        if seen:
            verdicts[position] = _read(found, both, seen, position, tie)
    halves = sum(
        not all(votes is not None and votes.has(int(position)) for votes in both)
        for position in verdicts
    )
    in_both = halves < len(verdicts)
    note = _one_order(halves, len(verdicts)) if halves and found.pairs else ""
    return Judge(name, role, order_proof=False, note=note, verdicts=verdicts, both_orders=in_both)


def _one_order(halves: int, judged: int) -> str:
    return ONE_ORDER if halves == judged else f"{halves:,} of {judged:,} items {ONE_ORDER}"


def _read(
    found: Collected, both: Passes, seen: list[Votes], position: int, tie: str | None
) -> Read:
    values = [
        found.verdict(votes, position) if votes is not None and votes.has(position) else None
        for votes in both
    ]
    if len(seen) == 2:
        chances = [votes.chances.get(position) for votes in seen]
        averaged, probability = combine(values[0], values[1], chances[0], chances[1], tie=tie)
        given = [votes.confidences[position] for votes in seen if position in votes.confidences]
        if probability is None and len(given) == 2 and values[0] == values[1]:
            probability = sum(given) / 2
        return _shared_read(values[0], values[1], averaged, probability)
    value = found.verdict(seen[0], position)
    probability = seen[0].confidences.get(position)
    if probability is None and value is not None:
        probability = seen[0].chances.get(position, {}).get(value)
    return _shared_read(values[0], values[1], value, probability)


@lru_cache(maxsize=4_096)
def _shared_read(
    stored: str | None, swapped: str | None, averaged: str | None, probability: float | None
) -> Read:
    """Equal reads are one object: most judges know a few dozen."""
    return Read(stored, swapped, averaged, probability)


def labelled_items(found: Collected, labels: Labels) -> tuple[Scored, ...]:
    """One row for each item that has a verdict as its label."""
    shared: Fields = {}
    return tuple(
        _row(found, position, label, shared) for position, label in labels.verdicts.items()
    )


def unlabelled_items(found: Collected, judges: Iterable[Judge]) -> tuple[Scored, ...]:
    """One row, with an empty label, for each item that any of the judges judged."""
    judged = {int(position) for judge in judges for position in judge.verdicts}
    shared: Fields = {}
    return tuple(_row(found, position, "", shared) for position in sorted(judged))


def _row(found: Collected, position: int, label: str, shared: Fields) -> Scored:
    fields = found.fields[position]
    words = (found.words[2 * position], found.words[2 * position + 1])
    return Scored(
        item_id=position,
        label=label,
        cluster=found.clusters[position],
        words=words if min(words) >= 0 else None,
        fields=shared.setdefault(fields, dict(fields)),
    )


def slices_of(rows: tuple[Scored, ...]) -> list[SliceOfItems]:
    """All items, then one slice for each value of each field that has few values."""
    parts = [SliceOfItems("all", "domain", "all items", rows)]
    kinds = dict.fromkeys(name for row in rows for name in row.fields)
    for kind in kinds:
        by_value: dict[str, list[Scored]] = {}
        for row in rows:
            by_value.setdefault(row.fields.get(kind, "none"), []).append(row)
        if 1 < len(by_value) <= MOST_PARTS:
            parts += [
                SliceOfItems(f"{kind}:{value}", kind, value, tuple(by_value[value]))
                for value in sorted(by_value)
            ]
    return parts


def seen_by(judge: Judge, part: SliceOfItems) -> SliceOfItems:
    """The items of a slice that the judge judged."""
    rows = tuple(row for row in part.items if row.item_id in judge.verdicts)
    return SliceOfItems(part.name, part.kind, part.title, rows)


def baselines(
    found: Collected, rows: tuple[Scored, ...], scale: tuple[str, ...], *, pairs: bool, seed: int
) -> list[Judge]:
    """Rules without judgment: constant, random, and for pairs with known texts the longer one.

    Where both texts are as long, the last says tie; on a scale without one it gives no verdict.
    """
    values = list(scale) or sorted({row.label for row in rows})
    names = found.names
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.label] = counts.get(row.label, 0) + 1
    top = min(counts, key=lambda label: (-counts[label], label))
    reads: dict[str, dict[ItemKey, Read]] = {"constant": {}, "random": {}}
    for row in rows:
        drawn = keyed_rng(seed, "random judge", names[int(row.item_id)]).choice(values)
        reads["constant"][row.item_id] = _same(top)
        reads["random"][row.item_id] = _same(drawn)
    if pairs and rows and all(row.words is not None for row in rows):
        reads[LONGER] = {
            row.item_id: _same(_longer(row.words, scale)) for row in rows if row.words is not None
        }
    notes = {"constant": f"always {top}, the most common label"}
    judges = set(found.judges())
    return [
        Judge(
            f"{name} (rule)" if name in judges else name,
            "baseline",
            order_proof=True,
            note=notes.get(name, ""),
            verdicts=verdicts,
        )
        for name, verdicts in reads.items()
    ]


def _longer(words: tuple[int, int], scale: tuple[str, ...]) -> str | None:
    if words[0] == words[1]:
        return TIE if TIE in scale else None
    return LETTERS[int(words[1] > words[0])]


def _same(value: str | None) -> Read:
    return _shared_read(value, value, value, None)
