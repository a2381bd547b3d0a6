"""`judgesmith merge`, as a user types it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from judgesmith.backends.loading import load
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.cli.main import app
from judgesmith.errors import JudgesmithError

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base and two adapters of it, written as PEFT writes them."""
    root = tmp_path_factory.mktemp("merge")
    torch = load("torch")
    size = FromNothing(width=16, layers=1, heads=2, vocabulary=400)
    build_student(size, ["Who is it?"], root / "base", 3)
    for seed, name in enumerate(("absolute", "pairwise")):
        draw = torch.Generator().manual_seed(seed)
        tensors = {}
        for part in ("q_proj", "v_proj"):
            start = f"base_model.model.model.layers.0.self_attn.{part}.lora_"
            tensors[f"{start}A.weight"] = torch.randn(2, 16, generator=draw)
            tensors[f"{start}B.weight"] = torch.randn(16, 2, generator=draw)
        (root / name).mkdir()
        load("safetensors.torch").save_file(tensors, root / name / "adapter_model.safetensors")
        config = {
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 4,
            "base_model_name_or_path": str(root / "base"), "target_modules": ["q_proj", "v_proj"],
        }  # fmt: skip
        (root / name / "adapter_config.json").write_text(json.dumps(config))
    return root


def test_adapters_become_an_adapter(command: Command, folders: Path, tmp_path: Path) -> None:
    done = command("merge", folders / "absolute", folders / "pairwise", "--out", tmp_path / "out",
                   "--weights", "0.3,0.7")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "nuslerp of absolute 0.3, pairwise 0.7" in done.stdout
    assert "q_proj" in done.stdout
    assert "warning" not in done.stdout
    report = json.loads((tmp_path / "out" / "merge.json").read_text())
    assert [tensor["rank"] for tensor in report["tensors"]] == [4, 4]


def test_adapters_become_a_model(command: Command, folders: Path, tmp_path: Path) -> None:
    done = command("merge", folders / "absolute", folders / "pairwise", "--out", tmp_path / "out",
                   "--method", "dare_ties", "--density", "1", "--into", folders / "base",
                   "--dtype", "bfloat16", "--seed", "4")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "warning density_one: density 1 for every input" in done.stdout
    model = load("transformers").AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert str(model.dtype) == "torch.bfloat16"


def test_a_yaml_file(command: Command, folders: Path, tmp_path: Path) -> None:
    file = tmp_path / "merge.yaml"
    rows = "".join(
        f"- model: {folders / 'base'}+{folders / name}\n  parameters: {{weight: 0.5}}\n"
        for name in ("absolute", "pairwise")
    )
    file.write_text(f"merge_method: linear\ndtype: float32\nmodels:\n{rows}")
    done = command("merge", file, "--out", tmp_path / "out", "--rank", "1")
    assert done.returncode == 0, done.stderr
    assert "Recompression lost" in done.stdout
    options = ["--out", str(tmp_path / "other"), "--weights", "1,2"]
    refused = CliRunner().invoke(app, ["merge", str(file), *options])
    assert "--weights: " in str(refused.exception)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["absolute"], "two or more judges"),
        (["absolute", "nowhere"], "expected a folder"),
        (["absolute", "base"], "adapters, the others full models"),
        (["absolute", "pairwise", "--weights", "1"], "1 numbers for 2 judges"),
        (["absolute", "pairwise", "--weights", "a,b"], "expected numbers such as 0.5,0.5"),
        (["absolute", "pairwise", "--method", "ties"], "ties needs 'density'"),
        (["absolute", "pairwise", "--density", "0.5"], "no setting 'density'"),
        (["absolute", "pairwise", "--seed", "1"], "--seed does nothing"),
        (["base", "base", "--rank", "3"], "--rank compresses an adapter"),
        (["base", "base", "--into", "base"], "--into lays adapters"),
        (["base", "base", "--method", "task_arithmetic"], "give --base"),
    ],
)
def test_a_mistake_is_told(
    arguments: list[str], reason: str, folders: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(folders)
    done = CliRunner().invoke(app, ["merge", *arguments, "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, JudgesmithError)
    assert reason in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_mistake_is_one_message_and_exit_code_2(command: Command, folders: Path) -> None:
    done = command("merge", folders / "absolute", folders / "base", "--out", folders / "base")
    assert done.returncode == 2
    assert "adapters, the others full models" in done.stderr
    assert len(done.stderr.splitlines()) == 1
