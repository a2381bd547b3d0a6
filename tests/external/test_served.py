"""A judge that was trained, served: who else is in a batch, and what they write, changes nothing.

The judge is that of the tiny recipe, trained until it gives reasons and some of its verdicts can be
read; in fast mode all can.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hostile import hostile_texts
from served import Server, served, until

from judgesmith.inference.judge import Judge
from judgesmith.pipeline import open_run
from judgesmith.pipeline.judges import open_judge
from judgesmith.records import Item, Kind, Question, Response, index_by_id
from judgesmith.serving.batching import Room
from judgesmith.sources.own_files import row_of

TESTS = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-4
"""Of a probability, in single precision: docs/howto/serve.md states it."""
ROWS = 24
MODES = ("rationale", "fast")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "run"
    subprocess.run(
        [sys.executable, "-m", "judgesmith", "run", str(TESTS / "recipes" / "tiny.yaml"),
         "--run", str(folder), "--until", "sft", "--set", "sft.steps=200",
         "--set", "sft.reply_tokens=60"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def judge(run: Path) -> Judge:
    return open_judge(run)


@pytest.fixture(scope="module")
def rows(run: Path) -> list[Row]:
    """Pairs of the run, with the reasons."""
    held, _ = open_run(run)
    questions = index_by_id(held.read("questions/questions.jsonl", Question))
    responses = index_by_id(held.read("responses/responses.jsonl", Response))
    items = [i for i in held.read("split/items.jsonl", Item) if i.kind is Kind.PAIR][:ROWS]
    found = [
        row_of(questions[i.question_id], [responses[one] for one in i.response_ids], i.kind)
        for i in items
    ]
    return [row.model_dump(mode="json", exclude_none=True) for row in found]


@pytest.fixture(scope="module")
def server(judge: Judge) -> Iterator[Server]:
    with served(judge, ready=False, room=Room(waiting=512, batch=16, window_s=0.05)) as found:
        until(lambda: found.call("/readyz").status == 200, timeout_s=120)
        yield found


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def alone(server: Server, rows: list[Row], mode: str) -> list[Any]:
    """Each row by itself, which is what every company is held against."""
    found = [server.judge(asked(row, mode)).json for row in rows]
    read = sum(one["verdict"] is not None for one in found)
    assert read == ROWS if mode == "fast" else read > 0
    return found


def asked(row: Row, mode: str) -> Row:
    return {**row, "mode": mode, "rationale": True}


def require_same(alone: list[Any], found: list[Any]) -> float:
    """The largest difference of a probability; verdicts, reasons and all else must be equal."""
    worst = 0.0
    for one, other in zip(alone, found, strict=True):
        for name in ("verdict", "status", "order_agreement"):
            assert one[name] == other[name], name
        assert [o["rationale"] for o in one["orders"]] == [o["rationale"] for o in other["orders"]]
        for verdict, chance in (one["distribution"] or {}).items():
            worst = max(worst, abs(chance - other["distribution"][verdict]))
    assert worst <= TOLERANCE
    return worst


def test_company_of_other_lengths_changes_no_verdict(
    server: Server, rows: list[Row], alone: list[Any], mode: str
) -> None:
    """All in one request, and each beside rows ten times as long, of other clients."""
    together = server.judge({"items": rows, "mode": mode, "rationale": True}).json["judgments"]
    require_same(alone, together)
    long = [{**row, "response_b": f"{row['response_b']} " * 10} for row in rows]
    with ThreadPoolExecutor(2 * ROWS) as crowd:
        others = [crowd.submit(server.judge, asked(row, mode)) for row in long]
        ours = [crowd.submit(server.judge, asked(row, mode)) for row in rows]
        require_same(alone, [one.result().json for one in ours])
        assert {one.result().status for one in others} == {200}


def test_hostile_texts_change_no_other_verdict(
    server: Server, judge: Judge, rows: list[Row], alone: list[Any], mode: str
) -> None:
    """Each text of the corpus as a response, among honest rows in the same batches."""
    texts = list(hostile_texts(judge.dialect))
    bad = [{**rows[n % ROWS], "response_b": text} for n, text in enumerate(texts)]
    with ThreadPoolExecutor(32) as crowd:
        calls = []
        for n, row in enumerate(bad):
            calls.append((crowd.submit(server.judge, asked(row, mode)), None))
            calls.append((crowd.submit(server.judge, asked(rows[n % ROWS], mode)), n % ROWS))
        replies = [(call.result(), place) for call, place in calls]
    honest = [(reply.json, place) for reply, place in replies if place is not None]
    require_same([alone[place] for _, place in honest], [said for said, _ in honest])
    assert {reply.status for reply, _ in replies} == {200}
    assert server.number("batch_items_sum") > server.number("batch_items_count")
