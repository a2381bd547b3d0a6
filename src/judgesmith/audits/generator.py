"""How well does "which generators are in which slot" alone predict the label?

One number for what `confound` shows generator by generator: a rule that sees no text, only who
wrote the responses, learned on nine tenths of the questions and tried on the last, ten times over.
Where it beats the commonest label, a judge that recognises a style can do so too.

False alarms: the accuracy is compared with that of the same rule on permuted labels; a report has
a chance of at most `level` (default .01) where generators and labels are unrelated and items are
independent. Where several items share a question and its label the test can be too sharp.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from judgesmith.audits.association import LEVEL, check_share
from judgesmith.audits.finding import Finding, Severity
from judgesmith.errors import DataError
from judgesmith.metrics.agreement import cohen_kappa
from judgesmith.metrics.coding import IntArray
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.result import Estimate

FOLDS = 10
PERMUTATIONS = 499


@dataclass(frozen=True, slots=True)
class GeneratedItem:
    """One labelled item as this audit sees it.

    Attributes:
        where: Where it stands: "file:line".
        group_id: Its question: items of one question are held out together.
        generators: Names of the models that wrote its responses, in stored order.
        label: The label.
    """

    where: str
    group_id: str
    generators: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class GeneratorTable:
    """What the generators alone predict.

    Attributes:
        n: Items.
        combinations: Different tuples of generators.
        majority: The commonest label.
        majority_accuracy: Its share, with Wilson interval.
        accuracy: Items whose held-out label the generators predict, with Wilson interval.
        kappa: Kappa of these predictions with the labels.
        p: Permutation p-value of the accuracy: (1 + permutations at least as good) / (1 + all).
        right_by_combination: (generators, right, items), those with the most right ones first.
    """

    n: int
    combinations: int
    majority: str | None
    majority_accuracy: Estimate
    accuracy: Estimate
    kappa: Estimate
    p: float
    right_by_combination: tuple[tuple[tuple[str, ...], int, int], ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def generator_table(
    items: Sequence[GeneratedItem], *, permutations: int = PERMUTATIONS, seed: int = 0
) -> GeneratorTable:
    """Predict each label from the generators alone, held out by question.

    The fold of a question is drawn from a hash of its id, so it depends on neither order nor
    other items. The rule: the commonest training label of the same tuple of generators; without
    one, the commonest training label. Equal counts go to the first label by name.

    Args:
        items: Labelled items.
        permutations: How many permutations of the labels to try; 199 resolve p = .005.
        seed: Seed of the permutations.

    Raises:
        DataError: If permutations is below 1.

    >>> rows = [GeneratedItem(f"f:{i}", f"q{i}", ("x", "y") if i % 2 else ("y", "x"),
    ...                       "A" if i % 2 else "B") for i in range(60)]
    >>> table = generator_table(rows)
    >>> table.accuracy.value, table.majority_accuracy.value, table.p
    (1.0, 0.5, 0.002)
    """
    if permutations < 1:
        raise DataError(f"permutations: expected at least 1, found {permutations!r}")
    names = sorted({item.label for item in items})
    combinations = sorted({item.generators for item in items})
    cell_of = {combination: i for i, combination in enumerate(combinations)}
    label_of = {name: i for i, name in enumerate(names)}
    labels = np.array([label_of[item.label] for item in items], dtype=np.int64)
    rule = _Rule(
        np.array([fold(item.group_id) for item in items], dtype=np.int64),
        np.array([cell_of[item.generators] for item in items], dtype=np.int64),
        (FOLDS, len(combinations), len(names)),
    )
    predicted = rule.predict(labels)
    right = predicted == labels
    hits = int(right.sum())
    generator = np.random.default_rng(seed)
    as_good = (
        sum(
            int((rule.predict(drawn) == drawn).sum()) >= hits
            for drawn in (generator.permutation(labels) for _ in range(permutations))
        )
        if items
        else permutations
    )
    most = Counter(item.label for item in items).most_common(1)
    return GeneratorTable(
        n=len(items),
        combinations=len(combinations),
        majority=most[0][0] if most else None,
        majority_accuracy=wilson(most[0][1] if most else 0, len(items)),
        accuracy=wilson(hits, len(items)),
        kappa=cohen_kappa([names[i] for i in predicted], [item.label for item in items]),
        p=(1 + as_good) / (1 + permutations),
        right_by_combination=_by_combination(items, right),
    )


def fold(group_id: str) -> int:
    """Give the fold of a question, 0 to 9, from its id alone.

    >>> fold("q1") == fold("q1"), 0 <= fold("q2") < 10
    (True, True)
    """
    digest = blake2b(group_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % FOLDS


class _Rule:
    """The commonest label of each combination outside each fold."""

    def __init__(self, folds: IntArray, cells: IntArray, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        self.folds, self.cells = folds, cells
        self.offsets = (folds * shape[1] + cells) * shape[2]

    def predict(self, labels: IntArray) -> NDArray[np.int64]:
        """Predict each item's label from the other folds, shape (items,)."""
        if not len(labels):
            return labels
        counts = np.bincount(self.offsets + labels, minlength=int(np.prod(self.shape)))
        held_out = counts.reshape(self.shape)
        known = held_out.sum(axis=0) - held_out
        best = known.argmax(axis=2)
        empty = known.sum(axis=2) == 0
        commonest = known.sum(axis=1).argmax(axis=1)
        best = np.where(empty, commonest[:, None], best)
        chosen: NDArray[np.int64] = best[self.folds, self.cells]
        return chosen


def _by_combination(
    items: Sequence[GeneratedItem], right: NDArray[np.bool_]
) -> tuple[tuple[tuple[str, ...], int, int], ...]:
    totals = Counter(item.generators for item in items)
    hits = Counter(item.generators for item, hit in zip(items, right, strict=True) if hit)
    rows = [(combination, hits[combination], n) for combination, n in totals.items()]
    return tuple(sorted(rows, key=lambda row: (-row[1], row[0])))


def generator_findings(
    table: GeneratorTable, *, level: float = LEVEL, gain: float = 0.05
) -> tuple[Finding, ...]:
    """Warn if the generators alone predict the label.

    Args:
        table: What `generator_table` worked out.
        level: Chance of a warning where generators and labels are unrelated.
        gain: Accuracy above that of the commonest label that is worth a warning, 0 to 1.

    Raises:
        RecipeError: If a limit lies outside 0 to 1.
    """
    check_share("generator limits", level=level, gain=gain)
    accuracy, majority = table.accuracy.value, table.majority_accuracy.value
    if accuracy is None or majority is None or table.p >= level or accuracy - majority <= gain:
        return ()
    kappa = "undefined" if table.kappa.value is None else f"{table.kappa.value:.3f}"
    return (
        Finding(
            audit="generator",
            severity=Severity.WARNING,
            message=(
                f"the generators alone predict {round(accuracy * table.n)} of {table.n} labels "
                f"({accuracy:.1%}, kappa {kappa}); the commonest label "
                f"{table.majority!r} holds {majority:.1%} (permutation p = {table.p:.2g})"
            ),
            count=round(accuracy * table.n),
            of=table.n,
            examples=tuple(
                f"{' | '.join(names)}: {right} of {n}"
                for names, right, n in table.right_by_combination[:3]
            ),
            effect="a judge that recognises a generator's style agrees with the labels by that",
            remedy="balance labels within each combination of generators, and show this rule as a "
            "baseline",
        ),
    )
