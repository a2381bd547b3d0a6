"""Augmentations of judgments: pure functions of a record, a seed and, for some, an epoch.

Nothing is changed in place. A swapped judgment is a new record in which the order, the scores or
the letter, and the names in the reason are all turned together, or it is None. What is drawn is
drawn from a record's id, so that neither order nor sharding nor the number of workers matters.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.prompt_names import nouns_of
from judgesmith.judging.render import render_prompt
from judgesmith.judging.slot_names import swap_names
from judgesmith.records import (
    Judgment,
    Question,
    SftRow,
    keyed_rng,
    reorder,
)

Swap = Literal["none", "coin_flip", "both"]
"""Whether a pair is also shown in the other order: never, instead by a coin, or besides."""

SWAPPED = (1, 0)

_REFERENCE = re.compile(
    r"\b(?:the|provided|given|model|ideal)\s+references?\b|\breference\s+(?:answer|response|solution|"
    r"output|text|translation|summary)",
    re.IGNORECASE,
)


def swap(judgment: Judgment, dialect: Dialect) -> Judgment | None:
    """The judgment of a pair as it would be with the responses in the other order.

    Order, verdict and the names of the slots in the reason are turned together, and the reply is
    written anew in `dialect`. Swapping twice gives the first one back, reply and all where it was
    written in this dialect.

    None where there is nothing to turn (no pair, no verdict, or no reason where the dialect's reply
    holds one), where the reason points at a response in a way that cannot be renamed
    (`swap_names`), and where no reply of the dialect can hold it.
    """
    if len(judgment.order) != 2 or judgment.verdict is None:
        return None
    if judgment.rationale is None and dialect.reply.has_rationale:
        return None
    rationale = swap_names(judgment.rationale or "", nouns_of(dialect))
    if rationale is None:
        return None
    verdict = reorder(judgment.verdict, SWAPPED)
    try:
        reply = dialect.write_reply(rationale, verdict)
    except ValueError:
        return None
    return Judgment.make(
        **{
            **judgment.model_dump(exclude={"id", "verdict"}),
            "order": judgment.order[::-1],
            "dialect": dialect.hash,
            "rationale": None if judgment.rationale is None else rationale.strip(),
            "verdict": verdict,
            "reply": reply,
            "distribution": judgment.distribution and _turned(judgment.distribution),
        }
    )


def _turned(shown: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Probabilities of the swapped pair: letters, and the slots of scores, exchanged."""
    letters, places = {"A": "B", "B": "A"}, {"1": "2", "2": "1"}
    found = {}
    for slot, chances in shown.items():
        place, cut, name = slot.partition("/")
        turned = {letters.get(value, value): p for value, p in chances.items()}
        found[places.get(place, place) + cut + name] = (
            turned if slot == "verdict" else dict(chances)
        )
    return found


def is_swapped(record_id: str, seed: int, epoch: int = 0) -> bool:
    """Whether a coin says to show the other order; a coin for each record, seed and epoch.

    >>> [is_swapped("x", 7, epoch) for epoch in range(6)] == [is_swapped("x", 7, e) for e in
    ...     range(6)]
    True
    """
    return keyed_rng(seed, "swap", record_id, epoch).random() < 0.5


def epoch_rows(rows: Iterable[SftRow], seed: int, epoch: int) -> list[SftRow]:
    """The rows of one epoch, of rows made with both orders: of two twins the one that a coin names.

    Rows without a twin stay. A row is never changed: its prompt, its scores and its verdict were
    made together, and in every epoch one of the two is taken whole. The coin is the item's, so
    that any worker who holds both twins takes the same one.
    """
    twins: dict[tuple[str, str, bool], list[SftRow]] = {}
    listed = list(rows)
    for row in listed:
        twins.setdefault((row.item_id, row.dialect, len(row.order) == 2), []).append(row)
    kept: set[str] = set()
    for (item_id, dialect, pair), found in twins.items():
        orders = {row.order for row in found}
        both = pair and len(orders) == 2
        wanted = SWAPPED if is_swapped(f"{item_id}/{dialect}", seed, epoch) else SWAPPED[::-1]
        kept |= {row.id for row in found if not both or row.order == wanted}
    return [row for row in listed if row.id in kept]


def drops_reference(item_id: str, seed: int, rate: float) -> bool:
    """Whether an item is shown without its reference: true for a share `rate` of all items.

    >>> sum(drops_reference(str(i), 7, 0.9) for i in range(1000)) > 800
    True
    >>> drops_reference("x", 7, 0.0), drops_reference("x", 7, 1.0)
    (False, True)
    """
    return keyed_rng(seed, "reference drop", item_id).random() < rate


def speaks_of_reference(rationale: str) -> bool:
    """Whether a reason speaks of a reference, which a judge that is shown none cannot do.

    >>> speaks_of_reference("Unlike the reference answer, it gives no date.")
    True
    >>> speaks_of_reference("It makes a reference to Hamlet.")
    False
    """
    return _REFERENCE.search(rationale) is not None


@dataclass(frozen=True, slots=True)
class Meant:
    """What a row should say: its item's texts in item order, and the judgments given of them.

    `reference` is what the judge is to have answered before it judges, where it is asked to.
    """

    question: Question
    texts: Sequence[str]
    judgments: Sequence[Judgment]
    reference: str | None = None


def parted(row: SftRow, dialect: Dialect, meant: Meant) -> str | None:
    """Why a row's text and verdict do not belong together; None where they do.

    The prompt must show the item's texts in the row's order, and the verdict to learn, put back
    into the item's order, must be one that was given for them.
    """
    texts = [meant.texts[position] for position in row.order]
    if row.prompt != render_prompt(dialect, meant.question, texts, meant.reference):
        return f"row {row.id}: the prompt does not show the responses in the order {row.order}"
    verdict = parse_reply(dialect, row.completion).verdict
    if verdict is None:
        return f"row {row.id}: the reply to learn states no verdict"
    alone = len(row.order) < 2
    given = (
        (one.verdict for one in meant.judgments if one.order == row.order)
        if alone
        else (one.in_item_order() for one in meant.judgments)
    )
    if (verdict if alone else reorder(verdict, row.order)) not in given:
        return f"row {row.id}: the verdict to learn, {verdict}, was not given for these texts"
    return None
