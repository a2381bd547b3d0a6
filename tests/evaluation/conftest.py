"""Rows as a mapping would give them, built by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from judgesmith.records import Status
from judgesmith.sources.imported import ImportedItem, ImportedJudgment, ImportedRow


def judgment(item: str, by: str, verdict: str | None, **more: Any) -> ImportedJudgment:
    """One judgment; None is unparsed unless scores are given."""
    unparsed = verdict is None and more.get("scores") is None
    fields: dict[str, Any] = {
        "role": "judge", "criterion": None, "scores": None, "distribution": None,
        "confidence": None, "swapped": False, "sample": 0,
        "status": Status.NO_VERDICT if unparsed else Status.PARSED,
        "rationale": None, "reply": None, "where": f"f.jsonl:{item}",
    }  # fmt: skip
    return ImportedJudgment(item=item, by=by, verdict=verdict, **{**fields, **more})


def row(item: str, *judgments: ImportedJudgment, **more: Any) -> ImportedRow:
    """One row about one item; its cluster is the item unless given."""
    fields: dict[str, Any] = {
        "cluster": item, "question": None, "reference": None, "responses": None, "models": None,
        "fields": {}, "where": f"f.jsonl:{item}",
    }  # fmt: skip
    return ImportedRow(ImportedItem(id=item, **{**fields, **more}), judgments)


Say = Callable[..., ImportedJudgment]
Row = Callable[..., ImportedRow]


@pytest.fixture
def say() -> Say:
    return judgment


@pytest.fixture
def make_row() -> Row:
    return row
