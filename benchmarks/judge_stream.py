"""A million rows through `judge`: memory that does not grow, and kills that lose nothing.

    python benchmarks/judge_stream.py
    python benchmarks/judge_stream.py --rows 20000 --kills 3

The judge is simulated: its model answers from a hash of the prompt at once, with probabilities.
All else is what `judgesmith judge` does: rows read and checked, prompts rendered in both orders,
replies parsed, verdicts averaged, lines written chunk by chunk. A tenth of the rows is judged
first, undisturbed, then again by a process that is killed; then all rows by one that is killed.
Prints rows a second and peak memory. Exits 1 when the longer file takes more memory, when the
killed file differs from the undisturbed one, or when a row is missing, doubled or out of place.
"""

import argparse
import hashlib
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.stream import judge_file
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish
from judgesmith.runs.jsonl import file_sha256

ALLOWED_GROWTH_MB = 32.0
DIALECT = "prometheus-relative"


class SimulatedJudge:
    """Answers from a hash of the prompt: a verdict, a reason, and how likely each verdict is."""

    name = "simulated"
    independent = True

    def __init__(self, dialect: Dialect, lot: int) -> None:
        self.lot = lot
        self._words = tuple(dialect.wording.of.values())
        self._replies = {
            words: dialect.write_reply("It says when, and the other does not.", value)
            for value, words in dialect.wording.of.items()
        }

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            asked = "\n".join(turn.content for turn in request.messages)
            drawn = hashlib.sha256(asked.encode()).digest()
            weights = [1 + drawn[place] for place in range(len(self._words))]
            chances = {
                words: weight / sum(weights)
                for words, weight in zip(self._words, weights, strict=True)
            }
            yield Completion(
                text=self._replies[max(chances, key=lambda words: chances[words])],
                finish=Finish.STOP, prompt_tokens=0, completion_tokens=0,
                probabilities=chances if request.wanted else None,
            )  # fmt: skip


def simulated_judge(lot: int) -> Judge:
    """A judge of pairs whose model is simulated, and asked about so many rows at once."""
    dialect = LIBRARY[DIALECT]
    return Judge("simulated", "simulated-1", dialect, SimulatedJudge(dialect, lot), 200)


def write_rows(path: Path, count: int) -> None:
    """Write pairs of plausible length, one a line, each with a name."""
    draw = random.Random(1)
    words = ["reason", "because", "answer", "clear", "short", "question", "which", "better"]
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, count + 1):
            row = {
                "id": f"r{number}",
                "question": " ".join(draw.choices(words, k=15)),
                "response_a": " ".join(draw.choices(words, k=30)),
                "response_b": " ".join(draw.choices(words, k=30)),
                "fields": {"criterion": "Does it say when?"},
            }
            file.write(json.dumps(row) + "\n")


def work(rows: Path, out: Path, lot: int) -> None:
    """Judge, then say the peak memory of this process in MB."""
    judge_file(simulated_judge(lot), rows, out)
    told = Path("/proc/self/status")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if told.exists():  # what the process took itself, and not what started it
        peak = int(told.read_text().partition("VmHWM:")[2].split()[0])
    print(peak / 1024)


class Process(NamedTuple):
    """What is judged, into which file, so many rows at once; always in a process of its own."""

    rows: Path
    out: Path
    lot: int

    def begin(self) -> "subprocess.Popen[str]":
        """A process that judges."""
        told = [str(part) for part in self]
        return subprocess.Popen(
            [sys.executable, __file__, "--work", *told], stdout=subprocess.PIPE, text=True
        )

    def finish(self) -> tuple[float, float]:
        """Judge to the end: seconds, and the peak memory in MB."""
        start = time.monotonic()
        told, _ = (process := self.begin()).communicate()
        if process.returncode:
            raise SystemExit(f"the judging process ended with {process.returncode}")
        return time.monotonic() - start, float(told)

    def kill_at(self, size: int) -> int:
        """Judge until the unfinished file has so many bytes, then kill; lines it has then."""
        process = self.begin()
        while self.size() < size and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = self.unfinished()
        return 0 if found is None else found.read_bytes().count(b"\n")

    def unfinished(self) -> Path | None:
        """The file that the verdicts so far are in."""
        return next(self.out.parent.glob(".*.partial"), None)

    def size(self) -> int:
        """Bytes of the verdicts so far."""
        found = self.unfinished()
        return 0 if found is None else found.stat().st_size


def in_place(out: Path, count: int) -> bool:
    """Whether the file holds every row once, in order, each with a verdict."""
    found = 0
    with out.open("rb") as file:
        for found, line in enumerate(file, start=1):
            row = json.loads(line)
            if row["id"] != f"r{found}" or row["verdict"] not in ("A", "B", None):
                return False
    return found == count


def main(count: int, kills: int) -> int:
    """A tenth of the rows undisturbed and killed, then all of them killed."""
    few, draw = count // 10, random.Random(2)
    lot = max(16, min(1024, count // 200))
    with tempfile.TemporaryDirectory(prefix="judge-stream-") as name:
        small, large = Path(name, "small"), Path(name, "large")
        for folder, size in ((small, few), (large, count)):
            folder.mkdir()
            write_rows(folder / "rows.jsonl", size)
        whole = Process(small / "rows.jsonl", small / "whole.jsonl", lot)
        seconds, peak = whole.finish()
        print(f"{few:>9,} rows: {seconds:7.1f} s, {few / seconds:6.0f} rows/s, peak {peak:.0f} MB")
        line = whole.out.stat().st_size / few

        def places(rows: int) -> list[int]:
            return sorted(int(draw.uniform(0, 0.95) * rows * line) for _ in range(kills))

        again = Process(whole.rows, small / "killed.jsonl", lot)
        at = [again.kill_at(place) for place in places(few)]
        again.finish()
        same = file_sha256(whole.out) == file_sha256(again.out)
        print(f"{few:>9,} rows, killed at {at}: {'byte-equal' if same else 'DIFFERENT'}")
        start = time.monotonic()
        every = Process(large / "rows.jsonl", large / "killed.jsonl", lot)
        at = [every.kill_at(place) for place in places(count)]
        _, most = every.finish()
        seconds, right = time.monotonic() - start, in_place(every.out, count)
        print(
            f"{count:>9,} rows: {seconds:7.1f} s with kills at {at}, peak {most:.0f} MB; "
            f"{'every row once and in place' if right else 'ROWS MISSING, DOUBLED OR MOVED'}"
        )
        left = [path.name for path in large.iterdir() if path.name.startswith(".")]
        print(f"memory x{most / peak:.2f} for 10 times the rows; left behind: {left or 'nothing'}")
    return 0 if same and right and not left and most - peak <= ALLOWED_GROWTH_MB else 1


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--kills", type=int, default=5)
    options.add_argument("--work", nargs=3, metavar=("ROWS", "OUT", "LOT"))
    given = options.parse_args()
    if given.work:
        work(Path(given.work[0]), Path(given.work[1]), int(given.work[2]))
    else:
        sys.exit(main(given.rows, given.kills))
