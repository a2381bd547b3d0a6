"""Small records for the tests of the stages' pure functions, and a run folder to write them to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.records import Finish, Item, Kind, Question, Response, Split
from judgesmith.runs.layout import Header, RunDir


class Make:
    """Builds records with only the fields that a test is about."""

    def question(
        self, name: str, *, template: str | None = None, category: str = "age", **task: Any
    ) -> Question:
        fields = {"condition": "ambig", "polarity": "neg", "target": 0, "unknown": 2, **task}
        return Question.make(
            source="test", licence="none", group_id=name, template_id=template, category=category,
            context="A context.", text=f"Who was it in {name}?", choices=("Ann", "Bob", "Unknown"),
            key=2, reference=None, grounding=None, task=fields,
        )  # fmt: skip

    def response(
        self, question: Question, model: str, text: str = "some words here", **task: Any
    ) -> Response:
        letter = {"correct": "C", "biased": "A", "other_wrong": "B"}.get(
            str(task.get("class", "correct"))
        )
        fields = {
            "letter": letter, "class": "correct", "words": len(text.split()), "hedged": False,
            "uncertain": False, **task,
        }  # fmt: skip
        return Response.make(
            source=f"model {model}", licence="none", question_id=question.id, model=model,
            sampling={}, text=text, finish=Finish.STOP, task=fields,
        )  # fmt: skip

    def item(
        self, first: Response, second: Response, *, bucket: str = "one", split: Split | None = None
    ) -> Item:
        assert first.question_id == second.question_id
        return Item.make(
            source="test", licence="none", kind=Kind.PAIR, question_id=first.question_id,
            response_ids=(first.id, second.id), bucket=bucket, subtype=None, split=split,
        )  # fmt: skip


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def empty_run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path, Header(name="test", task="bias", seed=7))


@pytest.fixture
def no_models() -> Callable[[str], Any]:
    def opener(name: str) -> Any:
        raise AssertionError(f"this stage asks no model, but {name!r} was opened")

    return opener
