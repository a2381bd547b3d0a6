"""From inputs to money: what a judgment, a month and the beginning cost, for all draws at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from judgesmith.costs.amounts import FloatArray
from judgesmith.costs.draws import Draws
from judgesmith.costs.inputs import CostInputs, Own
from judgesmith.costs.load import chosen_load
from judgesmith.costs.payback import decay_of, machines_needed

HOUR_S = 3600.0
MILLION = 1e6
Kind = Literal["API", "batch API", "offline", "live"]


@dataclass(frozen=True)
class Way:
    """One way to have judgments made.

    Each judgment costs `each`; a month `monthly`, and `per_machine` for each of `machines`, which
    make `capacity` judgments a month each (inf where only what is used is paid). `busy` is the
    share of paid hours in which a machine works; None of an API. `handed_on` is the share of
    judgments that the API makes after all. What an API costs falls at the monthly rate `decay`.
    """

    name: str
    kind: Kind
    each: FloatArray
    monthly: FloatArray
    per_machine: FloatArray
    machines: FloatArray
    capacity: FloatArray
    handed_on: FloatArray
    decay: FloatArray
    busy: FloatArray | None = None

    def per_month(self, volume: FloatArray) -> FloatArray:
        """What so many judgments a month cost, without those that are handed on."""
        return volume * self.each + self.monthly + self.machines * self.per_machine


def api_ways(inputs: CostInputs, draws: Draws) -> Iterator[Way]:
    """Every API, called one by one and in batches, as far as it has a price for them."""
    none = np.zeros(draws.n)
    for name, api in inputs.apis.items():
        kinds: tuple[tuple[Kind, bool], ...] = (
            ("API", api.price.live), ("batch API", api.price.in_batches)
        )  # fmt: skip
        decay = decay_of(draws[f"apis.{name}.falls_per_year"])
        for kind, offered in kinds:
            if offered:
                each = call_price(inputs, draws, name, batch=kind == "batch API")
                each = each * draws["calls_per_judgment"]
                yield Way(name, kind, each, none, none, none, np.full(draws.n, np.inf), none, decay)


def call_price(inputs: CostInputs, draws: Draws, name: str, *, batch: bool) -> FloatArray:
    """What one call of an API costs, with the share of calls that are paid once more."""
    api, at = inputs.apis[name], f"apis.{name}"
    again = 1 + draws[f"{at}.repeated"]
    if not api.price.by_tokens:
        return draws[f"{at}.price.per_batch_call" if batch else f"{at}.price.per_call"] * again
    tokens = "tokens" if api.tokens is None else f"{at}.tokens"
    rate = draws[f"{at}.price.input"]
    from_cache = draws.values.get(f"{at}.price.cached_input", rate)
    cached = draws[f"{at}.cached"]
    prompt = draws[f"{tokens}.prompt"] * (rate * (1 - cached) + from_cache * cached)
    call = (prompt + draws[f"{tokens}.reply"] * draws[f"{at}.price.output"]) / MILLION
    return call * again * (draws[f"{at}.price.batch"] if batch else 1.0)


def own_ways(inputs: CostInputs, draws: Draws) -> Iterator[Way]:
    """Every way to run a judge of one's own."""
    for name, own in inputs.own.items():
        yield _own_way(name, own, draws)


def _own_way(name: str, own: Own, draws: Draws) -> Way:
    at = f"own.{name}"
    hour = draws[f"machines.{own.machine}.per_hour"]
    rate = calls_per_hour(own, draws, at)
    judgments = rate / draws["calls_per_judgment"]
    starts = draws[f"{at}.starts_per_month"] * draws[f"{at}.start_s"] / HOUR_S * hour
    handed_on, none = draws[f"{at}.handed_on"], np.zeros(draws.n)
    if own.hours_per_month is None:
        busy = draws[f"{at}.utilisation"]
        each = hour / (judgments * busy)
        unlimited = np.full(draws.n, np.inf)
        return Way(name, own.kind, each, starts, none, none, unlimited, handed_on, none, busy)
    hours, most = draws[f"{at}.hours_per_month"], draws[f"{at}.busy_at_most"]
    calls = draws["judgments_per_month"] * draws["calls_per_judgment"]
    machines = machines_needed(calls, rate, hours, most)
    return Way(
        name, own.kind, none, starts, hours * hour, machines, judgments * hours * most, handed_on,
        none,
        busy=calls / (rate * hours * machines),
    )  # fmt: skip


def calls_per_hour(own: Own, draws: Draws, at: str) -> FloatArray:
    """How many calls a machine answers in an hour when it is never idle."""
    place = chosen_load(own)
    if place is None:
        return draws[f"{at}.calls_per_hour"]
    load = f"{at}.loads.{place}"
    return draws[f"{load}.calls"] / draws[f"{load}.wall_s"] * HOUR_S


def once_parts(inputs: CostInputs, draws: Draws) -> dict[str, FloatArray]:
    """What is paid once, by name; what the file says nothing of is not there."""
    once = inputs.once
    found: dict[str, FloatArray] = {}
    if once.teacher is not None:
        if once.teacher.api is None:
            found["teacher"] = draws["once.teacher.usd"]
        else:
            price = call_price(inputs, draws, once.teacher.api, batch=once.teacher.batch)
            found["teacher"] = draws["once.teacher.calls"] * price
    if once.people is not None:
        at = "once.people"
        hours = draws[f"{at}.labels"] * draws[f"{at}.minutes"] / 60
        found["people"] = hours * draws[f"{at}.per_hour"]
    if once.training is not None:
        hours = draws["once.training.hours"] * draws["once.training.runs"]
        found["training"] = hours * draws[f"machines.{once.training.machine}.per_hour"]
    return found | {name: draws[f"once.other.{name}"] for name in once.other}


def upkeep(inputs: CostInputs, draws: Draws) -> FloatArray:
    """What a judge of one's own costs each month beside its machine."""
    total = np.zeros(draws.n)
    for name in inputs.each_month:
        total = total + draws[f"each_month.{name}"]
    return total
