"""Dry runs: a few items or responses first, and a decision before money is spent on the rest.

Interval bounds decide, never point values, so that few items cannot pass by luck. A dry run says
`pass`, `abort`, or `review`: the numbers do not settle it, and a person looks at them or draws more
items. It is no measurement of the judge: two models that agree can share their errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field, model_validator

from judgesmith.errors import DataError, RecipeError, nearest
from judgesmith.evaluation.cross_check import clusters_of, verdict_columns
from judgesmith.evaluation.scoring import Plan, number
from judgesmith.evaluation.teacher_reading import Teacher, TeacherReading, reading_of
from judgesmith.metrics.coding import Label, Verdict
from judgesmith.metrics.coverage import parsed_positions
from judgesmith.metrics.interval import cluster_bootstrap_kappa, wilson
from judgesmith.metrics.panel import against_each_other
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.result import Estimate
from judgesmith.metrics.sample_size import labels_for_lower_bound
from judgesmith.metrics.suppress import not_shown_because
from judgesmith.records import Item, Question
from judgesmith.report.results import Number, Result
from judgesmith.runs.recipe import Section


class Outcome(StrEnum):
    """What a dry run says; a later one in this list outweighs an earlier one."""

    PASS = "pass"
    REVIEW = "review"
    ABORT = "abort"


class Limits(Section):
    """When two teachers agree well enough to pay for the rest.

    `hard` names the buckets whose items, taken together, are tested by themselves; with None the
    whole is tested only. Kappa passes from `pass_above` on, the value that the gate asks of a
    student: a student is not better than labels on which two teachers differ. It aborts below
    `abort_below`. Of each model, coverage (judgments that could be parsed) and consistency (pairs
    with the same verdict in both orders, where both are asked) have bounds of their own: what
    contradicts itself gives no label and is paid for twice.
    """

    hard: tuple[str, ...] = ()
    pass_above: float = Field(0.6, ge=-1, le=1)
    abort_below: float = Field(0.4, ge=-1, le=1)
    coverage_pass: float = Field(0.8, ge=0, le=1)
    coverage_abort: float = Field(0.5, ge=0, le=1)
    consistency_pass: float = Field(0.6, ge=0, le=1)
    consistency_abort: float = Field(0.4, ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> "Limits":
        if (
            self.abort_below > self.pass_above
            or self.coverage_abort > self.coverage_pass
            or self.consistency_abort > self.consistency_pass
        ):
            raise ValueError("a run cannot abort above the value at which it passes")
        return self


class Check(Result):
    """One tested number.

    It passes if `pass_on` has its lower end at `pass_above` or more, and aborts if `abort_on` has
    its upper end below `abort_below`. Kappa is read twice: with items without a verdict of either
    model counted as disagreement, which must pass, and on the items on which both have a verdict,
    which must not abort.
    `items_needed` is how many items (responses, for a generator) a dry run of the same mix draws in
    all where the lower end reaches `pass_above`, if the value lies above it.
    """

    name: str
    pass_on: Number
    abort_on: Number
    pass_above: float
    abort_below: float
    outcome: Outcome
    reason: str
    items_needed: int | None


class BucketAgreement(Result):
    """Two models on one bucket: shown, not tested.

    `both` are the items on which both have a verdict. `kappa` counts the others as disagreement,
    `kappa_of_both` leaves them out.
    """

    bucket: str
    items: int
    both: int
    agree: int
    kappa: Number
    kappa_of_both: Number


class DryRun(Result):
    """The outcome, the worst of its checks, with every number that it rests on."""

    outcome: Outcome
    items: int
    models: tuple[str, ...]
    checks: tuple[Check, ...]
    teachers: tuple[TeacherReading, ...] = ()
    buckets: tuple[BucketAgreement, ...] = ()
    confidence: float


@dataclass(frozen=True)
class _Rows:
    """Two models' verdicts on some items."""

    x: Sequence[Verdict]
    y: Sequence[Verdict]
    clusters: Sequence[str]

    def of(self, kept: Sequence[int]) -> "_Rows":
        return _Rows(
            [self.x[i] for i in kept], [self.y[i] for i in kept], [self.clusters[i] for i in kept]
        )


def dry_run(
    items: Sequence[Item],
    models: tuple[Teacher, Teacher],
    *,
    questions: Mapping[str, Question],
    limits: Limits,
    plan: Plan,
) -> DryRun:
    """Whether two models agree well enough, overall and on the hard buckets, and can be read.

    A number that is undefined or must not be shown (fewer than `plan.least` items or groups, or one
    verdict over 90%) is a review. Intervals are BCa over groups, as the gate's; where all
    items agree they end at Wilson's bound. Two models whose kappa is exactly `pass_above` pass in
    2.3 to 3.2% of simulated dry runs of 20 to 100 items, and below it less often.

    Args:
        items: the items that both models were to judge, stratified by bucket.
        models: the two, see `teacher_reading.read_teacher`.
        questions: by id, for the groups.
        limits: thresholds and hard buckets.
        plan: seed, resamples, confidence and the least number of items.

    Raises:
        RecipeError: a hard bucket that no item is in.
        DataError: two models of one name.
    """
    if models[0].name == models[1].name:
        raise DataError(f"dry run: expected two models, found {models[0].name!r} twice")
    buckets = [item.bucket for item in items]
    for name in limits.hard:
        if name not in buckets:
            raise RecipeError(f"hard: no item is in bucket {name!r}; {nearest(name, buckets)}")
    first, second = verdict_columns(items, models).values()
    rows = _Rows(first, second, clusters_of(items, questions))
    hard = [i for i, bucket in enumerate(buckets) if bucket in limits.hard]
    places = {"kappa, all items": rows}
    if limits.hard:
        places["kappa, hard buckets"] = rows.of(hard)
    kappa_bounds = (limits.pass_above, limits.abort_below)
    checks = [
        _check(name, (_kappa_if_wrong(some, plan), _kappa(some, plan)), kappa_bounds, len(items))
        for name, some in places.items()
    ]
    readings = [reading_of(model, items, rows.clusters, plan) for model in models]
    for found in readings:
        checks += _reading_checks(found, limits, len(items))
    return DryRun(
        outcome=worst([check.outcome for check in checks]),
        items=len(items),
        models=(models[0].name, models[1].name),
        checks=tuple(checks),
        teachers=tuple(readings),
        buckets=tuple(
            _bucket(name, rows.of([i for i, b in enumerate(buckets) if b == name]), plan)
            for name in sorted(set(buckets))
        ),
        confidence=plan.confidence,
    )


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Abort before review before pass; nothing tested is a review.

    >>> worst([Outcome.PASS, Outcome.REVIEW]), worst([])
    (<Outcome.REVIEW: 'review'>, <Outcome.REVIEW: 'review'>)
    """
    return max(outcomes, key=list(Outcome).index, default=Outcome.REVIEW)


def _reading_checks(found: TeacherReading, limits: Limits, drawn: int) -> list[Check]:
    bounds = {
        "coverage": (found.coverage, (limits.coverage_pass, limits.coverage_abort)),
        "consistency": (found.consistency, (limits.consistency_pass, limits.consistency_abort)),
    }
    return [
        _check(f"{name}, {found.teacher}", (share, share), ends, drawn)
        for name, (share, ends) in bounds.items()
        if share is not None
    ]


def _check(
    name: str, found: tuple[Number, Number], bounds: tuple[float, float], drawn: int
) -> Check:
    outcome, reason = _outcome(*found, *bounds)
    return Check(
        name=name, pass_on=found[0], abort_on=found[1], pass_above=bounds[0],
        abort_below=bounds[1], outcome=outcome, reason=reason,
        items_needed=_needed(found[0], bounds[0], drawn) if outcome is Outcome.REVIEW else None,
    )  # fmt: skip


def _outcome(
    pass_on: Number, abort_on: Number, pass_above: float, abort_below: float
) -> tuple[Outcome, str]:
    for found in (abort_on, pass_on):
        missing = found.hidden or found.undefined or found.no_interval
        if missing is not None or found.low is None or found.high is None:
            return Outcome.REVIEW, missing or "there is no interval to test"
    assert abort_on.high is not None
    assert pass_on.low is not None
    if abort_on.high < abort_below:
        return Outcome.ABORT, f"even the upper end {abort_on.high:.3f} is below {abort_below:g}"
    if pass_on.low >= pass_above:
        return Outcome.PASS, f"the lower end {pass_on.low:.3f} reaches {pass_above:g}"
    return Outcome.REVIEW, (
        f"the lower end {pass_on.low:.3f} is below {pass_above:g}, and the upper end "
        f"{abort_on.high:.3f} is not below {abort_below:g}"
    )


def _needed(found: Number, bound: float, drawn: int) -> int | None:
    """Items in all that would bring the lower end to the bound, where the value lies above it.

    A number may rest on more than the items drawn, as on two judgments of each, or on fewer, as on
    pairs that were parsed twice: what it would need is told in items.
    """
    if found.hidden is not None or found.value is None or found.low is None:
        return None
    return labels_for_lower_bound(
        Estimate(found.value, found.low, found.high, n=drawn, clusters=found.clusters), bound
    )


def _options(plan: Plan) -> ResamplingOptions:
    return {
        "seed": plan.seed, "resamples": plan.resamples, "confidence": plan.confidence,
        "method": "bca",
    }  # fmt: skip


def _kappa(rows: _Rows, plan: Plan) -> Number:
    """Kappa on the items on which both models have a verdict."""
    kept = rows.of(parsed_positions(rows.x, rows.y))
    x, y = _labels(kept.x), _labels(kept.y)
    found = cluster_bootstrap_kappa(x, y, kept.clusters, **_options(plan))
    return number(found, _not_shown(x, y, kept.clusters, plan))


def _kappa_if_wrong(rows: _Rows, plan: Plan) -> Number:
    """Kappa on all items, one without a verdict of either being a disagreement."""
    x, y = against_each_other(rows.x, rows.y)
    found = cluster_bootstrap_kappa(x, y, rows.clusters, **_options(plan))
    return number(found, _not_shown(x, y, rows.clusters, plan))


def _not_shown(
    x: Sequence[Label], y: Sequence[Label], clusters: Sequence[str], plan: Plan
) -> str | None:
    groups = len(set(clusters))
    return (
        not_shown_because(x, least=plan.least)
        or not_shown_because(y, least=plan.least)
        or (f"only {groups} groups, fewer than {plan.least}" if groups < plan.least else None)
    )


def _labels(column: Sequence[Verdict]) -> list[Label]:
    return [verdict for verdict in column if verdict is not None]


def _bucket(name: str, rows: _Rows, plan: Plan) -> BucketAgreement:
    kept = rows.of(parsed_positions(rows.x, rows.y))
    return BucketAgreement(
        bucket=name,
        items=len(rows.x),
        both=len(kept.x),
        agree=sum(a == b for a, b in zip(kept.x, kept.y, strict=True)),
        kappa=_kappa_if_wrong(rows, plan),
        kappa_of_both=_kappa(rows, plan),
    )


class ResponseLimits(Section):
    """What a generator's first responses must show.

    `parse_rate` is the least share of responses whose answer can be read, `biased_share` the least
    share of biased ones among those: a pool that is too well-behaved gives no items to judge.
    """

    parse_rate: float = Field(0.5, ge=0, le=1)
    biased_share: float = Field(0.1, ge=0, le=1)


def response_dry_run(
    name: str, counts: tuple[int, int, int], *, limits: ResponseLimits, confidence: float = 0.95
) -> DryRun:
    """Whether a generator's first responses are worth paying for the others.

    A share below its limit aborts, whatever its interval: so few responses that can be used are to
    be looked at, not paid for. A share that reaches its limit passes only with its lower end, and
    is a review before. Intervals are Wilson's, for responses to questions of different groups.

    Args:
        name: of the generator.
        counts: responses asked for, of those parsed, of those biased.
        limits: the two shares.
        confidence: of the intervals.

    Raises:
        DataError: counts that do not fit into each other.

    20 of 40 parsed reaches .5, but its interval starts at .35; 1 of 20 biased is below .1:

    >>> found = response_dry_run("m", (40, 20, 1), limits=ResponseLimits())
    >>> [(check.name, check.outcome.value) for check in found.checks]
    [('parse rate', 'review'), ('biased share of parsed', 'abort')]
    """
    asked, parsed, biased = counts
    if not 0 <= biased <= parsed <= asked:
        raise DataError(f"{name}: expected biased <= parsed <= asked, found {counts!r}")
    checks = (
        _floor("parse rate", wilson(parsed, asked, confidence), limits.parse_rate, asked),
        _floor(
            "biased share of parsed", wilson(biased, parsed, confidence), limits.biased_share, asked
        ),
    )
    return DryRun(
        outcome=worst([check.outcome for check in checks]), items=asked, models=(name,),
        checks=checks, confidence=confidence,
    )  # fmt: skip


def _floor(name: str, found: Estimate, bound: float, asked: int) -> Check:
    share = number(found)
    if share.value is None or share.low is None:
        outcome, reason = Outcome.ABORT, f"nothing to count: {share.undefined}"
    elif share.value < bound:
        outcome, reason = Outcome.ABORT, f"{share.value:.3f} of {share.n} is below {bound:g}"
    elif share.low >= bound:
        outcome, reason = Outcome.PASS, f"the lower end {share.low:.3f} reaches {bound:g}"
    else:
        outcome = Outcome.REVIEW
        reason = f"{share.value:.3f} of {share.n} reaches {bound:g}, its lower end does not"
    return Check(
        name=name, pass_on=share, abort_on=share, pass_above=bound, abort_below=bound,
        outcome=outcome, reason=reason,
        items_needed=_needed(share, bound, asked) if outcome is Outcome.REVIEW else None,
    )  # fmt: skip
