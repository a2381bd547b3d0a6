"""Preference training: margins rise, starts are checked, and a kill changes nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends import dpo_trl
from judgesmith.backends.dpo_checks import LN2
from judgesmith.backends.dpo_trainer import Training
from judgesmith.backends.dpo_trl import Trained, train_dpo
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.pairs import Pair, PairScore
from judgesmith.backends.student import read_size
from judgesmith.errors import TrainingError
from judgesmith.models.protocol import Model
from judgesmith.records import Message, PreferenceRow, Split
from judgesmith.runs.jsonl import file_sha256

pytestmark = pytest.mark.slow


def rows(side: Split, count: int) -> list[PreferenceRow]:
    """The chosen verdict is always A, so that a few steps show; both replies are equally long."""
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


TRAIN, DEV = rows(Split.TRAIN, 20), rows(Split.DEV, 6)


def training(base: Path, folder: Path, **changed: Any) -> Training:
    return Training(
        base=str(base), reference=str(base), folder=folder, learning_rate=0.003, batch=4, steps=6,
        beta=0.1, eval_every=2, max_length=256, seed=7, trl={}, peft=None,
        nothing=read_size(str(base)),
    )._replace(**changed)  # fmt: skip


def half(model: Model) -> float:
    assert isinstance(model, LocalModel)
    return 0.5


def train(base: Path, folder: Path, **changed: Any) -> Trained:
    return train_dpo(training(base, folder, **changed), TRAIN, DEV, half)


def weights(folder: Path) -> bytes:
    return (folder / "student/model.safetensors").read_bytes()


def column(found: Trained, name: str) -> dict[int, float]:
    return {int(entry["step"]): entry[name] for entry in found.log if name in entry}


@pytest.fixture(scope="module")
def plain(student_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    folder = tmp_path_factory.mktemp("plain")
    return folder, train(student_folder, folder)


def test_before_the_first_step_stands_in_the_log(plain: tuple[Path, Trained]) -> None:
    _, found = plain
    assert column(found, "train_loss")[0] == pytest.approx(LN2, abs=1e-6)
    assert column(found, "dev_loss")[0] == pytest.approx(LN2, abs=1e-6)
    assert (column(found, "train_margin")[0], column(found, "dev_margin")[0]) == (0.0, 0.0)
    assert 0 not in column(found, "dev_rewarded")
    assert 0 not in column(found, "train_rewarded")
    assert {side: numbers.pairs for side, numbers in found.before.items()} == {
        "train": 20, "dev": 6,
    }  # fmt: skip
    assert 0.0 <= found.before["dev"].accuracy <= 1.0


def test_training_raises_the_margin_and_logs_every_evaluation(
    plain: tuple[Path, Trained], student_folder: Path
) -> None:
    folder, found = plain
    assert weights(folder) != (student_folder / "model.safetensors").read_bytes()
    for name in ("dev_loss", "dev_margin", "dev_accuracy", "dev_chosen", "dev_kappa"):
        assert list(column(found, name)) == [0, 2, 4, 6]
    assert list(column(found, "train_loss")) == [0, 1, 2, 3, 4, 5, 6]
    assert found.after["train"].margin > 0.02
    assert found.after["train"].loss < LN2
    assert found.after["train"].rewarded > 0.9
    assert found.after["dev"].margin == column(found, "dev_margin")[6]
    assert sorted(p.name for p in folder.iterdir()) == ["student"]


def test_the_margin_is_measured_on_the_saved_student(
    plain: tuple[Path, Trained], student_folder: Path
) -> None:
    """The folders alone give the number again: no state of the training is needed for it."""
    from judgesmith.backends.dpo_checks import measure
    from judgesmith.backends.pairs import encode_pairs, score_pairs
    from judgesmith.backends.student import load_student

    folder, found = plain
    policy, tokenizer = load_student(str(folder / "student"))
    pairs = encode_pairs(tokenizer, DEV, 256).pairs
    before = score_pairs(load_student(str(student_folder))[0], pairs, 4)
    again = measure(score_pairs(policy, pairs, 4), before, 0.1)
    assert again.margin == pytest.approx(found.after["dev"].margin, abs=1e-5)


def test_the_same_training_gives_the_same_bytes(
    plain: tuple[Path, Trained], student_folder: Path, tmp_path: Path
) -> None:
    before = file_sha256(student_folder)
    assert train(student_folder, tmp_path) == plain[1]
    assert weights(tmp_path) == weights(plain[0])
    assert file_sha256(student_folder) == before


def test_the_lean_loss_is_the_loss_of_trl(
    plain: tuple[Path, Trained], student_folder: Path, tmp_path: Path
) -> None:
    """Every logged number agrees with a training by TRL's own loss."""
    assert read_size(str(student_folder)) is not None
    other = train(student_folder, tmp_path, nothing=None)
    for name in ("train_loss", "train_margin", "dev_loss", "dev_margin", "dev_chosen"):
        assert column(other, name) == pytest.approx(column(plain[1], name), abs=1e-4), name
    mine, trl = (column(found, "train_rewarded") for found in (plain[1], other))
    assert {**mine, 1: None} == {**trl, 1: None}  # before the first step a margin is 0 +- rounding


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def test_training_goes_on_from_the_last_whole_checkpoint(
    plain: tuple[Path, Trained], student_folder: Path, tmp_path: Path
) -> None:
    """Killed in the evaluation of step 6; checkpoint 6 is half written; 4 is whole."""
    asked = 0

    def dies(model: Model) -> float:
        nonlocal asked
        asked += 1
        if asked == 4:
            raise Killed
        return 0.5

    with pytest.raises(Killed):
        train_dpo(training(student_folder, tmp_path), TRAIN, DEV, dies)
    torn = tmp_path / "checkpoints" / "checkpoint-6"
    torn.mkdir()
    (torn / "model.safetensors").write_bytes(b"torn")
    assert (tmp_path / "checkpoints" / "checkpoint-4").is_dir()
    assert train(student_folder, tmp_path) == plain[1]
    assert weights(tmp_path) == weights(plain[0])
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize("lost", [[], ["checkpoint-6"]])
def test_killed_while_the_student_was_saved(
    plain: tuple[Path, Trained], student_folder: Path, tmp_path: Path, lost: list[str]
) -> None:
    def die(*_: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dpo_trl, "save_whole", die)
        with pytest.raises(Killed):
            train(student_folder, tmp_path)
    for name in lost:
        shutil.rmtree(tmp_path / "checkpoints" / name)
    assert train(student_folder, tmp_path) == plain[1]
    assert weights(tmp_path) == weights(plain[0])


def test_the_reference_is_computed_once_for_a_killed_training(
    student_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from judgesmith.backends import dpo_reference

    loaded: list[str] = []
    load = dpo_reference.load_student
    monkeypatch.setattr(
        dpo_reference,
        "load_student",
        lambda path, **how: loaded.append(path) or load(path, **how),
    )

    def dies(model: Model) -> float:
        raise Killed

    for _ in range(2):
        with pytest.raises(Killed):
            train_dpo(training(student_folder, tmp_path), TRAIN, DEV, dies)
    assert len(loaded) == 3  # reference and policy, then the policy again


LORA = {"r": 4, "target_modules": "all-linear"}
# PEFT asks transformers by a name that transformers has since deprecated.
DEPRECATED = "ignore:.*is_gradient_checkpointing:FutureWarning"


@pytest.mark.filterwarnings(DEPRECATED)
def test_an_adapter_starts_at_the_student_and_is_merged(
    student_folder: Path, tmp_path: Path
) -> None:
    found = train(student_folder, tmp_path, peft=LORA, learning_rate=0.05)
    assert column(found, "dev_margin")[0] == 0.0
    assert found.after["train"].margin > 0.02
    saved = tmp_path / "student"
    assert not list(saved.glob("adapter*"))
    config = json.loads((saved / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert weights(tmp_path) != (student_folder / "model.safetensors").read_bytes()
    model = LocalModel("m", str(saved))
    assert sum(p.numel() for p in model._model.parameters()) == found.counts["parameters"]


@pytest.mark.filterwarnings(DEPRECATED)
def test_an_adapter_that_starts_elsewhere_is_refused(student_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"not the model that training starts from.*init_lora"):
        train(student_folder, tmp_path, peft={**LORA, "init_lora_weights": False})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lean", [True, False])
def test_the_first_loss_of_the_trainer_itself_is_checked(
    student_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lean: bool
) -> None:
    """Planted: the right reference, handed to the trainer with both replies exchanged."""
    fields = Pair.fields

    def exchanged(pair: Pair, reference: PairScore) -> dict[str, Any]:
        swapped = reference._replace(chosen=reference.rejected, rejected=reference.chosen)
        return fields(pair, swapped)

    monkeypatch.setattr(Pair, "fields", exchanged)
    size = read_size(str(student_folder)) if lean else None
    with pytest.raises(TrainingError, match=r"loss before the first step is .* ln 2"):
        train(student_folder, tmp_path, nothing=size)
    assert list(tmp_path.iterdir()) == []


def test_another_loss_of_trl_is_allowed_and_not_held_to_ln_2(
    student_folder: Path, tmp_path: Path
) -> None:
    """IPO starts at (1 / (2 beta)) ** 2 = 25, where beta is 0.1; dev is still measured as DPO."""
    found = train(student_folder, tmp_path, trl={"loss_type": ["ipo"]})
    assert column(found, "train_loss")[1] == pytest.approx(25.0, abs=1e-3)
    assert column(found, "dev_loss")[0] == pytest.approx(LN2, abs=1e-6)


def test_without_dev_rows_the_training_side_is_watched(
    student_folder: Path, tmp_path: Path
) -> None:
    found = train_dpo(training(student_folder, tmp_path, steps=2), TRAIN, [], lambda model: None)
    assert list(found.before) == list(found.after) == ["train"]
    assert column(found, "dev_loss") == column(found, "dev_kappa") == {}
    with pytest.raises(TrainingError, match="on 20 train pairs"):
        train_dpo(
            training(student_folder, tmp_path, learning_rate=3.0), TRAIN, [], lambda model: None
        )


def test_counts_of_tokens(plain: tuple[Path, Trained], student: Any) -> None:
    """Supervised are both replies; the prompt is read with each of them."""
    from judgesmith.backends.pairs import encode_pairs

    pairs = encode_pairs(student[1], TRAIN, 256).pairs
    replies = sum(len(pair.chosen) + len(pair.rejected) for pair in pairs)
    prompts = sum(len(pair.prompt) for pair in pairs)
    counts = plain[1].counts
    assert counts["supervised tokens per epoch"] == replies
    assert counts["tokens per epoch"] == replies + 2 * prompts
    assert counts["rows too long"] == counts["dev rows too long"] == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"trl": {"warmup_stepz": 3}}, r"dpo\.trl.*warmup_stepz"),
        ({"trl": {"beta": 0.5}}, r"dpo\.trl\.beta: leave it out; set dpo\.beta"),
        ({"trl": {"sync_ref_model": True}}, r"dpo\.trl\.sync_ref_model: .*what the reference is"),
        ({"trl": {"max_steps": 1}}, r"dpo\.trl\.max_steps: leave it out; set dpo\.steps"),
        ({"peft": {"lora_alpha": None}}, r"dpo\.peft\.lora_alpha: expected a value, found null"),
        ({"peft": {"lora_alpha": "many"}}, r"dpo\.peft, dpo\.trl: refused for this student"),
        ({"quantize": "nf4"}, r"dpo\.quantize: .*Give dpo\.peft an adapter"),
        ({"max_length": 5}, r"dpo\.max_length = 5 tokens \(20 rows\)"),
    ],
)
def test_mistakes_are_named(
    student_folder: Path, tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        train(student_folder, tmp_path, **changed)


def test_dropping_what_does_not_fit(
    student_folder: Path, tmp_path: Path, lengthen: Callable[[PreferenceRow], PreferenceRow]
) -> None:
    rows_ = [lengthen(TRAIN[0]), *TRAIN[1:8]]
    found = train_dpo(
        training(student_folder, tmp_path, steps=1), rows_, [lengthen(DEV[0]), *DEV[1:]], half
    )
    assert (found.counts["rows too long"], found.counts["dev rows too long"]) == (1, 1)
    assert found.before["train"].pairs == 7


@pytest.fixture
def lengthen() -> Callable[[PreferenceRow], PreferenceRow]:
    return lambda row: row.model_copy(update={"rejected": row.rejected * 20})
