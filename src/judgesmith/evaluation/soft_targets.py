"""Soft labels of rows: how likely each verdict is, by the teachers that a label rests on.

A row is learnt from one judgment. Its target is what the label says of that judgment's verdict:

- One teacher decided (policy `primary`, an imported label, a response that is scored alone): the
  teacher's own chances, of a pair the mean over the orders in which it was asked, as in the label.
- Several voted on a pair: their votes, as the policy weighs them. By `weighted` that is the
  posterior of Dawid and Skene's model, else the share of the teachers with a verdict. Chances that
  a teacher states are left out then: some teachers state none, and one that is surer than the
  others has no more of a vote for that.

A verdict by a person has no chances. See docs/decisions/0027-soft-labels.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from judgesmith.errors import DataError, RecipeError
from judgesmith.evaluation.final_label import Policy
from judgesmith.evaluation.teacher_reading import Teacher, read_teachers
from judgesmith.evaluation.weighing import weigh
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.reply import verdict_text
from judgesmith.records import AnnotatorKind, Choice, Judgment, Label, SftRow, choice, reorder
from judgesmith.runs.layout import RunDir

SOFT_ROWS = "rows/soft.jsonl"
PLACES = 6
"""Decimals kept of a chance, so that records do not differ in the last bits of a sum."""
OVER = 0.01
"""How far above 1 chances may add up, as rounded ones do."""
TIED = 1e-9
_BY_VOTES = (Policy.MAJORITY, Policy.UNANIMITY, Policy.PERSON)


class Origin(StrEnum):
    """Where the chances of a soft label come from."""

    OWN = "the teacher's own"
    VOTES = "shares of votes"
    WEIGHTED = "weighted votes"


class Hard(StrEnum):
    """Why a row has no soft label, and is learnt by its verdict alone."""

    NO_CHANCES = "no distribution"
    SEVERAL = "several scores in one reply"
    PERSON = "a person decided"
    OFF_SCALE = "no chance on the dialect's scale"
    ANOTHER_LIKELIER = "another verdict is likelier"


class SoftLabel(BaseModel):
    """The chance of each verdict that a row's reply could state, in the order it shows.

    `chances` map values of the dialect's scale to chances that sum to 1; `missing` is what they
    lacked of 1 before, and `slot` what they are of, as in a judgment's `distribution`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    row_id: str
    slot: str
    chances: dict[str, float]
    missing: float
    origin: Origin


class _Chances(NamedTuple):
    """Chances of a verdict: of a pair in item order, of a response alone as they are."""

    of: Mapping[str, float]
    slot: str
    origin: Origin


class Targets:
    """The chances behind each judgment of a run, found by its item, its judge and its condition.

    Args:
        judgments: all of the run, those of outvoted teachers, too.
        labels: the one that is learnt, by item.
        items: ids of those that teachers judge to be learnt from; votes are weighed over them.
    """

    def __init__(
        self, judgments: Iterable[Judgment], labels: Mapping[str, Label], items: Sequence[str]
    ) -> None:
        self._all = list(judgments)
        self._by_id = {judgment.id: judgment for judgment in self._all}
        self._labels, self._items = labels, items
        self._asked: dict[tuple[object, ...], list[Judgment]] = defaultdict(list)
        for judgment in self._all:
            self._asked[_asked_of(judgment)].append(judgment)
        self._votes: dict[tuple[str, str, bool], Mapping[str, Mapping[str, float]]] = {}

    def of(self, row: SftRow, judgment: Judgment, dialect: Dialect) -> SoftLabel | Hard:
        """The soft label of a row in `dialect` that was made from the judgment, or why it has none.

        A row whose verdict is not the likeliest keeps its hard label: its reason argues for that
        verdict, and the chances would teach it to end in another.

        Raises:
            DataError: chances below 0, or that sum to more than 1.
        """
        found = self._found(judgment)
        if isinstance(found, Hard):
            return found
        shown = in_shown_order(found.of, row.order) if found.slot == "verdict" else dict(found.of)
        whole = _on_scale(shown, dialect.scale.values, judgment)
        if whole is None:
            return Hard.OFF_SCALE
        chances, missing = whole
        if chances[str(verdict_text(judgment.verdict))] < max(chances.values()) - TIED:
            return Hard.ANOTHER_LIKELIER
        return SoftLabel(
            row_id=row.id,
            slot=dialect.slots(len(row.order))[0],
            chances={value: round(p, PLACES) for value, p in chances.items()},
            missing=round(missing, PLACES),
            origin=found.origin,
        )

    def _found(self, judgment: Judgment) -> _Chances | Hard:
        label = self._labels.get(judgment.item_id)
        if label is not None and label.annotator_kind is AnnotatorKind.PERSON:
            return Hard.PERSON
        pair = isinstance(judgment.verdict, Choice) and len(judgment.order) > 1
        voted = self._voted(label) if pair and label is not None else None
        return voted or self._own(judgment)

    def _own(self, judgment: Judgment) -> _Chances | Hard:
        """The judge's chances, of several responses the mean over the orders it was asked in."""
        slots = list(judgment.distribution or ())
        if len(slots) != 1:
            return Hard.SEVERAL if slots else Hard.NO_CHANCES
        (slot,) = slots
        if slot != "verdict":
            return _Chances((judgment.distribution or {})[slot], slot, Origin.OWN)
        # A swapped twin in another dialect has no judgments of its own: it is the turned one.
        asked = self._asked.get(_asked_of(judgment), [judgment])
        told = [chances for one in asked if (chances := one.distribution_in_item_order())]
        return _Chances(_mean(told), slot, Origin.OWN)

    def _voted(self, label: Label) -> _Chances | None:
        """What several teachers said of the label's item; None where one alone decided."""
        weighted = label.policy == Policy.WEIGHTED
        if not weighted and label.policy not in _BY_VOTES:
            return None
        cited = self._by_id.get(next(iter(label.judgment_ids), ""))
        if cited is None:
            return None
        key = label.annotator, cited.dialect, weighted
        if key not in self._votes:
            voters = self._voters(label.annotator, cited.dialect)
            self._votes[key] = (_posteriors if weighted else _shares)(self._items, voters)
        chances = self._votes[key].get(label.item_id)
        origin = Origin.WEIGHTED if weighted else Origin.VOTES
        return None if chances is None else _Chances(chances, "verdict", origin)

    def _voters(self, named: str, dialect: str) -> list[Teacher]:
        names = named.split(", ")
        return read_teachers(
            (one for one in self._all if one.dialect == dialect and one.judge in names), tie=None
        )


def _asked_of(judgment: Judgment) -> tuple[object, ...]:
    """The same for what a judge was shown of an item in a condition, in whatever order."""
    return judgment.item_id, judgment.judge, judgment.dialect, tuple(sorted(judgment.order))


def _shares(items: Sequence[str], voters: Sequence[Teacher]) -> dict[str, dict[str, float]]:
    """Shares of the voters by verdict, of items with two votes or more."""
    found = {}
    for item in items:
        reads = [voter.verdicts[item].averaged for voter in voters if item in voter.verdicts]
        votes = [vote for vote in reads if vote is not None]
        if len(votes) > 1:
            found[item] = {vote: votes.count(vote) / len(votes) for vote in votes}
    return found


def _posteriors(items: Sequence[str], voters: Sequence[Teacher]) -> dict[str, dict[str, float]]:
    """The posteriors by which the labels were decided; the same votes are fitted again."""
    fitted = weigh(items, voters)
    if fitted is None:
        return {}
    labels = [str(label) for label in fitted.labels]
    return {
        item: dict(zip(labels, posterior, strict=True))
        for item, posterior in zip(items, fitted.posteriors, strict=True)
        if posterior is not None
    }


def _mean(told: Sequence[Mapping[str, float]]) -> dict[str, float]:
    values = dict.fromkeys(value for chances in told for value in chances)
    return {value: sum(one.get(value, 0.0) for one in told) / len(told) for value in values}


def in_shown_order(chances: Mapping[str, float], order: tuple[int, ...]) -> dict[str, float]:
    """Chances in item order as they are for the responses in the order shown.

    >>> in_shown_order({"A": 0.7, "B": 0.2, "TIE": 0.1}, (1, 0))
    {'B': 0.7, 'A': 0.2, 'TIE': 0.1}
    """
    if len(order) == 1:
        return dict(chances)
    back = tuple(order.index(position) for position in range(len(order)))
    turned = ((reorder(choice(value), back), p) for value, p in chances.items())
    return {verdict.value: p for verdict, p in turned if isinstance(verdict, Choice)}


def _on_scale(
    chances: Mapping[str, float], values: Collection[str], judgment: Judgment
) -> tuple[dict[str, float], float] | None:
    """Chances of the values that sum to 1, and what they lacked; None where there are none."""
    total = sum(chances.values())
    if min(chances.values(), default=0.0) < 0 or total > 1 + OVER:
        raise DataError(
            f"judgment {judgment.id} of item {judgment.item_id} by {judgment.judge!r}: expected "
            f"chances of 0 or more that sum to at most 1, found {dict(chances)!r}. Correct the "
            "judgment's distribution, or leave rows.soft out."
        )
    covered = sum(chances.get(value, 0.0) for value in values)
    if covered <= 0:
        return None
    return {v: chances.get(v, 0.0) / covered for v in values}, max(0.0, 1 - covered)


def read_chances(run_dir: RunDir, dialects: Iterable[Dialect]) -> dict[str, dict[str, float]]:
    """The chance of each verdict by row id, the verdicts in the words of the row's dialect.

    Raises:
        RecipeError: the rows stage wrote no soft labels, or none in these dialects.
    """
    if not run_dir.file(SOFT_ROWS).exists():
        raise RecipeError(
            f"sft.soft_labels: expected {run_dir.file(SOFT_ROWS)}, found none. Set rows.soft: "
            "true, so that rows are given their teachers' chances, or leave sft.soft_labels out."
        )
    of_row = {row.id: row.dialect for row in run_dir.read("rows/sft.jsonl", SftRow)}
    words = {dialect.hash: dialect.wording.of for dialect in dialects}
    found = {
        label.row_id: {words[of_row[label.row_id]][v]: p for v, p in label.chances.items()}
        for label in run_dir.read(SOFT_ROWS, SoftLabel)
        if of_row.get(label.row_id) in words
    }
    if not found:
        raise RecipeError(
            "sft.soft_labels: no row has the chances of its teachers' verdicts. They come from "
            "models that give log-probabilities (a `primary` teacher) or from several teachers' "
            "votes (labels.teachers.panel and policy); simulated teachers state theirs with a "
            "`doubt` (in a rehearsal: rehearse.models). Else leave sft.soft_labels out."
        )
    return found
