"""Preference training of a student that is an adapter, with and without a base in four bits."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from judgesmith.backends import dpo_trl
from judgesmith.backends.dpo_checks import LN2, measure
from judgesmith.backends.dpo_trainer import Training
from judgesmith.backends.dpo_trl import Trained, train_dpo
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.origin import read_origin
from judgesmith.backends.pairs import encode_pairs, score_pairs
from judgesmith.backends.sft_trl import train_sft
from judgesmith.backends.student import load_student
from judgesmith.errors import TrainingError
from judgesmith.records import Message, PreferenceRow, Split
from judgesmith.runs.jsonl import file_sha256

pytestmark = pytest.mark.slow
ADAPTER = "adapter_model.safetensors"
LORA = {"r": 4, "target_modules": "all-linear"}
Students = Callable[..., Path]


def rows(side: Split, count: int) -> list[PreferenceRow]:
    """The chosen verdict is always A; a system turn would not suit every base."""
    return [
        PreferenceRow.make(
            source="t", licence="n", item_id=f"{side}{n}", order=(0, 1), split=side, dialect="d",
            prompt=(Message(role="user", content=f"Was it {n} or {n + 1}?"),),
            chosen=f"<reasoning>It was {n}.</reasoning><verdict>A</verdict>",
            rejected=f"<reasoning>It was {n}.</reasoning><verdict>B</verdict>",
            how_made="by hand",
        )
        for n in range(count)
    ]  # fmt: skip


TRAIN, DEV = rows(Split.TRAIN, 8), rows(Split.DEV, 4)


@pytest.fixture(scope="module")
def students(
    bases: Any, training: Any, train_rows: Any, tmp_path_factory: pytest.TempPathFactory
) -> Students:
    """What SFT leaves: an adapter, over its base as it is or in four bits; each trained once."""
    made: dict[str, Path] = {}

    def student(base: Path, **changed: Any) -> Path:
        key = f"{base} {changed}"
        if key not in made:
            folder = tmp_path_factory.mktemp("run") / "sft"
            job = training(base, folder, learning_rate=0.05, steps=4, **changed)
            train_sft(job, train_rows, [], lambda model: None)
            made[key] = folder / "student"
        return made[key]

    return student


def job(student: Path, folder: Path, **changed: Any) -> Training:
    return Training(
        base=str(student), reference=str(student), folder=folder, learning_rate=0.003, batch=4,
        steps=4, beta=0.1, eval_every=2, max_length=200, seed=7, trl={}, peft=None,
    )._replace(**changed)  # fmt: skip


def train(student: Path, folder: Path, **changed: Any) -> Trained:
    return train_dpo(job(student, folder, **changed), TRAIN, DEV, lambda model: 0.5)


def first_loss(found: Trained) -> float:
    return next(e["train_loss"] for e in found.log if e["step"] == 1 and "train_loss" in e)


@pytest.mark.parametrize(
    ("architecture", "quantize"),
    [("llama", None), ("llama", "nf4"), ("gemma3", None), ("gemma4", "nf4")],
)
def test_an_adapter_goes_on_being_trained(
    architecture: Any, quantize: Any, bases: Any, students: Students, tmp_path: Path
) -> None:
    """It starts at the SFT student, stays an adapter of the same base, and only it has moved.

    The margin that training told is found again from the two folders alone, over the base as it
    was stored.
    """
    base = bases(architecture)
    student = students(base, quantize=quantize)
    before = file_sha256(student)
    found = train(student, tmp_path / "run/dpo", quantize=quantize)
    assert first_loss(found) == pytest.approx(LN2, abs=1e-4)
    assert found.before["dev"].margin == 0.0
    assert found.after["train"].margin > 0.01, found.after
    saved = tmp_path / "run/dpo/student"
    assert file_sha256(student) == before
    assert sorted(p.name for p in saved.iterdir()) == sorted(p.name for p in student.iterdir())
    kept = json.loads((saved / "adapter_config.json").read_text())
    assert (kept["base_model_name_or_path"], kept["r"]) == (str(base.resolve()), 4)
    assert (saved / ADAPTER).read_bytes() != (student / ADAPTER).read_bytes()
    origin, old = read_origin(saved), read_origin(student)
    assert origin is not None
    assert old is not None
    assert (origin.dialects, origin.quantize) == ({"d": "hash"}, quantize)
    assert (origin.base, origin.base_hash) == (old.base, old.base_hash)
    assert LocalModel("m", str(saved))._model.num_parameters() > 0
    whole, _ = load_student(str(base))
    assert found.counts["parameters"] == whole.num_parameters()
    assert 0 < found.counts["trained parameters"] < found.counts["parameters"]
    policy, tokenizer = load_student(str(saved), quantize=quantize)
    pairs = encode_pairs(tokenizer, DEV, 200).pairs
    reference = score_pairs(load_student(str(student), quantize=quantize)[0], pairs, 4)
    again = measure(score_pairs(policy, pairs, 4), reference, 0.1)
    assert again.margin == pytest.approx(found.after["dev"].margin, abs=1e-4)


def test_what_sft_learned_is_not_rounded(bases: Any, students: Students, tmp_path: Path) -> None:
    """TRL rounds an adapter over four bits to bfloat16: with no step made, nothing may move."""
    from safetensors.torch import load_file

    student = students(bases("llama"), quantize="nf4")
    train(student, tmp_path, quantize="nf4", learning_rate=0.0)
    before, after = (load_file(f / ADAPTER) for f in (student, tmp_path / "student"))
    assert before.keys() == after.keys()
    assert all((after[name] == before[name]).all() for name in before)
    assert any((w != w.bfloat16().float()).any() for w in before.values())


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def test_a_killed_training_goes_on_to_the_same_bytes(
    bases: Any, students: Students, tmp_path: Path
) -> None:
    student, asked = students(bases("llama"), quantize="nf4"), 0

    def dies(model: Any) -> float:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise Killed
        return 0.5

    whole = train(student, tmp_path / "whole", quantize="nf4")
    with pytest.raises(Killed):
        train_dpo(job(student, tmp_path / "killed", quantize="nf4"), TRAIN, DEV, dies)
    assert (tmp_path / "killed/checkpoints/checkpoint-2").is_dir()
    assert train(student, tmp_path / "killed", quantize="nf4") == whole
    bytes_of = [
        (tmp_path / name / "student" / ADAPTER).read_bytes() for name in ("whole", "killed")
    ]
    assert bytes_of[0] == bytes_of[1]


def test_a_base_is_stored_in_four_bits_under_an_adapter_of_sft(
    bases: Any, students: Students, tmp_path: Path
) -> None:
    """The reference is the SFT student over the base as it is stored now."""
    found = train(students(bases("llama")), tmp_path, quantize="nf4")
    assert first_loss(found) == pytest.approx(LN2, abs=1e-4)
    origin = read_origin(tmp_path / "student")
    assert origin is not None
    assert origin.quantize == "nf4"


def test_a_whole_student_in_four_bits_gets_an_adapter_of_its_own(
    bases: Any, tmp_path: Path
) -> None:
    """Merged it would be rounded away; and the run may be moved, student and adapter together."""
    shutil.copytree(bases("llama"), tmp_path / "run/sft/student")
    found = train(tmp_path / "run/sft/student", tmp_path / "run/dpo", peft=LORA, quantize="nf4")
    assert first_loss(found) == pytest.approx(LN2, abs=1e-4)
    assert found.after["train"].margin > 0
    (tmp_path / "run").rename(tmp_path / "moved")
    saved = tmp_path / "moved/dpo/student"
    assert (saved / ADAPTER).exists()
    origin = read_origin(saved)
    assert origin is not None
    assert (origin.base, origin.quantize) == ("../../sft/student", "nf4")
    assert LocalModel("m", str(saved))._model.num_parameters() > 0


def test_another_adapter_than_that_of_sft_is_refused(
    bases: Any, students: Students, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"dpo\.peft\.r = 8.*has 4\. Leave it out"):
        train(students(bases("llama")), tmp_path, peft={"r": 8})
    assert list(tmp_path.iterdir()) == []


class Built(NamedTuple):
    """A trainer's model as it was handed over: which weights learn, and how it computes."""

    learns: list[str]
    computes_again: bool


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Built]:
    """What was built, in order."""
    found: list[Built] = []
    build = dpo_trl.build_trainer

    def noted(*given: Any) -> Any:
        trainer = build(*given)
        learns = [name for name, w in trainer.model.named_parameters() if w.requires_grad]
        found.append(Built(learns, trainer.args.gradient_checkpointing))
        return trainer

    monkeypatch.setattr(dpo_trl, "build_trainer", noted)
    return found


@pytest.mark.parametrize("family", ["gemma3", "gemma4"])
def test_a_model_of_text_and_images_learns_its_text_alone(
    family: str, bases: Any, students: Students, with_images: Any, tmp_path: Path,
    built: list[Built],
) -> None:  # fmt: skip
    """Neither all weights, nor a new adapter, nor one that goes on, reach what sees."""
    base = with_images(family, bases(family), tmp_path / "base")
    train(base, tmp_path / "full", steps=1)
    train(base, tmp_path / "new", steps=1, peft=LORA)
    found = train(students(base, quantize="nf4"), tmp_path / "on", steps=1, quantize="nf4")
    assert first_loss(found) == pytest.approx(LN2, abs=1e-4)
    assert len(built) == 3
    for learns, _ in built:
        assert any(".language_model.layers." in name for name in learns)
        assert not [name for name in learns if "vision" in name or "projector" in name]
    assert (tmp_path / "new/student/model.safetensors").exists()
    assert (tmp_path / "on/student" / ADAPTER).exists()


@pytest.mark.parametrize("name", ["gradient_checkpointing", "activation_checkpointing"])
def test_activations_may_be_computed_again(
    name: str, bases: Any, students: Students, tmp_path: Path, built: list[Built]
) -> None:
    """It changes no number; and it is done."""
    student = students(bases("gemma3"))
    plain = train(student, tmp_path / "plain", steps=2)
    saved = train(student, tmp_path / "saved", steps=2, trl={name: True})
    assert [one.computes_again for one in built] == [False, True]
    losses = [[e["train_loss"] for e in found.log if "train_loss" in e] for found in (plain, saved)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
