"""A file judged over Ray by two real workers: the bytes of one process, whatever is killed.

`make test-ray` makes the environment that has Ray and names it in JUDGESMITH_RAY_VENV. The judge is
a real one with random weights; what its verdicts say does not matter here.
"""

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from judgesmith.backends.loading import load
from judgesmith.backends.origin import Origin, write_origin
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.inference.judge_file import JudgeFile, write_judge_file
from judgesmith.pipeline import open_judge, read_recipe, start_run
from judgesmith.tasks import load_dialect, load_task

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "JUDGESMITH_RAY_VENV"
DIALECT = load_dialect(load_task("bias"), "bias-pair-compact")
ROWS, CHUNK = 5000, 256
WITHIN_S = 60
"""How long processes may take to end; a few seconds were measured on a busy machine."""


@pytest.fixture(scope="session")
def python() -> Path:
    found = ROOT / os.environ.get(ENVIRONMENT, ".venv-ray") / "bin" / "python"
    if not found.exists():
        pytest.skip(f"RAY ABSENT: no {found}; run `make test-ray`")
    return found


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows and a judge."""
    folder = tmp_path_factory.mktemp("ray")
    load("torch").set_num_threads(1)
    tiny = read_recipe(ROOT / "tests/recipes/tiny.yaml")
    run = start_run(folder / "run", tiny)
    student = run.file("sft/student")
    size = FromNothing(width=64, layers=2, heads=2, vocabulary=300, context=512)
    build_student(size, ["Ann and Bob met. Who was late?"] * 9, student, seed=5)
    hashes = {DIALECT.name: DIALECT.hash}
    write_origin(student, Origin(dialects=hashes, base="none", base_hash=None, reply_tokens=None))
    write_judge_file(student, JudgeFile.of(open_judge(run.path), "bias"))
    student.rename(folder / "judge")
    with (folder / "rows.jsonl").open("w") as file:
        for n in range(ROWS):
            row = {"id": f"r{n}", "context": f"Ann and Bob met {n} times.",
                   "question": "Who was late?", "choices": ["Ann", "Bob", "?"],
                   "response_a": "It was Ann. " * (1 + n % 5), "response_b": "Nobody can tell.",
                   }  # fmt: skip
            file.write(json.dumps(row) + "\n")
    return folder


class Command:
    """`judgesmith judge` in a session of its own, and every process that came of it."""

    def __init__(self, python: Path, work: Path, out: Path, engine: str) -> None:
        self.out, self._mark = out, f"JUDGESMITH_TEST={uuid.uuid4().hex}"
        name, _, value = self._mark.partition("=")
        env = {**os.environ, name: value, "OMP_NUM_THREADS": "1",
               "JUDGESMITH_CACHE": str(work / "cache"), "PYTHONPATH": str(ROOT / "src"),
               }  # fmt: skip
        self.log = out.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "-m", "judgesmith", "judge", work / "rows.jsonl", "--judge",
                 work / "judge", "--mode", "fast", "--engine", engine, "--out", out],
                env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def processes(self, named: str = "") -> list[int]:
        """Those that live, with all that Ray started, whoever their parent is."""
        return [pid for pid, line in self._living() if named in line]

    def _living(self) -> Iterator[tuple[int, str]]:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark.encode() in (folder / "environ").read_bytes():
                    yield int(folder.name), (folder / "cmdline").read_text()
            except OSError:
                continue

    def written(self) -> int:
        """How many rows are on the disk."""
        found = self.out.parent.glob(f".{self.out.name}.*.partial")
        return sum(file.read_bytes().count(b"\n") for file in found)

    def wait_for(self, what: Callable[[], bool], within_s: float) -> None:
        end = time.monotonic() + within_s
        while not what():
            assert time.monotonic() < end, (self.log.read_text(), self.processes())
            time.sleep(0.1)

    def halfway(self) -> None:
        """Wait until some chunks are written and others are not."""
        self.wait_for(lambda: self.written() >= 2 * CHUNK, 120)
        assert self.process.poll() is None

    def finish(self) -> bytes:
        """What is written in the end, with nothing left running."""
        assert self.process.wait(timeout=300) == 0, self.log.read_text()
        self.gone()
        return self.out.read_bytes()

    def gone(self) -> None:
        self.process.wait(timeout=WITHIN_S)
        self.wait_for(lambda: not self.processes(), WITHIN_S)


@pytest.fixture(scope="session")
def plain(python: Path, work: Path) -> bytes:
    """The verdicts without Ray."""
    return Command(python, work, work / "plain.jsonl", "transformers").finish()


def test_two_workers_write_the_bytes_of_one_process(
    python: Path, work: Path, plain: bytes, tmp_path: Path
) -> None:
    command = Command(python, work, tmp_path / "out.jsonl", "ray:2")
    command.halfway()
    assert len(command.processes("ray::MapWorker")) == 2
    assert command.finish() == plain
    assert [json.loads(line)["id"] for line in plain.splitlines()] == [f"r{n}" for n in range(ROWS)]


@pytest.mark.parametrize("engine", ["ray:2", "transformers"])
def test_a_killed_call_goes_on_with_or_without_ray(
    engine: str, python: Path, work: Path, plain: bytes, tmp_path: Path
) -> None:
    command = Command(python, work, tmp_path / "out.jsonl", "ray:2")
    command.halfway()
    command.process.kill()
    command.gone()
    kept = command.written()
    assert 0 < kept < ROWS
    again = Command(python, work, tmp_path / "out.jsonl", engine)
    assert again.finish() == plain
    assert f"going on after {kept:,} of {ROWS:,} rows" in again.log.read_text()


def test_after_ctrl_c_nothing_is_left_running(
    python: Path, work: Path, plain: bytes, tmp_path: Path
) -> None:
    """A terminal sends it to all processes of its group."""
    command = Command(python, work, tmp_path / "out.jsonl", "ray:2")
    command.halfway()
    os.killpg(command.process.pid, signal.SIGINT)
    command.gone()
    assert command.process.returncode == 130
    assert "Traceback" not in command.log.read_text()
    assert command.written() % CHUNK == 0
    assert plain.startswith(next(tmp_path.glob(".out.*.partial")).read_bytes())


def test_a_worker_that_dies_costs_no_row(
    python: Path, work: Path, plain: bytes, tmp_path: Path
) -> None:
    command = Command(python, work, tmp_path / "out.jsonl", "ray:2")
    command.halfway()
    os.kill(command.processes("ray::MapWorker")[0], signal.SIGKILL)
    assert command.finish() == plain


def test_what_a_worker_refuses_is_told_as_its_own_error(python: Path, tmp_path: Path) -> None:
    script = """
from judgesmith.backends.over_ray import map_over_ray
from judgesmith.errors import DataError

def make():
    def work(item):
        if item == 3:
            raise {raised}
        return item
    return work

got = []
try:
    for one in map_over_ray(make, range(9), 2):
        got.append(one)
except Exception as error:
    print(type(error).__name__, str(error), got == list(range(len(got))))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    for raised, told in (
        ("DataError('rows:4: no')", "DataError rows:4: no True"),
        ("ValueError('a bug')", "RunError --engine ray: a worker failed, or Ray itself"),
    ):
        done = subprocess.run(
            [python, "-c", script.replace("{raised}", raised)],
            env=env, capture_output=True, text=True, timeout=120, cwd=tmp_path,
        )  # fmt: skip
        assert told in done.stdout, done.stdout + done.stderr
        assert "a bug" in done.stdout or "DataError" in told
