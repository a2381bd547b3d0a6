"""Read a cost file: strictly, with all errors at once."""

from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from judgesmith.costs.inputs import CostInputs, Load, Own
from judgesmith.errors import nearest
from judgesmith.runs.recipe import Problem, load_section

Path_ = tuple[str | int, ...]


def example() -> str:
    """The text of the example that comes with the package."""
    return resources.files("judgesmith.costs").joinpath("example.yaml").read_text("utf-8")


def load_inputs(
    path: Path, overrides: Sequence[str] = (),
    prepare: Callable[[dict[str, Any]], None] | None = None,
) -> CostInputs:  # fmt: skip
    """A cost file with `key.path=value` overrides applied, checked as a whole.

    `prepare` may add to the values before they are checked, such as what a run measured.
    Raises RecipeError listing all defects, each with its line.
    """
    return load_section(
        path, CostInputs, what="cost file", check=defects, overrides=overrides, prepare=prepare
    )


def defects(inputs: CostInputs) -> Iterator[Problem]:
    """What no field shows alone: names that nobody describes, and what lacks its other half."""
    for name, api in inputs.apis.items():
        if api.price.by_tokens and api.tokens is None and inputs.tokens is None:
            yield ("apis", name), f"apis.{name} is paid by tokens: expected `tokens` for a call"
    for name, own in inputs.own.items():
        yield from _unknown(("own", name, "machine"), own.machine, inputs.machines)
        yield from _defects_of_loads(("own", name), own)
    once = inputs.once
    if once.training is not None:
        yield from _unknown(("once", "training", "machine"), once.training.machine, inputs.machines)
    teacher = once.teacher
    if teacher is not None and teacher.api is not None:
        yield from _unknown(("once", "teacher", "api"), teacher.api, inputs.apis)
        api_named = inputs.apis.get(teacher.api)
        if api_named is not None:
            price = api_named.price
            if not (price.in_batches if teacher.batch else price.live):
                how = "in batches" if teacher.batch else "of single calls (batch: true for batches)"
                yield ("once", "teacher"), f"apis.{teacher.api}: expected a price {how}"


def _unknown(at: Path_, name: str, known: dict[str, Any]) -> Iterator[Problem]:
    if name not in known:
        yield at, f"{'.'.join(map(str, at))}: unknown {at[-1]} {name!r}; {nearest(name, known)}"


def _defects_of_loads(at: Path_, own: Own) -> Iterator[Problem]:
    place = ".".join(map(str, at))
    chosen = [load for load in own.loads if _fits(load, own)]
    if own.calls_per_hour is not None:
        if own.concurrency is not None or own.latency is not None:
            yield (
                at,
                f"{place}: `concurrency` and `latency` choose among `loads`, which are missing",
            )
    elif not chosen:
        yield at, f"{place}: {_none_fits(own)}"
    elif own.latency is None and len(chosen) > 1:
        levels = ", ".join(str(load.concurrency) for load in own.loads)
        yield at, f"{place}: expected `concurrency` or `latency`, to choose among loads of {levels}"


def _none_fits(own: Own) -> str:
    if own.latency is None:
        levels = ", ".join(str(load.concurrency) for load in own.loads)
        return f"no load was measured at concurrency {own.concurrency}; measured: {levels}"
    wanted = ", ".join(f"{name} {limit:g}" for name, limit in own.latency.limits.items())
    found = "; ".join(
        f"concurrency {load.concurrency}: "
        + ", ".join(f"{name} {_latency(load, name)}" for name in own.latency.limits)
        for load in own.loads
    )
    return f"no load meets the latency {wanted} (measured: {found})"


def _latency(load: Load, name: str) -> str:
    found: float | None = getattr(load, name)
    return "not measured" if found is None else f"{found:g}"


def _fits(load: Load, own: Own) -> bool:
    limits = {} if own.latency is None else own.latency.limits
    found = {name: getattr(load, name) for name in limits}
    fast = all(found[name] is not None and found[name] <= limits[name] for name in limits)
    return fast and own.concurrency in (None, load.concurrency)


def chosen_load(own: Own) -> int | None:
    """Which load a way of running is reckoned at; None where its rate is given.

    Where the latency chooses, of those that meet it the one with the most calls in a second.
    """
    fitting = [place for place, load in enumerate(own.loads) if _fits(load, own)]
    return max(fitting, key=lambda place: _rate(own.loads[place]), default=None)


def _rate(load: Load) -> float:
    calls, wall_s = (load.calls.middle, load.wall_s.middle)
    return calls / wall_s
