"""What is withheld until the own answer is in no reply of the server, whatever is asked."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from reviewed import Person, Running, running

from judgesmith.records import Kind, Status, choice
from judgesmith.review.access import Room, Settings
from judgesmith.review.app import create_app
from judgesmith.review.items import about_dialect
from judgesmith.review.review import Review
from judgesmith.review.types import Gold, Plan, ReviewItem, Said
from judgesmith.tasks import load_dialect, load_task

pytestmark = pytest.mark.wide

SECRETS = ("hidden-cell", "writer-one", "writer-two", "the-teacher", "taught why", "secret note")
ASIDE = ("/enter/{token}", "/healthz", "/static/{name}")


def an_item(row: int) -> ReviewItem:
    return ReviewItem(
        id=f"p{row}", name=f"p{row}", kind=Kind.PAIR, cluster=f"q{row}", question=f"Who {row}?",
        responses=(f"He did, at {row}.", f"Nobody says who, at {row}."), bucket="hidden-cell",
        generators=("writer-one", "writer-two"), gold=Gold(choice("A"), "known to be so"),
        said=(Said("the-teacher", "teacher", Status.PARSED, choice("B"), None, "taught why"),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file beside which there is a review of items with all that can be withheld."""
    path = tmp_path_factory.mktemp("withheld") / "pairs.jsonl"
    path.touch()
    about = about_dialect("pairs", str(path), load_dialect(load_task("bias"), "bias-pair"))
    Review.make(
        path.with_suffix(".review"), about, map(an_item, range(6)), Plan(overlap=2, calibration=1)
    )
    return path


@pytest.fixture(scope="module")
def server(source: Path) -> Iterator[Running]:
    with running(source, "--port", 0) as found:
        yield found


def get_routes(server: Running, source: Path) -> list[str]:
    """Every path that can be read, with an item in the place of its name."""
    review = Review.open(source.with_suffix(".review"))
    app = create_app(Room(review, Settings()))
    found = [
        path for route in _leaves(app.routes) if "GET" in (getattr(route, "methods", None) or ())
        and (path := str(getattr(route, "path", ""))) not in ASIDE
    ]  # fmt: skip
    assert {"/label/{item_id}", "/adjudicate/{item_id}", "/api/feedback/{item_id}"} <= set(found)
    return found


def _leaves(routes: object) -> Iterator[object]:
    for route in routes:  # type: ignore[attr-defined]
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None and hasattr(inner, "routes"):
            yield from _leaves(inner.routes)
        else:
            yield route


def test_nothing_withheld_is_told_before_the_own_answer(server: Running, source: Path) -> None:
    owner = Person(server.url).named("Ada")
    links = [owner.invite("Grace", "label"), owner.invite("Cora", "label", "adjudicate")]
    grace, cora = (Person(server.url).entered(link) for link in links)
    practice = grace.next()[0]
    assert practice["round"] == "calibration"
    assert grace.call(f"/api/feedback/{practice['item_id']}").json == {"gold": None}
    grace.answer(practice["item_id"], "A", round="calibration")
    assert grace.call(f"/api/feedback/{practice['item_id']}").json["gold"] in ("A", "B")
    items = [one["item_id"] for one in grace.next(5)]
    for item in items:
        assert grace.answer(item, "A", note="secret note").status == 200
    for path in get_routes(server, source):
        if path == "/export/{name}":
            paths = ["/export/labels.csv", "/export/judgments.jsonl"]
        else:
            paths = [re.sub(r"\{\w+\}", item, path) for item in (items if "{" in path else [""])]
        for one in paths:
            for query in ("", "?round=label", "?round=adjudicate", "?ahead=50"):
                told = cora.call(one + query).text
                assert [word for word in SECRETS if word in told] == [], one + query
                assert "Grace" not in told, one + query

    item = items[0]
    assert cora.answer(item, "B", round="adjudicate").status == 200
    told = cora.call(f"/adjudicate/{item}").text
    assert [word for word in SECRETS if word not in told] == []
    assert "Grace" in told
