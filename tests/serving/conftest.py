"""Judges that can be watched and held, and servers on loopback that serve them."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from judges import Scripted, scripted_judge
from served import Server, served

from judgesmith.inference.judge import Judge


@pytest.fixture(autouse=True)
def logs_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    """Libraries that other tests load in this process may have silenced all logs."""
    logging.disable(logging.NOTSET)
    for name, logger in logging.Logger.manager.loggerDict.items():
        if name.startswith("judgesmith") and isinstance(logger, logging.Logger):
            logger.disabled, logger.propagate = False, True
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.WARNING, "judgesmith")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers, `serve(judge, keys=...)`; all are stopped at the end of the test."""
    with ExitStack() as running:
        yield lambda *given, **settings: running.enter_context(served(*given, **settings))


@pytest.fixture
def scripted() -> Callable[..., tuple[Judge, Scripted]]:
    """A judge by a rule that can be seen, and its model: `scripted("prometheus-relative")`."""
    return scripted_judge


@pytest.fixture(scope="session")
def student_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small student with random weights."""
    from judgesmith.backends.student import FromNothing, build_student
    from judgesmith.sources.bank import read_questions

    folder = tmp_path_factory.mktemp("student")
    texts = [f"{question.context} {question.text}" for question in read_questions(None)][::29]
    size = FromNothing(width=32, layers=1, heads=2, vocabulary=400, context=512)
    build_student(size, texts, folder, seed=5)
    return folder


@pytest.fixture(scope="session")
def student_judge(student_folder: Path) -> Any:
    """It as a judge of pairs."""
    from judges import judge_of_student

    return judge_of_student(student_folder)
