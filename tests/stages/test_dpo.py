"""The stage: preference rows and the SFT student in, a student, a curve and its numbers out."""

import shutil
from typing import Any

import orjson
import pytest

from judgesmith.backends.loading import load
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.errors import DataError, TrainingError
from judgesmith.pipeline.order import STAGES, load_stage
from judgesmith.records import (
    AnnotatorKind,
    Direction,
    Label,
    Message,
    PreferenceRow,
    Split,
    choice,
)
from judgesmith.runs.jsonl import file_sha256, read_records, write_json
from judgesmith.runs.layout import RunDir
from judgesmith.stages import dpo
from judgesmith.stages.dpo import Config, PreferencePoint, merge_log
from judgesmith.tasks import load_dialect, load_task

pytestmark = pytest.mark.slow
DIALECT = load_dialect(load_task("bias"), "bias-pair-compact")


def preference(n: int, side: Split, *, dialect: str = DIALECT.hash, long: int = 1) -> PreferenceRow:
    return PreferenceRow.make(
        source="t", licence="n", item_id=f"{side}{n}", order=(0, 1), split=side, dialect=dialect,
        prompt=(Message(role="user", content=f"Was it {n} or {n + 1}?"),),
        chosen=f"<reasoning>It was {n}.</reasoning><verdict>A</verdict>" * long,
        rejected=f"<reasoning>It was {n}.</reasoning><verdict>B</verdict>", how_made="by hand",
    )  # fmt: skip


@pytest.fixture
def run_dir(empty_run: RunDir, make: Any) -> RunDir:
    """Two labelled dev items, 14 preference rows, and a student where SFT leaves it."""
    questions = [make.question(name) for name in ("q1", "q2")]
    pairs = [[make.response(q, model) for model in ("m1", "m2")] for q in questions]
    items = [make.item(*pair, split=Split.DEV) for pair in pairs]
    labels = [
        Label.make(
            source="t", licence="n", item_id=item.id, verdict=choice(letter),
            direction=Direction.WORSE, confidence=None, policy="p", judgment_ids=(),
            annotator_kind=AnnotatorKind.KEY, annotator="key",
        )
        for item, letter in zip(items, "AB", strict=True)
    ]  # fmt: skip
    rows = [preference(n, Split.TRAIN) for n in range(8)]
    rows += [preference(n, Split.DEV) for n in range(4)]
    rows += [preference(9, Split.TRAIN, long=40), preference(9, Split.TEST)]
    empty_run.write("questions/questions.jsonl", questions)
    empty_run.write("responses/responses.jsonl", [r for pair in pairs for r in pair])
    empty_run.write("split/items.jsonl", items)
    empty_run.write("labels/labels.jsonl", labels)
    empty_run.write("labels/judgments.jsonl", [])
    empty_run.write(dpo.ROWS, rows)
    write_json(empty_run.file("machine.json"), {"torch_threads": 1})
    load("torch").set_num_threads(1)
    before, student = empty_run.file(dpo.BEFORE), empty_run.file(dpo.STUDENT)
    size = FromNothing(width=32, layers=1, heads=2, vocabulary=300, context=512)
    build_student(size, [row.prompt[0].content + row.rejected for row in rows], before, seed=5)
    shutil.copytree(before, student, ignore=shutil.ignore_patterns("from_nothing.json"))
    return empty_run


CONFIG = Config(
    dialect="bias-pair-compact", steps=4, learning_rate=0.003, batch=4, eval_every=2,
    max_length=256, reply_tokens=8,
)  # fmt: skip


def test_the_stage_trains_and_tells_its_numbers(run_dir: RunDir, no_models: Any) -> None:
    before = file_sha256(run_dir.file(dpo.STUDENT))
    report = dpo.run(CONFIG, run_dir, no_models)
    assert (report.taken, report.made) == (14, 8)
    assert report.dropped == {"longer than max_length": 1, "dev row": 4, "on the test side": 1}
    told = report.tables["before the first step"]
    assert {side: numbers["pairs"] for side, numbers in told.items()} == {"train": 8, "dev": 4}
    assert told["dev"]["loss"] == pytest.approx(0.693147, abs=1e-6)
    assert told["train"]["margin"] == 0.0
    after = report.tables["after the last step"]
    assert after["train"]["margin"] > 0
    assert orjson.loads(orjson.dumps(report.model_dump(mode="json"))) == report.model_dump()
    points = list(read_records(run_dir.file("dpo/curve.jsonl"), PreferencePoint))
    assert [point.step for point in points] == [0, 1, 2, 3, 4]
    assert [point.step for point in points if point.dev_loss is not None] == [0, 2, 4]
    assert [point.step for point in points if point.dev_kappa is not None] == [0, 2, 4]
    assert points[-1].dev_margin == after["dev"]["margin"]
    assert (run_dir.file("dpo/student") / "model.safetensors").exists()
    assert file_sha256(run_dir.file(dpo.STUDENT)) == before
    assert {path.name for path in run_dir.file("dpo").iterdir()} == {"student", "curve.jsonl"}


def test_rows_of_another_dialect_are_refused(run_dir: RunDir, no_models: Any) -> None:
    run_dir.write(dpo.ROWS, [preference(1, Split.TRAIN, dialect="other")])
    with pytest.raises(
        DataError, match=r"since \(other\), not in dpo\.dialect = 'bias-pair-compact'"
    ):
        dpo.run(CONFIG, run_dir, no_models)


def test_a_stopped_run_leaves_nothing_behind(run_dir: RunDir, no_models: Any) -> None:
    config = CONFIG.model_copy(update={"learning_rate": 5.0})
    with pytest.raises(TrainingError, match=r"dpo: .*learning_rate"):
        dpo.run(config, run_dir, no_models)
    assert list(run_dir.file("dpo").iterdir()) == []


def test_the_stage_follows_sft_and_declares_its_files(run_dir: RunDir) -> None:
    assert STAGES.index("dpo") == STAGES.index("sft") + 1
    assert load_stage("dpo").Config is Config
    assert len(Config.model_fields) <= 14  # steps or epochs, quantize; decisions 0028, 0030
    assert all(run_dir.file(name).exists() for name in dpo.inputs(CONFIG))
    assert dpo.outside(CONFIG) == {}


def test_a_moment_is_one_point_whatever_was_logged_when() -> None:
    log = [
        {"step": 2, "train_loss": 0.5}, {"step": 0, "dev_loss": 0.7},
        {"step": 2, "dev_kappa": 0.25},
    ]  # fmt: skip
    first, second = merge_log(log)
    assert (first.step, first.dev_loss, first.train_loss) == (0, 0.7, None)
    assert (second.step, second.train_loss, second.dev_kappa) == (2, 0.5, 0.25)


def test_the_run_offers_the_student_after_dpo(run_dir: RunDir, no_models: Any) -> None:
    from judgesmith.errors import RunError
    from judgesmith.inference.students import own_model

    with pytest.raises(RunError, match="--until dpo"):
        own_model(run_dir, "after DPO")
    dpo.run(CONFIG, run_dir, no_models)
    assert own_model(run_dir, "after DPO").name == "after DPO"


def test_an_adapter_over_four_bits_goes_on_as_one(run_dir: RunDir, no_models: Any) -> None:
    """As SFT left it, so without a word in the recipe; and the run can ask it."""
    from judgesmith.backends.origin import read_origin
    from judgesmith.backends.sft_trl import Training, train_sft
    from judgesmith.inference.students import own_model
    from judgesmith.records import SftRow

    shutil.rmtree(run_dir.file(dpo.STUDENT))
    rows = [
        SftRow.make(
            source="t", licence="n", item_id=f"i{n}", order=(0, 1), split=Split.TRAIN,
            dialect=DIALECT.hash, prompt=(Message(role="user", content=f"Was it {n}?"),),
            completion=f"<reasoning>It was {n}.</reasoning><verdict>A</verdict>",
        )
        for n in range(4)
    ]  # fmt: skip
    sft = Training(
        base=str(run_dir.file(dpo.BEFORE)), folder=run_dir.file("sft"), learning_rate=0.01,
        batch=4, steps=1, eval_every=1, max_length=256, seed=7, trl={}, quantize="nf4",
        peft={"r": 4, "target_modules": "all-linear"}, dialects={DIALECT.name: DIALECT.hash},
    )  # fmt: skip
    train_sft(sft, rows, [], lambda model: None)
    report = dpo.run(CONFIG, run_dir, no_models)
    assert report.tables["before the first step"]["dev"]["loss"] == pytest.approx(0.693147)
    counts = report.tables["training"]
    assert 0 < counts["trained parameters"] < counts["parameters"]
    assert report.tables["quantize"] == "nf4"
    student = run_dir.file("dpo/student")
    assert (student / "adapter_model.safetensors").exists()
    origin = read_origin(student)
    assert origin is not None
    assert (origin.base, origin.quantize) == ("../../sft/before", "nf4")
    assert own_model(run_dir, "after DPO").name == "after DPO"
