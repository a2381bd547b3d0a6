"""The scripts for a rented GPU, run for real on this CPU: `ssh` is a shell in another home."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.external

ROOT = Path(__file__).parents[2]
GPU = ROOT / "deploy" / "gpu"
TINY = ROOT / "tests" / "recipes" / "tiny.yaml"
PATIENCE_S = 240
JUDGESMITH = Path(sys.executable).with_name("judgesmith")
SSH = """#!/bin/bash
# The options, then the host, then what to run there; the connection drops where a file says so.
while [ "$1" = -o ]; do shift 2; done
if [ -e "$THERE/dropped" ]; then rm "$THERE/dropped"; exit 255; fi
cd "$THERE" && HOME=$THERE exec bash -c "$2"
"""


class Rented:
    """A machine that is a folder, and the command that rents it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "there"
        self.work = self.home / "judgesmith-gpu"
        self.state = self.work / "state"
        self.run = self.work / "runs" / "tiny"
        self._bin = folder / "bin"
        for made in (self.home, self._bin):
            made.mkdir()
        (self._bin / "ssh").write_text(SSH)
        (self._bin / "ssh").chmod(0o755)

    def gpu(self, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            **os.environ, "PATH": f"{self._bin}:{os.environ['PATH']}", "THERE": str(self.home),
            "JUDGESMITH": str(JUDGESMITH), "ALLOW_CPU": "1", "EVERY": "0.2",
            "OMP_NUM_THREADS": "1", **settings,
        }  # fmt: skip
        return subprocess.run(
            [str(GPU / "gpu.sh"), *words], check=False, capture_output=True, text=True,
            env=environment, timeout=PATIENCE_S,
        )  # fmt: skip

    def log(self) -> str:
        file = self.state / "log.txt"
        return file.read_text() if file.exists() else ""

    def judgesmith(self) -> int:
        """The process of the run, child of the script's."""
        script = (self.state / "pid").read_text().strip()
        found = subprocess.run(
            ["ps", "--ppid", script, "-o", "pid=,args="], check=True, capture_output=True, text=True
        )
        return int(next(line for line in found.stdout.splitlines() if " run " in line).split()[0])


@pytest.fixture
def rented(tmp_path: Path) -> Iterator[Rented]:
    machine = Rented(tmp_path)
    yield machine
    if machine.state.exists() and not (machine.state / "exit").exists():
        machine.gpu("stop", "host")


def wait_for_checkpoint(rented: Rented) -> None:
    end = time.monotonic() + PATIENCE_S
    while not any(rented.run.glob("sft/checkpoints/checkpoint-*/complete")):
        ended = (rented.state / "exit").exists()
        assert not ended, rented.log()
        assert time.monotonic() < end, rented.log()
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.wide
def test_a_run_survives_a_dropped_connection_and_a_kill_and_comes_back(
    rented: Rented, tmp_path: Path
) -> None:
    """Up, killed while it trains, watched over a connection that drops, fetched whole."""
    options = ["--until", "sft", "--set", "sft.dry_run=4"]
    done = rented.gpu("up", "host", str(TINY), *options, PRICE="3.50")
    assert done.returncode == 0, done.stderr
    wait_for_checkpoint(rented)
    os.kill(rented.judgesmith(), signal.SIGKILL)
    (rented.home / "dropped").touch()
    watched = rented.gpu("watch", "host")
    assert watched.returncode == 0, watched.stdout
    assert not (rented.home / "dropped").exists()
    assert "killed (code 137); going on where it was, 1 of 3" in watched.stdout
    assert watched.stdout.count("judgesmith run recipes/tiny.yaml") == 2
    assert "hours of training at 3.50 an hour = 0.0" in watched.stdout
    back = rented.gpu("fetch", "host", str(tmp_path / "back"))
    assert back.returncode == 0, back.stderr
    student = tmp_path / "back" / "tiny" / "sft" / "student"
    held = rented.run / "sft" / "student"
    for file in ("model.safetensors", "judgesmith.json"):
        assert (student / file).read_bytes() == (held / file).read_bytes()
    again = rented.gpu("fetch", "host", str(tmp_path / "back"))
    assert again.returncode == 0, again.stderr
    kept = [path.name for path in (tmp_path / "back").iterdir()]
    assert len(kept) == 2
    assert any(name.startswith("tiny.before-") for name in kept)


@pytest.mark.wide
def test_a_mistake_ends_it_at_once(rented: Rented) -> None:
    """An error of the run's own is not tried again; its code comes through."""
    done = rented.gpu("up", "host", str(TINY), "--set", "sft.stepz=1")
    assert done.returncode == 0, done.stderr
    watched = rented.gpu("watch", "host")
    assert watched.returncode == 2
    assert "'stepz'" in watched.stdout or "stepz" in watched.stdout
    assert "going on where it was" not in watched.stdout


@pytest.mark.wide
def test_no_gpu_and_no_recipe_are_said(rented: Rented) -> None:
    rented.gpu("up", "host", str(TINY), ALLOW_CPU="")
    watched = rented.gpu("watch", "host")
    assert watched.returncode == 2
    assert "finds no GPU" in watched.stdout
    assert rented.gpu("up", "host").returncode != 0
    assert "gpu.sh up HOST RECIPE" in rented.gpu("lift", "host").stderr


def test_a_price_over_the_most_stops(tmp_path: Path) -> None:
    """Two trainings of 2 and 3 hours at 4 an hour: 8, then 20; each is told once."""
    run, kept = tmp_path / "run", tmp_path / "kept"

    def cost(*more: str) -> tuple[int, str]:
        found = subprocess.run(
            [sys.executable, str(GPU / "cost.py"), str(run), str(kept), "--price", "4", *more],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        return found.returncode, found.stdout

    def project(name: str, hours: float) -> Path:
        folder = run / "sft" / name / "checkpoints"
        folder.mkdir(parents=True)
        (folder / "dry_run.json").write_text(json.dumps({"projected_hours": hours}))
        return folder

    assert cost() == (0, "")
    first = project("absolute", 2)
    told = "sft-absolute: 2.00 hours of training at 4.00 an hour = 8.00\n"
    assert cost("--most", "10") == (0, told)
    assert cost("--most", "10") == (0, "")
    shutil.rmtree(first)
    project("pairwise", 3)
    code, text = cost("--most", "10")
    assert code == 3
    assert text.splitlines()[-1] == "stopped: 20.00 is more than 10.00"


@pytest.mark.parametrize("script", sorted(path.name for path in GPU.glob("*.sh")))
def test_scripts_are_whole(script: str) -> None:
    subprocess.run(["bash", "-n", str(GPU / script)], check=True)
    checker = shutil.which("shellcheck")
    if checker:
        subprocess.run([checker, str(GPU / script)], check=True)


def test_the_pins_are_inside_what_the_package_asks_for() -> None:
    """A constraint outside of its range would make the installation fail there."""
    import tomllib

    from packaging.requirements import Requirement

    pins = dict(
        line.split("==")
        for line in (GPU / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    )
    pins = {name.lower().replace("_", "-"): version for name, version in pins.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [Requirement(text) for text in project["dependencies"] + extras["train"]]
    asked += [Requirement(text) for text in extras["qlora"]]
    assert {requirement.name.lower() for requirement in asked} <= pins.keys()
    for requirement in asked:
        assert pins[requirement.name.lower()] in requirement.specifier, requirement
    assert f"torch={pins['torch']}" in (GPU / "run.sh").read_text()
