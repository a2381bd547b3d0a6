"""Draws of all inputs at once: a Latin hypercube of quantiles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from judgesmith.costs.amounts import Amount, FloatArray

LOW, HIGH = 0.05, 0.95
"""Quantiles between which a figure is said to lie."""
LESS, MORE = 0.8, 1.25
"""What an input that is one number is multiplied by, to see how much hangs on it."""


@dataclass(frozen=True)
class Draws:
    """Each input's values, by its place; all arrays have the length `n`."""

    n: int
    values: Mapping[str, FloatArray]

    def __getitem__(self, at: str) -> FloatArray:
        return self.values[at]

    def get(self, at: str, otherwise: float) -> FloatArray:
        """The values of an input that may be left out."""
        return self.values.get(at, np.full(self.n, otherwise))


def draw(amounts: Mapping[str, Amount], n: int, seed: int) -> Draws:
    """Draw `n` values of every uncertain input; one is enough where none is uncertain.

    Each input is cut into `n` slices of equal probability, and each draw takes the middle of one
    of them (a Latin hypercube). So quantiles of what hangs on a single uncertain input, and
    rises or falls with it, are exact but for the width of a slice; nothing is left to chance. How
    slices of different inputs meet hangs on the seed and on the inputs' names, not their order.

    >>> amounts = {"a": Amount.model_validate({"low": 0, "high": 4}), "b": Amount(value=7.0)}
    >>> sorted(draw(amounts, 4, seed=0)["a"].tolist()), draw(amounts, 4, seed=0)["b"].tolist()
    ([0.5, 1.5, 2.5, 3.5], [7.0, 7.0, 7.0, 7.0])
    """
    if all(amount.exact for amount in amounts.values()):
        n = 1
    middles = (np.arange(n) + 0.5) / n
    values = {}
    for at, amount in amounts.items():
        generator = np.random.default_rng([seed, *at.encode()])
        places = middles if amount.exact else generator.permutation(middles)
        values[at] = amount.quantile(places)
    return Draws(n, values)


def one_at_a_time(amounts: Mapping[str, Amount], places: Iterable[str]) -> Draws:
    """First all inputs at their medians; then, for each place in turn, its low and its high value.

    An uncertain input is moved to its 5% and its 95% quantile, another one to a fifth less and a
    quarter more. What cannot be so high stays at its most.
    """
    base = {at: amount.middle for at, amount in amounts.items()}
    scenes = [base]
    for at in places:
        scenes += [base | {at: end} for end in ends(amounts[at])]
    return Draws(len(scenes), {at: np.array([scene[at] for scene in scenes]) for at in base})


def ends(amount: Amount) -> tuple[float, float]:
    """The low and the high value to which an input is moved."""
    if not amount.exact:
        low, high = amount.quantile(np.array([LOW, HIGH]))
        return float(low), float(high)
    return amount.middle * LESS, min(amount.middle * MORE, amount.CAP)
