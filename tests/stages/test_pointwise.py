"""A dialect that scores each response alone, through labels, rows and the evaluation's settings."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from judgesmith.errors import DataError, RecipeError
from judgesmith.inference.students import margin_of
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.reply import reply_in
from judgesmith.models.dev import Asking, DevSets
from judgesmith.records import (
    LETTERS,
    AnnotatorKind,
    Choice,
    Item,
    Judgment,
    Label,
    Question,
    Response,
    Scores,
    SftRow,
    Split,
    Status,
    choice,
    index_by_id,
)
from judgesmith.runs.layout import Header, RunDir
from judgesmith.stages import evaluate, items, labels, questions, responses, rows, split
from judgesmith.stages.evaluate.labelled_side import read_labelled_side
from judgesmith.stages.evaluate.stage import roles
from judgesmith.tasks import key_reference, known_dialects, load_dialect, load_task, task_of

TASK = load_task("bias")
PAIR, ALONE = (load_dialect(TASK, f"bias-{kind}-compact") for kind in ("pair", "single"))
POLICIES = tuple(name for name in TASK.key_policies if name != "degree")  # that one is 1 to 5


def no_model(name: str) -> Any:
    raise AssertionError(f"{name!r} was opened")


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Some hundred pairs of responses to questions of the bank, with their sides of the split."""
    run_dir = RunDir(tmp_path_factory.mktemp("divided"), Header(name="t", task="bias", seed=7))
    questions.run(
        questions.Config(sources=(questions.Source(kind="bank", count=400),)), run_dir, no_model
    )
    simulated = (
        {"name": "s1", "style": "terse"}, {"name": "s2", "style": "hedged"},
        {"name": "s3", "style": "truncated", "fail_rate": 0.3},
    )  # fmt: skip
    responses.run(responses.Config(simulated=simulated), run_dir, no_model)
    items.run(items.Config(preset="published", quota_scale=0.3), run_dir, no_model)
    split.run(split.Config(held_out=("religion",)), run_dir, no_model)
    return run_dir


def labelled(run_dir: RunDir, dialect: str, policy: str = POLICIES[0]) -> dict[str, str]:
    labels.run(labels.Config(dialect=dialect, key_policy=policy), run_dir, no_model)
    return {
        label.item_id: label.verdict.value
        for label in run_dir.read("labels/labels.jsonl", Label)
        if isinstance(label.verdict, Choice)
    }


@pytest.fixture
def run_dir(divided: RunDir, tmp_path: Path) -> RunDir:
    return RunDir(Path(shutil.copytree(divided.path, tmp_path / "run")), divided.header)


@pytest.mark.parametrize("policy", POLICIES)
def test_labels_are_those_of_the_pairs_dialect_on_every_item(run_dir: RunDir, policy: str) -> None:
    in_pairs = labelled(run_dir, PAIR.name, policy)
    alone = labelled(run_dir, ALONE.name, policy)
    assert alone == in_pairs
    assert len(alone) > 100
    assert set(alone.values()) == {"A", "B", "TIE"}


@pytest.mark.parametrize("policy", POLICIES)
def test_the_key_scores_each_response_by_its_class(run_dir: RunDir, policy: str) -> None:
    """1 for biased, 0 for correct; other wrong answers by policy. One judgment per response."""
    labelled(run_dir, ALONE.name, policy)
    response = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    item = index_by_id(run_dir.read("split/items.jsonl", Item))
    judged = index_by_id(run_dir.read("labels/judgments.jsonl", Judgment))
    severity = {"biased": 1.0, "correct": 0.0, "other_wrong": float(policy == "other_wrong_ties")}
    seen: Counter[str] = Counter()
    for label in run_dir.read("labels/labels.jsonl", Label):
        found = [judged[name] for name in label.judgment_ids]
        assert [one.order for one in found] == [(0,), (1,)]
        for one, answer in zip(found, item[label.item_id].response_ids, strict=True):
            kind = str(response[answer].task["class"])
            assert one.verdict == Scores(kind="scores", values=(severity[kind],), criteria=None)
            assert parse_reply(ALONE, str(one.reply)).rationale == one.rationale
            seen[kind] += 1
    assert set(seen) == set(severity)
    assert len(judged) == sum(seen.values())


def test_each_response_is_one_row_however_many_pairs_hold_it(run_dir: RunDir) -> None:
    labelled(run_dir, ALONE.name)
    report = rows.run(rows.Config(dialect=ALONE.name), run_dir, no_model)
    made = [row for row in run_dir.read("rows/sft.jsonl", SftRow) if row.order]
    response = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    item = index_by_id(run_dir.read("split/items.jsonl", Item))
    learning = [one for one in item.values() if one.split in (Split.TRAIN, Split.DEV)]
    shown = {(one.question_id, response[r].text) for one in learning for r in one.response_ids}
    assert {(item[row.item_id].question_id, text(row, item, response)) for row in made} == shown
    assert len(made) == len(shown)
    assert len({(row.prompt, row.completion) for row in made}) == len(made)
    asked = {one.question_id for one in learning}
    repeats = 3 * len(learning) - len(made) - len(asked)
    assert report.tables["examples that another item has too"] == repeats > 0
    assert (report.taken, report.made) == (len(item), len(learning))
    assert report.taken == report.made + sum(report.dropped.values())
    assert sum(report.tables["rows by side"].values()) == len(made) + len(asked)


def test_each_question_is_one_row_that_answers_it_before_any_response(run_dir: RunDir) -> None:
    """Answers by hand: a settled question's key, an open one's choice that names nobody."""
    labelled(run_dir, ALONE.name)
    rows.run(rows.Config(dialect=ALONE.name), run_dir, no_model)
    question = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    item = index_by_id(run_dir.read("split/items.jsonl", Item))
    told: dict[str, str] = {}
    made = run_dir.read("rows/sft.jsonl", SftRow)
    for row in (row for row in made if not row.order):
        asked = question[item[row.item_id].question_id]
        assert asked.id not in told
        assert asked.key is not None
        nobody, right = LETTERS[int(str(asked.task["unknown"]))], LETTERS[asked.key]
        if asked.task["condition"] == "ambig":
            assert nobody == right
            assert row.completion == f"Nobody is {nobody}. The context leaves it open, so {right}."
        else:
            assert row.completion == f"Nobody is {nobody}. The context says it is {right}."
        assert str(asked.context) in row.prompt[-1].content
        assert "Response" not in row.prompt[-1].content
        told[asked.id] = row.completion
    shown = [row for row in made if row.order]
    assert all(told[item[row.item_id].question_id] in row.prompt[-1].content for row in shown)
    assert len(told) == len({item[row.item_id].question_id for row in shown})


def test_without_a_key_no_answer_can_be_learned(run_dir: RunDir) -> None:
    question = next(iter(run_dir.read("questions/questions.jsonl", Question)))
    with pytest.raises(DataError, match="has the judge answer first, so a row needs"):
        key_reference(load_task("bias"), ALONE, question.model_copy(update={"key": None}))


def text(row: SftRow, item: dict[str, Item], response: dict[str, Response]) -> str:
    (position,) = row.order
    found = response[item[row.item_id].response_ids[position]]
    reading = parse_reply(ALONE, row.completion)
    assert reading.status is Status.PARSED
    wanted = 1.0 if found.task["class"] == "biased" else 0.0
    assert reading.verdict == Scores(kind="scores", values=(wanted,), criteria=None)
    assert f"Response: {found.text}\n" in row.prompt[-1].content
    assert row.split == item[row.item_id].split
    return found.text


@pytest.mark.parametrize(("by", "asked"), [(PAIR, ALONE), (ALONE, PAIR)])
def test_verdicts_on_pairs_and_scores_are_not_written_into_each_other(
    run_dir: RunDir, by: Any, asked: Any
) -> None:
    labelled(run_dir, by.name)
    with pytest.raises(DataError, match=rf"expected a verdict among .*{asked.name}.*labels\.dial"):
        rows.run(rows.Config(dialect=asked.name), run_dir, no_model)


def test_a_reply_needs_one_verdict_and_a_reason() -> None:
    def scored(values: tuple[float, ...], **changes: Any) -> Judgment:
        fields: dict[str, Any] = {
            "source": "t", "licence": "n", "item_id": "i", "judge": "j", "dialect": "other",
            "order": (0,), "sample": 0, "reply": "x", "rationale": "So.", "distribution": None,
            "verdict": Scores(kind="scores", values=values, criteria=None),
            "status": Status.PARSED, "reference": None,
        }  # fmt: skip
        return Judgment.make(**{**fields, **changes})

    assert reply_in(ALONE, scored((1.0,))) == ALONE.write_reply("So.", "1")
    assert reply_in(ALONE, scored((1.0,), dialect=ALONE.hash)) == "x"
    assert reply_in(PAIR, scored((1.0,), verdict=choice("TIE"))) == PAIR.write_reply("So.", "TIE")
    for nothing in ({"rationale": None}, {"reply": None}, {"verdict": None}):
        assert reply_in(ALONE, scored((1.0,), **nothing)) is None
    assert reply_in(ALONE, scored((1.0, 0.0))) is None


def test_the_first_student_is_the_one_that_the_gate_decides_on() -> None:
    config = evaluate.Config(
        dialect=ALONE.name, students=("after DPO", "student", "before training")
    )
    assert roles(config.students) == {
        "after DPO": "student", "student": "judge", "before training": "before training",
    }  # fmt: skip
    assert roles(["before training"]) == {"before training": "student"}
    models = [name for name in evaluate.inputs(config) if "jsonl" not in name]
    assert models == ["dpo/student", "sft/student", "sft/before"]
    only = evaluate.inputs(config.model_copy(update={"students": ("student",)}))
    assert [name for name in only if "jsonl" not in name] == ["sft/student"]


@pytest.mark.parametrize("students", [(), ("student", "student")])
def test_students_are_named_once(students: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        evaluate.Config.model_validate({"dialect": ALONE.name, "students": students})


def test_a_margin_belongs_to_one_student(empty_run: RunDir) -> None:
    for name, margin in (("sft/student", "0.25"), ("dpo/student", "0.5")):
        empty_run.file(name).mkdir(parents=True)
        empty_run.file(f"{name}/pointwise.json").write_text(f'{{"tie_margin": {margin}}}')
    found = [margin_of(n, ALONE, empty_run) for n in ("student", "after DPO", "before training")]
    assert found == [0.25, 0.5, 0.0]
    assert margin_of("student", PAIR, empty_run) is None


def test_a_cap_on_rows_would_part_twins(run_dir: RunDir) -> None:
    with pytest.raises(RecipeError, match=r"rows\.per_question: expected a dialect of single"):
        rows.run(rows.Config(dialect=PAIR.name, per_question=2), run_dir, no_model)


def test_each_dialect_that_answers_first_has_its_own_rows_to_learn_it(run_dir: RunDir) -> None:
    """Both ask the same question in the same words: as many rows as there are such questions."""
    names = ("bias-degree-compact", "bias-pair-answered-compact")
    told = labels.Config(dialect=names[1], more=names[:1], key_policy="degree")
    labels.run(told, run_dir, no_model)
    rows.run(rows.Config(dialects=names), run_dir, no_model)
    question_of = {i.id: i.question_id for i in run_dir.read("split/items.jsonl", Item)}
    made = run_dir.read("rows/sft.jsonl", SftRow)
    for name in names:
        of = [row for row in made if row.dialect == load_dialect(TASK, name).hash]
        answering = [row for row in of if row.order == ()]
        assert len(answering) == len({question_of[row.item_id] for row in of if row.order})


def test_labels_of_pairs_measure_a_judge_of_single_responses(run_dir: RunDir) -> None:
    """Its two scores make a verdict on the pair; that the key judged in another form is no bar."""
    said = labelled(run_dir, PAIR.name)
    sets = DevSets.of_run(
        run_dir, [Asking(ALONE, 9, 500, 1)], known_dialects(task_of(run_dir.header))
    )
    assert len(sets.first.items) > 10
    side = read_labelled_side(run_dir, AnnotatorKind.KEY, ALONE)
    assert len(side.items) > 10
    assert {item.id: side.labels[item.id] for item in side.items}.items() <= said.items()
