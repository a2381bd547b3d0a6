"""Look in a review: for owners, and of items that they answered where they judge, too."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from looked import SECRETS, made
from starlette.testclient import TestClient

from judgesmith.errors import DataError, RunError
from judgesmith.records import choice
from judgesmith.review.access import Room, Settings
from judgesmith.review.app import create_app
from judgesmith.review.items import about_dialect, items_of_run
from judgesmith.review.review import Review
from judgesmith.review.types import Answer, Plan
from judgesmith.runs.layout import RunDir
from judgesmith.tasks import load_task

PAIR = load_task("bias").dialects["bias-pair"]


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return made(tmp_path)


@pytest.fixture
def review(run_dir: RunDir) -> Review:
    about = about_dialect("tiny", str(run_dir.path), PAIR, from_run=True)
    return Review.make(run_dir.file("review"), about, items_of_run(run_dir, PAIR), Plan(repeats=0))


@pytest.fixture
def entered(run_dir: RunDir, review: Review) -> Callable[..., TestClient]:
    """Somebody with the roles given, in the review's own app."""

    def enter(*roles: str) -> TestClient:
        app = create_app(Room(review, Settings(), run_dir))
        client = TestClient(app)
        client.get(f"/enter/{review.add_annotator(' '.join(roles), roles)}")
        return client

    return enter


def answered(review: Review, name: str, outcome: str = "verdict") -> str:
    """The item that was answered: the next one."""
    shown = review.next(name)[0]
    verdict = choice("A") if outcome == "verdict" else None
    review.save(
        name, Answer(str(uuid.uuid4()), shown.item_id, outcome, verdict, None, "", 1.0, None)  # type: ignore[arg-type]
    )  # fmt: skip
    return shown.item_id


def told(client: TestClient, item: str) -> list[str]:
    page = client.get(f"/look/{item}")
    assert page.status_code == 200
    return [secret for secret in SECRETS if secret in page.text]


def test_who_labels_sees_an_item_whole_after_answering_it(
    review: Review, entered: Callable[..., TestClient]
) -> None:
    client, name = entered("owner", "label"), "owner label"
    items = review.item_ids()
    assert [told(client, one) for one in items] == [[], []]
    assert not [one for one in items if one in client.get("/look?bucket=clear_bias").text]
    skipped = answered(review, name, "skip")
    assert told(client, skipped) == []
    first = answered(review, name)
    (second,) = {*items} - {first}
    assert told(client, first) == list(SECRETS)
    assert told(client, second) == []
    found = client.get("/look?bucket=clear_bias").text
    assert first in found
    assert second not in found


@pytest.mark.parametrize("path", ["/look", "/look?label=A", "/look/{item}"])
def test_what_was_answered_stays_once_more_of_it_was_looked_at(
    review: Review, entered: Callable[..., TestClient], path: str
) -> None:
    client, name = entered("owner", "label"), "owner label"
    item = answered(review, name)
    assert review.undo(name) is not None
    assert told(client, item) == []  # what is withheld is not seen by asking for it
    assert answered(review, name) == item
    client.get(path.format(item=item))
    own = review.history(name)[0].answer
    other = replace(own, id=str(uuid.uuid4()), verdict=choice("B"), replaces=own.id)
    with pytest.raises(DataError, match="stays"):
        review.save(name, other)
    assert review.undo(name) is None
    assert told(client, item) == list(SECRETS)
    assert answered(review, name) != item


def test_who_only_owns_sees_everything_and_others_are_refused(
    review: Review, entered: Callable[..., TestClient]
) -> None:
    owner, item = entered("owner"), review.item_ids()[0]
    assert told(owner, item) == list(SECRETS)
    assert 'href="/look"' in owner.get("/people").text
    assert "aria-current" in owner.get("/look").text
    for client in (entered("label"), entered("adjudicate")):
        assert client.get("/look").status_code == 403
        assert client.get(f"/look/{item}").status_code == 403


def test_there_is_no_look_where_there_is_no_run(review: Review) -> None:
    client = TestClient(create_app(Room(review, Settings())))
    client.get(f"/enter/{review.add_annotator('o', ('owner',))}")
    assert "/look" not in client.get("/people").text
    assert client.get("/look").status_code == 404


def test_a_stage_made_anew_meanwhile_is_told(
    run_dir: RunDir, entered: Callable[..., TestClient]
) -> None:
    client = entered("owner")
    run_dir.file("evaluate").mkdir()
    run_dir.file("evaluate/manifest.json").write_text("{}")
    page = client.get("/look")
    assert page.status_code == 422
    assert "being made: evaluate. End" in page.text


def test_a_record_that_is_another_one_is_not_shown(
    run_dir: RunDir, review: Review, entered: Callable[..., TestClient]
) -> None:
    client, item = entered("owner"), review.item_ids()[0]
    path = run_dir.file("questions/questions.jsonl")
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    page = client.get(f"/look/{item}")
    assert page.status_code == 422
    assert "expected the record with id" in page.text


def test_a_folder_that_cannot_be_written(run_dir: RunDir) -> None:
    from judgesmith.review.looking.index import open_index

    run_dir.file("review").write_text("a file where the folder would be")
    with pytest.raises(RunError, match="cannot be written"):
        open_index(run_dir)
