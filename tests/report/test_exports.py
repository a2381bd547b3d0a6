"""What an export made, on the page of its run and in its tables."""

import re
from typing import Any

import pytest

from judgesmith.report.document import Document
from judgesmith.report.export_tables import gguf_table
from judgesmith.report.exports import Exported, Exports, Gguf, Parity
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.report.results import Number
from judgesmith.report.sections import build_sections


def parity(form: str, outcome: Any = "pass", lost: float = 0.016) -> Parity:
    return Parity(
        form=form, items=400, questions=270, metric="kappa", labels_title="dev labels",
        agreement=0.63, reference=0.65, flips=Number(value=0.0175, low=0.003, high=0.035, n=400),
        change=Number(value=-0.019, low=-0.054, high=0.0, n=400), most_lost=lost, limit=0.05,
        outcome=outcome, reason="of this and that", tokens_checked=45,
    )  # fmt: skip


def gguf(kind: str, size: int | None, **changed: Any) -> Gguf:
    return Gguf(
        kind=kind, file=f"judge-{kind}.gguf", tensors={"F32": 9, kind: 29}, size=size,
        adds_bos=False, **{"fallen_back": 0, **changed},
    )  # fmt: skip


@pytest.fixture
def one() -> Exported:
    """Four files: two pass, one could not be decided, one was refused."""
    return Exported(
        checkpoint="sft", student="student", folder="sft", form="model", base=None, quantize=None,
        dtype="bfloat16", dialect="bias-pair-compact", dialect_hash="0", reply_tokens=48,
        parameters=3_934_464,
        parity=(parity("Hugging Face folder"), parity("F16"),
                parity("Q8_0", "inconclusive", 0.063), parity("Q4_K_M", lost=0.047)),
        gguf=(gguf("F16", 7_938_528), gguf("Q8_0", 252_128), gguf("Q4_K_M", 2_556_384),
              gguf("Q2", 1_000, refused="another <b>template</b>")),
        not_measured={"served": "left out"},
    )  # fmt: skip


def with_exports(document: Document, one: Exported, **changed: Any) -> Document:
    found = Exports(exported=(one,), max_kappa_loss=0.05, **changed)
    return document.model_copy(update={"exports": found})


def shown(document: Document) -> str:
    """The section of the page, without tags."""
    page = render_html(document)
    section = page.split('id="exports"')[1].split("</section>")[0]
    assert "<b>template</b>" not in section
    return " ".join(re.sub(r"<[^>]*>", " ", section).split())


def test_the_page_shows_forms_sizes_parity_and_what_was_refused(
    full_document: Document, one: Exported
) -> None:
    text = shown(with_exports(full_document, one, dataset=True))
    for said in (
        "Exports: fail", "3,934,464 numbers in bfloat16 (7.9 MB)", "export/sft", ".063",
        "-.02 [-.05, .00]", "2.6 MB", "Refused, and deleted: judge-Q2.gguf: another",
        "served: not checked: left out.", "export/dataset", "of this and that",
    ):  # fmt: skip
        assert said in text, said
    assert text.count("of this and that") == 1  # of what passed, the numbers say it
    assert "has changed since" not in text
    assert "judge-Q4_K_M.gguf" in render_markdown(with_exports(full_document, one))


def test_an_export_of_an_earlier_state_of_the_run_says_so(
    full_document: Document, one: Exported
) -> None:
    text = shown(with_exports(full_document, one, stale="changed input: sft/student"))
    assert "has changed since this export (changed input: sft/student): export it again" in text


def test_without_an_export_there_is_no_section(full_document: Document) -> None:
    assert "exports" not in [one.anchor for one in build_sections(full_document)]


def test_the_smallest_file_that_passed_is_named(one: Exported) -> None:
    """Neither the one that could not be decided nor the refused one, both of which are smaller."""
    found = "smallest file that passed is judge-Q4_K_M.gguf (2.6 MB; at most .047 is lost)"
    assert found in gguf_table(one).note
    old = one.model_copy(update={"gguf": (gguf("F16", None, fallen_back=3),)})
    note = gguf_table(old).note
    assert "smallest" not in note
    assert "too short" in note
