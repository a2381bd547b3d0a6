"""The break-even against a search that knows nothing of closed forms."""

import math

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judgesmith.costs.payback import decay_of, least_volume, machines_needed, months_to_pay

MONEY = st.floats(0, 1e4, allow_subnormal=False)


def one(value: float) -> np.ndarray:
    return np.array([value])


@settings(deadline=None)
@given(
    once=MONEY, months=st.integers(1, 60), margin=st.floats(1e-4, 1), monthly=MONEY,
    capacity=st.integers(10, 10_000), machine=st.floats(0.01, 1e3),
)  # fmt: skip
def test_the_least_volume_pays_and_a_little_less_does_not(
    once: float, months: int, margin: float, monthly: float, capacity: int, machine: float
) -> None:
    """What is gained at any volume, by counting machines; at most 2,000 of them."""
    need = once / months + monthly

    def gained(volume: float, machines: int) -> float:
        return volume * margin - machines * machine - need

    found = least_volume(
        one(once), months, one(margin), one(monthly), one(capacity), one(machine)
    ).item()
    reach = [k for k in range(1, 2001) if gained(k * capacity, k) >= -1e-9]
    if not reach:
        assume(math.isinf(found) or found > 2000 * capacity)
        return
    k = reach[0]
    assert (k - 1) * capacity - 1e-6 <= found <= k * capacity * (1 + 1e-9) + 1e-6
    assert abs(gained(found, k)) <= 1e-6 * (need + k * machine + 1)


@settings(deadline=None)
@given(st.floats(0, 1e6), st.floats(0, 1e4), st.floats(0, 1e4))
def test_what_was_paid_is_back_when_it_says(once: float, avoided: float, own: float) -> None:
    months = months_to_pay(one(once), one(avoided), one(own), one(0.0)).item()
    saved = avoided - own
    if saved <= 0 or (saved < 1e-300 and once > 0 and math.isinf(months)):
        assert months == math.inf
    else:
        assert math.isclose(months * saved, once, rel_tol=1e-9, abs_tol=1e-9)


@settings(deadline=None)
@given(
    once=st.floats(1, 1e5), avoided=st.floats(0.1, 1e4), own=st.floats(0, 1e4),
    falls=st.floats(0.001, 0.99),
)  # fmt: skip
def test_at_a_falling_price_it_is_back_when_summed_day_by_day(
    once: float, avoided: float, own: float, falls: float
) -> None:
    """A sum over small steps of the price that a year's fall gives; up to fifty years."""
    months = months_to_pay(one(once), one(avoided), one(own), decay_of(one(falls))).item()
    step = 600 / 200_000
    middles = (np.arange(200_000) + 0.5) * step
    saved = np.cumsum(avoided * (1 - falls) ** (middles / 12) - own) * step
    back = np.flatnonzero(saved >= once)
    if len(back) == 0:
        nearly = saved.max() > once * (1 - 1e-3)
        assert months > 599 or nearly
    else:
        late = (back[0] + 1) * step
        assert months <= late + 1e-6
        assert months >= late - 2 * step or saved.max() < once * (1 + 1e-3)
    steady = months_to_pay(one(once), one(avoided), one(own), one(0.0)).item()
    assert months >= steady * (1 - 1e-9)


@settings(deadline=None)
@given(
    calls=st.floats(1, 1e8), rate=st.floats(1, 1e5), hours=st.floats(1, 730),
    busy=st.floats(0.01, 1),
)  # fmt: skip
def test_machines_suffice_and_one_less_does_not(
    calls: float, rate: float, hours: float, busy: float
) -> None:
    machines = machines_needed(one(calls), one(rate), one(hours), one(busy)).item()
    assert machines * rate * hours * busy >= calls * (1 - 1e-6)
    assert machines == 1 or (machines - 1) * rate * hours * busy < calls
