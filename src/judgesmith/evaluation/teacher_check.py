"""The teacher against people, before its labels teach anybody: by bucket, with what contradicts.

Three things can be wrong, and each has a test of its own. Where it and a person both name a
response, the teacher names the other one more often than not, or it agrees less than by chance: a
verdict's direction is turned round, and its labels would teach the opposite. It agrees less than a
dry run would let through, as one does that calls a tie too often. Or its rubric is another one in
one bucket.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from judgesmith.audits import Finding, Severity
from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.audits.rubric import TwiceJudged, rubric_findings, rubric_table
from judgesmith.evaluation.cross_check import ALL, clusters_of
from judgesmith.evaluation.scoring import Plan, number
from judgesmith.evaluation.teacher_reading import Teacher, contradicts
from judgesmith.metrics import cluster_bootstrap_kappa, mark_unparsed
from judgesmith.metrics.interval import cluster_bootstrap_rate, wilson
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.suppress import not_shown_because
from judgesmith.records import Item, Question
from judgesmith.report.results import Number

AUDIT = "teacher against people"
LEAST_KAPPA = 0.4
"""Agreement with people that is surely below this is warned of: a dry run aborts there, too."""
LEAST_GROUPS = 20
"""Groups of judged items below which nothing stops: of few, one that fails can turn the whole."""
LETTERS = ("A", "B")
TURNED = (
    "a student learns what people contradict more often than not",
    "see whether a verdict names the same response everywhere: the `direction` of labels.dialect, "
    "what its rubric asks for, and `names` in the file of labels by people; else take another "
    "teacher",
)
"""Effect and remedy where a verdict's direction may be turned round."""
OFTEN = (
    "a student learns labels that people would mostly not give",
    "see which verdict the teacher gives too often, and mend what the rubric says of it, or take "
    "another teacher",
)
"""Effect and remedy where verdicts differ, and not by their direction."""


class AgainstPeople(NamedTuple):
    """Rows of the table; findings that stop the stage; and findings to be shown beside it."""

    rows: list[dict[str, Any]]
    fatal: list[Finding]
    findings: list[Finding]


class _Judged(NamedTuple):
    """One item that people judged: what the teacher says (None without a verdict) and they."""

    item: Item
    said: str | None
    person: str


def against_people(
    items: Sequence[Item], teacher: Teacher, people: Mapping[str, str], *,
    questions: Mapping[str, Question], plan: Plan,
) -> AgainstPeople:  # fmt: skip
    """A row for all items and one per bucket, and what is wrong with the teacher.

    A row holds the items that people judged, on how many the teacher has a verdict, on how many it
    contradicts itself in the other order, and kappa with an item without a verdict counted as wrong
    (BCa over groups); a kappa that must not be shown carries its reason.

    Fatal, for all items together and from `LEAST_GROUPS` groups on: where both name a response, the
    upper end of the share of equal ones is below one half (however few they are: the bound is guard
    enough); or the upper end of kappa is below 0. With fewer groups the same is a warning, also
    where there is no interval. Two more warnings: over all items the share of equal verdicts is
    surely below one half, and the upper end of kappa is below `LEAST_KAPPA`, on all items or in a
    bucket; a teacher that calls a tie too often shows so, and is not turned round.
    Rubric conflicts are looked for among the items on which both have a verdict, see
    `audits.rubric`.

    Args:
        items: the items; those that no person judged are left out.
        teacher: its verdicts in item order.
        people: verdicts by people in item order, by item id. They must not have been asked because
            teachers disagreed: on such items every teacher looks bad.
        questions: by id, for the groups.
        plan: seed, resamples, confidence and the least number of items.
    """
    judged = [_Judged(i, _said(teacher, i), people[i.id]) for i in items if i.id in people]
    buckets = {ALL: judged} | {
        name: [one for one in judged if one.item.bucket == name]
        for name in sorted({one.item.bucket for one in judged})
    }
    rows, kappas = [], {}
    for name, some in buckets.items():
        kappas[name] = _kappa(some, questions, plan)
        rows.append(_row(name, some, teacher, kappas[name]))
    turned = _turned(judged, kappas[ALL], teacher.name, questions, plan)
    fatal = [one for one in turned if one.severity is Severity.ERROR]
    told = [one for one in turned if one.severity is not Severity.ERROR]
    if not turned:
        told += _differs(judged, teacher.name, questions, plan)
    if not fatal:
        told += [one for n, k in kappas.items() for one in _low(n, k, teacher.name)]
    both = [
        TwiceJudged(one.item.id, one.item.bucket, teacher=one.said, person=one.person)
        for one in judged
        if one.said is not None
    ]
    return AgainstPeople(
        rows, fatal, [*told, *(rubric_findings(rubric_table(both)) if both else [])]
    )


def _said(teacher: Teacher, item: Item) -> str | None:
    read = teacher.verdicts.get(item.id)
    return None if read is None else read.averaged


def _options(plan: Plan) -> ResamplingOptions:
    return {
        "seed": plan.seed, "resamples": plan.resamples, "confidence": plan.confidence,
        "method": "bca",
    }  # fmt: skip


def _kappa(judged: Sequence[_Judged], questions: Mapping[str, Question], plan: Plan) -> Number:
    labels = [one.person for one in judged]
    found = cluster_bootstrap_kappa(
        mark_unparsed([one.said for one in judged]), labels,
        clusters_of([one.item for one in judged], questions), **_options(plan),
    )  # fmt: skip
    return number(found, not_shown_because(labels, least=plan.least))


def _row(name: str, judged: Sequence[_Judged], teacher: Teacher, kappa: Number) -> dict[str, Any]:
    return {
        "bucket": name,
        "teacher": teacher.name,
        "items": len(judged),
        "with a verdict": sum(one.said is not None for one in judged),
        "contradicts itself": sum(contradicts(teacher.verdicts.get(o.item.id)) for o in judged),
        "agree": sum(one.said == one.person for one in judged),
        "kappa": kappa.model_dump(mode="json"),
    }


def _turned(
    judged: Sequence[_Judged], kappa: Number, teacher: str, questions: Mapping[str, Question],
    plan: Plan,
) -> list[Finding]:  # fmt: skip
    """Why labels by this teacher would teach what people contradict; none where they do not.

    An error where it is sure, a warning where it rests on too few groups to be.
    """
    signs = [*_other_letter(judged, teacher, questions, plan), *_below_chance(kappa, teacher)]
    if not signs:
        return []
    said = [sign.message for sign in signs]
    groups = len(set(clusters_of([one.item for one in judged], questions)))
    if groups < LEAST_GROUPS:
        said.append(f"with {groups} groups, fewer than {LEAST_GROUPS}, this settles nothing")
    sure = groups >= LEAST_GROUPS and any(sign.sure for sign in signs)
    severity = Severity.ERROR if sure else Severity.WARNING
    return [_finding(severity, "; ".join(said), judged, TURNED)]


class _Sign(NamedTuple):
    """A sign that verdicts are turned round, and whether its interval over groups shows it, too."""

    message: str
    sure: bool


def _other_letter(
    judged: Sequence[_Judged], teacher: str, questions: Mapping[str, Question], plan: Plan
) -> list[_Sign]:
    letters = [one for one in judged if one.said in LETTERS and one.person in LETTERS]
    agree = sum(one.said == one.person for one in letters)
    bound = wilson(agree, len(letters), plan.confidence).high
    if bound is None or bound >= 0.5:
        return []
    high = _upper(letters, questions, plan)
    sure = high is not None and high < 0.5
    message = (
        f"where both name a response, {teacher} names the same one as people on {agree} of "
        f"{len(letters)} items"
    )
    if high is None or not sure:
        return [_Sign(f"{message}, of too few groups", sure=False)]
    return [_Sign(f"{message}, even the upper end {high:.2f} being below one half", sure=True)]


def _below_chance(kappa: Number, teacher: str) -> list[_Sign]:
    if kappa.hidden is not None or kappa.value is None:
        return []
    message = f"kappa of {teacher} with people is {kappa.value:.2f}"
    if kappa.high is None:
        without = f"{message}: less than chance, without an interval"
        return [_Sign(without, sure=False)] if kappa.value < 0 else []
    if kappa.high >= 0:
        return []
    return [_Sign(f"{message}, its upper end {kappa.high:.2f}: less than chance", sure=True)]


def _upper(some: Sequence[_Judged], questions: Mapping[str, Question], plan: Plan) -> float | None:
    """The upper end of the share of equal verdicts; None without an interval.

    The larger one of the bootstrap's over groups and of Wilson's with groups in the place of items:
    of a few groups the bootstrap says too little.
    """
    clusters = clusters_of([one.item for one in some], questions)
    groups = len(set(clusters))
    share = cluster_bootstrap_rate(
        [one.said == one.person for one in some], clusters, **_options(plan)
    )
    if share.value is None or share.high is None:
        return None
    by_group = wilson(ceil(share.value * groups - 1e-9), groups, plan.confidence).high
    return None if by_group is None else max(share.high, by_group)


def _differs(
    judged: Sequence[_Judged], teacher: str, questions: Mapping[str, Question], plan: Plan
) -> list[Finding]:
    """A warning where verdicts are surely equal on less than half of the items, ties counted."""
    both = [one for one in judged if one.said is not None]
    high = _upper(both, questions, plan)
    if len(both) < plan.least or high is None or high >= 0.5:
        return []
    agree = sum(one.said == one.person for one in both)
    said = Counter(one.said for one in both)
    people = Counter(one.person for one in both)
    counts = ", ".join(
        f"{verdict} {said[verdict]} and {people[verdict]}"
        for verdict in plan.scale
        if said[verdict] or people[verdict]
    )
    message = (
        f"{teacher} agrees with people on {agree} of the {len(both)} items on which both have a "
        f"verdict, even the upper end {high:.2f} being below one half; it and they say: {counts}"
    )
    return [_finding(Severity.WARNING, message, judged, OFTEN)]


def _finding(
    severity: Severity, message: str, judged: Sequence[_Judged], told: tuple[str, str]
) -> Finding:
    wrong = [one for one in judged if one.said != one.person]
    return Finding(
        audit=AUDIT,
        severity=severity,
        message=message,
        count=len(wrong),
        of=len(judged),
        examples=tuple(one.item.id for one in wrong)[:MAX_EXAMPLES],
        effect=told[0],
        remedy=told[1],
    )


def _low(name: str, kappa: Number, teacher: str) -> list[Finding]:
    if kappa.hidden is not None or kappa.high is None or kappa.high >= LEAST_KAPPA:
        return []
    return [
        Finding(
            audit=AUDIT,
            severity=Severity.WARNING,
            message=(
                f"{name}: kappa of {teacher} with people is {kappa.value:.2f}, even its upper end "
                f"{kappa.high:.2f} is below {LEAST_KAPPA:g}"
            ),
            count=0,
            of=kappa.n,
            examples=(),
            effect="a student learns labels that people would often not give",
            remedy=(
                "read some of these judgments beside those by people, and mend the rubric or take "
                "another teacher"
            ),
        )
    ]
