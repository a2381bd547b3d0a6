"""The figures of a review, against scikit-learn, krippendorff and counting by hand."""

import csv
import json
import random
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from people import a_review, answer, pairs, right, work
from sklearn.metrics import cohen_kappa_score

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.metrics.sample_size import labels_for_half_width
from judgesmith.records import AnnotatorKind, Kind, Scores, choice
from judgesmith.review.items import about_dialect
from judgesmith.review.review import Review
from judgesmith.review.types import Answer, Outcome, Plan, ReviewItem

NAMES = ("ann", "bob", "cora")


def three_who_answer(folder: Path, overlap: int) -> tuple[Review, dict[str, dict[str, str | None]]]:
    """Three people who err at random, put off and cannot decide; and what each said, by item."""
    draw = random.Random(3)
    review = a_review(folder, pairs(90), Plan(overlap=overlap, repeats=0.2))
    for name in NAMES:
        review.add_annotator(name, ["label"])
    said: dict[str, dict[str, str | None]] = {name: {} for name in NAMES}
    busy = list(NAMES)
    while busy:
        name = draw.choice(busy)
        found = review.next(name)
        if not found:
            busy.remove(name)
            continue
        shown = found[0]
        verdict = right(shown.item_id) if draw.random() < 0.7 else choice(draw.choice("AB"))
        undecided = draw.random() < 0.1
        if shown.round == "label":
            said[name][shown.item_id] = None if undecided else verdict.value
        else:
            verdict = choice("TIE")  # a repeat must count for nothing but agreement with oneself
        replaces = None if shown.answer is None else shown.answer.id
        if undecided:
            review.save(name, answer(shown, None, outcome="cannot_decide", replaces=replaces))
        else:
            review.save(name, answer(shown, verdict, replaces=replaces))
    return review, said


@pytest.mark.parametrize("overlap", [2, 3])
def test_agreement_is_that_of_other_packages(tmp_path: Path, overlap: int) -> None:
    review, said = three_who_answer(tmp_path / "r", overlap)
    found = review.agreement()
    both = {
        (a, b): [i for i in said[a] if said[a][i] is not None and said[b].get(i) is not None]
        for a, b in combinations(NAMES, 2)
    }
    kappas = {
        (row.first, row.second): row.estimate for row in found.pairs if row.measure == "kappa"
    }
    for (a, b), items in both.items():
        expected = cohen_kappa_score([said[a][i] for i in items], [said[b][i] for i in items])
        assert kappas[a, b].value == pytest.approx(expected)
        assert kappas[a, b].n == len(items)
    items = sorted({i for one in said.values() for i in one})
    codes = {"A": 0.0, "B": 1.0, "TIE": 2.0, None: np.nan}
    table = np.array([[codes[said[name].get(i)] for i in items] for name in NAMES])
    alpha = krippendorff.alpha(table, level_of_measurement="nominal")
    assert found.overall[0].estimate.value == pytest.approx(alpha)
    shared = sum(len([1 for one in said.values() if one.get(i) is not None]) > 1 for i in items)
    assert found.shared == shared
    needs = [
        labels_for_half_width(kappas[pair], 0.1) * shared / len(items)  # type: ignore[operator]
        for pair, items in both.items()
    ]
    assert found.needed == pytest.approx(max(needs), abs=1)
    for name in NAMES:
        rows = [row for row in found.ceiling if row.first == name and row.measure == "kappa"]
        expected = ceiling_by_hand(said, name)
        assert rows[0].estimate.value == pytest.approx(expected)


def ceiling_by_hand(said: dict[str, dict[str, str | None]], name: str) -> float:
    own, most = [], []
    for item, verdict in said[name].items():
        others = [one[item] for by, one in said.items() if by != name and one.get(item)]
        if verdict and others and len(set(others)) == 1:  # of two that differ neither is most
            own.append(verdict)
            most.append(others[0])
    return float(cohen_kappa_score(own, most))


def test_scores_agree_as_quadratic_kappa_and_ordinal_alpha(tmp_path: Path) -> None:
    dialect = Dialect.model_validate({
        "name": "grade", "kind": "single", "scale": {"low": 1, "high": 5}, "direction": "better",
        "system": "Grade it.", "user": "{{ question }} {{ responses[0] }}", "reply": "{score}",
    })  # fmt: skip
    items = [
        ReviewItem(id=f"i{at:02}", name=f"n{at}", kind=Kind.SINGLE, cluster=f"q{at}",
                   question=f"Q{at}", responses=(f"R{at}",), bucket="b")
        for at in range(40)
    ]  # fmt: skip
    review = Review.make(tmp_path / "r", about_dialect("x", "x", dialect), items, Plan(overlap=2))
    draw, said = random.Random(1), {"ann": {}, "bob": {}}  # type: ignore[var-annotated]
    truth = {one.id: draw.randint(1, 5) for one in items}
    for name in said:
        review.add_annotator(name, ["label"])
        while todo := review.next(name):
            item = todo[0].item_id
            value = float(min(5, max(1, truth[item] + draw.choice([-1, 0, 0, 1]))))
            said[name][item] = value
            verdict = Scores(kind="scores", values=(value,), criteria=None)
            review.save(
                name, Answer(f"{name} {item}", item, "verdict", verdict, None, "", 1.0, None)
            )
    found = review.agreement()
    x, y = ([said[name][one.id] for one in items] for name in said)
    assert found.pairs[0].estimate.value == pytest.approx(
        cohen_kappa_score(x, y, weights="quadratic", labels=[1.0, 2.0, 3.0, 4.0, 5.0])
    )
    alpha = krippendorff.alpha(np.array([x, y]), level_of_measurement="ordinal")
    assert found.overall[0].estimate.value == pytest.approx(alpha)
    review.export()
    rows = [json.loads(line) for line in (review.folder / "labels.jsonl").open()]
    assert {(row["annotator"], row["item"]): row["label"] for row in rows} == {
        (name, f"n{int(item[1:])}"): value for name in said for item, value in said[name].items()
    }


def test_a_label_that_a_simulated_adjudicator_made_says_so(tmp_path: Path) -> None:
    review = a_review(tmp_path / "r", pairs(2, teachers=["A", "B"]))
    review.add_annotator("ann", ["label"])
    review.add_annotator("bot", ["adjudicate"], AnnotatorKind.SIMULATED)
    work(review, "ann", right, most=1)
    for at, waiting in enumerate(review.disagreements()):
        shown = review.shown("bot", waiting.item_id, "adjudicate")
        review.save("bot", answer(shown, choice("A")))
        review.adjudicate("bot", Outcome(f"o{at}", shown.item_id, choice("A"), "so", None, None))
    review.export()
    final = [json.loads(line) for line in (review.folder / "final.jsonl").open()]
    assert [row["kind"] for row in final] == ["simulated", "simulated"]


def test_weights_of_an_active_queue_are_of_answers_that_stand_for_all(tmp_path: Path) -> None:

    items = [
        replace(one, size=4.0 if at % 3 else 1.0) for at, one in enumerate(pairs(30, gold=True))
    ]
    review = a_review(tmp_path / "r", items, Plan(queue="active", calibration=6))
    review.add_annotator("ann", ["label"])
    while todo := review.next("ann"):
        shown = todo[0]
        put_off = shown.round == "label" and int(shown.item_id[1:]) % 5 == 0
        if put_off and shown.answer is not None:
            break
        outcome = "skip" if put_off else "verdict"
        review.save(
            "ann", answer(shown, None if put_off else right(shown.item_id), outcome=outcome)
        )
    review.export()
    with (review.folder / "labels.csv").open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["round"] == "label"]
    assert len(rows) < 24
    assert sum(float(row["weight"]) for row in rows) == pytest.approx(24)


def test_a_list_is_exported_with_all_its_responses(tmp_path: Path) -> None:
    item = ReviewItem(
        id="i1", name="n1", kind=Kind.LIST, cluster="q", question="Q?", responses=("a", "b", "c")
    )
    about = about_dialect("x", "x", LIBRARY["judgelm-list"])
    review = Review.make(tmp_path / "r", about, [item])
    review.add_annotator("ann", ["label"])
    shown = review.next("ann")[0]
    marks = {"a": 9.0, "b": 5.5, "c": 1.0}
    verdict = Scores(
        kind="scores", values=tuple(marks[text] for text in shown.responses), criteria=None
    )
    review.save("ann", Answer("a1", "i1", "verdict", verdict, None, "", 1.0, None))
    review.export()
    row = json.loads((review.folder / "labels.jsonl").read_text())
    assert row["responses"] == ["a", "b", "c"]
    assert json.loads(row["label"])["values"] == [9.0, 5.5, 1.0]
