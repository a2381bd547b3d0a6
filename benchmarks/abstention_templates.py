"""A promise on abstention where the questions were made from a few templates.

    python -m benchmarks.abstention_templates [--judges 2000]

Each judge has 18 templates of 15 questions, as the dev side of a run may have. A template has its
own rate of errors (mean .2, standard deviation .18) and its own range of confidences. Prints how
often a threshold at a risk of 20% and delta 5% breaks its promise: on new questions from the same
templates, and on questions from new ones. Exits 1 where the first is shown to be above delta, by
Clopper and Pearson's lower end at 99.9%.
"""

import argparse
import sys

import numpy as np
from benchmarks.planted.table import clopper_pearson
from numpy.typing import NDArray

from judgesmith.metrics.selective import abstention

Floats = NDArray[np.float64]
RISK, DELTA = 0.2, 0.05
TEMPLATES, QUESTIONS, MANY = 18, 15, 20_000
WORLDS = {"confidence says nothing": 0.0, "surer is right more often": 1.0}
"""How much the rate of errors falls with confidence."""


class Templates:
    """Templates drawn anew: the rate of errors of each, and where its confidences begin."""

    def __init__(self, count: int, falls: float, generator: np.random.Generator) -> None:
        self.rate = np.clip(generator.normal(0.2, 0.18, count), 0, 1)[:, None]
        self.start = generator.integers(0, 60, count)[:, None] / 100
        self.falls = falls

    def risk(self, stated: Floats) -> Floats:
        """The chance of an error at each confidence, a row for each template."""
        slope = 1 - self.falls + 2 * self.falls * (1 - stated)
        return np.clip(self.rate * slope, 0, 1)

    def breaks(self, above: float) -> bool:
        """Whether the true risk above a threshold is more than was promised."""
        stated = self.start + np.arange(40)[None] / 100
        return bool(self.risk(stated)[stated > above].mean() > RISK)


def row(name: str, judges: int) -> bool:
    """Print one world; whether the promise is kept on the same templates, as far as is seen."""
    generator = np.random.default_rng([*map(ord, name)])
    given = same = new = 0
    for _ in range(judges):
        ours = Templates(TEMPLATES, WORLDS[name], generator)
        stated = ours.start + generator.integers(0, 40, (TEMPLATES, QUESTIONS)) / 100
        right = generator.random(stated.shape) >= ours.risk(stated)
        found = abstention(
            stated.ravel().tolist(), right.ravel().tolist(), risk=RISK, delta=DELTA
        ).above
        if found is not None:
            given += 1
            same += ours.breaks(found)
            new += Templates(MANY, WORLDS[name], generator).breaks(found)
    print(f"| {name} | {given / judges:.1%} | {same / judges:.1%} | {new / judges:.1%} |")
    return clopper_pearson(same, judges, 0.999)[0] <= DELTA


def main() -> None:
    """All worlds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--judges", type=int, default=2000)
    judges = parser.parse_args().judges
    print("| world | threshold given | broken on the same templates | broken on new templates |")
    print("|---|---|---|---|")
    kept = [row(name, judges) for name in WORLDS]
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
