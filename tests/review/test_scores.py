"""Verdicts that are scores: of a pair, by criterion, of a list; compared, and evaluated again."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from judgesmith.cli.main import app
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.reading import criteria_scores, scores_of
from judgesmith.records import Scores
from judgesmith.review.items import about_dialect
from judgesmith.review.review import Review
from judgesmith.review.types import Answer, Plan, ReviewItem

Said = Mapping[str, Sequence[Scores]]
"""What each person says of each item, in item order."""


def scored(folder: Path, dialect: str, said: Said, responses: int) -> Review:
    about, names = about_dialect("x", "x", LIBRARY[dialect]), sorted(said)
    count = len(said[names[0]])
    items = [
        ReviewItem(
            id=f"i{at:02}", name=f"n{at}", kind=about.kind, cluster=f"q{at}", question=f"Q{at}?",
            responses=tuple(f"response {place} to {at}" for place in range(responses)),
            criteria=("clarity", "depth") if dialect == "criteria" else (),
        )
        for at in range(count)
    ]  # fmt: skip
    review = Review.make(folder, about, items, Plan(overlap=len(names)))
    for name in names:
        review.add_annotator(name, ["label"])
        while todo := review.next(name):
            shown = todo[0]
            meant = said[name][int(shown.item_id[1:])]
            order = [int(text.split()[1]) for text in shown.responses]
            verdict = meant if meant.criteria else scores_of([meant.values[at] for at in order])
            review.save(
                name,
                Answer(f"{name} {shown.item_id}", shown.item_id, "verdict", verdict, None, "", 1.0,
                       None),
            )  # fmt: skip
    review.export()
    return review


def rows_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def evaluated(
    review: Review, judged: Sequence[Mapping[str, object]], out: Path
) -> dict[str, object]:
    judge = out.with_suffix(".judge.jsonl")
    judge.write_text("".join(json.dumps(row) + "\n" for row in judged))
    done = CliRunner().invoke(
        app,
        ["evaluate", str(review.folder / "labels.jsonl"), str(judge), "--out", str(out),
         "--resamples", "100"],
    )  # fmt: skip
    assert done.exit_code == 0, (done.output, done.exception)
    return dict(json.loads((out / "report.json").read_text()))


ANN = [scores_of(one) for one in ((8, 7), (3, 9), (5, 5), (10, 1), (2, 4), (6, 6))]
BOB = [scores_of(one) for one in ((9, 6), (1, 2), (7, 7), (6, 3), (9, 10), (1, 1))]


def test_scores_of_a_pair_agree_where_the_same_response_has_more(tmp_path: Path) -> None:
    review = scored(tmp_path / "r", "judgelm", {"ann": ANN, "bob": BOB}, 2)
    found = review.agreement()
    assert {row.measure: row.estimate.value for row in found.overall} == {"alpha": 1.0}
    assert {row.measure for row in found.pairs} == {"kappa", "AC1"}
    assert review.disagreements() == []
    other = scored(tmp_path / "s", "judgelm", {"ann": ANN, "bob": [*BOB[:5], scores_of([2, 1])]}, 2)
    assert [one.item_id for one in other.disagreements()] == ["i05"]


def test_evaluate_reads_labels_of_a_pair_that_was_scored(tmp_path: Path) -> None:
    review = scored(tmp_path / "r", "judgelm", {"ann": ANN, "bob": BOB}, 2)
    rows = rows_of(review.folder / "labels.jsonl")
    letters = ["A", "B", "TIE", "A", "B", "TIE"]
    assert [row["label"] for row in rows if row["annotator"] == "ann"] == letters
    judged = [
        {"item": f"n{at}", "judge": "j", "verdict": letter} for at, letter in enumerate(letters)
    ]
    found = json.dumps(evaluated(review, judged, tmp_path / "out"))
    assert '"accuracy"' in found
    assert [row["label"] for row in rows_of(review.folder / "final.jsonl")] == letters


def test_scores_by_criterion_are_compared_and_evaluated_criterion_by_criterion(
    tmp_path: Path,
) -> None:
    ann = [criteria_scores({"clarity": (c,), "depth": (d,)}) for c, d in ((1, 5), (3, 4), (5, 2))]
    bob = [criteria_scores({"clarity": (c,), "depth": (d,)}) for c, d in ((1, 4), (3, 4), (5, 3))]
    review = scored(tmp_path / "r", "criteria", {"ann": ann, "bob": bob}, 1)
    found = review.agreement()
    assert found.overall[0].estimate.value == pytest.approx(0.85, abs=0.1)
    assert (found.answered, found.shared, found.pairs[0].estimate.n) == (3, 3, 6)
    assert [one.item_id for one in review.disagreements()] == ["i00", "i02"]
    rows = rows_of(review.folder / "labels.jsonl")
    assert {(r["item"], r["criterion"], r["label"]) for r in rows if r["annotator"] == "ann"} == {
        ("n0", "clarity", 1.0), ("n0", "depth", 5.0), ("n1", "clarity", 3.0),
        ("n1", "depth", 4.0), ("n2", "clarity", 5.0), ("n2", "depth", 2.0),
    }  # fmt: skip
    judged = [{"item": r["item"], "criterion": r["criterion"], "judge": "j", "score": r["label"]}
              for r in rows if r["annotator"] == "ann"]  # fmt: skip
    assert '"depth"' in json.dumps(evaluated(review, judged, tmp_path / "out"))
    final = rows_of(review.folder / "final.jsonl")
    assert ("n0", "clarity", 1.0) in {(r["item"], r["criterion"], r["label"]) for r in final}


def test_scores_of_a_list_are_compared_response_by_response(tmp_path: Path) -> None:
    ann = [scores_of(one) for one in ((9, 5, 1), (8, 7, 2), (3, 6, 10))]
    bob = [scores_of(one) for one in ((9, 5, 2), (8, 6, 2), (3, 6, 9))]
    review = scored(tmp_path / "r", "judgelm-list", {"ann": ann, "bob": bob}, 3)
    value = review.agreement().overall[0].estimate.value
    assert value is not None
    assert value > 0.9
