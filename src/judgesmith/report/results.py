"""What an evaluation and a gate hold. Stages fill these; pages are drawn from them.

Everything is plain JSON when dumped; a number that does not exist is null with its reason.
"""

from typing import Literal

from pydantic import Field

from judgesmith.report.result_base import Confusion, LabelsKind, Number, Result, Role
from judgesmith.report.score_results import (
    Consistency,
    JudgeLMTerms,
    Kept,
    Replies,
    ScoreResult,
)

__all__ = [
    "Check", "Comparison", "Confusion", "Evaluation", "Example", "GateResult", "JudgeResult",
    "LabelsKind", "Number", "Published", "Result", "Role", "SliceInfo", "SliceResult",
]  # fmt: skip


class SliceResult(Result):
    """One judge on one slice of the items.

    `kappa` and `accuracy` are order-averaged over parsed items; the single-order ones stand
    beside them. `consistency`, `position_bias` (share naming the first slot minus share naming the
    second, among all pairs read in both orders) are None for a judge that is order-proof by
    construction. `verbosity` is how often the verdict names the longer response, minus how often
    the labels do. `if_unparsed` holds kappa with unparsed items counted best, worst, and wrong.
    """

    kappa: Number
    accuracy: Number
    kappa_stored_order: Number | None
    kappa_swapped_order: Number | None
    coverage: Number
    if_unparsed: dict[str, Number]
    consistency: Number | None
    position_bias: Number | None
    verbosity: Number | None
    confusion: Confusion | None
    accuracy_stored_order: Number | None = None
    accuracy_swapped_order: Number | None = None
    judgelm: JudgeLMTerms | None = None


class JudgeResult(Result):
    """One judge on all slices, by slice name."""

    name: str
    role: Role
    order_proof: bool
    note: str
    slices: dict[str, SliceResult]


class SliceInfo(Result):
    """A part of the test items: `kind` is domain, bucket, category or another field's name."""

    name: str
    kind: str
    title: str
    n: int
    questions: int
    label_counts: dict[str, int]


class Comparison(Result):
    """Two judges on the same items: `metric` of `a` minus that of `b`, and an exact paired test.

    `gained` are items that a has right and b wrong (for scores: a is closer to the label);
    `p_holm` is adjusted over the whole table.
    `conclusion` is "NAME is better", with the name of a or b, or "no difference shown".
    """

    a: str
    b: str
    slice: str
    difference: Number
    gained: int
    lost: int
    p: float
    p_holm: float
    conclusion: str
    metric: str = "kappa"


class Published(Result):
    """A figure from elsewhere, cited as context: never compared by a test.

    `slice` is the slice of this evaluation in whose picture a kappa may be shown; None belongs to
    none of them.
    """

    judge: str
    metric: str = "kappa"
    value: float
    slice: str | None = None
    source: str
    note: str = ""


class Example(Result):
    """One judged item as a person would read it."""

    item_id: str
    slice: str
    bucket: str
    category: str | None
    context: str | None
    question: str
    choices: tuple[str, ...]
    responses: tuple[str, ...]
    generators: tuple[str, ...]
    label: str
    verdict: str | None
    right: bool
    rationale: str | None
    probability: float | None


class Evaluation(Result):
    """All results of one evaluation. `labels_title` says whose labels they are.

    `test_looks` counts how often a run's judges met these labels; None where nobody counted.
    `domain_difference` is the student's kappa out of domain minus in domain, where both exist.
    `form` says what judges gave: verdicts ("pairs", in `judges`) or scores ("scores", in
    `scored`). `replies` tells what could be read. `also` are evaluations in further dialects or
    against further labels; `consistency` and `kept` compare them. `missing` are those that could
    not be made, with the reason.
    """

    labels_kind: LabelsKind
    labels_title: str
    direction: str
    confidence: float
    resamples: int
    test_looks: int | None
    slices: tuple[SliceInfo, ...]
    judges: tuple[JudgeResult, ...]
    comparisons: tuple[Comparison, ...]
    domain_difference: Number | None
    published: tuple[Published, ...]
    examples: tuple[Example, ...]
    dialect: str = ""
    form: Literal["pairs", "scores"] = "pairs"
    scored: tuple[ScoreResult, ...] = ()
    replies: tuple[Replies, ...] = ()
    also: tuple["Evaluation", ...] = ()
    consistency: tuple[Consistency, ...] = ()
    kept: tuple[Kept, ...] = ()
    missing: dict[str, str] = Field(default_factory=dict)


class Check(Result):
    """One condition of the gate. `labels_needed` is the number of labels that would decide it.

    A check that wants kappa on one slice to reach a value names both, so that a picture can show
    the line: `slice` and `kappa_floor`.
    """

    name: str
    requirement: str
    found: Number | None
    outcome: Literal["pass", "fail", "inconclusive", "not applicable"]
    reason: str
    labels_needed: int | None
    slice: str | None = None
    kappa_floor: float | None = None


class GateResult(Result):
    """The gate's verdict: the worst outcome of its checks (fail, then inconclusive, then pass)."""

    judge: str
    labels_title: str
    outcome: Literal["pass", "fail", "inconclusive"]
    checks: tuple[Check, ...]
