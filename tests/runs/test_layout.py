"""Run folders: reading what is there, one writer at a time, and looks at test labels."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from judgesmith.errors import DataError, RunError
from judgesmith.runs import outside
from judgesmith.runs.layout import Header, RunDir, Stopwatch
from judgesmith.runs.looks import record_look
from judgesmith.runs.outside import find_outside, use_data_folder

HEADER = Header(name="n", task="bias", seed=7)


class Row(BaseModel):
    id: str


def test_a_file_that_is_not_made_names_its_stage(tmp_path: Path) -> None:
    run_dir = RunDir(tmp_path, HEADER)
    with pytest.raises(RunError, match="Stage 'items' makes it"):
        run_dir.read("items/items.jsonl", Row)
    assert run_dir.read_if_made("items/items.jsonl", Row) == []
    run_dir.write("items/items.jsonl", [Row(id="a")])
    assert run_dir.read("items/items.jsonl", Row) == [Row(id="a")]
    assert run_dir.partial("items/items.jsonl").path.name == "items.jsonl.partial"
    assert run_dir.seed == 7


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30])
def test_a_seed_that_no_generator_takes_is_refused(seed: int) -> None:
    with pytest.raises(ValidationError, match="seed"):
        Header(name="n", task="bias", seed=seed)


HOLD = """
import sys, time
from pathlib import Path
from judgesmith.runs.layout import Header, RunDir
with RunDir(Path(sys.argv[1]), Header(name="n", task="bias", seed=7)).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_processes_never_write_to_one_run(tmp_path: Path) -> None:
    run_dir = RunDir(tmp_path / "run", HEADER)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run_dir.path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunError, match="another judgesmith command"), run_dir.locked():
            raise AssertionError("two writers at once")
        with RunDir(tmp_path / "other", HEADER).locked():
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with run_dir.locked():  # a killed process leaves no lock behind
        pass


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    run_dir = RunDir(tmp_path, HEADER)
    with pytest.raises(ZeroDivisionError), run_dir.locked():
        raise ZeroDivisionError
    with run_dir.locked():
        pass


def test_the_same_look_counts_once(tmp_path: Path) -> None:
    run_dir = RunDir(tmp_path, HEADER)
    assert [record_look(run_dir, what) for what in ("a", "b", "a", "c")] == [1, 2, 2, 3]


def test_a_stopwatch_goes_forward() -> None:
    watch = Stopwatch()
    assert 0 <= watch.seconds() <= watch.seconds() < 60


@pytest.fixture
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(outside.VARIABLE, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def test_a_relative_path_is_looked_for_here_then_in_the_data_folder(
    working: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (working / "data").mkdir()
    (working / "data" / "bbq").write_text("there")
    monkeypatch.setenv(outside.VARIABLE, str(working / "data"))
    assert find_outside("bbq").read_text() == "there"
    (working / "here" / "bbq").write_text("here")
    assert find_outside("bbq").read_text() == "here"


def test_a_path_found_nowhere_says_where_it_was_looked_for(
    working: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(outside.VARIABLE, str(working / "data"))
    with pytest.raises(DataError) as caught:
        find_outside("bbq/data")
    said = str(caught.value)
    assert f"{working / 'here' / 'bbq/data'} and {working / 'data' / 'bbq/data'}" in said
    assert "judgesmith run RECIPE --data FOLDER" in said
    assert outside.VARIABLE in said


def test_an_absolute_path_is_looked_for_once(working: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_outside(str(working / "none"))
    assert " and " not in str(caught.value).split(".")[0].split("looked for")[1]


def test_the_data_folder_is_remembered_by_the_run(
    working: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (working / "data").mkdir()
    (working / "data" / "bbq").write_text("there")
    monkeypatch.setenv(outside.VARIABLE, "to be replaced")  # restored after the test
    use_data_folder(working / "run", working / "data")
    assert find_outside("bbq").exists()
    monkeypatch.delenv(outside.VARIABLE)
    with pytest.raises(DataError):
        find_outside("bbq")
    use_data_folder(working / "run", None)
    assert find_outside("bbq").exists()


def test_a_data_folder_that_is_not_there_is_refused(working: Path) -> None:
    with pytest.raises(DataError, match=r"--data .*none: expected a folder"):
        use_data_folder(working / "run", working / "none")
