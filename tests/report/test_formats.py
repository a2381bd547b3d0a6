"""Pages of runs that measure scores, or several formats: what a reader must see at once."""

import json
import re
from typing import Any

import pytest

from judgesmith.report.blocks import Section, Table
from judgesmith.report.document import Document
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.report.result_tables import published_figure
from judgesmith.report.results import (
    Confusion,
    Evaluation,
    Example,
    Number,
    Published,
    SliceInfo,
)
from judgesmith.report.score_results import (
    Between,
    Consistency,
    ExpectedScores,
    JudgeLMTerms,
    Kept,
    Replies,
    ScoreResult,
    ScoreSlice,
)
from judgesmith.report.sections import build_sections

LABELS = "labels: another judge (gpt-4), not people; n = 120"


def number(value: float | None, n: int = 120, **more: Any) -> Number:
    if value is None:
        return Number(value=None, n=n, **more)
    return Number(value=value, low=value - 0.05, high=value + 0.05, n=n, clusters=n, **more)


def score_slice(value: float, *, expected: bool = False) -> ScoreSlice:
    exact = number(value)
    return ScoreSlice(
        coverage=number(1.0), exact=exact, within_one=number(0.95), pearson=exact,
        spearman=exact, kendall=exact, weighted_kappa=exact, mean_error=number(0.4),
        expected=(
            ExpectedScores(pearson=number(0.93), spearman=exact, mean_error=exact)
            if expected else None
        ),
        confusion=Confusion(labels=("1", "2"), counts=((50, 10), (9, 51)), unparsed=(0, 0)),
    )  # fmt: skip


def scored(name: str, role: Any, value: float, **more: Any) -> ScoreResult:
    slices = {"in_domain": score_slice(value, **more), "bucket:b": score_slice(value - 0.1)}
    return ScoreResult(name=name, role=role, note="", slices=slices)


def slices() -> tuple[SliceInfo, ...]:
    return tuple(
        SliceInfo(name=name, kind=kind, title=title, n=120, questions=60, label_counts={"1": 60})
        for name, kind, title in (
            ("in_domain", "domain", "in domain"), ("bucket:b", "bucket", "b"),
        )
    )  # fmt: skip


def replies(name: str, parsed: float) -> Replies:
    return Replies(
        judge=name, slice="in_domain", parsed=number(parsed), truncated=number(1 - parsed),
        statuses={"parsed": round(120 * parsed), "truncated": 120 - round(120 * parsed)},
    )  # fmt: skip


def example(right: bool) -> Example:
    return Example(
        item_id="i", slice="in_domain", bucket="b", category=None, context=None, question="Why?",
        choices=(), responses=("Because.",), generators=("m",), label="2",
        verdict="2" if right else "1", right=right, rationale="So.", probability=None,
    )  # fmt: skip


def scores(**more: Any) -> Evaluation:
    fields: dict[str, Any] = {
        "labels_kind": "another judge", "labels_title": LABELS,
        "direction": "a higher score is better",
        "confidence": 0.95, "resamples": 2000, "test_looks": 1, "slices": slices(), "judges": (),
        "comparisons": (), "domain_difference": None,
        "published": (Published(judge="gemma-judge", metric="exact match, %", value=73.0,
                                source="model card", note="Feedback Bench"),),
        "examples": (example(True), example(False)), "dialect": "absolute", "form": "scores",
        "scored": (
            scored("merged", "student", 0.72, expected=True),
            scored("specialist", "judge", 0.75),
            scored("constant", "baseline", 0.2),
        ),
        "replies": (replies("merged", 1.0), replies("specialist", 0.8)),
    }  # fmt: skip
    return Evaluation(**{**fields, **more})


def between(scores: Any, against: str) -> Between:
    one = number(0.2) if against == "its own verdict" else None
    return Between(
        judge="merged", scores=scores, against=against, consistent=number(0.78),
        inconsistent=number(0.04), tie=number(0.18), conflicts=one, reversals=one, score_ties=one,
        verdict_ties=one, left_out=2, no_preference=0,
    )  # fmt: skip


def kept(outcome: Any) -> Kept:
    return Kept(
        dialect="relative", slice="in_domain", metric="kappa", merged_name="merged",
        specialist_name="pairwise", joint_name="joint", merged=number(0.7),
        specialist=number(0.75), joint=number(0.6), share=number(0.93), joint_share=number(0.8),
        above_constant=number(0.7), specialist_above=number(0.75), least=0.9, outcome=outcome,
    )  # fmt: skip


@pytest.fixture
def of_formats(full_document: Document) -> Document:
    """The document of other tests, with scores as a second format."""
    assert full_document.evaluation is not None
    first = full_document.evaluation
    terms = JudgeLMTerms(
        agreement=number(0.8), precision=number(0.7), recall=number(0.75), f1=number(0.72),
        consistency=number(0.83), prefer_before=number(0.1), prefer_after=number(0.07),
        delta=number(0.03),
    )  # fmt: skip
    inside = first.judges[0].slices["in"].model_copy(update={"judgelm": terms})
    student = first.judges[0].model_copy(
        update={"slices": {**first.judges[0].slices, "in": inside}}
    )
    table = Consistency(
        pair_dialect="relative", score_dialect="absolute", labels_title=LABELS, pairs=120,
        rows=(
            between("stated", "its own verdict"), between("stated", "the label"),
            between("expected", "its own verdict"),
        ),
    )  # fmt: skip
    whole = first.model_copy(
        update={
            "dialect": "relative",
            "also": (scores(),),
            "consistency": (table,),
            "kept": (kept("kept"), kept("not decided")),
            "judges": (student, *first.judges[1:]),
            "replies": (replies("student-0.5b", 1.0),),
            "missing": {"relative, labels of kind person": "none of them is labelled"},
        }
    )
    return full_document.model_copy(update={"evaluation": whole})


def tables(sections: tuple[Section, ...], anchor: str) -> list[Table]:
    section = next(one for one in sections if one.anchor == anchor)
    return [block for block in section.blocks if isinstance(block, Table)]


def test_each_format_stands_under_its_name(of_formats: Document) -> None:
    sections = build_sections(of_formats)
    titles = [one.title for one in sections]
    anchors = [one.anchor for one in sections]
    assert len(set(anchors)) == len(anchors)
    start = ["Verdict", "Formats", "What the merge keeps", "Consistency between formats"]
    assert titles[:4] == start
    assert {"Agreement: relative", "Agreement of scores: absolute", "Examples: absolute"} <= {
        *titles
    }  # fmt: skip
    html = render_html(of_formats)
    for anchor in anchors:
        assert f'href="#{anchor}"' in html
        assert html.count(f'<section id="{anchor}"') == 1


def test_the_overview_says_what_is_judged_and_what_could_be_read(of_formats: Document) -> None:
    overview, validity, missing = tables(build_sections(of_formats), "formats")
    rows = [[cell.text for cell in row] for row in overview.rows]
    assert rows[0][:2] == ["relative", "pairs: which response stands out"]
    assert rows[1][:3] == ["absolute", "single responses: a score for each", LABELS]
    assert rows[1][3:5] == ["merged", "weighted kappa"]
    read = {row[0].text: [cell.text for cell in row[1:]] for row in validity.rows}
    assert read["specialist"][0] == "not asked"
    assert read["specialist"][1].startswith(".80")
    assert missing.rows[0][0].text == "relative, labels of kind person"


def test_the_merge_table_names_who_is_compared(of_formats: Document) -> None:
    (table,) = tables(build_sections(of_formats), "kept")
    heads = [column.title for column in table.columns]
    assert heads == [
        "format", "metric", "merged", "specialist", "kept", "at least 90%?", "above constant",
        "joint",
    ]  # fmt: skip
    first = table.rows[0]
    assert (first[3].aside, first[5].text, first[5].tone) == ("pairwise", "kept", "pass")
    assert first[7].aside == "keeps .80 [.75, .85]"
    assert table.rows[1][5].tone == "inconclusive"


def test_consistency_keeps_own_verdicts_and_labels_apart(of_formats: Document) -> None:
    (table,) = tables(build_sections(of_formats), "consistency")
    own, gold, expected = table.rows
    assert (own[2].text, gold[2].text, expected[1].text) == (
        "its own verdict", "the label", "expected",
    )  # fmt: skip
    assert own[6].aside == "reversals .20, score ties .20, verdict ties .20"
    assert gold[6].text == "not applicable"
    assert own[7].text == "2 unread"
    assert LABELS in table.heading


def test_scores_alone_need_no_overview(full_document: Document) -> None:
    document = full_document.model_copy(update={"evaluation": scores(), "gate": None})
    sections = build_sections(document)
    anchors = [one.anchor for one in sections]
    assert "formats" not in anchors
    assert {"agreement", "parts", "replies", "confusion", "examples"} <= {*anchors}
    agreement = tables(sections, "agreement")
    assert [table.title.split(",")[0] for table in agreement] == [
        "Scores that equal the label", "Scores that rise with the label",
        "Stated scores and expected ones", "Published elsewhere",
    ]  # fmt: skip
    heads = [column.title for column in agreement[0].columns]
    assert heads == [
        "judge", "role", "coverage", "exact", "within one", "weighted kappa", "mean absolute error",
    ]  # fmt: skip
    assert [row[0].text for row in agreement[0].rows] == ["merged", "specialist", "constant"]


def test_published_figures_say_their_metric_and_are_set_apart(full_document: Document) -> None:
    document = full_document.model_copy(update={"evaluation": scores(), "gate": None})
    table = tables(build_sections(document), "agreement")[-1]
    assert [column.title for column in table.columns] == ["judge", "metric", "value", "source"]
    (row,) = table.rows
    assert [cell.text for cell in row] == ["gemma-judge", "exact match, %", "73.00", "model card"]
    assert row[3].aside == "Feedback Bench"
    assert "compared by no test" in table.note
    assert published_figure(0.921) == ".921"


def test_replies_that_were_cut_off_are_a_warning(of_formats: Document) -> None:
    html = re.sub(r"<[^>]+>", "", render_html(of_formats))
    assert "Some replies were cut off by the token budget" in html
    assert "specialist .20 [.15, .25]" in html


def test_terms_of_judgelm_are_named_as_such(of_formats: Document) -> None:
    found = [t for t in tables(build_sections(of_formats), "order") if "JudgeLM" in t.title]
    (table,) = found
    assert [cell.text for cell in table.rows[0]][1:3] == [".80 [.75, .85]", ".70 [.65, .75]"]
    assert "delta bias" in table.note


def test_markdown_and_json_say_the_same(of_formats: Document) -> None:
    """Every table's heading and every cell of it stand in the Markdown page, too."""
    markdown = render_markdown(of_formats)
    for section in build_sections(of_formats):
        for table in (block for block in section.blocks if isinstance(block, Table)):
            assert table.title in markdown
    for text in ("keeps .80", "its own verdict", "single responses: a score for each"):
        assert text in markdown
    data = json.loads(of_formats.model_dump_json())
    again = Document.model_validate(data)
    assert again == of_formats
    assert data["evaluation"]["also"][0]["scored"][0]["name"] == "merged"
