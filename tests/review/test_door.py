"""Who gets in, and what pages of other sites can do: nothing."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from reviewed import Person, Running, answer_of, running, write_pairs

pytestmark = pytest.mark.wide


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    source = write_pairs(tmp_path_factory.mktemp("door") / "pairs.jsonl", 20)
    with running(source, "--port", 0) as found:
        yield found


@pytest.fixture(scope="module")
def owner(server: Running) -> Person:
    return Person(server.url).named("Ada")


def test_the_first_names_themselves_and_nobody_after_them(server: Running, owner: Person) -> None:
    other = Person(server.url)
    assert "personal link" in other.call("/hello").text
    assert other.call("/api/hello", {"name": "Eve"}).status == 403
    for path in ("/label", "/people", "/agreement"):
        reply = other.call(path)
        assert (reply.status, reply.headers["location"]) == (303, "/hello")
    assert other.call("/api/next").status == 401


def test_the_cookie_is_for_this_server_alone(server: Running, owner: Person) -> None:
    link = owner.invite("Cora", "label")
    reply = Person(server.url).call(link.removeprefix(server.url))
    cookie = reply.headers["set-cookie"]
    assert (reply.status, reply.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"X-CSRF": ""},
        {"X-CSRF": "0" * 64},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Host": "elsewhere.example"},
    ],
    ids=str,
)
def test_a_page_of_another_site_can_write_nothing(owner: Person, headers: dict[str, str]) -> None:
    before = owner.call("/api/history").json
    item = owner.next()[0]["item_id"]
    reply = owner.call("/api/answers", answer_of(item, "A"), headers)
    assert reply.status in (403, 415, 421)
    assert owner.call("/api/history").json == before


def test_another_host_is_not_answered(owner: Person) -> None:
    assert owner.call("/label", headers={"Host": "elsewhere.example"}).status == 421


def test_every_reply_tells_browsers_what_they_may_load(owner: Person) -> None:
    for path in ("/label", "/api/next", "/static/style.css", "/nowhere", "/hello"):
        policy = owner.call(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"x" * 300_000, 413),
        ({"id": "1"}, 422),
        (answer_of("none-such", "A"), 422),
        ({**answer_of("p", "A"), "more": 1}, 422),
        ({**answer_of("p", "A"), "note": "n" * 5000}, 422),
        ({**answer_of("p", "A"), "seconds": -1}, 422),
    ],
    ids=["cut", "large", "little", "no item", "more", "long note", "time"],
)
def test_what_no_page_sends_is_refused_with_words(owner: Person, body: Any, status: int) -> None:
    reply = owner.call("/api/answers", body)
    assert reply.status == status
    assert len(reply.json["error"]) > 10


def test_a_verdict_off_the_scale_is_refused(owner: Person) -> None:
    item = owner.next()[0]["item_id"]
    for verdict in ("C", "", "a"):
        reply = owner.answer(item, verdict or "?")
        assert reply.status == 422
        assert "expected one of A, B, TIE" in reply.json["error"]


def test_an_annotator_has_no_page_of_the_owner(server: Running, owner: Person) -> None:
    mine = Person(server.url).entered(owner.invite("Dan", "label"))
    for path in ("/people", "/agreement", "/export", "/adjudicate", "/conflicts"):
        assert mine.call(path).status == 403, path
    assert mine.call("/api/people", {"name": "X", "roles": ["owner"]}).status == 403
    assert mine.call("/api/export", {}).status == 403


def test_a_new_link_ends_the_one_before(server: Running, owner: Person) -> None:
    link = owner.invite("Finn", "label")
    mine = Person(server.url).entered(link)
    reply = owner.call("/api/people/link", {"name": "Finn"})
    assert reply.status == 200
    assert mine.call("/api/next").status == 401
    assert Person(server.url).call(link.removeprefix(server.url)).status == 401


def test_no_token_is_kept_or_told(
    server: Running, owner: Person, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    token = owner.invite("Gil", "label").rpartition("/")[2].encode()
    Person(server.url).entered(f"{server.url}/enter/{token.decode()}")
    assert owner.call("/api/export", {}).status == 200
    folder = tmp_path_factory.getbasetemp()
    files = [one for one in folder.rglob("*") if one.is_file() and "review" in str(one)]
    assert any(one.name == "review.db" for one in files)
    held = owner.cookie.partition("=")[2].encode()
    for one in files:
        try:
            content = one.read_bytes()
        except FileNotFoundError:  # of another test, which ended meanwhile
            continue
        assert token not in content, one
        assert held not in content, one
    assert token.decode() not in "".join(server.said)


def test_no_token_is_told_where_the_database_cannot_be_read(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", 2)
    with running(source, "--port", 0) as server:
        owner = Person(server.url).named("Ada")
        path = owner.invite("Hal", "label").removeprefix(server.url)
        with sqlite3.connect(tmp_path / "pairs.review" / "review.db") as db:
            db.execute("ALTER TABLE annotators RENAME TO gone")
        db.close()
        stranger = Person(server.url)
        for one in (path, f"/label/{path.rpartition('/')[2]}", "/people"):
            reply = owner.call(one)
            assert reply.status == 507, one
            assert "no such table" in reply.text
        assert stranger.call(path).status == 507
    said = "".join(server.said)
    assert "GET /enter/{token}: no such table" in said
    assert path.rpartition("/")[2] not in said


def test_of_many_who_come_first_at_once_one_owns_the_review(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", 2)
    with running(source, "--port", 0) as server:
        several = [Person(server.url) for _ in range(12)]
        for one in several:
            one.call("/hello")
        gate = threading.Barrier(len(several))

        def come(at: int) -> int:
            gate.wait()
            return several[at].call("/api/hello", {"name": f"Eve {at}"}).status

        with ThreadPoolExecutor(len(several)) as pool:
            found = sorted(pool.map(come, range(len(several))))
    assert found[0] == 200
    assert set(found[1:]) <= {403, 422}


@pytest.mark.parametrize(
    "path", ["/label", "/adjudicate", "/conflicts", "/agreement", "/people", "/export", "/hello"]
)
def test_every_page_is_drawn_for_an_owner_who_labels(owner: Person, path: str) -> None:
    assert owner.call(path).status == 200
