"""The judge card: what it must say, and that nobody's text can change what it says."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from judgesmith.report.card import Card, render_card
from judgesmith.report.document import Document
from judgesmith.report.exports import Exported, Gguf, Parity
from judgesmith.report.licences import LicenceRow, Licences
from judgesmith.report.results import GateResult, Number
from judgesmith.tasks import load_dialect, load_task

NOTHING = Number(value=0.0, low=0.0, high=0.01, n=400)
MIT = Licences(
    rows=(LicenceRow(file="rows/sft.jsonl", terms=("questions: MIT",), records=3, publish="yes",
                     train="yes"),),
    judge=("questions: MIT",), conditions=("keep the licence text",),
)  # fmt: skip


def parity(form: str, outcome: Any = "pass") -> Parity:
    return Parity(
        form=form, items=400, questions=270, metric="kappa", labels_title="dev labels",
        agreement=0.69, reference=0.7, flips=NOTHING, change=NOTHING, most_lost=0.0214, limit=0.05,
        outcome=outcome, reason="at most 0.021 is lost", tokens_checked=45,
    )  # fmt: skip


def card(document: Document, **changed: Any) -> Card:
    dialect = load_dialect(load_task("bias"), "bias-pair-compact")
    one = Exported(
        checkpoint="sft", student="student", folder="sft", form="model", base=None, quantize=None,
        dtype="bfloat16", dialect=dialect.name, dialect_hash=dialect.hash, reply_tokens=48,
        parameters=1000, parity=(parity("Hugging Face folder"), parity("Q4_K_M")),
        gguf=(Gguf(kind="Q4_K_M", file="judge-Q4_K_M.gguf", tensors={"F32": 9, "Q5_0": 24},
                   fallen_back=24, adds_bos=False),),
    )  # fmt: skip
    return Card(
        document=document, exported=one.model_copy(update=changed), dialect=dialect,
        judge="run/student", version="abc", command="judgesmith run recipe.yaml", licences=MIT,
    )  # fmt: skip


def head(text: str) -> Any:
    return yaml.safe_load(text.split("---\n")[1])


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_hub_reads_its_head(full_document: Document) -> None:
    """With the hub's own client, offline: head, tags, and the results in it."""
    hub = pytest.importorskip("huggingface_hub")
    evaluation = full_document.evaluation
    assert evaluation is not None
    student = next(one for one in evaluation.judges if one.role == "student")
    text = render_card(card(full_document, student=student.name))
    found = hub.ModelCard(text, ignore_metadata_errors=False).data
    assert found.license == "mit"
    assert "llm-judge" in found.tags
    kappas = [part.kappa.value for part in student.slices.values()]
    values = {round(kappa, 4) for kappa in kappas if kappa is not None}
    assert {one.metric_value for one in found.eval_results} <= values
    assert found.eval_results


def test_a_rehearsal_claims_no_result(rehearsed_document: Document) -> None:
    text = render_card(card(rehearsed_document))
    assert "model-index" not in head(text)
    assert "**REHEARSED RUN**" in text
    assert "it says nothing about any judge" in section(text, "Limits")
    tables = re.findall(r"^#+ .*·.*$", section(text, "What it is worth"), re.MULTILINE)
    assert tables
    assert all("[rehearsed]" in title for title in tables)


def test_every_number_says_what_its_labels_are(full_document: Document) -> None:
    evaluation = full_document.evaluation
    assert evaluation is not None
    worth = section(render_card(card(full_document)), "What it is worth")
    assert evaluation.labels_title in worth
    assert "`judgesmith run recipe.yaml`" in worth
    assert re.search(r"\.\d\d \[-?\.\d\d, \.\d\d\] \(n = \d", worth)


def limits(document: Document, **changed: Any) -> str:
    return section(render_card(card(document, **changed)), "Limits")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"quantize": "nf4"}, "another judge, which was not measured"),
        (
            {"not_measured": {"Q8_0": "no dev item"}, "parity": ()},
            "form Q8_0 gives the same",
        ),
        ({"parity": (parity("Q8_0", "inconclusive"),)}, "may lose more than is allowed"),
        ({"student": "after DPO"}, "this folder holds after DPO, on which it says nothing"),
        ({}, "24 matrices are stored otherwise"),
        ({}, "breaks up chat tags"),
    ],
)
def test_limits_name_what_was_not_measured(
    full_document: Document, changed: dict[str, Any], said: str
) -> None:
    assert said in limits(full_document, **changed)


@pytest.mark.parametrize(("outcome", "said"), [("fail", "Do not use it"), ("inconclusive", "thin")])
def test_a_gate_that_did_not_pass_is_a_limit(
    full_document: Document, outcome: Any, said: str
) -> None:
    gate = full_document.gate
    assert gate is not None
    other = GateResult(**{**gate.model_dump(), "outcome": outcome, "judge": "student"})
    assert said in limits(full_document.model_copy(update={"gate": other}))


def test_an_empty_run_says_that_nothing_is_known(empty_document: Document) -> None:
    text = render_card(card(empty_document, parity=(), gguf=(), not_measured={"x": "left out"}))
    found = section(text, "Limits")
    assert "was not measured at all" in found
    assert "no gate" in found
    assert "model-index" not in head(text)


def test_an_adapter_names_its_base_and_leaves_the_licence_to_be_read(
    full_document: Document
) -> None:  # fmt: skip
    text = render_card(card(full_document, form="adapter", base="someone/base", dtype=None))
    found = head(text)
    assert (found["base_model"], found["library_name"]) == ("someone/base", "peft")
    assert found["license"] == "other"
    assert "terms of its own, to be read at someone/base" in text


def test_texts_of_others_are_no_markup(full_document: Document, hostile_text: str) -> None:
    hostile = full_document.model_copy(
        update={"description": hostile_text, "why": {"sft.steps": hostile_text}}
    )
    text = render_card(card(hostile, not_measured={"x": hostile_text}))
    body = text.split("---\n", 2)[2]
    assert "<script" not in outside_fences(body)
    assert "<img" not in outside_fences(body)
    assert head(text)["license"] == "mit"


def outside_fences(text: str) -> str:
    return "".join(re.split(r"^(`{3,})text\n.*?^\1$", text, flags=re.MULTILINE | re.DOTALL)[::2])


def test_reasons_of_the_recipe_are_the_decision_log(full_document: Document) -> None:
    found = section(render_card(card(full_document)), "Decisions")
    reasons: Sequence[str] = list(full_document.why)
    assert reasons
    assert all(setting.replace("_", "") in found.replace("\\_", "").replace("_", "")
               for setting in reasons)  # fmt: skip
