"""What a launched training is told, and that no process of it outlives the stage."""

import subprocess
import sys
from pathlib import Path

import pytest

from judgesmith.backends.launch import Launch
from judgesmith.backends.sft_watch import FileBar
from judgesmith.errors import TrainingError


@pytest.mark.wide
def test_a_worker_ends_with_its_stage() -> None:
    """Killed as by SIGKILL: the stage says nothing to anybody."""
    stage = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    code = f"from judgesmith.backends.train_worker import end_with; end_with({stage.pid})"
    worker = subprocess.Popen([sys.executable, "-c", code])
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(3)
    stage.kill()
    stage.wait()
    assert worker.wait(20) == 1


def test_a_config_that_is_not_there_names_what_is_shipped(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("compute_environment: LOCAL_MACHINE\n")
    assert Launch(processes=2).file is None
    assert Launch(processes=2, config=str(own)).file == own
    shipped = Launch(processes=2, config="fsdp").file
    assert shipped is not None
    assert "distributed_type: FSDP" in shipped.read_text()
    with pytest.raises(TrainingError, match=r"one of \['fsdp'\]; found 'fsdb'"):
        _ = Launch(processes=2, config="fsdb").file


def test_steps_are_told_through_a_file(tmp_path: Path) -> None:
    bar = FileBar(tmp_path / "steps.txt")
    bar.advance(2)
    bar.advance()
    assert (tmp_path / "steps.txt").read_text() == "3"
