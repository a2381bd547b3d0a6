"""Merges scored on dev: what each keeps of its specialists, and which no other beats everywhere."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from judgesmith.models.dev import DevSet
from judgesmith.models.dev_measures import DevMeasures, measure
from judgesmith.models.protocol import Model


class Tried(NamedTuple):
    """One judge in the table: its measures by dialect, and the least it keeps of a specialist.

    `worst_kept` is the smallest ratio, over the dialects, of its agreement to the specialist's;
    None where that is undefined or not above 0. `undominated` says that no other merge is as good
    in every measure and better in one.
    """

    name: str
    measures: Mapping[str, DevMeasures]
    worst_kept: float | None
    undominated: bool
    chosen: bool

    def row(self) -> dict[str, object]:
        """As plain values for files and tables."""
        return {
            **self._asdict(),
            "measures": {name: found._asdict() for name, found in self.measures.items()},
        }


def measure_all(model: Model, dev: Mapping[str, DevSet]) -> dict[str, DevMeasures]:
    """What one model is worth in every dialect that has dev items."""
    found = {name: measure(model, one) for name, one in dev.items()}
    return {name: measures for name, measures in found.items() if measures is not None}


def routed(
    specialists: Mapping[str, Mapping[str, DevMeasures]], knows: Mapping[str, Sequence[str]]
) -> dict[str, DevMeasures]:
    """In each dialect the measures of the specialist that knows it; of several, of the best."""
    found: dict[str, DevMeasures] = {}
    for name, measures in specialists.items():
        for dialect in knows[name]:
            if dialect in measures:
                best = found.get(dialect)
                mine = measures[dialect]
                if best is None or _or_least(mine.agreement) > _or_least(best.agreement):
                    found[dialect] = mine
    return found


def worst_kept(
    merged: Mapping[str, DevMeasures], specialist: Mapping[str, DevMeasures]
) -> float | None:
    """The smallest ratio of agreements over the dialects; None where a specialist has none.

    >>> def of(agreement):
    ...     return DevMeasures(agreement, 0.5, None, 1.0, None, 10)
    >>> worst_kept({"a": of(0.4), "b": of(0.6)}, {"a": of(0.5), "b": of(0.6)})
    0.8
    >>> worst_kept({"a": of(0.4)}, {"a": of(0.0)}) is None
    True
    """
    ratios = []
    for dialect, best in specialist.items():
        mine = merged.get(dialect)
        if mine is None or mine.agreement is None or not best.agreement or best.agreement <= 0:
            return None
        ratios.append(mine.agreement / best.agreement)
    return round(min(ratios), 6) if ratios else None


def is_dominated(
    one: Mapping[str, DevMeasures], others: Sequence[Mapping[str, DevMeasures]]
) -> bool:
    """Whether another is at least as good in every measure of every dialect, and better in one."""
    mine = _columns(one)
    return any(
        all(b >= a for a, b in zip(mine, theirs, strict=True)) and theirs != mine
        for theirs in map(_columns, others)
    )


def _columns(found: Mapping[str, DevMeasures]) -> list[float]:
    """What more of is better: agreement, readable replies, consistency, correlation."""
    return [
        _or_least(value)
        for dialect in sorted(found)
        for value in (
            found[dialect].agreement, found[dialect].parsed, found[dialect].consistency,
            found[dialect].pearson,
        )
    ]  # fmt: skip


def _or_least(value: float | None) -> float:
    return -1.0 if value is None else value


def rank_tried(
    merges: Mapping[str, Mapping[str, DevMeasures]], best: Mapping[str, DevMeasures],
    own: str, *, choose: bool,
) -> list[Tried]:  # fmt: skip
    """The merges as rows; chosen is the one with the highest `worst_kept`, or the recipe's own.

    The recipe's own stays where nothing is known to be better.
    """
    kept = {name: worst_kept(found, best) for name, found in merges.items()}
    first = max(merges, key=lambda name: (_or_least(kept[name]), name == own)) if choose else own
    return [
        Tried(
            name, found, kept[name],
            not is_dominated(found, [o for n, o in merges.items() if n != name]),
            name == first,
        )
        for name, found in merges.items()
    ]  # fmt: skip


def beside(name: str, found: Mapping[str, DevMeasures], best: Mapping[str, DevMeasures]) -> Tried:
    """A judge that stands beside the merges and is none of them."""
    return Tried(name, found, worst_kept(found, best), False, False)
