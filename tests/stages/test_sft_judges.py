"""Several students in one run: what each has of its own, and what cannot be meant."""

from typing import Any

import pytest

from judgesmith.pipeline.order import load_stage, outputs_of
from judgesmith.runs.rehearsal import Rates
from judgesmith.stages.sft import Config

BASE: dict[str, Any] = {
    "student": "some/model", "learning_rate": 0.001, "peft": {"r": 8}, "epochs": 2,
}  # fmt: skip
TWO: dict[str, Any] = {
    "absolute": {"dialect": "grades", "peft": {"r": 64}},
    "pairwise": {"dialect": "pairs", "steps": 30, "learning_rate": 0.01},
    "joint": {"dialect": ["grades", "pairs"]},
}


def config(**changes: Any) -> Config:
    return Config.model_validate({**BASE, **changes})


def test_each_has_the_recipes_settings_but_for_its_own() -> None:
    found = config(judges=TWO).students
    assert list(found) == ["absolute", "pairwise", "joint"]
    absolute, pairwise, joint = found.values()
    assert (absolute.peft, absolute.epochs, absolute.dialect) == ({"r": 64}, 2, ("grades",))
    assert (pairwise.steps, pairwise.epochs, pairwise.learning_rate) == (30, None, 0.01)
    assert (joint.dialect, joint.peft) == (("grades", "pairs"), {"r": 8})
    assert not any(one.judges for one in found.values())


def test_dialects_and_outputs_are_those_of_all() -> None:
    found = config(judges=TWO)
    assert found.dialects == ("grades", "pairs")
    assert outputs_of(load_stage("sft"), found) == (
        "sft/before", "sft/absolute/student", "sft/absolute/curve.jsonl",
        "sft/pairwise/student", "sft/pairwise/curve.jsonl",
        "sft/joint/student", "sft/joint/curve.jsonl",
    )  # fmt: skip


def test_one_student_is_as_ever() -> None:
    """And is written as ever, so that a finished run is not stale."""
    found = Config.model_validate(
        {"student": "m", "dialect": "pairs", "steps": 5, "learning_rate": 0.1}
    )
    assert outputs_of(load_stage("sft"), found) == (
        "sft/before", "sft/student", "sft/curve.jsonl",
    )  # fmt: skip
    told = found.model_dump(mode="json")
    assert told["dialect"] == "pairs"
    assert not told.keys() & {"epochs", "judges"}
    assert Config.model_validate(told) == found


def test_what_is_written_can_be_read_again() -> None:
    found = config(judges=TWO)
    assert Config.model_validate(found.model_dump(mode="json")) == found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "expected `dialect`, or `judges`"),
        ({"judges": TWO, "dialect": "pairs"}, "expected `dialect`, or `judges`"),
        ({"dialect": "pairs", "steps": 5}, "expected `steps` or `epochs`, and not both"),
        ({"judges": {"a": {"dialect": "d", "steps": 1, "epochs": 1}}}, "judge 'a': expected"),
        ({"judges": {"student": {"dialect": "d"}}}, "none of before, checkpoints"),
        ({"judges": {"A b": {"dialect": "d"}}}, "small letters, digits and hyphens"),
        ({"judges": {"a": {"dialect": []}}}, "at least 1 item"),
    ],
)
def test_what_cannot_be_meant(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        config(**changes)


def test_a_rehearsal_trains_each_of_them_shortly() -> None:
    found = config(judges=TWO, quantize="nf4").rehearsed(Rates(None, ()))
    assert {one.steps for one in found.students.values()} == {20}
    assert [one.peft for one in found.students.values()] == [{"r": 64}, {"r": 8}, {"r": 8}]
    assert found.quantize == "nf4"
    assert not found.pretrained
