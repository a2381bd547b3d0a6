"""What happens to verdicts when the two responses change places.

Every pair is judged twice: in the stored order, where the first of `slots` is shown first, and
swapped, where it is shown second. All verdicts here are already mapped back to the stored slots,
so an order-proof judge gives the same verdict twice. None stands for an unparsed verdict. A pair
counts only when both of its verdicts are parsed.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import confusion
from judgesmith.metrics.coding import Label, Verdict, aligned
from judgesmith.metrics.interval import cluster_bootstrap_rate, wilson
from judgesmith.metrics.resample import Resampling, ResamplingOptions
from judgesmith.metrics.result import Confusion, Estimate, Headline
from judgesmith.metrics.shares import signed_interval

NEAR = 0.01
"""Mean probabilities this close are not told apart; see `docs/decisions/0010-near-ties.md`."""
NOT_PARSED_TWICE = "no pair has a parsed verdict in both orders"


@dataclass(frozen=True, slots=True)
class OrderEffects(Headline):
    """How verdicts of one judge depend on the order in which responses were shown.

    A flip is a pair whose two verdicts differ; a change to or from a tie is one. Flips of two
    kinds follow the slot: both raw replies named the slot shown first, or both named the slot
    shown second. The other flips have a tie on one side and are in neither count.

    Attributes:
        pairs: pairs parsed in both orders; the denominator unless said otherwise.
        left_out: pairs with an unparsed verdict in at least one order.
        flips: pairs whose verdicts differ.
        first_slot: pairs in which both raw replies named the slot shown first.
        second_slot: pairs in which both raw replies named the slot shown second.
        matrix: stored-order verdict (row) against swapped-order verdict (column).
        consistency: share of pairs with equal verdicts, Wilson interval.
        consistency_clustered: the same share, interval from resampled clusters.
        flip_rate: 1 - consistency, Wilson interval.
        flip_rate_clustered: the same share, interval from resampled clusters.
        position_bias: (first_slot - second_slot) / pairs, -1 to 1: how far the order moves the
            verdicts of this set. Positive means the judge names what it sees first.
        position_bias_in_flips: (first_slot - second_slot) / flips, -1 to 1: which way a flip
            goes. Undefined without flips.
    """

    pairs: int
    left_out: int
    flips: int
    first_slot: int
    second_slot: int
    matrix: Confusion
    consistency: Estimate
    consistency_clustered: Estimate
    flip_rate: Estimate
    flip_rate_clustered: Estimate
    position_bias: Estimate
    position_bias_in_flips: Estimate

    @property
    def headline(self) -> Estimate:
        """The main number: `consistency`."""
        return self.consistency


def order_effects(
    original: Sequence[Verdict],
    swapped: Sequence[Verdict],
    clusters: Sequence[Hashable],
    *,
    slots: tuple[Label, Label] = ("A", "B"),
    **options: Unpack[ResamplingOptions],
) -> OrderEffects:
    """Measure consistency, flips and signed position bias of raw single-order verdicts.

    With verdicts mapped back, both raw replies named the first slot shown exactly when the
    stored-order verdict is slots[0] and the swapped-order verdict is slots[1]; the reverse means
    that both named the second.

    Args:
        original: verdicts in the stored order.
        swapped: verdicts in the swapped order, mapped back to the stored slots.
        clusters: the question of each pair.
        slots: the two labels that name a response, in the stored order.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Returns:
        The effects; every share is undefined when no pair is parsed in both orders.

    Raises:
        DataError: different lengths, equal slots, or a setting out of range.

    Five pairs: one stable, two that follow the first slot, one that turns into a tie, one
    unparsed. Three of four flip, and 2 of 4 follow the first slot:

    >>> found = order_effects(["A", "A", "A", "B", None], ["A", "B", "B", "TIE", "A"], "vwxyz",
    ...                       seed=1, resamples=200)
    >>> found.pairs, found.left_out, found.flips, found.first_slot, found.second_slot
    (4, 1, 3, 2, 0)
    >>> found.flip_rate.value, found.position_bias.value
    (0.75, 0.5)
    """
    plan = Resampling(**options)
    if slots[0] == slots[1]:
        raise DataError(f"slots: expected two different labels, found {slots!r}")
    aligned(original=original, swapped=swapped, clusters=clusters)
    kept = [
        (a, b, cluster)
        for a, b, cluster in zip(original, swapped, clusters, strict=True)
        if a is not None and b is not None
    ]
    flipped = [a != b for a, b, _ in kept]
    follows = [_slot_followed(a, b, slots) for a, b, _ in kept]
    groups = [cluster for _, _, cluster in kept]
    pairs, flips = len(kept), sum(flipped)
    return OrderEffects(
        pairs=pairs,
        left_out=len(original) - pairs,
        flips=flips,
        first_slot=follows.count(1),
        second_slot=follows.count(-1),
        matrix=confusion([a for a, _, _ in kept], [b for _, b, _ in kept]),
        consistency=wilson(pairs - flips, pairs, plan.confidence),
        consistency_clustered=cluster_bootstrap_rate([not f for f in flipped], groups, **options),
        flip_rate=wilson(flips, pairs, plan.confidence),
        flip_rate_clustered=cluster_bootstrap_rate(flipped, groups, **options),
        position_bias=signed_interval(follows, [1] * pairs, groups, plan, NOT_PARSED_TWICE),
        position_bias_in_flips=signed_interval(
            follows, [int(f) for f in flipped], groups, plan, "no verdict flipped"
        ),
    )


def _slot_followed(original: Label, swapped: Label, slots: tuple[Label, Label]) -> int:
    """Return 1 when both raw replies named the slot shown first, -1 for the second, else 0."""
    if (original, swapped) == slots:
        return 1
    return -1 if (swapped, original) == slots else 0


def swap_verdict(verdict: Verdict, slots: tuple[Label, Label] = ("A", "B")) -> Verdict:
    """Map a verdict between stored slots and swapped slots; other labels and None stay.

    >>> [swap_verdict(verdict) for verdict in ("A", "B", "TIE", None)]
    ['B', 'A', 'TIE', None]
    """
    if verdict == slots[0]:
        return slots[1]
    return slots[0] if verdict == slots[1] else verdict


def agreed_verdict(original: Verdict, swapped: Verdict, *, tie: Label | None = "TIE") -> Verdict:
    """Order-averaged verdict of a judge that gives no probabilities.

    The common verdict when both orders agree, the tie label when they differ, and None when they
    differ on a scale without a tie or when either verdict is unparsed.

    Args:
        original: verdict in the stored order.
        swapped: verdict in the swapped order, mapped back.
        tie: the scale's label for "no difference", or None when it has none.

    >>> agreed_verdict("A", "A"), agreed_verdict("A", "B"), agreed_verdict("A", None)
    ('A', 'TIE', None)
    >>> agreed_verdict("yes", "no", tie=None)
    """
    if original is None or swapped is None:
        return None
    return original if original == swapped else tie


def average_distributions(
    original: Mapping[Label, float], swapped: Mapping[Label, float]
) -> dict[Label, float]:
    """Mean of the verdict probabilities of both orders, mapped back to the stored slots.

    A label that one of them does not list has probability 0 there.

    Raises:
        DataError: a probability outside 0 to 1, or a sum further than 1e-6 from 1.

    >>> average_distributions({"A": 0.75, "B": 0.25}, {"A": 0.25, "TIE": 0.75})
    {'A': 0.5, 'B': 0.125, 'TIE': 0.375}
    """
    for name, given in (("original", original), ("swapped", swapped)):
        if not all(0 <= p <= 1 for p in given.values()) or abs(sum(given.values()) - 1) > 1e-6:
            raise DataError(
                f"{name}: expected probabilities from 0 to 1 with sum 1, found {dict(given)!r}"
            )
    labels = [*original, *(label for label in swapped if label not in original)]
    return {label: (original.get(label, 0.0) + swapped.get(label, 0.0)) / 2 for label in labels}


def likelihood_aware(original: Mapping[Label, float], swapped: Mapping[Label, float]) -> Label:
    """The label with the most mass over both orders: TrustJudge's likelihood-aware aggregation.

    argmax over k of p_original(k) + p_swapped(k), all mapped back to the stored order (arXiv
    2509.21117). Of equal labels the first counts. `order_averaged` is the same but for near ties.

    Raises:
        DataError: what `average_distributions` raises.

    >>> likelihood_aware({"A": 0.9, "B": 0.1}, {"A": 0.4, "B": 0.6})
    'A'
    """
    mean = average_distributions(original, swapped)
    return max(mean, key=lambda label: mean[label])


def order_averaged(
    original: Mapping[Label, float] | None,
    swapped: Mapping[Label, float] | None,
    *,
    tie: Label | None = "TIE",
) -> Verdict:
    """Order-averaged verdict of a judge that gives probabilities: the most probable on average.

    When other labels come within `NEAR` of the largest mean, the tie label; None on a scale without
    one. A judge that is sure of the first slot in both orders would otherwise be decided by the
    last decimals. None also when either order has no distribution.

    Args:
        original: verdict probabilities in the stored order.
        swapped: the same in the swapped order, mapped back.
        tie: the scale's label for "no difference", or None when it has none.

    Raises:
        DataError: what `average_distributions` raises.

    A says .9 when first and .4 when second: .65 on average. A judge that only follows the slot
    has both labels at .5:

    >>> order_averaged({"A": 0.9, "B": 0.1}, {"A": 0.4, "B": 0.6})
    'A'
    >>> order_averaged({"A": 0.9, "B": 0.1}, {"A": 0.1, "B": 0.9})
    'TIE'
    """
    if original is None or swapped is None:
        return None
    mean = average_distributions(original, swapped)
    likeliest = likelihood_aware(original, swapped)
    near = [label for label, p in mean.items() if mean[likeliest] - p <= NEAR]
    return likeliest if len(near) == 1 else tie
