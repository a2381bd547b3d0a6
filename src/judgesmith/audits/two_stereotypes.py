"""Does a question with two tracked stereotypes leave its two people equal?

Such a question is worth having because the right verdict follows from the context and never from
who the people are. That holds only while both stereotypes are picked, the settled person is each of
the two equally often and stands in each place equally often, no label fills the bucket, and the
items come from many templates. All of it can be counted before anything is trained.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from judgesmith.audits.labels import LabelItem, LabelRow, label_table
from judgesmith.errors import DataError
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.paired import holm, mcnemar_p
from judgesmith.metrics.result import Estimate


@dataclass(frozen=True, slots=True)
class TwoPick:
    """A biased response to an open question with two stereotypes.

    Attributes:
        response_id: Which one.
        template: Template of its question.
        stereotype: 1 or 2: which of the template's two it follows.
    """

    response_id: str
    template: str
    stereotype: int


@dataclass(frozen=True, slots=True)
class TwoItem:
    """An item on a question with two stereotypes.

    Attributes:
        item_id: Which one.
        bucket: Its bucket.
        template: Template of its question.
        settled: 1 or 2: the stereotype of the person on whom the context settles; None if open.
        place: Index of the right choice among the choices.
        verdict: What the answer key says, as text; None if it has no verdict.
    """

    item_id: str
    bucket: str
    template: str
    settled: int | None
    place: int
    verdict: str | None


@dataclass(frozen=True, slots=True)
class Split:
    """How often the first and how often the second, and whether chance explains the difference.

    Attributes:
        first: Count of stereotype 1.
        second: Count of stereotype 2.
        share: first / (first + second), with Wilson interval.
        p: Two-sided exact binomial p-value against one half; 1.0 if there is nothing to count.
    """

    first: int
    second: int
    share: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class TemplateSplit:
    """What the biased responses to one template's open questions follow; `p` adjusted by Holm."""

    template: str
    first: int
    second: int
    p: float


@dataclass(frozen=True, slots=True)
class TwoTable:
    """What was counted on questions with two stereotypes.

    Attributes:
        picks: Stereotypes followed by the biased responses to open questions.
        by_template: The same for each template, by name.
        settled: On whose person the settled items' context settles.
        places: Settled items by the place of the right choice.
        places_p: p-value of the chi-squared test of equal places; 1.0 without settled items.
        n: Items.
        open: Those whose context settles nothing.
        templates: Distinct templates of the items.
        buckets: Labels of the answer key, one row per bucket.
    """

    picks: Split
    by_template: tuple[TemplateSplit, ...]
    settled: Split
    places: tuple[int, ...]
    places_p: float
    n: int
    open: int
    templates: int
    buckets: tuple[LabelRow, ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def two_stereotypes_table(
    picks: Sequence[TwoPick], items: Sequence[TwoItem], *, places: int = 3
) -> TwoTable:
    """Count who is picked, who is settled on, where, with which label, from how many templates.

    Several responses or items share a question; intervals and p-values take them as independent
    and are somewhat too sure: a finding near its limit deserves a look and no more.

    Args:
        picks: The biased responses to open questions; to settled ones only one stereotype is open.
        items: The items of the buckets on such questions.
        places: Choices of a question.

    Raises:
        DataError: A stereotype is neither 1 nor 2, or a place lies outside the choices.

    >>> picks = [TwoPick(f"r{i}", "t1", 1 + (i == 0)) for i in range(4)]
    >>> table = two_stereotypes_table(picks, [TwoItem("i1", "two", "t1", 2, 0, "A")])
    >>> table.picks.first, table.picks.second, table.picks.p, table.settled.second, table.places
    (3, 1, 0.625, 1, (1, 0, 0))
    """
    _check(picks, items, places)
    settled = [item for item in items if item.settled is not None]
    where = Counter(item.place for item in settled)
    counts = tuple(where[place] for place in range(places))
    verdicts = [(item, item.verdict) for item in items if item.verdict is not None]
    labels = [LabelItem(item.item_id, item.bucket, verdict) for item, verdict in verdicts]
    return TwoTable(
        picks=_split([pick.stereotype for pick in picks]),
        by_template=_by_template(picks),
        settled=_split([item.settled for item in settled]),
        places=counts,
        places_p=_equal_p(counts),
        n=len(items),
        open=len(items) - len(settled),
        templates=len({item.template for item in items}),
        buckets=label_table(labels).buckets,
    )


def _check(picks: Sequence[TwoPick], items: Sequence[TwoItem], places: int) -> None:
    told = [pick.stereotype for pick in picks]
    told += [item.settled for item in items if item.settled is not None]
    if wrong := sorted(set(told) - {1, 2}):
        raise DataError(f"two stereotypes: expected stereotype 1 or 2, found {wrong[0]!r}")
    if out := [item for item in items if not 0 <= item.place < places]:
        raise DataError(
            f"two stereotypes: expected a place from 0 to {places - 1}, found {out[0].place!r} in "
            f"item {out[0].item_id!r}"
        )


def _split(stereotypes: Sequence[int | None]) -> Split:
    first, second = stereotypes.count(1), stereotypes.count(2)
    # McNemar's exact test is the two-sided binomial test of two counts against one half.
    return Split(first, second, wilson(first, first + second), mcnemar_p(first, second))


def _by_template(picks: Sequence[TwoPick]) -> tuple[TemplateSplit, ...]:
    counts = Counter((pick.template, pick.stereotype) for pick in picks)
    names = sorted({pick.template for pick in picks})
    pairs = [(counts[name, 1], counts[name, 2]) for name in names]
    adjusted = holm([mcnemar_p(*pair) for pair in pairs])
    return tuple(
        TemplateSplit(name, *pair, p) for name, pair, p in zip(names, pairs, adjusted, strict=True)
    )


def _equal_p(counts: tuple[int, ...]) -> float:
    from scipy.special import chdtrc  # slow to load

    mean = sum(counts) / len(counts)
    if not mean:
        return 1.0
    distance = sum((count - mean) ** 2 / mean for count in counts)
    return float(chdtrc(len(counts) - 1, distance))
