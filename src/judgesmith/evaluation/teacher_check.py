"""The teacher against people, before its labels teach anybody: by bucket, with what contradicts.

Three things can be wrong, and each has a test of its own. The teacher is wrong more often than
right, over everything or where it and a person both name a response: a verdict's direction is
turned round, and its labels would teach the opposite. It agrees less than a dry run would let
through. Or its rubric is another one in one bucket.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from judgesmith.audits import Finding, Severity
from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.audits.rubric import TwiceJudged, rubric_findings, rubric_table
from judgesmith.evaluation.cross_check import ALL, clusters_of
from judgesmith.evaluation.scoring import Plan, number
from judgesmith.evaluation.teacher_reading import Teacher, contradicts
from judgesmith.metrics import cluster_bootstrap_kappa, mark_unparsed
from judgesmith.metrics.interval import cluster_bootstrap_rate
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.suppress import not_shown_because
from judgesmith.records import Item, Question
from judgesmith.report.results import Number

AUDIT = "teacher against people"
LEAST_KAPPA = 0.4
"""Agreement with people that is surely below this is warned of: a dry run aborts there, too."""
LETTERS = ("A", "B")


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

    Fatal, for all items together and from `plan.least` of them on: the upper end of kappa is below
    0, or that of the share of equal verdicts is below one half, or that share is where both name a
    response. A warning: the upper end of kappa is below `LEAST_KAPPA`, on all items or in a bucket.
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
    fatal = _fatal(judged, kappas[ALL], teacher.name, questions, plan)
    told = [] if fatal else [one for n, k in kappas.items() for one in _low(n, k, teacher.name)]
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


def _fatal(
    judged: Sequence[_Judged], kappa: Number, teacher: str, questions: Mapping[str, Question],
    plan: Plan,
) -> list[Finding]:  # fmt: skip
    """Why labels by this teacher would teach what people contradict; none where they do not."""
    with_verdict = [one for one in judged if one.said is not None]
    letters = [one for one in with_verdict if one.said in LETTERS and one.person in LETTERS]
    places = {
        "the items on which both have a verdict": with_verdict,
        "those on which both name a response": letters,
    }
    found = []
    for where, some in places.items():
        share = cluster_bootstrap_rate(
            [one.said == one.person for one in some],
            clusters_of([one.item for one in some], questions),
            **_options(plan),
        )
        if len(some) >= plan.least and share.high is not None and share.high < 0.5:
            agree = sum(one.said == one.person for one in some)
            found.append(
                f"{teacher} agrees with people on {agree} of {len(some)} of {where}, even the "
                f"upper end {share.high:.2f} being below one half"
            )
    if not found and kappa.hidden is None and kappa.high is not None and kappa.high < 0:
        found.append(
            f"kappa of {teacher} with people is {kappa.value:.2f}, its upper end "
            f"{kappa.high:.2f}: less than chance"
        )
    if not found:
        return []
    wrong = [one for one in judged if one.said != one.person]
    return [
        Finding(
            audit=AUDIT,
            severity=Severity.ERROR,
            message="; ".join(found),
            count=len(wrong),
            of=len(judged),
            examples=tuple(one.item.id for one in wrong)[:MAX_EXAMPLES],
            effect="a student learns what people contradict more often than not",
            remedy=(
                "see whether a verdict names the same response everywhere: the `direction` of "
                "labels.dialect, what its rubric asks for, and `names` in the file of labels by "
                "people; else take another teacher"
            ),
        )
    ]


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
