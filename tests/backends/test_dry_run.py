"""A dry run trains a copy, tells what the training will take, and stops one that cannot learn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.dry_run import Probe
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.sft_trl import Training, train_sft
from judgesmith.errors import TrainingError

pytestmark = pytest.mark.slow
ADAPTER = "student/adapter_model.safetensors"


def none(model: Any) -> None:
    return None


def test_it_changes_nothing_and_is_told(
    bases: Any, training: Callable[..., Training], train_rows: Any, dev_rows: Any, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The student is the same, byte by byte; ten rows in batches of four take six steps."""
    plain = train_sft(training(bases("llama"), tmp_path / "plain"), train_rows, dev_rows, none)
    asked: list[str] = []

    def ask(model: Any) -> tuple[int, int]:
        assert isinstance(model, LocalModel)
        asked.append(model.name)
        return 1, 3

    job = training(bases("llama"), tmp_path / "tried", dry_run=10)
    found = train_sft(job, train_rows, dev_rows, none, Probe(ask, 5))
    assert asked == ["student"]
    assert found.log == plain.log
    weights = [(tmp_path / name / ADAPTER).read_bytes() for name in ("plain", "tried")]
    assert weights[0] == weights[1]
    told = found.dry_run
    assert told is not None
    assert (told.rows, told.steps, told.parsed, told.asked) == (10, 6, 1, 3)
    assert told.loss_after < told.loss_before
    assert 0 < told.projected_hours < 1
    assert 0.05 < told.peak_memory_gb < 100
    assert "1 of 3 replies parsed" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "tried").iterdir()] == ["student"]


def test_it_is_not_run_again_after_a_kill(
    bases: Any, training: Callable[..., Training], train_rows: Any, dev_rows: Any, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    def die(model: Any) -> None:
        raise Killed

    asked: list[Any] = []
    probe = Probe(lambda model: (asked.append(model), (0, 0))[1])
    job = training(bases("llama"), tmp_path, dry_run=8)
    with pytest.raises(Killed):
        train_sft(job, train_rows, dev_rows, die, probe)
    found = train_sft(job, train_rows, dev_rows, none, probe)
    assert len(asked) == 1
    assert found.dry_run is not None


def test_a_loss_that_does_not_fall_stops_everything(
    bases: Any, training: Callable[..., Training], train_rows: Any, tmp_path: Path
) -> None:
    """A learning rate of 1e-20 moves nothing; one of 50 makes it worse. Neither costs an hour."""
    still = training(bases("llama"), tmp_path, dry_run=8, learning_rate=1e-20)
    with pytest.raises(TrainingError, match=r"did not fall in 4 steps.*sft\.learning_rate"):
        train_sft(still, train_rows, [], none)
    wild = training(bases("llama"), tmp_path, dry_run=8, learning_rate=50.0)
    with pytest.raises(TrainingError, match=r"did not fall|the loss is"):
        train_sft(wild, train_rows, [], none)
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_not_finite_says_what_to_do(
    bases: Any, training: Callable[..., Training], train_rows: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Weights of 1e30: states stay normed, gradients do not."""
    from judgesmith.backends import sft_trl

    opened = sft_trl._open

    def burst(job: Training) -> Any:
        model, tokenizer = opened(job)
        for weight in model.parameters():
            weight.data.mul_(1e30)
        return model, tokenizer

    monkeypatch.setattr(sft_trl, "_open", burst)
    with pytest.raises(
        TrainingError, match=r"the loss is (nan|inf) at step [12]\. Lower sft\.learn"
    ):
        train_sft(training(bases("llama"), tmp_path), train_rows, [], none)
