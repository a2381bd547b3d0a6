"""The commands and files of the page on costs, as they stand there."""

import shlex
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.cli.main import app
from judgesmith.costs import CostInputs, work_out

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "cost.md"
LINES = [
    line.removeprefix("    ")
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("    ")
]
COMMANDS = [line for line in LINES if line.startswith("judgesmith ")]
SHEETS = "\n".join(line for line in LINES if line.startswith((" ", "once:", "machines:", "own:")))


def run(command: str) -> None:
    """What a shell does with one line of the page."""
    words = shlex.split(command)[1:]
    if ">" in words:
        *words, _, target = words
        with Path(target).open("w", encoding="utf-8") as file, redirect_stdout(file):
            app(words, standalone_mode=False)
    else:
        app(words, standalone_mode=False)


def test_the_commands_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those on a run are tried in tests/cli/test_cost.py, where there is one."""
    monkeypatch.chdir(tmp_path)
    mine = [command for command in COMMANDS if "runs/" not in command]
    assert len(COMMANDS) - len(mine) == 2
    assert len(mine) == 4
    for command in mine:
        run(command)
    said = " ".join(capsys.readouterr().out.split())
    assert Path("cost.json").exists()
    assert Path("cost.md").exists()
    quoted = " ".join(" ".join(line for line in LINES if line not in COMMANDS).split())
    advice = quoted[quoted.index("always_on against") : quoted.index("judgments a month on.")]
    assert advice in said


def test_the_parts_of_a_file_are_read_and_the_latency_takes_8_in_flight() -> None:
    from judgesmith.costs import example

    tree: dict[str, Any] = yaml.safe_load(example()) | yaml.safe_load(SHEETS)
    tree["once"]["training"] = {"machine": "small", "hours": 1}
    found = work_out(CostInputs.model_validate(tree))
    options = {one.name: one for one in found.options}
    assert "8 in flight" in options["big_live"].rests_on
    assert options["small_nightly"].kind == "offline"
    assert found.once_usd.high is not None


def test_the_table_says_what_the_known_answers_say() -> None:
    """The page's figures stand in a test on the published file; here that they are the same."""
    known = (PAGE.parents[2] / "tests/known_answers/test_cost_benchmark.py").read_text("utf-8")
    page = PAGE.read_text(encoding="utf-8")
    for shown, there in (
        ("| 32.5 |", "== 32.47"), ("| 23.1 |", "== 23.1"), ("| 2.5 |", "== 2.5"),
        ("| 5.8 |", "== 5.8"), ("| 11.8 |", "== 11.8"), ("| .6 |", "(0.05, 0.6)"),
        ("5,269 calls", "5_269"), ("103,000", "102_857"),
    ):  # fmt: skip
        assert shown in page
        assert there in known
