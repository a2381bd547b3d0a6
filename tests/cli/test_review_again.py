"""`judgesmith review` on what has a review already, or has somebody in it already."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from judgesmith.cli.main import app
from judgesmith.cli.opened_review import Wanted, open_review
from judgesmith.errors import DataError, RecipeError, RunError

sys.path.append(str(Path(__file__).parents[1] / "review"))
from reviewed import Person, running, write_pairs

pytestmark = pytest.mark.wide

BIAS = ("--dialect", "bias-pair")
DIALECT = """
kind: pair
direction: better
scale: [A, B]
system: {words}
user: "{{{{ question }}}} {{{{ responses[0] }}}} {{{{ responses[1] }}}}"
reply: "{{verdict}}"
"""


def test_another_file_of_a_like_name_is_not_taken_for_the_first(tmp_path: Path) -> None:
    first = write_pairs(tmp_path / "pairs.v1.jsonl", 3)
    open_review(str(first), Wanted("bias-pair"))
    assert open_review(str(first), Wanted("bias-pair")).about.items == 3
    with pytest.raises(RecipeError, match="is of"):
        open_review(str(write_pairs(tmp_path / "pairs.v2.jsonl", 5)), Wanted("bias-pair"))


def test_a_dialect_in_a_file_opens_its_review_again_and_no_other(tmp_path: Path) -> None:
    source, dialect = write_pairs(tmp_path / "pairs.jsonl", 2), tmp_path / "mine.yaml"
    dialect.write_text(DIALECT.format(words="Which is better?"))
    for _ in range(2):
        assert open_review(str(source), Wanted(str(dialect))).about.dialect == "mine"
    dialect.write_text(DIALECT.format(words="Which is clearer?"))
    with pytest.raises(RecipeError, match="was made with another"):
        open_review(str(source), Wanted(str(dialect)))


def test_a_review_that_has_people_and_no_owner_gets_one(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", 2)
    added = CliRunner().invoke(app, ["review", str(source), "--new-annotator", "Bob", *BIAS])
    assert added.exit_code == 0, added.output
    done = CliRunner().invoke(app, ["review", str(source), "--no-open", "--port", "0", *BIAS])
    assert isinstance(done.exception, RecipeError)
    assert "--name ME" in str(done.exception)
    with running(source, "--port", 0, "--name", "Ada", *BIAS) as server:
        link = next(word for word in "".join(server.said).split() if "/enter/" in word)
        assert Person(server.url).entered(link).call("/people").status == 200
    again = CliRunner().invoke(app, ["review", str(source), "--no-open", "--name", "Eve"])
    assert isinstance(again.exception, RecipeError)
    assert "Ada" in str(again.exception)


def test_an_owner_who_lost_their_link_gets_a_new_one(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", 2)
    with running(source, "--port", 0, "--name", "Ada", *BIAS) as server:
        link = next(word for word in "".join(server.said).split() if "/enter/" in word)
        done = CliRunner().invoke(app, ["review", str(source), "--new-link", "Ada"])
        assert done.exit_code == 0, done.output
        assert "lets nobody in any more" in done.output
        path = next(word for word in done.output.split() if "/enter/" in word)
        found = Person(server.url).entered(path.replace("ADDRESS", server.url))
        assert found.call("/people").status == 200
        assert Person(server.url).call(link.removeprefix(server.url)).status == 401
    wrong = CliRunner().invoke(app, ["review", str(source), "--new-link", "Eve"])
    assert isinstance(wrong.exception, DataError)
    assert "'Eve': there is nobody of this name; there are Ada" in str(wrong.exception)
    none = CliRunner().invoke(app, ["review", str(tmp_path / "none.jsonl"), "--new-link", "Ada"])
    assert isinstance(none.exception, RunError)


def test_a_label_off_the_scale_is_no_gold_verdict(tmp_path: Path) -> None:
    """A tie that people gave could be no answer where the dialect knows none."""
    source, dialect = tmp_path / "labels.jsonl", tmp_path / "mine.yaml"
    dialect.write_text(DIALECT.format(words="Which is better?"))
    rows = [
        {"item": f"i{at}", "question": f"q{at}", "response_a": "x", "response_b": "y",
         "annotator": "ann", "label": label}
        for at, label in enumerate(["A", "TIE", "B"])
    ]  # fmt: skip
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    review = open_review(str(source), Wanted(str(dialect)))
    kept = [json.loads(row["withheld"])["gold"] for row in review.store.rows("SELECT * FROM items")]
    assert [one is None for one in kept] == [False, True, False]


def test_a_source_that_changed_is_refused_and_its_new_items_are_added(tmp_path: Path) -> None:
    source = write_pairs(tmp_path / "pairs.jsonl", 3)
    review = open_review(str(source), Wanted("bias-pair"))
    review.add_annotator("ann", ["label"])
    before = [one.item_id for one in review.next("ann", 9)]
    write_pairs(source, 5)
    with pytest.raises(DataError, match="2 items are new and 0 are gone"):
        open_review(str(source), Wanted("bias-pair"))
    added = open_review(str(source), Wanted("bias-pair", add=True))
    assert added.about.items == 5
    after = [one.item_id for one in added.next("ann", 9)]
    assert (after[:3], len(set(after)), added.progress("ann").total) == (before, 5, 5)
    assert open_review(str(source), Wanted("bias-pair")).about.items == 5
    write_pairs(source, 1)
    assert open_review(str(source), Wanted("bias-pair", add=True)).about.items == 5
