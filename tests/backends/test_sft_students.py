"""Full weights, LoRA and QLoRA of every architecture; kills in the middle; what is kept."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.origin import read_origin, reply_budget
from judgesmith.backends.sft_trl import Trained, Training, train_sft
from judgesmith.backends.student import load_student
from judgesmith.errors import ModelError, TrainingError
from judgesmith.models.protocol import Request, Sampling

pytestmark = pytest.mark.slow
ADAPTER = "student/adapter_model.safetensors"
Build = Callable[..., Training]


def half(model: Any) -> float:
    return 0.5


def losses(found: Trained, name: str) -> list[float]:
    return [entry[name] for entry in found.log if name in entry]


@pytest.mark.parametrize("quantize", [None, "nf4"])
@pytest.mark.parametrize("architecture", ["llama", "mistral", "qwen3", "gemma3", "gemma4"])
def test_an_adapter_of_every_architecture(
    architecture: Any, quantize: Any, bases: Any, training: Build, train_rows: Any, dev_rows: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    """It learns, is kept beside its base, and answers in the base's own class.

    One that was trained over a base in four bits is asked over four bits: over the published base
    it would be another judge than the one that dev chose.
    """
    base = bases(architecture)
    job = training(base, tmp_path, quantize=quantize, packing="bfd", max_truncated=0.0)
    found = train_sft(job, train_rows, dev_rows, half)
    assert losses(found, "dev_loss")[-1] < losses(found, "dev_loss")[0]
    student = tmp_path / "student"
    assert not (student / "model.safetensors").exists()
    assert not (student / "README.md").exists()
    kept = json.loads((student / "adapter_config.json").read_text())
    assert kept["base_model_name_or_path"] == str(base.resolve())
    model = LocalModel("m", str(student))
    known = json.loads((base / "config.json").read_text())["architectures"]
    inside = model._model.get_base_model() if quantize else model._model
    assert type(inside).__name__ == known[0]
    stored = {type(module).__name__ for module in inside.modules()}
    assert ("Linear4bit" in str(stored)) is (quantize is not None)
    assert model._model.num_parameters() == found.counts["parameters"] or quantize
    request = Request(
        record_id="r", messages=train_rows[0].prompt, sampling=Sampling(max_tokens=4)
    )  # fmt: skip
    assert len(list(model.complete([request]))) == 1
    origin = read_origin(student)
    assert origin is not None
    assert (origin.dialects, origin.quantize) == ({"d": "hash"}, quantize)
    lengths = [length.reply for length in _lengths(base, train_rows)]
    assert origin.reply_tokens is not None
    assert origin.reply_tokens.max == max(lengths)
    assert reply_budget(origin) == -(-max(lengths) * 5 // 4) + 16


def _lengths(base: Path, rows: Any) -> Any:
    from judgesmith.backends.sft_data import encode_rows
    from judgesmith.backends.weights import load_tokenizer

    return encode_rows(load_tokenizer(str(base)), rows, 200).lengths


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize(
    "changed",
    [
        {"peft": {"r": 4, "target_modules": "all-linear", "lora_dropout": 0.1}},
        {"quantize": "nf4", "packing": "bfd", "keep": "best", "patience": 5},
        {"peft": None},
    ],
    ids=["lora", "nf4", "full"],
)
def test_a_killed_training_goes_on_to_the_same_bytes(
    changed: dict[str, Any], bases: Any, training: Build, train_rows: Any, dev_rows: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    """Killed in the second evaluation: steps 3 and 4 are trained again."""
    weights = "student/model.safetensors" if changed.get("peft", 1) is None else ADAPTER
    base, asked = bases("llama"), 0

    def die(model: Any) -> float:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise Killed
        return 0.5

    whole = train_sft(training(base, tmp_path / "whole", **changed), train_rows, dev_rows, half)
    job = training(base, tmp_path / "killed", **changed)
    with pytest.raises(Killed):
        train_sft(job, train_rows, dev_rows, die)
    again = train_sft(job, train_rows, dev_rows, half)
    assert asked == 2
    assert again.log == whole.log
    assert (tmp_path / "killed" / weights).read_bytes() == (
        tmp_path / "whole" / weights
    ).read_bytes()


def test_the_best_is_kept_and_training_stops_early(
    bases: Any, training: Build, train_rows: Any, dev_rows: Any, tmp_path: Path
) -> None:
    """Kappas .1 .3 .2 .2: the fourth evaluation is the second without a better one; 2's is kept."""
    base, kappas = bases("llama"), iter([0.1, 0.3, 0.2, 0.2, 0.9])
    job = training(base, tmp_path / "a", steps=12, patience=2, keep="best")
    found = train_sft(job, train_rows, dev_rows, lambda model: next(kappas))
    assert losses(found, "dev_kappa") == [0.1, 0.3, 0.2, 0.2]
    stopped = training(base, tmp_path / "b", steps=12, patience=1)
    kappas = iter([0.3, 0.1])
    train_sft(stopped, train_rows, dev_rows, lambda model: next(kappas))
    last, best = ((tmp_path / name / ADAPTER).read_bytes() for name in "ba")
    assert last == best  # both of step 4
    assert next(kappas, None) is None


def test_a_training_that_had_stopped_is_not_trained_on_after_a_kill(
    bases: Any, training: Build, train_rows: Any, dev_rows: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Killed between the last checkpoint and the student: the same student comes out of it."""
    from judgesmith.backends import sft_trl

    kappas = {"whole": iter([0.3, 0.1, 0.1]), "killed": iter([0.3, 0.1, 0.1])}
    jobs = {
        name: training(bases("llama"), tmp_path / name, steps=8, patience=2, keep="best")
        for name in kappas
    }
    train_sft(jobs["whole"], train_rows, dev_rows, lambda model: next(kappas["whole"]))

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(sft_trl, "save_whole", die)
        with pytest.raises(Killed):
            train_sft(jobs["killed"], train_rows, dev_rows, lambda model: next(kappas["killed"]))
    again = train_sft(jobs["killed"], train_rows, dev_rows, half)
    assert losses(again, "dev_kappa") == [0.3, 0.1, 0.1]
    assert (tmp_path / "killed" / ADAPTER).read_bytes() == (
        tmp_path / "whole" / ADAPTER
    ).read_bytes()


def test_an_adapter_goes_on_being_trained(
    bases: Any, training: Build, train_rows: Any, dev_rows: Any, tmp_path: Path
) -> None:
    """The second training starts from the first's adapter, on the same base."""
    first = train_sft(training(bases("llama"), tmp_path / "a"), train_rows, dev_rows, half)
    job = training(tmp_path / "a/student", tmp_path / "b")
    second = train_sft(job, train_rows, dev_rows, half)
    assert losses(second, "train_loss")[0] < losses(first, "train_loss")[0] - 0.2
    bare = tmp_path / "bare"  # as adapters of others often are: no tokenizer beside them
    names = ("adapter_config.json", "adapter_model.safetensors")
    bare.mkdir()
    for name in names:
        shutil.copy(tmp_path / "a/student" / name, bare)
    again = train_sft(training(bare, tmp_path / "d"), train_rows, dev_rows, half)
    assert again.log == second.log
    kept = json.loads((tmp_path / "b/student/adapter_config.json").read_text())
    assert kept["base_model_name_or_path"] == str(bases("llama").resolve())
    whole = train_sft(job._replace(folder=tmp_path / "c", peft=None), train_rows, dev_rows, half)
    assert losses(whole, "train_loss")[0] < losses(first, "train_loss")[0] - 0.2
    assert "trained parameters" not in whole.counts
    assert (tmp_path / "c/student/model.safetensors").exists()
    other = job._replace(peft={"r": 8})
    with pytest.raises(TrainingError, match=r"sft\.peft\.r = 8.*has 4"):
        train_sft(other, train_rows, dev_rows, half)


def test_an_adapter_over_four_bits_goes_on_from_what_it_learned(
    bases: Any, training: Build, train_rows: Any, tmp_path: Path
) -> None:
    """TRL rounds it to bfloat16 first: with steps of no length, nothing may have moved."""
    from safetensors.torch import load_file

    job = training(bases("llama"), tmp_path / "a", steps=2, quantize="nf4")
    train_sft(job, train_rows, [], half)
    first = tmp_path / "a/student"
    on = training(first, tmp_path / "b", steps=1, quantize="nf4", learning_rate=0.0)
    train_sft(on, train_rows, [], half)
    before, after = load_file(tmp_path / "a" / ADAPTER), load_file(tmp_path / "b" / ADAPTER)
    assert all((after[name] == before[name]).all() for name in before)
    assert any((weight != weight.bfloat16().float()).any() for weight in before.values())


@pytest.mark.parametrize("family", ["gemma3", "gemma4"])
def test_a_model_of_text_and_images_learns_its_text_alone(
    family: str, bases: Any, training: Build, train_rows: Any, dev_rows: Any, tmp_path: Path,
    with_images: Callable[[str, Path, Path], Path],
) -> None:  # fmt: skip
    """The hub's Gemma checkpoints are such: adapters go on the language model only."""
    base = with_images(family, bases(family), tmp_path / "base")
    found = train_sft(training(base, tmp_path / "lora"), train_rows, dev_rows, half)
    assert losses(found, "dev_loss")[-1] < losses(found, "dev_loss")[0]
    from safetensors.torch import load_file

    names = list(load_file(tmp_path / "lora" / ADAPTER))
    assert names
    assert all(".language_model.layers." in name or "per_layer" in name for name in names)
    whole = training(base, tmp_path / "full", peft=None)
    train_sft(whole, train_rows, dev_rows, half)
    before, after = (load_file(f / "model.safetensors") for f in (base, tmp_path / "full/student"))
    moved = {name for name in after if not (after[name] == before[name]).all()}
    assert moved
    assert not [name for name in moved if "vision" in name or "projector" in name]
    # The same shapes under other names: PEFT would leave the adapter out without a word.
    config = tmp_path / "lora/student/adapter_config.json"
    kept = json.loads(config.read_text()) | {"base_model_name_or_path": str(bases(family))}
    config.write_text(json.dumps(kept))
    (tmp_path / "lora/student/judgesmith.json").unlink()
    with pytest.raises(ModelError, match=r"does not fit its base .*have no counterpart"):
        load_student(str(tmp_path / "lora/student"))


def test_an_adapter_is_refused_on_another_base(
    bases: Any, training: Build, train_rows: Any, dev_rows: Any, tmp_path: Path
) -> None:
    job = training(bases("llama"), tmp_path, steps=2)
    train_sft(job, train_rows, dev_rows, half)
    config = tmp_path / "student/adapter_config.json"
    kept = json.loads(config.read_text())
    config.write_text(json.dumps(kept | {"base_model_name_or_path": str(bases("qwen3"))}))
    with pytest.raises(ModelError, match=r"trained on another base"):
        load_student(str(tmp_path / "student"))
    (tmp_path / "student/judgesmith.json").unlink()
    narrow = tmp_path / "narrow"
    shutil.copytree(bases("llama"), narrow)
    changed = json.loads((narrow / "config.json").read_text())
    (narrow / "config.json").write_text(json.dumps(changed | {"intermediate_size": 64}))
    config.write_text(json.dumps(kept | {"base_model_name_or_path": str(narrow)}))
    with pytest.raises(ModelError, match=r"do not fit its config\.json|could not be loaded"):
        load_student(str(tmp_path / "student"))


def test_a_run_that_was_moved_finds_its_base(
    bases: Any, training: Build, train_rows: Any, dev_rows: Any, tmp_path: Path
) -> None:
    """The base is in the same run: the adapter's origin names it from where the adapter lies."""
    shutil.copytree(bases("llama"), tmp_path / "run/sft/before")
    job = training(tmp_path / "run/sft/before", tmp_path / "run/sft", steps=2)
    train_sft(job, train_rows, dev_rows, half)
    (tmp_path / "run").rename(tmp_path / "moved")
    model, _ = load_student(str(tmp_path / "moved/sft/student"))
    assert model.num_parameters() > 0
    shutil.rmtree(tmp_path / "moved/sft/before")
    with pytest.raises(ModelError, match=r"its base .*/run/sft/before is not there"):
        load_student(str(tmp_path / "moved/sft/student"))


def test_four_bits_need_an_adapter_and_choosing_needs_dev_rows(
    bases: Any, training: Build, train_rows: Any, tmp_path: Path
) -> None:
    full = training(bases("llama"), tmp_path, quantize="nf4", peft=None)
    with pytest.raises(TrainingError, match=r"sft\.quantize.*sft\.peft"):
        train_sft(full, train_rows, [], half)
    best = training(bases("llama"), tmp_path, keep="best")
    with pytest.raises(TrainingError, match=r"sft\.keep.*no.*dev side \(0 are longer"):
        train_sft(best, train_rows, [], half)
    shortest = min(train_rows, key=lambda row: len(row.prompt[1].content))
    longest = [row for row in train_rows if len(row.prompt[1].content) > 30]
    with pytest.raises(TrainingError, match=rf"dev side \({len(longest)} are longer"):
        train_sft(best._replace(max_length=40), [shortest], longest, half)


def test_activations_may_be_computed_again(
    bases: Any, training: Build, train_rows: Any, dev_rows: Any, tmp_path: Path
) -> None:
    """An option of TRL's that saves memory and changes no number."""
    plain = train_sft(training(bases("gemma3"), tmp_path, steps=2), train_rows, dev_rows, half)
    option = {"activation_checkpointing": True}
    job = training(bases("gemma3"), tmp_path, steps=2, trl=option)
    saved = train_sft(job, train_rows, dev_rows, half)
    assert losses(saved, "train_loss") == pytest.approx(losses(plain, "train_loss"), abs=1e-5)
