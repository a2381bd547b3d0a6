"""Do the scores of two responses and the verdict on the pair say the same?

One judge grades each response alone and compares the two. Scores and verdict must point the same
way: here a higher score and a verdict both name the better response. None is an unparsed score or
verdict; such rows are left out and counted. The verdict of a judge asked in both orders is the
common one of `agreed_verdict`, a tie where the orders disagree.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Unpack

from judgesmith.errors import DataError
from judgesmith.metrics.coding import Label, Verdict, aligned
from judgesmith.metrics.flips import verdict_signs
from judgesmith.metrics.resample import Resampling, ResamplingOptions
from judgesmith.metrics.result import Estimate, Headline
from judgesmith.metrics.shares import hit_share

NOTHING_PARSED = "no row has two parsed scores and a parsed verdict"
NO_STRICT_VERDICT = "no row has two parsed scores and a verdict that names a response"


@dataclass(frozen=True, slots=True)
class ConflictRatio(Headline):
    """TrustJudge's conflict ratio and the three kinds of conflict it adds up.

    Attributes:
        rate: share of rows in conflict, the sum of the three below.
        strict_reversals: the verdict names the response with the lower score.
        score_ties: the scores tie and the verdict names a response.
        verdict_ties: the scores differ and the verdict is a tie.
        left_out: rows with an unparsed score or verdict.
    """

    rate: Estimate
    strict_reversals: Estimate
    score_ties: Estimate
    verdict_ties: Estimate
    left_out: int

    @property
    def headline(self) -> Estimate:
        """The main number: `rate`."""
        return self.rate


@dataclass(frozen=True, slots=True)
class ThreeWay(Headline):
    """Whether the higher score goes to the preferred response; the three shares add up to 1.

    Attributes:
        consistent: the preferred response has the higher score.
        inconsistent: it has the lower score.
        tie: the scores tie.
        left_out: rows with an unparsed score or verdict.
        no_preference: parsed rows whose verdict is a tie, so that there is nothing to check.
    """

    consistent: Estimate
    inconsistent: Estimate
    tie: Estimate
    left_out: int
    no_preference: int

    @property
    def headline(self) -> Estimate:
        """The main number: `consistent`."""
        return self.consistent


def margin_sign(margin: float, tie_within: float) -> int:
    """Return 1 or -1 for a margin beyond the tolerance, 0 for |margin| <= tie_within.

    The bound belongs to the tie, also where a difference such as 4.4 - 4.3 misses it by a
    rounding error.

    >>> margin_sign(4.4 - 4.3, 0.1), margin_sign(-0.5, 0.1), margin_sign(0.0, 0.0)
    (0, -1, 0)
    """
    size = abs(margin)
    if size <= tie_within or (tie_within > 0 and math.isclose(size, tie_within, rel_tol=1e-9)):
        return 0
    return 1 if margin > 0 else -1


def check_tolerance(tie_within: float) -> None:
    """Raise DataError unless the tolerance is a finite number of at least 0."""
    if not (math.isfinite(tie_within) and tie_within >= 0):
        raise DataError(f"tie_within: expected a number of at least 0, found {tie_within!r}")


def conflict_ratio(
    first_scores: Sequence[float | None],
    second_scores: Sequence[float | None],
    verdicts: Sequence[Verdict],
    clusters: Sequence[Hashable],
    *,
    tie_within: float = 0.0,
    tie: Label | None = "TIE",
    slots: tuple[Label, Label] = ("A", "B"),
    **options: Unpack[ResamplingOptions],
) -> ConflictRatio:
    """Share of pairs whose scores and verdict contradict each other (TrustJudge's CR).

    With scores S1, S2 and verdict C = 1 (first), 0 (tie), -1 (second), a pair is in conflict when

        S1 > S2 and C <= 0,   or   S1 < S2 and C >= 0,   or   S1 = S2 and C != 0

    (arXiv 2509.21117, section on inconsistency), where differences of at most `tie_within` count
    as equal. Only strict reversals are contradictions in earnest. Score ties come from a coarse
    scale and vanish when scores are expectations, so read the three kinds apart before calling
    one judge more consistent than another.

    Undefined when no row is fully parsed.

    Args:
        first_scores: score of the response in slots[0]; None is unparsed.
        second_scores: score of the response in slots[1].
        verdicts: verdict on the pair, naming the better response.
        clusters: the question of each pair.
        tie_within: largest difference of scores that counts as a tie.
        tie: the label for "no difference", or None on a scale without one.
        slots: the two labels that name a response.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, another label, a score that is not finite, or a setting out
            of range.

    One row agrees, then a reversal, a score tie, a verdict tie, and a row without a verdict:

    >>> found = conflict_ratio([5, 2, 3, 4, 1], [3, 4, 3, 2, 2], ["A", "A", "B", "TIE", None],
    ...                        "vwxyz", seed=1, resamples=200)
    >>> found.value, found.rate.n, found.left_out
    (0.75, 4, 1)
    >>> found.strict_reversals.value, found.score_ties.value, found.verdict_ties.value
    (0.25, 0.25, 0.25)
    """
    plan = Resampling(**options)
    aligned(first=first_scores, second=second_scores, verdicts=verdicts, clusters=clusters)
    scored = _score_signs(first_scores, second_scores, tie_within)
    named = verdict_signs("verdicts", verdicts, slots, tie)
    rows = [
        (s, c, cluster)
        for s, c, cluster in zip(scored, named, clusters, strict=True)
        if s is not None and c is not None
    ]
    groups = [cluster for _, _, cluster in rows]

    def share(hits: Sequence[bool]) -> Estimate:
        return hit_share(hits, groups, plan, NOTHING_PARSED)

    return ConflictRatio(
        rate=share([s != c for s, c, _ in rows]),
        strict_reversals=share([s * c == -1 for s, c, _ in rows]),
        score_ties=share([s == 0 and c != 0 for s, c, _ in rows]),
        verdict_ties=share([s != 0 and c == 0 for s, c, _ in rows]),
        left_out=len(verdicts) - len(rows),
    )


def three_way(
    first_scores: Sequence[float | None],
    second_scores: Sequence[float | None],
    verdicts: Sequence[Verdict],
    clusters: Sequence[Hashable],
    *,
    tie_within: float = 0.0,
    tie: Label | None = "TIE",
    slots: tuple[Label, Label] = ("A", "B"),
    **options: Unpack[ResamplingOptions],
) -> ThreeWay:
    """Consistent, inconsistent or tie: the measure published with the Gemma 3 4B judge.

    Both responses of a pair are graded alone. The pair is a tie when the scores are equal,
    consistent when the preferred response has the higher score, and inconsistent otherwise.
    Unlike in `conflict_ratio` a score tie is no conflict. The published text leaves open whether
    "preferred" is the judge's own verdict or the label; both can be given as `verdicts`. Rows
    whose verdict is a tie name nothing to check and are left out and counted; the published set
    had none.

    Undefined when no row is parsed and has a preference.

    Args:
        first_scores: score of the response in slots[0]; None is unparsed.
        second_scores: score of the response in slots[1].
        verdicts: which response is preferred.
        clusters: the question of each pair.
        tie_within: largest difference of scores that counts as a tie.
        tie: the label for "no difference", or None on a scale without one.
        slots: the two labels that name a response.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, another label, a score that is not finite, or a setting out
            of range.

    >>> found = three_way([5, 2, 3, 4, 1], [3, 4, 3, 2, 2], ["A", "A", "B", "TIE", "B"],
    ...                   "vwxyz", seed=1, resamples=200)
    >>> found.consistent.value, found.inconsistent.value, found.tie.value, found.no_preference
    (0.5, 0.25, 0.25, 1)
    """
    plan = Resampling(**options)
    aligned(first=first_scores, second=second_scores, verdicts=verdicts, clusters=clusters)
    scored = _score_signs(first_scores, second_scores, tie_within)
    named = verdict_signs("verdicts", verdicts, slots, tie)
    parsed = [
        (s, c, cluster)
        for s, c, cluster in zip(scored, named, clusters, strict=True)
        if s is not None and c is not None
    ]
    rows = [row for row in parsed if row[1] != 0]
    groups = [cluster for _, _, cluster in rows]

    def share(product: int) -> Estimate:
        return hit_share([s * c == product for s, c, _ in rows], groups, plan, NO_STRICT_VERDICT)

    return ThreeWay(
        consistent=share(1),
        inconsistent=share(-1),
        tie=share(0),
        left_out=len(verdicts) - len(parsed),
        no_preference=len(parsed) - len(rows),
    )


def _score_signs(
    first: Sequence[float | None], second: Sequence[float | None], tie_within: float
) -> list[int | None]:
    """Return 1 where the first score is higher, -1 the second, 0 a tie, None an unparsed score."""
    check_tolerance(tie_within)
    for name, scores in (("first_scores", first), ("second_scores", second)):
        for position, score in enumerate(scores):
            if score is not None and not math.isfinite(score):
                raise DataError(
                    f"{name}[{position}] is {score!r}: expected a finite number, or None for an "
                    "unparsed score"
                )
    return [
        None if a is None or b is None else margin_sign(a - b, tie_within)
        for a, b in zip(first, second, strict=True)
    ]
