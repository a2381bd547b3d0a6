"""How fast the pages to look at a run are, with 100,000 items that a judge judged in both orders.

    python -m benchmarks.look [--items 100000] [--times 40]

The server is the real one in a process of its own; a page is the time from the request until its
whole text is there. The first page of a filter, for which its items are counted, stands by itself.
Measured twice: for who only looks, and for an owner who labels the run's items, from whom all is
withheld that they have not answered. Last is the time to find items without the index: to read the
items' file and keep those of a bucket.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import orjson

sys.path.append(str(Path(__file__).parents[1] / "tests" / "review"))
from looked import PAIR, made
from reviewed import Person, running

FILES = ("questions/questions", "responses/responses", "items/items", "split/items")
JUDGES = {"labels/judgments": ("teacher", "second"), "evaluate/judgments": ("student",)}
BUCKETS = ("clear_bias", "adversarial", "both_fine", "alike")
CATEGORIES = ("age", "religion", "gender", "nationality")
WORDS = ("shop", "train", "garden", "office", "lesson", "market", "bridge", "letter")
PAGES = {
    "all": "", "bucket": "bucket=adversarial", "two words": "q=market+4321", "a word": "q=market",
    "judge's verdict": "judge=student&verdict=A", "wrong order": "flips=1", "unsure": "sort=sure",
    "unsure student": "sort=sure&judge=student", "disagreement": "sort=agreement",
    "two judges": "judge=student&other=teacher&agree=differ", "generator": "model=gen-one",
}  # fmt: skip


def write_run(folder: Path, count: int) -> None:
    """A run of so many items, two a question, with the judgments of three judges."""
    drawn = random.Random(11)
    run_dir = made(folder)
    first = {name: _first(run_dir.file(f"{name}.jsonl")) for name in FILES}
    judgment = _first(run_dir.file("labels/judgments.jsonl"))
    for name in FILES:
        _write(folder / f"{name}.jsonl", _records(name, first[name], count, drawn))
    for name, judges in JUDGES.items():
        _write(folder / f"{name}.jsonl", _judgments(judgment, judges, count, drawn))
    recipe = resources.files("judgesmith") / "recipes" / "quickstart.yaml"
    (folder / "recipe.yaml").write_text(recipe.read_text())


def _first(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return dict(orjson.loads(next(file)))


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.writelines(orjson.dumps(row) + b"\n" for row in rows)


def _records(
    name: str, like: dict[str, Any], count: int, drawn: random.Random
) -> Iterator[dict[str, Any]]:
    for n in range(count // 2 if name.startswith("questions") else count):
        if name.startswith("questions"):
            text = f"Who was at the {drawn.choice(WORDS)}, number {n}?"
            yield {**like, "id": f"q{n}", "group_id": str(n), "text": text,
                   "category": drawn.choice(CATEGORIES)}  # fmt: skip
        elif name.startswith("responses"):
            text = " ".join(drawn.choices(WORDS, k=40))
            yield {**like, "id": f"r{n}", "question_id": f"q{n // 2}", "text": text,
                   "model": drawn.choice(("gen-one", "gen-two", "gen-three"))}  # fmt: skip
        else:
            yield {**like, "id": f"i{n}", "question_id": f"q{n // 2}",
                   "bucket": BUCKETS[n % 4], "response_ids": [f"r{n - n % 2}", f"r{n - n % 2 + 1}"],
                   "split": ("test", "train", "train", "train")[n // 2 % 4]}  # fmt: skip


def _judgments(
    like: dict[str, Any], judges: tuple[str, ...], count: int, drawn: random.Random
) -> Iterator[dict[str, Any]]:
    for n in range(count):
        for judge in judges:
            for order in ([0, 1], [1, 0]):
                p = drawn.random()
                verdict = {"kind": "choice", "value": "A" if p > 0.5 else "B"}
                yield {**like, "id": f"{judge}{n}{order[0]}", "item_id": f"i{n}", "judge": judge,
                       "dialect": PAIR.hash, "order": order, "verdict": verdict,
                       "distribution": {"verdict": {"A": p, "B": 1 - p}}}  # fmt: skip


def told(name: str, ms: list[float], aim: float | None = 50, first: float | None = None) -> None:
    """Median and 95th percentile in milliseconds, beside the aim where there is one."""
    p95 = statistics.quantiles(ms, n=20)[-1]
    aimed = "" if aim is None else f"   aim p95 {aim:.0f} ms"
    print(
        f"{name:<20} median {statistics.median(ms):7.1f} ms   p95 {p95:7.1f} ms{aimed}", flush=True
    )


def timed(act: Callable[[], object], times: int) -> list[float]:
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        found.append(1000 * (time.perf_counter() - begun))
    return found


def measure(person: Person, times: int, count: int) -> None:
    """Time each kind of page, its next page, and items drawn at random."""
    everything: list[float] = []
    firsts: list[float] = []
    for name, query in PAGES.items():
        firsts += timed(lambda query=query: person.call(f"/look?{query}"), 1)  # type: ignore[misc]
        waits = timed(lambda query=query: person.call(f"/look?{query}"), times)  # type: ignore[misc]
        told(name, waits, first=firsts[-1])
        everything += waits
    drawn = random.Random(3)
    waits = timed(lambda: person.call(f"/look/i{drawn.randrange(count)}?sort=sure"), times)
    told("an item", waits)
    told("all of these", everything + waits)
    told("first of a filter", firsts, None)


def _scan(folder: Path) -> list[str]:
    with (folder / "split/items.jsonl").open("rb") as file:
        rows = (orjson.loads(line) for line in file)
        return [row["id"] for row in rows if row["bucket"] == "adversarial"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        write_run(folder, asked.items)
        begun = time.perf_counter()
        with running(folder, "--port", 0, "--look") as server:
            print(
                f"{asked.items:,} items indexed and served in {time.perf_counter() - begun:.1f} s"
            )
            measure(Person(server.url), asked.times, asked.items)
        print("an owner who labels:")
        with running(folder, "--port", 0) as server:
            owner = Person(server.url).named("Ada")
            for item in owner.next(20):
                owner.answer(item["item_id"], "A")
            measure(owner, asked.times, asked.items)
        told("without the index", timed(lambda: _scan(folder), 10), None)


if __name__ == "__main__":
    main()
