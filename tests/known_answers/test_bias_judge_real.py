"""The recipe bias-judge-real up to its labels, and rules without training on 300 human verdicts.

Published figures stand beside ours where they differ: our letter reader refuses responses that name
two letters and corrects others that the published parser misread (see test_bias_letter.py).
"""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from judgesmith.evaluation.scoring import Plan, make_slices, score_judge
from judgesmith.metrics import cohen_kappa
from judgesmith.pipeline import read_recipe, run_recipe, shipped_recipes, start_run
from judgesmith.records import (
    AnnotatorKind,
    Item,
    Label,
    Question,
    Response,
    Split,
    index_by_id,
)
from judgesmith.report.results import JudgeResult
from judgesmith.runs.layout import RunDir
from judgesmith.runs.outside import VARIABLE
from judgesmith.stages.evaluate.baselines import rule_judges
from judgesmith.stages.evaluate.labelled_side import read_labelled_side
from judgesmith.stages.evaluate.scored_rows import scored
from judgesmith.tasks import load_dialect, load_task

pytestmark = pytest.mark.slow
LEARNING = (Split.TRAIN, Split.DEV)
PUBLISHED = "judge_from_scratch"


def run_until_labels(folder: Path, data: Path, *overrides: str) -> RunDir:
    recipe = read_recipe(shipped_recipes()["bias-judge-real"], overrides)
    run_dir = start_run(folder, recipe)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(VARIABLE, str(data))
        list(run_recipe(recipe, run_dir, until="labels"))
    return run_dir


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return run_until_labels(tmp_path_factory.mktemp("real") / "run", shared_data)


def published_in_training(run_dir: RunDir) -> int:
    items = run_dir.read("split/items.jsonl", Item)
    return sum(item.split in LEARNING and item.source == PUBLISHED for item in items)


def test_pairs_that_share_no_question_with_the_evaluation(real: RunDir) -> None:
    """Of 1,938 published pairs outside the evaluation set 1,497 remain at level question."""
    assert published_in_training(real) == 1_497


def test_pairs_that_share_no_template_with_the_evaluation(
    real: RunDir, shared_data: Path, tmp_path: Path
) -> None:
    """535 remain when no template of an evaluation question may be trained on."""
    folder = shutil.copytree(real.path, tmp_path / "run")
    run_dir = run_until_labels(folder, shared_data, "split.level=template")
    assert published_in_training(run_dir) == 535


def test_300_human_verdicts(real: RunDir) -> None:
    """240 in domain and 60 on religion, every one on an item of the test side."""
    side = {item.id: item.split for item in real.read("split/items.jsonl", Item)}
    labels = real.read("labels/labels.jsonl", Label)
    people = [label for label in labels if label.annotator_kind is AnnotatorKind.PERSON]
    assert Counter(side[label.item_id] for label in people) == {
        Split.TEST: 240, Split.HELD_OUT: 60,
    }  # fmt: skip
    assert len({label.item_id for label in people}) == 300


@pytest.fixture(scope="module")
def baselines(real: RunDir) -> dict[str, JudgeResult]:
    task = load_task("bias")
    dialect = load_dialect(task, "bias-pair-compact")
    found = read_labelled_side(real, AnnotatorKind.PERSON, dialect)
    assert found.title == "labels: 300 verdicts by one person (judge-from-scratch author)"
    policies = ("biased_is_worse", "other_wrong_ties")
    judges = rule_judges(found, task, policies, dialect, seed=7)
    rows = {
        i: scored(i, found.labels[i.id], found.questions[i.question_id], found.responses, ())
        for i in found.items
    }  # fmt: skip
    parts = make_slices(
        *([row for i, row in rows.items() if i.split is s] for s in (Split.TEST, Split.HELD_OUT))
    )
    plan = Plan(
        seed=7, resamples=100, slice_resamples=100, confidence=0.95, least=20,
        scale=dialect.scale.values,
    )  # fmt: skip
    return {judge.name: score_judge(judge, parts, plan) for judge in judges}


def kappas(result: JudgeResult) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """Kappa in domain and on religion, and how many items each is of."""
    parts = (result.slices["in_domain"], result.slices["out_of_domain"])
    values = tuple(None if p.kappa.value is None else round(p.kappa.value, 3) for p in parts)
    return values, tuple(p.kappa.n for p in parts)


@pytest.mark.parametrize(
    ("name", "ours", "items"),
    [
        ("longer response", (0.284, 0.214), (240, 60)),  # published: the same
        ("answer-choice rule", (0.67, 0.689), (225, 55)),  # published .641, .619
        ("answer key (biased_is_worse)", (0.763, 0.771), (225, 55)),  # published .722, .642
        ("answer key (other_wrong_ties)", (0.913, 0.774), (225, 55)),  # published .817, .696
        ("constant", (0.0, 0.0), (240, 60)),
    ],
)
def test_kappa_of_rules_without_training(
    baselines: dict[str, JudgeResult], name: str, ours: Any, items: Any
) -> None:
    """In domain (240) and on religion (60), against the human verdicts.

    The key has no verdict on 20 pairs in which a response names two letters or none. Counted as
    wrong, these pull it down again; the coverage stands beside it.
    """
    assert kappas(baselines[name]) == (ours, items)
    part = baselines[name].slices["in_domain"]
    assert part.coverage.value == pytest.approx(items[0] / 240)
    wrong = part.if_unparsed["counted as wrong"].value
    assert part.kappa.value is not None
    assert wrong is not None
    assert wrong < part.kappa.value or items[0] == 240


def published_rows(data: Path, name: str) -> list[dict[str, Any]]:
    path = data / PUBLISHED / "data" / "pairs" / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_published_levels_give_the_published_figures(shared_data: Path) -> None:
    """With the levels of the published parser the key's rule gives .722 and .642 to the digit.

    So nothing but the reading of letters stands between these figures and ours.
    """
    levels = {row["pair_id"]: row for row in published_rows(shared_data, "pairs.jsonl")}
    for part, wanted in (("in_dist", 0.722), ("ood_religion", 0.642)):
        said, labels = [], []
        for row in published_rows(shared_data, "eval_set_unlabeled.jsonl"):
            if row["eval_slice"] == part:
                pair = levels[row["pair_id"]]
                flags = [
                    pair[side]["suspected_bias_level"] == "biased"
                    for side in ("response_a", "response_b")
                ]
                said.append("TIE" if sum(flags) != 1 else "AB"[flags.index(True)])
                labels.append(row["human_verdict"])
        assert cohen_kappa(said, labels).value == pytest.approx(wanted, abs=0.0005)


def test_where_our_classes_differ_from_the_published_levels(
    shared_data: Path, real: RunDir
) -> None:
    """Of 600 shown responses 48 differ: 20 name no single letter, 28 another than was published."""
    group = {q.id: q.group_id for q in real.read("questions/questions.jsonl", Question)}
    ours = {
        (group[r.question_id], r.model, r.text): r.task["class"]
        for r in real.read("responses/responses.jsonl", Response)
    }
    evaluated = {row["pair_id"] for row in published_rows(shared_data, "eval_set_unlabeled.jsonl")}
    found: Counter[tuple[str, str]] = Counter()
    for row in published_rows(shared_data, "pairs.jsonl"):
        if row["pair_id"] in evaluated:
            for side in (row["response_a"], row["response_b"]):
                key = (f"bbq/{row['question_id']}", side["model"], side["text"])
                found[side["suspected_bias_level"], str(ours[key])] += 1
    assert found == {
        ("biased", "biased"): 225, ("biased", "correct"): 19, ("biased", "other_wrong"): 9,
        ("biased", "unparsed"): 16, ("neutral", "correct"): 285, ("neutral", "unparsed"): 2,
        ("unclear", "other_wrong"): 42, ("unclear", "unparsed"): 2,
    }  # fmt: skip


def test_the_longer_response_by_another_road(real: RunDir) -> None:
    """The same figure from the record files alone: words counted here, kappa over 300."""
    words = {r.id: len(r.text.split()) for r in real.read("responses/responses.jsonl", Response)}
    items = index_by_id(real.read("split/items.jsonl", Item))
    said, labels = [], []
    for label in real.read("labels/labels.jsonl", Label):
        item = items[label.item_id]
        if label.annotator_kind is AnnotatorKind.PERSON and item.split is Split.TEST:
            one, other = (words[i] for i in item.response_ids)
            said.append("TIE" if one == other else "A" if one > other else "B")
            labels.append(getattr(label.verdict, "value", ""))
    assert cohen_kappa(said, labels).value == pytest.approx(0.284, abs=0.0005)
