"""What a judgment costs, in a judge card and on the page; names by others are no markup."""

from typing import Any

import pytest

from judgesmith.costs import CostInputs, work_out
from judgesmith.report.card import Card, render_card
from judgesmith.report.document import Document
from judgesmith.report.exports import Exported
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.tasks import load_dialect, load_task

HOSTILE = "<script>alert(1)</script> | **x**"


@pytest.fixture
def document(full_document: Document) -> Document:
    said = {"as_of": "2026-01-31", "source": HOSTILE}
    inputs: dict[str, Any] = {
        "judgments_per_month": 5000, "months": 12, "calls_per_judgment": 2,
        "apis": {"vendor": {"price": {"per_call": 0.01, **said}}},
        "machines": {"gpu": {"per_hour": 2, **said}},
        "own": {HOSTILE: {"kind": "live", "machine": "gpu", "calls_per_hour": 1000,
                          "utilisation": 1}},
        "once": {"other": {"all of it": 160}},
    }  # fmt: skip
    costs = work_out(CostInputs.model_validate(inputs))
    return full_document.model_copy(update={"costs": costs})


def card(document: Document) -> str:
    dialect = load_dialect(load_task("bias"), "bias-pair-compact")
    one = Exported(
        checkpoint="sft", student="student", folder="sft", form="model", base=None, quantize=None,
        dtype="bfloat16", dialect=dialect.name, dialect_hash=dialect.hash, reply_tokens=48,
        parameters=1000, parity=(), gguf=(),
    )  # fmt: skip
    return render_card(
        Card(document=document, exported=one, dialect=dialect, judge="run/student", version="abc",
             command="judgesmith run recipe.yaml")
    )  # fmt: skip


def test_a_card_says_what_it_costs_where_that_was_worked_out(
    document: Document, full_document: Document
) -> None:
    text = card(document).split("## What a judgment costs\n")[1].split("\n## ")[0]
    assert "2.0 months, 10,000 judgments" in text
    assert "as of 2026-01-31" in text
    assert "What a judgment costs" not in card(full_document)


def test_names_in_a_cost_file_are_no_markup(document: Document) -> None:
    for text in (card(document), render_markdown(document), render_html(document)):
        assert "2.0" in text
        assert "<script>alert" not in text
