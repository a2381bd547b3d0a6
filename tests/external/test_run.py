"""The shipped recipe `bias-judge-data` by the command line, all its models on one real server.

The server dies twice: once for good, so that the run stops and is started again, and once for some
seconds, which the run waits out.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import server_recipes
from llama_server import LlamaServer

BUDGET = ("--budget-usd", "60")
STAGES = ("questions", "responses", "items", "split", "labels", "rows", "preferences")
FIRST_DEATH, SECOND_DEATH = 150, 400
"""Answers after which the server dies: among the responses, and among the labels or after."""
GIVEN_UP_S = 400


class Run(NamedTuple):
    """The finished run, and what the first command said when the server was gone."""

    folder: Path
    stopped: str
    said: str
    answers: int

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).open()]

    def tables(self, stage: str) -> dict[str, Any]:
        found: dict[str, Any] = self.report(stage)["tables"]
        return found

    def report(self, stage: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / stage / "manifest.json").read_text())
        return dict(found["report"])


def judgesmith(*arguments: object, cache: Path) -> subprocess.Popen[str]:
    """A command in its own process."""
    return subprocess.Popen(
        [sys.executable, "-m", "judgesmith", *map(str, arguments)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "200", "JUDGESMITH_CACHE": str(cache)},
    )  # fmt: skip


def kill_after(server: LlamaServer, answers: int, process: subprocess.Popen[str]) -> None:
    """End the server at once when it has given so many answers more."""
    until = server.answered() + answers
    while server.answered() < until:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    server.kill()


@pytest.fixture(scope="module")
def run(server: LlamaServer, tmp_path_factory: pytest.TempPathFactory, measured: Any) -> Run:
    folder = tmp_path_factory.mktemp("data-half")
    recipe, cache = folder / "recipe.yaml", folder / "cache"
    recipe.write_text(server_recipes.write(server_recipes.served(server.url)))
    before = server.answered()
    command = ("run", recipe, "--run", folder / "run", *BUDGET)

    begun = time.monotonic()
    first = judgesmith(*command, cache=cache)
    kill_after(server, FIRST_DEATH, first)
    died = time.monotonic()
    _, stopped = first.communicate(timeout=GIVEN_UP_S)
    measured("a dead server is given up after", f"{time.monotonic() - died:.0f} s")
    assert first.returncode == 2, stopped
    busy = died - begun

    server.start()
    begun = time.monotonic()
    second = judgesmith(*command, cache=cache)
    kill_after(server, SECOND_DEATH, second)
    time.sleep(3)
    server.start()
    said, wrong = second.communicate(timeout=GIVEN_UP_S)
    assert second.returncode == 0, wrong
    busy += time.monotonic() - begun
    answers = server.answered() - before
    measured("bias-judge-data up to preferences", f"{busy:.0f} s, {answers} answers")
    return Run(folder / "run", stopped, said, answers)


def test_a_server_that_died_is_named_with_what_to_do(run: Run) -> None:
    words = " ".join(run.stopped.split())
    assert "error: model 'gen-" in words
    assert "at http://127.0.0.1:" in words
    assert "Check the address and the server, then run the same command again" in words


def test_nothing_is_asked_for_twice(run: Run) -> None:
    """Answers of the server are paid calls, but for those that were in flight when it died."""
    money = json.loads((run.folder / "report" / "report.json").read_text())["money"]["lines"]
    paid = sum(line["paid_calls"] for line in money)
    unsure = sum(line["unsure_calls"] for line in money)
    assert paid <= run.answers <= paid + unsure
    assert unsure <= 2 * server_recipes.IN_FLIGHT
    assert {line["stage"] for line in money} == {"responses", "labels", "preferences"}
    assert all(line["prompt_tokens"] > 0 and line["paid_usd"] > 0 for line in money)


def test_responses_are_classified_and_become_items(run: Run) -> None:
    responses = run.rows("responses/responses.jsonl")
    cast = server_recipes.cast(server_recipes.shipped())
    count = server_recipes.QUESTIONS
    assert Counter(row["model"] for row in responses) == dict.fromkeys(cast.generators, count)
    classes = Counter(row["task"]["class"] for row in responses)
    assert min(classes[name] for name in ("biased", "correct", "other_wrong")) > count / 2
    assert {row["finish"] for row in responses} <= {"stop", "length"}
    assert {row["sampling"]["temperature"] for row in responses} == {0.7}
    assert len(run.rows("items/items.jsonl")) > 80


def test_labels_rest_on_judgments_with_probabilities(run: Run, measured: Any) -> None:
    judgments = run.rows("labels/judgments.jsonl")
    parsed = [row for row in judgments if row["status"] == "parsed"]
    assert len(parsed) > 0.9 * len(judgments)
    for row in parsed:
        chances = row["distribution"]["verdict"]
        assert abs(sum(chances.values()) - 1) < 1e-4
        assert max(chances, key=chances.get) == row["verdict"]["value"]
    labels = run.rows("labels/labels.jsonl")
    assert {row["annotator_kind"] for row in labels} == {"model"}
    assert {row["verdict"]["value"] for row in labels} == {"A", "B", "TIE"}
    assert len(labels) > 30
    report = run.report("labels")
    assert report["taken"] == report["made"] + sum(report["dropped"].values())
    final = report["tables"]["final labels"]
    assert final["items"] == final["decided"] + final["to a person"]
    (queue,) = (run.folder / "queue").glob("disagreements-*.csv")
    with queue.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == final["to a person"] > 0
    checks = {check["name"]: check for check in report["tables"]["dry run"]["checks"]}
    kappa = checks["kappa, all items"]["pass_on"]
    measured(
        "dry run, kappa of teacher and second",
        f"{kappa['value']:.2f} of {kappa['n']} items: {report['tables']['dry run']['outcome']}",
    )
    measured("labels", f"{len(labels)} of {final['items']}; {final['to a person']} to a person")


def test_negatives_passed_their_checks(run: Run, measured: Any) -> None:
    written = run.tables("preferences")["written by a teacher"]
    rejected = sum(written["rejected by reason"].values())
    assert written["requests"] == written["accepted"] + rejected
    rows = run.rows("preferences/preferences.jsonl")
    assert rows
    assert all(row["chosen"] != row["rejected"] for row in rows)
    measured(
        "mistakes written",
        f"{written['accepted']} of {written['requests']} replies accepted, {len(rows)} rows; "
        + ", ".join(f"{why}: {n}" for why, n in written["rejected by reason"].items()),
    )


def test_report_and_status(run: Run) -> None:
    page = (run.folder / "report" / "report.md").read_text()
    for said in (
        "Kappa of every two teachers, by bucket", "Dry run of each generator",
        "Replies refused, by reason", "queue/disagreements-", "Calls, tokens and dollars",
    ):  # fmt: skip
        assert said in page, said
    process = judgesmith("status", run.folder, cache=run.folder.parent / "cache")
    status, wrong = process.communicate(timeout=60)
    assert process.returncode == 0, wrong
    assert "Money: paid $" in status
    for stage in STAGES:
        assert stage in status
    assert "stale" not in status
