"""The panel's cross-check: which items several teachers judge, and what they agree on.

The subset is drawn by quota per bucket, so that rare hard buckets are seen as well as common easy
ones. A kappa over all of it is then that of this mix, not of the data; the tables say the mix.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.errors import RecipeError, nearest
from judgesmith.evaluation.scoring import Plan, number
from judgesmith.evaluation.teacher_reading import Teacher, contradicts, reading_of
from judgesmith.metrics.coding import Label, Verdict
from judgesmith.metrics.panel import KappaMatrix, Panel, kappa_matrix
from judgesmith.metrics.panel_errors import effective_votes, error_correlation
from judgesmith.metrics.probability import IntervalOptions
from judgesmith.metrics.result import Estimate
from judgesmith.records import Item, Question, keyed_rng

ALL = "all items"
UNCHECKED = "people judged none of these items outside a queue"
KINDS = ("items", "all agree", "disagree", "one contradicts itself", "not all read")
"""What `_outcome` says of an item, after the number of items."""


def equal_shares(supply: Mapping[str, int], total: int) -> dict[str, int]:
    """Divide a total evenly over buckets; what a bucket lacks is handed to the others.

    The largest level is found at which every bucket gives that many, or all it has; what is then
    left is handed out one by one, by name. No two buckets with enough items differ by more than 1.

    >>> equal_shares({"easy": 90, "hard": 5, "odd": 40}, 60)
    {'easy': 28, 'hard': 5, 'odd': 27}
    """
    left = min(total, sum(supply.values()))
    found = dict.fromkeys(sorted(supply), 0)
    while left > 0:
        open_buckets = [name for name in found if found[name] < supply[name]]
        step = max(1, left // len(open_buckets))
        for name in open_buckets:
            given = min(step, supply[name] - found[name], left)
            found[name] += given
            left -= given
    return found


def quotas(
    supply: Mapping[str, int], total: int, wanted: Mapping[str, int] | None = None
) -> dict[str, int]:
    """How many items each bucket gives.

    With `wanted`, its numbers, each as far as the bucket has items; a bucket that it does not name
    gives none, and what a bucket lacks is not made up by easier ones. Else equal shares of `total`.

    Raises:
        RecipeError: a number below 0, or a bucket that does not exist.

    >>> quotas({"easy": 90, "hard": 5}, 20, {"hard": 10, "easy": 4})
    {'easy': 4, 'hard': 5}
    """
    if total < 0 or any(count < 0 for count in (wanted or {}).values()):
        raise RecipeError(f"expected quotas of 0 or more, found {total!r} and {wanted!r}")
    for name in wanted or {}:
        if name not in supply:
            raise RecipeError(f"quotas: no item is in bucket {name!r}; {nearest(name, supply)}")
    if wanted is None:
        return equal_shares(supply, total)
    return {name: min(wanted.get(name, 0), supply[name]) for name in sorted(supply)}


def draw(items: Sequence[Item], quota: Mapping[str, int], *, seed: int, purpose: str) -> list[Item]:
    """The items that each bucket gives, drawn by seed, purpose and the item's id, in given order.

    A larger quota keeps what a smaller one drew, so that nothing is paid for twice.
    """
    members: dict[str, list[Item]] = {}
    for item in items:
        members.setdefault(item.bucket, []).append(item)
    kept: set[str] = set()
    for bucket, found in members.items():
        found.sort(key=lambda item: (keyed_rng(seed, purpose, item.id).random(), item.id))
        kept |= {item.id for item in found[: quota.get(bucket, 0)]}
    return [item for item in items if item.id in kept]


def supply_of(items: Sequence[Item]) -> dict[str, int]:
    """Items per bucket."""
    return dict(sorted(Counter(item.bucket for item in items).items()))


def quota_table(
    supply: Mapping[str, int], quota: Mapping[str, int], wanted: Mapping[str, int] | None = None
) -> dict[str, dict[str, int | None]]:
    """What each bucket has, was to give, and gives; `wanted` is None for equal shares.

    >>> quota_table({"hard": 5}, {"hard": 5}, {"hard": 10})
    {'hard': {'supply': 5, 'wanted': 10, 'drawn': 5}}
    """
    return {
        name: {
            "supply": supply[name],
            "wanted": None if wanted is None else wanted.get(name, 0),
            "drawn": quota.get(name, 0),
        }
        for name in supply
    }


def verdict_columns(items: Sequence[Item], teachers: Sequence[Teacher]) -> dict[str, list[Verdict]]:
    """Each teacher's verdicts on the items; None where it has none or was not asked."""
    return {
        teacher.name: [
            read.averaged if (read := teacher.verdicts.get(item.id)) else None for item in items
        ]
        for teacher in teachers
    }


def clusters_of(items: Sequence[Item], questions: Mapping[str, Question]) -> list[str]:
    """The group of each item's question: what intervals resample."""
    return [questions[item.question_id].group_id for item in items]


def cross_check(
    items: Sequence[Item],
    teachers: Sequence[Teacher],
    *,
    questions: Mapping[str, Question],
    people: Mapping[str, str],
    key: Mapping[str, str],
    plan: Plan,
) -> dict[str, Any]:
    """The panel on these items, as plain JSON values for a stage report.

    - `items`: how many by bucket, and on how many of them all teachers agree, two or more
      disagree, one contradicts itself in the other order while the others do not disagree, or not
      all were read and those that were agree: each item counts once.
    - `teachers`: how each was read on them, see `TeacherReading`.
    - `kappas`: Cohen's kappa of every two teachers on all items and on each bucket, with clustered
      interval. `kappa` counts an item without a verdict of either as a disagreement; `kappa of
      both` leaves out those items, of which `left out` is the number. Numbers not to be shown carry
      the reason.
    - `errors` and `errors against the key`: how far teachers err on the same items, and how many
      independent votes that leaves, against verdicts by people and against the answer key. A
      consensus of the same teachers would hide the errors that all of them share. None without
      such labels, with the reason beside those by people.

    Args:
        items: the items of the cross-check.
        teachers: the panel, one or more.
        questions: by id, for the groups.
        people: verdicts by people, by item id, none of them out of a queue; may be empty.
        key: the answer key's, likewise.
        plan: seed, resamples, confidence, and how many items make a number worth showing.

    Raises:
        DataError: no teachers.
    """
    columns = verdict_columns(items, teachers)
    clusters = clusters_of(items, questions)
    options: IntervalOptions = {
        "clusters": clusters, "seed": plan.seed, "resamples": plan.slice_resamples,
        "confidence": plan.confidence, "method": "bca",
    }  # fmt: skip
    buckets = [item.bucket for item in items]
    everything, *by_bucket = kappa_matrix(columns, buckets, least=plan.least, **options)
    errors = _errors(items, columns, clusters, people, plan)
    return {
        "items": _outcomes(items, teachers),
        "teachers": [
            reading_of(teacher, items, clusters, plan).model_dump(mode="json")
            for teacher in teachers
        ],
        "kappas": [
            _pairs(matrix)
            for matrix in (everything, *sorted(by_bucket, key=lambda found: str(found.bucket)))
        ],
        "errors": errors,
        "errors not measured": None if errors else UNCHECKED,
        "errors against the key": _errors(items, columns, clusters, key, plan),
        "confidence": plan.confidence,
        "resamples": plan.slice_resamples,
    }


def _outcomes(items: Sequence[Item], teachers: Sequence[Teacher]) -> dict[str, dict[str, int]]:
    """Counts of all items, then by bucket in the order of their names."""
    found = {name: Counter[str]() for name in (ALL, *supply_of(items))}
    for item in items:
        outcome = _outcome(item, teachers)
        for name in (ALL, item.bucket):
            found[name]["items"] += 1
            found[name][outcome] += 1
    return {name: {kind: counts[kind] for kind in KINDS} for name, counts in found.items()}


def _outcome(item: Item, teachers: Sequence[Teacher]) -> str:
    reads = [teacher.verdicts.get(item.id) for teacher in teachers]
    said = [None if read is None else read.averaged for read in reads]
    if len({verdict for verdict in said if verdict is not None}) > 1:
        return "disagree"
    if any(map(contradicts, reads)):
        return "one contradicts itself"
    return "not all read" if None in said else "all agree"


def _pairs(matrix: KappaMatrix) -> dict[str, Any]:
    return {
        "bucket": ALL if matrix.bucket is None else matrix.bucket,
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "kappa": _dump(pair.counted, pair.counted_not_shown),
                "kappa of both": _dump(pair.kappa, pair.not_shown),
                "left out": pair.left_out,
            }
            for pair in matrix.pairs
        ],
    }


def _errors(
    items: Sequence[Item], columns: Panel, clusters: Sequence[str], labels: Mapping[str, str],
    plan: Plan,
) -> dict[str, Any] | None:  # fmt: skip
    """Correlation of errors against labels; None without any."""
    rows = [position for position, item in enumerate(items) if item.id in labels]
    if not rows:
        return None
    truth: list[Label] = [labels[items[row].id] for row in rows]
    known = {name: [column[row] for row in rows] for name, column in columns.items()}
    options: IntervalOptions = {
        "clusters": [clusters[row] for row in rows], "seed": plan.seed,
        "resamples": plan.slice_resamples, "confidence": plan.confidence,
    }  # fmt: skip
    correlation = error_correlation(known, truth, **options)
    votes = effective_votes(known, truth, **options)
    # The mean is no better known than the pair that is known worst.
    least = _few(min([len(rows), *(pair.phi.n for pair in correlation.pairs)]), plan)
    return {
        "labels": len(rows),
        "mean correlation": _dump(correlation.mean, least),
        "effective votes": _dump(votes.votes, least),
        "members": votes.members,
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "correlation": _dump(pair.phi, _few(pair.phi.n, plan)),
                "both wrong": pair.both_wrong,
                "same wrong verdict": pair.same_error,
            }
            for pair in correlation.pairs
        ],
    }


def _few(n: int, plan: Plan) -> str | None:
    return f"only {n} labels, fewer than {plan.least}" if n < plan.least else None


def _dump(found: Estimate, hidden: str | None = None) -> dict[str, Any]:
    return number(found, hidden).model_dump(mode="json")
