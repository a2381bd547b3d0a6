"""The page to try the judge, as a person uses it, in real Chromium."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from judges import PAIR, scripted_judge
from served import Server, until

from judgesmith.serving.keys import Keys
from judgesmith.web.keys import hash_key

Serve = Callable[..., Server]
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
HOSTILE = "splendid <img src=x onerror=alert(1)><script>alert(2)</script>"


def opened(page: Any, server: Server) -> None:
    page.goto(server.url)
    page.wait_for_selector("#responses textarea")


def fill(page: Any, **texts: str) -> None:
    for name, text in texts.items():
        page.fill(f'[name="{name.replace("__", ".")}"]', text)


def judged(page: Any) -> str:
    page.click("#judge")
    page.wait_for_selector("#said:not([aria-busy]) :is(.verdict, .fault)")
    return str(page.inner_text("#said"))


def wide_by(page: Any) -> int:
    root = "document.documentElement"
    return int(page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


def a_pair(page: Any, second: str = "awful") -> None:
    fill(page, question="Where is it?", fields__criterion="Does it say when?")
    fill(page, response_a="splendid", response_b=second)


def test_a_pair_is_judged_in_both_orders(page: Any, serve: Serve) -> None:
    opened(page, serve(scripted_judge()[0]))
    assert page.inner_text("#which").startswith("scripted · prometheus-relative · version ")
    a_pair(page)
    said = judged(page)
    for words in ("Response A is better", "Confidence 80.0% (not calibrated)", "Both orders give",
                  "Over both orders", "Shown A then B: A", "Shown B then A: A", "So."):  # fmt: skip
        assert words in said, words
    bars = [one.get_attribute("aria-label") for one in page.query_selector_all(".bars")]
    assert bars == [
        "Over both orders: A 80.0%, B 20.0%", "Shown A then B: A: A 80.0%, B 20.0%",
        "Shown B then A: A: A 80.0%, B 20.0%",
    ]  # fmt: skip
    track, fill_ = (
        page.query_selector(f".bars {one}").bounding_box() for one in (".track", ".fill")
    )
    assert fill_["width"] / track["width"] == pytest.approx(0.8, abs=0.02)
    page.uncheck('[name="rationale"]')
    assert "So." not in judged(page)


def test_a_row_unlike_those_it_learned_from_is_warned_of(page: Any, serve: Serve) -> None:
    opened(page, serve(replace(scripted_judge()[0], always=("context",))))
    a_pair(page)
    assert "Warning: the row has no `context`" in judged(page)
    fill(page, context="They met.")
    assert "Warning" not in judged(page)


def test_what_is_not_needed_is_not_asked(page: Any, serve: Serve) -> None:
    opened(page, serve(scripted_judge()[0]))
    shown = [one.get_attribute("name") for one in page.query_selector_all("textarea")
             if one.is_visible()]  # fmt: skip
    assert shown == ["context", "question", "fields.criterion", "response_a", "response_b"]


def test_one_response_alone_and_two(page: Any, serve: Serve) -> None:
    opened(page, serve(scripted_judge("prometheus-absolute")[0]))
    fill(page, question="Where?", fields__criterion="When?", fields__levels="1\n2\n3\n4\n5")
    fill(page, response_a="splendid")
    assert "Score 4.50" in judged(page)
    fill(page, response_b="no")
    said = judged(page)
    assert "Response A is better" in said
    assert "Each response was scored alone, so there is no order." in said


def test_a_list(page: Any, serve: Serve) -> None:
    opened(page, serve(scripted_judge("judgelm-list")[0]))
    fill(page, question="Where?")
    for place in range(3):
        fill(page, **{f"responses__{place}": f"text {place}"})
    assert "Scores below" in judged(page)


def test_texts_are_text(page: Any, serve: Serve) -> None:
    judge, model = scripted_judge()
    opened(page, serve(judge))
    a_pair(page)
    fill(page, response_a=HOSTILE)
    judged(page)
    assert any(HOSTILE in prompt for prompt in model.prompts)
    assert page.query_selector_all("#said img, #said script") == []


def test_a_fault_is_told(page: Any, serve: Serve) -> None:
    server = serve(scripted_judge()[0], body_bytes=2_000)
    opened(page, server)
    a_pair(page, second="x" * 3_000)
    assert "at most 2000 bytes" in judged(page)
    a_pair(page)
    assert "Response A is better" in judged(page)


def test_a_key_is_asked_for_and_sent(page: Any, serve: Serve) -> None:
    keys = Keys((hash_key("mine"),))
    page.goto(serve(scripted_judge()[0], keys=keys).url)
    page.wait_for_selector("#key:visible")
    page.fill("#key", "mine")
    page.press("#key", "Tab")
    page.wait_for_selector("#responses textarea")
    a_pair(page)
    assert "Response A is better" in judged(page)
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_the_page_waits_for_the_judge(page: Any, serve: Serve) -> None:
    judge, model = scripted_judge()
    model.held.clear()
    page.goto(serve(judge, ready=False).url)
    page.locator("#which", has_text="loaded").wait_for()  # a function would break the page's policy
    model.held.set()
    page.wait_for_selector("#responses textarea", timeout=10_000)


def test_it_works_by_keyboard_and_everything_has_a_name(page: Any, serve: Serve) -> None:
    opened(page, serve(scripted_judge()[0]))
    page.focus('[name="context"]')
    for text in ("c", "Where is it?", "When?", "splendid", "awful"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said .verdict")
    nameless = page.evaluate(
        "[...document.querySelectorAll('textarea, input, select')]"
        ".filter(one => !one.labels.length).length"
    )
    assert nameless == 0


def test_the_example_is_judged(page: Any, serve: Serve) -> None:
    opened(page, serve(scripted_judge()[0]))
    page.click("#example")
    assert "No verdict: the two orders disagree" in judged(page)


def test_the_api_page_shows_every_path(page: Any, serve: Serve) -> None:
    server = serve(scripted_judge()[0])
    page.goto(f"{server.url}/docs")
    page.wait_for_selector("article")
    paths = server.call("/openapi.json").json["paths"]
    assert len(page.query_selector_all("article")) == sum(map(len, paths.values()))
    page.click("summary:text('OneRow')")
    assert "response_a" in page.inner_text("article details[open]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(
    size: str, scheme: str, browser: Any, serve: Serve, shots: Path
) -> None:
    """At 390 pixels as at 1280, also with long words; kept as pictures for people to look at."""
    width, height = SIZES[size]
    server = serve(scripted_judge()[0])
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    opened(page, server)
    a_pair(page)
    judged(page)
    page.screenshot(path=str(shots / f"{size}-{scheme}.png"), full_page=True)
    assert wide_by(page) == 0
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) < 150) is (scheme == "dark")
    fill(page, response_a="splendid" * 60)
    judged(page)
    assert wide_by(page) == 0
    page.goto(f"{server.url}/docs")
    page.wait_for_selector("article")
    page.screenshot(path=str(shots / f"{size}-{scheme}-docs.png"), full_page=True)
    assert wide_by(page) == 0
    context.close()
    until(lambda: server.judge(PAIR).status == 200)
