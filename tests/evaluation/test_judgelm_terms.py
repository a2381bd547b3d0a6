"""JudgeLM's own terms: by hand, and the macro means against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from judgesmith.evaluation.judgelm_terms import CLASSES, judgelm_terms, macro
from judgesmith.evaluation.judges import Read, read_judgments
from judgesmith.evaluation.sliced import Scored
from judgesmith.records import Judgment, Scores, Status

OPTIONS = {"seed": 1, "resamples": 200}


def reads_of(said: str, turned: str) -> list[Read]:
    names = {"A": "A", "B": "B", "T": "TIE", "-": None}
    return [
        Read(names[p], names[q], None) for p, q in zip(said, turned, strict=True)
    ]  # fmt: skip


def rows_of(labels: str) -> list[Scored]:
    names = {"A": "A", "B": "B", "T": "TIE"}
    return [Scored(f"i{n}", names[label], n, None, {}) for n, label in enumerate(labels)]


def test_by_hand() -> None:
    """Eight pairs, one unread in the stored order, another in the swapped one.

    Stored A A B T A B T - against A B B T A A T T: five of seven. Both orders were read of six:
    A A B T A T in item order against A B B A T A. Same: i0, i2. Win turned into loss (i1) or into
    a tie (i4) is "before"; tie turned into a win (i3, i6) is "after".
    """
    reads = reads_of("AABTABT-", "ABBAT-AA")
    found = judgelm_terms(reads, rows_of("ABBTAATT"), OPTIONS, None)
    assert (found.agreement.value, found.agreement.n) == (pytest.approx(5 / 7), 7)
    assert (found.consistency.value, found.consistency.n) == (pytest.approx(2 / 6), 6)
    assert found.prefer_before.value == pytest.approx(2 / 6)
    assert found.prefer_after.value == pytest.approx(2 / 6)
    assert found.delta.value == 0.0
    assert found.delta.low is not None


def test_delta_keeps_its_sign() -> None:
    found = judgelm_terms(reads_of("BBBB", "AABB"), rows_of("AAAA"), OPTIONS, None)
    assert (found.prefer_after.value, found.delta.value) == (0.5, -0.5)


columns = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=30)


@settings(max_examples=40)
@given(columns)
def test_macro_means_against_sklearn(pairs: list[tuple[int, int]]) -> None:
    said, labels = ([pair[side] for pair in pairs] for side in (0, 1))
    wanted = precision_recall_fscore_support(
        labels, said, labels=[0, 1, 2], average="macro", zero_division=0
    )
    for part, value in zip(("precision", "recall", "f1"), wanted, strict=False):
        found = macro(np.array(said, float), np.array(labels, float), part=part)  # type: ignore[arg-type]
        assert found == pytest.approx(value)


def test_nothing_read_is_undefined_and_hidden_is_carried() -> None:
    found = judgelm_terms(reads_of("-", "-"), rows_of("A"), OPTIONS, None)
    assert found.f1.undefined
    assert found.consistency.undefined == "no pair was parsed in both orders"
    assert judgelm_terms(reads_of("A", "A"), rows_of("A"), OPTIONS, "few").f1.hidden == "few"
    assert CLASSES == ("A", "B", "TIE")


def both(stored: tuple[float, float] | None, swapped: tuple[float, float] | None) -> Read:
    """What is read of an item; scores are in the order shown."""
    said = []
    for order, values in (((0, 1), stored), ((1, 0), swapped)):
        verdict = None
        if values is not None:
            verdict = Scores(kind="scores", values=values, criteria=None)
        said.append(
            Judgment.make(
                source="t", licence="n", item_id="i", judge="j", dialect="d", order=order,
                sample=0, reply="", rationale=f"{order}", verdict=verdict, distribution=None,
                status=Status.PARSED if values else Status.NO_VERDICT, reference=None,
            )
        )  # fmt: skip
    return read_judgments("j", "student", said, tie="TIE").verdicts["i"]


@pytest.mark.parametrize(
    ("stored", "swapped", "read"),
    [
        ((8, 6), (6, 8), ("A", "A", "A")),
        ((8, 6), (7, 6), ("A", "B", "A")),  # 8 + 6 against 6 + 7
        ((8, 7), (8, 7), ("A", "B", "TIE")),  # 8 + 7 against 7 + 8
        ((5, 5), (6, 5), ("TIE", "B", "B")),
        ((5, 5), (5, 5), ("TIE", "TIE", "TIE")),
        ((8, 6), None, ("A", None, None)),
        (None, (6, 8), (None, "A", None)),
    ],
)  # fmt: skip
def test_two_scores_over_both_orders(
    stored: tuple[float, float] | None, swapped: tuple[float, float] | None, read: tuple[str, ...]
) -> None:
    """Each order names its higher score; over both the higher sum decides, equal ones are a tie."""
    found = both(stored, swapped)
    assert (found.stored, found.swapped, found.averaged) == read
    assert found.rationale == "(0, 1)"
    assert found.probability is None
