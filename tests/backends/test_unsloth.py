"""The hand-over to another environment: here the worker runs in our own, without Unsloth."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from judgesmith.backends import unsloth
from judgesmith.backends.adapters import base_of
from judgesmith.backends.launch import Launch
from judgesmith.backends.origin import read_origin
from judgesmith.backends.sft_trl import Training, train_sft
from judgesmith.backends.student import load_student
from judgesmith.backends.unsloth import Unsloth, train_unsloth
from judgesmith.errors import TrainingError

PLAIN = Unsloth(sys.executable, "plain")


class Kappa:
    """Dev items that every student judges alike."""

    def kappa(self, model: Any) -> float:
        assert model.name == "student"
        return 0.25


def hand_over(there: Unsloth, job: Training, train: Any, dev: Any) -> Any:
    return train_unsloth(there, job, train, dev, dev_sets=Kappa())  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.wide
def test_what_comes_back_is_what_our_own_trainer_makes(
    bases: Any, training: Callable[..., Training], train_rows: Any, dev_rows: Any, tmp_path: Path
) -> None:
    """The same rows, masks and schedule: the dev losses of plain transformers are those of ours.

    On the way a kill: the last checkpoint is torn and no adapter came back, so it goes on from
    step 4.
    """
    base = bases("llama")
    job = training(base, tmp_path / "there")
    with pytest.raises(TrainingError, match="no adapter came back"):
        lose_the_adapter(job, train_rows, dev_rows)
    (job.checkpoints / "checkpoint-6" / "complete").unlink()
    (job.folder / "unsloth" / "result.json").unlink()
    found = hand_over(PLAIN, job, train_rows, dev_rows)
    own = train_sft(training(base, tmp_path / "here"), train_rows, dev_rows, lambda model: None)
    there, here = (
        [entry["dev_loss"] for entry in trained.log if "dev_loss" in entry]
        for trained in (found, own)
    )
    assert len(there) == 3
    assert there == pytest.approx(here, abs=1e-3)
    assert there[-1] < there[0]
    assert found.log[-1] == {"step": 6, "dev_kappa": 0.25}
    assert found.counts == own.counts
    assert found.lengths == own.lengths
    student = job.folder / "student"
    assert {path.name for path in job.folder.iterdir()} == {"student"}
    assert base_of(str(student)) == str(base)
    assert read_origin(student) == read_origin(tmp_path / "here" / "student")
    assert load_student(str(student))[0].config.hidden_size == 32


def lose_the_adapter(job: Training, train: Any, dev: Any) -> None:
    """Train to the end, and find nothing where the adapter should be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unsloth, "is_adapter", lambda path: False)
        hand_over(PLAIN, job, train, dev)


@pytest.mark.wide
def test_a_failure_there_is_told_with_the_end_of_its_log(
    bases: Any, training: Callable[..., Training], train_rows: Any, tmp_path: Path
) -> None:
    """Unsloth is not installed here."""
    job = training(bases("llama"), tmp_path)
    with pytest.raises(TrainingError, match=r"(?s)^sft\.launch\.unsloth: .*No module named 'unsl"):
        hand_over(Unsloth(sys.executable), job, train_rows, [])
    assert not (tmp_path / "student").exists()


def test_an_adapter_of_another_base_is_refused(
    bases: Any, training: Callable[..., Training], train_rows: Any, tmp_path: Path
) -> None:
    """As when Unsloth puts its own copy of a model in its place; the worker is done already."""
    job = training(bases("llama"), tmp_path)
    adapter = tmp_path / "unsloth" / "adapter"
    adapter.mkdir(parents=True)
    (adapter.parent / "result.json").write_text("{}")
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "unsloth/copy"}')
    with pytest.raises(TrainingError, match=r"is of the base 'unsloth/copy', expected"):
        hand_over(PLAIN, job, train_rows, [])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"peft": None}, "trains adapters"),
        ({"keep": "best"}, "keep the last"),
        ({"patience": 2}, "keep the last"),
        ({"packing": "bfd"}, "sft.packing"),
    ],
)
def test_what_cannot_go_there_is_refused_first(
    changed: Any, told: str, bases: Any, training: Callable[..., Training], tmp_path: Path
) -> None:
    job = training(bases("llama"), tmp_path, **changed)
    with pytest.raises(TrainingError, match=told):
        hand_over(PLAIN, job, [], [])


def test_a_python_that_is_not_there(
    bases: Any, training: Callable[..., Training], tmp_path: Path
) -> None:
    job = training(bases("llama"), tmp_path)
    with pytest.raises(TrainingError, match=r"found '/no/python', which cannot be run"):
        hand_over(Unsloth("/no/python"), job, [], [])


def test_the_setting() -> None:
    assert Launch(unsloth="/v/bin/python").trainer == "unsloth"
    for wrong in ({}, {"processes": 2, "unsloth": "p"}, {"unsloth": "p", "config": "fsdp"}):
        with pytest.raises(ValidationError):
            Launch.model_validate(wrong)
    with pytest.raises(ValidationError, match="`trainer` is for `unsloth`"):
        Launch.model_validate({"processes": 1, "trainer": "plain"})


def test_the_worker_imports_nothing_of_ours() -> None:
    imports = [line for line in unsloth.WORKER.read_text().splitlines() if "import" in line]
    assert imports
    assert not any("judgesmith." in line for line in imports)
