"""Seeds pooled: a number over the test items of all seeds, and the same number of each seed.

Clusters are questions within a seed. The interval says how far the number would move with other
questions; how far it would move with other training seeds it does not say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.ablations.arms import Place
from benchmarks.ablations.settings import RESAMPLES

from judgesmith.evaluation.judges import Read
from judgesmith.metrics import (
    Estimate,
    ResamplingOptions,
    accuracy,
    cluster_bootstrap_kappa,
    cluster_bootstrap_rate,
    cohen_kappa,
    mark_unparsed,
    mcnemar_exact,
    paired_bootstrap_kappa_difference,
    paired_cluster_bootstrap,
)
from judgesmith.metrics.probability import mean_of

Reads = Mapping[Place, Read]
Labels = Mapping[Place, str]
Errors = Mapping[Place, float]


@dataclass(frozen=True)
class Value:
    """A number over all seeds and of each; `counted` of `asked` items are its denominator."""

    pooled: Estimate
    by_seed: Mapping[int, float | None]
    counted: int
    asked: int


@dataclass(frozen=True)
class Gap:
    """One minus another on the same items; `p` is McNemar's, None where the test does not apply."""

    to: str
    pooled: Estimate
    by_seed: Mapping[int, float | None]
    p: float | None = None


@dataclass(frozen=True)
class Pool:
    """The test items of one domain, of all seeds."""

    places: Sequence[Place]
    resamples: int = RESAMPLES

    @property
    def questions(self) -> int:
        """Clusters."""
        return len({place.cluster for place in self.places})

    def kappa(self, reads: Reads, labels: Labels) -> Value:
        """Kappa of the order-averaged verdicts; an unparsed one counts as wrong."""
        verdicts, wanted = self._verdicts(reads), [labels[place] for place in self.places]
        pooled = cluster_bootstrap_kappa(
            verdicts, wanted, _clusters(self.places), **self._options("bca")
        )
        parsed = sum(reads[place].averaged is not None for place in self.places)
        by_seed = self._by_seed(lambda places: _kappa(places, reads, labels))
        return Value(pooled, by_seed, parsed, len(self.places))

    def kappa_gap(self, one: Reads, other: Reads, labels: Labels, *, to: str) -> Gap:
        """Kappa of one minus kappa of the other, paired by item, with McNemar's exact p."""
        first, second = self._verdicts(one), self._verdicts(other)
        wanted = [labels[place] for place in self.places]
        return Gap(
            to=to,
            pooled=paired_bootstrap_kappa_difference(
                first, second, wanted, _clusters(self.places), **self._options()
            ),
            by_seed=self._by_seed(
                lambda places: _minus(_kappa(places, one, labels), _kappa(places, other, labels))
            ),
            p=mcnemar_exact(first, second, wanted).p,
        )

    def flips(self, reads: Reads) -> Value:
        """Share of items whose verdicts in the two orders differ, of those parsed in both."""
        kept = self._parsed_twice(reads)
        pooled = cluster_bootstrap_rate(
            [_flipped(reads[place]) for place in kept], _clusters(kept), **self._options("bca")
        )
        by_seed = self._by_seed(lambda places: _flip_rate(places, reads), kept)
        return Value(pooled, by_seed, len(kept), len(self.places))

    def flip_gap(self, one: Reads, other: Reads, *, to: str) -> Gap:
        """Flip rate of one minus that of the other, on items that both parsed in both orders."""
        kept = self._parsed_twice(one, other)
        columns = [[_flipped(reads[place]) for place in kept] for reads in (one, other)]
        pooled = paired_cluster_bootstrap(
            accuracy, columns[0], columns[1], [True] * len(kept), _clusters(kept),
            **self._options(),
        )  # fmt: skip
        by_seed = self._by_seed(
            lambda places: _minus(_flip_rate(places, one), _flip_rate(places, other)), kept
        )
        return Gap(to=to, pooled=pooled, by_seed=by_seed)

    def error(self, errors: Errors) -> Value:
        """Mean squared error of the scores, of items that the judge scored."""
        kept = [place for place in self.places if place in errors]
        pooled = mean_of(
            [errors[place] for place in kept], clusters=_clusters(kept), **self._options("bca")
        )
        by_seed = self._by_seed(lambda places: _mean([errors[place] for place in places]), kept)
        return Value(pooled, by_seed, len(kept), len(self.places))

    def error_gap(self, one: Errors, other: Errors, *, to: str) -> Gap:
        """Squared error of one minus that of the other, on items that both scored."""
        kept = [place for place in self.places if place in one and place in other]
        gaps = {place: one[place] - other[place] for place in kept}
        pooled = mean_of(list(gaps.values()), clusters=_clusters(kept), **self._options())
        by_seed = self._by_seed(lambda places: _mean([gaps[place] for place in places]), kept)
        return Gap(to=to, pooled=pooled, by_seed=by_seed)

    def _options(self, method: str = "percentile") -> ResamplingOptions:
        options: ResamplingOptions = {"seed": 0, "resamples": self.resamples}
        return {**options, "method": "bca"} if method == "bca" else options

    def _verdicts(self, reads: Reads) -> list[str]:
        return _marked(self.places, reads)

    def _parsed_twice(self, *judges: Reads) -> list[Place]:
        return [
            place
            for place in self.places
            if all(r[place].stored is not None and r[place].swapped is not None for r in judges)
        ]

    def _by_seed(
        self, number: Callable[[Sequence[Place]], float | None],
        kept: Sequence[Place] | None = None,
    ) -> dict[int, float | None]:  # fmt: skip
        counted = self.places if kept is None else kept
        seeds = sorted({place.seed for place in self.places})
        return {seed: number([p for p in counted if p.seed == seed]) for seed in seeds}


def _clusters(places: Sequence[Place]) -> list[tuple[int, str]]:
    return [place.cluster for place in places]


def _marked(places: Sequence[Place], reads: Reads) -> list[str]:
    return [str(value) for value in mark_unparsed([reads[place].averaged for place in places])]


def _kappa(places: Sequence[Place], reads: Reads, labels: Labels) -> float | None:
    return cohen_kappa(_marked(places, reads), [labels[place] for place in places]).value


def _flipped(read: Read) -> bool:
    return read.stored != read.swapped


def _flip_rate(places: Sequence[Place], reads: Reads) -> float | None:
    if not places:
        return None
    return sum(_flipped(reads[place]) for place in places) / len(places)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other
