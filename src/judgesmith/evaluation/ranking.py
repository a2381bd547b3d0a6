"""Do a judge's verdicts rank the systems that it compares, or do they go round in circles?"""

from collections.abc import Hashable

from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.measure import Measured
from judgesmith.evaluation.scoring import number
from judgesmith.metrics.transitivity import non_transitivity
from judgesmith.report.evidence import Transitivity

SIGNS = {"A": 1.0, "B": -1.0, "TIE": 0.0}
SUBSETS = (3, 4, 5)


def transitivity(measured: Measured, judge: Judge) -> tuple[Transitivity, ...]:
    """Non-transitivity of the verdicts on each question's responses, for subsets of 3, 4 and 5.

    Needs items that name the systems which wrote the two responses, and questions on which
    several of them met; empty otherwise.
    """
    found = measured.found
    relations: dict[Hashable, dict[tuple[Hashable, Hashable], float | None]] = {}
    for position, read in judge.verdicts.items():
        models = found.models[int(position)]
        if models is None or len(models) != 2 or models[0] == models[1]:
            continue
        question = relations.setdefault(found.clusters[int(position)], {})
        question[models[0], models[1]] = None if read.averaged is None else SIGNS[read.averaged]
    sizes = [len({name for pair in one for name in pair}) for one in relations.values()]
    largest = max(sizes, default=0)
    tables = []
    for k in SUBSETS:
        if k > largest:
            break
        result = non_transitivity(
            list(relations.values()), k=k, seed=measured.plan.seed,
            resamples=measured.plan.slice_resamples, confidence=measured.plan.confidence,
        )  # fmt: skip
        if result.rate.value is None:
            break
        tables.append(
            Transitivity(
                k=k, rate=number(result.rate), cycles=number(result.cycles),
                tie_violations=number(result.tie_violations), questions=result.questions,
            )
        )  # fmt: skip
    return tuple(tables)
