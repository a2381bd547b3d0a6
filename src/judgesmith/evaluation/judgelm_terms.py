"""A judge that gives two scores, in the terms in which JudgeLM's results were published.

Their definitions (evaluation script of arXiv 2310.17631): the label is a win, tie or loss of the
first response; p is the verdict in the stored order, q the one when responses are reversed, and -q
is q as if they had not been. Agreement and the macro means are of p alone; consistency is the share
with p = -q; prefer-before the share with p above -q in the order loss, tie, win; prefer-after the
share with it below. Theirs read a failed parse as a tie; here it is left out and coverage tells.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np

from judgesmith.evaluation.judges import Read
from judgesmith.evaluation.sliced import Scored, number
from judgesmith.metrics.bootstrap import cluster_bootstrap
from judgesmith.metrics.coding import FloatArray
from judgesmith.metrics.interval import cluster_bootstrap_accuracy
from judgesmith.metrics.resample import Resampling, ResamplingOptions
from judgesmith.metrics.result import Estimate
from judgesmith.metrics.shares import hit_share, signed_interval
from judgesmith.records import LETTERS, TIE
from judgesmith.report.results import Number
from judgesmith.report.score_results import JudgeLMTerms

CLASSES = (LETTERS[0], LETTERS[1], TIE)
_RANK = {LETTERS[0]: 1, TIE: 0, LETTERS[1]: -1}
MACRO_RESAMPLES = 1_000
NOT_BOTH = "no pair was parsed in both orders"
NO_CLASS = "there are no rows"

Part = Literal["precision", "recall", "f1"]


def judgelm_terms(
    reads: Sequence[Read], rows: Sequence[Scored], options: ResamplingOptions, hidden: str | None
) -> JudgeLMTerms:
    """The eight numbers on one slice; `reads` are in item order, `hidden` says why not to show."""
    kept = [(read.stored, row) for read, row in zip(reads, rows, strict=True) if read.stored]
    verdicts, labels = [v for v, _ in kept], [row.label for _, row in kept]
    clusters = [row.cluster for _, row in kept]
    few: ResamplingOptions = {
        **options, "resamples": min(MACRO_RESAMPLES, options.get("resamples", MACRO_RESAMPLES))
    }  # fmt: skip
    columns = [[float(CLASSES.index(one)) for one in column] for column in (verdicts, labels)]

    def mean_over_classes(part: Part) -> Number:
        if not kept:
            return Number(value=None, n=0, undefined=NO_CLASS)
        return number(
            cluster_bootstrap(partial(macro, part=part), columns, clusters, **few), hidden
        )

    agreement = cluster_bootstrap_accuracy(verdicts, labels, clusters, **options)
    return JudgeLMTerms(
        agreement=number(agreement),
        precision=mean_over_classes("precision"),
        recall=mean_over_classes("recall"),
        f1=mean_over_classes("f1"),
        **_orders(reads, rows, options),
    )


def macro(verdicts: FloatArray, labels: FloatArray, *, part: Part) -> float:
    """Mean over win, tie and loss of precision, recall or F1; 0 for a class without a case.

    >>> labels = np.array([0.0, 0.0, 1.0, 2.0])
    >>> verdicts = np.array([0.0, 1.0, 1.0, 0.0])
    >>> round(macro(verdicts, labels, part="recall"), 3)  # 1/2, 1/1, 0/1
    0.5
    """
    size = len(CLASSES)
    cells = np.bincount(
        (np.asarray(verdicts) * size + np.asarray(labels)).astype(np.int64), minlength=size * size
    ).reshape(size, size)
    right, said, wanted = np.diag(cells), cells.sum(axis=1), cells.sum(axis=0)
    below = {"precision": said, "recall": wanted, "f1": said + wanted}[part]
    above = 2 * right if part == "f1" else right
    return float(np.divide(above, below, out=np.zeros(size), where=below > 0).mean())


def _orders(
    reads: Sequence[Read], rows: Sequence[Scored], options: ResamplingOptions
) -> dict[str, Number]:
    both = [
        (_RANK[read.stored] - _RANK[read.swapped], row.cluster)
        for read, row in zip(reads, rows, strict=True)
        if read.stored is not None and read.swapped is not None
    ]
    moved, clusters = [gap for gap, _ in both], [cluster for _, cluster in both]
    plan = Resampling(**options)
    signs = [(gap > 0) - (gap < 0) for gap in moved]

    def share(sign: int) -> Estimate:
        return hit_share([one == sign for one in signs], clusters, plan, NOT_BOTH)

    delta = signed_interval(signs, [1] * len(signs), clusters, plan, NOT_BOTH)
    return {
        "consistency": number(share(0)),
        "prefer_before": number(share(1)),
        "prefer_after": number(share(-1)),
        "delta": number(delta),
    }
