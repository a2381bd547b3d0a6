"""Votes weighed by how often each teacher seems to be right."""

from collections.abc import Sequence

from judgesmith.evaluation.judges import Judge
from judgesmith.metrics.coding import Verdict
from judgesmith.metrics.dawid_skene import DawidSkene, dawid_skene

LEAST_TEACHERS = 3
"""With two, no split vote says who was wrong: Dawid and Skene's model has no single solution."""
LEAST_ITEMS = 20
"""Items with two votes or more, below which accuracies are too uncertain to weigh votes by."""
MOST_ITERATIONS = 5_000
"""Votes that are little better than noise take up to a thousand; sensible ones a few dozen."""


def weigh(items: Sequence[str], teachers: Sequence[Judge]) -> DawidSkene | None:
    """Dawid and Skene's model of the teachers' verdicts; None where there is too little to fit.

    That is with fewer than `LEAST_TEACHERS` teachers that have any verdict, fewer than
    `LEAST_ITEMS` items with two votes, or votes on which the fit does not settle. Its rows are the
    items, its raters the teachers' names. Teachers that err together make its posteriors too sure:
    see the cross-check's correlations.
    """
    columns: dict[str, list[Verdict]] = {
        teacher.name: [
            read.averaged if (read := teacher.verdicts.get(item)) else None for item in items
        ]
        for teacher in teachers
    }
    columns = {name: column for name, column in columns.items() if any(column)}
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    several = sum(len(row) - row.count(None) > 1 for row in rows)
    if len(columns) < LEAST_TEACHERS or several < LEAST_ITEMS:
        return None
    fitted = dawid_skene(rows, list(columns), max_iterations=MOST_ITERATIONS)
    return fitted if fitted.converged else None


def expected_accuracy(fitted: DawidSkene, name: str) -> float:
    """How often the model expects a rater to be right: its diagonal, weighed by the priors.

    >>> fitted = dawid_skene([["A", "A", "A"], ["B", "B", "A"]] * 20, ["ann", "bob", "lazy"])
    >>> round(expected_accuracy(fitted, "lazy"), 3)
    0.5
    """
    shares = fitted.confusions[name]
    return sum(prior * shares[k][k] for k, prior in enumerate(fitted.priors))


def accuracies(items: Sequence[str], teachers: Sequence[Judge]) -> dict[str, float]:
    """The accuracy that votes are weighed by, of each teacher; empty where they are not weighed."""
    fitted = weigh(items, teachers)
    if fitted is None:
        return {}
    return {
        teacher.name: round(expected_accuracy(fitted, teacher.name), 6)
        for teacher in teachers
        if teacher.name in fitted.confusions
    }
