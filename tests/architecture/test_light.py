"""The command line starts quickly and the core needs few packages."""

import re
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

HEAVY = ("torch", "transformers", "numpy", "scipy", "pydantic", "rich")
EXTRA = re.compile(r"\bextra\s*==")


def loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    loaded = loaded_by("judgesmith.cli.main")
    assert "typer" in loaded
    assert loaded & set(HEAVY) == set()


@pytest.mark.parametrize(
    "module",
    ["judgesmith.pipeline", "judgesmith.pipeline.running", "judgesmith.pipeline.report_run",
     "judgesmith.stages.sft", "judgesmith.tasks.bias", "judgesmith.serving.app"],
)  # fmt: skip
def test_no_import_loads_a_model_library(module: str) -> None:
    assert loaded_by(module) & {"torch", "transformers", "trl", "peft", "datasets"} == set()


def cpu_seconds_of_help() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = Path(sys.executable).with_name("judgesmith")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "run" in done.stdout
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_costs_less_than_three_tenths_of_a_second() -> None:
    best = min(cpu_seconds_of_help() for _ in range(3))
    assert best < 0.3


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def needed_by(name: str, seen: set[str]) -> set[str]:
    """Packages that a package pulls in on this machine, extras left out."""
    try:
        requirements = metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # needed on another system or an older Python only
        return seen - {name}
    for requirement in requirements:
        inner = name_of(requirement)
        if not EXTRA.search(requirement) and inner not in seen:
            seen |= needed_by(inner, seen | {inner})
    return seen


def test_the_core_needs_at_most_30_packages() -> None:
    needed = needed_by("judgesmith", set())
    assert {"pydantic", "typer", "jinja2", "numpy", "scipy", "orjson"} <= needed
    assert not needed & {"torch", "transformers", "pytest"}
    assert len(needed) <= 30, sorted(needed)
