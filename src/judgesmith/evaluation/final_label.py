"""One final verdict per item out of several teachers' judgments, by a stated policy.

Every item gets a decision: a verdict, or the reason why there is none. What cannot be decided stays
undecided; it never becomes a tie. Items that a teacher was not asked about, items whose reply was
not read, and items on which a teacher contradicts itself are told apart.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pydantic import Field, model_validator

from judgesmith.audits.ties import majority
from judgesmith.errors import RecipeError, nearest
from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.teacher_reading import contradicts
from judgesmith.evaluation.weighing import LEAST_TEACHERS, weigh
from judgesmith.records import Label
from judgesmith.runs.recipe import Section


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
    CONTRADICTS = "a teacher contradicts itself in the other order"
    PRIMARY_NOT_ASKED = "the primary teacher was not asked"
    PRIMARY_UNREAD = "the primary teacher was not read"
    PRIMARY_CONTRADICTS = "the primary teacher contradicts itself in the other order"
    FEW_VOTES = "fewer votes than the quorum"
    SOME_UNREAD = "a teacher was not read"
    DISAGREE = "the teachers disagree"
    NO_MAJORITY = "no majority"
    NOT_SURE = "the weighted votes are not sure enough"
    NOT_WEIGHED = "too little to weigh votes by"
    A_PERSON = "a person's verdict"
    PEOPLE_DISAGREE = "people disagree"


NO_REASON = "no label with a reason"
NO_TEACHER_SAYS_SO = "a person decided, no teacher's reason says the same"


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
        asked: teachers with a judgment of the item, with or without a verdict.
        to_person: whether it goes into the disagreement queue.
        leaning: the most probable verdict where weighted votes are not sure enough of it.
        teachers_said: what it was before a person decided; None where it was open.
    """

    item_id: str
    verdict: str | None
    confidence: float | None
    why: Why
    votes: int
    read: int
    asked: int
    to_person: bool = False
    leaning: str | None = None
    teachers_said: str | None = None


def decide(items: Sequence[str], teachers: Sequence[Judge], rule: FinalLabel) -> list[Decision]:
    """One decision per item, in the order of the items.

    - `primary`: the named teacher's verdict, whatever the others say.
    - `majority`: the verdict of more than half of the teachers that were read.
    - `unanimity`: the verdict of all teachers that were asked; one without a verdict prevents it.
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

    >>> from judgesmith.evaluation.judges import Read
    >>> said = {"x": Read("A", "A", "A"), "y": Read("A", "B", None)}
    >>> ann = Judge("ann", "teacher", False, "", said)
    >>> bob = Judge("bob", "teacher", False, "", {"x": Read("B", "B", "B")})
    >>> [d.why.name for d in decide(["x", "y", "z"], [ann, bob], FinalLabel(policy="majority"))]
    ['NO_MAJORITY', 'CONTRADICTS', 'NOT_ASKED']
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
    """What the asked teachers said of an item; None is no verdict, unread or contradicted."""

    item_id: str
    said: tuple[str | None, ...]
    contradicted: bool = False

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
    found = []
    for item in items:
        reads = [t.verdicts[item] for t in teachers if item in t.verdicts]
        found.append(
            _Ballot(item, tuple(read.averaged for read in reads), any(map(contradicts, reads)))
        )
    return found


def _without(ballot: _Ballot, quorum: int) -> Decision | None:
    """The decision on an item with too few votes for any policy; None where there are enough."""
    if not ballot.said:
        return ballot.decision(Why.NOT_ASKED)
    if not ballot.votes:
        return ballot.decision(Why.CONTRADICTS if ballot.contradicted else Why.UNREAD)
    return ballot.decision(Why.FEW_VOTES) if len(ballot.votes) < quorum else None


def _primary(item: str, primary: Judge, teachers: Sequence[Judge]) -> Decision:
    (ballot,) = _ballots([item], teachers)
    read = primary.verdicts.get(item)
    if read is None:
        return ballot.decision(Why.PRIMARY_NOT_ASKED)
    if read.averaged is None:
        return ballot.decision(Why.PRIMARY_CONTRADICTS if contradicts(read) else Why.PRIMARY_UNREAD)
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
        return ballot.decision(Why.CONTRADICTS if ballot.contradicted else Why.SOME_UNREAD)
    return ballot.decision(Why.AGREED if len(votes) > 1 else Why.ONE_VOTE, votes[0])


def _weighted(items: Sequence[str], teachers: Sequence[Judge], rule: FinalLabel) -> list[Decision]:
    fitted = weigh(items, teachers)
    if fitted is None:
        return [
            _without(ballot, rule.quorum) or ballot.decision(Why.NOT_WEIGHED)
            for ballot in _ballots(items, teachers)
        ]
    found = []
    chosen, likeliest = fitted.verdicts(least=rule.least_posterior), fitted.verdicts()
    for ballot, verdict, leaning, posterior in zip(
        _ballots(items, teachers), chosen, likeliest, fitted.posteriors, strict=True
    ):
        short = _without(ballot, rule.quorum)
        if short is not None:
            found.append(short)
        elif verdict is not None and posterior is not None:
            sure = min(1.0, max(posterior))
            found.append(ballot.decision(Why.WEIGHTED, str(verdict), sure))
        else:
            leans = None if leaning is None else str(leaning)
            found.append(replace(ballot.decision(Why.NOT_SURE), leaning=leans))
    return found


def decided_by(person: str | None, decision: Decision) -> Decision:
    """The decision with a person's verdict, which is final whatever teachers said.

    >>> said = Decision("x", "A", None, Why.AGREED, votes=2, read=2, asked=2)
    >>> found = decided_by("B", said)
    >>> found.verdict, found.why.name, found.teachers_said
    ('B', 'A_PERSON', 'A')
    """
    if person is None:
        return decision
    return replace(
        decision, verdict=person, confidence=None, why=Why.A_PERSON, votes=0, to_person=False,
        leaning=None, teachers_said=decision.verdict,
    )  # fmt: skip


def left_open_by_people(decision: Decision) -> Decision:
    """The decision on an item on which people contradict each other: open, to be asked about again.

    >>> said = Decision("x", "A", None, Why.AGREED, votes=2, read=2, asked=2)
    >>> found = left_open_by_people(said)
    >>> found.verdict, found.why.name, found.to_person
    (None, 'PEOPLE_DISAGREE', True)
    """
    return replace(
        decision, verdict=None, confidence=None, why=Why.PEOPLE_DISAGREE, votes=0, to_person=True,
        leaning=None,
    )  # fmt: skip


def why_no_reason(label: Label | None) -> str:
    """Why nothing is learnt from an item: no reason, or a person decided what no teacher said.

    >>> why_no_reason(None)
    'no label with a reason'
    """
    by_person = label is not None and label.policy == Policy.PERSON and not label.judgment_ids
    return NO_TEACHER_SAYS_SO if by_person else NO_REASON


def decision_table(decisions: Sequence[Decision]) -> dict[str, object]:
    """Decisions by reason and by verdict as plain JSON values.

    `to a person` are those in the queue. Of those that people decided, `decided by people` were
    left open by teachers, `confirmed` and `overruled` were not. `people disagree` are items that
    several people judged, of whom no verdict has the most. `not sure of` are the verdicts that
    weighted votes lean to without being sure.
    """
    by_people = [d for d in decisions if d.why is Why.A_PERSON]
    settled = [d for d in by_people if d.teachers_said is not None]
    return {
        "items": len(decisions),
        "decided": sum(d.verdict is not None for d in decisions),
        "to a person": sum(d.to_person for d in decisions),
        "decided by people": len(by_people) - len(settled),
        "confirmed by people": sum(d.teachers_said == d.verdict for d in settled),
        "overruled by people": sum(d.teachers_said != d.verdict for d in settled),
        "people disagree": sum(d.why is Why.PEOPLE_DISAGREE for d in decisions),
        "by reason": dict(Counter(d.why.value for d in decisions)),
        "by verdict": dict(sorted(Counter(d.verdict for d in decisions if d.verdict).items())),
        "not sure of": dict(sorted(Counter(d.leaning for d in decisions if d.leaning).items())),
    }
