"""An answer that was told as saved outlives kill -9 of the server, once."""

import http.client
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest
from reviewed import Person, Running, answer_of, running, write_pairs

ANSWERS = int(os.environ.get("JUDGESMITH_REVIEW_ANSWERS", "500"))
KILLS = int(os.environ.get("JUDGESMITH_REVIEW_KILLS", "20"))


def send(person: Person, answer: dict[str, object]) -> bool:
    """Whether the server says that it has it."""
    try:
        reply = person.call("/api/answers", answer)
    except (OSError, http.client.HTTPException):
        return False
    assert reply.status == 200, reply.text
    return True


@pytest.mark.slow
def test_no_answer_is_lost_or_doubled(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", ANSWERS)
    rng = random.Random(8)
    server = Running(source, "--port", 0)
    port = server.url.rpartition(":")[2]
    person = Person(server.url).named("Ada")
    ends = threading.Event()
    running_now = [server]
    killed = []

    def kill() -> None:
        while len(killed) < KILLS and not ends.is_set():
            time.sleep(rng.uniform(0.05, 0.6))
            running_now[0].end(signal.SIGKILL)
            killed.append(1)
            running_now[0] = Running(source, "--port", port)

    killer = threading.Thread(target=kill)
    killer.start()
    told: dict[str, dict[str, object]] = {}
    tries = 0
    try:
        while len(told) < ANSWERS:
            try:
                items = person.next(20)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            for one in items:
                answer = answer_of(one["item_id"], "AB"[len(told) % 2])
                while not send(person, answer):  # sent again as it is, as the page does
                    tries += 1
                    time.sleep(0.02)
                told[str(answer["item_id"])] = answer
                if len(killed) < KILLS:
                    time.sleep(0.01)
    finally:
        ends.set()
        killer.join(60)
        running_now[0].end()
    with running(source, "--port", port):
        done = person.call("/api/history").json["done"]
        people = person.call("/people").text
    assert len(killed) == KILLS
    assert f"{ANSWERS} of {ANSWERS}" in people
    assert sorted(one["item_id"] for one in done) == sorted(told)
    assert {one["answer"]["id"] for one in done} == {answer["id"] for answer in told.values()}
