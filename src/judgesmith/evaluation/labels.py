"""Which verdict or score an item's judges are measured against, and whose it is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from judgesmith.audits.ties import majority
from judgesmith.errors import DataError, nearest
from judgesmith.evaluation.collect import Collected, VoteKey
from judgesmith.report.results import LabelsKind

NOT_NAMED = "label"
"""Who labelled, where a file in our own columns has no `annotator`: one person or many."""

FIELDS = ("verdict", "score")
"""The same where the label stands in this field of a row to be judged: its origin is unknown."""

NO_MAJORITY = "the people are split evenly"
NO_VERDICT = "no person gave a verdict"
NOBODY = "no labels: nothing here says whether a verdict is right"


@dataclass(frozen=True)
class Labels:
    """Labels by item position: verdicts, or scores (exactly one of the two is there).

    `dropped` counts labelled items that have no label in the end, by reason. `by` are the
    annotators or the judge whose labels they are. Both are empty where nobody labelled: then only
    what needs no label can be measured (order, repeats, length, cycles, who agrees with whom).
    """

    verdicts: dict[int, str]
    scores: dict[int, float]
    kind: LabelsKind
    title: str
    by: tuple[str, ...]
    dropped: dict[str, int]

    @property
    def numeric(self) -> bool:
        """Whether labels are scores."""
        return bool(self.scores)


def choose_labels(found: Collected, policy: str, *, pairs: bool) -> Labels:
    """Labels by policy: `majority` or `mean` of the people, `key`, or one name.

    A majority that does not exist is no label: it is counted as dropped, never drawn. A single
    response that has scores gets the mean score of the people, whatever the policy among people.

    Raises:
        DataError: nobody has the name that `policy` gives, or no label can be read.
    """
    keys = _whose(found, policy)
    if not keys:
        return Labels({}, {}, "nobody", NOBODY, (), {})
    names = tuple(dict.fromkeys(key.by for key in keys))
    kind: LabelsKind = (
        "people" if keys[0].role == "person" else
        "answer key" if keys[0].role == "key" else
        "simulated annotators" if keys[0].role == "simulated" else "another judge"
    )  # fmt: skip
    scores = {} if pairs else _mean_scores(found, keys)
    dropped: Counter[str] = Counter()
    verdicts = {} if scores else _majorities(found, keys, dropped)
    if not scores and not verdicts:
        raise DataError(
            f"labels: none of the {len(found.where)} items has a label by {', '.join(names)} "
            f"that can be read ({_counted(dropped)}). Check the mapping's `read`."
        )
    count = len(scores or verdicts)
    title = _title(kind, names, count, scored=bool(scores))
    return Labels(verdicts, scores, kind, title, names, dict(dropped))


def _whose(found: Collected, policy: str) -> list[VoteKey]:
    """Passes that give the labels; none where nobody labelled and no other judge was named."""
    people, key = found.keys("person"), found.keys("key")
    named = [k for k in found.votes if k.by == policy]
    named = [k for k in named if k.role != "judge"] or named  # a person before a judge
    if named and (named[0].role != "judge" or len(found.judges()) > 1):
        return named
    if policy in ("majority", "mean"):
        return people or key or found.keys("simulated")
    if named or policy == "key":
        return key
    who = [*found.people(), *found.judges(), "majority", "key"]
    raise DataError(f"--labels {policy!r}: nobody of that name judged; {nearest(policy, who)}.")


def _mean_scores(found: Collected, keys: Sequence[VoteKey]) -> dict[int, float]:
    sums: dict[int, tuple[float, int]] = {}
    for key in keys:
        votes = found.votes[key]
        for position in votes.positions():
            score = found.score(votes, position)
            if score is not None:
                total, n = sums.get(position, (0.0, 0))
                sums[position] = (total + score, n + 1)
    return {position: total / n for position, (total, n) in sorted(sums.items())}


def _majorities(found: Collected, keys: Sequence[VoteKey], dropped: Counter[str]) -> dict[int, str]:
    if len(keys) == 1:
        return _single(found, keys[0], dropped)
    ballots: dict[int, list[str]] = {}
    for key in keys:
        votes = found.votes[key]
        for position in votes.positions():
            ballot = ballots.setdefault(position, [])
            verdict = found.verdict(votes, position)
            if verdict is not None:
                ballot.append(verdict)
    labels = {}
    for position in sorted(ballots):
        chosen = majority(ballots[position])
        if chosen is None:
            dropped[NO_MAJORITY if ballots[position] else NO_VERDICT] += 1
        else:
            labels[position] = chosen
    return labels


def _single(found: Collected, key: VoteKey, dropped: Counter[str]) -> dict[int, str]:
    votes = found.votes[key]
    labels = {}
    for position in votes.positions():
        verdict = found.verdict(votes, position)
        if verdict is None:
            dropped[NO_VERDICT] += 1
        else:
            labels[position] = verdict
    return labels


def _title(kind: str, names: Sequence[str], n: int, *, scored: bool) -> str:
    if kind == "answer key":
        of = "" if list(names) == [kind] else f" ({', '.join(names)})"
        return f"labels: answer key{of}, not people; n = {n:,}"
    if kind == "simulated annotators":
        return f"labels: {n:,} by {kind} ({', '.join(names)}), not by people"
    if kind == "another judge":
        return f"labels: another judge ({', '.join(names)}), not people; n = {n:,}"
    if tuple(names) == (NOT_NAMED,):
        return f"labels: {n:,} by people who are not named (column `{NOT_NAMED}`)"
    if len(names) == 1 and names[0] in FIELDS:
        return f"labels: {n:,} of unknown origin (field `{names[0]}`)"
    if len(names) == 1:
        return f"labels: {n:,} by one person ({names[0]})"
    shown = ", ".join(names) if len(names) <= 4 else f"{len(names)} people"
    if scored:
        return f"labels: {n:,} mean scores of {shown}"
    return f"labels: {n:,} by majority of {shown}"


def _counted(dropped: Counter[str]) -> str:
    return ", ".join(f"{count} times {reason}" for reason, count in dropped.items()) or "no votes"
