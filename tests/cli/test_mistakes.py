"""A user's mistake is one message and exit code 2, never a traceback."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def mistake(done: Any, *said: str) -> None:
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    for words in said:
        assert words in done.stderr


def test_an_unknown_recipe(command: Any, tmp_path: Path) -> None:
    mistake(command("run", "quickstrat", cwd=tmp_path), "did you mean 'quickstart'")
    mistake(command("recipes", "quickstrat"), "did you mean 'quickstart'")
    mistake(command("run", "absent.yaml", cwd=tmp_path), "absent.yaml", "expected a recipe file")


def test_all_errors_of_a_recipe_at_once(command: Any, tiny: Path, tmp_path: Path) -> None:
    """Three mistakes, three lines, each with its place and the nearest name."""
    bad = tmp_path / "bad.yaml"
    text = tiny.read_text().replace("max_dev: 4", "max_dv: 4").replace("steps: 12", "steps: none")
    bad.write_text(text + "gates:\n  kappa: 1\n")
    done = command("run", bad, "--run", tmp_path / "run")
    mistake(
        done, "has 3 error(s)", "'split.max_dv'; did you mean 'max_dev'", "'sft.steps'",
        "unknown section 'gates'; did you mean 'gate'", f"{bad}:",
    )  # fmt: skip
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sft.stepz=3", "did you mean 'steps'"),
        ("sft.steps=-3", "greater than 0"),
        ("sft.steps", "expected key.path=value"),
        ("split.test_share=20", "less than or equal to 1"),
        ("items.buckets.0.first={clas: biased}", "did you mean 'class'"),
        ("labels.key_policy=biased_is_wors", "did you mean 'biased_is_worse'"),
        ("labels.dialect=bias-pear", "did you mean 'bias-pair'"),
        ("questions.sources=[{kind: bonk}]", "did you mean 'bank'"),
        ("split.held_out=[religon]", "religion"),
        ("responses.imports=[{kind: file, path: absent.jsonl}]", "absent.jsonl"),
        ("task=bais", "did you mean 'bias'"),
    ],
)
def test_a_wrong_value(command: Any, tiny: Path, tmp_path: Path, override: str, said: str) -> None:
    done = command(
        "run", tiny, "--run", tmp_path / "run", "--until", "labels", "--set", override
    )  # fmt: skip
    mistake(done, said)


def test_a_folder_that_is_no_run_is_said_what_it_is(command: Any, tmp_path: Path) -> None:
    """A name misspelled, an exported judge, a folder of exported judges."""
    (tmp_path / "runs/quickstart/export/sft").mkdir(parents=True)
    (tmp_path / "runs/quickstart/recipe.yaml").touch()
    (tmp_path / "runs/quickstart/export/sft/judge.json").touch()
    (tmp_path / "p.jsonl").write_text("{}")
    mistake(
        command("judge", "p.jsonl", "--judge", "runs/quickstrat", cwd=tmp_path),
        "runs/quickstrat: expected a run folder, found nothing there; "
        "did you mean 'runs/quickstart'?",
    )
    for name in ("gate", "calibrate", "status", "export", "report"):
        mistake(
            command(name, "runs/quickstart/export/sft", cwd=tmp_path),
            "found an exported judge (it has judge.json), which `judge`, `rank` and `serve` take",
        )
    mistake(
        command("judge", "p.jsonl", "--judge", "runs/quickstart/export", cwd=tmp_path),
        "holds the exported judges sft", "such as runs/quickstart/export/sft",
    )  # fmt: skip


def test_an_unknown_stage(command: Any, tiny: Path, tmp_path: Path) -> None:
    mistake(
        command("run", tiny, "--run", tmp_path / "r", "--until", "itms"), "did you mean 'items'"
    )  # fmt: skip


@pytest.mark.parametrize("name", ["status", "gate", "report"])
def test_not_a_run_folder(command: Any, tmp_path: Path, name: str) -> None:
    mistake(command(name, tmp_path), "not a run folder", str(tmp_path))


@pytest.mark.parametrize("name", ["evaluate", "audit"])
def test_an_empty_folder_is_neither_run_nor_data(command: Any, tmp_path: Path, name: str) -> None:
    mistake(command(name, tmp_path), "expected a run, or a folder with", str(tmp_path))


def test_another_recipe_in_the_folder(
    command: Any, light_run: Path, tmp_path: Path, tiny: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(tiny.read_text().replace("name: tiny", "name: other", 1))
    before = (light_run / "recipe.yaml").read_bytes()
    mistake(command("run", other, "--run", light_run), "recipe 'tiny', not a run of recipe 'other'")
    assert (light_run / "recipe.yaml").read_bytes() == before


def test_a_stage_that_is_not_there_yet(command: Any, light_run: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"question": "q", "response_a": "a", "response_b": "b"}\n')
    for name in ("gate", "evaluate"):
        mistake(command(name, light_run), "stage 'split' is missing", "Run the recipe again")
    mistake(command("judge", pairs, "--judge", light_run), "--until sft")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "at least one row"),
        ("\n\n", "at least one row"),
        ("{not json}\n", "pairs.jsonl:1"),
        ("[1, 2]\n", "expected a JSON object"),
        ('{"question": "q", "response_a": "a", "respons_b": "b"}\n', "did you mean 'response_b'"),
        ('{"question": "q", "response_a": "a"}\n', "'response_b' is missing"),
        ('{"question": 3, "response_a": "a", "response_b": "b"}\n', "field 'question'"),
        ('{"id": "x", "question": "q", "response_a": "a", "response_b": "b"}\n' * 2, "'x'"),
        (b"\xff\xfe{}\n", "pairs.jsonl:1"),
    ],
)
def test_a_malformed_file_of_pairs(
    command: Any, light_run: Path, tmp_path: Path, content: str | bytes, said: str
) -> None:
    """The student's folder is there and empty: rows are read before weights."""
    run = Path(shutil.copytree(light_run, tmp_path / "run"))
    (run / "sft/student").mkdir(parents=True)
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_bytes(content if isinstance(content, bytes) else content.encode())
    mistake(command("judge", pairs, "--judge", run), said)


def test_a_missing_file_of_pairs(command: Any, light_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(light_run, tmp_path / "run"))
    (run / "sft/student").mkdir(parents=True)
    mistake(command("judge", tmp_path / "absent.jsonl", "--judge", run), "absent.jsonl")


def test_a_manifest_of_another_schema(command: Any, light_run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(light_run, tmp_path / "run"))
    path = folder / "items/manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "record_schema": 99}))
    mistake(command("status", folder), "schema 1, found 99", str(path))


@pytest.mark.parametrize("content", ["", "{half", "[]", '{"record_schema": 1}'])
def test_a_broken_manifest(command: Any, light_run: Path, tmp_path: Path, content: str) -> None:
    folder = Path(shutil.copytree(light_run, tmp_path / "run"))
    (folder / "items/manifest.json").write_text(content)
    mistake(command("status", folder), "items/manifest.json")


def test_results_of_a_student_that_was_never_trained(
    command: Any, light_run: Path, tmp_path: Path
) -> None:
    """A results file alone is no verdict: the stages before it must be fresh."""
    folder = Path(shutil.copytree(light_run, tmp_path / "run"))
    (folder / "evaluate").mkdir()
    (folder / "evaluate/results.json").write_text('{"judges": 3}')
    mistake(command("gate", folder), "stage 'split' is missing", "Run the recipe again")


@pytest.mark.parametrize("override", ["kapa=0.5", "kappa=high", "kappa"])
def test_a_wrong_bound_of_the_gate(command: Any, light_run: Path, override: str) -> None:
    mistake(command("gate", light_run, "--set", override), "--set")


def test_no_student_in_the_recipe(command: Any, tiny: Path, tmp_path: Path) -> None:
    """A recipe without sft makes no judge; asking for one says so."""
    recipe = tmp_path / "short.yaml"
    recipe.write_text(tiny.read_text().split("sft:")[0])
    assert command("run", recipe, "--run", tmp_path / "run").returncode == 0
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"question": "q", "response_a": "a", "response_b": "b"}\n')
    mistake(command("judge", pairs, "--judge", tmp_path / "run"), "trains no student")


def test_an_empty_bucket_stops_the_run_and_the_audit_tells(
    command: Any, tiny: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    rule = "[{name: none, first: {class: nobody}, second: {class: correct}, quota: 5}]"
    override = f"items.buckets={rule}"
    done = command("run", tiny, "--run", folder, "--until", "items", "--set", override)
    mistake(done, "none: 0 of 5 items", "generate more responses with class = nobody")
    assert not (folder / "items/items.jsonl").exists()
    audited = command("audit", folder)
    assert audited.returncode == 1
    assert "none: 0 of 5 items" in audited.stdout


def test_a_verdict_file_that_cannot_be_written(
    command: Any, tiny_run: Path, tmp_path: Path
) -> None:
    """Said before anything is judged."""
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"question": "q", "response_a": "a", "response_b": "b"}\n')
    for target in (tmp_path, pairs):
        done = command("judge", pairs, "--judge", tiny_run, "--out", target)
        mistake(done, "--out", "expected a new file's name")


def test_a_stage_name_that_does_not_exist_leaves_no_run(
    command: Any, tiny: Path, tmp_path: Path
) -> None:
    done = command("run", tiny, "--run", tmp_path / "run", "--until", "splitt")
    mistake(done, "--until: unknown stage 'splitt'", "did you mean 'split'")
    assert not (tmp_path / "run").exists()


def test_an_interrupted_command_says_how_to_go_on(tmp_path: Path) -> None:
    """Struck while it reads a pipe that somebody has opened and nobody writes to."""
    pipe = tmp_path / "pairs.jsonl"
    os.mkfifo(pipe)
    line = [sys.executable, "-m", "judgesmith", "evaluate", str(pipe)]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process, pipe.open("w"):
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.strip() == "stopped; run the same command again to go on"
