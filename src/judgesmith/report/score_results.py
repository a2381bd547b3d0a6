"""What an evaluation holds of judges that give scores, and of one judge in several formats."""

from typing import Literal

from judgesmith.report.result_base import Confusion, Number, Result, Role


class JudgeLMTerms(Result):
    """A judge that gives two scores, in the terms of JudgeLM's own evaluation.

    With win, tie or lose of the first response as verdict: `agreement` is the share of labels that
    the verdict in the stored order repeats; `precision`, `recall` and `f1` are means over the three
    classes, each as heavy as the others, in that order too. `consistency` is the share of pairs
    with one verdict in both orders; `prefer_before` and `prefer_after` the shares in which what
    was shown earlier, or later, did better than the other order allows (a win that becomes a tie
    counts too). `delta` is the first minus the second; JudgeLM's "delta bias" is its size.
    """

    agreement: Number
    precision: Number
    recall: Number
    f1: Number
    consistency: Number
    prefer_before: Number
    prefer_after: Number
    delta: Number


class ExpectedScores(Result):
    """The same judge by the mean of the scale under its probabilities, not the score it stated."""

    pearson: Number
    spearman: Number
    mean_error: Number


class ScoreSlice(Result):
    """One judge that gives scores on one slice of the items; all but `coverage` over parsed ones.

    `exact` and `within_one` are the shares of scores that equal the label, or miss it by at most
    one; `weighted_kappa` has quadratic weights; `mean_error` is the mean absolute error.
    `spearman` and `kendall` (tau-b) are there for domain slices only. `expected` is None where
    replies carry no probabilities. `confusion` counts score (row) by label (column).
    """

    coverage: Number
    exact: Number
    within_one: Number
    pearson: Number
    spearman: Number | None
    kendall: Number | None
    weighted_kappa: Number
    mean_error: Number
    expected: ExpectedScores | None
    confusion: Confusion | None


class ScoreResult(Result):
    """One judge that gives scores on all slices, by slice name."""

    name: str
    role: Role
    note: str
    slices: dict[str, ScoreSlice]


class Replies(Result):
    """What became of one judge's replies on one slice: every reply counts, in every order.

    `parsed` and `truncated` are shares of them, `statuses` the counts behind them.
    """

    judge: str
    slice: str
    parsed: Number
    truncated: Number
    statuses: dict[str, int]


class Between(Result):
    """Whether a judge's scores of single responses say the same as a preference on their pair.

    `scores` is "stated" or "expected"; `against` whose preference it is: the judge's own verdict
    over both orders, or the labels. `consistent`, `inconsistent` and `tie` are shares of pairs with
    a preference: the preferred response has the higher score, the lower one, or the same.
    `conflicts` is TrustJudge's ratio over all pairs, ties included; `reversals`, `score_ties` and
    `verdict_ties` are its parts. `left_out` pairs have no score or no verdict that could be read,
    `no_preference` are ties that name nothing.
    """

    judge: str
    scores: Literal["stated", "expected"]
    against: str
    consistent: Number
    inconsistent: Number
    tie: Number
    conflicts: Number | None
    reversals: Number | None
    score_ties: Number | None
    verdict_ties: Number | None
    left_out: int
    no_preference: int


class Consistency(Result):
    """Scores of single responses against verdicts on pairs, in the two dialects named here."""

    pair_dialect: str
    score_dialect: str
    labels_title: str
    pairs: int
    rows: tuple[Between, ...]


class Kept(Result):
    """How much of a specialist's measure a merged judge keeps, on the same items.

    `share` is the merged judge's measure over the specialist's, both on the items that all of the
    three judges were asked about; `joint_share` the same of the judge that was trained on all
    formats at once. `above_constant` is the merged judge's measure minus that of the constant
    rule, `specialist_above` the specialist's. `outcome` says whether the whole interval of `share`
    lies at or above `least`, below it, or neither.
    """

    dialect: str
    slice: str
    metric: str
    merged_name: str
    specialist_name: str
    joint_name: str | None
    merged: Number
    specialist: Number
    joint: Number | None
    share: Number
    joint_share: Number | None
    above_constant: Number
    specialist_above: Number
    least: float
    outcome: Literal["kept", "not kept", "not decided"]
