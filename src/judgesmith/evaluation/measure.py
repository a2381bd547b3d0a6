"""Collected judgments -> an Evaluation: every judge, every slice, every paired comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from judgesmith.errors import DataError, nearest
from judgesmith.evaluation.collect import Collected
from judgesmith.evaluation.comparing import compare
from judgesmith.evaluation.foreign import (
    LONGER,
    baselines,
    judge_of,
    labelled_items,
    seen_by,
    slices_of,
    unlabelled_items,
)
from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.labels import Labels, choose_labels
from judgesmith.evaluation.scoring import Plan, Scored, SliceOfItems, score_slice, slice_info
from judgesmith.records import Direction
from judgesmith.report.results import Comparison, Evaluation, JudgeResult, Role

MOST_PAIRED = 12
"""Up to so many judges all pairs are compared; beyond, each with the one of the highest kappa."""


@dataclass(frozen=True)
class Subject:
    """What is measured, as the mapping and the user say it.

    `judges` are the judges to measure (all, where it is empty); `labels` the label policy;
    `limits` the lowest and highest score; `order_proof` the judges that see no order at all.
    """

    kind: str
    names: Direction | None
    scale: tuple[str, ...]
    tie: str | None
    labels: str
    judges: tuple[str, ...] = ()
    teacher: str | None = None
    student: str | None = None
    scores_of: tuple[tuple[str, str], ...] = ()
    limits: tuple[float, float] | None = None
    order_proof: tuple[str, ...] = ()

    @property
    def pairs(self) -> bool:
        """Whether an item holds two responses."""
        return self.kind == "pair"


@dataclass(frozen=True)
class Measured:
    """Labels, items, judges and slices; what every further part of a measurement starts from."""

    found: Collected
    subject: Subject
    labels: Labels
    rows: tuple[Scored, ...]
    judges: tuple[Judge, ...]
    rules: tuple[Judge, ...]
    parts: tuple[SliceOfItems, ...]
    plan: Plan


def prepare(found: Collected, subject: Subject, plan: Plan) -> Measured:
    """Choose labels, and bring judges and items together; `plan.scale` is filled in here.

    Raises:
        DataError: no label can be read, or no item has both a label and a judgment.
    """
    labels = choose_labels(found, subject.labels, pairs=subject.pairs)
    names = _judges(found, subject, labels)
    rows = labelled_items(found, labels)
    positions = range(len(found.where)) if labels.kind == "nobody" else labels.verdicts
    judges = tuple(
        _with_order(
            judge_of(found, name, _role(name, subject), positions, tie=subject.tie), subject
        )
        for name in names
    )
    if judges and not labels.numeric and not any(judge.verdicts for judge in judges):
        raise DataError(_do_not_meet(found, names, list(labels.verdicts)))
    judges = judges if labels.numeric else tuple(judge for judge in judges if judge.verdicts)
    scale = subject.scale or _observed(rows, judges)
    whole = replace(plan, scale=scale)
    labelled = bool(rows)
    if labels.kind == "nobody" and not subject.limits:
        rows = unlabelled_items(found, judges)
    rules = baselines(found, rows, scale, pairs=subject.pairs, seed=plan.seed) if labelled else []
    parts = tuple(slices_of(rows)) if rows else ()
    return Measured(found, subject, labels, rows, judges, tuple(rules), parts, whole)


def _judges(found: Collected, subject: Subject, labels: Labels) -> list[str]:
    known = found.judges()
    if labels.kind == "another judge":
        known = [name for name in known if name not in labels.by]
    unknown = [name for name in subject.judges if name not in known]
    if unknown:
        raise DataError(f"judge {unknown[0]!r} is not in the files; {nearest(unknown[0], known)}")
    return list(subject.judges) or known


def _do_not_meet(found: Collected, names: Sequence[str], labelled: Sequence[int]) -> str:
    """Say which ids, or else which criteria, labels and judgments have."""
    votes = [found.votes[key] for name in names for key in found.passes_of(name)]
    judged = next(position for one in votes for position in one.positions())
    where, ours = found.names, found.names[labelled[0]]
    ids = {where[i][0] for i in labelled}
    if any(where[i][0] in ids for one in votes for i in one.positions()):
        return (
            f"none of the {len(labelled)} labels is for a criterion that {', '.join(names[:5])} "
            f"judged: the first label is for {_criterion(ours[1])}, the first judgment for "
            f"{_criterion(where[judged][1])}. Give both the same column `criterion`, or neither."
        )
    return (
        f"none of the {len(labelled)} labelled items is judged by {', '.join(names[:5])}: the item "
        f"ids of labels and judgments do not meet. The first labelled is {ours[0]!r}, the first "
        f"judged {where[judged][0]!r}; write them alike."
    )


def _criterion(name: str | None) -> str:
    return "no criterion" if name is None else f"the criterion {name!r}"


def _with_order(judge: Judge, subject: Subject) -> Judge:
    """An order-proof judge has no second order that it could have been asked in."""
    if judge.name not in subject.order_proof:
        return judge
    return replace(judge, order_proof=True, both_orders=False, note="")


def _role(name: str, subject: Subject) -> Role:
    return (
        "teacher" if name == subject.teacher else
        "student" if name == subject.student else "judge"
    )  # fmt: skip


def _observed(rows: Sequence[Scored], judges: Sequence[Judge]) -> tuple[str, ...]:
    said = {row.label for row in rows}
    said |= {
        verdict
        for judge in judges
        for read in judge.verdicts.values()
        for verdict in (read.stored, read.swapped, read.averaged)
        if verdict is not None
    }
    return tuple(sorted(said))


def evaluation_of(measured: Measured) -> Evaluation:
    """Every judge and rule on every slice, each on the items that it judged; the best first."""
    subject, plan = measured.subject, measured.plan
    everyone = [*measured.judges, *measured.rules]
    results = [_result(judge, measured) for judge in everyone if measured.labels.verdicts]
    results.sort(key=lambda one: (one.role == "baseline", -_shown_kappa(one)))
    direction = "" if subject.names is None else f"a verdict names the {subject.names} response"
    return Evaluation(
        labels_kind=measured.labels.kind,
        labels_title=measured.labels.title,
        direction=direction,
        confidence=plan.confidence,
        resamples=plan.resamples,
        test_looks=None,
        slices=tuple(slice_info(part) for part in measured.parts),
        judges=tuple(results),
        comparisons=_comparisons(measured, results),
        domain_difference=None,
        published=(),
        examples=(),
    )


def _result(judge: Judge, measured: Measured) -> JudgeResult:
    slices = {}
    for part in measured.parts:
        seen = seen_by(judge, part)
        if seen.items:
            slices[part.name] = score_slice(judge, seen, measured.plan)
    missing = len(measured.rows) - len(judge.verdicts)
    absent = f"judged {len(judge.verdicts):,} of {len(measured.rows):,} labelled items"
    notes = [judge.note, absent if missing else ""]
    return JudgeResult(
        name=judge.name,
        role=judge.role,
        order_proof=judge.order_proof,
        note="; ".join(note for note in notes if note),
        slices=slices,
    )


def _comparisons(measured: Measured, results: Sequence[JudgeResult]) -> tuple[Comparison, ...]:
    """Pairs of judges, and each judge with the longer response, on the items both judged.

    With many judges the leader stands for one side of every pair. It was chosen on these items,
    so the adjustment counts all pairs that it could have been chosen from.
    """
    judges = list(measured.judges)
    if not measured.labels.verdicts or not judges:
        return ()
    every = [(a, b) for a, b in combinations(judges, 2) if a.verdicts.keys() & b.verdicts.keys()]
    pairs = every
    if len(judges) > MOST_PAIRED:
        first = _leader(results, [judge.name for judge in judges])
        pairs = [
            (a, b) if a.name == first else (b, a) for a, b in every if first in (a.name, b.name)
        ]
    unlisted = len(every) - len(pairs)
    longer = [rule for rule in measured.rules if rule.name == LONGER]
    pairs = pairs + [(judge, rule) for judge in judges for rule in longer]
    return compare(pairs, measured.parts[:1], measured.plan, unlisted=unlisted)


def _shown_kappa(one: JudgeResult) -> float:
    """Kappa on all items where it may be shown; else the lowest."""
    kappa = one.slices["all"].kappa if "all" in one.slices else None
    if kappa is None or kappa.value is None or kappa.hidden is not None:
        return -1.0
    return kappa.value


def _leader(results: Sequence[JudgeResult], names: Sequence[str]) -> str:
    """The judge whose kappa may be shown and is highest; else the first."""
    return next((one.name for one in results if one.name in names), names[0])
