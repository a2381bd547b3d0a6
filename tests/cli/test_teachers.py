"""Labels by a teacher behind real HTTP: money, kills, and the same bytes in the end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

TEMPLATE = "<reasoning>Reply {number}.</reasoning><verdict>{verdict}</verdict>"
LABELS = ("labels/judgments.jsonl", "labels/labels.jsonl")
IN_FLIGHT = 4


def recipe(folder: Path, tiny: Path, url: str, **teachers: Any) -> Path:
    """The tiny recipe with a priced teacher behind HTTP."""
    tree = yaml.safe_load(tiny.read_text())
    tree["models"] = {
        "big": {
            "protocol": "openai",
            "url": url,
            "model": "judge",
            "in_flight": IN_FLIGHT,
            "price": {"input": 1.0, "output": 5.0, "as_of": "2026-11-01"},
        }
    }
    tree["labels"]["teachers"] = {"primary": "big", "reply_tokens": 40, **teachers}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return path


@pytest.fixture
def run(command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`judgesmith run RECIPE` up to the labels, into a folder with a cache of its own."""

    def run(path: Path, name: str, *more: object) -> Any:
        monkeypatch.setenv("JUDGESMITH_CACHE", str(tmp_path / f"{name}-cache"))
        return command("run", path, "--run", tmp_path / name, "--until", "labels", *more)

    return run


def billed(server: Any) -> int:
    calls: int = server.counts()["billed"]["calls"]
    return calls


def test_money_is_asked_for_first_and_never_spent_twice(
    run: Any, fault_server: Any, tiny: Path, tmp_path: Path
) -> None:
    """Without a bound nothing is asked; a small one stops within it; with more it goes on."""
    server = fault_server(latency_ms=2, template=TEMPLATE)
    path = recipe(tmp_path, tiny, server.url)
    refused = run(path, "run")
    assert (refused.returncode, billed(server)) == (2, 0)
    assert "model 'big' costs money and the run has no bound" in refused.stderr
    assert "--budget-usd" in refused.stderr
    assert not (tmp_path / "run/labels").exists()

    stopped = run(path, "run", "--budget-usd", "0.01")
    some = billed(server)
    assert stopped.returncode == 2, stopped.stderr
    assert "The budget is spent: of $0.01" in stopped.stderr
    expected = " ".join(stopped.stderr.split())
    assert "labels, the primary teacher: estimate for" in expected
    assert "Left of the budget of $0.01: $0.01, which may not suffice" in expected
    assert some > 0
    assert not (tmp_path / "run/labels/manifest.json").exists()

    done = run(path, "run", "--budget-usd", "2")
    assert done.returncode == 0, done.stderr
    judged = [json.loads(line) for line in (tmp_path / "run" / LABELS[0]).open()]
    judged = [row for row in judged if row["judge"] == "big"]
    prompts = len(server.counts()["prompts"])
    assert some < prompts == billed(server)
    assert 0 < prompts <= len(judged)
    assert server.repeated() == {}
    assert {row["status"] for row in judged} == {"parsed"}
    labels = [json.loads(line) for line in (tmp_path / "run" / LABELS[1]).open()]
    kinds = {row["annotator_kind"]: row["annotator"] for row in labels}
    assert kinds == {"key": "answer key", "model": "big"}
    manifest = json.loads((tmp_path / "run/labels/manifest.json").read_text())
    report = manifest["report"]
    assert report["taken"] == report["made"] + sum(report["dropped"].values())
    assert report["calls"] == prompts - some
    kept = json.loads((tmp_path / "run/estimates.json").read_text())
    assert [(row["stage"], row["model"], row["purpose"], row["requests"]) for row in kept] == [
        ("labels", "big", "labels, the primary teacher", prompts)
    ]
    paid = server.counts()["billed"]
    assert 0.3 < kept[0]["prompt_tokens"] / paid["prompt_tokens"] < 3
    assert "expected" in (tmp_path / "run/report/report.md").read_text()


def test_killed_in_the_middle_it_ends_with_the_same_bytes(
    run: Any, fault_server: Any, tiny: Path, tmp_path: Path
) -> None:
    """kill -9 with calls in flight: what was answered is in the cache, so only those are repeated.

    The undisturbed run has a folder and a cache of its own, and a server that has forgotten.
    """
    server = fault_server(latency_ms=40, template=TEMPLATE)
    path = recipe(tmp_path, tiny, server.url)
    undisturbed = run(path, "undisturbed", "--budget-usd", "2")
    assert undisturbed.returncode == 0, undisturbed.stderr
    prompts = billed(server)
    server.reset()

    command = [sys.executable, "-m", "judgesmith", "run", path, "--run", tmp_path / "killed"]
    command += ["--until", "labels", "--budget-usd", "2"]
    environment = {**os.environ, "JUDGESMITH_CACHE": str(tmp_path / "killed-cache")}
    process = subprocess.Popen(
        [*map(str, command)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 240
    while billed(server) < prompts // 3 and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    _, words = process.communicate()
    assert process.returncode == -signal.SIGKILL, words
    assert prompts // 3 <= billed(server) < prompts
    assert not (tmp_path / "killed/labels/manifest.json").exists()

    resumed = run(path, "killed", "--budget-usd", "2")
    assert resumed.returncode == 0, resumed.stderr
    assert len(server.counts()["prompts"]) == prompts
    assert sum(server.repeated().values()) - len(server.repeated()) <= IN_FLIGHT
    for name in LABELS:
        found, wanted = (
            (tmp_path / run_ / name).read_bytes() for run_ in ("killed", "undisturbed")
        )
        assert found == wanted
    assert not list((tmp_path / "killed/labels").glob("*.partial"))


def test_a_teacher_that_the_recipe_does_not_describe(run: Any, tiny: Path, tmp_path: Path) -> None:
    """A mistyped name is said before anything is made."""
    path = recipe(tmp_path, tiny, "http://127.0.0.1:9/v1", primary="bigg")
    done = run(path, "run", "--budget-usd", "1")
    assert done.returncode == 2
    assert "asks model 'bigg'" in done.stderr
    assert "did you mean 'big'" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_dry_run_that_stops_is_shown_by_the_report(
    run: Any, command: Any, tiny: Path, tmp_path: Path
) -> None:
    """Simulated teachers of which one is never right: exit code 2, and findings to look up."""
    specs = [
        {"name": "good", "accuracy": 1.0, "first_rate": 0.0},
        {"name": "bad", "accuracy": 0.0, "first_rate": 0.0},
    ]
    path = recipe(
        tmp_path, tiny, "http://127.0.0.1:9/v1", primary="good", simulated=specs,
        dry_run={"second": "bad", "items": 30},
    )  # fmt: skip
    done = run(path, "run")
    assert done.returncode == 2
    assert "dry run of 30 items says abort" in " ".join(done.stderr.split())
    assert "kappa, all items" in done.stderr
    assert json.loads((tmp_path / "run/labels/findings.json").read_text())
    report = command("report", tmp_path / "run")
    assert report.returncode == 0, report.stderr
    page = (tmp_path / "run/report/report.md").read_text()
    assert "Dry run: abort" in page
    assert "kappa, all items" in page
