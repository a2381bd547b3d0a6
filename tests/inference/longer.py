"""A judge that prefers the longer response and may be struck down, and rows for it."""

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from judgesmith.inference.judge import Judge
from judgesmith.judging.library import LIBRARY
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish

DIALECT = LIBRARY["prometheus-relative"]
FIELDS = {"criterion": "Does it say when?"}


class Struck(BaseException):
    """What stands for the end of a process: nothing may catch it."""


class Longer:
    """Prefers the longer response; it is struck down at a stated prompt."""

    name = "longer"
    lot = 4
    takes_forced = True

    def __init__(self, strike_at: int | None = None) -> None:
        self.asked, self.strike_at = 0, strike_at

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            if self.asked == self.strike_at:
                raise Struck
            self.asked += 1
            prompt = request.messages[-1].content
            first, second = (prompt.split(f"###Response {letter}:")[1] for letter in "AB")
            first = first.partition("###")[0].strip()
            likely = 0.9 if len(first) > len(second.partition("###")[0].strip()) else 0.2
            yield Completion(
                text=DIALECT.write_reply("So.", "A" if likely > 0.5 else "B"), finish=Finish.STOP,
                prompt_tokens=1, completion_tokens=1,
                probabilities={"A": likely, "B": 1 - likely},
            )  # fmt: skip


def judge(model: Any | None = None, version: str = "v1") -> Judge:
    return Judge("run/student", version, DIALECT, model or Longer(), 60)


def rows(count: int) -> list[dict[str, Any]]:
    draw = random.Random(count)
    return [
        {
            "id": f"r{n}", "question": f"When, {n}?", "fields": FIELDS,
            "response_a": "a" * draw.randint(1, 30), "response_b": "b" * draw.randint(31, 60),
        }
        for n in range(count)
    ]  # fmt: skip


def write(path: Path, found: Sequence[dict[str, Any]]) -> Path:
    content = "".join(json.dumps(row) + "\n" for row in found).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
