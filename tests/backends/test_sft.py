"""Training with TRL: all weights, adapters, and going on after a kill."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.encode import encode_prompt
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.sft_trl import Training, train_sft
from judgesmith.errors import TrainingError
from judgesmith.models.protocol import Model
from judgesmith.records import Message, SftRow, Split

pytestmark = pytest.mark.slow
Log = list[dict[str, float]]


def rows(side: Split, count: int) -> list[SftRow]:
    return [
        SftRow.make(
            source="t", licence="n", item_id=f"{side}{n}", order=(0, 1), split=side, dialect="d",
            prompt=(Message(role="user", content=f"Was it {n} or {n + 1}?"),),
            completion=f"<reasoning>It was {n}.</reasoning><verdict>{'AB'[n % 2]}</verdict>",
        )
        for n in range(count)
    ]  # fmt: skip


TRAIN, DEV = rows(Split.TRAIN, 20), rows(Split.DEV, 4)


def train(base: Path, folder: Path, **changed: Any) -> tuple[Log, dict[str, int], list[float]]:
    """Log, counts, and the dev kappas that were asked for."""
    training = Training(
        base=str(base), folder=folder, learning_rate=0.003, batch=4, steps=6, eval_every=2,
        max_length=256, seed=7, trl={}, peft=None,
    )._replace(**changed)  # fmt: skip
    measured: list[float] = []

    def measure(model: Model) -> float:
        assert isinstance(model, LocalModel)
        measured.append(len(measured) / 10)
        return 0.5

    log, counts, *_ = train_sft(training, TRAIN, DEV, measure)
    return log, counts, measured


def weights(folder: Path) -> bytes:
    return (folder / "student/model.safetensors").read_bytes()


def tear(folder: Path, at: int, *, torn: Sequence[int]) -> None:
    """As a kill leaves it: whole checkpoints up to `at`, torn ones after it, and no student."""
    shutil.rmtree(folder / "student", ignore_errors=True)
    for step in torn:
        half = folder / "checkpoints" / f"checkpoint-{step}"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        (half / "model.safetensors").write_bytes(b"torn")
    assert (folder / "checkpoints" / f"checkpoint-{at}").is_dir()


@pytest.fixture(scope="module")
def plain(student_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Log]:
    folder = tmp_path_factory.mktemp("plain")
    return folder, train(student_folder, folder)[0]


def test_training_moves_the_weights_and_logs_every_evaluation(
    plain: tuple[Path, Log], student_folder: Path
) -> None:
    folder, log = plain
    assert weights(folder) != (student_folder / "model.safetensors").read_bytes()
    assert [e["step"] for e in log if "dev_kappa" in e] == [2, 4, 6]
    assert [e["step"] for e in log if "dev_loss" in e] == [2, 4, 6]
    losses = [e["train_loss"] for e in log if "train_loss" in e]
    assert losses[-1] < losses[0]
    assert sorted(p.name for p in folder.iterdir()) == ["student"]


def test_the_same_training_gives_the_same_bytes(
    plain: tuple[Path, Log], student_folder: Path, tmp_path: Path
) -> None:
    log, _, _ = train(student_folder, tmp_path)
    assert (weights(tmp_path), log) == (weights(plain[0]), plain[1])


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def killed_at(base: Path, folder: Path, evaluation: int, **changed: Any) -> None:
    """Train until the given evaluation, and die in it."""
    asked = 0

    def measure(model: Model) -> float:
        nonlocal asked
        asked += 1
        if asked == evaluation:
            raise Killed
        return 0.5

    training = Training(
        base=str(base), folder=folder, learning_rate=0.003, batch=4, steps=6, eval_every=2,
        max_length=256, seed=7, trl={}, peft=None,
    )._replace(**changed)  # fmt: skip
    with pytest.raises(Killed):
        train_sft(training, TRAIN, DEV, measure)


def test_training_goes_on_from_the_last_whole_checkpoint(
    plain: tuple[Path, Log], student_folder: Path, tmp_path: Path
) -> None:
    """Killed in the evaluation of step 6; checkpoint 6 is half written; 4 is whole."""
    killed_at(student_folder, tmp_path, 3)
    tear(tmp_path, 4, torn=[6])
    log, _, measured = train(student_folder, tmp_path)
    assert len(measured) == 1
    assert log == plain[1]
    assert weights(tmp_path) == weights(plain[0])
    assert not (tmp_path / "checkpoints").exists()


LONG = {"steps": 16, "eval_every": 13}
"""Evaluated every 13 steps, logged every 2: the checkpoint stands between two log lines."""


@pytest.fixture(scope="module")
def long_and_resumed(
    student_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[tuple[Path, Log], tuple[Path, Log]]:
    undisturbed, killed = (tmp_path_factory.mktemp(name) for name in ("long", "killed"))
    log, _, _ = train(student_folder, undisturbed, **LONG)
    with pytest.raises(Killed):
        _train_and_die(student_folder, killed, LONG)
    shutil.rmtree(killed / "checkpoints" / "checkpoint-16", ignore_errors=True)
    again, _, _ = train(student_folder, killed, **LONG)
    return (undisturbed, log), (killed, again)


def test_weights_after_a_checkpoint_between_two_log_lines(long_and_resumed: Any) -> None:
    (undisturbed, _), (killed, _) = long_and_resumed
    assert weights(killed) == weights(undisturbed)


def test_curve_after_a_checkpoint_between_two_log_lines(long_and_resumed: Any) -> None:
    """Step 14's loss is the mean of steps 13 and 14, resumed at 13 or not."""
    (_, log), (_, again) = long_and_resumed
    assert again == log


def _train_and_die(base: Path, folder: Path, long: dict[str, Any]) -> None:
    """Die when the finished student is to be saved: checkpoint 13 is whole, 16 may be torn."""
    from judgesmith.backends import sft_trl

    def die(*_: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sft_trl, "save_whole", die)
        train(base, folder, **long)


def test_a_student_keeps_its_tokenizer_and_template(
    plain: tuple[Path, Log], student: tuple[Any, Any]
) -> None:
    """Defect 15: the prompt is the same tokens before training and after."""
    trained = LocalModel("m", str(plain[0] / "student"))
    prompt = TRAIN[0].prompt
    assert encode_prompt(trained._tokenizer, prompt) == encode_prompt(student[1], prompt)


def test_options_that_trl_does_not_know_are_refused(student_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"sft\.trl.*warmup_stepz"):
        train(student_folder, tmp_path, trl={"warmup_stepz": 3})


def test_no_row_fits(student_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"sft\.max_length = 5"):
        train(student_folder, tmp_path, max_length=5)
