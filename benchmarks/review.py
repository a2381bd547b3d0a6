"""How fast the pages of a review are, with 100,000 items: first paint, and the next item.

    python -m benchmarks.review [--items 100000] [--times 100]

The server is the real one in a process of its own, the browser real Chromium. First paint is what
the browser reports from the start of the navigation; the next item is the time from the key that
saves an answer until the next item stands on the page.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests" / "review"))
from reviewed import running, write_pairs

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
NEXT = """() => new Promise((done) => {
  const slot = document.getElementById('slot');
  const before = slot.querySelector('article.item').dataset.item;
  const begun = performance.now();
  const watch = new MutationObserver(() => {
    const now = slot.querySelector('article.item');
    if (!now || now.dataset.item === before) return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - begun));
  });
  watch.observe(slot, { childList: true, subtree: true });
  for (const key of ['a', 'Enter']) document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
})"""  # noqa: E501


def told(name: str, ms: list[float], aim: float) -> None:
    """Median and 95th percentile in milliseconds beside the aim."""
    p95 = statistics.quantiles(ms, n=20)[-1]
    print(f"{name:<12} median {statistics.median(ms):6.1f} ms   p95 {p95:6.1f} ms   "
          f"aim p95 {aim:.0f} ms   n {len(ms)}")  # fmt: skip


def measure(url: str, times: int) -> None:
    from playwright.sync_api import sync_playwright

    found = next(path for name in NAMES if (path := shutil.which(name)))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.fill("[name=name]", "Ada")
        page.click("button.main")
        page.wait_for_selector("[data-ready] article.item")
        paints = [_paint(page, f"{url}/label") for _ in range(times)]
        told("first paint", paints, 200)
        waits = []
        for _ in range(times):
            page.wait_for_timeout(250)  # somebody reads, however briefly
            waits.append(float(page.evaluate(NEXT)))
        told("next item", waits, 50)
        browser.close()


def _paint(page: Any, url: str) -> float:
    page.goto(url)
    while not (found := page.evaluate(PAINT)):
        page.wait_for_timeout(20)
    return float(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = write_pairs(Path(folder) / "pairs.jsonl", asked.items)
        begun = time.perf_counter()
        with running(source, "--port", 0) as server:
            print(f"{asked.items:,} items read and served in {time.perf_counter() - begun:.1f} s")
            measure(server.url, asked.times)


if __name__ == "__main__":
    main()
