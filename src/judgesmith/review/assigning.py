"""In which order items come to people, and what a sample that was drawn so is worth."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from judgesmith.records import content_id, keyed_rng
from judgesmith.review.types import Queue, Round


def places(ids: Sequence[tuple[str, str, float]], queue: Queue, seed: int) -> list[float]:
    """The place of each item in the queue, small first; each is (id, stratum, size).

    `stratified`: every beginning of the queue holds each stratum in its share, within one item,
    drawn at random within the stratum: rank r of n stands at (r + u) / n, with u of its own, so
    that what came before does not tell the next one's stratum.

    `active`: priority sampling (Duffield, Lund and Thorup 2007). An item of size w stands at u / w,
    with u uniform in (0, 1]; the larger, the sooner, and none never. See `standing_for`.

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


def standing_for(sizes: Mapping[str, float], answered: Collection[str]) -> dict[str, float]:
    """How many items of an active queue each answered one stands for; none where that is not known.

    N / n, where n of the N items of its size are answered. Items of one size come in random order,
    so those that are answered are a random sample of them, whichever people were given and put off
    or left: means weighted so are unbiased (post-stratification; Holt and Smith 1979). While none
    of some size is answered, answers stand for a part of the items only, and none has a weight.

    >>> standing_for({"a": 1.0, "b": 1.0, "c": 4.0}, ["b", "c"])
    {'b': 2.0, 'c': 1.0}
    >>> standing_for({"a": 1.0, "b": 1.0, "c": 4.0}, ["c"])
    {}
    """
    of_size = Counter(sizes.values())
    found = Counter(sizes[one] for one in answered)
    if found.keys() < of_size.keys():
        return {}
    return {one: of_size[sizes[one]] / found[sizes[one]] for one in answered}


def returns(seed: int, annotator: str, item: str, share: float) -> bool:
    """Whether an item is among the share that comes to this annotator again."""
    return keyed_rng(seed, "review repeat", annotator, item).random() < share


def turn(seed: int, annotator: str, item: str, round_name: Round) -> str:
    """What a page calls a round: it does not say whether an item comes for the second time.

    >>> turn(1, "ann", "i", "label")[:6], turn(1, "ann", "i", "repeat")[:6]
    ('label-', 'label-')
    """
    if round_name not in ("label", "repeat"):
        return round_name
    return f"label-{content_id(str(seed), annotator, item, round_name)}"


def slots(seed: int, annotator: str, item: str, round_name: str, count: int) -> tuple[int, ...]:
    """The order in which an annotator sees an item's responses in a round.

    >>> sorted(slots(1, "ann", "i", "label", 3))
    [0, 1, 2]
    """
    order = list(range(count))
    keyed_rng(seed, "review slots", annotator, item, round_name).shuffle(order)
    return tuple(order)
