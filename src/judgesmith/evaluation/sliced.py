"""Labelled items as scoring takes them: rows, slices, and how intervals are to be made."""

from collections.abc import Mapping
from dataclasses import dataclass

from judgesmith.evaluation.judges import ItemKey
from judgesmith.metrics import Estimate
from judgesmith.report.results import Number


@dataclass(frozen=True, slots=True)
class Scored:
    """An item's id with its label and what the slices need to know of it.

    `words` are the lengths of a pair's two responses, None where the texts are not known. A label
    that is a score is there as a number, too.
    """

    item_id: ItemKey
    label: str
    cluster: str | int
    words: tuple[int, int] | None
    fields: Mapping[str, str]
    score: float | None = None


@dataclass(frozen=True)
class Plan:
    """How intervals are made and when agreement is shown.

    `two_scores` asks for JudgeLM's terms too: judges here give two scores in one reply.
    """

    seed: int
    resamples: int
    slice_resamples: int
    confidence: float
    least: int
    scale: tuple[str, ...]
    two_scores: bool = False


@dataclass(frozen=True)
class SliceOfItems:
    """A named part of the test items."""

    name: str
    kind: str
    title: str
    items: tuple[Scored, ...]


def number(found: Estimate, hidden: str | None = None) -> Number:
    """An estimate as it is stored in results."""
    return Number(
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        clusters=found.clusters,
        undefined=found.undefined,
        hidden=hidden,
        no_interval=found.no_interval,
    )
