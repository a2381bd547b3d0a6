"""Several judges or people at once: the human ceiling, and a student beside its teacher."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations

from judgesmith.audits.ties import majority
from judgesmith.evaluation.collect import Collected, VoteKey
from judgesmith.evaluation.judges import Judge, Read
from judgesmith.evaluation.measure import Measured
from judgesmith.evaluation.scoring import number
from judgesmith.metrics import cluster_bootstrap_kappa, not_shown_because
from judgesmith.metrics.bootstrap import cluster_bootstrap
from judgesmith.metrics.correlation import spearman
from judgesmith.metrics.fidelity import repeats_teacher_errors
from judgesmith.metrics.probes import Probe as Measurement
from judgesmith.metrics.probes import (
    consistency_probe,
    longer_probe,
    position_bias_probe,
    probe_difference,
)
from judgesmith.metrics.raters import Level, krippendorff_alpha
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.report.evidence import Fidelity, Probe
from judgesmith.report.results import Number

MOST_PEOPLE = 12
"""With more annotators than this (a crowd), pairs of people are not listed."""

MOST_ALPHA = 10_000
"""Ratings up to which alpha among people gets an interval."""

Agreement = tuple[str, str, Number]
People = tuple[Agreement, ...]


def people_agreement(measured: Measured) -> People:
    """Each pair of people, and each person against the majority of the others.

    Kappa for verdicts, Spearman's rank correlation for scores. It is the ceiling: a judge cannot
    be shown to agree with people more than people agree with each other.
    """
    found = measured.found
    keys = _raters(measured)
    if not 2 <= len(keys) <= MOST_PEOPLE:
        return ()
    if measured.labels.numeric:
        return tuple(_scored_people(measured, keys))
    pairs = [
        _pair(measured, a.by, _said(found, a), b.by, _said(found, b))
        for a, b in combinations(keys, 2)
    ]
    others = [
        _pair(measured, key.by, _said(found, key), "majority of the others", rest)
        for key in keys
        if len(keys) > 2 and (rest := _rest(found, [k for k in keys if k != key]))
    ]
    return (*pairs, *others)


def _raters(measured: Measured) -> list[VoteKey]:
    """The people, without one whose label is what the others were adjudicated to."""
    keys = [k for k in measured.found.keys("person") if k.sample == 0 and not k.swapped]
    source = measured.labels.by if len(measured.labels.by) == 1 else ()
    others = [key for key in keys if key.by not in source]
    return others if len(others) > 1 else keys


def people_alpha(measured: Measured) -> dict[str, Number]:
    """Krippendorff's alpha among all people, by criterion."""
    return alpha_by_criterion(measured, _raters(measured))


def repeats_alpha(measured: Measured, judge: str) -> dict[str, Number]:
    """Krippendorff's alpha among a judge's repeated judgments in the stored order, by criterion."""
    keys = [key for key in measured.found.passes_of(judge) if not key.swapped]
    return alpha_by_criterion(measured, keys)


def alpha_by_criterion(measured: Measured, keys: Sequence[VoteKey]) -> dict[str, Number]:
    """Alpha among passes, nominal for verdicts, ordinal for grades, interval for other scores.

    Empty with fewer than two passes.
    """
    found = measured.found
    if len(keys) < 2:
        return {}
    ratings: dict[str, dict[int, list[str | float]]] = {}
    for key in keys:
        votes = found.votes[key]
        scored = not measured.subject.pairs and len(votes.scores) > 0
        for position in votes.positions():
            value = found.score(votes, position) if scored else found.verdict(votes, position)
            if value is not None:
                part = ratings.setdefault(found.names[position][1] or "all items", {})
                part.setdefault(position, []).append(value)
    return {name: _alpha(measured, rows, _level(rows)) for name, rows in ratings.items()}


def _level(rows: dict[int, list[str | float]]) -> Level:
    values = {value for row in rows.values() for value in row}
    if any(isinstance(value, str) for value in values):
        return "nominal"
    return "ordinal" if all(float(value).is_integer() for value in values) else "interval"


def _alpha(measured: Measured, rows: dict[int, list[str | float]], level: Level) -> Number:
    """With an interval where the items are few enough to resample them row by row.

    An item that one alone rated is in no pair of ratings, and so in neither n nor the clusters.
    """
    rows = {position: said for position, said in rows.items() if len(said) > 1} or rows
    items = list(rows.values())
    if sum(map(len, items)) > MOST_ALPHA:
        return number(krippendorff_alpha(items, level=level))
    clusters = [measured.found.clusters[position] for position in rows]
    options: ResamplingOptions = {**_options(measured), "resamples": 200}
    return number(
        cluster_bootstrap(partial(krippendorff_alpha, level=level), [items], clusters, **options)
    )


def _said(found: Collected, key: VoteKey) -> dict[int, str]:
    votes = found.votes[key]
    verdicts = ((i, found.verdict(votes, i)) for i in votes.positions())
    return {i: verdict for i, verdict in verdicts if verdict is not None}


def _rest(found: Collected, keys: Sequence[VoteKey]) -> dict[int, str]:
    ballots: dict[int, list[str]] = {}
    for key in keys:
        for position, verdict in _said(found, key).items():
            ballots.setdefault(position, []).append(verdict)
    chosen = ((i, majority(ballot)) for i, ballot in ballots.items())
    return {i: verdict for i, verdict in chosen if verdict is not None}


def _options(measured: Measured) -> ResamplingOptions:
    plan = measured.plan
    return {
        "seed": plan.seed, "resamples": plan.slice_resamples, "confidence": plan.confidence,
    }  # fmt: skip


def _pair(
    measured: Measured, a: str, first: dict[int, str], b: str, second: dict[int, str]
) -> Agreement:
    shared = [position for position in first if position in second]
    x, y = [first[i] for i in shared], [second[i] for i in shared]
    clusters = [measured.found.clusters[i] for i in shared]
    found = cluster_bootstrap_kappa(x, y, clusters, **_options(measured))
    return a, b, number(found, not_shown_because(y, least=measured.plan.least))


def _scored_people(measured: Measured, keys: Sequence[VoteKey]) -> Iterator[Agreement]:
    """By criterion: each pair of people, and each person against the mean of the others."""
    criteria = dict.fromkeys(name for _, name in measured.found.names)
    for criterion in criteria:
        said = {key.by: _scores(measured.found, key, criterion) for key in keys}
        of = "" if criterion is None else f", {criterion}"
        for a, b in combinations(said, 2):
            yield _scored_pair(measured, a, said[a], f"{b}{of}", said[b])
        for name in said if len(keys) > 2 else ():
            rest = _mean_of([scores for other, scores in said.items() if other != name])
            yield _scored_pair(measured, name, said[name], f"mean of the others{of}", rest)


def _scores(found: Collected, key: VoteKey, criterion: str | None) -> dict[int, float]:
    votes = found.votes[key]
    given = (
        (i, found.score(votes, i)) for i in votes.positions() if found.names[i][1] == criterion
    )
    return {i: score for i, score in given if score is not None}


def _mean_of(people: Sequence[dict[int, float]]) -> dict[int, float]:
    given: dict[int, list[float]] = {}
    for scores in people:
        for position, score in scores.items():
            given.setdefault(position, []).append(score)
    return {position: sum(scores) / len(scores) for position, scores in given.items()}


def _scored_pair(
    measured: Measured, a: str, one: dict[int, float], b: str, other: dict[int, float]
) -> Agreement:
    shared = [i for i in one if i in other]
    columns = [[one[i] for i in shared], [other[i] for i in shared]]
    options: ResamplingOptions = {**_options(measured), "resamples": 500}
    clusters = [measured.found.clusters[i] for i in shared]
    estimate = cluster_bootstrap(spearman, columns, clusters, **options)
    hidden = None if len(shared) >= measured.plan.least else f"only {len(shared)} items"
    return a, b, number(estimate, hidden)


def fidelity(measured: Measured) -> Fidelity | None:
    """Teacher and student on the items that both judged; None without both."""
    by_name = {judge.name: judge for judge in measured.judges}
    teacher = by_name.get(measured.subject.teacher or "")
    student = by_name.get(measured.subject.student or "")
    if teacher is None or student is None or not measured.labels.verdicts:
        return None
    rows = [
        row
        for row in measured.rows
        if row.item_id in teacher.verdicts and row.item_id in student.verdicts
    ]
    clusters = [row.cluster for row in rows]
    reads = [
        [judge.verdicts[row.item_id] for row in rows] for judge in (teacher, student)
    ]  # fmt: skip
    options = _options(measured)
    errors = repeats_teacher_errors(
        [read.averaged for read in reads[0]], [read.averaged for read in reads[1]],
        [row.label for row in rows], clusters, **options,
    )  # fmt: skip
    probes = []
    if measured.subject.pairs:
        words = [row.words for row in rows if row.words is not None]
        for name, (first, second) in _probes(teacher, student, reads, words).items():
            found = probe_difference(second, first, clusters, **options)
            probes.append(
                Probe(
                    name=name, teacher=number(found.second), student=number(found.first),
                    difference=number(found.difference),
                )
            )  # fmt: skip
    return Fidelity(
        teacher=teacher.name,
        student=student.name,
        repeated=number(errors.repeated),
        by_chance=number(errors.expected),
        probes=tuple(probes),
    )


def _probes(
    teacher: Judge, student: Judge, reads: Sequence[Sequence[Read]],
    words: Sequence[tuple[int, int]],
) -> dict[str, tuple[Measurement, Measurement]]:  # fmt: skip
    found = {}
    if teacher.both_orders and student.both_orders:
        orders = [([r.stored for r in side], [r.swapped for r in side]) for side in reads]
        found["consistency"] = tuple(consistency_probe(*one) for one in orders)
        found["position bias"] = tuple(position_bias_probe(*one) for one in orders)
    if len(words) == len(reads[0]):
        found["names the longer response"] = tuple(
            longer_probe([read.averaged for read in side], words) for side in reads
        )
    return {name: (both[0], both[1]) for name, both in found.items()}
