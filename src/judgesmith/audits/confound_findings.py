"""What the confound table means: where style alone would find the label."""

from collections.abc import Iterator
from dataclasses import dataclass

from judgesmith.audits.confound import BucketStyle, ConfoundTable
from judgesmith.audits.finding import Finding, Severity
from judgesmith.errors import RecipeError
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.paired import holm

_EFFECT = (
    "a judge that reads this alone agrees with the labels, and learns it instead of the rubric"
)


@dataclass(frozen=True, slots=True)
class ConfoundLimits:
    """From where on a confound is reported.

    Attributes:
        longer_share: A bucket is reported if the lower bound of the share whose flagged response
            is longer, or shorter, lies above this. 0.5 to 1.
        hedge_difference: A bucket is reported if the shares of hedged responses on the two sides
            differ by more than this and their intervals do not touch. 0 to 1.
        generator_difference: A generator is reported if its flagged share differs from that of
            all responses by more than this, and that share lies outside its interval. 0 to 1.
        slot_p: A bucket is reported if the p-value of its slot balance, adjusted by Holm's method
            over the buckets, lies below this. 0 to 1.
    """

    longer_share: float = 0.65
    hedge_difference: float = 0.2
    generator_difference: float = 0.2
    slot_p: float = 0.05

    def __post_init__(self) -> None:
        for name, low in (
            ("longer_share", 0.5),
            ("hedge_difference", 0.0),
            ("generator_difference", 0.0),
            ("slot_p", 0.0),
        ):
            value = getattr(self, name)
            if not low <= value <= 1:
                raise RecipeError(
                    f"confound limits, {name}: expected a number from {low} to 1, found {value!r}"
                )


def confound_findings(
    table: ConfoundTable, limits: ConfoundLimits | None = None
) -> tuple[Finding, ...]:
    """Warn of each bucket and generator whose style gives the label away.

    The row over all buckets is looked at too, unless there is only one bucket. Every finding is a
    warning: a confound does not make a result wrong, it makes it say less.

    Args:
        table: What `confound_table` counted.
        limits: From where on to warn; the defaults of `ConfoundLimits` if None.

    Returns:
        Findings by bucket (length, hedging, slot), then by generator.
    """
    limits = limits or ConfoundLimits()
    rows = [*table.buckets, table.overall] if len(table.buckets) > 1 else list(table.buckets)
    slot_p = _adjusted(rows)
    found: list[Finding] = []
    for row in rows:
        found.extend(_length(row, limits))
        found.extend(_hedging(row, limits))
        found.extend(_slot(row, slot_p.get(row.bucket), limits))
    found.extend(_generators(table, limits))
    return tuple(found)


def _adjusted(rows: list[BucketStyle]) -> dict[str, float]:
    tested = [(row.bucket, row.flagged_first_p) for row in rows]
    p_values = {bucket: p for bucket, p in tested if p is not None}
    return dict(zip(p_values, holm(list(p_values.values())), strict=True))


def _length(row: BucketStyle, limits: ConfoundLimits) -> Iterator[Finding]:
    for word, count in (("longer", row.longer), ("shorter", row.shorter)):
        share = wilson(count, row.contrasts)
        if share.low is not None and share.low > limits.longer_share:
            yield Finding(
                audit="confound",
                severity=Severity.WARNING,
                message=(
                    f"{row.bucket}: the flagged response is {word} in {count} of {row.contrasts} "
                    f"pairs ({share.value:.0%}, 95% interval {share.low:.0%} to {share.high:.0%}; "
                    f"{row.mean_word_difference:+.1f} words on average)"
                ),
                count=count,
                of=row.contrasts,
                examples=row.examples,
                effect=_EFFECT,
                remedy=f"pair flagged responses with others that are as long; the rule "
                f"'{word} response' is the baseline to beat in this bucket",
            )


def _hedging(row: BucketStyle, limits: ConfoundLimits) -> Iterator[Finding]:
    flagged, other = row.hedged_flagged, row.hedged_unflagged
    if flagged is None or other is None or flagged.value is None or other.value is None:
        return
    if abs(flagged.value - other.value) <= limits.hedge_difference:
        return
    low, high = (flagged, other) if flagged.value < other.value else (other, flagged)
    if low.high is None or high.low is None or low.high >= high.low:
        return
    yield Finding(
        audit="confound",
        severity=Severity.WARNING,
        message=(
            f"{row.bucket}: {flagged.value:.0%} of the flagged and {other.value:.0%} of the other "
            f"responses hold a hedge phrase ({row.contrasts} pairs)"
        ),
        count=round(flagged.value * flagged.n),
        of=flagged.n,
        examples=(),
        effect=_EFFECT,
        remedy="add pairs in which the hedging is on the other side, or on both",
    )


def _slot(row: BucketStyle, p: float | None, limits: ConfoundLimits) -> Iterator[Finding]:
    if p is None or p >= limits.slot_p:
        return
    yield Finding(
        audit="confound",
        severity=Severity.WARNING,
        message=(
            f"{row.bucket}: the flagged response is shown first in {row.flagged_first} of "
            f"{row.contrasts} pairs (exact binomial p = {p:.2g}, adjusted over the buckets)"
        ),
        count=row.flagged_first,
        of=row.contrasts,
        examples=(),
        effect="a judge that prefers a slot agrees with the labels by that alone",
        remedy="draw the order of each pair at random by its id, or train and judge in both orders",
    )


def _generators(table: ConfoundTable, limits: ConfoundLimits) -> Iterator[Finding]:
    overall = table.flagged_share.value
    for row in table.generators:
        share = row.share
        if overall is None or share.value is None or share.low is None or share.high is None:
            continue
        far = abs(share.value - overall) > limits.generator_difference
        if far and not share.low <= overall <= share.high:
            yield Finding(
                audit="confound",
                severity=Severity.WARNING,
                message=(
                    f"generator {row.generator}: {row.flagged} of {row.slots} responses are "
                    f"flagged ({share.value:.0%}), against {overall:.0%} of all responses"
                ),
                count=row.flagged,
                of=row.slots,
                examples=(),
                effect="a judge that recognises the generator's style can guess the label from it",
                remedy=f"add {'un' if share.value > overall else ''}flagged responses by this "
                "generator, or pair it so that both sides of a label are its own",
            )
