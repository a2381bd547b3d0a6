"""Two browsers label the published 300 pairs, a third adjudicates, and the labels come out."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "review"))
from labelling import READY, item, next_after, press, until_saved
from reviewed import Running, running

from judgesmith.pipeline.readable import open_readable
from judgesmith.records import content_id

DATA = os.environ.get("JUDGESMITH_DATA", "")
OTHER = {"A": "B", "B": "TIE", "TIE": "A"}
EVERY = 10
"""The second person says another thing of so many items, one of each."""
SETTLED = 3


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    if not (Path(DATA) / "judge_from_scratch").is_dir():
        pytest.skip("JUDGESMITH_DATA names no folder with judge_from_scratch")
    out = tmp_path / "review"
    asked = ("judge_from_scratch", "--data", DATA, "--out", out, "--dialect", "bias-pair")
    with running(*asked, "--overlap", 2, "--port", 0, "--name", "Owner") as found:
        yield found


def link(server: Running, folder: Path, name: str, role: str) -> str:
    """Somebody who is no person: this is a script."""
    told = command("review", "judge_from_scratch", "--out", folder, "--new-annotator", name,
                   "--role", role, "--simulated")  # fmt: skip
    return f"{server.url}/enter/{told.partition('ADDRESS/enter/')[2].split()[0]}"


def command(*words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "judgesmith", *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def published() -> tuple[dict[str, tuple[str, str]], dict[str, Any]]:
    """By the id that a review gives an item: the first response, and the published label."""
    found: dict[str, tuple[str, str]] = {}
    rows = list(open_readable(["judge_from_scratch"], data=Path(DATA)).read())
    for row in rows:
        for one in row.judgments:
            if one.role == "person" and row.item.responses and one.verdict:
                found[content_id("reviewed", row.item.id)] = (row.item.responses[0], one.verdict)
    return found, {row.item.id: row for row in rows}


def say(page: Any, known: dict[str, tuple[str, str]], verdict: str | None = None) -> str:
    """Press what the label is, in the order that this person sees."""
    now = item(page)
    first, label = known[now]
    shown = page.text_content("[data-letter=A] pre.raw").strip()
    straight = shown.split() == first.split()
    meant = verdict or label
    key = meant if meant == "TIE" or straight else {"A": "B", "B": "A"}[meant]
    press(page, key[0].lower(), "Enter")
    return now


def test_two_browsers_label_the_300_pairs_and_a_third_adjudicates(
    server: Running, browser: Any, tmp_path: Path, shots: Path
) -> None:
    folder = tmp_path / "review"
    known, _ = published()
    assert len(known) == 300
    names = (("first", "label"), ("second", "label"), ("third", "adjudicate"))
    contexts = [browser.new_context(viewport={"width": 1280, "height": 800}) for _ in names]
    first, second, third = (one.new_page() for one in contexts)
    for page, (name, role) in zip((first, second, third), names, strict=True):
        page.set_default_timeout(20_000)
        page.goto(link(server, folder, name, role))
    differing = set(sorted(known)[::EVERY])
    for page in (first, second):
        page.wait_for_selector(READY)
    for _ in range(300):
        for page in (first, second):
            now = item(page)
            turned = page is second and now in differing
            say(page, known, OTHER[known[now][1]] if turned else None)
            next_after(page, now)
    for page in (first, second):
        page.wait_for_selector("h1:has-text('Done')")
        until_saved(page)
    third.goto(f"{server.url}/adjudicate")
    third.click(".button.main")
    for _ in range(SETTLED):
        third.wait_for_selector(READY)
        say(third, known)
        third.wait_for_selector("h1:has-text('side by side')")
        third.fill("[name=reason]", "As the published label says")
        third.click("form.box button.main")
    third.wait_for_selector(READY)
    first.screenshot(path=shots / "review-300.png")
    told = command("review", "judge_from_scratch", "--out", folder, "--status")
    waiting = int(told.partition("items labelled, ")[2].split()[0])
    assert waiting == len(differing) - SETTLED, told
    assert "simulated" in told
    command("review", "judge_from_scratch", "--out", folder, "--export")
    final = [json.loads(line) for line in (folder / "final.jsonl").read_text().splitlines()]
    assert len(final) == 300 - len(differing) + SETTLED
    assert sum(row["policy"].startswith("adjudicated by third") for row in final) == SETTLED
    assert {row["kind"] for row in final} == {"simulated"}
    by = {content_id("reviewed", row["item"]): row["label"] for row in final}
    assert all(label == known[one][1] for one, label in by.items())
    for context in contexts:
        context.close()
