"""Read a set as the stages do: questions, then responses, items and labels of them."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from judgesmith.records import index_by_id
from judgesmith.sources import About, Dropped

sys.path.append(str(Path(__file__).parent))


def _kept(found: Any, dropped: list[str]) -> list[Any]:
    kept = []
    for one in found:
        if isinstance(one, Dropped):
            dropped.append(one.reason)
        else:
            kept.append(one)
    return kept


def read_all(module: ModuleType, path: Path, about: About | None = None) -> SimpleNamespace:
    """All records of a set, and of each reader the reasons why rows were left out."""
    more = () if about is None else (about,)
    lost: dict[str, list[str]] = {n: [] for n in ("questions", "responses", "items", "labels")}
    questions = index_by_id(_kept(module.read_questions(path, *more), lost["questions"]))
    responses = index_by_id(_kept(module.read_responses(path, questions, *more), lost["responses"]))
    items = _kept(module.read_items(path, questions, responses, *more), lost["items"])
    labels = _kept(module.read_labels(path, questions, responses, *more), lost["labels"])
    assert all(one.computed_id() == one.id for one in questions.values())
    assert {one.dialect for one in labels} <= {None, *getattr(module, "DIALECTS", ())}
    return SimpleNamespace(
        questions=questions, responses=responses, items=items, labels=labels, lost=lost
    )


@pytest.fixture
def read() -> Callable[..., SimpleNamespace]:
    return read_all
