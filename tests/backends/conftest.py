"""One small student with random weights, built once."""

from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.loading import load
from judgesmith.backends.student import FromNothing, build_student, load_student
from judgesmith.sources.bank import read_questions


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Models this small are far slower on several threads when the machine is shared."""
    load("torch").set_num_threads(1)


@pytest.fixture(scope="session")
def student_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    texts = [f"{question.context} {question.text}" for question in read_questions(None)][::7]
    size = FromNothing(width=32, layers=1, heads=2, vocabulary=400, context=512)
    build_student(size, texts, folder, seed=5)
    return folder


@pytest.fixture(scope="session")
def student(student_folder: Path) -> tuple[Any, Any]:
    """Model and tokenizer."""
    return load_student(str(student_folder))
