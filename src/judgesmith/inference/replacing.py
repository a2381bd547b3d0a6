"""Which labels may give a judge another calibration: enough of them, and none turned about."""

from collections.abc import Sequence

from judgesmith.errors import DataError
from judgesmith.inference.calibration import Calibration
from judgesmith.inference.fitting import Labelled
from judgesmith.metrics import cluster_bootstrap_kappa, mcnemar_exact, one_per_cluster, swap_verdict
from judgesmith.records import Kind

FEWEST = 29
"""Labelled questions that replace more: fewer promise a risk of 10% at no number of errors."""

LEVEL = 0.01
_INSIST = "Nothing was kept. To keep it all the same, give --replace; nothing is judged again."


def check_enough(found: Calibration, before: Calibration | None) -> None:
    """Refuse a calibration on few questions in place of one on more.

    Raises DataError, which says what is kept.
    """
    least = FEWEST if before is None else min(FEWEST, before.fitted_on.questions)
    if before is not None and found.fitted_on.questions < least:
        raise DataError(
            f"{found.fitted_on.what}: expected at least {least} labelled questions to replace the "
            f"calibration {before.id}, which rests on {before.fitted_on.questions:,} questions of "
            f"{before.fitted_on.what}; found {found.fitted_on.questions}. {_INSIST}"
        )


def check_direction(rows: Sequence[Labelled], what: str, seed: int) -> None:
    """Refuse labels that a judge agrees with less than by chance, as labels turned about are.

    Of pairs, one of each question: where judge and label each name a response, the other one is not
    named more often than the same (exact McNemar test of the judge against itself turned about). Of
    single responses, kappa is not below 0 with its whole interval.

    Raises DataError, which says what was found.
    """
    given = [one for one in rows if one.verdict is not None]
    verdicts, labels = [str(one.verdict) for one in given], [one.label for one in given]
    questions = [one.question for one in given]
    if given and given[0].kind is not Kind.PAIR:
        kappa = cluster_bootstrap_kappa(verdicts, labels, questions, seed=seed, resamples=1000)
        if kappa.high is not None and kappa.high < 0:
            raise DataError(
                f"{what}: expected labels that the judge agrees with at least as often as by "
                f"chance, found kappa {kappa.value:.2f}, at most {kappa.high:.2f}. {_INSIST}"
            )
        return
    drawn = one_per_cluster(questions, seed)
    said, right = [verdicts[i] for i in drawn], [labels[i] for i in drawn]
    test = mcnemar_exact(said, [swap_verdict(one) for one in said], right)
    if test.lost > test.gained and test.p < LEVEL:
        raise DataError(
            f"{what}: expected labels that name the same response as the judge at least as often "
            f"as the other one, found the other on {test.lost:,} of {test.gained + test.lost:,} "
            "questions where both name one. Are the letters turned about, or does `names` say "
            f"better for worse? {_INSIST}"
        )
