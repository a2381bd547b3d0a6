"""Labelling runs through the command line, and what server, books and files say of them.

The scale is the environment's: JUDGESMITH_KILLS=50 is the full one, a run of 1,000 items.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import warm
import yaml
from running import Server

KILLS = int(os.environ.get("JUDGESMITH_KILLS", "3"))
FULL = KILLS >= 50
ITEMS = 1000 if FULL else 100
KEYED = "<reasoning>Reply {key}.</reasoning><verdict>{verdict}</verdict>"
KEY = re.compile(r"Reply ([0-9a-f]{16})\.")
RECORDS = ("labels/judgments.jsonl", "labels/labels.jsonl")
INPUT, OUTPUT, WRITE, BATCH = 1000, 5000, 250, 2
"""Nano-dollars per token of prompt and reply, and beside that per token that is written to the
vendor's cache; a batch costs the half."""
PRICE = {"input": 1.0, "output": 5.0, "cache_write": 1.25, "batch": 0.5, "as_of": "2026-11-01"}
REPLY_TOKENS = 60


def recipe(tree: dict[str, Any], path: Path, endpoint: dict[str, Any], **teachers: Any) -> Path:
    """Write a recipe whose items a teacher behind HTTP labels."""
    plain = {"protocol": "openai", "model": "judge", "price": PRICE}
    labels = {"dialect": "bias-pair", "key_policy": None}
    labels["teachers"] = {"primary": "big", "reply_tokens": REPLY_TOKENS, **teachers}
    tree = {**tree, "models": {"big": {**plain, **endpoint}}, "labels": labels}
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return path


class Run:
    """A run folder with a cache of its own, and the command that works on it."""

    def __init__(self, recipe: Path, folder: Path, *more: object) -> None:
        self.folder, self.cache = folder, folder.with_name(folder.name + "-cache")
        given = ["run", recipe, "--run", folder, "--until", "labels", *more]
        self._given = [str(one) for one in given]
        self.environment = {"JUDGESMITH_CACHE": str(self.cache), "COLUMNS": "200"}

    def begin(self) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "judgesmith", *self._given], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env={**os.environ, **self.environment},
        )  # fmt: skip

    def end(self, code: int = 0) -> str:
        """Run the command to its end, and give back what it said."""
        done = warm.run(*self._given, environment=self.environment, timeout=500)
        words = done.stdout + done.stderr
        assert done.returncode == code, words
        assert "Traceback" not in words, words
        return words

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The records of a file."""
        return [json.loads(line) for line in (self.folder / name).open()]

    def records(self) -> list[bytes]:
        """The files of the labels stage, byte by byte."""
        return [(self.folder / name).read_bytes() for name in RECORDS]

    def written(self) -> int:
        """How many judgments are written while the stage is at work; 0 once it is through."""
        path = self.folder / (RECORDS[0] + ".partial")
        try:
            return path.read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def judged(self) -> set[str]:
        """The server's names of the prompts whose judgment is written, finished or not."""
        path = self.folder / (RECORDS[0] + ".partial")
        content = path.read_text() if path.exists() else ""
        return set(KEY.findall(content[: content.rfind("\n") + 1]))

    def cached(self) -> set[str]:
        """The server's names of the prompts whose reply is in the cache."""
        with opened(self.cache / "replies.sqlite") as file:
            rows = query(file, "SELECT body FROM replies")
        return {key for (body,) in rows for key in KEY.findall(body.decode())}

    def booked(self) -> "Booked":
        """What the ledger says."""
        with opened(self.folder / "ledger.sqlite") as file:
            rows = query(
                file, "SELECT state, count(*), sum(cost), sum(bound) FROM calls GROUP BY state"
            )
        of = {state: found for state, *found in rows}
        counts = {state: n for state, (n, _, _) in of.items()}
        paid = of["paid"][1] if "paid" in of else 0
        unsure = sum(of[state][2] for state in ("in_flight", "possibly_paid") if state in of)
        return Booked(counts, paid, unsure)


class Booked(NamedTuple):
    """Calls by state; what was paid and what may have been, in nano-dollars."""

    calls: dict[str, int]
    paid: int
    possibly_paid: int

    def count(self, *states: str) -> int:
        return sum(self.calls.get(state, 0) for state in states)

    @property
    def all(self) -> int:
        return sum(self.calls.values())


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A copy of a database that a kill left behind; the original stays as the kill left it."""
    with tempfile.TemporaryDirectory() as folder:
        for part in (path, path.with_name(path.name + "-wal")):
            if part.exists():
                shutil.copy(part, folder)
        connection = sqlite3.connect(Path(folder) / path.name)
        try:
            yield connection
        finally:
            connection.close()


def query(file: sqlite3.Connection, text: str) -> list[Any]:
    """Rows of a query; none where the kill came before the table was made."""
    try:
        return file.execute(text).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return []


def verdict_of(key: str) -> str:
    """The verdict that the server gives to a prompt, by its own rule."""
    return ("A", "B", "TIE")[(int(key, 16) >> 32) % 3]


def billed(server: Server) -> int:
    """What the server has billed, in nano-dollars."""
    sums = server.sums()
    return cost(sums["billed"]) + cost(sums["batches"]["billed"]) // BATCH


def cost(tokens: dict[str, int]) -> int:
    """What tokens cost, in nano-dollars, one by one."""
    plain = INPUT * tokens["prompt_tokens"] + OUTPUT * tokens["completion_tokens"]
    return plain + WRITE * tokens.get("cache_write_tokens", 0)


def billed_calls(server: Server) -> int:
    """Calls and lines of batches that were billed."""
    sums = server.sums()
    return int(sums["billed"]["calls"] + sums["batches"]["billed"]["calls"])


def requests(server: Server) -> int:
    """Requests of any kind."""
    return sum(server.sums()["calls"].values())


def tell(what: str, run: Run, server: Server, **more: object) -> None:
    """Print the figures, for whoever runs it at full scale."""
    booked, sums = run.booked(), server.sums()
    found = {
        "billed": f"${billed(server) / 1e9} of {billed_calls(server)} calls",
        "booked": booked.calls,
        "paid": f"${booked.paid / 1e9}",
        "possibly paid": f"${booked.possibly_paid / 1e9}",
        "faults": sums["faults"],
        "peak": sums["peak"],
        **more,
    }
    sys.stdout.write(f"\n{what}: {found}\n")
