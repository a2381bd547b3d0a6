"""Work out everything: what each way costs, and what a judge of one's own does against each API."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from judgesmith.costs.advice import Stakes, advise
from judgesmith.costs.amounts import Amount, FloatArray, amounts_in
from judgesmith.costs.draws import HIGH, LOW, Draws, draw, ends, one_at_a_time
from judgesmith.costs.inputs import CostInputs
from judgesmith.costs.payback import average_price, least_volume, months_to_pay
from judgesmith.costs.says import rests_on, way_rests_on
from judgesmith.costs.ways import Way, api_ways, once_parts, own_ways, upkeep
from judgesmith.report.costs import (
    CostOption,
    Costs,
    InputRow,
    OnceRow,
    Payback,
    PriceDate,
    Spread,
    Swing,
    Within,
)

DRAWS = 10_001
"""An odd number, so that the middle one of the slices is at the median."""
MILESTONES = (1, 3, 6, 12, 24, 36, 60)
"""Months for which the probability is given, as far as they lie inside the period."""
FILE = "the cost file"
CHOSEN = ("calls_per_judgment", ".calls")
"""Inputs that are chosen or counted: given as one number, they are not moved to see what if."""


@dataclass(frozen=True)
class Scene:
    """All figures that a comparison needs, for all draws."""

    inputs: CostInputs
    draws: Draws

    @property
    def volume(self) -> FloatArray:
        """Judgments a month."""
        return self.draws["judgments_per_month"]

    @property
    def once(self) -> FloatArray:
        """What is paid once."""
        return sum(once_parts(self.inputs, self.draws).values(), np.zeros(self.draws.n))

    def ways(self) -> tuple[list[Way], list[Way]]:
        """Those of one's own, and the APIs."""
        return list(own_ways(self.inputs, self.draws)), list(api_ways(self.inputs, self.draws))


@dataclass(frozen=True)
class Comparison:
    """One way of one's own against one API, for all draws."""

    scene: Scene
    own: Way
    api: Way

    @property
    def avoided(self) -> FloatArray:
        """What the API would cost in a month at today's price for what is not handed on to it."""
        return self.scene.volume * self.api.each * (1 - self.own.handed_on)

    @property
    def spent(self) -> FloatArray:
        """What the own judge costs in a month, without what it hands on."""
        scene = self.scene
        return self.own.per_month(scene.volume) + upkeep(scene.inputs, scene.draws)

    @property
    def average(self) -> FloatArray:
        """The API's mean price over the period, as a share of today's."""
        return average_price(np.full(self.scene.draws.n, self.period), self.api.decay)

    @property
    def period(self) -> float:
        """Months that the judge is to be in use."""
        return float(self.scene.inputs.months)

    @property
    def months(self) -> FloatArray:
        """Months until what is paid once is back."""
        return months_to_pay(self.scene.once, self.avoided, self.spent, self.api.decay)

    @property
    def ahead(self) -> FloatArray:
        """What is saved by the end of the period, less what was paid once."""
        return (self.avoided * self.average - self.spent) * self.period - self.scene.once

    @property
    def needed(self) -> FloatArray:
        """Judgments a month from which on the own judge is ahead at the end of the period."""
        own, scene = self.own, self.scene
        margin = self.api.each * self.average * (1 - own.handed_on) - own.each
        monthly = own.monthly + upkeep(scene.inputs, scene.draws)
        return least_volume(scene.once, self.period, margin, monthly, own.capacity, own.per_machine)

    @property
    def cheaper(self) -> FloatArray:
        """How many times less a judgment costs, without what is paid once and each month."""
        volume, own = self.scene.volume, self.own
        each = own.per_month(volume) / volume + own.handed_on * self.api.each
        return np.where(each > 0, self.api.each / np.where(each > 0, each, 1.0), np.inf)


def work_out(
    inputs: CostInputs, *, draws: int = DRAWS, seed: int = 0,
    origins: Mapping[str, str] | None = None,
) -> Costs:  # fmt: skip
    """What judgments cost in every way that the inputs describe, and when an own judge pays.

    Args:
        inputs: A cost file that was checked.
        draws: How many draws of the uncertain inputs; one is made where none is uncertain.
        seed: Of how values of different inputs meet.
        origins: Where inputs come from, by place, where that is not the cost file.

    A judgment of two calls at $0.01 each against a machine of $2 an hour that answers 1,000 calls
    in it: $0.02 against $0.004. What $160 bring is back after 10,000 judgments.

    >>> said = {"as_of": "2026-01-31", "source": "an invoice"}
    >>> costs = work_out(CostInputs.model_validate({
    ...     "judgments_per_month": 5000, "months": 12, "calls_per_judgment": 2,
    ...     "apis": {"vendor": {"price": {"per_call": 0.01, **said}}},
    ...     "machines": {"gpu": {"per_hour": 2, **said}},
    ...     "own": {"live": {"kind": "live", "machine": "gpu", "calls_per_hour": 1000,
    ...                      "utilisation": 1}},
    ...     "once": {"other": {"all of it": 160}}}))
    >>> [(way.kind, way.judgment.middle) for way in costs.options]
    [('live', 0.004), ('API', 0.02)]
    >>> costs.paybacks[0].judgments.middle, costs.paybacks[0].months.middle
    (10000.0, 2.0)
    """
    amounts = dict(amounts_in(inputs))
    scene = Scene(inputs, draw(amounts, draws, seed))
    own, apis = scene.ways()
    parts = once_parts(inputs, scene.draws)
    return Costs(
        volume=spread(scene.volume),
        months=inputs.months,
        options=tuple(_option(scene, way) for way in (*own, *apis)),
        once=tuple(OnceRow(name=name, usd=spread(usd)) for name, usd in parts.items()),
        once_usd=spread(scene.once),
        upkeep_usd=spread(upkeep(inputs, scene.draws)),
        paybacks=tuple(_paybacks(scene, amounts)),
        prices=tuple(_prices(inputs)),
        rests_on=rests_on(inputs),
        inputs=tuple(
            _input(at, amount, (origins or {}).get(at, FILE)) for at, amount in amounts.items()
        ),
        draws=scene.draws.n,
        seed=seed,
    )


def spread(values: FloatArray) -> Spread:
    """Quantiles of the draws, each of them a value that was drawn; None for infinity.

    >>> spread(np.array([1.0, 2.0, np.inf]))
    Spread(low=1.0, middle=2.0, high=None)
    """
    found = np.quantile(values, [LOW, 0.5, HIGH], method="inverted_cdf")
    low, middle, high = (_finite(float(value)) for value in found)
    return Spread(low=low, middle=middle, high=high)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _prices(inputs: CostInputs) -> Iterator[PriceDate]:
    for name, api in inputs.apis.items():
        yield PriceDate(name=name, as_of=api.price.as_of, source=api.price.source)
    for name, machine in inputs.machines.items():
        yield PriceDate(name=name, as_of=machine.as_of, source=machine.source)


def _input(at: str, amount: Amount, origin: str) -> InputRow:
    return InputRow(name=at, value=amount.words, origin=origin, why=amount.why)


def _option(scene: Scene, way: Way) -> CostOption:
    volume, inputs = scene.volume, scene.inputs
    month = way.per_month(volume)
    own = way.busy is not None
    added = (scene.once / inputs.months + upkeep(inputs, scene.draws)) if own else 0.0
    return CostOption(
        name=way.name, kind=way.kind, judgment=spread(month / volume),
        all_in=spread((month + added) / volume), month=spread(month),
        busy=None if way.busy is None else spread(way.busy),
        rests_on=way_rests_on(inputs, way),
    )  # fmt: skip


def _paybacks(scene: Scene, amounts: Mapping[str, Amount]) -> Iterator[Payback]:
    """Every way of one's own against every API, those that are alike first."""
    own, apis = scene.ways()
    pairs = [(o, a) for o in range(len(own)) for a in range(len(apis))]
    pairs.sort(key=lambda pair: not _alike(scene, own[pair[0]], apis[pair[1]]))
    swings = _swings(scene.inputs, amounts)
    for o, a in pairs:
        alike = _alike(scene, own[o], apis[a])
        yield _payback(Comparison(scene, own[o], apis[a]), alike=alike, swings=swings(o, a))


def _alike(scene: Scene, own: Way, api: Way) -> bool:
    """Live against live; offline against batches, or against single calls where there are none."""
    batches = scene.inputs.apis[api.name].price.in_batches
    wanted = "batch API" if own.kind == "offline" and batches else "API"
    return api.kind == wanted


def _payback(found: Comparison, *, alike: bool, swings: tuple[Swing, ...]) -> Payback:
    inputs, months = found.scene.inputs, found.months
    with np.errstate(invalid="ignore"):
        judgments = np.where(np.isfinite(months), months * found.scene.volume, np.inf)
    in_time = float(np.mean(months <= inputs.months))
    stakes = Stakes(
        own=found.own.name, api=found.api.name, api_kind=str(found.api.kind), period=inputs.months,
        volume=spread(found.scene.volume), months=spread(months), needed=spread(found.needed),
        in_time=in_time, worst=swings[0] if swings else None,
    )  # fmt: skip
    verdict, said = advise(stakes)
    assert found.api.kind in ("API", "batch API")
    return Payback(
        own=found.own.name,
        api=found.api.name,
        api_kind=found.api.kind,
        like_for_like=alike,
        cheaper=spread(found.cheaper),
        months=stakes.months,
        judgments=spread(judgments),
        needed=stakes.needed,
        ahead=spread(found.ahead),
        within_months=tuple(
            Within(limit=limit, share=float(np.mean(months <= limit)))
            for limit in sorted({m for m in MILESTONES if m < inputs.months} | {inputs.months})
        ),
        within_judgments=tuple(
            Within(limit=limit, share=float(np.mean(judgments <= limit)))
            for limit in inputs.within_judgments
        ),
        verdict=verdict,
        advice=said,
        swings=swings,
    )


def _swings(
    inputs: CostInputs, amounts: Mapping[str, Amount]
) -> Callable[[int, int], tuple[Swing, ...]]:
    """What each input moves, for an own way and an API by their places; the most first."""
    places = [
        at
        for at, amount in amounts.items()
        if not amount.exact or (amount.middle > 0 and not at.endswith(CHOSEN))
    ]
    scene = Scene(inputs, one_at_a_time(amounts, places))
    own, apis = scene.ways()

    def of(o: int, a: int) -> tuple[Swing, ...]:
        found = Comparison(scene, own[o], apis[a])
        months, needed = found.months, found.needed
        rows = []
        for place, at in enumerate(places):
            low, high = 1 + 2 * place, 2 + 2 * place
            moved = (_moves(months[low], months[high]), _moves(needed[low], needed[high]))
            if any(moved):
                rows.append((moved, _swing(at, amounts[at], months[low : high + 1], needed[low:])))
        rows.sort(key=lambda row: (-row[0][0], -row[0][1], row[1].input))
        return tuple(swing for _, swing in rows)

    return of


def _moves(low: float, high: float) -> float:
    """How far a figure moves, as the logarithm of a ratio; from or to zero or never is the most."""
    if low == high:
        return 0.0
    if not (np.isfinite(low) and np.isfinite(high)) or min(low, high) <= 0:
        return float("inf")
    return abs(float(np.log(high / low)))


def _swing(at: str, amount: Amount, months: FloatArray, needed: FloatArray) -> Swing:
    low, high = ends(amount)
    return Swing(
        input=at,
        low=low,
        high=high,
        months_at_low=_finite(float(months[0])),
        months_at_high=_finite(float(months[1])),
        needed_at_low=_finite(float(needed[0])),
        needed_at_high=_finite(float(needed[1])),
        assumed=amount.exact,
    )
