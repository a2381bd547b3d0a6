"""One condition of a gate: which side of a bound an interval lies on, and what is still needed."""

from collections.abc import Sequence
from typing import Literal

from judgesmith.metrics import Estimate, labels_for_lower_bound
from judgesmith.report.results import Check, Number

Outcome = Literal["pass", "fail", "inconclusive", "not applicable"]

ORDER_PROOF = "order-proof by construction"
NO_PEOPLE = "the recipe asks for labels by people (gate.labels) and there are none"


def above(
    name: str, found: Number | None, bound: float, *, absent: str = ORDER_PROOF
) -> Check:  # fmt: skip
    """Pass if the lower end reaches the bound, fail if the upper end is below it.

    >>> above("kappa", Number(value=.7, low=.62, high=.78, n=300), .6).outcome
    'pass'
    >>> above("kappa", Number(value=.7, low=.55, high=.85, n=100), .6).outcome
    'inconclusive'
    >>> above("kappa", Number(value=.5, low=.41, high=.59, n=300), .6).outcome
    'fail'
    """
    requirement = f"lower bound of {name} at least {bound:g}"
    if found is None:
        return Check(
            name=name, requirement=requirement, found=None, outcome="not applicable",
            reason=absent, labels_needed=None,
        )  # fmt: skip
    outcome, reason = _decide(found, bound)
    needed = None
    if outcome == "inconclusive" and found.hidden is None:
        needed = _labels_needed(found, bound)
    return Check(
        name=name, requirement=requirement, found=found, outcome=outcome, reason=reason,
        labels_needed=needed,
    )  # fmt: skip


def _decide(found: Number, bound: float) -> tuple[Outcome, str]:
    if found.hidden is not None or found.undefined is not None:
        return "inconclusive", str(found.hidden or found.undefined)
    if found.low is None or found.high is None:
        return "inconclusive", "there is no interval to test"
    if found.low >= bound:
        return "pass", f"the lower bound {found.low:.3f} reaches {bound:g}"
    if found.high < bound:
        return "fail", f"even the upper bound {found.high:.3f} is below {bound:g}"
    return "inconclusive", f"the interval [{found.low:.3f}, {found.high:.3f}] holds {bound:g}"


def _labels_needed(found: Number, bound: float) -> int | None:
    """Labels in all that would bring the nearer end of the interval to the bound.

    >>> _labels_needed(Number(value=.58, low=.50, high=.66, n=300), .6)
    4800
    """
    if found.value is None or found.low is None or found.high is None:
        return None
    if found.value > bound:
        return labels_for_lower_bound(_estimate(found), bound)
    mirrored = Estimate(-found.value, -found.high, -found.low, n=found.n, clusters=found.clusters)
    return labels_for_lower_bound(mirrored, -bound)


def _estimate(found: Number) -> Estimate:
    return Estimate(
        found.value, found.low, found.high, n=found.n, clusters=found.clusters,
        undefined=found.undefined,
    )  # fmt: skip


def waiting(name: str, found: Number | None, bound: float, *, absent: str = ORDER_PROOF) -> Check:
    """A check that labels by people must decide, where there are none: it stays open.

    `found` rests on other labels. How many are needed is told as if people agreed with the judge
    as those labels do.

    >>> check = waiting("kappa", Number(value=.7, low=.65, high=.75, n=400), .6)
    >>> check.outcome, check.found, check.labels_needed
    ('inconclusive', None, 100)
    """
    if found is None:
        return above(name, found, bound, absent=absent)
    told = found.hidden is None and found.value != bound
    return Check(
        name=name, requirement=f"lower bound of {name} at least {bound:g}, against people",
        found=None, outcome="inconclusive", reason=NO_PEOPLE,
        labels_needed=_labels_needed(found, bound) if told else None,
    )  # fmt: skip


def worst(outcomes: Sequence[Outcome]) -> Literal["pass", "fail", "inconclusive"]:
    """Fail before inconclusive before pass; what does not apply does not count.

    >>> worst(["pass", "inconclusive", "not applicable"])
    'inconclusive'
    """
    if "fail" in outcomes:
        return "fail"
    return "inconclusive" if "inconclusive" in outcomes else "pass"
