"""A run whose student scores each response alone, through every command that meets it."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import RunError
from judgesmith.inference.opening import judge_of_run
from judgesmith.models.pointwise import read_margin, write_margin
from judgesmith.pipeline import open_run, require_fresh
from judgesmith.pipeline.measure_pairs import judged_pairs
from judgesmith.pipeline.opening import Models
from judgesmith.pipeline.readable import from_run
from judgesmith.records import Item, Judgment, Question, Response, Scores, index_by_id
from judgesmith.runs.layout import RunDir
from judgesmith.stages import evaluate
from judgesmith.stages.gate import read_results
from judgesmith.tasks import load_dialect, load_task

pytestmark = pytest.mark.slow
DIALECT = "bias-single-compact"
ALONE = load_dialect(load_task("bias"), DIALECT)
CHANGES = (
    *(f"{stage}.dialect={DIALECT}" for stage in ("labels", "rows", "sft", "evaluate")),
    "sft.steps=150", "sft.learning_rate=0.01", "sft.eval_every=50", "sft.dev_items=4",
    "sft.reply_tokens=60", "evaluate.reply_tokens=60",
)  # fmt: skip


@pytest.fixture(scope="session")
def alone_run(command: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny recipe in single responses, trained until its replies can be read."""
    folder: Path = tmp_path_factory.mktemp("alone") / "run"
    recipe = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
    sets = [part for change in CHANGES for part in ("--set", change)]
    done = command("run", recipe, "--run", folder, *sets)
    assert done.returncode == 0, done.stderr
    return folder


def results(run: Path) -> Any:
    return json.loads((run / "evaluate/results.json").read_text())


def test_its_replies_are_read_and_every_pair_has_two_scores(alone_run: Path) -> None:
    run_dir, _ = open_run(alone_run)
    found = [j for j in run_dir.read("evaluate/judgments.jsonl", Judgment) if j.judge == "student"]
    scored = [one for one in found if isinstance(one.verdict, Scores)]
    assert len(scored) > len(found) / 2 > 5
    for one in scored:
        assert isinstance(one.verdict, Scores)
        assert len(one.verdict.values) == 2
        assert {*(one.distribution or {})} == {"1", "2"}
        assert len(str(one.rationale).split("\n")) == 2


def test_each_judge_answers_each_question_once_first(alone_run: Path) -> None:
    """Both students are asked; the note counts the answers of the one that is measured."""
    run_dir, _ = open_run(alone_run)
    asked = {item.id: item.question_id for item in run_dir.read("split/items.jsonl", Item)}
    found = list(run_dir.read("evaluate/judgments.jsonl", Judgment))
    told = {(j.judge, asked[j.item_id], j.reference) for j in found}
    questions = {question for _, question, _ in told}
    assert len(told) == 2 * len(questions)
    assert all(reference is not None for judge, _, reference in told if judge == "student")
    manifest = json.loads((alone_run / "evaluate/manifest.json").read_text())
    assert manifest["report"]["calls"] == calls_for(found, run_dir)
    question = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    right = sum(
        str(reference) == load_task("bias").write_reference(question[name])
        for judge, name, reference in told if judge == "student"
    )  # fmt: skip
    note = results(alone_run)["judges"][0]["note"]
    assert note.startswith(f"answers {right} of {len(questions)} questions as the key does; ")


def calls_for(found: Sequence[Judgment], run_dir: RunDir) -> int:
    """One answer per judge and question; two scores where there is an answer (random weights may
    give an empty one).
    """
    asked = {item.id: item.question_id for item in run_dir.read("split/items.jsonl", Item)}
    answers = {(judgment.judge, asked[judgment.item_id]) for judgment in found}
    return len(answers) + 2 * sum(judgment.reference is not None for judgment in found)


def test_the_margin_is_kept_and_stands_in_the_report(alone_run: Path) -> None:
    kept = json.loads((alone_run / "sft/student/pointwise.json").read_text())["tie_margins"]
    report = json.loads((alone_run / "sft/manifest.json").read_text())["report"]
    margin = kept[ALONE.hash]
    assert report["tables"]["tie margin"] == {ALONE.name: margin}
    assert margin >= 0


def test_an_edited_margin_makes_the_run_stale(alone_run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(alone_run, tmp_path / "run"))
    run_dir, recipe = open_run(copy)
    require_fresh(run_dir, recipe, "evaluate")
    write_margin(run_dir.file("sft/student"), 0.987, ALONE.hash)
    with pytest.raises(RunError, match=r"sft.*stale"):
        require_fresh(run_dir, recipe, "evaluate")


def test_consistency_does_not_apply_in_results_and_gate(alone_run: Path) -> None:
    student, before = results(alone_run)["judges"][:2]
    for judge in (student, before):
        assert judge["order_proof"]
        for part in judge["slices"].values():
            assert (part["consistency"], part["position_bias"]) == (None, None)
            assert (part["kappa_stored_order"], part["kappa_swapped_order"]) == (None, None)
    assert "scores each response alone, a tie within " in student["note"]
    gate = json.loads((alone_run / "gate/gate.json").read_text())
    (check,) = [one for one in gate["checks"] if one["name"] == "raw consistency"]
    assert (check["outcome"], check["reason"]) == ("not applicable", "order-proof by construction")


def test_the_report_says_that_there_is_no_order(alone_run: Path, command: Any) -> None:
    page = (alone_run / "report/report.md").read_text()
    assert "No judge here is shown an order of the responses." in page
    assert "averaged over both orders" not in page
    assert "Picture on the HTML page: Position bias" not in page
    assert "order-proof by construction)" not in page  # told once, above
    done = command("evaluate", alone_run)
    assert done.returncode == 0
    assert "no judge sees an order" in done.stdout
    audited = command("audit", alone_run)
    assert "in one order only" not in audited.stdout


def pairs(run: Path, folder: Path) -> list[dict[str, Any]]:
    """Test items of the run as a file of the user's own, then all of them turned."""
    run_dir, _ = open_run(run)
    side = run_dir.read("split/items.jsonl", Item)
    question = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    response = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    rows = []
    for item in [one for one in side if one.split == "test"][:6]:
        asked = question[item.question_id]
        a, b = (response[name].text for name in item.response_ids)
        rows.append({
            "id": item.id, "context": asked.context, "question": asked.text,
            "choices": asked.choices, "response_a": a, "response_b": b,
        })  # fmt: skip
    rows += [
        {**row, "id": f"turned {row['id']}", "response_a": row["response_b"],
         "response_b": row["response_a"]}
        for row in rows
    ]  # fmt: skip
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


def test_new_pairs_are_judged_by_their_scores(
    alone_run: Path, command: Any, tmp_path: Path
) -> None:
    """Scores follow the response, the verdict the higher one beyond the margin, in any order."""
    rows = pairs(alone_run, tmp_path)
    done = command("judge", tmp_path / "pairs.jsonl", "--judge", alone_run)
    assert done.returncode == 0, done.stderr
    assert "by a score for each response alone" in done.stdout
    margin = read_margin(alone_run / "sft/student", ALONE.hash)
    judged = [json.loads(x) for x in (tmp_path / "pairs.judged.jsonl").read_text().splitlines()]
    assert [row["id"] for row in judged] == [row["id"] for row in rows]
    for row in judged:
        assert {"scores", "status", "rationales"} < set(row)
        assert "orders" not in row
        assert (row["consistent"], row["judge"], row["names"]) == (None, "tiny/student", "worse")
        if row["status"] != "parsed":
            assert (row["verdict"], row["scores"]) == (None, None)
            continue
        first, second = row["scores"]
        higher = "A" if first > second else "B"
        assert row["verdict"] == ("TIE" if abs(first - second) <= margin else higher)
        assert len(row["rationales"]) == 2
    turned = {"A": "B", "B": "A", "TIE": "TIE", None: None}
    half = len(judged) // 2
    for stored, swapped in zip(judged[:half], judged[half:], strict=True):
        assert swapped["verdict"] == turned[stored["verdict"]]
        assert (swapped["scores"] or []) == pytest.approx((stored["scores"] or [])[::-1], abs=1e-5)
    assert any(row["status"] == "parsed" for row in judged)


def test_a_response_alone_has_the_score_that_it_has_in_a_pair(
    alone_run: Path, command: Any, tmp_path: Path
) -> None:
    """Both sides of each pair as rows of their own, judged, then measured against scores."""
    rows = pairs(alone_run, tmp_path)[:6]
    single = [
        {"id": f"{row['id']} {side}", "response": row[f"response_{side}"], "score": n % 2,
         **{name: row[name] for name in ("context", "question", "choices")}}
        for n, row in enumerate(rows) for side in "ab"
    ]  # fmt: skip
    path = tmp_path / "mixed.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (*rows, *single)))
    done = command("judge", path, "--judge", alone_run)
    assert done.returncode == 0, done.stderr
    assert "12 single responses judged: " in done.stdout
    assert "A higher score is worse." in done.stdout
    judged = [json.loads(x) for x in (tmp_path / "mixed.judged.jsonl").read_text().splitlines()]
    scores = {row["id"]: row["score"] for row in judged[6:]}
    compared = 0
    for row in judged[:6]:
        both = [scores[f"{row['id']} {side}"] for side in "ab"]
        if row["scores"] is not None:
            assert both == pytest.approx(row["scores"], abs=1e-5)
            compared += 1
    assert compared
    path.write_text("".join(json.dumps(row) + "\n" for row in single))
    done = command("evaluate", alone_run, path, "--out", tmp_path / "page")
    assert done.returncode == 0, done.stderr
    assert "labels: 12 of unknown origin (field `score`)" in done.stdout


def test_it_is_measured_on_labelled_pairs(alone_run: Path, command: Any, tmp_path: Path) -> None:
    labelled = tmp_path / "mine.jsonl"
    rows = [{**row, "verdict": "AB"[n % 2], "names": "worse"} for n, row in
            enumerate(pairs(alone_run, tmp_path))]  # fmt: skip
    labelled.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = command("evaluate", alone_run, labelled, "--out", tmp_path / "page")
    assert done.returncode == 0, done.stderr
    (line,) = [one for one in done.stdout.splitlines() if one.strip().startswith("tiny/student  ")]
    assert "order-proof" in line
    assert "not measured: order effects: every judge is order-proof by construction" in done.stdout
    said = [one for row in judged_pairs(alone_run, labelled).read() for one in row.judgments]
    judged = [one for one in said if one.role == "judge"]
    assert any(one.verdict for one in judged)
    assert all((one.confidence is None) == (one.verdict is None) for one in judged)


def test_it_is_compared_with_a_judge_of_pairs(
    alone_run: Path, parrot_run: Path, command: Any, tmp_path: Path
) -> None:
    """The two runs share their test items; only the one that sees pairs has a consistency."""
    done = command("compare", alone_run, parrot_run, "--out", tmp_path / "page")
    assert done.returncode == 0, done.stderr
    lines = [one for one in done.stdout.splitlines() if "/student  " in one]
    assert sorted("order-proof" in one for one in lines[:2]) == [False, True], done.stdout


def test_as_evidence_it_has_the_verdicts_of_its_own_results(alone_run: Path) -> None:
    """What `compare` reads from the run gives the accuracy that the run's results state."""
    source = from_run(alone_run)
    assert source.subject.order_proof == ("tiny/student", "tiny/before training")
    assert source.subject.scale == ("A", "B", "TIE")
    right = parsed = 0
    for row in source.read():
        label, *said = row.judgments
        (student,) = [one for one in said if one.by == "tiny/student"]
        assert not student.swapped
        parsed += student.verdict is not None
        right += student.verdict is not None and student.verdict == label.verdict
    whole = results(alone_run)["judges"][0]["slices"]["all"]["accuracy"]
    assert (right / parsed, parsed) == (pytest.approx(whole["value"]), whole["n"])


def test_students_after_dpo_and_before_stand_side_by_side(alone_run: Path, tmp_path: Path) -> None:
    """The same weights under another margin are another judge, and the first is the gate's."""
    copied, recipe = open_run(Path(shutil.copytree(alone_run, tmp_path / "run")))
    run_dir = RunDir(copied.path, copied.header)
    shutil.copytree(run_dir.file("sft/student"), run_dir.file("dpo/student"))
    write_margin(run_dir.file("dpo/student"), 1.0, ALONE.hash)
    config: Any = recipe.sections["evaluate"]
    names = ("after DPO", "student", "before training")
    changed = config.model_copy(update={"students": names})
    run_dir.file("evaluate/results.json").unlink()
    report = evaluate.run(changed, run_dir, Models(run_dir).opener("evaluate"))
    found = read_results(run_dir)
    assert [(judge.name, judge.role) for judge in found.judges[:3]] == [
        ("after DPO", "student"), ("student", "judge"), ("before training", "before training"),
    ]  # fmt: skip
    judgments = run_dir.read("evaluate/judgments.jsonl", Judgment)
    assert report.calls == calls_for(judgments, run_dir)
    assert len(judgments) == 3 * report.made
    assert found.judges[0].note.endswith("a tie within 1")
    confusion = found.judges[0].slices["all"].confusion
    assert confusion is not None
    said = dict(zip(confusion.labels, map(sum, confusion.counts), strict=True))
    assert (said["A"], said["B"]) == (0, 0)
    sections = {**recipe.sections, "evaluate": changed}
    judge = judge_of_run(run_dir, replace(recipe, sections=sections))
    assert (judge.name, judge.margin) == ("tiny/after DPO", 1.0)
