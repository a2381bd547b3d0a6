"""`judgesmith audit RUN` says whose terms the rows carry, and what may be published."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.records import SftRow
from judgesmith.runs.jsonl import file_sha256, read_records

Report = tuple[int, dict[str, Any], str]
REPLY = "<reasoning>Both say the same.</reasoning><verdict>{verdict}</verdict>"


@pytest.fixture
def audit(command: Any, tmp_path: Path) -> Callable[[Path], Report]:
    def run(folder: Path) -> Report:
        done = command("audit", folder, "--out", tmp_path / "out")
        return done.returncode, json.loads((tmp_path / "out/audit.json").read_text()), done.stdout

    return run


@pytest.fixture
def taught(command: Any, tiny: Path, tmp_path: Path, monkeypatch: Any, fault_server: Any) -> Any:
    """The tiny recipe up to its rows, labelled over HTTP by a teacher that calls all a tie."""
    monkeypatch.setenv("JUDGESMITH_CACHE", str(tmp_path / "cache"))
    server = fault_server(template=REPLY, verdicts=["TIE"])

    def run(terms: dict[str, Any] | None) -> Path:
        recipe = yaml.safe_load(tiny.read_text())
        teacher = {"protocol": "openai", "url": server.url, "model": "vendor/closed-1"}
        recipe["models"] = {"closed": teacher | ({} if terms is None else {"terms": terms})}
        recipe["labels"]["teachers"] = {"primary": "closed"}
        recipe["rows"]["labels"] = "model"
        path, folder = tmp_path / "taught.yaml", tmp_path / "taught"
        path.write_text(yaml.safe_dump(recipe))
        done = command("run", path, "--run", folder, "--until", "rows")
        assert done.returncode == 0, done.stderr
        return folder

    return run


def of_licences(report: dict[str, Any], severity: str) -> list[dict[str, Any]]:
    found = [one for one in report["findings"] if one["audit"] == "licences"]
    return [one for one in found if one["severity"] == severity]


def test_a_simulated_run_may_be_published_whole(
    tiny_run: Path, audit: Callable[[Path], Report]
) -> None:
    rows = list(read_records(tiny_run / "rows/sft.jsonl", SftRow))
    assert {row.licence for row in rows} == {"Apache-2.0"}
    _, report, printed = audit(tiny_run)
    table = report["tables"]["licences, run"]
    assert [one["output"] for one in table["outputs"]] == [
        "questions/questions.jsonl", "responses/responses.jsonl", "labels/judgments.jsonl",
        "labels/labels.jsonl", "rows/sft.jsonl",
    ]  # fmt: skip
    for output in table["outputs"]:
        assert output["publish"] == output["train"] == {"yes": output["n"], "no": 0, "unknown": 0}
    assert table["outputs"][-1]["n"] == len(rows)
    assert of_licences(report, "error") == of_licences(report, "warning") == []
    assert "What may be published: run" in printed
    assert "the card of a student trained on these rows names questions: Apache-2.0" in printed


def test_terms_are_read_from_the_recipe_and_rows_stay_as_they_are(
    taught: Callable[[Any], Path], audit: Callable[[Path], Report]
) -> None:
    """First nobody said what the terms are; then they forbid training. The rows are the same."""
    folder = taught(None)
    rows = list(read_records(folder / "rows/sft.jsonl", SftRow))
    assert {row.licence for row in rows} == {"Apache-2.0; terms of vendor/closed-1"}
    before = file_sha256(folder / "rows/sft.jsonl")
    _, report, _ = audit(folder)
    (warning,) = of_licences(report, "warning")
    assert "model closed (vendor/closed-1)" in warning["message"]
    assert of_licences(report, "error") == []

    folder = taught({"licence": "Vendor terms", "publish": True, "train": False})
    assert file_sha256(folder / "rows/sft.jsonl") == before
    code, report, printed = audit(folder)
    assert code == 1
    (error,) = of_licences(report, "error")
    assert (error["count"], error["of"]) == (len(rows), len(rows))
    assert "teacher closed (vendor/closed-1), whose terms (Vendor terms) forbid" in printed
    assert of_licences(report, "warning") == []
    by_file = {one["output"]: one for one in report["tables"]["licences, taught"]["outputs"]}
    assert by_file["rows/sft.jsonl"]["train"]["no"] == len(rows)
    assert by_file["responses/responses.jsonl"]["train"]["no"] == 0
    keys = [one for one in by_file["labels/labels.jsonl"]["sets"] if one["train"] == "yes"]
    assert [one["terms"] for one in keys] == [["questions: Apache-2.0"]]
    page = (folder.parent / "out/index.html").read_text()
    assert "forbid training other models" in page


def test_records_that_an_earlier_stage_overtook_are_counted(
    tiny_run: Path, audit: Callable[[Path], Report], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    (folder / "split/items.jsonl").write_bytes(b"")
    _, report, _ = audit(folder)
    strays = report["not_checked"]["licences of rows/sft.jsonl, run"]
    assert strays.endswith("records cite what the run does not hold any more: run the recipe again")


def test_judgments_that_a_model_gave_elsewhere_are_followed_to_their_terms(
    command: Any, tmp_path: Path, audit: Callable[[Path], Report]
) -> None:
    """JudgeLM's rows: the set under CC-BY-NC-4.0, its judgments under OpenAI's terms as well."""
    made = [
        {
            "question_body": f"What is {n} + 1?", "answer1_body": "Many.", "answer2_body": f"{n}.",
            "score": [2, 9], "text": "2 9\nAssistant 1 is vague.",
        }
        for n in range(12)
    ]  # fmt: skip
    path = tmp_path / "judgelm_train_100k.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    source = {"kind": "judgelm", "path": str(path)}
    recipe = {
        "name": "elsewhere", "task": "general", "seed": 1,
        "questions": {"sources": [source]}, "responses": {"imports": [source]},
        "items": {"imports": [source]}, "split": {"level": "question", "test_share": 0.2},
        "labels": {"dialect": "judgelm", "imports": [source]},
        "rows": {"dialect": "judgelm", "labels": "model"},
    }  # fmt: skip
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe))
    done = command("run", tmp_path / "r.yaml", "--run", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    _, report, _ = audit(tmp_path / "run")
    by_file = {one["output"]: one for one in report["tables"]["licences, run"]["outputs"]}
    vendor = "OpenAI terms for outputs of GPT-4"
    expected = [
        "questions: CC-BY-NC-4.0",
        f"judgments by gpt-4 (JudgeLM-100K): {vendor}",
    ]
    for output in ("labels/judgments.jsonl", "labels/labels.jsonl", "rows/sft.jsonl"):
        (one,) = by_file[output]["sets"]
        assert one["terms"] == expected
        assert (one["publish"], one["train"]) == ("unknown", "unknown")
        assert "no commercial use" in one["conditions"]
    assert by_file["questions/questions.jsonl"]["sets"][0]["terms"] == expected[:1]
    (card,) = [one for one in of_licences(report, "info") if "the card of" in one["message"]]
    assert f"names {'; '.join(expected)}. Conditions: " in card["message"]
    page = (tmp_path / "out/index.html").read_text()
    assert vendor in page
