"""The judge card: the model card of an exported judge, written from the run's evidence.

Pure: a card in, Markdown out. Every number in it stands in the run's report, too.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import Field

from judgesmith.judging.dialect import Dialect
from judgesmith.report.advice import checkpoints_of
from judgesmith.report.advice_sections import advice_table
from judgesmith.report.audit_tables import findings_table
from judgesmith.report.blocks import Block, Plots, Section, Table
from judgesmith.report.card_head import card_head
from judgesmith.report.card_limits import limits, limits_of_slices
from judgesmith.report.card_sure import Sureness, sureness_texts
from judgesmith.report.card_use import use_texts
from judgesmith.report.card_weak import broken_down, weak_sentences, weak_table
from judgesmith.report.card_words import learned, rubric, speed, what
from judgesmith.report.cost_sections import cost_card_table
from judgesmith.report.document import Document
from judgesmith.report.export_tables import gguf_table, parity_table, stored
from judgesmith.report.exports import Exported
from judgesmith.report.licences import Licences, licences_table
from judgesmith.report.markdown import fenced, plain, render_block
from judgesmith.report.result_base import Result
from judgesmith.report.results import Evaluation
from judgesmith.report.run_tables import composition_table, named_table, stage_table
from judgesmith.report.sections import build_sections, stamp_of

_SHOWN = ("formats", "agreement", "comparisons", "order", "kept", "consistency")
"""Sections of the report that are evidence for or against the judge, by how their anchors begin."""
_DOMAINS = ("in_domain", "out_of_domain")
_SAYS_NOTHING = ("random", "constant")
"""Baselines that a card does not compare with; the report does."""


class Card(Result):
    """What a judge card is written from.

    `command` is what made and measured the judge, `licences` whose terms it rests on; `simulated`
    is whether simulated models gave responses that it learned from and was measured on. `policy` is
    the answer key's, `glossary` says what names of policies and slices mean; `sureness` is None
    without a calibration, `language` where nobody said which.
    """

    document: Document
    exported: Exported
    dialect: Dialect
    judge: str
    version: str
    command: str
    simulated: bool = False
    licences: Licences = Field(default_factory=Licences)
    policy: str | None = None
    glossary: dict[str, str] = Field(default_factory=dict)
    sureness: Sureness | None = None
    language: str | None = None


def render_card(card: Card) -> str:
    """Write the card as Markdown with the YAML head of a Hugging Face model card."""
    document, one = card.document, card.exported
    stamp = stamp_of(document)
    sections = build_sections(_shortened(document, one.student))
    return _environment().get_template("card.md.j2").render(
        head=yaml.safe_dump(card_head(card), sort_keys=False, allow_unicode=True),
        card=card, document=document, one=one, dialect=card.dialect,
        what=what(card.dialect), stored=stored(one), limits=limits(card),
        first=limits_of_slices(card), rubric=rubric(card),
        use=use_texts(card), weak=_weak(card, stamp), sure=sureness_texts(card.sureness, stamp),
        learned=learned(card), speed=speed(document),
        package=document.provenance.get("judgesmith"),
        verdict=_blocks(_named(sections, ("verdict",)), stamp),
        evidence=_blocks(_named(sections, _SHOWN), stamp, titled=True),
        advice=_advice(document, stamp),
        parity=render_block(parity_table(one), stamp) if one.parity else [],
        gguf=render_block(gguf_table(one), stamp) if one.gguf else [],
        cost=render_block(cost_card_table(document.costs), stamp) if document.costs else [],
        data=_data(card, stamp), why=_why(document, stamp), made=_made(document, stamp),
        plain=plain, fenced=fenced,
    )  # fmt: skip


def _shortened(document: Document, student: str) -> Document:
    """The document with the comparisons that this judge is in; all stand in the report."""
    evaluation = document.evaluation
    if evaluation is None:
        return document
    first, *others = (_own(one, student) for one in (evaluation, *evaluation.also))
    return document.model_copy(
        update={"evaluation": first.model_copy(update={"also": tuple(others)})}
    )


def _own(evaluation: Evaluation, student: str) -> Evaluation:
    found = tuple(
        one for one in evaluation.comparisons
        if student in (one.a, one.b) and one.slice in _DOMAINS
        and not {one.a, one.b} & {*_SAYS_NOTHING}
    )  # fmt: skip
    return evaluation.model_copy(update={"comparisons": found})


def _weak(card: Card, stamp: str) -> list[str]:
    texts: list[str] = []
    for found in broken_down(card.document.evaluation, card.exported.student):
        table = weak_table(*found, card.glossary)
        told = [f"- {plain(one)}" for one in weak_sentences(*found, card.glossary) if not stamp]
        texts += ["\n".join(told)] if told else []
        texts += [] if table is None else _lower(render_block(table, stamp), titled=True)
    return texts


def _named(sections: Iterable[Section], anchors: Sequence[str]) -> list[Section]:
    """Sections by how their anchors begin, without those on orders where no judge sees one."""
    return [
        one for one in sections
        if one.anchor.split("-")[0] in anchors
        and not (one.anchor.startswith("order") and _order_proof(one))
    ]  # fmt: skip


def _order_proof(section: Section) -> bool:
    return not any(isinstance(block, Plots) for block in section.blocks)


def _blocks(sections: Iterable[Section], stamp: str, *, titled: bool = False) -> list[str]:
    found = []
    for section in sections:
        if titled:
            found.append(f"### {plain(section.title)}")
        found += [
            text
            for block in section.blocks
            if not isinstance(block, Plots) and not (isinstance(block, Table) and not block.rows)
            for text in _lower(render_block(block, stamp), titled=titled)
        ]
    return [text for text in found if text]


def _lower(texts: Iterable[str], *, titled: bool) -> list[str]:
    """Headings one level down under a section's own."""
    return [f"#{text}" if titled and text.startswith("###") else text for text in texts]


def _advice(document: Document, stamp: str) -> list[str]:
    evaluation = document.evaluation
    if document.advice:
        labels = evaluation.labels_title if evaluation and not evaluation.also else None
        return render_block(advice_table(document.advice, labels), stamp)
    known = checkpoints_of(evaluation) if evaluation is not None else []
    if len(known) > 1:
        return ["The run's checkpoints were not compared by a paired test, so none is advised."]
    return ["The run measured one checkpoint, so there is no other to choose."]


def _data(card: Card, stamp: str) -> list[str]:
    document = card.document
    blocks: list[Block] = []
    if document.composition:
        blocks.append(composition_table(document.composition))
    if card.licences.rows:
        blocks.append(licences_table(card.licences))
    warned = [one for one in document.findings if one.get("severity") != "info"]
    if warned:
        blocks.append(findings_table(warned))
    return [text for block in blocks for text in render_block(block, stamp) if text]


def _why(document: Document, stamp: str) -> list[str]:
    if not document.why:
        return ["The recipe gives no reasons."]
    heads = ("setting", "reason")
    return render_block(
        named_table("Why the recipe is so", heads, document.why, document.settings), stamp
    )


def _made(document: Document, stamp: str) -> list[str]:
    """Stages, and versions; the hashes of the run's files stand in the report."""
    shown = {n: v for n, v in document.provenance.items() if not n.startswith("sha256 of ")}
    blocks: list[Block] = [stage_table(document.stages)] if document.stages else []
    blocks.append(named_table("Versions", ("name", "value"), shown))
    return [text for block in blocks for text in render_block(block, stamp) if text]


@cache
def _environment() -> Environment:
    return Environment(  # Markdown: texts of others are escaped by `plain` and `fenced`
        loader=PackageLoader("judgesmith.report"), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, autoescape=False, keep_trailing_newline=True,
    )  # fmt: skip
