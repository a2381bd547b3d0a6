"""A run that is killed again and again ends with the same bytes as one that nobody disturbed."""

import os
import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "servers"))
import warm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
KILLS = int(os.environ.get("JUDGESMITH_KILLS", "8"))
"""`make reliability` asks for more."""
REACH = 0.6
"""A resumed run is shorter than a whole one: later moments would mostly come after its end."""
FILES = (
    "questions/questions.jsonl", "responses/responses.jsonl", "items/items.jsonl",
    "split/items.jsonl", "labels/judgments.jsonl", "labels/labels.jsonl", "rows/sft.jsonl",
    "sft/curve.jsonl", "sft/before/model.safetensors", "sft/student/model.safetensors",
    "sft/student/tokenizer.json", "evaluate/judgments.jsonl", "evaluate/results.json",
    "gate/gate.json", "test_looks.jsonl", "machine.json", "recipe.yaml",
)  # fmt: skip


def run(folder: Path, *more: str) -> float:
    start = time.monotonic()
    done = warm.run("run", TINY, "--run", folder, *more)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - start


def fresh_folder(folder: Path, undisturbed: Path) -> Path:
    """A run that has only begun, with the thread count that the undisturbed one measured."""
    run(folder, "--until", "questions")
    shutil.copy(undisturbed / "machine.json", folder / "machine.json")
    return folder


def where(folder: Path) -> str:
    """The first stage that has no manifest."""
    stages = ("questions", "responses", "items", "split", "labels", "rows", "sft", "evaluate")
    waiting = [stage for stage in stages if not (folder / stage / "manifest.json").exists()]
    return waiting[0] if waiting else "after evaluate"


def differences(folder: Path, undisturbed: Path) -> list[str]:
    return [
        name for name in FILES if (folder / name).read_bytes() != (undisturbed / name).read_bytes()
    ]


def test_killed_at_many_moments(tmp_path: Path) -> None:
    """SIGKILL after a random time, and started again where it stood, over and over.

    A run that ends before its kill is compared and a new one begun, so that all kills hit work.
    """
    undisturbed = tmp_path / "undisturbed"
    run(tmp_path / "first", "--until", "questions")  # starts the server: no part of the duration
    duration = run(undisturbed)
    draw = random.Random(20)
    hit: Counter[str] = Counter()
    finished = 0
    folder = fresh_folder(tmp_path / "killed0", undisturbed)
    while sum(hit.values()) < KILLS:
        error = tmp_path / "error.txt"
        given = ("run", str(TINY), "--run", str(folder))
        process = warm.begin(given, out=tmp_path / "out.txt", error=error)
        process.join(draw.uniform(0, REACH * duration))
        if process.exitcode is None:
            process.kill()
            process.join()
            hit[where(folder)] += 1
            continue
        assert process.exitcode == 0, error.read_text()
        assert differences(folder, undisturbed) == []
        finished += 1
        folder = fresh_folder(tmp_path / f"killed{finished}", undisturbed)
    run(folder)
    assert differences(folder, undisturbed) == []
    leftovers = [
        path
        for path in tmp_path.rglob("*")
        if path.name.endswith((".tmp", ".partial")) or "checkpoint" in path.name
    ]
    assert leftovers == []
    sys.stdout.write(f"undisturbed {duration:.1f} s; kills hit {dict(hit)}; {finished + 1} runs\n")
