"""Labelling as a person does it, in real Chromium: by keyboard, offline, in two tabs, by two."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "review"))
from hostile_corpus import CORPUS
from labelling import READY, item, next_after, press, until_saved
from reviewed import Running, running, write_pairs

Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `judgesmith review` on a file of pairs."""
    with ExitStack() as stack:

        def starting(
            count: int = 60, *options: object, texts: dict[int, str] | None = None
        ) -> Running:
            source = write_pairs(tmp_path / "pairs.jsonl", count, texts)
            return stack.enter_context(running(source, "--port", 0, *options))

        yield starting


def begin(page: Any, server: Running, name: str = "Ada") -> None:
    page.set_default_timeout(10_000)
    page.goto(server.url)
    page.fill("[name=name]", name)
    page.click("button.main")
    page.wait_for_selector(READY)


def done(page: Any) -> int:
    return int(page.inner_text("[data-progress-words]").split()[0])


def label(page: Any, count: int, keys: str = "abt") -> list[str]:
    seen = []
    for at in range(count):
        seen.append(item(page))
        press(page, keys[at % len(keys)], "jkl"[at % 3], "Enter")
        next_after(page, seen[-1])
    until_saved(page)
    return seen


def test_fifty_items_by_keyboard(page: Any, start: Start) -> None:
    begin(page, start())
    page.evaluate("document.addEventListener('pointerdown', () => { window.pointed = 1; })")
    seen = label(page, 50)
    assert len(set(seen)) == 50
    assert done(page) == 50
    page.reload()
    page.wait_for_selector(READY)
    assert item(page) not in seen
    assert page.evaluate("window.pointed") is None


def test_keys_do_nothing_while_a_note_is_typed(page: Any, start: Start) -> None:
    begin(page, start())
    first = item(page)
    press(page, "n")
    page.keyboard.type("a sad quux: pause, undo, skip")
    assert item(page) == first
    assert page.query_selector("[aria-pressed=true][data-value]") is None
    press(page, "Escape", "b", "Enter")
    second = next_after(page, first)
    press(page, "p")
    next_after(page, second)
    assert page.input_value("[name=note]") == "a sad quux: pause, undo, skip"


def test_undo_skip_back_and_jump(page: Any, start: Start) -> None:
    begin(page, start(6))
    first, second = label(page, 2, "ab")
    press(page, "u")
    page.wait_for_selector(f"article[data-item='{second}']")
    assert done(page) == 1
    press(page, "s")
    third = next_after(page, second)
    press(page, "p")
    page.wait_for_selector(f"article[data-item='{second}']")
    press(page, "p")
    page.wait_for_selector(f"article[data-item='{first}']")
    assert page.inner_text("[data-value][aria-pressed=true]").startswith("Response A")
    press(page, "t", "Enter")
    page.wait_for_selector(f"article[data-item='{third}']")
    press(page, "g")
    page.fill("[data-find]", "Tie")
    page.click(".done-list a")
    page.wait_for_selector(f"article[data-item='{first}']")
    press(page, "Enter")
    label(page, 5)  # the four others, and the skipped one at the end
    page.wait_for_selector("h1:has-text('Done')")
    assert done(page) == 6


def test_answers_without_a_connection_wait_and_are_sent_once(page: Any, start: Start) -> None:
    server = start()
    begin(page, server)
    page.wait_for_timeout(500)  # the next items come meanwhile
    page.context.set_offline(True)
    seen = []
    for key in "ab":
        seen.append(item(page))
        press(page, key, "Enter")
        next_after(page, seen[-1])
    page.wait_for_selector(".saved[data-state=waiting]")
    assert "2 answers wait on this device" in page.inner_text(".saved")
    page.context.set_offline(False)
    until_saved(page)
    assert done(page) == 2
    page.goto(server.url)
    page.wait_for_selector(READY)
    assert item(page) not in seen


def test_answers_outlive_the_page_that_gave_them(page: Any, start: Start) -> None:
    server = start()
    begin(page, server)
    page.wait_for_timeout(500)
    first = item(page)
    page.context.route("**/api/answers", lambda route: route.abort())
    press(page, "a", "Enter")
    next_after(page, first)
    page.wait_for_selector(".saved[data-state=waiting]")
    page.context.unroute("**/api/answers")
    page.goto(f"{server.url}/label")
    until_saved(page)
    page.wait_for_selector("[data-progress-words]:has-text('1 of')")
    assert item(page) != first


def test_a_reply_that_got_lost_is_no_second_answer(page: Any, start: Start) -> None:
    begin(page, start())
    lost = []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)  # the server has it, the page never hears
        route.abort()

    page.route("**/api/answers", lose)
    press(page, "a", "Enter")
    page.wait_for_selector(".saved[data-state=waiting]")
    until_saved(page)
    assert lost == [200]
    assert done(page) == 1
    assert page.query_selector("dialog[open]") is None


def test_taking_back_again_after_a_lost_reply_takes_back_one_answer(
    page: Any, start: Start
) -> None:
    begin(page, start())
    first, second = label(page, 2)
    lost = []

    def lose(route: Any) -> None:
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/api/undo", lose, times=1)
    press(page, "u")
    page.wait_for_selector("[data-notice]:has-text('No connection')")
    press(page, "u")
    page.wait_for_selector(f"article[data-item='{second}']")
    assert lost == [200]
    assert done(page) == 1
    press(page, "u")
    page.wait_for_selector(f"article[data-item='{first}']")
    assert done(page) == 0


@pytest.mark.parametrize(("choice", "kept"), [("mine", "Response B"), ("theirs", "Response A")])
def test_two_tabs_never_overwrite_in_silence(
    page: Any, start: Start, choice: str, kept: str
) -> None:
    server = start()
    begin(page, server)
    other = page.context.new_page()
    other.goto(f"{server.url}/label")
    other.wait_for_selector(READY)
    first = item(page)
    assert item(other) == first
    press(page, "a", "Enter")
    next_after(page, first)
    until_saved(page)
    assert "another tab" in other.inner_text("[data-notice]")
    other.bring_to_front()
    press(other, "b", "Enter")
    other.wait_for_selector("dialog[open]")
    told = other.inner_text("dialog[open]")
    assert "Saved already\n\nA" in told
    assert "not saved\n\nB" in told
    other.click(f"[data-keep={choice}]")
    until_saved(other)
    other.wait_for_timeout(300)
    other.goto(f"{server.url}/label/{first}")
    assert other.inner_text("[data-value][aria-pressed=true]").startswith(kept)


def invite(page: Any, server: Running, name: str, role: str = "label") -> str:
    page.goto(f"{server.url}/people")
    page.fill("form.box [name=name]", name)
    page.set_checked("[value=label]", role == "label")
    page.set_checked("[value=adjudicate]", role == "adjudicate")
    page.click("form.box button.main")
    return str(page.inner_text(".token"))


def test_two_people_at_once(page: Any, browser: Any, start: Start) -> None:
    server = start(12, "--overlap", 2)
    begin(page, server)
    link = invite(page, server, "Grace")
    page.reload()
    page.goto(f"{server.url}/people")
    assert link not in page.content()
    hers = browser.new_context()
    grace = hers.new_page()
    grace.goto(link)
    grace.wait_for_selector(READY)
    assert grace.url == f"{server.url}/label"
    assert grace.evaluate("document.cookie") == ""
    assert "Agreement" not in grace.inner_text("nav")
    page.goto(f"{server.url}/label")
    page.wait_for_selector(READY)
    for _ in range(12):
        for who in (page, grace):
            now = item(who)
            press(who, "a" if who is page else "b", "Enter")
            next_after(who, now)
    for who in (page, grace):
        who.wait_for_selector("h1:has-text('Done')")
        until_saved(who)
        assert done(who) == 12
    page.goto(f"{server.url}/people")
    assert page.inner_text("table").count("12 of 12") == 2
    hers.close()


def test_hostile_texts_run_nothing(page: Any, start: Start) -> None:
    texts = dict(enumerate(CORPUS.values()))
    server = start(len(texts), texts=texts)
    begin(page, server)
    for _ in texts:
        for raw in range(2):
            assert page.evaluate("window.ran ?? window.parent.ran") is None
            assert page.query_selector(".responses :is(a, img, script, svg, iframe, form)") is None
            assert "\u202e" not in page.content()
            press(page, "r")
            assert (page.query_selector(".as-raw") is None) == bool(raw)
        now = item(page)
        press(page, "t", "Enter")
        next_after(page, now)
    page.wait_for_selector("h1:has-text('Done')")
    assert page.evaluate("window.ran") is None


SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
RTL = "هذا نص عربي طويل. **مهم**: لا يوجد ما يكفي من المعلومات.\n\n- أولاً\n- ثانياً"


@pytest.mark.parametrize("size", SIZES)
def test_long_texts_scroll_in_their_column_and_the_verdict_stays(
    page: Any, start: Start, size: str, shots: Path
) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    begin(page, start(2, texts={0: "A long response. " * 1200, 1: RTL}))
    for _ in range(2):
        page.screenshot(path=shots / f"review-{size}-{item(page)}.png")
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0
        bar = page.query_selector(".bar").bounding_box()
        assert bar["y"] + bar["height"] <= SIZES[size][1] + 1
        assert page.locator(".direction, .rubric summary").locator("visible=true").count() == 1
        body = page.locator(".response .body").first
        body.evaluate("one => { one.scrollTop = 400; }")
        assert page.query_selector(".bar").bounding_box() == bar
        now = item(page)
        press(page, "a", "Enter")
        next_after(page, now)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pages_can_be_used_by_everybody(browser: Any, start: Start, size: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    server = start(8)
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.goto(server.url)
    found = {"/hello": Axe().run(page).response["violations"]}
    begin(page, server)
    label(page, 2)
    for path in ("/label", "/adjudicate", "/conflicts", "/agreement", "/people", "/export", "/no"):
        page.goto(f"{server.url}{path}")
        found[path] = Axe().run(page).response["violations"]
    context.close()
    told = {path: [(v["id"], v["nodes"][0]["html"]) for v in all_] for path, all_ in found.items()}
    assert {path: faults for path, faults in told.items() if faults} == {}


def test_a_mouse_is_enough(page: Any, start: Start) -> None:
    begin(page, start(2))
    first = item(page)
    page.click("[data-value=B]")
    page.click("[data-do=save]")
    next_after(page, first)
    page.click("[data-do=save]")
    assert "Choose a verdict first" in page.inner_text(".wrong")
    page.click("[data-do=bad_item]")
    page.wait_for_selector("h1:has-text('Done')")
    assert re.match("2 of 2", page.inner_text("[data-progress-words]"))


def test_a_disagreement_is_adjudicated_blind_first(
    page: Any, browser: Any, start: Start, shots: Path
) -> None:
    server = start(3, "--overlap", 2)
    begin(page, server)
    links = [invite(page, server, "Grace"), invite(page, server, "Cora", "adjudicate")]
    grace, cora = (browser.new_context().new_page() for _ in links)
    for who, link in zip((grace, cora), links, strict=True):
        who.set_default_timeout(10_000)
        who.goto(link)
    page.goto(f"{server.url}/label")
    for who, name in ((page, "Ada"), (grace, "Grace")):
        who.wait_for_selector(READY)
        for _ in range(3):
            now = item(who)
            texts = [one.inner_text() for one in who.query_selector_all(".response .text")]
            he = next(at for at, text in enumerate(texts) if "He did" in text)
            press(who, "n")
            who.keyboard.type(f"{name} says so")
            press(who, "Escape", "ab"[he if who is page else 1 - he], "Enter")
            next_after(who, now)
        until_saved(who)
    cora.goto(f"{server.url}/adjudicate")
    cora.click(".button.main")
    cora.wait_for_selector(READY)
    assert "says so" not in cora.content()
    press(cora, "a", "Enter")
    cora.wait_for_selector("h1:has-text('side by side')")
    cora.screenshot(path=shots / "review-adjudicate.png", full_page=True)
    cards = [one.inner_text() for one in cora.query_selector_all(".card")]
    said = {one.split()[0]: one.split("\n\n")[1].split()[0] for one in cards}
    he = cora.locator(".response", has_text="He did").get_attribute("aria-label").split()[-1]
    assert said["Ada"] == he
    assert said["Grace"] not in (he, "TIE")
    assert sum("says so" in one for one in cards) == 2
    cora.fill("[name=reason]", "The rubric says both")
    cora.fill("[name=tag]", "rubric conflict")
    cora.click("form.box button.main")
    cora.wait_for_selector(READY)
    cora.goto(f"{server.url}/conflicts")
    assert "The rubric says both" in cora.inner_text("main")
    cora.goto(f"{server.url}/adjudicate")
    assert "next of 2" in cora.inner_text("main")
    page.goto(f"{server.url}/agreement")
    assert "Ada" in page.inner_text("main")
    for who in (grace, cora):
        who.context.close()


def test_what_was_labelled_is_exported_and_measured(
    page: Any, start: Start, tmp_path: Path
) -> None:
    server = start(24)
    begin(page, server)
    label(page, 24)
    page.goto(f"{server.url}/export")
    page.click("main button.main")
    with page.expect_download() as download:
        page.click("a[href='/export/labels.csv']")
    table = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert len(table.splitlines()) >= 25
    judged = tmp_path / "judged.jsonl"
    rows = [{"item": f"p{row}", "judge": "always A", "verdict": "A"} for row in range(24)]
    judged.write_text("".join(json.dumps(row | {"names": "worse"}) + "\n" for row in rows))
    done = subprocess.run(
        [sys.executable, "-m", "judgesmith", "evaluate",
         str(tmp_path / "pairs.review" / "labels.jsonl"), str(judged),
         "--out", str(tmp_path / "measured")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "24" in done.stdout
