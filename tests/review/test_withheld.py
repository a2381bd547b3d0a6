"""What is withheld until the own answer is in no reply of the server, whatever is asked."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reviewed import Person, Running, answer_of, running
from starlette.testclient import TestClient

from judgesmith.records import Kind, Status, choice
from judgesmith.review.access import Room, Settings
from judgesmith.review.app import create_app
from judgesmith.review.exporting import FILES
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
    return made(tmp_path_factory.mktemp("withheld"))


def made(folder: Path) -> Path:
    """A file beside which there is a review of items with all that can be withheld."""
    path = folder / "pairs.jsonl"
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


def routes(source: Path, method: str) -> list[str]:
    """Every path that can be read, or written to, with an item in the place of its name."""
    review = Review.open(source.with_suffix(".review"))
    app = create_app(Room(review, Settings()))
    return [
        path for route in _leaves(app.routes) if method in (getattr(route, "methods", None) or ())
        and (path := str(getattr(route, "path", ""))) not in ASIDE
    ]  # fmt: skip


def asked_of(source: Path, items: list[str]) -> list[str]:
    """Every path that can be read of these items, as pages ask for it and as they do not."""
    found = routes(source, "GET")
    assert {"/label/{item_id}", "/adjudicate/{item_id}", "/api/feedback/{item_id}"} <= set(found)
    paths = [f"/export/{name}" for name in FILES]
    for path in found:
        if path != "/export/{name}":
            paths += [re.sub(r"\{\w+\}", one, path) for one in (items if "{" in path else [""])]
    queries = ("", "?round=label", "?round=adjudicate", "?ahead=50")
    return [one + query for one in paths for query in queries]


def posted(item: str) -> dict[str, Any]:
    """What each path is sent that would tell most, were it to tell."""
    return {
        "/api/hello": {"name": "Eve"},
        "/api/answers": answer_of(item, "A", replaces="another"),
        "/api/undo": {"id": str(uuid.uuid4())},
        "/api/outcomes/{item_id}": {
            "id": str(uuid.uuid4()), "bad_item": ["yes"], "reason": "so", "tag": "", "replaces": "",
        },
        "/api/people": {"name": "Finn", "roles": ["label"]},
        "/api/people/link": {"name": "Grace"},
        "/api/export": {},
    }  # fmt: skip


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
    for path in asked_of(source, items):
        told = cora.call(path).text
        assert [word for word in SECRETS if word in told] == [], path
        assert "Grace" not in told, path

    item = items[0]
    assert cora.answer(item, "B", round="adjudicate").status == 200
    told = cora.call(f"/adjudicate/{item}").text
    assert [word for word in SECRETS if word not in told] == []
    assert "Grace" in told


def test_an_owner_who_labels_is_told_nothing_of_an_item_before_the_own_answer(
    tmp_path: Path,
) -> None:
    source = made(tmp_path)
    with running(source, "--port", 0) as server:
        ada = Person(server.url).named("Ada")
        grace = Person(server.url).entered(ada.invite("Grace", "label"))
        first = grace.next()[0]["item_id"]
        grace.answer(first, "A", round="calibration", note="secret note")
        items = [one["item_id"] for one in grace.next(5)]
        for item in items:
            assert grace.answer(item, "A", note="secret note").status == 200
        assert ada.call("/api/export", {}).status == 200  # on disk, shown to nobody
        for path in asked_of(source, [first, *items]):
            told = ada.call(path).text
            overview = path.startswith("/agreement")  # numbers of all items, by bucket
            secrets = [word for word in SECRETS if not (overview and word == "hidden-cell")]
            assert [word for word in secrets if word in told] == [], path
        assert not any(f"/adjudicate/{one}" in ada.call("/adjudicate").text for one in items)
        bodies = posted(items[0])
        assert bodies.keys() == set(routes(source, "POST"))
        for path, body in bodies.items():
            told = ada.call(path.format(item_id=items[0]), body).text
            assert [word for word in SECRETS if word in told] == [], path
        assert "may still be asked about" in ada.call("/export/labels.csv").text

        ada.answer(ada.next()[0]["item_id"], "A", round="calibration")
        answers = {one["item_id"]: answer_of(one["item_id"], "A") for one in ada.next(9)}
        for body in answers.values():
            assert ada.call("/api/answers", body).status == 200
        assert "secret note" in ada.call("/export/labels.csv").text
        changed = answer_of(items[0], "B", replaces=answers[items[0]]["id"])
        refused = ada.call("/api/answers", changed)
        assert (refused.status, "stays" in refused.text) == (422, True)


def test_no_page_says_that_an_item_comes_again(tmp_path: Path) -> None:
    source = tmp_path / "pairs.jsonl"
    source.touch()
    about = about_dialect("pairs", str(source), load_dialect(load_task("bias"), "bias-pair"))
    folder = source.with_suffix(".review")
    review = Review.make(folder, about, map(an_item, range(3)), Plan(repeats=1.0))
    client = TestClient(create_app(Room(review, Settings())), "http://127.0.0.1")
    client.get(f"/enter/{review.add_annotator('Ann', ['label'])}")
    csrf = re.findall(r'data-csrf="(\w+)"', client.get("/label").text)[0]
    headers = {"Origin": "http://127.0.0.1", "X-CSRF": csrf}
    rounds = set()
    for _ in range(6):
        (one,) = client.get("/api/next").json()["items"]
        told = client.get("/label").text + str(one) + client.get(f"/label/{one['item_id']}").text
        assert "repeat" not in told.lower()
        rounds.add(one["round"])
        body = answer_of(one["item_id"], "A", round=one["round"])
        assert client.post("/api/answers", json=body, headers=headers).status_code == 200
    assert len(rounds) == 6
    assert sorted(one.round for one in review.history("Ann")) == ["label"] * 3 + ["repeat"] * 3
