"""The page of a meta-evaluation: what stands on it, in both forms, whatever the data lack."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from judgesmith.report.blocks import Browser, Cell, Plots, Table
from judgesmith.report.document import Document
from judgesmith.report.html import browser_script, render_html, script_hash
from judgesmith.report.markdown import render_markdown
from judgesmith.report.numbers import not_shown
from judgesmith.report.results import Number
from judgesmith.report.sections import build_sections
from judgesmith.runs.jsonl import write_json

EVERY = (
    "summary", "agreement", "people", "comparisons", "parts", "order", "length", "confidence",
    "conflicts", "panel", "alternative", "fidelity", "audits", "not-measured", "notes", "browser",
    "provenance",
)  # fmt: skip
DOCUMENTS = ("files_document", "scores_document", "bare_document")
INTERVAL = re.compile(r"^(-?\d*\.\d+|-?\d\.\d+e[+-]\d+) \[.*\]$")


@pytest.fixture(params=DOCUMENTS)
def any_document(request: pytest.FixtureRequest) -> Document:
    found: Document = request.getfixturevalue(request.param)
    return found


def tables(document: Document, *anchors: str) -> list[Table]:
    return [
        block
        for section in build_sections(document)
        for block in section.blocks
        if isinstance(block, Table) and (not anchors or section.anchor in anchors)
    ]


def text_of(page: str) -> str:
    found: list[str] = []

    class Reader(HTMLParser):
        skip = False

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.skip = tag in ("script", "style")

        def handle_endtag(self, tag: str) -> None:
            self.skip = False

        def handle_data(self, data: str) -> None:
            if not self.skip:
                found.append(data)

    Reader().feed(page)
    return " ".join(found)


def test_every_part_has_its_section_in_order(files_document: Document) -> None:
    assert tuple(one.anchor for one in build_sections(files_document)) == EVERY


def test_a_page_of_files_has_no_gate_and_no_training(any_document: Document) -> None:
    anchors = {one.anchor for one in build_sections(any_document)}
    assert not anchors & {"verdict", "training", "confusion", "examples"}
    assert "No gate" not in render_html(any_document)


def test_what_the_data_lack_leaves_no_empty_section(scores_document: Document) -> None:
    anchors = {one.anchor for one in build_sections(scores_document)}
    assert not anchors & {"order", "panel", "alternative", "fidelity", "parts"}
    assert {"people", "not-measured", "length"} <= anchors
    page = text_of(render_html(scores_document))
    assert "Kappa of every judge is not shown (undefined: labels are scores" in page


def test_scores_without_slices_name_their_judges_and_items(scores_document: Document) -> None:
    """Where nothing but scores was read, the evaluation holds neither judges nor slices."""
    assert scores_document.evaluation is not None
    bare = scores_document.evaluation.model_copy(update={"judges": (), "slices": ()})
    document = scores_document.model_copy(update={"evaluation": bare})
    page = text_of(render_html(document))
    assert "coherence\N{NO-BREAK SPACE}240, factual consistency\N{NO-BREAK SPACE}240" in page
    assert "No rows." not in page
    assert not re.search(r"\b(None|nan|null|inf)\b", page)


def test_one_scorer_has_criteria_as_rows(scores_document: Document) -> None:
    assert scores_document.evidence is not None
    one = scores_document.evidence.model_copy(
        update={"judges": scores_document.evidence.judges[:1]}
    )
    document = scores_document.model_copy(update={"evidence": one})
    section = next(s for s in build_sections(document) if s.anchor == "agreement")
    plots = next(block for block in section.blocks if isinstance(block, Plots)).plots
    assert [plot.title for plot in plots] == [
        "Spearman correlation, student-1.5b-distilled",
        "Pearson correlation, student-1.5b-distilled",
    ]
    assert "coherence" in plots[0].svg


def test_without_labels_there_is_no_agreement(files_document: Document) -> None:
    assert files_document.evaluation is not None
    told = {"labels_kind": "nobody", "labels_title": "no labels", "judges": (), "slices": ()}
    bare = files_document.evaluation.model_copy(update={**told, "comparisons": ()})
    page = text_of(render_html(files_document.model_copy(update={"evaluation": bare})))
    assert "There are no labels, so agreement cannot be measured." in page
    assert "No comparison was made" in page


def test_nothing_measured_is_said(bare_document: Document) -> None:
    page = text_of(render_html(bare_document))
    assert "Nothing above a figure to know" in page
    assert "No audit was run" in page


def test_no_bare_state_is_printed(any_document: Document) -> None:
    for page in (text_of(render_html(any_document)), render_markdown(any_document)):
        assert not re.search(r"\b(None|nan|null|inf)\b", page)


def test_json_holds_no_nan_and_reads_back(any_document: Document, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    write_json(file, any_document.model_dump(mode="json"))

    def refuse(name: str) -> float:
        raise AssertionError(f"{name} in JSON")

    found = json.loads(file.read_text("utf-8"), parse_constant=refuse)
    assert Document.model_validate(found) == any_document


def shown_numbers(value: object) -> list[Number]:
    """All numbers of the evidence that have a value to show, the browser's texts left out."""
    if isinstance(value, Number):
        return [value] if value.value is not None and not_shown(value) is None else []
    if isinstance(value, dict):
        return [one for inner in value.values() for one in shown_numbers(inner)]
    if isinstance(value, tuple):
        return [one for inner in value for one in shown_numbers(inner)]
    if hasattr(type(value), "model_fields"):
        names = type(value).model_fields
        return [one for name in names for one in shown_numbers(getattr(value, name))]
    return []


@pytest.mark.parametrize("name", ["files_document", "scores_document"])
def test_every_estimate_stands_with_interval_and_denominator(
    name: str, request: pytest.FixtureRequest
) -> None:
    document: Document = request.getfixturevalue(name)
    cells = [
        cell
        for table in tables(document)
        for row in table.rows
        for column, cell in zip(table.columns, row, strict=True)
        if column.numeric and INTERVAL.match(cell.text)
    ]
    assert len(cells) > 50
    assert all(cell.aside.startswith("n = ") for cell in cells)
    assert not any("no interval" in cell.text for cell in cells)


def test_every_number_of_the_evidence_is_in_a_table(files_document: Document) -> None:
    """The diagonal of the panel, a member with itself, is the one thing left out."""
    from judgesmith.report.blocks import number_cell

    found = files_document.evidence
    assert found is not None
    assert found.panel is not None
    words = (found.panel.effective_votes, found.panel.majority, found.panel.dawid_skene)
    diagonal = {k[i][i] for k in found.panel.kappas.values() for i in range(len(k))}
    cells: set[Cell] = {
        cell for table in tables(files_document) for row in table.rows for cell in row
    }
    numbers = {*shown_numbers(found)} - diagonal - {*words}
    missing = [one for one in numbers if number_cell(one) not in cells]
    assert len(numbers) > 40
    assert missing == []


def test_hidden_values_are_nowhere(files_document: Document) -> None:
    """The number that nine labels would give is .777; it is hidden, and so are its ends."""
    for page in (render_html(files_document), render_markdown(files_document)):
        assert ".78 [.10, .90]" not in page
        assert "0.777" not in page
        assert "only 9 labels, fewer than 20" in page


def test_markdown_mirrors_every_table(any_document: Document) -> None:
    page = render_markdown(any_document)
    found = tables(any_document)
    assert page.count("\n| ---") == sum(bool(table.rows) for table in found)
    rows = sum(len(table.rows) for table in found)
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(lines) == rows + 2 * sum(bool(table.rows) for table in found)


def test_tables_have_a_cell_per_column_and_say_whose_labels(any_document: Document) -> None:
    for table in tables(any_document):
        assert {len(row) for row in table.rows} <= {len(table.columns)}, table.title
    for table in tables(any_document, "agreement", "people", "comparisons", "length", "confidence"):
        assert table.labels, table.title


def test_pictures_are_well_formed(any_document: Document) -> None:
    plots = [
        plot
        for section in build_sections(any_document)
        for block in section.blocks
        if isinstance(block, Plots)
        for plot in block.plots
    ]
    for plot in plots:
        root = ET.fromstring(plot.svg)
        assert root[0].text
        assert "nan" not in plot.svg.replace("names", "").lower()


def test_two_runs_give_the_same_page(files_document: Document) -> None:
    assert render_html(files_document) == render_html(files_document)


def test_simulated_judges_are_marked(files_document: Document) -> None:
    page = render_html(files_document.model_copy(update={"rehearsed": True}))
    assert "<title>[rehearsed]" in page
    assert page.count(">REHEARSED</text>") == page.count("<svg")


def test_many_comparisons_are_split_and_all_are_there(files_document: Document) -> None:
    assert files_document.evaluation is not None
    found = tables(files_document, "comparisons")
    assert sum(len(table.rows) for table in found) == len(files_document.evaluation.comparisons)
    assert len(found) == 2
    page = render_markdown(files_document)
    assert "claude-3-haiku-20240307 is better" in page
    assert not re.search(r"[^\w](a|b) is better", page)


def test_metric_of_a_comparison_is_named(scores_document: Document) -> None:
    (table,) = tables(scores_document, "comparisons")
    titles = [column.title for column in table.columns]
    assert "difference in spearman" in titles
    assert "McNemar p" not in titles


def test_people_are_compared_by_the_metric_of_the_labels(
    files_document: Document, scores_document: Document
) -> None:
    assert tables(files_document, "people")[0].title == "Kappa between people"
    assert tables(scores_document, "people")[0].title == "Spearman correlation between people"


def test_page_allows_its_one_script_by_hash_and_loads_nothing(files_document: Document) -> None:
    page = render_html(files_document)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert "default-src 'none'" in policy[1]
    assert f"script-src '{script_hash()}'" in policy[1]
    assert page.count("<script>") == 1
    assert f"<script>{browser_script()}</script>" in page
    assert not re.search(r"<(link|img|iframe|object|embed|base)\b", page)
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "http"):
        assert word not in browser_script()
    assert len(browser_script().splitlines()) < 200


def test_a_page_without_items_to_browse_has_no_script(scores_document: Document) -> None:
    assert scores_document.evidence is not None
    evidence = scores_document.evidence.model_copy(update={"browser": ()})
    page = render_html(scores_document.model_copy(update={"evidence": evidence}))
    assert "<script" not in page
    assert "script-src" not in page


def test_markdown_shows_the_first_items(files_document: Document) -> None:
    page = render_markdown(files_document)
    assert page.count("#### Label A: ") == 20
    assert "63 of 1,234,567 labelled items" in page
    assert "The first 20 are shown here." in page


def test_hostile_items_get_no_markup_through_markdown(files_document: Document) -> None:
    page = render_markdown(files_document)
    outside = re.sub(r"^(`{3,})text\n.*?\n\1$", "", page, flags=re.S | re.M)
    assert "<" not in outside
    page.encode()


def test_browser_lists_judges_in_the_order_of_the_tables(files_document: Document) -> None:
    found = next(
        block
        for section in build_sections(files_document)
        for block in section.blocks
        if isinstance(block, Browser)
    )
    assert found.judges[:2] == ("student-1.5b-distilled", "gpt-4-0613 (vanilla prompt)")
    assert len(found.judges) == 6
