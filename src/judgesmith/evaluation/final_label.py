"""One final verdict per item out of several teachers' judgments, by a stated policy.

Every item gets a decision: a verdict, or the reason why there is none. What cannot be decided stays
undecided; it never becomes a tie. Items that a teacher was not asked about and items whose reply
was not read are told apart.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pydantic import Field, model_validator

from judgesmith.audits.ties import majority
from judgesmith.errors import DataError, RecipeError, nearest
from judgesmith.evaluation.judges import ItemKey, Judge, Read, read_judgments, reasons
from judgesmith.metrics.coding import Label, Verdict
from judgesmith.metrics.dawid_skene import DawidSkene, dawid_skene
from judgesmith.records import Choice, Judgment
from judgesmith.runs.recipe import Section

LEAST_TEACHERS = 3
"""With two, no split vote says who was wrong: Dawid and Skene's model has no single solution."""
LEAST_ITEMS = 20
"""Items with two votes or more, below which accuracies are too uncertain to weigh votes by."""
MOST_ITERATIONS = 5_000
"""Votes that are little better than noise take up to a thousand; sensible ones a few dozen."""
PAIR_ORDERS = {(0, 1), (1, 0)}


class Policy(StrEnum):
    """How votes become a verdict; see `decide`."""

    PRIMARY = "primary"
    MAJORITY = "majority"
    UNANIMITY = "unanimity"
    WEIGHTED = "weighted"
    PERSON = "person"


class Why(StrEnum):
    """Why an item has its verdict, or has none."""

    PRIMARY = "the primary teacher's verdict"
    AGREED = "all votes agree"
    ONE_VOTE = "the only vote"
    MAJORITY = "majority"
    WEIGHTED = "weighted votes"
    NOT_ASKED = "no teacher was asked"
    UNREAD = "no teacher was read"
    PRIMARY_NOT_ASKED = "the primary teacher was not asked"
    PRIMARY_UNREAD = "the primary teacher was not read"
    FEW_VOTES = "fewer votes than the quorum"
    SOME_UNREAD = "a teacher was not read"
    DISAGREE = "the teachers disagree"
    NO_MAJORITY = "no majority"
    NOT_SURE = "the weighted votes are not sure enough"
    NOT_WEIGHED = "too little to weigh votes by"


class FinalLabel(Section):
    """How the final verdict is chosen.

    `primary` names the teacher of that policy. `least_posterior` is what `weighted` asks for: of
    the labels that just reach .9, one in ten is wrong by the model's own count. `quorum` is the
    smallest number of votes that may decide; `primary` has none.
    """

    policy: Policy = Policy.PRIMARY
    primary: str | None = None
    least_posterior: float = Field(0.9, gt=0.5, lt=1)
    quorum: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _named(self) -> "FinalLabel":
        if (self.policy is Policy.PRIMARY) != (self.primary is not None):
            raise ValueError("`primary` names a teacher exactly where the policy is `primary`")
        return self


@dataclass(frozen=True, slots=True)
class Decision:
    """The final verdict on one item, in item order, or why there is none.

    Attributes:
        item_id: the item.
        verdict: None where the policy cannot decide.
        confidence: a probability, where the policy has one: the primary teacher's own, or the
            posterior of weighted votes. A share of votes is none; see `votes` and `read`.
        why: the reason.
        votes: teachers that gave this verdict; 0 without one.
        read: teachers with a verdict on the item.
        asked: teachers with a judgment of the item, read or not.
        to_person: whether it goes into the disagreement queue.
    """

    item_id: str
    verdict: str | None
    confidence: float | None
    why: Why
    votes: int
    read: int
    asked: int
    to_person: bool = False


def read_teacher(
    name: str, judgments: Iterable[Judgment], *, tie: str | None, margin: float | None = None
) -> Judge:
    """One teacher's verdicts in item order; both orders of a pair make one verdict.

    See `read_judgments` for how. An item judged in one order only has that order's verdict. Of
    repeated samples the first counts. `tie` is what two orders that contradict each other make;
    with None such an item is unread. `margin` is for teachers that score each response alone.

    Raises:
        DataError: several judges or dialects, or orders that are not those of a pair.
    """
    kept: dict[tuple[str, tuple[int, ...]], Judgment] = {}
    for judgment in sorted(judgments, key=lambda judgment: judgment.sample):
        kept.setdefault((judgment.item_id, judgment.order), judgment)
    _check_one(name, kept.values())
    judge = read_judgments(name, "teacher", kept.values(), tie=tie, margin=margin)
    if judge.order_proof:
        return judge
    by_item: dict[str, list[Judgment]] = {}
    for judgment in kept.values():
        by_item.setdefault(judgment.item_id, []).append(judgment)
    for item, both in by_item.items():
        orders = {judgment.order for judgment in both}
        if len(orders) > 1 and orders != PAIR_ORDERS:
            raise DataError(
                f"teacher {name!r}, item {item}: expected one order, or both of a pair, found "
                f"{sorted(orders)!r}. Only pairs are averaged over orders."
            )
    alone: dict[ItemKey, Read] = {
        item: _one_order(both[0]) for item, both in by_item.items() if len(both) == 1
    }
    verdicts = {**judge.verdicts, **alone}
    return replace(judge, verdicts=verdicts, both_orders=len(alone) < len(by_item))


def read_teachers(
    judgments: Iterable[Judgment], *, tie: str | None, margins: Mapping[str, float] | None = None
) -> list[Judge]:
    """Each judge of the judgments as a teacher, by name; see `read_teacher`."""
    by_judge: dict[str, list[Judgment]] = {}
    for judgment in judgments:
        by_judge.setdefault(judgment.judge, []).append(judgment)
    return [
        read_teacher(name, by_judge[name], tie=tie, margin=(margins or {}).get(name))
        for name in sorted(by_judge)
    ]


def _check_one(name: str, judgments: Iterable[Judgment]) -> None:
    found = sorted({(judgment.judge, judgment.dialect) for judgment in judgments})
    if len(found) > 1:
        raise DataError(
            f"teacher {name!r}: expected judgments of one judge in one dialect, found {found!r}"
        )


def _one_order(judgment: Judgment) -> Read:
    verdict = judgment.in_item_order()
    value = verdict.value if isinstance(verdict, Choice) else None
    chances = judgment.distribution_in_item_order() or {}
    probability = None if value is None else chances.get(value)
    stored = judgment.order == tuple(sorted(judgment.order))
    return Read(
        value if stored else None, None if stored else value, value, probability, reasons(judgment)
    )


def decide(items: Sequence[str], teachers: Sequence[Judge], rule: FinalLabel) -> list[Decision]:
    """One decision per item, in the order of the items.

    - `primary`: the named teacher's verdict, whatever the others say.
    - `majority`: the verdict of more than half of the teachers that were read.
    - `unanimity`: the verdict of all teachers that were asked; one that was not read prevents it.
    - `person`: as unanimity, and every item that it leaves open goes to a person.
    - `weighted`: the most probable verdict by `weigh`, where its posterior reaches
      `least_posterior`.

    Args:
        items: ids of the items.
        teachers: see `read_teacher`; a teacher without a verdict entry was not asked.
        rule: policy and thresholds.

    Raises:
        RecipeError: no teacher, two of one name, no teacher named `primary`, or too few teachers
            to weigh.

    >>> said = {"x": Read("A", "A", "A"), "y": Read("A", "B", None)}
    >>> ann = Judge("ann", "teacher", False, "", said)
    >>> bob = Judge("bob", "teacher", False, "", {"x": Read("B", "B", "B")})
    >>> [d.why.name for d in decide(["x", "y", "z"], [ann, bob], FinalLabel(policy="majority"))]
    ['NO_MAJORITY', 'UNREAD', 'NOT_ASKED']
    """
    check_teachers([teacher.name for teacher in teachers], rule)
    if rule.policy is Policy.PRIMARY:
        (primary,) = (teacher for teacher in teachers if teacher.name == rule.primary)
        return [_primary(item, primary, teachers) for item in items]
    if rule.policy is Policy.WEIGHTED:
        return _weighted(items, teachers, rule)
    choose = _majority if rule.policy is Policy.MAJORITY else _unanimity
    found = [
        _without(ballot, rule.quorum) or choose(ballot) for ballot in _ballots(items, teachers)
    ]
    if rule.policy is not Policy.PERSON:
        return found
    return [replace(d, to_person=d.verdict is None and d.asked > 0) for d in found]


def check_teachers(names: Sequence[str], rule: FinalLabel) -> None:
    """Say before anything is paid for that these teachers cannot carry out the policy.

    Raises:
        RecipeError: see `decide`.
    """
    if not names or len(set(names)) < len(names):
        raise RecipeError(f"teachers: expected one or more different names, found {list(names)!r}")
    if rule.primary is not None and rule.primary not in names:
        raise RecipeError(f"no teacher is named {rule.primary!r}; {nearest(rule.primary, names)}")
    if rule.policy is Policy.WEIGHTED and len(names) < LEAST_TEACHERS:
        raise RecipeError(
            f"policy `weighted` expects {LEAST_TEACHERS} teachers or more, found {list(names)!r}: "
            "two votes do not show who is wrong. Add a teacher, or take another policy."
        )
    if rule.policy is not Policy.PRIMARY and rule.quorum > len(names):
        raise RecipeError(f"quorum: expected at most {len(names)} votes, found {rule.quorum}")


@dataclass(frozen=True, slots=True)
class _Ballot:
    """What the asked teachers said of an item; None is unread."""

    item_id: str
    said: tuple[str | None, ...]

    @property
    def votes(self) -> list[str]:
        return [vote for vote in self.said if vote is not None]

    def decision(
        self, why: Why, verdict: str | None = None, confidence: float | None = None
    ) -> Decision:
        votes = self.votes
        return Decision(
            self.item_id, verdict, confidence, why,
            votes=0 if verdict is None else votes.count(verdict),
            read=len(votes), asked=len(self.said),
        )  # fmt: skip


def _ballots(items: Sequence[str], teachers: Sequence[Judge]) -> list[_Ballot]:
    return [
        _Ballot(item, tuple(t.verdicts[item].averaged for t in teachers if item in t.verdicts))
        for item in items
    ]


def _without(ballot: _Ballot, quorum: int) -> Decision | None:
    """The decision on an item with too few votes for any policy; None where there are enough."""
    if not ballot.said:
        return ballot.decision(Why.NOT_ASKED)
    if not ballot.votes:
        return ballot.decision(Why.UNREAD)
    return ballot.decision(Why.FEW_VOTES) if len(ballot.votes) < quorum else None


def _primary(item: str, primary: Judge, teachers: Sequence[Judge]) -> Decision:
    (ballot,) = _ballots([item], teachers)
    read = primary.verdicts.get(item)
    if read is None:
        return ballot.decision(Why.PRIMARY_NOT_ASKED)
    if read.averaged is None:
        return ballot.decision(Why.PRIMARY_UNREAD)
    return ballot.decision(Why.PRIMARY, read.averaged, read.probability)


def _majority(ballot: _Ballot) -> Decision:
    votes = ballot.votes
    if len(set(votes)) == 1:
        return ballot.decision(Why.AGREED if len(votes) > 1 else Why.ONE_VOTE, votes[0])
    top = majority(votes)
    if top is None or 2 * votes.count(top) <= len(votes):
        return ballot.decision(Why.NO_MAJORITY)
    return ballot.decision(Why.MAJORITY, top)


def _unanimity(ballot: _Ballot) -> Decision:
    votes = ballot.votes
    if len(set(votes)) > 1:
        return ballot.decision(Why.DISAGREE)
    if len(votes) < len(ballot.said):
        return ballot.decision(Why.SOME_UNREAD)
    return ballot.decision(Why.AGREED if len(votes) > 1 else Why.ONE_VOTE, votes[0])


def weigh(items: Sequence[str], teachers: Sequence[Judge]) -> DawidSkene | None:
    """Dawid and Skene's model of the teachers' verdicts; None where there is too little to fit.

    That is with fewer than `LEAST_TEACHERS` teachers that were read at all, fewer than
    `LEAST_ITEMS` items with two votes, or votes on which the fit does not settle. Its rows are the
    items, its raters the teachers' names. Teachers that err together make its posteriors too sure:
    see the cross-check's correlations.
    """
    columns: dict[str, list[Verdict]] = {
        teacher.name: [
            read.averaged if (read := teacher.verdicts.get(item)) else None for item in items
        ]
        for teacher in teachers
    }
    columns = {name: column for name, column in columns.items() if any(column)}
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    several = sum(len(row) - row.count(None) > 1 for row in rows)
    if len(columns) < LEAST_TEACHERS or several < LEAST_ITEMS:
        return None
    fitted = dawid_skene(rows, list(columns), max_iterations=MOST_ITERATIONS)
    return fitted if fitted.converged else None


def expected_accuracy(fitted: DawidSkene, name: str) -> float:
    """How often the model expects a rater to be right: its diagonal, weighed by the priors.

    >>> fitted = dawid_skene([["A", "A", "A"], ["B", "B", "A"]] * 20, ["ann", "bob", "lazy"])
    >>> round(expected_accuracy(fitted, "lazy"), 3)
    0.5
    """
    shares = fitted.confusions[name]
    return sum(prior * shares[k][k] for k, prior in enumerate(fitted.priors))


def _weighted(items: Sequence[str], teachers: Sequence[Judge], rule: FinalLabel) -> list[Decision]:
    fitted = weigh(items, teachers)
    if fitted is None:
        return [
            _without(ballot, rule.quorum) or ballot.decision(Why.NOT_WEIGHED)
            for ballot in _ballots(items, teachers)
        ]
    found = []
    chosen = fitted.verdicts(least=rule.least_posterior)
    for ballot, verdict, posterior in zip(
        _ballots(items, teachers), chosen, fitted.posteriors, strict=True
    ):
        short = _without(ballot, rule.quorum)
        if short is not None or verdict is None or posterior is None:
            found.append(short or ballot.decision(Why.NOT_SURE))
        else:
            found.append(_sure(ballot, verdict, max(posterior)))
    return found


def _sure(ballot: _Ballot, verdict: Label, posterior: float) -> Decision:
    return ballot.decision(Why.WEIGHTED, str(verdict), min(1.0, posterior))


def undecided(decisions: Iterable[Decision]) -> dict[str, int]:
    """How many items have no verdict, by reason: what a stage report counts as dropped."""
    return dict(Counter(d.why.value for d in decisions if d.verdict is None))


def decision_table(decisions: Sequence[Decision]) -> dict[str, object]:
    """Decisions by reason, by verdict, and how many go to a person, as plain JSON values."""
    return {
        "items": len(decisions),
        "decided": sum(d.verdict is not None for d in decisions),
        "to a person": sum(d.to_person for d in decisions),
        "by reason": dict(Counter(d.why.value for d in decisions)),
        "by verdict": dict(sorted(Counter(d.verdict for d in decisions if d.verdict).items())),
    }
