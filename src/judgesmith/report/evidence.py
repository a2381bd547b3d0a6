"""What a meta-evaluation holds beyond agreement: order, confidence, scores, panels, single items.

Everything is plain JSON when dumped. A part that the data do not allow is None or empty, and
`Evidence.not_measured` says why.
"""

from pydantic import Field

from judgesmith.report.results import Confusion, Number, Result


class Flips(Result):
    """A judge's verdicts in both orders, in item order.

    `matrix` counts the verdict in the stored order (row) by that in the swapped order (column),
    with a label "unparsed" where there are such replies. `primacy` and
    `recency`: among pairs whose two readings name the same slot, so different responses, the
    share that names what was shown first, or second. `repeatability`: chance that two repeats in
    one order agree. `beyond_noise`: how much more often verdicts differ after a swap than between
    repeats.
    """

    matrix: Confusion
    consistency: Number
    primacy: Number
    recency: Number
    repeatability: Number | None
    beyond_noise: Number | None


class CalibrationBin(Result):
    """Verdicts whose confidence lies in one bin: how sure the judge was, how often right."""

    low: float
    high: float
    n: int
    confidence: float
    right: Number


class Calibration(Result):
    """Confidence against being right. `binning` says how many bins, of which kind."""

    brier: Number
    ece: Number
    binning: str
    bins: tuple[CalibrationBin, ...]


class RiskCoverage(Result):
    """What is left wrong when only the surest share of verdicts is kept.

    `points` are (coverage, risk), both 0 to 1; `area` is the mean risk over all coverages.
    """

    area: Number
    points: tuple[tuple[float, float], ...]


class ScoreAgreement(Result):
    """Scores of a judge against those of people, for one criterion.

    `weighted_kappa` and `alpha` (ordinal) are None where scores are no whole numbers of a scale.
    """

    criterion: str
    n: int
    pearson: Number
    spearman: Number
    kendall: Number
    exact: Number
    mean_error: Number
    weighted_kappa: Number | None
    alpha: Number | None


class ScoreAndPair(Result):
    """A judge's scores against its own pairwise verdicts (TrustJudge's conflict ratio, split)."""

    conflicts: Number
    reversals: Number
    score_ties: Number
    verdict_ties: Number


class Transitivity(Result):
    """Subsets of `k` responses to one question that a judge's verdicts cannot rank (NTR_k).

    `cycles` (x over y over z over x) and `tie_violations` (x = y, y = z, not x = z) are shares of
    the same subsets; one subset can have both.
    """

    k: int
    rate: Number
    cycles: Number
    tie_violations: Number
    questions: int


class JudgeEvidence(Result):
    """One judge on all labelled items.

    `repeats` is Krippendorff's alpha among repeated judgments of one order, by criterion.
    """

    judge: str
    ac1: Number | None
    alpha: Number | None
    accuracy_by_ties: dict[str, Number]
    flips: Flips | None
    longer_wins: Number | None
    length_controlled: Number | None
    styles: dict[str, Number]
    calibration: Calibration | None
    risk_coverage: RiskCoverage | None
    scores: tuple[ScoreAgreement, ...]
    score_and_pair: ScoreAndPair | None
    transitivity: tuple[Transitivity, ...] = ()
    repeats: dict[str, Number] = Field(default_factory=dict)


class PanelMember(Result):
    """One judge in the panel: `without` is the panel's kappa with it minus without it."""

    judge: str
    without: Number | None
    worker_accuracy: float | None


class AlternativeAnnotator(Result):
    """The alternative annotator test of one judge: may it stand in for a person?

    `winning_rate` is the share of people it does not do worse than; 0.5 or more passes.
    """

    judge: str
    winning_rate: Number
    advantage: Number
    passed: bool | None
    epsilon: float


class Panel(Result):
    """All judges (and people) together.

    `kappas[bucket][i][j]` is the agreement of members i and j; `errors[i][j]` the correlation of
    their errors, None where undefined. `effective_votes`: of how many independent votes the
    panel is worth. `majority` is its majority verdict's kappa against the labels, `dawid_skene`
    that of the verdict which weighs each member by its estimated errors.
    """

    members: tuple[PanelMember, ...]
    kappas: dict[str, tuple[tuple[Number, ...], ...]]
    errors: tuple[tuple[float | None, ...], ...]
    effective_votes: Number
    majority: Number | None
    dawid_skene: Number | None


class Probe(Result):
    """One bias probe on teacher and student, and the paired difference (student - teacher)."""

    name: str
    teacher: Number
    student: Number
    difference: Number


class Fidelity(Result):
    """Does the student repeat its teacher?

    `repeated`: of the items the teacher has wrong, the share with the same wrong verdict by the
    student; `by_chance`: that share if their errors were independent.
    """

    teacher: str
    student: str
    repeated: Number
    by_chance: Number
    probes: tuple[Probe, ...]


class BrowserRow(Result):
    """One item of the disagreement browser; `verdicts` and `rationales` by judge."""

    item_id: str
    where: str
    question: str
    responses: tuple[str, ...]
    models: tuple[str, ...]
    fields: dict[str, str]
    label: str
    verdicts: dict[str, str | None]
    rationales: dict[str, str]


class Evidence(Result):
    """All of it. `browser_of` says how many labelled items the browser's rows were drawn from.

    `people_alpha` is Krippendorff's alpha among all people, by criterion ("all items" without).
    """

    judges: tuple[JudgeEvidence, ...]
    people: tuple[tuple[str, str, Number], ...]
    panel: Panel | None
    alternative: tuple[AlternativeAnnotator, ...]
    fidelity: Fidelity | None
    browser: tuple[BrowserRow, ...]
    browser_of: int
    not_measured: dict[str, str]
    notes: tuple[str, ...]
    people_alpha: dict[str, Number] = Field(default_factory=dict)
