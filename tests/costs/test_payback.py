"""The break-even against a search that knows nothing of closed forms."""

import math

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judgesmith.costs.payback import least_volume, machines_needed, months_to_pay

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
@given(st.floats(0, 1e6), st.floats(-1e4, 1e4))
def test_what_was_paid_is_back_when_it_says(once: float, saved: float) -> None:
    months = months_to_pay(one(once), one(saved)).item()
    if saved <= 0 or (saved < 1e-300 and once > 0 and math.isinf(months)):
        assert months == math.inf
    else:
        assert math.isclose(months * saved, once, rel_tol=1e-9, abs_tol=1e-9)


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
