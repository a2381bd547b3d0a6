"""The sft stage: an adapter student of a rehearsed class, its checks and its tables."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.launch import Launch, read_order, write_order
from judgesmith.backends.loading import load
from judgesmith.backends.origin import read_origin
from judgesmith.backends.probing import parsed
from judgesmith.backends.sft_trl import Trained, Training
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.backends.watched import Job
from judgesmith.errors import TrainingError
from judgesmith.models.dev import Asking, DevSets
from judgesmith.records import AnnotatorKind, Direction, Label, Message, SftRow, Split, choice
from judgesmith.report.document import CurvePoint
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.rehearsal import Rates
from judgesmith.stages import sft
from judgesmith.stages.sft import Config, training
from judgesmith.stages.sft.stage import without_kappa
from judgesmith.tasks import known_dialects, load_dialect, load_task, task_of

DIALECT = "bias-pair-compact"
CONFIG = Config(
    student=FromNothing(
        width=32, layers=2, heads=2, vocabulary=400, context=512, architecture="gemma3"
    ),
    dialect=DIALECT, steps=4, learning_rate=0.003, batch=4, eval_every=2, max_length=256,
    reply_tokens=8, peft={"r": 4, "target_modules": "all-linear"}, quantize="nf4", packing="bfd",
    dry_run=4, patience=3, keep="best",
)  # fmt: skip


def row(item_id: str, n: int, split: Split, dialect: str, *, long: int = 1) -> SftRow:
    return SftRow.make(
        source="t", licence="none", item_id=item_id, order=(0, 1), split=split, dialect=dialect,
        prompt=(
            Message(role="system", content="Judge."),
            Message(role="user", content=f"Was it {n}? " * long),
        ),
        completion=f"<reasoning>It was {n}.</reasoning><verdict>{'AB'[n % 2]}</verdict>",
    )  # fmt: skip


@pytest.fixture
def run_dir(empty_run: RunDir, make: Any) -> RunDir:
    """Twelve items with rows, two of them on dev with labels, and one row that is too long."""
    dialect = load_dialect(load_task("bias"), DIALECT).hash
    questions = [make.question(f"q{n}") for n in range(12)]
    pairs = [[make.response(q, model) for model in ("m1", "m2")] for q in questions]
    items = [
        make.item(*pair, split=Split.DEV if n < 2 else Split.TRAIN, bucket=("odd", "even")[n % 2])
        for n, pair in enumerate(pairs)
    ]  # fmt: skip
    labels = [
        Label.make(
            source="t", licence="n", item_id=item.id, verdict=choice(letter),
            direction=Direction.WORSE, confidence=None, policy="p", judgment_ids=(),
            annotator_kind=AnnotatorKind.KEY, annotator="key",
        )
        for item, letter in zip(items, "AB", strict=False)
    ]  # fmt: skip
    rows = [row(i.id, n, i.split or Split.TRAIN, dialect) for n, i in enumerate(items)]
    rows.append(row(items[5].id, 99, Split.TRAIN, dialect, long=60))
    empty_run.write("questions/questions.jsonl", questions)
    empty_run.write("responses/responses.jsonl", [r for pair in pairs for r in pair])
    empty_run.write("split/items.jsonl", items)
    empty_run.write("labels/labels.jsonl", labels)
    empty_run.write("rows/sft.jsonl", rows)
    write_json(empty_run.file("machine.json"), {"torch_threads": 1, "bf16": False})
    load("torch").set_num_threads(1)
    return empty_run


@pytest.mark.slow
def test_a_rehearsed_adapter_student(run_dir: RunDir, no_models: Any) -> None:
    report = sft.run(CONFIG, run_dir, no_models)
    assert (report.taken, report.made) == (13, 10)
    assert report.dropped == {"longer than max_length": 1, "dev row": 2}
    told = report.tables["tokens"]["train"]
    assert told["rows"]["n"] == 11
    assert told["rows"]["over max_length"] == 1
    assert told["rows"]["max"] > 256
    assert told["rows of even"]["n"] + told["rows of odd"]["n"] == 11
    tried = report.tables["dry run"]
    assert (tried["rows"], tried["asked"]) == (4, 2)
    assert report.tables["training"]["trained parameters"] > 0
    student = run_dir.file("sft/student")
    assert (student / "adapter_model.safetensors").exists()
    origin = read_origin(student)
    assert origin is not None
    dialect = load_dialect(load_task("bias"), DIALECT)
    assert (origin.base, origin.dialects) == ("../before", {dialect.name: dialect.hash})
    assert {path.name for path in run_dir.file("sft").iterdir()} == {
        "before", "student", "curve.jsonl", "finished.json",
    }  # fmt: skip
    from judgesmith.inference.students import own_model

    assert own_model(run_dir, "student").name == "student"


@pytest.mark.slow
def test_a_pretrained_student_is_held_to_its_lengths_and_tried_first(
    run_dir: RunDir, no_models: Any, tmp_path: Path
) -> None:
    """One of eleven rows is too long: refused at 1%, and trained on a copy first at 10%."""
    base = tmp_path / "base"
    rows = run_dir.read("rows/sft.jsonl", SftRow)
    assert isinstance(CONFIG.student, FromNothing)
    build_student(CONFIG.student, [turn.content for r in rows for turn in r.prompt], base, seed=1)
    (base / "from_nothing.json").unlink()
    config = CONFIG.model_copy(update={"student": str(base), "quantize": None, "dry_run": None})
    assert config.rows_of_dry_run == 50
    with pytest.raises(TrainingError, match=r"1 of 11 training rows .*sft\.max_length to \d+"):
        sft.run(config, run_dir, no_models)
    report = sft.run(config.model_copy(update={"max_truncated": 0.1}), run_dir, no_models)
    assert report.tables["dry run"]["rows"] == 10
    assert (run_dir.file("sft/before") / "path.txt").read_text().strip() == str(base)


def test_a_rehearsal_has_the_class_that_the_recipe_names() -> None:
    named = CONFIG.model_copy(update={"student": FromNothing(architecture="gemma4")})
    rehearsed = named.rehearsed(Rates(None, ()))
    assert isinstance(rehearsed.student, FromNothing)
    assert (rehearsed.student.architecture, rehearsed.student.width) == ("gemma4", 32)
    assert rehearsed.student.context >= rehearsed.max_length + rehearsed.reply_tokens
    assert (rehearsed.quantize, rehearsed.packing, rehearsed.peft) == ("nf4", "bfd", CONFIG.peft)
    hub = CONFIG.model_copy(update={"student": "org/model", "dry_run": None})
    assert hub.rehearsed(Rates(None, ())).rows_of_dry_run == 50
    llama = hub.rehearsed(Rates(None, ())).student
    assert isinstance(llama, FromNothing)
    assert llama.is_llama


def test_replies_of_the_dry_run_are_read_in_the_dialect(run_dir: RunDir) -> None:
    """A model that answers one of two items in the dialect's form."""
    from judgesmith.models.protocol import Completion
    from judgesmith.records import Finish

    class OneInTwo:
        name = "one in two"

        def complete(self, requests: Any) -> Any:
            for n, _ in enumerate(requests):
                text = "<reasoning>x</reasoning><verdict>A</verdict>" if n % 2 else "no idea"
                yield Completion(
                    text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1
                )

    dialect = load_dialect(load_task("bias"), DIALECT)
    dev_set = DevSets.of_run(
        run_dir, [Asking(dialect, 8, 60, 7)], known_dialects(task_of(run_dir.header))
    ).first
    assert parsed(OneInTwo(), dev_set) == (1, 2)


TWO = Launch(processes=2)


@pytest.mark.slow
@pytest.mark.wide
def test_two_processes_train_the_student_of_one(run_dir: RunDir, no_models: Any) -> None:
    """`accelerate launch` over gloo: two processes with batches of 2 see what one sees with 4.

    Batches are packed in the order in which rows were drawn, so both see the same rows at each
    step, and the losses are those of one process up to the order of sums.
    """
    config = CONFIG.model_copy(update={"quantize": None, "batch": 2, "launch": TWO})
    launched = sft.run(config, run_dir, no_models)
    curve = read_curve(run_dir)
    assert launched.tables["dry run"]["asked"] == 2
    assert {path.name for path in run_dir.file("sft").iterdir()} == {
        "before", "student", "curve.jsonl", "finished.json",
    }  # fmt: skip
    assert (run_dir.file("sft/student") / "adapter_model.safetensors").exists()
    assert read_origin(run_dir.file("sft/student")) is not None
    alone = CONFIG.model_copy(update={"quantize": None})
    sft.run(alone, run_dir, no_models)
    assert [point.step for point in curve] == [point.step for point in read_curve(run_dir)]
    for one, two in zip(read_curve(run_dir), curve, strict=True):
        assert two.train_loss == pytest.approx(one.train_loss, abs=2e-3)
        assert two.dev_loss == pytest.approx(one.dev_loss, abs=2e-3)
        assert two.dev_kappa == one.dev_kappa


def read_curve(run_dir: RunDir) -> list[Any]:
    return run_dir.read("sft/curve.jsonl", CurvePoint)


@pytest.mark.slow
@pytest.mark.wide
def test_what_a_process_refuses_reaches_the_stage(run_dir: RunDir, no_models: Any) -> None:
    """Our own error as it is; anything else with the end of the log."""
    one = Launch(processes=1)
    config = CONFIG.model_copy(update={"launch": one, "trl": {"warmup_stepz": 1}})
    with pytest.raises(TrainingError, match=r"^sft\.trl: .*'warmup_stepz'; did you mean"):
        sft.run(config, run_dir, no_models)
    broken = CONFIG.model_copy(update={"launch": Launch(processes=1, config=__file__)})
    with pytest.raises(TrainingError, match=r"ended with code \d+ .*log\.txt"):
        sft.run(broken, run_dir, no_models)


SINGLE = "bias-single-compact"


@pytest.mark.slow
def test_students_that_were_trained_to_their_end_are_kept(
    run_dir: RunDir, no_models: Any, capsys: Any
) -> None:
    """The second cannot be trained: mended, it is, and the first stays as it lies there.

    With other settings of its own the first is trained again.
    """

    def config(second: int, first: int = 4) -> Config:
        judges = {
            "one": {"dialect": DIALECT, "steps": first},
            "two": {"dialect": DIALECT, "max_length": second},
        }
        plain = CONFIG.model_dump() | {"dialect": (), "quantize": None, "dry_run": 0}
        return Config.model_validate(plain | {"judges": judges})

    weights = run_dir.file("sft/one/student/adapter_model.safetensors")
    with pytest.raises(TrainingError, match="no training row fits"):
        sft.run(config(second=1), run_dir, no_models)
    stamp = weights.stat().st_mtime_ns
    run_dir.file("sft/one/curve.jsonl").unlink()
    report = sft.run(config(second=256), run_dir, no_models)
    assert weights.stat().st_mtime_ns == stamp
    assert "one was trained to its end before, and is kept" in capsys.readouterr().err
    assert report.made == 2 * 10
    assert report.tables["students"]["one"] == report.tables["students"]["two"]
    assert len(run_dir.read("sft/one/curve.jsonl", CurvePoint)) > 1
    sft.run(config(second=256, first=2), run_dir, no_models)
    assert weights.stat().st_mtime_ns != stamp
    stamp = weights.stat().st_mtime_ns
    shutil.rmtree(weights.parent)
    sft.run(config(second=256, first=2), run_dir, no_models)
    assert weights.stat().st_mtime_ns > stamp


def test_a_launched_training_measures_dev_in_every_dialect(run_dir: RunDir) -> None:
    """What the workers read is what the stage has: both dialects with their items."""
    dialects = [load_dialect(load_task("bias"), name) for name in (DIALECT, SINGLE)]
    dev_sets = DevSets.of_run(
        run_dir,
        (Asking(one, 8, 60, 7) for one in dialects),
        known_dialects(task_of(run_dir.header)),
    )
    job = Job(run_dir.file("sft/launch"))
    job.open()
    told = Training(
        base="org/model", folder=run_dir.file("sft"), learning_rate=0.1, batch=1, steps=1,
        eval_every=1, max_length=9, seed=7, trl={}, peft=None,
    )  # fmt: skip
    write_order(job, told, run_dir, dev_sets)
    read = read_order(job.folder)
    assert read.training == told._replace(steps_file=job.steps)
    assert [one.asking for one in read.dev_sets.sets] == [one.asking for one in dev_sets.sets]
    assert [len(one.items) for one in read.dev_sets.sets] == [2, 2]


def test_evaluations_without_a_kappa_are_a_finding(run_dir: RunDir) -> None:
    """Why it is so: split over processes, no dev item in a dialect, or undefined each time."""
    dialect = load_dialect(load_task("bias"), DIALECT)
    two = DevSets.of_run(
        run_dir, [Asking(dialect, 8, 60, 7)], known_dialects(task_of(run_dir.header))
    )
    none = DevSets.of_run(
        run_dir, [Asking(dialect, 8, 0, 7)], known_dialects(task_of(run_dir.header))
    )
    log = [{"step": 2, "dev_loss": 1.0}, {"step": 4, "dev_loss": 0.9}]
    trained = Trained(log, {}, {}, None)
    fsdp = CONFIG.model_copy(update={"launch": Launch(processes=2, config="fsdp")})
    (split,) = without_kappa("student", fsdp, trained, two)
    assert "split over processes" in split.message
    assert (split.count, split.of, split.effect) == (2, 2, "dev loss alone chose what was kept")
    (empty,) = without_kappa("student", CONFIG, trained, none)
    assert f"no dev item has a label in '{DIALECT}'" in empty.message
    (undefined,) = without_kappa("student", CONFIG, trained, two)
    assert "undefined each time" in undefined.message
    unasked = CONFIG.model_copy(update={"dev_items": 0})
    assert without_kappa("student", unasked, trained, none) == []
    measured = trained._replace(log=[*log, {"step": 4, "dev_kappa": 0.0}])
    assert without_kappa("student", CONFIG, measured, two) == []


@pytest.mark.slow
def test_soft_labels_of_the_teachers(run_dir: RunDir) -> None:
    """Two rows have a distribution; without any the recipe's wish is refused."""
    dialect = load_dialect(load_task("bias"), DIALECT)
    rows = run_dir.read("rows/sft.jsonl", SftRow)
    config = CONFIG.model_copy(update={"soft_labels": 0.5, "dry_run": 0})
    before = training.prepare_before(config, rows, run_dir.file("sft/before"), 7)
    place = training.Place("student", before, run_dir.file("sft"))
    dev_set = DevSets.of_run(
        run_dir, [Asking(dialect, 8, 60, 7)], known_dialects(task_of(run_dir.header))
    ).first
    with pytest.raises(TrainingError, match=r"sft\.soft_labels: no row has"):
        training.train_student(config, rows, place, run_dir=run_dir, dev_sets=DevSets((dev_set,)))
    chances = {row.id: {"A": 0.6, "B": 0.4} for row in rows[4:6]}
    known = place._replace(chances=chances)
    found = training.train_student(
        config, rows, known, run_dir=run_dir, dev_sets=DevSets((dev_set,))
    )
    assert (found.counts["soft"], found.counts["hard, no distribution"]) == (2, 11)
