"""In which order items come to people, and what a sample that was drawn so is worth."""

from collections import defaultdict
from collections.abc import Sequence

from judgesmith.records import keyed_rng
from judgesmith.review.types import Queue


def places(ids: Sequence[tuple[str, str, float]], queue: Queue, seed: int) -> list[float]:
    """The place of each item in the queue, small first; each is (id, stratum, size).

    `stratified`: every beginning of the queue holds each stratum in its share, within one item,
    drawn at random within the stratum: rank r of n stands at (r + u) / n, with u of its own, so
    that what came before does not tell the next one's stratum.

    `active`: priority sampling (Duffield, Lund and Thorup 2007). An item of size w stands at u / w,
    with u uniform in (0, 1]; the larger, the sooner, and none never. See `inclusion`.

    >>> found = places([("a", "x", 1.0), ("b", "x", 1.0), ("c", "y", 1.0)], "stratified", 1)
    >>> sum(place < 0.5 for place in found[:2]), 0 <= found[2] < 1
    (1, True)
    """
    drawn = [1.0 - keyed_rng(seed, "review queue", one).random() for one, _, _ in ids]
    if queue == "active":
        return [u / size for u, (_, _, size) in zip(drawn, ids, strict=True)]
    strata: dict[str, list[int]] = defaultdict(list)
    for position, (_, stratum, _) in enumerate(ids):
        strata[stratum].append(position)
    found = [0.0] * len(ids)
    for members in strata.values():
        for rank, position in enumerate(sorted(members, key=lambda at: drawn[at])):
            shift = keyed_rng(seed, "review stratum", ids[position][0]).random()
            found[position] = (rank + shift) / len(members)
    return found


def inclusion(size: float, threshold: float | None) -> float:
    """The probability that an item of an active queue is among those that came before a place.

    min(1, size * threshold), where `threshold` is the place of the first item that is not in the
    sample; None is a sample of all, 1. Given the threshold, sums weighted by its inverse are
    unbiased whatever the number of items (Duffield, Lund and Thorup 2007, theorem 1), which keeps
    estimates from a queue that prefers hard items honest.

    >>> inclusion(2.0, 0.1), inclusion(20.0, 0.1), inclusion(2.0, None)
    (0.2, 1.0, 1.0)
    """
    return 1.0 if threshold is None else min(1.0, size * threshold)


def returns(seed: int, annotator: str, item: str, share: float) -> bool:
    """Whether an item is among the share that comes to this annotator again."""
    return keyed_rng(seed, "review repeat", annotator, item).random() < share


def slots(seed: int, annotator: str, item: str, round_name: str, count: int) -> tuple[int, ...]:
    """The order in which an annotator sees an item's responses in a round.

    >>> sorted(slots(1, "ann", "i", "label", 3))
    [0, 1, 2]
    """
    order = list(range(count))
    keyed_rng(seed, "review slots", annotator, item, round_name).shuffle(order)
    return tuple(order)
