"""What must not change, does not: the whole way from rows to results, on drawn data."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.evaluation.collect import collect
from judgesmith.evaluation.measure import Subject, evaluation_of, prepare
from judgesmith.evaluation.scoring import Plan
from judgesmith.records import Direction, Status
from judgesmith.report.results import Evaluation
from judgesmith.sources.imported import ImportedItem, ImportedJudgment, ImportedRow

PLAN = Plan(seed=3, resamples=100, slice_resamples=100, confidence=0.95, least=5, scale=())
SUBJECT = Subject(
    kind="pair", names=Direction.BETTER, scale=("A", "B", "TIE"), tie="TIE", labels="majority"
)
VERDICTS = st.sampled_from(["A", "B", "TIE"])
ITEMS = st.lists(
    st.tuples(VERDICTS, st.one_of(st.none(), VERDICTS), VERDICTS), min_size=12, max_size=30
)
TURNED = {"A": "B", "B": "A", "TIE": "TIE", None: None}
quick = settings(max_examples=40, deadline=None)


def said(item: str, by: str, verdict: str | None, **more: Any) -> ImportedJudgment:
    status = Status.PARSED if verdict else Status.NO_VERDICT
    fields: dict[str, Any] = {
        "role": "judge", "criterion": None, "scores": None, "distribution": None,
        "confidence": None, "swapped": False, "sample": 0, "status": status, "rationale": None,
        "reply": None, "where": "f:1",
    }  # fmt: skip
    return ImportedJudgment(item=item, by=by, verdict=verdict, **{**fields, **more})


def row(item: str, cluster: str, *judgments: ImportedJudgment) -> ImportedRow:
    return ImportedRow(
        ImportedItem(item, cluster, None, None, None, None, {}, "f:1"), tuple(judgments)
    )


def rows_of(
    items: list[tuple[str, str | None, str]], turn: dict[Any, Any] | None = None, tag: str = ""
) -> list[ImportedRow]:
    """One row an item: label, judge j in both orders; `turn` relabels every verdict."""
    turn = turn or {v: v for v in TURNED}
    return [
        row(
            f"{tag}{i}", f"{tag}q{i // 2}",
            said(f"{tag}{i}", "ann", turn[label], role="person"),
            said(f"{tag}{i}", "j", turn[stored]),
            said(f"{tag}{i}", "j", turn[swapped], swapped=True),
        )
        for i, (label, stored, swapped) in enumerate(items)
    ]  # fmt: skip


def measured(rows: list[ImportedRow]) -> Evaluation:
    return evaluation_of(prepare(collect(rows, responses=2), SUBJECT, PLAN))


def points(found: Evaluation) -> dict[str, float | None]:
    part = found.judges[0].slices["all"]
    return {
        name: getattr(part, name).value
        for name in ("kappa", "accuracy", "kappa_stored_order", "coverage", "consistency")
    }


@quick
@given(ITEMS, st.randoms(use_true_random=False))
def test_permuting_rows_and_splitting_files(items: Any, draw: random.Random) -> None:
    """Judgments apart from labels, in any order: the same results to the last digit."""
    rows = rows_of(items)
    apart = [ImportedRow(r.item, (one,)) for r in rows for one in r.judgments]
    draw.shuffle(apart)
    one, other = measured(rows), measured(apart)
    assert one.judges[0] == other.judges[0]
    assert one.slices == other.slices


@quick
@given(ITEMS)
def test_swapping_slots_everywhere(items: Any) -> None:
    """A and B change names in labels and verdicts: agreement stays, position bias turns round."""
    one, other = measured(rows_of(items)), measured(rows_of(items, TURNED))
    assert points(one) == points(other)
    bias, turned = (found.judges[0].slices["all"].position_bias for found in (one, other))
    assert bias is not None
    assert turned is not None
    assert (bias.value is None) == (turned.value is None)
    if bias.value is not None and turned.value is not None:
        assert abs(bias.value + turned.value) < 1e-12


@quick
@given(ITEMS)
def test_duplicating_every_cluster_keeps_the_point_estimates(items: Any) -> None:
    once = rows_of(items)
    twice = once + rows_of(items, tag="copy-")
    one, other = points(measured(once)), points(measured(twice))
    for name, value in one.items():
        again = other[name]
        assert (value is None) == (again is None)
        assert value is None or again is None or abs(value - again) < 1e-12


@quick
@given(ITEMS)
def test_another_judge_beside_changes_nothing(items: Any) -> None:
    rows = rows_of(items)
    more = [row(r.item.id, r.item.cluster, said(r.item.id, "k", "A")) for r in rows]
    alone, beside = measured(rows), measured(rows + more)
    by_name = {judge.name: judge for judge in beside.judges}
    assert by_name["j"] == alone.judges[0]
