"""When what is paid once has come back: closed forms, for all draws at once.

`inf` is never. Money is in US dollars, time in months.
"""

import numpy as np

from judgesmith.costs.amounts import FloatArray


def machines_needed(
    calls_per_month: FloatArray, calls_per_hour: FloatArray, hours: FloatArray, busy: FloatArray
) -> FloatArray:
    """Machines that are paid for `hours` a month each and may be busy for a share of them; 1 least.

    120 calls at 10 an hour are 12 hours of work; in 10 hours, half of them busy, three machines do
    them:

    >>> one = np.ones(1)
    >>> machines_needed(120 * one, 10 * one, 10 * one, 0.5 * one).tolist()
    [3.0]
    """
    return np.maximum(1.0, np.ceil(calls_per_month / (calls_per_hour * hours * busy) - 1e-9))


def months_to_pay(once: FloatArray, saved_per_month: FloatArray) -> FloatArray:
    """`once / saved_per_month`; never where nothing is saved, even if nothing was paid.

    >>> months_to_pay(np.array([100.0, 0, 100, 0]), np.array([20.0, 20, 0, -1])).tolist()
    [5.0, 0.0, inf, inf]
    """
    pays = saved_per_month > 0
    with np.errstate(over="ignore"):  # later than any number is never
        return np.where(pays, once / np.where(pays, saved_per_month, 1.0), np.inf)


def least_volume(
    once: FloatArray, months: float, margin: FloatArray, monthly: FloatArray,
    capacity: FloatArray, per_machine: FloatArray,
) -> FloatArray:  # fmt: skip
    """Judgments a month from which on `once` comes back within `months`; inf where none do.

    Each judgment saves `margin`; a month costs `monthly`, and `per_machine` for each machine,
    which makes `capacity` judgments a month (inf where only what is used is paid). With
    need = once / months + monthly and k machines, V * margin = need + k * per_machine; a machine
    at its capacity gains capacity * margin - per_machine, so k = ceil(need / that gain).

    $1,200 in 12 months, $0.01 a judgment: 10,000 a month. With a machine of $300 that can make
    50,000: 40,000; where it can make 35,000 it gains $50 when full, two of them come to 70,000:

    >>> def volume(capacity, per_machine):
    ...     numbers = [np.array([float(x)]) for x in (0.01, 0, capacity, per_machine)]
    ...     return least_volume(np.array([1200.0]), 12, *numbers).tolist()
    >>> volume(np.inf, 0), volume(50_000, 300), volume(35_000, 300), volume(20_000, 300)
    ([10000.0], [40000.0], [70000.0], [inf])
    """
    need = once / months + monthly
    with np.errstate(invalid="ignore"):  # inf * 0, where nothing is saved
        gain = np.where(margin > 0, capacity * margin - per_machine, -1.0)
    pays = gain > 0
    machines = np.maximum(1.0, np.ceil(need / np.where(pays, gain, 1.0) - 1e-9))
    volume = (need + machines * per_machine) / np.where(pays, margin, 1.0)
    return np.where(pays, volume, np.inf)
