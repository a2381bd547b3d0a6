"""How far people agree, while they work: each number with its interval over questions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import ceil
from typing import Any, Literal

import orjson

from judgesmith.audits.ties import majority
from judgesmith.metrics import not_shown_because
from judgesmith.metrics.agreement import accuracy, cohen_kappa
from judgesmith.metrics.bootstrap import cluster_bootstrap
from judgesmith.metrics.raters import Level, krippendorff_alpha
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.result import Estimate
from judgesmith.metrics.sample_size import labels_for_half_width
from judgesmith.metrics.weighted import gwet_ac1, weighted_kappa
from judgesmith.records import AnnotatorKind
from judgesmith.review.handing import early_repeats
from judgesmith.review.said import Given, Part, by_part, given
from judgesmith.review.store import Store
from judgesmith.review.types import About, Plan

RESAMPLES = 2_000
ALPHA_RESAMPLES = 200
MOST_ALPHA = 10_000
"""Ratings up to which alpha gets an interval: it is resampled row by row."""

Said = Mapping[Part, Mapping[str, str | float]]


@dataclass(frozen=True)
class AgreementRow:
    """Agreement of two, or of all (`second` None), within a bucket or over all (`bucket` None)."""

    first: str
    second: str | None
    bucket: str | None
    measure: Literal["kappa", "alpha", "AC1", "same"]
    estimate: Estimate
    withheld: str | None = None
    """Why the number must not be shown; see `metrics.not_shown_because`."""


@dataclass(frozen=True)
class Agreement:
    """How far people agree, as far as they have come.

    `ceiling` is each person against the majority of the others (two people: each other), as reports
    define it; simulated annotators are not in it. `needed` is how many items answered by two people
    it takes in all until kappa's interval has the planned half-width; None where it is not known.
    `early` repeats came before so many other items as should lie between, as the queue ended.
    """

    answered: int
    simulated: bool
    overall: tuple[AgreementRow, ...] = ()
    pairs: tuple[AgreementRow, ...] = ()
    buckets: tuple[AgreementRow, ...] = ()
    selves: tuple[AgreementRow, ...] = ()
    ceiling: tuple[AgreementRow, ...] = ()
    shared: int = 0
    needed: int | None = None
    half_width: float = 0.1
    early: int = 0
    preferring: bool = False
    """Whether the queue prefers hard items, so that these are no sample of all."""


def agreement_of(store: Store, about: About, plan: Plan) -> Agreement:
    """All of it; verdicts of the labelling round alone, in item order.

    Kappa is Cohen's for choices and for two scores, which name a response; quadratic-weighted for
    scores of one response or of a list, each criterion and each response by itself.
    """
    found = given(store)
    said = by_part(found, "label")
    people = sorted({by for verdicts in said.values() for by in verdicts})
    simulated = any(one.kind is AnnotatorKind.SIMULATED for one in found if one.round == "label")
    facts = _facts(store)
    measured = _Measured(said, facts, about, plan)
    shared = {part: verdicts for part, verdicts in said.items() if len(verdicts) > 1}
    items = len({item for item, _ in shared})
    pairs = [row for a, b in combinations(people, 2) for row in measured.pair(a, b)]
    needs = [
        ceil(need * items / row.estimate.n)  # as shared items go round among pairs of people
        for row in pairs if row.measure == "kappa" and row.withheld is None
        and (need := labels_for_half_width(row.estimate, plan.half_width)) is not None
    ]  # fmt: skip
    return Agreement(
        answered=len({item for item, _ in said}), simulated=simulated,
        overall=measured.overall(shared), pairs=tuple(pairs),
        buckets=tuple(_buckets(measured, people, shared)),
        selves=tuple(_selves(measured, found, people)),
        ceiling=_ceiling(_persons_alone(found, said), facts, about, plan), shared=items,
        needed=max(needs, default=None), half_width=plan.half_width,
        early=early_repeats(store), preferring=plan.queue == "active",
    )  # fmt: skip


class _Measured:
    """Verdicts, part by part, with the questions and buckets of their items."""

    def __init__(
        self, said: Said, facts: Mapping[str, tuple[str, str | None]], about: About, plan: Plan
    ) -> None:
        self.said, self.facts, self.about = said, facts, about
        self.options: ResamplingOptions = {"seed": plan.seed, "resamples": RESAMPLES}
        numbers = all(isinstance(v, float) for one in said.values() for v in one.values())
        self.scores = about.scale.choices is None and numbers
        self.level: Level = "ordinal" if self.scores else "nominal"

    def pair(
        self, first: str, second: str, bucket: str | None = None,
        others: Mapping[Part, str | float] | None = None,
    ) -> tuple[AgreementRow, ...]:  # fmt: skip
        """Two people's kappa and AC1, or one's with `others` by part, whom `second` names."""
        x: list[Any] = []
        y: list[Any] = []
        clusters = []
        for part, verdicts in self.said.items():
            cluster, within = self.facts[part[0]]
            a = verdicts.get(first)
            b = verdicts.get(second) if others is None else others.get(part)
            if a is None or b is None or bucket not in (None, within):
                continue
            x.append(a)
            y.append(b)
            clusters.append(cluster)
        if not x:
            missing = Estimate.missing("no item that both answered", n=0)
            return (AgreementRow(first, second, bucket, "kappa", missing),)
        row = partial(AgreementRow, first, second, bucket)
        if self.scores:
            labels: list[Any] = [float(value) for value in self.about.scale.values]
            kappa = partial(weighted_kappa, weights="quadratic", labels=labels)
            return (row("kappa", cluster_bootstrap(kappa, [x, y], clusters, **self.options)),)
        return (
            row(
                "kappa", cluster_bootstrap(cohen_kappa, [x, y], clusters, **self.options),
                not_shown_because(y),
            ),
            row("AC1", cluster_bootstrap(gwet_ac1, [x, y], clusters, **self.options)),
        )  # fmt: skip

    def overall(self, shared: Said, bucket: str | None = None) -> tuple[AgreementRow, ...]:
        """Alpha of all people, where two or more said something of an item."""
        parts = [part for part in shared if bucket in (None, self.facts[part[0]][1])]
        if not parts:
            return ()
        ratings = [list(shared[part].values()) for part in parts]
        alpha = self._alpha(ratings, [self.facts[part[0]][0] for part in parts])
        return (AgreementRow("everybody", None, bucket, "alpha", alpha),)

    def _alpha(self, ratings: list[list[Any]], clusters: Sequence[str]) -> Estimate:
        metric = partial(krippendorff_alpha, level=self.level)
        if sum(map(len, ratings)) > MOST_ALPHA:
            return metric(ratings)
        options: ResamplingOptions = {**self.options, "resamples": ALPHA_RESAMPLES}
        return cluster_bootstrap(metric, [ratings], clusters, **options)


def _facts(store: Store) -> dict[str, tuple[str, str | None]]:
    """The question and the bucket of every item that somebody answered."""
    rows = store.rows(
        "SELECT id, shown, withheld FROM items WHERE id IN (SELECT item FROM current)"
    )
    return {
        row["id"]: (orjson.loads(row["shown"])["cluster"], orjson.loads(row["withheld"])["bucket"])
        for row in rows
    }


def _persons_alone(found: Sequence[Given], said: Said) -> Said:
    """The verdicts of persons, without those of simulated annotators."""
    persons = {one.by for one in found if one.kind is AnnotatorKind.PERSON}
    return {
        part: {by: verdict for by, verdict in verdicts.items() if by in persons}
        for part, verdicts in said.items()
    }


def _ceiling(
    said: Said, facts: Mapping[str, tuple[str, str | None]], about: About, plan: Plan
) -> tuple[AgreementRow, ...]:
    """Each person against what most of the others say; two people against each other."""
    measured = _Measured(said, facts, about, plan)
    people = sorted({by for verdicts in said.values() for by in verdicts})
    if len(people) < 3:
        return tuple(row for a, b in combinations(people, 2) for row in measured.pair(a, b))
    rows: list[AgreementRow] = []
    for name in people:
        most: dict[Part, str | float] = {}
        for part, verdicts in said.items():
            others: list[str | float | None] = [v for by, v in verdicts.items() if by != name]
            found: str | float | None = majority(others)  # type: ignore[assignment]
            if found is not None:
                most[part] = found
        rows += measured.pair(name, "majority of the others", others=most)
    return tuple(rows)


def _buckets(measured: _Measured, people: Sequence[str], shared: Said) -> list[AgreementRow]:
    names = sorted({one for _, one in measured.facts.values() if one is not None})
    rows: list[AgreementRow] = []
    for bucket in names:
        rows += measured.overall(shared, bucket)
        rows += [row for a, b in combinations(people, 2) for row in measured.pair(a, b, bucket)]
    return rows


def _selves(measured: _Measured, found: Sequence[Any], people: Sequence[str]) -> list[AgreementRow]:
    """How often a person says of an item what they said of it before."""
    again: dict[str, list[tuple[Any, Any, str]]] = defaultdict(list)
    for part, verdicts in by_part(found, "repeat").items():
        for by, verdict in verdicts.items():
            first = measured.said.get(part, {}).get(by)
            if first is not None:
                again[by].append((first, verdict, measured.facts[part[0]][0]))
    rows = []
    for name in people:
        if again[name]:
            x, y, clusters = (list(column) for column in zip(*again[name], strict=True))
            same = cluster_bootstrap(accuracy, [x, y], clusters, **measured.options)
            rows.append(AgreementRow(name, name, None, "same", same))
    return rows
