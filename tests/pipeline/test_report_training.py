"""What the training stages leave in a run is what the report reads: no word of theirs is lost."""

from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.dry_run import DryRun
from judgesmith.backends.merging.methods import NuSlerp
from judgesmith.backends.merging.result import (
    MergeInput,
    MergeReport,
    MergeWarning,
    TensorReport,
)
from judgesmith.models.dev_measures import DevMeasures
from judgesmith.pipeline.report_training import (
    TENSORS,
    merge_findings,
    read_merging,
    read_preference,
    read_training,
)
from judgesmith.report import merging
from judgesmith.report.training import CurvePoint, PreferencePoint
from judgesmith.runs.jsonl import write_bytes
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.manifest import Manifest, StageReport
from judgesmith.stages import dpo
from judgesmith.stages.merge import search, stage
from judgesmith.stages.sft.config import Config

JUDGES = {
    "absolute": {"dialect": "graded", "steps": 5, "peft": {"r": 64}},
    "pairwise": {"dialect": "pairs", "epochs": 2.0},
}


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path, Header(name="test", task="general", seed=7))


def manifest(stage_name: str, config: dict[str, Any], tables: dict[str, Any]) -> Manifest:
    return Manifest(
        stage=stage_name, version=1, record_schema=1, judgesmith="0", inputs={}, outputs={},
        determined_by={"config": config}, libraries={}, wall_s=60.0,
        report=StageReport(taken=0, made=0, tables=tables),
    )  # fmt: skip


def told(rows: int) -> dict[str, Any]:
    found = DryRun(50, 25, 2.0, 1.0, 9, 10, 100.0, 0.5, 3.2)
    return {
        "training": {"rows too long": 0, "parameters": rows},
        "tokens": {"train": {"rows": {"n": rows}}},
        "dry run": found._asdict(),
    }


def point(step: int) -> CurvePoint:
    return CurvePoint(step=step, train_loss=1.0, dev_loss=None, dev_kappa=None)


def test_every_student_is_read_with_its_own_config_and_curve(run: RunDir) -> None:
    config = Config.model_validate(
        {"student": "org/base", "epochs": 3, "learning_rate": 1e-4, "judges": JUDGES}
    )
    run.write("sft/absolute/curve.jsonl", [point(5)])
    run.write("sft/pairwise/curve.jsonl", [point(1), point(8)])
    tables = {"students": {name: told(n) for n, name in enumerate(JUDGES, 1)}}
    found = read_training(run, manifest("sft", config.model_dump(mode="json"), tables))
    assert found is not None
    assert [one.name for one in found.students] == ["absolute", "pairwise"]
    assert [one.curve[-1].step for one in found.students] == [5, 8]
    for one in found.students:
        meant = config.students[one.name].model_dump(mode="json")
        own = {name: value for name, value in one.config.items() if meant.get(name) != value}
        assert own.keys() <= {"dialect", "judges", "epochs"}
        assert one.config["epochs"] == config.students[one.name].epochs
        assert one.config["dialect"] == [*config.students[one.name].dialect]
    dry_run = found.students[0].dry_run
    assert dry_run is not None
    assert dry_run["projected_hours"] == 0.5


def test_the_only_student_is_read_from_the_stages_own_tables(run: RunDir) -> None:
    config = Config.model_validate(
        {"student": "org/base", "steps": 3, "learning_rate": 1e-4, "dialect": "pairs"}
    ).model_dump(mode="json")
    run.write("sft/curve.jsonl", [point(3)])
    found = read_training(run, manifest("sft", config, told(7)))
    assert found is not None
    (student,) = found.students
    assert (student.name, student.curve[0].step, student.counts["parameters"]) == ("student", 3, 7)


def test_a_run_of_before_or_one_that_has_not_ended_tells_nothing(run: RunDir) -> None:
    assert read_training(run, None) is None
    assert read_training(run, manifest("sft", {}, {"training": {"parameters": 1}})) is None
    assert read_preference(run, None) is None
    assert read_merging(run, None) is None


def test_preference_training_is_read_with_every_field_of_its_curve(run: RunDir) -> None:
    assert dpo.PreferencePoint.model_fields.keys() == PreferencePoint.model_fields.keys()
    run.write("dpo/curve.jsonl", [dpo.PreferencePoint(step=0, dev_margin=0.25)])
    tables = {"training": {"rows too long": 2}, "before the first step": {"dev": {"loss": 0.69}}}
    found = read_preference(run, manifest("dpo", {"beta": 0.1}, tables))
    assert found is not None
    assert found.curve == (PreferencePoint(step=0, dev_margin=0.25),)
    assert (found.before["dev"]["loss"], found.after) == (0.69, {})
    # Four bits that SFT chose, without a word under `dpo`.
    stored = read_preference(run, manifest("dpo", {"quantize": None}, {"quantize": "nf4"}))
    assert stored is not None
    assert stored.config["quantize"] == "nf4"


def tensor(n: int) -> TensorReport:
    return TensorReport(
        name=f"layers.{n}", shape=(4, 4), norms=(1.0, 2.0), cosines=(0.1,), norm_ratio=2.0,
        sign_conflict=0.4, coefficients=(0.6, 0.6), norm=1.5, rank=8,
    )  # fmt: skip


def report() -> MergeReport:
    warning = MergeWarning(kind="density_one", message="density 1 drops nothing.", remedy="Lower.")
    return MergeReport(
        result="adapter", base="before", method=NuSlerp(weights=(0.5, 0.5)), warnings=(warning,),
        tensors=tuple(tensor(n) for n in range(9)),
        inputs=tuple(
            MergeInput(name=f"{name}/student", sha256="ab" * 32, weight=0.5, ranks=(4,))
            for name in JUDGES
        ),
    )  # fmt: skip


def rows() -> list[dict[str, object]]:
    measured = {"graded": DevMeasures(0.5, 0.6, 0.7, 1.0, None, 20)}
    merges = search.rank_tried({"nuslerp 0.5 : 0.5": measured}, measured, "nuslerp", choose=True)
    return [one.row() for one in (*merges, search.beside(merging.ROUTED, measured, measured))]


def test_a_merge_is_read_as_its_stage_writes_it(run: RunDir) -> None:
    tables = {"merge": stage.summary(report()), "search": rows()}
    write_bytes(run.file(TENSORS), report().model_dump_json().encode())
    found = read_merging(run, manifest("merge", {"judges": list(JUDGES)}, tables))
    assert found is not None
    assert [one["name"] for one in found.summary["inputs"]] == list(JUDGES)
    assert found.summary["base"] == "the student before training"
    assert [(one.measure, one.median) for one in found.spreads][:2] == [
        ("cosine", 0.1), ("longer over shorter", 2.0),
    ]  # fmt: skip
    assert [one.name for one in found.merges] == ["nuslerp 0.5 : 0.5"]
    assert [one.name for one in found.beside] == [merging.ROUTED]
    (finding,) = merge_findings(tables)
    assert (finding["severity"], finding["message"]) == ("warning", "density 1 drops nothing.")
    assert merge_findings({}) == []


def test_stages_and_report_mean_the_same_measures_and_files() -> None:
    assert TENSORS.startswith(f"{stage.STUDENT}/")
    assert DevMeasures._fields == tuple(merging.Measured.model_fields)
