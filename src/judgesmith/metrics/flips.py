"""Where a verdict goes when the two responses change places.

`order_effects` says how often verdicts flip and how far they lean to one slot; the functions here
say which verdict turned into which. The conventions are the same: every pair is judged in the
stored order and swapped, verdicts are mapped back to the stored slots, None is unparsed, and the
verdicts are raw single-order ones.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Unpack

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import confusion
from judgesmith.metrics.coding import Label, Verdict, aligned
from judgesmith.metrics.order import NOT_PARSED_TWICE
from judgesmith.metrics.paired import mcnemar_p
from judgesmith.metrics.resample import Resampling, ResamplingOptions
from judgesmith.metrics.result import Confusion, Estimate, Headline
from judgesmith.metrics.shares import hit_share, mirrored, share_interval

NO_REVERSAL = "no pair has verdicts that name different responses in the two orders"


@dataclass(frozen=True, slots=True)
class FlipMatrix:
    """Verdicts of both orders against each other, every pair in exactly one count.

    Attributes:
        table: verdict in the stored order (row) against verdict in the swapped order (column),
            over the labels slots[0], tie, slots[1], present or not.
        original_unparsed: pairs unparsed in the stored order only.
        swapped_unparsed: pairs unparsed in the swapped order only.
        both_unparsed: pairs unparsed in both.
    """

    table: Confusion
    original_unparsed: int
    swapped_unparsed: int
    both_unparsed: int


@dataclass(frozen=True, slots=True)
class PrimacyRecency(Headline):
    """Which slot wins when the two orders name different responses.

    Attributes:
        first: pairs in which both raw replies named the slot shown first.
        second: pairs in which both raw replies named the slot shown second.
        primacy: first / (first + second).
        recency: second / (first + second) = 1 - primacy, with the mirrored interval.
        p: two-sided exact binomial p-value of first against a fair coin; 1 without such pairs.
            It takes the pairs as independent, the intervals do not.
        left_out: pairs with an unparsed verdict in at least one order.
        others: parsed pairs that do not name both responses: stable ones, and flips with a tie.
    """

    first: int
    second: int
    primacy: Estimate
    recency: Estimate
    p: float
    left_out: int
    others: int

    @property
    def headline(self) -> Estimate:
        """The main number: `primacy`."""
        return self.primacy


@dataclass(frozen=True, slots=True)
class FlipKinds:
    """Flips by what they do to the response that was named, as shares of all parsed pairs.

    Attributes:
        win_to_loss: the two orders name different responses.
        win_to_tie: a response is named in the stored order, a tie in the swapped order.
        tie_to_win: a tie in the stored order, a response in the swapped order.
        pairs: pairs parsed in both orders, the denominator of all three.
        left_out: pairs with an unparsed verdict in at least one order.
    """

    win_to_loss: Estimate
    win_to_tie: Estimate
    tie_to_win: Estimate
    pairs: int
    left_out: int


def slot_axis(slots: tuple[Label, Label], tie: Label | None) -> tuple[Label, ...]:
    """Return the labels that a verdict on a pair may have, the tie between the slots.

    Raises:
        DataError: two of them are equal.

    >>> slot_axis(("A", "B"), "TIE"), slot_axis((1, 2), None)
    (('A', 'TIE', 'B'), (1, 2))
    """
    axis = slots if tie is None else (slots[0], tie, slots[1])
    if len(set(axis)) != len(axis):
        raise DataError(f"slots and tie: expected different labels, found {slots!r} and {tie!r}")
    return axis


def verdict_signs(
    name: str, verdicts: Sequence[Verdict], slots: tuple[Label, Label], tie: Label | None
) -> list[int | None]:
    """Return 1 for slots[0], -1 for slots[1], 0 for the tie, None for an unparsed verdict.

    Raises:
        DataError: another label; the message names its position.

    >>> verdict_signs("verdicts", ["A", "TIE", "B", None], ("A", "B"), "TIE")
    [1, 0, -1, None]
    """
    axis = slot_axis(slots, tie)
    sign: dict[Verdict, int | None] = {slots[0]: 1, slots[1]: -1, None: None}
    if tie is not None:
        sign[tie] = 0
    for position, verdict in enumerate(verdicts):
        if verdict not in sign:
            raise DataError(
                f"{name}[{position}] is {verdict!r}: expected one of {list(axis)!r}, or None for "
                "an unparsed verdict"
            )
    return [sign[verdict] for verdict in verdicts]


def flip_matrix(
    original: Sequence[Verdict],
    swapped: Sequence[Verdict],
    *,
    slots: tuple[Label, Label] = ("A", "B"),
    tie: Label | None = "TIE",
) -> FlipMatrix:
    """Count the verdicts of the stored order against those of the swapped order.

    An order-proof judge fills the diagonal only. With slots A and B, the cell (A, B) holds the
    pairs in which the slot shown first won twice, (B, A) those in which the second won twice.

    Args:
        original: verdicts in the stored order.
        swapped: verdicts in the swapped order, mapped back to the stored slots.
        slots: the two labels that name a response, in the stored order.
        tie: the label for "no difference", or None on a scale without one.

    Raises:
        DataError: different lengths, or a label that is neither slot nor tie.

    >>> found = flip_matrix(["A", "A", "TIE", None], ["A", "B", "A", None])
    >>> found.table.labels, found.table.counts, found.both_unparsed
    (('A', 'TIE', 'B'), ((1, 0, 1), (1, 0, 0), (0, 0, 0)), 1)
    """
    aligned(original=original, swapped=swapped)
    axis = slot_axis(slots, tie)
    verdict_signs("original", original, slots, tie)
    verdict_signs("swapped", swapped, slots, tie)
    pairs = list(zip(original, swapped, strict=True))
    kept = [(a, b) for a, b in pairs if a is not None and b is not None]
    both = sum(a is None and b is None for a, b in pairs)
    return FlipMatrix(
        table=confusion([a for a, _ in kept], [b for _, b in kept], axis),
        original_unparsed=sum(a is None for a, _ in pairs) - both,
        swapped_unparsed=sum(b is None for _, b in pairs) - both,
        both_unparsed=both,
    )


def primacy_recency(
    original: Sequence[Verdict],
    swapped: Sequence[Verdict],
    clusters: Sequence[Hashable],
    *,
    slots: tuple[Label, Label] = ("A", "B"),
    **options: Unpack[ResamplingOptions],
) -> PrimacyRecency:
    """Share of reversals that follow the slot shown first, and of those that follow the second.

    A reversal is a pair whose two verdicts name different responses; then both raw replies named
    the same slot. Flips to or from a tie say nothing about which slot is favoured and are left
    out. (Preference among inconsistent pairs: Shi et al. 2024, arXiv 2406.07791.)

    Both shares are undefined when there is no reversal.

    Args:
        original: verdicts in the stored order.
        swapped: verdicts in the swapped order, mapped back to the stored slots.
        clusters: the question of each pair.
        slots: the two labels that name a response, in the stored order.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, equal slots, or a setting out of range.

    Three reversals name the first slot twice, one the second: 3/4, and the exact two-sided
    p-value is 2 * (1 + 4) / 16 = 0.625:

    >>> found = primacy_recency("AAABA", "BBBAA", "vwxyz", seed=1, resamples=200)
    >>> found.first, found.second, found.primacy.value, found.recency.value, found.p
    (3, 1, 0.75, 0.25, 0.625)
    """
    plan = Resampling(**options)
    slot_axis(slots, None)
    aligned(original=original, swapped=swapped, clusters=clusters)
    pairs = list(zip(original, swapped, strict=True))
    follows_first = [int(pair == slots) for pair in pairs]
    reversed_ = [int(pair in (slots, slots[::-1])) for pair in pairs]
    first = sum(follows_first)
    second = sum(reversed_) - first
    left_out = sum(a is None or b is None for a, b in pairs)
    primacy = share_interval(follows_first, reversed_, clusters, plan, NO_REVERSAL)
    return PrimacyRecency(
        first=first,
        second=second,
        primacy=primacy,
        recency=mirrored(primacy),
        p=mcnemar_p(first, second),
        left_out=left_out,
        others=len(pairs) - left_out - first - second,
    )


def flip_kinds(
    original: Sequence[Verdict],
    swapped: Sequence[Verdict],
    clusters: Sequence[Hashable],
    *,
    slots: tuple[Label, Label] = ("A", "B"),
    tie: Label | None = "TIE",
    **options: Unpack[ResamplingOptions],
) -> FlipKinds:
    """Split the flip rate by kind: win to loss, win to tie, tie to win.

    The three shares add up to the flip rate of `order_effects`. A judge that retreats to a tie
    when unsure has few reversals and many of the other two. The last two change names when the
    two orders change places.

    Args:
        original: verdicts in the stored order.
        swapped: verdicts in the swapped order, mapped back to the stored slots.
        clusters: the question of each pair.
        slots: the two labels that name a response, in the stored order.
        tie: the label for "no difference", or None on a scale without one.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, another label, or a setting out of range.

    Of four pairs one is stable, and one is of each kind:

    >>> found = flip_kinds(["A", "A", "B", "TIE"], ["A", "B", "TIE", "B"], "wxyz",
    ...                    seed=1, resamples=200)
    >>> found.win_to_loss.value, found.win_to_tie.value, found.tie_to_win.value
    (0.25, 0.25, 0.25)
    """
    plan = Resampling(**options)
    aligned(original=original, swapped=swapped, clusters=clusters)
    before = verdict_signs("original", original, slots, tie)
    after = verdict_signs("swapped", swapped, slots, tie)
    kept = [
        (a, b, cluster)
        for a, b, cluster in zip(before, after, clusters, strict=True)
        if a is not None and b is not None
    ]
    groups = [cluster for _, _, cluster in kept]

    def share(hits: Sequence[bool]) -> Estimate:
        return hit_share(hits, groups, plan, NOT_PARSED_TWICE)

    return FlipKinds(
        win_to_loss=share([a * b == -1 for a, b, _ in kept]),
        win_to_tie=share([a != 0 and b == 0 for a, b, _ in kept]),
        tie_to_win=share([a == 0 and b != 0 for a, b, _ in kept]),
        pairs=len(kept),
        left_out=len(original) - len(kept),
    )
