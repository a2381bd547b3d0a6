"""The data half of the bias judge, by its shipped recipe, over real HTTP: four generators, classes,
items, labels, cross-check, queue and negatives.

A rehearsal says what every simulated model says; a server then says the same over both vendors'
protocols, in single calls and in batches, while a tenth of its answers go wrong. What comes of it
must be what the rehearsal had, paid for as the server counts it.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from judgesmith.models.protocol import Completion, Request
from judgesmith.models.simulated_teacher import SimulatedTeacher
from judgesmith.models.simulated_writer import SimulatedWriter
from judgesmith.pipeline import find_recipe, read_recipe, run_recipe, start_run
from judgesmith.records import Finish
from judgesmith.tasks.bias.responders import SimulatedResponder

pytestmark = pytest.mark.slow
RECIPE = "bias-judge-data"
SMALL = (
    "questions.sources=[{kind: bank, count: 400}]", "items.quota_scale=0.4",
    "split.max_train=240", "split.max_test=60", "split.max_held_out=30", "split.max_dev=30",
    "labels.teachers.panel_items=100", "preferences.teacher.most_asked=600",
)  # fmt: skip
PLAIN = tuple(
    f"rehearse.models.{name}={rates}"
    for name, rates in {
        "teacher": "{accuracy: 0.98, first_rate: 0.01, leak_rate: 0.05}",
        "second": "{accuracy: 0.97, first_rate: 0.01}",
        "third": "{accuracy: 0.85, first_rate: 0.05, cut_rate: 0.02}",
    }.items()
)
"""No teacher fails or refuses: servers do it, each in its own words."""
NAMES = ("gen-llama3", "gen-llama31", "gen-mistral", "gen-qwen", "teacher", "second", "third")
BATCHED = ("teacher", "second")
KEYS = ("OPENROUTER_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY")
FINISHES = {Finish.STOP: "stop", Finish.LENGTH: "length"}
SECRET = "sk-only-the-server-knows"


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (folder / name).read_bytes().splitlines()]


@pytest.fixture
def rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The rehearsal's folder; what its models said is on a tape beside it."""
    recipe = read_recipe(find_recipe(RECIPE), (*SMALL, *PLAIN), rehearse=True)
    served = {name: entry["model"] for name, entry in recipe.plain["models"].items()}
    with (tmp_path / "tape.jsonl").open("wb") as tape:

        def taped(kind: Any) -> None:
            complete = kind.complete

            def said(self: Any, requests: Sequence[Request]) -> Iterator[Completion]:
                for request, reply in zip(requests, complete(self, requests), strict=True):
                    row = {
                        "model": served[self.name],
                        "texts": [[turn.role, turn.content] for turn in request.messages],
                        "text": reply.text, "finish": FINISHES[reply.finish],
                    }  # fmt: skip
                    tape.write(orjson.dumps(row) + b"\n")
                    yield reply

            monkeypatch.setattr(kind, "complete", said)

        for kind in (SimulatedResponder, SimulatedTeacher, SimulatedWriter):
            taped(kind)
        folder = tmp_path / "rehearsal"
        assert len(list(run_recipe(recipe, start_run(folder, recipe)))) == 7
    return folder


def test_over_http_it_is_what_it_was_in_rehearsal(
    command: Any, fault_server: Any, rehearsed: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server = fault_server(tape=str(tmp_path / "tape.jsonl"), keys=[SECRET], latency_ms=2)
    server.plan(
        {"fault": ["rate_limit", "error_500", "overloaded_503", "close_before", "half_json",
                   "wrong_content_type", "close_mid_body"], "share": 0.1,
         "on": ["chat"]},
        {"fault": ["lines_duplicated", "line_errored"], "share": 0.05},
        {"fault": "lines_missing", "share": 0.0007},  # a file with one is read again, with pauses
        {"fault": "lines_reordered"},
    )  # fmt: skip
    for key in KEYS:
        monkeypatch.setenv(key, SECRET)
    monkeypatch.setenv("JUDGESMITH_CACHE", str(tmp_path / "cache"))
    given = [*SMALL, *(f"models.{name}.url={server.url}" for name in NAMES)]
    given += [f"models.{name}.batch.poll_s=0.05" for name in BATCHED]
    folder = tmp_path / "run"
    settings = [part for one in given for part in ("--set", one)]
    done = command("run", RECIPE, "--run", folder, "--budget-usd", "60", *settings)
    assert done.returncode == 0, done.stderr[-3000:]
    assert server.sums()["faults"]["lines_missing"] > 0

    for name, fields in {
        "split/items.jsonl": ("id", "bucket", "split", "response_ids"),
        "responses/responses.jsonl": ("id", "model", "text", "finish", "task"),
        "labels/judgments.jsonl": ("judge", "item_id", "order", "status", "verdict", "rationale"),
        "labels/labels.jsonl": ("item_id", "verdict", "policy"),
    }.items():
        found, wanted = (
            [tuple(map(str, map(row.get, fields))) for row in rows(run, name)]
            for run in (folder, rehearsed)
        )
        assert found == wanted, name
    assert {row["annotator_kind"] for row in rows(folder, "labels/labels.jsonl")} == {"model"}
    assert queued(folder) == queued(rehearsed) != set()
    negatives = rows(folder, "preferences/preferences.jsonl")
    assert len(negatives) > 50

    status = command("status", folder)
    assert "Money: paid $" in status.stdout
    page = (folder / "report/report.md").read_text()
    for said in ("Kappa of every two teachers, by bucket", "Dry run of each generator",
                 "Replies refused, by reason", "queue/disagreements-", "Calls, tokens and dollars",
                 "(at most", "as of"):  # fmt: skip
        assert said in page, said
    paid_as_counted(folder, server)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and has_key(path)]

    (queue,) = (folder / "queue").glob("disagreements-*.csv")
    rows_of_queue = queue.read_bytes()
    queue.unlink()
    assert f"queue/{queue.name} is not there; to have it" in command("status", folder).stdout
    before = server.counts()["billed"]["calls"]
    again = command("run", RECIPE, "--run", folder, "--budget-usd", "60", *settings)
    assert again.returncode == 0
    assert not queue.exists()
    (folder / "labels/manifest.json").unlink()
    again = command("run", RECIPE, "--run", folder, "--budget-usd", "60", *settings)
    assert again.returncode == 0
    assert queue.read_bytes() == rows_of_queue
    assert server.counts()["billed"]["calls"] == before


def queued(folder: Path) -> set[str]:
    """Items that wait for a person."""
    (path,) = (folder / "queue").glob("disagreements-*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["item_id"] for row in csv.DictReader(file)}


def paid_as_counted(folder: Path, server: Any) -> None:
    """Calls and lines that were billed are booked as paid or possibly paid, and no others."""
    report = json.loads((folder / "report/report.json").read_text())
    lines = report["money"]["lines"]
    booked = sum(line["paid_calls"] + line["unsure_calls"] for line in lines)
    counts = server.counts()
    billed = counts["billed"]["calls"] + counts["batches"]["billed"]["calls"]
    assert booked >= billed > 1000
    assert sum(line["paid_calls"] for line in lines) <= billed
    assert {line["stage"] for line in lines} == {"responses", "labels", "preferences"}
    assert all(line["expected_usd"] > 0 for line in lines)


def has_key(path: Path) -> bool:
    return SECRET.encode() in path.read_bytes()
