"""The whole page, from a full document, an empty one and hostile ones."""

import re
from html.parser import HTMLParser

import pytest

from judgesmith.report.blocks import Plots, Table
from judgesmith.report.document import Document
from judgesmith.report.html import render_html
from judgesmith.report.markdown import plain, render_markdown
from judgesmith.report.result_tables import gate_table
from judgesmith.report.results import Check, GateResult, Number
from judgesmith.report.sections import build_sections

VOID = {"meta", "br", "img", "link", "input", "hr"}
LABELS = "labels: 300 verdicts by 1 person"
RESULT_SECTIONS = {"agreement", "comparisons", "parts", "order", "confusion"}


class Page(HTMLParser):
    """Reads a page: its tags with attributes, and whether every tag is closed in turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


FREE = {
    "name",
    "description",
    "task",
    "title",
    "note",
    "reason",
    "requirement",
    "labels_title",
    "direction",
    "source",
    "question",
    "context",
    "rationale",
    "verdict",
    "message",
    "effect",
    "remedy",
    "bucket",
    "generator",
    "sft.epochs",
    "seed",
    "stage",
    "state",
}


@pytest.fixture(scope="module")
def hostile_document(full_document: Document, hostile_text: str) -> Document:
    """Every free text is hostile; only the names by which slices are looked up are kept."""

    def free(key: str, holder: dict[str, object]) -> bool:
        is_slice = key == "name" and "kind" in holder
        return key in FREE and not is_slice

    def spoil(value: object) -> object:
        if isinstance(value, dict):
            return {
                key: hostile_text if free(key, value) else spoil(inner)
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple):
            return [spoil(inner) for inner in value]
        return value

    return Document.model_validate(spoil(full_document.model_dump(mode="json")))


@pytest.mark.parametrize("name", ["full_document", "empty_document", "hostile_document"])
def test_page_loads_nothing(name: str, request: pytest.FixtureRequest) -> None:
    page = Page(render_html(request.getfixturevalue(name)))
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "img", "object", "embed", "form", "base"}
        assert not any(name.startswith("on") for name in attributes), tag
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert "url(" not in (attributes.get("style") or "")
    assert {"html", "style", "a", "h2"} <= {tag for tag, _ in page.tags}


def test_style_loads_nothing_and_the_policy_forbids_it(full_document: Document) -> None:
    page = render_html(full_document)
    style = page[page.index("<style>") : page.index("</style>")]
    assert not re.search(r"url\(|@import|https?:", style)
    assert "default-src 'none'" in page


def test_hostile_text_is_shown_as_text(hostile_document: Document) -> None:
    page = render_html(hostile_document)
    assert "<script" not in page
    assert "&lt;script" in page
    assert "&lt;|im_start|&gt;" in page
    assert "{{ 7*7 }}" in page
    assert "‹U+0000›" in page
    assert "‹U+202E›" in page
    page.encode()


def test_hostile_text_gets_no_markup_through_markdown(hostile_document: Document) -> None:
    page = render_markdown(hostile_document)
    outside = re.sub(r"^(`{3,})text\n.*?\n\1$", "", page, flags=re.S | re.M)
    assert "<" not in outside
    assert not re.search(r"(?<!\\)`", outside)
    page.encode()


def test_long_response_is_cut_and_says_so(full_document: Document) -> None:
    for page in (render_html(full_document), render_markdown(full_document)):
        assert "cut: 2,000 of 1,000,000 characters shown" in page
        assert len(page) < 250_000


def test_every_table_of_results_names_whose_labels(full_document: Document) -> None:
    sections = [one for one in build_sections(full_document) if one.anchor in RESULT_SECTIONS]
    tables = [block for one in sections for block in one.blocks if isinstance(block, Table)]
    plots = [
        plot
        for one in sections
        for block in one.blocks
        if isinstance(block, Plots)
        for plot in block.plots
    ]
    assert len(tables) >= 11
    assert len(plots) == 6
    html = render_html(full_document)
    markdown = render_markdown(full_document)
    for block in (*tables, *plots):
        cited = block.title.startswith("Published elsewhere")
        assert ("labels of their own" if cited else LABELS) in block.heading
        assert block.heading in re.sub(r"<[^>]+>", "", html)
    for table in tables:
        assert f"### {plain(table.heading)}" in markdown
    for plot in plots:
        assert LABELS in plot.svg[: plot.svg.index("</title>")]


def test_markdown_tables_have_one_column_count(
    rehearsed_document: Document, full_document: Document, hostile_document: Document
) -> None:
    for document in (full_document, hostile_document, rehearsed_document):
        runs: list[list[int]] = [[]]
        fenced = None
        for line in render_markdown(document).splitlines():
            if fenced is None and (fence := re.match(r"`{3,}", line)):
                fenced = fence[0]
            elif fenced == line:
                fenced = None
            elif fenced is None and line.startswith("|"):
                runs[-1].append(len(re.findall(r"(?<!\\)\|", line)))
            elif runs[-1]:
                runs.append([])
        tables = [run for run in runs if run]
        assert len(tables) >= 18
        for table in tables:
            assert len(set(table)) == 1
            assert len(table) >= 3


def test_all_rows_have_all_columns(full_document: Document) -> None:
    for section in build_sections(full_document):
        for block in section.blocks:
            if isinstance(block, Table):
                assert {len(row) for row in block.rows} == {len(block.columns)}, block.title


def test_rehearsed_run_is_marked_everywhere(
    rehearsed_document: Document, full_document: Document
) -> None:
    html = render_html(rehearsed_document)
    assert "<title>[rehearsed]" in html
    assert "Rehearsed run" in html
    tables = html.count("<table")
    assert html.count('<b class="stamp">rehearsed</b>') >= tables
    assert html.count(">REHEARSED</text>") == html.count("<svg")
    heads = [
        line for line in render_markdown(rehearsed_document).splitlines() if line.startswith("### ")
    ]
    assert all("[rehearsed]" in line for line in heads)
    assert "rehears" not in render_html(full_document).split("</style>")[1].lower()


def test_missing_parts_are_said_or_left_out(empty_document: Document) -> None:
    page = "".join(Page(render_html(empty_document)).text)
    assert "There is no evaluation in this run" in page
    assert "No gate" in page
    assert "No audit was run" in page
    assert "Provenance" not in page
    assert not re.search(r"\b(None|nan)\b", page)


def test_no_bare_state_on_the_full_page(full_document: Document) -> None:
    page = "".join(Page(render_html(full_document)).text)
    assert not re.search(r"\b(None|nan|null)\b", page)


def test_hidden_values_are_not_on_the_page(full_document: Document) -> None:
    """The small cells know .359, which would be shown as .36, and hide it."""
    assert full_document.evaluation is not None
    hidden = full_document.evaluation.judges[0].slices["Religion"].kappa
    assert hidden.value == 0.359
    parts = next(one for one in build_sections(full_document) if one.anchor == "parts")
    religion = [
        cell.text
        for block in parts.blocks
        if isinstance(block, Table)
        for row in block.rows
        if row[0].text == "Religion"
        for cell in row
    ]
    assert "hidden: only 12 labels, fewer than 20" in religion
    assert not any(".36" in text for text in religion)


def test_order_proof_judges_are_not_applicable(full_document: Document) -> None:
    order = next(one for one in build_sections(full_document) if one.anchor == "order")
    table = next(block for block in order.blocks if isinstance(block, Table))
    longer = next(row for row in table.rows if row[0].text == "longer response")
    assert [cell.text for cell in longer[2:6]] == ["not applicable"] * 4
    assert longer[0].aside == "order-proof by construction"


def test_comparison_names_the_better_judge_and_only_with_a_test(full_document: Document) -> None:
    page = render_markdown(full_document)
    assert "student-0.5b is better" in page
    assert "no difference shown" in page
    assert "a is better" not in page


def test_labels_still_needed_are_those_in_all_less_those_at_hand() -> None:
    """410 in all, 67 at hand: 343 more. Where no number would do, the page does not say none."""
    number = Number(value=0.442, low=0.33, high=0.55, n=67)
    check = Check(
        name="k",
        requirement="at least .40",
        found=number,
        outcome="inconclusive",
        reason="the interval holds .40",
        labels_needed=410,
    )
    hopeless = check.model_copy(update={"labels_needed": None})
    gate = GateResult(
        judge="j", labels_title=LABELS, outcome="inconclusive", checks=(check, hopeless)
    )
    cells = [row[-1] for row in gate_table(gate).rows]
    assert [cell.text for cell in cells] == ["about 343", "cannot be estimated"]
    assert cells[0].aside == "410 in all"


def test_findings_come_worst_first(full_document: Document) -> None:
    page = render_markdown(full_document)
    places = [page.index(word) for word in ("| **error** |", "| warning |", "| info |")]
    assert places == sorted(places)


def test_how_the_numbers_came_about_is_on_the_page(full_document: Document) -> None:
    page = render_html(full_document)
    for said in ("both orders", "95%", "2,000 resamples", "of questions", "1 time"):
        assert said in page


def test_same_document_gives_the_same_page(full_document: Document) -> None:
    assert render_html(full_document) == render_html(full_document)
    assert render_markdown(full_document) == render_markdown(full_document)
