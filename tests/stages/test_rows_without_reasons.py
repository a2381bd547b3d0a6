"""Verdicts without a reason are learnt in a dialect that writes the verdict alone, and only there.

A published set of chosen and rejected gives letters without a reason, and people grade without one.
Such labels once gave no row in any dialect, and grades of single responses could not be read.
"""

import json
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import parse_reply
from judgesmith.pipeline.order import STAGES, load_stage
from judgesmith.records import (
    AnnotatorKind,
    Item,
    Kind,
    Label,
    Response,
    Scores,
    SftRow,
    Split,
    choice,
    reorder,
)
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import load_recipe
from judgesmith.stages import items, labels, questions, responses, rows

_PAIR = "{% for r in responses %}{{ r.letter }}: {{ r.text }}\n{% endfor %}"
_GRADE = {"kind": "single", "scale": {"low": 1, "high": 5}, "user": "{{ responses[0].text }}"}
_LETTER = {"kind": "pair", "scale": ["A", "B", "TIE"], "user": _PAIR, "reply": "Best: {verdict}."}
DIALECTS = {
    name: Dialect.model_validate({"name": name, "direction": "better", **fields})
    for name, fields in {
        "letter": _LETTER,
        "worst": {**_LETTER, "direction": "worse"},
        "reasons": {**_LETTER, "reply": "{rationale} Best: {verdict}."},
        "grade": {**_GRADE, "reply": "Grade: {score}"},
        "grade-reasons": {**_GRADE, "reply": "{rationale} Grade: {score}"},
    }.items()
}
COUNT = 6
LOG = {
    "question": {"text": "{asked}"},
    "responses": [{"model": "{desk}", "text": "{answer}"}],
    "licence": "internal",
}


class Made:
    """A run up to its items, all of them on the training side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        header = Header(name="t", task="general", seed=7, dialects=DIALECTS)
        self.dir = RunDir(folder / "run", header)

    def file(self, name: str, found: list[dict[str, Any]]) -> str:
        path = self.folder / name
        path.write_text("".join(json.dumps(one) + "\n" for one in found))
        return str(path)

    def stage(self, module: Any, **config: Any) -> StageReport:
        made = module.Config.model_validate(config)
        report: StageReport = module.run(made, self.dir, lambda name: pytest.fail(name))
        return report

    def split(self) -> list[Item]:
        made = self.dir.read("items/items.jsonl", Item)
        found = [one.with_fields(split=Split.TRAIN) for one in made]
        self.dir.write("split/items.jsonl", found)
        return found

    def rows(self, **config: Any) -> list[SftRow]:
        self.stage(rows, **config)
        return self.dir.read("rows/sft.jsonl", SftRow)

    def labels(self) -> dict[str, Label]:
        return {one.item_id: one for one in self.dir.read("labels/labels.jsonl", Label)}


def preferences(folder: Path, kind: str, dialect: str = "letter") -> Made:
    """Questions of which the first answer was chosen, by a person or a model."""
    made = Made(folder)
    found = [
        {"prompt": f"How is {n}?", "chosen": f"good {n}", "rejected": f"bad {n}"}
        for n in range(COUNT)
    ]
    source = {
        "kind": "preferences", "path": made.file("prefs.jsonl", found),
        "about": {"annotator": "ann", "annotator_kind": kind, "licence": "internal"},
    }  # fmt: skip
    made.stage(questions, sources=[source])
    for module in (responses, items):
        made.stage(module, imports=[source])
    made.split()
    made.stage(labels, dialect=dialect, imports=[source])
    return made


def says_good(row: SftRow, dialect: str) -> bool:
    """Whether the completion names the place at which the prompt shows the good answer."""
    verdict = parse_reply(DIALECTS[dialect], row.completion).verdict
    shown = row.prompt[-1].content.splitlines()
    good = "A" if shown[0].startswith("A: good") else "B"
    return verdict == choice(good)


def test_preferences_of_people_are_learnt_in_both_orders(tmp_path: Path) -> None:
    """Six pairs, two orders each; the letter follows the answer that was chosen."""
    made = preferences(tmp_path, "person")
    found = made.rows(dialect="letter", labels="person")
    assert Counter(row.order for row in found) == {(0, 1): COUNT, (1, 0): COUNT}
    assert all(says_good(row, "letter") for row in found)
    verdicts = {row.completion for row in found}
    assert verdicts == {"Best: A.", "Best: B."}
    # The terms of the people whose verdict it is, and of what is shown.
    assert {row.licence for row in found} == {"internal"}


@pytest.mark.parametrize("orders", ["stored", "coin_flip"])
def test_one_order_of_a_persons_pair_is_one_row(orders: str, tmp_path: Path) -> None:
    found = preferences(tmp_path, "person").rows(dialect="letter", labels="person", orders=orders)
    assert len(found) == COUNT
    assert all(says_good(row, "letter") for row in found)
    assert len({row.order for row in found}) == (1 if orders == "stored" else 2)


def test_preferences_of_a_model_are_learnt_and_can_be_swapped(tmp_path: Path) -> None:
    made = preferences(tmp_path, "model")
    assert len(made.rows(dialect="letter", labels="model")) == COUNT
    both = made.rows(dialect="letter", labels="model", augment={"swap": "both"})
    assert Counter(row.order for row in both) == {(0, 1): COUNT, (1, 0): COUNT}
    assert all(says_good(row, "letter") for row in both)


@pytest.mark.parametrize("kind", ["person", "model"])
def test_a_dialect_with_a_reason_learns_none_of_it(kind: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no item gives a row"):
        preferences(tmp_path, kind).rows(dialect="reasons", labels=kind)


@pytest.mark.parametrize("several", [False, True])
def test_a_letter_of_the_other_direction_is_refused(several: bool, tmp_path: Path) -> None:
    made = preferences(tmp_path, "person")
    named: dict[str, Any] = {"dialects": ["worst", "grade"]} if several else {"dialect": "worst"}
    with pytest.raises(DataError, match="names the better response"):
        made.rows(labels="person", **named)


def test_of_several_dialects_the_first_that_can_say_it_has_the_rows(tmp_path: Path) -> None:
    made = preferences(tmp_path, "person")
    found = made.rows(dialects=["grade", "reasons", "letter"], labels="person")
    assert {row.dialect for row in found} == {DIALECTS["letter"].hash}
    assert len(found) == 2 * COUNT


def test_a_persons_row_has_no_soft_label(tmp_path: Path) -> None:
    made = preferences(tmp_path, "person")
    report = made.stage(rows, dialect="letter", labels="person", soft=True)
    assert report.tables["soft labels"] == {"soft": 0, "hard, a person decided": 2 * COUNT}


def graded(folder: Path, *, dialect: str = "grade", more: float | str | None = None) -> Made:
    """Two logged answers to each question, each an item; people grade them 1, 2, ... 5, 1, ..."""
    made = Made(folder)
    found = [
        {"asked": f"How is {n}?", "desk": f"desk-{m}", "answer": f"answer {n}{m}"}
        for n in range(COUNT)
        for m in range(2)
    ]
    source = {"kind": "log", "path": made.file("log.jsonl", found), "columns": LOG}
    made.stage(questions, sources=[source])
    made.stage(responses, imports=[source])
    made.stage(items, preset="singles")
    made.split()
    given = [
        {"responses": [one.id], "verdict": 1 + at % 5, "names": "better", "annotator": "ann"}
        for at, one in enumerate(made.dir.read("responses/responses.jsonl", Response))
    ]
    if more is not None:
        given[-1]["verdict"] = more
    path = made.file("grades.jsonl", given)
    made.stage(labels, dialect=dialect, imports=[{"kind": "file", "path": path}])
    return made


def test_peoples_grades_of_logged_responses_are_labels_and_rows(tmp_path: Path) -> None:
    """Twelve responses, twelve items of one response, twelve grades, twelve rows."""
    made = graded(tmp_path)
    shown = {one.id: one for one in made.dir.read("responses/responses.jsonl", Response)}
    stored = {one.id: one for one in made.dir.read("split/items.jsonl", Item)}
    assert {one.kind for one in stored.values()} == {Kind.SINGLE}
    assert Counter(one.response_ids for one in stored.values()) == {(i,): 1 for i in shown}
    grades = {
        shown[stored[item].response_ids[0]].text: label.verdict
        for item, label in made.labels().items()
    }
    texts = [one.text for one in shown.values()]
    assert grades == {
        text: Scores(kind="scores", values=(1.0 + at % 5,), criteria=None)
        for at, text in enumerate(texts)
    }
    assert {one.annotator_kind for one in made.labels().values()} == {AnnotatorKind.PERSON}
    found = made.rows(dialect="grade", labels="person")
    assert {row.prompt[-1].content: row.completion for row in found} == {
        text: f"Grade: {1 + at % 5}" for at, text in enumerate(texts)
    }


def test_a_grade_between_two_steps_measures_and_is_not_learnt(tmp_path: Path) -> None:
    made = graded(tmp_path, more=3.5)
    assert 3.5 in {label.verdict.values[0] for label in made.labels().values()}  # type: ignore[union-attr]
    report = made.stage(rows, dialect="grade", labels="person")
    assert report.made == 2 * COUNT - 1
    assert report.tables["labels by people that no dialect of the rows can say"] == 1


@pytest.mark.parametrize(
    ("dialect", "more", "said"),
    [
        ("grade", 9, r"grades.jsonl:12: field 'verdict': .*1 to 5, higher is better.*found 9"),
        ("grade", "good", "expected two different responses to one question, or one with a number"),
        ("letter", 3, "shows two responses"),
    ],
)
def test_a_grade_that_no_dialect_can_read_is_refused(
    dialect: str, more: float | str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said):
        graded(tmp_path, dialect=dialect, more=more)


@pytest.mark.parametrize("module", [items, labels])
def test_an_import_that_gives_none_of_these_is_refused_with_the_recipe(module: Any) -> None:
    source = {"kind": "log", "path": "log.jsonl", "columns": LOG}
    fields = {"imports": [source]} | ({"dialect": "grade"} if module is labels else {})
    with pytest.raises(ValidationError, match=r"kind 'log' cannot be read here; .*judgelm"):
        module.Config.model_validate(fields)


def test_the_page_that_shows_this_is_a_recipe_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example of docs/howto/own-recipe.md, up to the rows; a hub's student is not fetched."""
    page = Path(__file__).resolve().parents[2] / "docs" / "howto" / "own-recipe.md"
    block = page.read_text(encoding="utf-8").split("    name: grades\n")[1].split("\n\n")[0]
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("name: grades\n" + textwrap.dedent(block), encoding="utf-8")
    rows_of_log = [
        {"question": f"How is {n}?", "desk": f"d{m}", "answer": f"{n}{m}"}
        for n in range(10)
        for m in range(2)
    ]
    made = Made(tmp_path)
    made.file("log.jsonl", rows_of_log)
    read = load_recipe(recipe, {name: load_stage(name).Config for name in STAGES})
    made.dir = RunDir(tmp_path / "page", read.header)
    for name in STAGES[: STAGES.index("rows") + 1]:
        if name == "labels":
            given = [
                {"responses": [one.id], "verdict": 4, "names": "better", "annotator": "mk"}
                for one in made.dir.read("responses/responses.jsonl", Response)
            ]
            made.file("grades.jsonl", given)
        if name in read.sections:
            section: Any = read.sections[name]
            load_stage(name).run(section, made.dir, lambda name: pytest.fail(name))
    learnt = made.dir.read("rows/sft.jsonl", SftRow)
    assert {row.completion for row in learnt} == {"Grade: 4"}
    assert {one.kind for one in made.dir.read("split/items.jsonl", Item)} == {Kind.SINGLE}


def test_a_swapped_letter_is_its_own_way_back() -> None:
    """What `said_by_people` relies on: both orders of a pair are their own inverse."""
    for order in ((0, 1), (1, 0)):
        assert reorder(reorder(choice("A"), order), order) == choice("A")
