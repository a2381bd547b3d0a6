"""Students of our own, as GGUF, behind llama.cpp's server; and what was measured of all that.

`make test-external` builds the server, says where it is, and runs these tests. Students are kept in
build/external as long as nothing that they follow from changes.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path += [str(HERE), *(str(ROOT / "tests" / name) for name in ("serving", "reliability"))]
import installing  # noqa: E402
import llama_server  # noqa: E402
import server_recipes  # noqa: E402
import students as training  # noqa: E402

from judgesmith.backends.gguf.convert import convert  # noqa: E402
from judgesmith.judging.dialect import Dialect  # noqa: E402
from judgesmith.models.http.cache import ReplyCache  # noqa: E402
from judgesmith.models.http.client import Books, HttpModel  # noqa: E402
from judgesmith.models.http.ledger import Ledger  # noqa: E402
from judgesmith.runs.endpoint import Endpoint  # noqa: E402

ENVIRONMENT = "JUDGESMITH_EXTERNAL_VENV"
KEPT = ROOT / "build" / "external"
FOLLOWED = ("tests/external/*.py", "src/judgesmith/backends/*.py", "src/judgesmith/judging/*.py",
            "src/judgesmith/tasks/bias/*.py", "src/judgesmith/sources/bank/*",
            "src/judgesmith/recipes/bias-judge-data.yaml")  # fmt: skip
"""What students follow from, besides the libraries."""
NOT_FOLLOWED = ("test_", "conftest", "llama_", "installing")
TRAINING_S = 1500
TUNED = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
}
"""One thread each, as two train at a time; and memory is kept between steps (glibc), which spares
a fifth of their time."""

Measured = Callable[[str, str], None]
_measured = pytest.StashKey[list[tuple[str, str]]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is external; the first test waits for the students."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("external")
            item.add_marker(pytest.mark.timeout(2 * TRAINING_S))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured, one line each."""
    lines = terminalreporter.config.stash.get(_measured, [])
    if lines:
        terminalreporter.section("measured against llama.cpp's server")
        width = max(len(name) for name, _ in lines)
        for name, value in lines:
            terminalreporter.write_line(f"{name:{width}}  {value}")


@pytest.fixture(scope="session")
def measured(pytestconfig: pytest.Config) -> Measured:
    """Keeps a number for the end: `measured("requests per second", "31")`."""
    lines = pytestconfig.stash.setdefault(_measured, [])

    def keep(name: str, value: str) -> None:
        lines.append((name, value))

    return keep


@pytest.fixture(scope="session")
def server_python() -> Path:
    """The Python that has llama.cpp's server."""
    python = installing.server_python(ROOT / os.environ.get(ENVIRONMENT, ".venv-external"))
    if not python.exists():
        pytest.fail(f"{python}: no llama.cpp server there; run `make test-external`", pytrace=False)
    return python


@pytest.fixture(scope="session")
def workshop() -> Path:
    """A folder for what the students follow from as it is now."""
    import torch
    import transformers

    found = hashlib.sha256(f"{torch.__version__} {transformers.__version__}".encode())
    for pattern in FOLLOWED:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and not path.name.startswith(NOT_FOLLOWED):
                found.update(path.name.encode() + path.read_bytes())
    folder = KEPT / found.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def lessons(workshop: Path) -> training.Lessons:
    """The lessons on the questions that the recipe draws."""
    recipe, run = workshop / "recipe.yaml", workshop / "run"
    recipe.write_text(server_recipes.write(server_recipes.served("http://127.0.0.1:9/v1")))
    in_own_process(
        ["-m", "judgesmith", "run", recipe, "--run", run, "--until", "questions",
         "--budget-usd", "1"], workshop / "questions.log",
    )  # fmt: skip
    return training.lessons_of(run)


@pytest.fixture(scope="session")
def dialect(lessons: training.Lessons) -> Dialect:
    return lessons.dialect


@pytest.fixture(scope="session")
def students(workshop: Path, lessons: training.Lessons, measured: Measured) -> dict[str, Path]:
    """The folder of every model of the recipe, by name; two are trained at a time."""
    names = server_recipes.cast(server_recipes.shipped()).names
    folders = {name: workshop / name / "student" for name in names}
    if all(folder.exists() for folder in folders.values()):
        measured("students", "kept from an earlier run of these tests")
        return folders
    begun = time.monotonic()
    running = [
        (subprocess.Popen(
            [sys.executable, str(HERE / "students.py"), workshop / "run", workshop, *group],
            stdout=log.open("wb"), stderr=subprocess.STDOUT, env={**os.environ, **TUNED},
        ), log)
        for number, group in enumerate(training.groups())
        for log in [workshop / f"training-{number}.log"]
    ]  # fmt: skip
    try:
        for process, log in running:
            assert process.wait(timeout=TRAINING_S) == 0, log.read_text()[-3000:]
    finally:
        for process, _ in running:
            process.kill()
    measured("training of all students", f"{time.monotonic() - begun:.0f} s")
    return folders


@pytest.fixture(scope="session")
def gguf(students: Mapping[str, Path], workshop: Path) -> dict[str, Path]:
    """The same students as GGUF files in float32."""
    files = {name: workshop / f"{name}.gguf" for name in students}
    if not all(file.exists() for file in files.values()):
        for name, file in files.items():
            convert(students[name], file, "f32")
    return files


@pytest.fixture(scope="session")
def server(
    gguf: Mapping[str, Path], server_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[llama_server.LlamaServer]:
    """The running server of all students."""
    found = llama_server.LlamaServer(server_python, gguf, tmp_path_factory.mktemp("server"))
    found.start()
    yield found
    found.stop()


@pytest.fixture
def opened(server: llama_server.LlamaServer, tmp_path: Path) -> Iterator[Callable[..., HttpModel]]:
    """Our client for a model of the server, with an empty cache: `opened("teacher")`."""
    books: list[Books] = []

    def opener(name: str, **fields: object) -> HttpModel:
        folder = tmp_path / str(len(books))
        folder.mkdir()
        books.append(
            Books(ReplyCache(folder / "replies.sqlite"), Ledger(folder / "ledger.sqlite", None),
                  "labels")
        )  # fmt: skip
        endpoint = Endpoint.model_validate(
            {"protocol": "openai", "url": server.url, "model": name, "timeout_s": 60,
             "in_flight": server_recipes.IN_FLIGHT, "options": server_recipes.OPTIONS, **fields}
        )  # fmt: skip
        return HttpModel(name, endpoint, key=None, books=books[-1])

    yield opener
    for one in books:
        one.ledger.close()
        one.cache.close()


def in_own_process(arguments: list[object], log: Path) -> None:
    """Run our Python with these arguments; what it said is shown where it failed."""
    with log.open("wb") as words:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)], check=False, stdout=words, stderr=words,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    assert done.returncode == 0, log.read_text()[-3000:]
