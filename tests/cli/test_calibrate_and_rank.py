"""The commands of docs/howto/abstain.md and rank-systems.md, with a judge that is always sure of A.

The parrot says the same of everything, in both orders slot A, so over both orders it is torn
between the two responses: its confidence says nothing, and the commands must say so.
"""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import JudgeFile, write_judge_file
from judgesmith.inference.opening import made_of
from judgesmith.records import Direction
from judgesmith.tasks import load_dialect, load_task

pytestmark = pytest.mark.slow
HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto"
BRINGS = {"context": "A and B met.", "choices": ["A", "B", "Cannot be known"]}


def commands(page: str) -> list[list[str]]:
    """The command lines of a page, in order."""
    text = (HOWTO / page).read_text()
    lines = re.findall(r"^    judgesmith (.+)$", text, flags=re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"r{i}", "question": f"Who was late, number {i}?", "response_a": f"It was A, {i}.",
         "response_b": "Cannot be known.", **BRINGS}
        for i in range(count)
    ]  # fmt: skip


def write(path: Path, content: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in content))


@pytest.fixture
def at(tmp_path: Path, parrot_run: Path) -> Path:
    """A folder as the pages have it: runs/quickstart, labelled rows, rows, responses."""
    (tmp_path / "runs").mkdir()
    for name in ("quickstart", "other"):
        shutil.copytree(parrot_run, tmp_path / "runs" / name)
    labels = [
        {**row, "verdict": "TIE" if i % 3 else "A", "names": "worse"}
        for i, row in enumerate(rows(12))
    ]
    write(tmp_path / "labelled.jsonl", labels)
    write(tmp_path / "pairs.jsonl", rows(3))
    for system, text in (("step-1000", "It was A."), ("step-2000", "Cannot be known.")):
        answers = [{"question": f"Who, {i}?", **BRINGS, "text": text} for i in range(4)]
        write(tmp_path / f"{system}.jsonl", answers)
    return tmp_path


def test_the_page_on_abstaining(command: Any, at: Path) -> None:
    asked = commands("abstain.md")
    assert [one[0] for one in asked] == ["calibrate", "calibrate", "judge", "judge"]
    on_dev, on_file, alone, second = asked
    refused = command(*alone, cwd=at)
    assert refused.returncode == 2
    assert "has no calibration" in refused.stderr
    lonely = command(*commands("abstain.md")[2][:-2], "--abstain-delta", "0.01", cwd=at)
    assert lonely.returncode == 2
    assert "--abstain-delta: expected --abstain-risk beside it" in lonely.stderr
    few = command(*on_dev, cwd=at)
    assert few.returncode == 2
    assert re.search(r"at least 5 questions .*, found \d", few.stderr)
    done = command(*on_file, cwd=at)
    assert done.returncode == 0, done.stderr
    assert "12 items of 12 questions from labelled.jsonl" in done.stdout
    (kept,) = json.loads((at / "runs/quickstart/calibration.json").read_text())["calibrations"]
    assert kept["fitted_on"]["also_chose"] is False
    for line in (alone, second):
        found = command(*line, cwd=at)
        assert found.returncode == 3, found.stderr
        assert found.stdout.startswith("NOT ENOUGH EVIDENCE")
        assert not (at / "pairs.judged.jsonl").exists()


def test_a_promise_that_can_be_kept_marks_what_is_withheld(command: Any, at: Path) -> None:
    """Torn, it says TIE, which is right in 8 of 12: at a risk of 90% all verdicts are given."""
    page = commands("abstain.md")
    assert command(*page[1], cwd=at).returncode == 0
    line = ["0.9" if part == "0.1" else part for part in page[3]]
    found = command(*line, cwd=at)
    assert found.returncode == 0, found.stderr
    assert "at most 90% of the verdicts given are wrong" in found.stdout
    assert "abstained on 0 rows" in found.stdout
    assert "Gate of the second judge: " in found.stdout
    judged = [json.loads(x) for x in (at / "pairs.judged.jsonl").read_text().splitlines()]
    kept = json.loads((at / "runs/quickstart/calibration.json").read_text())["calibrations"][0]
    assert {one["calibration"] for one in judged} == {kept["id"]}
    first = command(*line, "--limit", "1", cwd=at)
    assert first.returncode == 0, first.stderr
    assert len((at / "pairs.first-1.judged.jsonl").read_text().splitlines()) == 1
    assert len((at / "pairs.judged.jsonl").read_text().splitlines()) == 3
    stranger = command(*line, "--second", other_direction(at), cwd=at)
    assert stranger.returncode == 2
    assert re.search(
        r"--second: .*mean the same.*A/B/TIE, the worse response, found stranger: A/B/TIE, the "
        r"better response",
        " ".join(stranger.stderr.split()),
    )
    fast = command(*line, "--mode", "fast", cwd=at)
    assert fast.returncode == 2
    assert "has no calibration" in fast.stderr, "a calibration belongs to its mode"


def test_judging_tells_what_the_gate_found_as_long_as_the_run_stands(
    command: Any, at: Path
) -> None:
    line = ("judge", "pairs.jsonl", "--judge", "runs/quickstart")
    asked = command("gate", "runs/quickstart", cwd=at)
    (outcome,) = re.findall(r"^Gate: (.+)$", asked.stdout, flags=re.MULTILINE)
    assert f"Gate: {outcome} (" in command(*line, cwd=at).stdout
    results = at / "runs/quickstart/evaluate/results.json"
    results.write_text(results.read_text() + " ")
    assert "Gate: unknown (" in command(*line, cwd=at).stdout


def other_direction(at: Path) -> Path:
    """The folder of a judge like the run's, whose verdicts name the better response."""
    own = load_dialect(load_task("bias"), "bias-pair-compact")
    dialect = own.model_copy(update={"direction": Direction.BETTER})
    folder = at / "stranger"
    folder.mkdir()
    judge = Judge("stranger", made_of(folder, dialect, None), dialect, None, 60)  # type: ignore[arg-type]
    write_judge_file(folder, JudgeFile.of(judge, "bias"))
    return folder


def test_the_page_on_ranking(command: Any, at: Path) -> None:
    asked = commands("rank-systems.md")
    assert [one[0] for one in asked] == ["rank", "rank", "rank"]
    for line in asked:
        files = [str(one) for part in line for one in sorted(at.glob(part)) or [part]]
        found = command(*files, cwd=at)
        assert found.returncode == 0, found.stderr
        assert "A win is what the judge says, not what people say." in " ".join(
            found.stdout.split()
        )
        assert "better" not in found.stdout.replace("'better'", ""), "a parrot prefers nobody"
        written = json.loads((at / "ranking/ranking.json").read_text())
        assert [one["name"] for one in written["systems"]] == ["step-1000", "step-2000"]
        assert written["questions"] == 4
    assert command("rank", "pairs.jsonl", "--baseline", "x", cwd=at).returncode == 2
    assert written["rehearsed"] is None, "judged rows do not say"
    recipe = at / "runs/quickstart/recipe.yaml"
    recipe.write_text("rehearsed: true\n" + recipe.read_text())
    line = ("rank", "step-1000.jsonl", "step-2000.jsonl", "--judge", "runs/quickstart")
    told = command(*line, cwd=at).stdout
    assert "Rehearsed." in told
    assert "Gate: rehearsed (a rehearsal passes no gate)." in told
    assert json.loads((at / "ranking/ranking.json").read_text())["rehearsed"] is True
