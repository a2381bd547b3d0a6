"""The whole recipe on the page about own dialects is run as it stands there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from judgesmith.errors import DataError
from judgesmith.pipeline import read_recipe, run_recipe, start_run
from judgesmith.pipeline.audit_files import audit_targets
from judgesmith.pipeline.measure_files import Asked, compare_targets
from judgesmith.pipeline.report_run import write_report
from judgesmith.stages.gate import read_gate

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "own-dialect.md"


@pytest.fixture
def blocks() -> dict[str, str]:
    """The fenced blocks below the heading, by language."""
    section = PAGE.read_text(encoding="utf-8").split("## A whole recipe\n")[1]
    return dict(re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


@pytest.mark.slow
def test_the_page_is_run_to_its_report(
    blocks: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """36 questions of four answers each; every fifth question or so is measured on."""
    monkeypatch.chdir(tmp_path)
    Path("mkdata.py").write_text(blocks["python"], encoding="utf-8")
    subprocess.run([sys.executable, "mkdata.py"], check=True)
    written = Path("grades.jsonl").read_text(encoding="utf-8").splitlines()
    assert written[:2] == blocks["json"].splitlines()
    assert len(written) == 36 * 4
    Path("support.yaml").write_text(blocks["yaml"], encoding="utf-8")
    assert blocks["sh"].split() == [
        *("python", "mkdata.py"),
        *("judgesmith", "run", "support.yaml"),
    ]
    recipe = read_recipe(Path("support.yaml"))
    run_dir = start_run(Path("runs/support"), recipe)
    made = {manifest.stage: manifest.report.made for manifest in run_recipe(recipe, run_dir)}
    assert (made["questions"], made["labels"], made["evaluate"]) == (36, 144, 28)
    page = write_report(run_dir, recipe)
    assert "support-grade" in page.read_text(encoding="utf-8")
    gate = read_gate(run_dir)
    assert gate is not None
    scored = json.loads(run_dir.file("evaluate/results.json").read_text())["scored"]
    (student,) = (one for one in scored if one["role"] == "student")
    assert student["slices"]["in_domain"]["coverage"]["n"] == 28
    audited = audit_targets(["runs/support"])
    assert "licences, support" in audited.tables
    assert "scores single" in audited.not_checked["judgments and labels of the test items, support"]
    with pytest.raises(DataError, match="compares the judges of one run with each other"):
        compare_targets(["runs/support"], None, None, Asked())
