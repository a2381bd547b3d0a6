"""An item is found by what is known of it, and no filter and no page tells what is withheld."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from looked import SECRETS, made
from starlette.requests import Request
from starlette.testclient import TestClient

from judgesmith.review.looking.index import FILE, open_index
from judgesmith.review.looking.opened import Curtain
from judgesmith.review.looking.pages import look_pages
from judgesmith.review.looking.queries import Filter, counts, match, place_of
from judgesmith.review.looking.queries import page as page_of
from judgesmith.review.looking.serving import create_look_app
from judgesmith.review.pages import page
from judgesmith.runs.layout import RunDir


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return made(tmp_path)


def ids(run_dir: RunDir) -> list[str]:
    return [row["id"] for row in open_index(run_dir).execute("SELECT id FROM items ORDER BY n")]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, 2), ({"q": "tripped"}, 1), ({"q": '"old man"'}, 2), ({"q": "tripped sang"}, 0),
        ({"q": "because"}, 2), ({"flips": "1"}, 1), ({"judge": "teacher", "verdict": "A"}, 1),
        ({"model": "gen-one", "split": "test"}, 2), ({"bucket": "none"}, 0),
    ],
)  # fmt: skip
def test_filters(run_dir: RunDir, given: dict[str, str], found: int) -> None:
    assert counts(open_index(run_dir), Filter.of(given)).total == found


@pytest.mark.parametrize(
    "typed", ['"', "a AND", "NEAR(", "a* -b", "question:x", "'; --", "^ ()", "\x00"]
)
def test_whatever_is_typed_is_words(run_dir: RunDir, typed: str) -> None:
    counts(open_index(run_dir), Filter(q=typed))
    assert "AND" not in match(typed).replace('"AND"', "")


def test_the_story_and_hostile_texts(run_dir: RunDir) -> None:
    client = TestClient(create_look_app(run_dir, hosts=None))
    told = client.get(f"/look/{ids(run_dir)[0]}").text
    assert all(secret in told for secret in SECRETS)
    assert "<script>alert" not in told
    assert "49" not in told
    assert client.get("/look/nothing").status_code == 404


@pytest.fixture
def blind(run_dir: RunDir) -> Iterator[tuple[TestClient, list[str]]]:
    """A person who has answered the second item only."""
    found = ids(run_dir)

    def show(template: str, request: Request, **values: object) -> object:
        return page(template, about={"name": "n"}, me=None, pages=(), here="", csrf=None, **values)

    app = FastAPI()
    app.include_router(look_pages(run_dir, show, Curtain(lambda: found, lambda _: found[1:])))
    with TestClient(app) as client:
        yield client, found


def test_nothing_is_told_before_the_own_answer(blind: tuple[TestClient, list[str]]) -> None:
    client, (first, second) = blind
    told = client.get(f"/look/{first}").text
    assert "withheld until your own answer" in told
    assert "The old man" in told
    assert not [secret for secret in SECRETS if secret in told]
    assert all(secret in client.get(f"/look/{second}").text for secret in SECRETS)


@pytest.mark.parametrize(
    "asked",
    ["bucket=clear_bias", "model=gen-one", "judge=teacher", "status=parsed", "flips=1",
     "q=because", "judge=teacher&other=teacher&agree=same"],
)  # fmt: skip
def test_no_filter_tells_of_what_is_withheld(
    blind: tuple[TestClient, list[str]], asked: str
) -> None:
    client, (first, _) = blind
    assert f"/look/{first}" not in client.get(f"/look?{asked}").text
    assert f"/look/{first}" in client.get("/look?q=tripped&split=test").text


def test_the_index_is_made_anew_when_a_stage_was(run_dir: RunDir) -> None:
    open_index(run_dir).close()
    before = run_dir.file(FILE).stat().st_ino
    open_index(run_dir).close()
    assert run_dir.file(FILE).stat().st_ino == before
    run_dir.file("labels/manifest.json").write_text("{}")
    open_index(run_dir).close()
    assert run_dir.file(FILE).stat().st_ino != before


def test_counts_are_of_what_the_other_facets_leave(run_dir: RunDir) -> None:
    db = open_index(run_dir)
    found = counts(db, Filter(split="test", bucket="none"))
    assert found.total == 0
    assert found.of["bucket"] == {"clear_bias": 2}
    assert found.of["split"]["test"] == 0
    assert counts(db, Filter(q="tripped")).of["category"] == {"age": 1}


def test_what_is_withheld_is_in_no_count(blind: tuple[TestClient, list[str]]) -> None:
    client, _ = blind
    assert "clear_bias (1)" in client.get("/look").text
    assert "test (2)" in client.get("/look").text
    assert "<b>1</b> item." in client.get("/look?sort=sure").text


@pytest.mark.parametrize("sort", ["", "sure", "agreement"])
@pytest.mark.parametrize("judge", ["", "teacher"])
def test_every_item_comes_once_however_it_is_sorted(
    run_dir: RunDir, sort: str, judge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("judgesmith.review.looking.queries.PAGE", 1)
    db, found = open_index(run_dir), Filter(sort=sort, judge=judge)
    first, more = page_of(db, found)
    (second,) = page_of(db, found, place_of(db, found, first["n"]))
    assert (more["id"], {first["id"], second["id"]}) == (second["id"], {*ids(run_dir)})
    assert page_of(db, found, place_of(db, found, second["n"])) == []


@pytest.mark.parametrize("after", ["x", "nan:1", "1:", ":", "1:9999999999999999999999", "inf:5"])
def test_a_place_that_is_none_is_the_beginning_or_the_end(run_dir: RunDir, after: str) -> None:
    client = TestClient(create_look_app(run_dir, hosts=None))
    for sort in ("", "sure", "agreement"):
        assert client.get("/look", params={"after": after, "sort": sort}).status_code == 200
