"""What a student took over from its teacher: how often it repeats the teacher's own errors.

Whether it took over its leanings is a matter of `probes`.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from judgesmith.metrics.coding import FloatArray, Label, Verdict, aligned, cluster_codes, distinct
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    Statistic,
    cell_counts,
    replicates,
    with_interval,
    without_each,
)
from judgesmith.metrics.result import Estimate, Headline
from judgesmith.metrics.shares import share_interval

NO_ERRORS = "the teacher has no parsed wrong verdict with a parsed verdict of the student"
NOT_WRONG = "the teacher is right everywhere"
NEVER_RIGHT = "the teacher is nowhere right where the student is parsed"


@dataclass(frozen=True, slots=True)
class RepeatedErrors(Headline):
    """What the student does where the teacher is wrong.

    Attributes:
        repeated: among items where the teacher's parsed verdict is wrong and the student's is
            parsed, the share with the same wrong verdict.
        expected: what `repeated` would be if the two erred independently given the label.
        excess: repeated - expected, both resampled together.
        corrected: among the same items, the share where the student is right.
        kept: among items where the teacher is right and the student parsed, the share where the
            student is right.
        repeated_of_all: the same wrong verdict as a share of all items where the teacher is not
            right, its unparsed verdicts counted as wrong and the student's as not the same. An
            unparsed verdict cannot be repeated, so this share is lower by definition.
        teacher_unparsed: items without a parsed verdict of the teacher.
        student_unparsed: items without a parsed verdict of the student.
    """

    repeated: Estimate
    expected: Estimate
    excess: Estimate
    corrected: Estimate
    kept: Estimate
    repeated_of_all: Estimate
    teacher_unparsed: int
    student_unparsed: int

    @property
    def headline(self) -> Estimate:
        """The main number: `repeated`."""
        return self.repeated


def repeats_teacher_errors(
    teacher: Sequence[Verdict],
    student: Sequence[Verdict],
    labels: Sequence[Label],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> RepeatedErrors:
    """How often the student repeats the teacher's own errors, and how often chance would.

    A student with some accuracy repeats errors by chance too, the more the fewer labels there
    are. Were verdicts independent given the label, the student would say t on an item labelled y
    with probability n(y, t) / n(y), its share of verdicts t among items labelled y, so

        expected = sum over y and t != y of wrong(y, t) * n(y, t) / n(y) / sum of wrong(y, t)

    where wrong(y, t) counts items labelled y on which the teacher said t, all over items with
    both verdicts parsed. Only `excess` shows inheritance; shared hard items are in it too, as
    they make errors go together without any teaching.

    Args:
        teacher: verdicts of the teacher; None is unparsed.
        student: verdicts of the student on the same items.
        labels: labels of the same items.
        clusters: the question of each item.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, a label None, or a setting out of range.

    All five labels are A. The teacher is wrong on two and unparsed on one, the student repeats
    one error: 1/2 of its parsed errors, 1/3 of all that are not right. Over the four items with
    both parsed the student says B on one of four, so 1/4 is expected:

    >>> found = repeats_teacher_errors(["A", "A", "B", "B", None], "AABAA", "AAAAA", "vwxyz",
    ...                                seed=1, resamples=200)
    >>> found.value, found.expected.value, found.excess.value, found.corrected.value
    (0.5, 0.25, 0.25, 0.5)
    >>> round(found.repeated_of_all.value, 6), found.kept.value
    (0.333333, 1.0)
    """
    plan = Resampling(**options)
    aligned(teacher=teacher, student=student, labels=labels, clusters=clusters)
    distinct("labels", labels)
    rows = list(zip(teacher, student, labels, strict=True))
    parsed = [t is not None and s is not None for t, s, _ in rows]
    wrong = [int(p and t != y) for p, (t, _, y) in zip(parsed, rows, strict=True)]
    right = [int(p and t == y) for p, (t, _, y) in zip(parsed, rows, strict=True)]
    same = [int(w and s == t) for w, (t, s, _) in zip(wrong, rows, strict=True)]
    amended = [int(w and s == y) for w, (_, s, y) in zip(wrong, rows, strict=True)]
    upheld = [int(r and s == y) for r, (_, s, y) in zip(right, rows, strict=True)]
    repeated = share_interval(same, wrong, clusters, plan, NO_ERRORS)
    kept = [i for i, p in enumerate(parsed) if p]
    expected, excess = _against_chance([rows[i] for i in kept], [clusters[i] for i in kept], plan)
    return RepeatedErrors(
        repeated=repeated,
        expected=expected,
        excess=excess,
        corrected=share_interval(amended, wrong, clusters, plan, NO_ERRORS),
        kept=share_interval(upheld, right, clusters, plan, NEVER_RIGHT),
        repeated_of_all=share_interval(
            same, [int(t != y) for t, _, y in rows], clusters, plan, NOT_WRONG
        ),
        teacher_unparsed=sum(t is None for t in teacher),
        student_unparsed=sum(s is None for s in student),
    )


def _against_chance(
    rows: Sequence[tuple[Verdict, Verdict, Label]], clusters: Sequence[Hashable], plan: Resampling
) -> tuple[Estimate, Estimate]:
    """Return the expected share of repeated errors, and how far the observed one exceeds it."""
    codes, count = cluster_codes(clusters)
    errors = sum(t != y for t, _, y in rows)
    if errors == 0:
        nothing = Estimate.missing(NO_ERRORS, 0, count)
        return nothing, nothing
    # The counts of the distinct rows carry everything the formula needs. They are sorted so that
    # the draws do not depend on the order of rows.
    kinds = sorted(set(rows), key=repr)
    index = {row: i for i, row in enumerate(kinds)}
    cells = np.asarray([index[row] for row in rows], dtype=np.int64)
    sums = cell_counts(cells, len(kinds), codes)
    repeated, expected = _repeated_and_expected(sums.sum(axis=0, keepdims=True) * 1.0, kinds)[:, 0]
    statistics: list[Statistic] = [
        lambda drawn: np.asarray(_repeated_and_expected(drawn, kinds)[1]),
        lambda drawn: -np.diff(_repeated_and_expected(drawn, kinds), axis=0)[0],
    ]
    stream = np.random.default_rng(plan.seed)
    values = replicates(sums, statistics, plan.resamples, stream)
    found = []
    for number, drawn, statistic in zip(
        (expected, repeated - expected), values, statistics, strict=True
    ):
        left_out = [without_each(sums, statistic)] if plan.method == "bca" else []
        point = Estimate.of(float(number), errors)
        found.append(without_width(with_interval(point, drawn, count, plan, left_out)))
    return found[0], found[1]


def _repeated_and_expected(
    sums: FloatArray, kinds: Sequence[tuple[Verdict, Verdict, Label]]
) -> FloatArray:
    """Return shares, shape (2, draws), NaN in draws without an error of the teacher."""

    def total(columns: list[int]) -> FloatArray:
        added: FloatArray = sums[:, columns].sum(axis=1)
        return added

    wrong = total([i for i, (t, _, y) in enumerate(kinds) if t != y])
    same = total([i for i, (t, s, y) in enumerate(kinds) if t != y and s == t])
    chance = np.zeros(len(sums))
    for label, verdict in dict.fromkeys((y, t) for t, _, y in kinds if t != y):
        held = total([i for i, (_, _, y) in enumerate(kinds) if y == label])
        said = total([i for i, (_, s, y) in enumerate(kinds) if (y, s) == (label, verdict)])
        erred = total([i for i, (t, _, y) in enumerate(kinds) if (y, t) == (label, verdict)])
        chance += erred * said / np.maximum(held, 1)  # erred is 0 where held is
    shares = np.full((2, len(sums)), np.nan)
    np.divide(np.stack([same, chance]), wrong, out=shares, where=wrong != 0)
    return shares
