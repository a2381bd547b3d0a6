"""`judgesmith review` as a command: what it makes, and what it says of mistakes."""

import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from judgesmith.cli.main import app
from judgesmith.errors import JudgesmithError

sys.path.append(str(Path(__file__).parents[1] / "review"))
from reviewed import Person, Running, running, write_pairs

pytestmark = pytest.mark.wide


def refused(*arguments: object) -> str:
    given = [*map(str, arguments), "--no-open"]
    if "--dialect" not in given:
        given += ["--dialect", "bias-pair"]
    done = CliRunner().invoke(app, ["review", *given])
    assert isinstance(done.exception, JudgesmithError), done.output
    return str(done.exception)


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", 3)
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert f"--port {port}: cannot listen there" in refused(source, "--port", port)


def test_an_address_that_others_reach_needs_a_name(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", 3)
    assert "--name ME" in refused(source, "--host", "0.0.0.0", "--port", 0)
    with running(source, "--host", "0.0.0.0", "--port", 0, "--name", "Ada") as server:
        stranger = Person(server.url.replace("0.0.0.0", "127.0.0.1"))
        assert "personal link" in stranger.call("/hello").text
        assert stranger.call("/api/hello", {"name": "Eve"}).status == 403
        link = next(word for word in "".join(server.said).split() if "/enter/" in word)
        assert stranger.entered(link).call("/people").status == 200


@pytest.mark.parametrize(
    ("content", "told"),
    [("", "expected one or more"), ('{"question": "x"}\n', "response"), ("[1]\n", "pairs.jsonl:1")],
)
def test_a_file_that_holds_no_items_leaves_nothing(tmp_path: Path, content: str, told: str) -> None:
    source = tmp_path / "pairs.jsonl"
    source.write_text(content)
    assert told in refused(source)
    assert not (tmp_path / "pairs.review" / "review.db").exists()


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    assert "expected a file, a folder or the name of a" in refused(tmp_path / "none.jsonl")
    source = write_pairs(tmp_path / "pairs.jsonl", 1)
    assert "there is none of this name" in refused(source, "--dialect", "bias-par")


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", 1)
    for name in [one for one in sys.modules if one.startswith("judgesmith.review")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert "judgesmith[review]" in refused(source)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_order_and_goes_on_where_it_was(tmp_path: Path, how: int) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", 3)
    server = Running(source, "--port", 0)
    ada = Person(server.url).named("Ada")
    item = ada.next()[0]["item_id"]
    assert ada.answer(item, "TIE").json["progress"] == {"done": 1, "total": 3}
    assert server.end(how) == 0
    os.remove(source)  # the items are in the review
    port = server.url.rpartition(":")[2]
    with running(source, "--port", port):
        assert [one["answer"]["given"] for one in ada.call("/api/history").json["done"]] == [
            {"verdict": "TIE"}
        ]
        assert json.loads(ada.call("/api/next").text)["items"][0]["item_id"] != item
