"""When what is paid once has come back: closed forms, for all draws at once.

`inf` is never. Money is in US dollars, time in months.
"""

import numpy as np

from judgesmith.costs.amounts import FloatArray

NOTHING_LEFT = 50.0
"""After a fall by exp(-50) a price is nothing."""


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


def decay_of(falls_per_year: FloatArray) -> FloatArray:
    """The monthly rate k at which a price goes as exp(-k t), where it falls by a share a year.

    >>> round(float(np.exp(-12 * decay_of(np.array([0.3]))).item()), 12)
    0.7
    """
    return np.asarray(-np.log1p(-falls_per_year) / 12, dtype=np.float64)


def average_price(months: FloatArray, decay: FloatArray) -> FloatArray:
    """The mean of exp(-k t) from now to `months`: (1 - exp(-k t)) / (k t), and 1 where k t = 0.

    >>> average_price(np.array([12.0, 12]), np.array([0.0, 0.1])).round(4).tolist()
    [1.0, 0.5823]
    """
    exponent = decay * months
    falls = exponent > 0
    return np.where(falls, -np.expm1(-exponent) / np.where(falls, exponent, 1.0), 1.0)


def months_to_pay(
    once: FloatArray, avoided: FloatArray, own: FloatArray, decay: FloatArray
) -> FloatArray:
    """Months until what is avoided, less what the own judge costs, has brought back `once`.

    `avoided` dollars a month, at today's price of the API, and `own` dollars a month; where the
    price stays, once / (avoided - own), and never where nothing is saved, even if nothing was paid.
    Where it falls as exp(-k t), the first t at which avoided * (1 - exp(-k t)) / k - own * t is
    `once`. That rises until ln(avoided / own) / k; what is not back by then never is.

    >>> def months(*numbers): return months_to_pay(*(np.array([float(x)]) for x in numbers)).item()
    >>> months(100, 30, 10, 0), months(0, 30, 10, 0), months(100, 10, 10, 0), months(0, 9, 10, 0)
    (5.0, 0.0, inf, inf)
    >>> round(months(100, 30, 10, 0.05), 2), months(100, 30, 10, 0.2)
    (6.37, inf)
    """
    saved = avoided - own
    pays, falls = saved > 0, decay > 0
    with np.errstate(over="ignore"):  # later than any number is never
        steady = once / np.where(pays, saved, 1.0)
    last = _peak(avoided, own, np.where(falls, decay, 1.0))
    reached = last * (avoided * average_price(last, decay) - own) >= once
    falling = np.where(reached, _first(once, avoided, own, decay, last), np.inf)
    return np.where(pays, np.where(falls, falling, steady), np.inf)


def _peak(avoided: FloatArray, own: FloatArray, decay: FloatArray) -> FloatArray:
    """When a falling price is down to what the own judge costs; at most when nothing is left."""
    least = np.finfo(np.float64).tiny
    logs = np.log(np.maximum(avoided, least)) - np.log(np.maximum(own, least))
    return np.asarray(np.clip(logs, 0.0, NOTHING_LEFT) / decay, dtype=np.float64)


def _first(
    once: FloatArray, avoided: FloatArray, own: FloatArray, decay: FloatArray, last: FloatArray
) -> FloatArray:
    """Halve the time until the peak, over which what was saved rises, to the last bits."""
    low, high = np.zeros_like(last), last
    for _ in range(60):
        middle = (low + high) / 2
        there = middle * (avoided * average_price(middle, decay) - own) >= once
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return high


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
