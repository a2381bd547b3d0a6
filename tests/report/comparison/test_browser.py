"""The disagreement browser: its data cannot leave their element; in a real browser it works."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.report.blocks import Browser
from judgesmith.report.browser import browser_json, row_title, state_of
from judgesmith.report.document import Document
from judgesmith.report.evidence import BrowserRow
from judgesmith.report.html import render_html

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

DRIVER = """
const out = {};
const get = (id) => document.getElementById(id);
const set = (id, value) => {
  get(id).value = value;
  get(id).dispatchEvent(new Event("input", { bubbles: true }));
};
const reset = () => [...document.querySelectorAll("#browser-app select")].forEach(
  (one) => set(one.id, one.options[0].value));
const look = () => ({
  count: document.querySelector("#browser-app .count").textContent,
  shown: [...document.querySelectorAll("#browser-app article")].map(
    (one) => one.querySelector("h4").textContent),
});
const pick = (id, text) => {
  const found = [...get(id).options].find((one) => one.textContent.startsWith(text));
  set(id, found.value);
};
const field = (name) => [...document.querySelectorAll("#browser-app label")].find(
  (one) => one.firstChild.textContent === name).querySelector("select").id;
out.start = look();
out.hacked = String(window.hacked);
out.markup = document.querySelectorAll("#browser-app img, #browser-app script").length;
document.querySelector("#browser-app .next").click();
out.second = look();
document.querySelectorAll("#browser-app .next")[1].click();
document.querySelectorAll("#browser-app .next")[0].click();
out.last = look();
out.lastNext = document.querySelector("#browser-app .next").disabled;
set("browser-kind", "unparsed");
out.unparsed = look();
set("browser-kind", "disagree");
out.disagree = look();
reset();
pick("browser-judge", "student");
set("browser-kind", "wrong");
out.studentWrong = look();
reset();
pick(field("bucket"), "safety");
out.safety = look();
reset();
set("browser-search", "UNIQUE0007 capital");
out.search = look();
set("browser-search", "no such words here");
out.nothing = look();
set("browser-search", "");
set(field("__proto__"), "0");
out.proto = look();
reset();
out.folded = [...document.querySelectorAll("#browser-app details")].every((one) => !one.open);
out.labelled = [...document.querySelectorAll("#browser-app select, #browser-app input")].every(
  (one) => one.labels.length === 1);
out.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
const node = document.createElement("pre");
node.id = "driven";
node.textContent = JSON.stringify(out);
document.body.append(node);
"""


def a_browser() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("NO CHROMIUM: the disagreement browser is not tested; install chromium")
    return found


def dump(page: str, folder: Path, *, width: int = 1280) -> str:
    """The page's elements after its scripts ran, as the browser writes them out."""
    file = folder / "page.html"
    file.write_text(page, "utf-8")
    command = [
        a_browser(),
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},900",
        "--dump-dom",
        file.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()


@pytest.fixture(scope="module")
def driven(files_document: Document, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a user sees after each step, on a page to which only the steps were added."""
    digest = base64.b64encode(hashlib.sha256(DRIVER.encode()).digest()).decode()
    page = render_html(files_document)
    page = page.replace("script-src '", f"script-src 'sha256-{digest}' '", 1)
    page = page.replace("</body>", f"<script>{DRIVER}</script></body>")
    dom = dump(page, tmp_path_factory.mktemp("driven"), width=500)
    found = re.search(r'<pre id="driven">(.*?)</pre>', dom, re.S)
    assert found, "the steps did not run to their end"
    out: dict[str, Any] = json.loads(unescape(found[1]))
    return out


def rows_of(document: Document) -> tuple[BrowserRow, ...]:
    assert document.evidence is not None
    return document.evidence.browser


def counted(rows: int) -> str:
    return f"{rows} items, 1 to {min(rows, 20)} shown"


def test_the_page_works_as_it_is(files_document: Document, tmp_path: Path) -> None:
    """Under its own policy, from a file, the one script runs and the note is gone."""
    dom = dump(render_html(files_document), tmp_path)
    assert "63 items, 1 to 20 shown" in dom
    assert dom.count("<article>") == 20
    assert "the page needs JavaScript" not in dom


def test_without_javascript_a_note_says_where_the_items_are(files_document: Document) -> None:
    page = render_html(files_document)
    assert "Without it, use the JSON report" in page


def test_hostile_text_is_text(driven: dict[str, Any]) -> None:
    assert driven["hacked"] == "undefined"
    assert driven["markup"] == 0
    assert "</script><script>window.hacked=1</script><!--" in driven["start"]["shown"][0]
    assert "‹U+2028›" in driven["start"]["shown"][0]


def test_pages_turn(driven: dict[str, Any]) -> None:
    assert driven["start"]["count"] == "63 items, 1 to 20 shown"
    assert driven["second"]["count"] == "63 items, 21 to 40 shown"
    assert "country 20?" in driven["second"]["shown"][0]
    assert driven["last"]["count"] == "63 items, 61 to 63 shown"
    assert len(driven["last"]["shown"]) == 3
    assert driven["lastNext"] is True


def test_filters_find_what_the_data_hold(driven: dict[str, Any], files_document: Document) -> None:
    rows = rows_of(files_document)
    unparsed = [row for row in rows if None in row.verdicts.values()]
    assert driven["unparsed"]["count"] == f"{len(unparsed)} items, 1 to {len(unparsed)} shown"
    disagree = [row for row in rows if len({v for v in row.verdicts.values() if v}) > 1]
    assert driven["disagree"]["count"] == counted(len(disagree))
    wrong = [row for row in rows if row.verdicts["student-1.5b-distilled"] == "B"]
    assert driven["studentWrong"]["count"] == counted(len(wrong))
    safety = [row for row in rows if row.fields["bucket"] == "safety"]
    assert driven["safety"]["count"] == counted(len(safety))
    assert driven["proto"]["count"] == counted(63)


def test_search_finds_words_in_any_order_and_case(driven: dict[str, Any]) -> None:
    assert driven["search"]["count"] == "1 item, 1 to 1 shown"
    assert "country 7?" in driven["search"]["shown"][0]
    assert driven["nothing"]["count"].startswith("No item fits")
    assert driven["nothing"]["shown"] == []


def test_controls_have_labels_and_the_narrow_page_does_not_scroll(driven: dict[str, Any]) -> None:
    assert driven["labelled"] is True
    assert driven["folded"] is True
    assert driven["wide"] <= 0


TEXTS = st.text(st.characters(exclude_categories=()), max_size=60)
HOSTILE = st.sampled_from(
    ["</script>", "<!--", "-->", "]]>", "\u2028", "&lt;", "\ud800", "<script"]
)
ANY = st.lists(st.one_of(TEXTS, HOSTILE), max_size=4).map("".join)


def row(text: str) -> BrowserRow:
    return BrowserRow.model_construct(
        item_id=text,
        where=text,
        question=text,
        responses=(text, text),
        models=(text,),
        fields={"bucket": text},
        label=text,
        verdicts={"j": text},
        rationales={"j": text},
    )


@given(ANY)
def test_no_text_leaves_the_data_element(text: str) -> None:
    browser = Browser("t", "l", ("j",), (row(text),), 1)
    written = browser_json(browser)
    assert not re.search("[<>&\u2028\u2029]", written)
    written.encode()
    found = json.loads(written)["rows"][0]
    assert found["verdicts"] == [[found["label"], "right" if text else "given"]]
    assert found["question"][0] == found["responses"][0][1]


def test_long_texts_are_cut_with_a_note() -> None:
    found = json.loads(browser_json(Browser("t", "l", ("j",), (row("x" * 5_000),), 1)))
    assert found["rows"][0]["question"] == ["x" * 2_000, "cut: 2,000 of 5,000 characters shown"]


def test_without_a_label_nobody_is_wrong() -> None:
    unlabelled = row("A").model_copy(update={"label": "", "verdicts": {"a": "A", "b": None}})
    assert [state_of(unlabelled, judge) for judge in "ab"] == ["given", "unparsed"]
    assert row_title(unlabelled, ("a", "b")) == "Label none: a A, b not parsed"


def test_states_and_titles() -> None:
    given_row = row("A").model_copy(update={"verdicts": {"a": "A", "b": "B", "c": None}})
    assert [state_of(given_row, judge) for judge in "abcd"] == [
        "right",
        "wrong",
        "unparsed",
        "absent",
    ]
    assert row_title(given_row, tuple("abcd")) == "Label A: a A (right), b B (wrong), c not parsed"
