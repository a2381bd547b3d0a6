"""What the leak audit looks at, what it reports, and what it has to say about that."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from judgesmith.audits.finding import Finding, Severity
from judgesmith.errors import DataError, RecipeError, nearest

MAX_EXAMPLE_PAIRS = 5


class SplitLevel(StrEnum):
    """What must stay on one side of a split."""

    QUESTION = "question"
    TEMPLATE = "template"


class LeakLevel(StrEnum):
    """What an evaluation item can share with training."""

    TEMPLATE = "template"
    QUESTION = "question"
    RESPONSE = "response"
    EVERY_RESPONSE = "every_response"
    NEAR_DUPLICATE = "near_duplicate"
    OTHER_QUESTION = "response_other_question"
    OTHER_QUESTION_NEAR = "near_duplicate_other_question"
    OTHER_QUESTION_SHORT = "short_response_other_question"


@dataclass(frozen=True, slots=True)
class LeakItem:
    """What the leak audit needs to know of one item.

    Attributes:
        item_id: Id of the item.
        group_id: Id of its question.
        template_id: Id of the template the question was made from; None if it has none.
        texts: The response texts, in any order.
    """

    item_id: str
    group_id: str
    template_id: str | None
    texts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.item_id or not self.group_id:
            raise DataError(
                f"leak audit: expected an item id and a question id, found "
                f"item_id={self.item_id!r}, group_id={self.group_id!r}; items without a question "
                "cannot be split honestly"
            )


@dataclass(frozen=True, slots=True)
class LevelShare:
    """How many evaluation items share one thing with training.

    Attributes:
        level: The thing shared.
        count: Evaluation items that share it.
        of: Evaluation items that could be checked.
        unchecked: Evaluation items that could not be checked, because they lack the id.
        examples: Pairs (evaluation item id, training item id), at most `MAX_EXAMPLE_PAIRS`.
    """

    level: LeakLevel
    count: int
    of: int
    unchecked: int
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What the evaluation side shares with the training side, level by level.

    Attributes:
        n_train: Training items.
        n_evaluation: Evaluation items.
        threshold: Least Jaccard similarity of a near duplicate.
        shares: One share per `LeakLevel`, in its order.
        train_left: For each split level, the training items that remain when all that share the
            question, or the template, with an evaluation item are left out.
        train_without_template: Training items without a template id.
    """

    n_train: int
    n_evaluation: int
    threshold: float
    shares: tuple[LevelShare, ...]
    train_left: Mapping[SplitLevel, int]
    train_without_template: int

    def share(self, level: LeakLevel) -> LevelShare:
        """Give the share of one level."""
        return next(share for share in self.shares if share.level is level)

    def to_dict(self) -> dict[str, object]:
        """Give the report as plain JSON values."""
        return {
            "n_train": self.n_train,
            "n_evaluation": self.n_evaluation,
            "threshold": self.threshold,
            "shares": [
                {
                    "level": share.level.value,
                    "count": share.count,
                    "of": share.of,
                    "unchecked": share.unchecked,
                    "examples": [list(pair) for pair in share.examples],
                }
                for share in self.shares
            ],
            "train_left": {level.value: n for level, n in self.train_left.items()},
            "train_without_template": self.train_without_template,
        }


def leak_findings(report: LeakReport, split_level: SplitLevel | str) -> tuple[Finding, ...]:
    """Say what the shares mean for a split made at a level.

    Sharing at that level or finer is an error, and must stop the run: a question, a response text
    or a near duplicate under the same question always, a template when the split is by template.
    A shared template in a split by question is a warning. A text shared under different questions
    is a figure to know. A level that nothing shares gives no finding.

    Args:
        report: What `leak_audit` counted.
        split_level: The level that the recipe names: `question` or `template`.

    Returns:
        Findings in the order of `LeakLevel`, then what could not be checked.

    Raises:
        RecipeError: If split_level is neither.
    """
    levels = [level.value for level in SplitLevel]
    if split_level not in levels:
        raise RecipeError(
            f"split level: expected one of {levels}, found {split_level!r}; "
            f"{nearest(str(split_level), levels)}"
        )
    level = SplitLevel(split_level)
    found = [
        _shared(report, share, _severity(share.level, level))
        for share in report.shares
        if share.count
    ]
    return (*found, *_not_checked(report, level))


def _severity(shared: LeakLevel, split: SplitLevel) -> Severity:
    if shared in _ACROSS:
        return Severity.INFO
    if shared is LeakLevel.TEMPLATE and split is SplitLevel.QUESTION:
        return Severity.WARNING
    return Severity.ERROR


_ACROSS = (
    LeakLevel.OTHER_QUESTION,
    LeakLevel.OTHER_QUESTION_NEAR,
    LeakLevel.OTHER_QUESTION_SHORT,
)

_WHAT = {
    LeakLevel.TEMPLATE: "share their template with training",
    LeakLevel.QUESTION: "share their question with training",
    LeakLevel.RESPONSE: "hold a response text that training has under the same question",
    LeakLevel.EVERY_RESPONSE: "hold only response texts that training has under the same question",
    LeakLevel.NEAR_DUPLICATE: (
        "hold a near duplicate of a response text that training has under the same question"
    ),
    LeakLevel.OTHER_QUESTION: "hold a response text that training has under another question",
    LeakLevel.OTHER_QUESTION_NEAR: (
        "hold a near duplicate of a response text that training has under another question"
    ),
    LeakLevel.OTHER_QUESTION_SHORT: (
        "hold a response text of under five words that training has under another question"
    ),
}


def _shared(report: LeakReport, share: LevelShare, severity: Severity) -> Finding:
    by = SplitLevel.TEMPLATE if share.level is LeakLevel.TEMPLATE else SplitLevel.QUESTION
    effect = "the judge can recall instead of judge; results are higher than on new questions"
    remedy = (
        f"split by {by.value}, or leave the training items out that share a {by.value}: "
        f"{report.train_left[by]} of {report.n_train} remain"
    )
    if severity is Severity.WARNING:
        effect = "results hold for new questions from known templates, not for new templates"
        remedy = f"say so beside the result, or {remedy}"
    if severity is Severity.INFO:
        effect = "none by itself: models say the same thing about different questions"
        remedy = "look at the examples; short or formulaic responses are expected here"
    return Finding(
        audit="leak",
        severity=severity,
        message=f"{share.count} of {share.of} evaluation items {_WHAT[share.level]}",
        count=share.count,
        of=share.of,
        examples=tuple(f"{evaluated} ~ {trained}" for evaluated, trained in share.examples),
        effect=effect,
        remedy=remedy,
    )


def _not_checked(report: LeakReport, split: SplitLevel) -> Iterator[Finding]:
    if not report.n_train or not report.n_evaluation:
        yield Finding(
            audit="leak",
            severity=Severity.WARNING,
            message=(
                f"nothing was checked: {report.n_train} training and {report.n_evaluation} "
                "evaluation items"
            ),
            count=0,
            of=0,
            examples=(),
            effect="the absence of a leak is not shown",
            remedy="give both sides at least one item",
        )
    sides = (
        ("training", report.train_without_template, report.n_train),
        ("evaluation", report.share(LeakLevel.TEMPLATE).unchecked, report.n_evaluation),
    )
    for side, lacking, n in sides:
        if lacking:
            yield Finding(
                audit="leak",
                severity=Severity.ERROR if split is SplitLevel.TEMPLATE else Severity.INFO,
                message=f"{lacking} of {n} {side} items have no template id",
                count=lacking,
                of=n,
                examples=(),
                effect="whether they share a template is not known",
                remedy="give their questions a template id, or split by question",
            )
