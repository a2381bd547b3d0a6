"""Layers: imports go down, files and functions stay small, nothing is kept out of git."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "judgesmith"
FILES = sorted(SOURCE.rglob("*.py"))
PURE = ("judging", "metrics", "audits")
IMPURE = {
    "os", "pathlib", "io", "time", "datetime", "socket", "urllib", "http", "subprocess", "shutil",
    "tempfile", "logging", "requests", "aiohttp", "httpx",
}  # fmt: skip


def short(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_the_import_contracts_are_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out
    assert "3 kept, 0 broken" in capsys.readouterr().out


def test_files_are_at_most_400_lines_long() -> None:
    lengths = {short(path): path.read_bytes().count(b"\n") for path in FILES}
    assert {name: n for name, n in lengths.items() if n > 400} == {}
    assert len(lengths) > 50


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without the docstring, which may be as long as it needs to be."""
    first = function.body[0]
    told = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if told else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_functions_are_at_most_60_lines_long() -> None:
    lengths = {
        f"{short(path)}:{node.name}": lines_of(node)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: n for name, n in lengths.items() if n > 60} == {}


@pytest.mark.parametrize("layer", PURE)
def test_pure_layers_know_no_disk_network_clock_or_environment(layer: str) -> None:
    found = set()
    for path in (SOURCE / layer).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names = ["io"] if node.func.id == "open" else []
            found |= {(short(path), name) for name in names if name.split(".")[0] in IMPURE}
    assert found == set()


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "helpers", "common", "misc"}
    assert [short(path) for path in FILES if path.stem in drawers] == []


def git(*arguments: str) -> list[str]:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("NOT A GIT CHECKOUT: what is committed cannot be listed")
    return done.stdout.splitlines()


def test_no_source_or_test_is_hidden_from_version_control() -> None:
    """A pattern such as `runs/` in .gitignore would also hide the package judgesmith.runs."""
    hidden = git("ls-files", "--others", "--ignored", "--exclude-standard", "src", "tests")
    assert [name for name in hidden if name.endswith(".py")] == []


def test_no_committed_file_names_a_path_of_one_machine() -> None:
    machine = re.compile(rb"/(?:tmp/)?" + rb"work/")
    named = []
    for name in git("ls-files", "--cached", "--others", "--exclude-standard"):
        path = ROOT / name
        if path.is_file() and machine.search(path.read_bytes()):
            named.append(name)
    assert named == []
