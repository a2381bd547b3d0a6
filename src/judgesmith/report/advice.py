"""Which of a run's own checkpoints to use where, as far as the paired tests decide it."""

from collections.abc import Sequence
from itertools import combinations

from judgesmith.report.numbers import denominator, estimate, not_shown
from judgesmith.report.result_base import Result
from judgesmith.report.results import Comparison, Evaluation, JudgeResult
from judgesmith.report.score_results import ScoreResult
from judgesmith.runs.students import BEFORE, student_stage

INSIDE, OUTSIDE = "in_domain", "out_of_domain"
PLACES = {INSIDE: "In the trained categories", OUTSIDE: "Outside of them"}
EVERYWHERE = "On the test items"
METRICS = ("kappa", "weighted kappa")
"""Agreement of verdicts and of scores, by which checkpoints are decided between."""
ELSEWHERE = "trained in other dialects only"
"""How an evaluation notes a student that was never trained in its dialect."""
ORDER = ("sft", "dpo", "merge")
NO_ADVICE = "no advice"
LEAST_ITEMS, LEAST_COVERAGE = 20, 0.5
"""Fewer items, or replies of which fewer can be read, are nothing to choose a checkpoint by."""


class Advice(Result):
    """What to use in one place, and what it rests on; `dialect` where a run has several.

    `use` is `NO_ADVICE` where the evidence is too thin to name a checkpoint.
    """

    place: str
    use: str
    because: str
    dialect: str = ""


def advise_all(evaluation: Evaluation) -> tuple[Advice, ...]:
    """What to use where, for every format that was evaluated."""
    if not evaluation.also:
        return tuple(advise(evaluation, checkpoints_of(evaluation)))
    return tuple(
        found.model_copy(update={"dialect": one.dialect})
        for one in (evaluation, *evaluation.also)
        for found in advise(one, checkpoints_of(one))
    )


def checkpoints_of(evaluation: Evaluation) -> list[str]:
    """A run's own students: those that know the dialect first, then in the order of training."""
    judges: list[JudgeResult | ScoreResult] = [*evaluation.judges, *evaluation.scored]
    own = [judge for judge in judges if judge.role in ("student", "judge")]
    own.sort(key=lambda one: (ELSEWHERE in one.note, ORDER.index(student_stage(one.name))))
    return [judge.name for judge in own]


def advise(evaluation: Evaluation, checkpoints: Sequence[str]) -> list[Advice]:
    """One line per domain in which at least two checkpoints were compared.

    A checkpoint is advised where it is better than another by paired test and interval, and no
    other is better than it. Where the test shows no difference, none is: the first of the
    checkpoints is named as what there is no reason to leave. On fewer than `LEAST_ITEMS` items, or
    where most replies of the one to name cannot be read, there is no advice.

    Args:
        evaluation: with its comparisons, adjusted over their whole table.
        checkpoints: the run's own, what took the least training first; the one before training is
            left out.
    """
    own = [name for name in checkpoints if name != BEFORE]
    outside = any(one.slice == OUTSIDE for one in evaluation.comparisons)
    found = []
    for place, words in PLACES.items():
        compared = _compared(evaluation, place, own)
        if compared:
            use, because = _decide(compared, own)
            lacking = _too_thin(evaluation, place, compared, use)
            if lacking is not None:
                use, because = NO_ADVICE, lacking
            said = words if outside else EVERYWHERE
            found.append(Advice(place=said, use=use, because=because))
    return found


def _compared(evaluation: Evaluation, place: str, own: Sequence[str]) -> list[Comparison]:
    pairs = {frozenset(pair) for pair in combinations(own, 2)}
    return [
        one
        for one in evaluation.comparisons
        if one.slice == place and one.metric in METRICS and frozenset((one.a, one.b)) in pairs
    ]


def _too_thin(
    evaluation: Evaluation, place: str, compared: Sequence[Comparison], use: str
) -> str | None:
    """Why this checkpoint cannot be advised; None where nothing speaks against it."""
    judges: list[JudgeResult | ScoreResult] = [*evaluation.judges, *evaluation.scored]
    found = next((one.slices[place] for one in judges if one.name == use and place in one.slices),
                 None)  # fmt: skip
    coverage = None if found is None else found.coverage.value
    if coverage is not None and coverage < LEAST_COVERAGE:
        return (
            f"Most replies of {use} cannot be read: its coverage is {coverage:.1%}, and at least "
            f"{LEAST_COVERAGE:.0%} is needed."
        )
    items = max(one.difference.n for one in compared)
    if items < LEAST_ITEMS:
        return f"{items} items are too few: at least {LEAST_ITEMS} are needed."
    return None


def _decide(compared: Sequence[Comparison], own: Sequence[str]) -> tuple[str, str]:
    """The name to use, and the differences that say so."""
    better = [one for one in compared if one.conclusion.endswith(" is better")]
    winners = {one.conclusion.removesuffix(" is better") for one in better}
    losers = {one.b if one.conclusion == f"{one.a} is better" else one.a for one in better}
    met = [name for name in own if any(name in (one.a, one.b) for one in compared)]
    best = [name for name in met if name in winners - losers]
    unbeaten = [name for name in met if name not in losers]
    use, said = (unbeaten or met)[0], "No test shows another to be better"
    if len(best) == 1:
        use, said = best[0], "It is better by the paired test"
    elif not unbeaten:
        said = "Each is shown better than one and worse than another, so the first is named"
    told = "; ".join(_difference(one) for one in compared if use in (one.a, one.b))
    return use, f"{said}: {told}."


def _difference(one: Comparison) -> str:
    shown = estimate(one.difference)
    more = "" if not_shown(one.difference) else f", {denominator(one.difference)}"
    return f"{one.metric} of {one.a} minus {one.b}: {shown}{more}"
