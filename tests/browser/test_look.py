"""Looking at a run in real Chromium: search, filters, an item, its link for somebody else."""

import json
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "review"))
from hostile_corpus import CORPUS
from looked import PAIR, a_judgment, evaluated, made
from reviewed import Running, running

from judgesmith.records import Item, choice

LONG = "A long text, and one word more. " * 640  # 20 kB
RIGHT_TO_LEFT = "هذا نص من اليمين إلى اليسار، وفيه كلمة English واحدة. "
SIZES = {"wide": (1280, 800), "phone": (390, 844)}


def a_run(folder: Path, text: str) -> list[str]:
    """The ids of its two items: a student is wrong on the first, and right on the second."""
    run_dir = made(folder, text)
    items = run_dir.read("split/items.jsonl", Item)
    said = [
        a_judgment(item, "student", PAIR, order, choice(verdict), {"verdict": chances})
        for item in items
        for order, verdict, chances in (
            ((0, 1), "A", {"A": 0.9, "B": 0.06, "TIE": 0.04}),
            ((1, 0), "B", {"A": 0.2, "B": 0.7, "TIE": 0.1}),
        )
    ]
    evaluated(run_dir, ["B", "A"], said, PAIR, ["student"])
    recipe = resources.files("judgesmith") / "recipes" / "quickstart.yaml"
    (folder / "recipe.yaml").write_text(recipe.read_text())
    return [item.id for item in items]


@pytest.fixture
def looked(tmp_path: Path) -> Iterator[tuple[Running, list[str]]]:
    """`judgesmith review RUN --look` on a run whose second responses would do something."""
    items = a_run(tmp_path, "\n\n".join(CORPUS.values()))
    with running(tmp_path, "--look", "--port", 0) as server:
        yield server, items


def found(page: Any) -> list[str]:
    return [
        link.get_attribute("href").split("/")[2].split("?")[0]
        for link in page.query_selector_all(".look-list a")
    ]


def test_what_was_found_is_told_to_somebody_else(
    browser: Any, page: Any, looked: tuple[Running, list[str]]
) -> None:
    server, (wrong, right) = looked
    page.goto(f"{server.url}/look")
    assert found(page) == [wrong, right]
    page.keyboard.press("/")
    page.keyboard.type("sang")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=sang**")
    assert found(page) == [right]
    page.click("text=All")
    page.select_option("[name=bucket]", "clear_bias")
    page.select_option("[name=judge]", "student")
    page.select_option("[name=against]", "wrong")
    page.click("button.main")
    page.wait_for_url("**against=wrong**")
    assert found(page) == [wrong]
    assert "1 item." in page.inner_text("main")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('{wrong}')")
    assert page.inner_text("[data-is=wrong]") == "wrong"
    with browser.new_context() as other:
        theirs = other.new_page()
        theirs.goto(page.url)
        assert theirs.inner_text("main") == page.inner_text("main")
        theirs.click("[rel=up]")
        theirs.wait_for_url("**/look?**")
        theirs.wait_for_selector(".look-list a")
        assert found(theirs) == [wrong]


def test_hostile_texts_run_nothing_and_are_shown(
    page: Any, looked: tuple[Running, list[str]]
) -> None:
    server, items = looked
    for path in (
        "/look?q=%3Cscript%3Ewindow.ran%3D1%3C%2Fscript%3E",
        *(f"/look/{one}" for one in items),
    ):
        page.goto(f"{server.url}{path}")
        page.wait_for_timeout(200)
        assert page.evaluate("window.ran") is None
    assert "<script>window.ran = 1</script>" in page.inner_text("main")
    assert "49" not in page.inner_text(".sides")
    assert page.query_selector(".sides :is(a, img, script, svg, iframe, form)") is None


def test_chances_are_seen(page: Any, looked: tuple[Running, list[str]]) -> None:
    server, (item, _) = looked
    page.goto(f"{server.url}/look/{item}")
    bars = page.evaluate(
        "[...document.querySelectorAll('.chance .fill')].map("
        "(bar) => bar.getBoundingClientRect().width)"
    )
    first = dict(zip(("A", "B", "TIE"), bars, strict=False))
    assert 70 < first["A"] < 90
    assert 2 < first["B"] < 9


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", ["long", "right to left"])
def test_pages_can_be_used_by_everybody(
    browser: Any, tmp_path: Path, shots: Path, size: str, scheme: str, text: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    items = a_run(tmp_path, LONG if text == "long" else RIGHT_TO_LEFT * 40)
    width, height = SIZES[size]
    faults: dict[str, Any] = {}
    with (
        running(tmp_path, "--look", "--port", 0) as server,
        browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
        ) as context,
    ):
        page = context.new_page()
        pages = {"list": "/look", "none": "/look?q=xyzzy", "item": f"/look/{items[0]}",
                 "no item": "/look/none"}  # fmt: skip
        for name, path in pages.items():
            page.goto(f"{server.url}{path}")
            found = Axe().run(page).response["violations"]
            faults[path] = [(one["id"], one["nodes"][0]["html"]) for one in found]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                faults[path].append(("wider than the screen", name))
            page.screenshot(path=shots / f"look-{name}-{text}-{size}-{scheme}.png", full_page=True)
    assert {path: told for path, told in faults.items() if told} == {}, json.dumps(faults)
