"""Servers as in tests/serving, and a real browser."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "serving")]
from served import Server, served  # noqa: E402

SHOTS = HERE.parents[1] / "build" / "browser"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is external."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("external")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers; all are stopped at the end of the test."""
    with ExitStack() as running:
        yield lambda *given, **settings: running.enter_context(served(*given, **settings))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium there; run `make test-browser`", pytrace=False)
    with sync_playwright() as play:
        opened = play.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
                  "--disable-background-networking", "--disable-component-update"],
        )  # fmt: skip
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page on which any error of a script, or of its policy, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    shown = context.new_page()
    faults: list[str] = []
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on(
        "console",
        lambda said: (
            faults.append(said.text)
            # A refused request is told as "status of", one without a connection as "net::".
            if said.type == "error" and "status of" not in said.text and "net::" not in said.text
            else None
        ),
    )
    outside: list[str] = []
    shown.on(
        "request",
        lambda asked: outside.append(asked.url) if "//127.0.0.1:" not in asked.url else None,
    )
    yield shown
    context.close()
    assert faults == []
    assert outside == []


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots are kept."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
