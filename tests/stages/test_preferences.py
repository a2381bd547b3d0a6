"""Preference rows from a real small run: the right reply beside a coherent wrong one."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from judgesmith.audits.bag_of_words import bag_table
from judgesmith.audits.separability import ContrastRow
from judgesmith.errors import AuditError, DataError, RecipeError
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.reply import verdict_text
from judgesmith.pipeline.order import STAGES
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Item,
    Judgment,
    Label,
    PreferenceRow,
    Question,
    Response,
    SftRow,
    Split,
    choice,
    index_by_id,
    reorder,
)
from judgesmith.runs.jsonl import write_records
from judgesmith.runs.layout import Header, RunDir
from judgesmith.stages import items, labels, preferences, questions, responses, split
from judgesmith.stages import rows as train_rows
from judgesmith.stages.preferences import stage
from judgesmith.stages.preferences.contrasts import Materials
from judgesmith.tasks import KeyJudgment, Mistake, load_dialect, load_task
from judgesmith.tasks.bias.task import BiasTask

TASK = load_task("bias")
PAIRS, SINGLES = "bias-pair-compact", "bias-single-compact"
POLICY = "biased_is_worse"
ROWS = "preferences/preferences.jsonl"


def no_model(name: str) -> Any:
    raise AssertionError(f"this stage asks no model, but {name!r} was opened")


def made_run(folder: Path, dialect: str) -> RunDir:
    run_dir = RunDir(folder, Header(name="test", task="bias", seed=7))
    source = questions.Source(kind="bank", count=600)
    simulated = tuple({"name": style, "style": style} for style in ("terse", "hedged", "confident"))
    drawn = items.Config(preset="published_and_two", quota_scale=1)
    questions.run(questions.Config(sources=(source,)), run_dir, no_model)
    responses.run(responses.Config(simulated=simulated), run_dir, no_model)
    items.run(drawn, run_dir, no_model)
    split.run(split.Config(held_out=("religion",)), run_dir, no_model)
    labels.run(labels.Config(dialect=dialect, key_policy=POLICY), run_dir, no_model)
    return run_dir


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return made_run(tmp_path_factory.mktemp("pairs"), PAIRS)


@pytest.fixture(scope="module")
def report(labelled: RunDir) -> Any:
    return preferences.run(preferences.Config(dialect=PAIRS), labelled, no_model)


@pytest.fixture(scope="module")
def rows(labelled: RunDir, report: Any) -> list[PreferenceRow]:
    return labelled.read(ROWS, PreferenceRow)


def verdict(row: PreferenceRow, side: str, dialect: str = PAIRS) -> str:
    found = verdict_text(parse_reply(load_dialect(TASK, dialect), getattr(row, side)).verdict)
    assert found is not None
    return found


def test_it_stands_between_rows_and_training() -> None:
    assert STAGES.index("rows") < STAGES.index("preferences") < STAGES.index("sft")


def test_chosen_is_the_labels_reply_and_rejected_another_verdict(
    labelled: RunDir, rows: Sequence[PreferenceRow]
) -> None:
    label = {x.item_id: x.verdict for x in labelled.read("labels/labels.jsonl", Label)}
    judged = {
        (j.item_id, j.order): j.reply for j in labelled.read("labels/judgments.jsonl", Judgment)
    }
    assert len(rows) > 100
    for row in rows:
        assert row.chosen == judged[row.item_id, row.order]
        assert reorder(choice(verdict(row, "chosen")), row.order) == label[row.item_id]
        assert verdict(row, "rejected") != verdict(row, "chosen")


def test_rejected_replies_are_the_tasks_mistakes_about_what_the_prompt_shows(
    labelled: RunDir, rows: Sequence[PreferenceRow]
) -> None:
    item = index_by_id(labelled.read("split/items.jsonl", Item))
    question = index_by_id(labelled.read("questions/questions.jsonl", Question))
    response = index_by_id(labelled.read("responses/responses.jsonl", Response))
    for row in rows:
        of = item[row.item_id]
        shown = [response[of.response_ids[p]] for p in row.order]
        said = parse_reply(load_dialect(TASK, PAIRS), row.rejected).rationale
        assert (row.how_made, said) in {
            (mode, judgment.rationale)
            for mode, _, judgment in TASK.mistaken_judgments(
                question[of.question_id], shown, POLICY
            )
        }
        prompt = row.prompt[-1].content
        assert f"Response A: {shown[0].text}\n" in prompt
        assert f"Response B: {shown[1].text}\n" in prompt


def test_twins_stand_together_on_the_items_side_and_none_on_the_test_side(
    labelled: RunDir, rows: Sequence[PreferenceRow]
) -> None:
    item = index_by_id(labelled.read("split/items.jsonl", Item))
    orders: dict[str, set[tuple[int, ...]]] = {}
    for row in rows:
        orders.setdefault(row.item_id, set()).add(row.order)
        assert row.split is item[row.item_id].split
    assert {row.split for row in rows} == {Split.TRAIN, Split.DEV}
    assert set(map(frozenset, orders.values())) == {frozenset({(0, 1), (1, 0)})}
    assert len(rows) == 2 * len(orders)


def test_twins_have_one_mistake_seen_from_both_sides(rows: Sequence[PreferenceRow]) -> None:
    twins: dict[str, list[PreferenceRow]] = {}
    for row in rows:
        twins.setdefault(row.item_id, []).append(row)
    for one, other in twins.values():
        assert one.how_made == other.how_made
        assert reorder(choice(verdict(one, "rejected")), one.order) == reorder(
            choice(verdict(other, "rejected")), other.order
        )


@pytest.mark.parametrize("side", [Split.TRAIN, Split.DEV])
def test_sides_say_each_verdict_equally_often_and_ties_are_on_both(
    rows: Sequence[PreferenceRow], side: Split
) -> None:
    here = [row for row in rows if row.split is side]
    right = Counter(verdict(row, "chosen") for row in here)
    assert right == Counter(verdict(row, "rejected") for row in here)
    assert set(right) == {"A", "B", "TIE"}


def test_every_mode_has_its_share(rows: Sequence[PreferenceRow], report: Any) -> None:
    train = Counter(row.how_made for row in rows if row.split is Split.TRAIN)
    assert set(train) == set(TASK.mistake_modes)
    assert max(train.values()) - min(train.values()) <= 2
    assert report.tables["modes left out"]["train"] == {}
    assert report.tables["rows by mode"] == dict(Counter(row.how_made for row in rows))


def test_the_counts_add_up(labelled: RunDir, rows: Sequence[PreferenceRow], report: Any) -> None:
    everything = labelled.read("split/items.jsonl", Item)
    assert report.taken == len(everything) == report.made + sum(report.dropped.values())
    assert report.made == len({row.item_id for row in rows})
    on_test = sum(item.split in (Split.TEST, Split.HELD_OUT) for item in everything)
    assert report.dropped["on the test side"] == on_test
    assert set(report.dropped) <= {
        "on the test side", "no label with a reason", "no mistake changes the verdict",
        "nothing evens its mistakes out", "over preferences.count",
    }  # fmt: skip


def test_words_do_not_tell_and_the_report_says_so(
    labelled: RunDir, rows: Sequence[PreferenceRow], report: Any
) -> None:
    """The probe of the report, and one on other folds: neither is above its noise."""
    group = {q.id: q.group_id for q in labelled.read("questions/questions.jsonl", Question)}
    item = index_by_id(labelled.read("split/items.jsonl", Item))
    contrasts = [
        ContrastRow(group[item[row.item_id].question_id], row.chosen, row.rejected, row.id)
        for row in rows
    ]
    assert report.tables["bag of words"] == bag_table(contrasts).to_dict()
    other = bag_table(contrasts, seed=5)
    for found in (other.alone, other.paired):
        assert found.low is not None
        assert found.low < 0.5
    assert not [one for one in report.tables["findings"] if one["severity"] == "error"]


def test_both_sides_have_the_same_lengths(report: Any) -> None:
    chosen, rejected = (report.tables["words"][side] for side in ("chosen", "rejected"))
    assert chosen["median"] == pytest.approx(rejected["median"], abs=1)
    assert chosen["mean"] == pytest.approx(rejected["mean"], abs=0.2)
    assert abs(chosen["most"] - rejected["most"]) <= 1


def test_the_same_run_gives_the_same_bytes_in_whatever_order_items_come(
    labelled: RunDir, rows: Sequence[PreferenceRow]
) -> None:
    before = labelled.file(ROWS).read_bytes()
    given = labelled.read("split/items.jsonl", Item)
    labelled.write("split/items.jsonl", given[::-1])
    try:
        preferences.run(preferences.Config(dialect=PAIRS), labelled, no_model)
        assert labelled.file(ROWS).read_bytes() == before
    finally:
        labelled.write("split/items.jsonl", given)


@pytest.fixture
def other(labelled: RunDir, tmp_path: Path) -> Callable[..., RunDir]:
    """The run's inputs under another folder, so that its rows stay as they are."""

    def opened() -> RunDir:
        for name in ("questions", "responses", "split", "labels"):
            (tmp_path / name).symlink_to(labelled.file(name), target_is_directory=True)
        return RunDir(tmp_path, labelled.header)

    return opened


def test_count_caps_the_rows_of_each_side(other: Callable[[], RunDir]) -> None:
    run_dir = other()
    found = preferences.run(preferences.Config(dialect=PAIRS, count=40), run_dir, no_model)
    sides = Counter(row.split for row in run_dir.read(ROWS, PreferenceRow))
    assert 32 <= sides[Split.TRAIN] <= 40
    assert sides[Split.DEV] <= 40
    assert found.dropped["over preferences.count"] > 50


def test_modes_can_be_chosen_and_unknown_ones_are_refused(other: Callable[[], RunDir]) -> None:
    run_dir = other()
    wanted = ("misread_choice", "misread_person")
    preferences.run(preferences.Config(dialect=PAIRS, modes=wanted), run_dir, no_model)
    assert {row.how_made for row in run_dir.read(ROWS, PreferenceRow)} == set(wanted)
    mistyped = preferences.Config(dialect=PAIRS, modes=("misread_chois",))
    with pytest.raises(RecipeError, match="did you mean 'misread_choice'"):
        preferences.run(mistyped, run_dir, no_model)


def test_labels_that_no_key_gave_are_refused(other: Callable[[], RunDir]) -> None:
    run_dir = other()
    people = [
        label.with_fields(source="people")
        .model_copy(update={"policy": "as given", "annotator_kind": AnnotatorKind.PERSON})
        for label in run_dir.read("labels/labels.jsonl", Label)
    ]  # fmt: skip
    (run_dir.path / "labels").unlink()
    write_records(run_dir.file("labels/labels.jsonl"), people)
    write_records(run_dir.file("labels/judgments.jsonl"), [])
    config = preferences.Config(dialect=PAIRS, labels=AnnotatorKind.PERSON)
    with pytest.raises(DataError, match="found 'as given' \\(person\\)"):
        preferences.run(config, run_dir, no_model)


class Inverted(BiasTask):
    """Defect 4: the writer of the mistakes takes the verdict for that of the better response."""

    def mistaken_judgments(
        self, question: Question, responses: Sequence[Response], policy: str
    ) -> list[Mistake]:
        found = super().mistaken_judgments(question, responses, policy)
        return [
            one._replace(judgment=KeyJudgment(one.judgment.verdict, praise(one.judgment.verdict)))
            for one in found
        ]


def praise(wrong: Choice) -> str:
    if wrong.value == "TIE":
        return "Response A and Response B are equally good answers."
    return f"Response {wrong.value} is careful. Response {wrong.value} is the stronger answer."


class Leaking(BiasTask):
    """Defect 5: every fourth mistake speaks of the instruction that it was written to."""

    def mistaken_judgments(
        self, question: Question, responses: Sequence[Response], policy: str
    ) -> list[Mistake]:
        leak = " The verdict must be another one." if question.id[0] in "0123" else ""
        return [
            one._replace(judgment=one.judgment._replace(rationale=one.judgment.rationale + leak))
            for one in super().mistaken_judgments(question, responses, policy)
        ]


@pytest.mark.parametrize(
    ("planted", "audits"),
    [(Inverted(), {"bag_of_words", "inversion"}), (Leaking(), {"instruction_leak"})],
)
def test_a_planted_defect_stops_the_stage_before_anything_is_written(
    planted: BiasTask,
    audits: set[str],
    other: Callable[[], RunDir],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the sides left uneven as they come, so that the audits and not the selection see it."""
    run_dir = other()
    monkeypatch.setattr(stage, "task_of", lambda header: planted)
    monkeypatch.setattr(stage, "select", lambda found, count: unchecked(found))
    with pytest.raises(AuditError) as stopped:
        preferences.run(preferences.Config(dialect=PAIRS), run_dir, no_model)
    errors = {one["audit"] for one in stopped.value.findings if one["severity"] == "error"}
    assert audits <= errors
    assert not run_dir.file(ROWS).exists()


def unchecked(found: Sequence[Any]) -> stage.Selection:
    first = {one.item_id: one for one in found}
    return stage.Selection(tuple(first.values()), {})


def test_mistakes_without_a_reverse_are_refused_with_what_was_found(
    other: Callable[[], RunDir], monkeypatch: pytest.MonkeyPatch
) -> None:
    class OneWay(BiasTask):
        def mistaken_judgments(self, *given: Any) -> list[Mistake]:
            return [
                one
                for one in super().mistaken_judgments(*given)
                if one.judgment.verdict.value == "TIE"
            ]

    monkeypatch.setattr(stage, "task_of", lambda header: OneWay())
    with pytest.raises(DataError, match=r"found \(right to wrong verdict, rows\) A to TIE: \d+"):
        preferences.run(preferences.Config(dialect=PAIRS), other(), no_model)


def test_single_responses_get_rows_of_their_own(tmp_path: Path) -> None:
    run_dir = made_run(tmp_path, SINGLES)
    found = preferences.run(preferences.Config(dialect=SINGLES), run_dir, no_model)
    made = run_dir.read(ROWS, PreferenceRow)
    assert len(made) > 100
    assert {row.order for row in made} == {(0,), (1,)}
    assert len({(row.split, row.prompt) for row in made}) == len(made)
    train_rows.run(train_rows.Config(dialect=SINGLES), run_dir, no_model)
    learned = {(r.prompt, r.completion) for r in run_dir.read("rows/sft.jsonl", SftRow)}
    assert {(row.prompt, row.chosen) for row in made} <= learned
    for row in made:
        assert {verdict(row, "chosen", SINGLES), verdict(row, "rejected", SINGLES)} == {"0", "1"}
    for side in (Split.TRAIN, Split.DEV):
        right = Counter(verdict(row, "chosen", SINGLES) for row in made if row.split is side)
        assert right["0"] == right["1"] > 0
    wrong = {(row.how_made, verdict(row, "rejected", SINGLES)) for row in made}
    assert {("misread_person", "0"), ("misread_person", "1")} <= wrong
    assert found.taken == found.made + sum(found.dropped.values())
    assert not [one for one in found.tables["findings"] if one["severity"] == "error"]


def test_a_mistake_that_one_order_lacks_is_left_out(
    labelled: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OneOrder(BiasTask):
        def mistaken_judgments(
            self, question: Question, responses: Sequence[Response], policy: str
        ) -> list[Mistake]:
            found = super().mistaken_judgments(question, responses, policy)
            return found if responses[0].id < responses[1].id else found[:1]

    materials = Materials(
        questions=index_by_id(labelled.read("questions/questions.jsonl", Question)),
        responses=index_by_id(labelled.read("responses/responses.jsonl", Response)),
        task=OneOrder(), dialect=load_dialect(TASK, PAIRS), modes=TASK.mistake_modes, seed=1,
    )  # fmt: skip
    judgments = index_by_id(labelled.read("labels/judgments.jsonl", Judgment))
    label = {one.item_id: one for one in labelled.read("labels/labels.jsonl", Label)}
    for item in labelled.read("split/items.jsonl", Item)[:20]:
        given = [judgments[i] for i in label[item.id].judgment_ids]
        assert len(materials.candidates(item, label[item.id], given)) <= 1


def test_mistakes_that_no_reply_can_hold_are_counted(
    labelled: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reason of one mode quotes a tag of the dialect: its mistakes are lost, and told."""

    class Tagged(BiasTask):
        def mistaken_judgments(
            self, question: Question, responses: Sequence[Response], policy: str
        ) -> list[Mistake]:
            found = super().mistaken_judgments(question, responses, policy)
            return [
                one._replace(judgment=one.judgment._replace(rationale="It says </reasoning>."))
                if one.mode == "misread_person"
                else one
                for one in found
            ]

    whole = preferences.run(preferences.Config(dialect=PAIRS), labelled, no_model)
    monkeypatch.setattr(stage, "task_of", lambda header: Tagged())
    found = preferences.run(preferences.Config(dialect=PAIRS), labelled, no_model)
    assert stage.UNSAYABLE not in whole.tables
    lost = found.tables[stage.UNSAYABLE]
    assert set(lost) == {"misread_person"}
    assert lost["misread_person"] >= whole.tables["mistakes to choose from"]["misread_person"] > 0
