"""Is an exported judge still the same judge? Its verdicts against the original's, item by item.

The loss of agreement is paired: both judged the same items, and both are held against the same
labels. Its upper bound, not its value, is held against the recipe's limit.

Where verdicts differ on few questions the bootstrap has next to nothing to resample: with none its
interval has no width, with two it is too narrow. So below `FEW` such questions the bound is the
larger of the bootstrap's and of what they could be in truth: Wilson's upper end for the share of
questions on which the export is wrong where the judge was right, with as many items turned on each
as were seen (one, where none was), and agreement as if so many items became wrong in the least
favourable way.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, NamedTuple

from judgesmith.evaluation.sliced import number
from judgesmith.metrics import (
    UNPARSED,
    Estimate,
    Verdict,
    cluster_bootstrap_rate,
    cohen_kappa,
    mark_unparsed,
    not_shown_because,
    paired_cluster_bootstrap,
    weighted_kappa,
    wilson,
)
from judgesmith.report.exports import Outcome, Parity
from judgesmith.report.numbers import figure

FEW = 10
"""Questions that turned wrong below which Wilson's bound is asked, too."""
LEAST = 20
_RESAMPLES = 4_000


class Asked(NamedTuple):
    """What both judges were asked about: labels, and the question of each.

    `levels` is the number of grades where verdicts and labels are places on a scale, held against
    each other by quadratic weighted kappa; None where they are words, by Cohen's kappa.
    """

    labels: Sequence[Any]
    clusters: Sequence[Hashable]
    labels_title: str
    levels: int | None = None

    @property
    def metric(self) -> Callable[..., Estimate]:
        """The agreement that must not be lost."""
        if self.levels is None:
            return cohen_kappa
        return partial(weighted_kappa, labels=range(self.levels))

    @property
    def metric_name(self) -> str:
        """Its name in tables."""
        return "kappa" if self.levels is None else "weighted kappa"


def measure_parity(
    form: str, judge: Sequence[Verdict], export: Sequence[Verdict], asked: Asked, *,
    limit: float, seed: int, tokens_checked: int = 0,
) -> Parity:  # fmt: skip
    """How far an exported form of a judge is from the judge, and whether that is too far.

    It passes where the upper bound of the loss is at most the limit, fails where even the lower
    bound is above it, and is inconclusive between.

    Args:
        form: what is compared, such as "Q4_K_M".
        judge: verdicts of the judge as it was measured; None is unread, which counts as wrong.
        export: those of the export, on the same items.
        asked: labels and questions of the items.
        limit: the most agreement that may be lost.
        seed: of the resampling.
        tokens_checked: texts whose token ids were compared and are equal.
    """
    first, second = _column(judge, asked), _column(export, asked)
    flipped = [one != other for one, other in zip(first, second, strict=True)]
    flips = cluster_bootstrap_rate(flipped, asked.clusters, seed=seed, resamples=_RESAMPLES)
    change = paired_cluster_bootstrap(
        asked.metric, second, first, asked.labels, asked.clusters, seed=seed,
        resamples=_RESAMPLES, method="bca",
    )  # fmt: skip
    hidden = not_shown_because([str(label) for label in asked.labels], least=LEAST)
    lost = None if hidden else _most_lost(change, first, second, asked)
    outcome, reason = _decide(change, lost, limit, hidden)
    return Parity(
        form=form, items=len(first), questions=len(set(asked.clusters)),
        metric=asked.metric_name, labels_title=asked.labels_title,
        agreement=asked.metric(second, asked.labels).value,
        reference=asked.metric(first, asked.labels).value, flips=number(flips),
        change=number(change, hidden), most_lost=lost, limit=limit, outcome=outcome,
        reason=reason, tokens_checked=tokens_checked,
    )  # fmt: skip


def _column(verdicts: Sequence[Verdict], asked: Asked) -> list[Any]:
    return mark_unparsed(verdicts) if asked.levels is None else list(verdicts)


def _decide(
    change: Estimate, lost: float | None, limit: float, hidden: str | None
) -> tuple[Outcome, str]:
    if hidden is not None or lost is None:
        return "inconclusive", hidden or change.undefined or "there is no bound of the loss"
    if lost <= limit:
        return "pass", f"at most {_three(lost)} is lost; the limit is {_three(limit)}"
    if change.high is not None and -change.high > limit:
        return "fail", f"at least {_three(-change.high)} is lost; the limit is {_three(limit)}"
    return "inconclusive", f"up to {_three(lost)} may be lost; the limit is {_three(limit)}"


def _three(value: float) -> str:
    return figure(value, places=3)


def _most_lost(
    change: Estimate, judge: Sequence[Any], export: Sequence[Any], asked: Asked
) -> float | None:
    """The upper bound of what is lost; None where agreement is undefined."""
    if change.value is None:
        return None
    resampled = 0.0 if change.low is None else -change.low
    worse = Counter(
        cluster
        for one, other, label, cluster in zip(
            judge, export, asked.labels, asked.clusters, strict=True
        )
        if one == label != other
    )
    if len(worse) >= FEW and change.low is not None:
        return resampled
    questions = len(set(asked.clusters))
    share = wilson(len(worse), questions).high or 1.0
    each = worse.total() / len(worse) if worse else 1.0
    return max(resampled, lost_by(judge, asked, math.ceil(share * questions * each)))


def lost_by(judge: Sequence[Any], asked: Asked, most: int) -> float:
    """Agreement that is lost at most where so many items turn from right to wrong.

    Tried are all those verdicts turned into one and the same label, on the rarest labels first and
    on the commonest first.

    Ten items of two labels, all right, of which one turns: kappa falls from 1 to .8.

    >>> asked = Asked(["A", "B"] * 5, range(10), "labels")
    >>> round(lost_by(["A", "B"] * 5, asked, 1), 6)
    0.2
    """
    labels = list(asked.labels)
    before = asked.metric(judge, labels).value or 0.0
    counts = Counter(labels)
    targets = sorted(counts, key=str)
    if asked.levels is None:
        targets.append(UNPARSED)
    lowest = before
    for target in targets:
        right = [
            i for i, (one, label) in enumerate(zip(judge, labels, strict=True))
            if one == label != target
        ]  # fmt: skip
        for sign in (1, -1):
            turned = list(judge)
            for i in sorted(right, key=lambda i: sign * counts[labels[i]])[:most]:
                turned[i] = target
            found = asked.metric(turned, labels).value
            lowest = min(lowest, before if found is None else found)
    return before - lowest
