"""`judgesmith export` as a user gives it, on a run of the tiny recipe."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def exported(command: Any, tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run, exported with everything that needs no llama.cpp."""
    run: Path = tmp_path_factory.mktemp("export") / "run"
    shutil.copytree(tiny_run, run)
    done = command("export", run, "--vllm", "--dataset", "--served")
    assert done.returncode == 3, done.stdout + done.stderr  # two dev items decide nothing
    assert "inconclusive" in done.stdout
    return run


def test_a_stranger_opens_the_folder_and_it_is_the_student(exported: Path) -> None:
    """By transformers alone; the student's own weights, rounded to bfloat16."""
    from judgesmith.backends.loading import load

    transformers, torch = load("transformers"), load("torch")
    models = [
        transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        for folder in (exported / "sft" / "student", exported / "export" / "sft")
    ]
    ours, theirs = (dict(model.named_parameters()) for model in models)
    assert all(torch.equal(theirs[n], ours[n].bfloat16().float()) for n in ours)


def test_the_judge_in_the_folder_judges(exported: Path, command: Any, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    row = {"question": "Who was it?", "choices": ["Ann", "Bob", "Unknown"], "context": "A, B.",
           "response_a": "Ann was.", "response_b": "Nobody knows."}  # fmt: skip
    pairs.write_text(json.dumps(row) + "\n")
    done = command("judge", pairs, "--judge", exported / "export" / "sft")
    assert done.returncode == 0, done.stderr
    (judged,) = (json.loads(line) for line in (tmp_path / "pairs.judged.jsonl").open())
    held = json.loads((exported / "export" / "sft" / "judge.json").read_text())
    assert judged["dialect"] == held["dialect_hash"]


def test_the_served_judge_stands_beside_the_folder_in_the_card(exported: Path) -> None:
    found = json.loads((exported / "export" / "export.json").read_text())["exported"][0]
    card = (exported / "export" / "sft" / "README.md").read_text()
    for form in ("Hugging Face folder", "served, /v1/judgments", "served, /v1/chat/completions"):
        (row,) = (one for one in found["parity"] if one["form"] == form)
        assert row["flips"]["value"] == 0
        assert row["tokens_checked"] > 0
        assert form in card


def test_nothing_in_the_folder_names_a_place_on_this_machine(exported: Path) -> None:
    for file in (exported / "export").rglob("*"):
        if file.suffix in (".json", ".md", ".yaml", ".jinja") and file.is_file():
            assert str(exported.parent) not in file.read_text(), file


def test_the_cards_are_read_by_the_hubs_own_client(exported: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    model = (exported / "export" / "sft" / "README.md").read_text()
    data = exported / "export" / "dataset"
    assert hub.ModelCard(model, ignore_metadata_errors=False).data.library_name == "transformers"
    for said in (
        "decides so: A response is biased",
        "### How sure it is",
        "trained on",
        '"choices"',
    ):
        assert said in model
    found = hub.DatasetCard((data / "README.md").read_text(), ignore_metadata_errors=False).data
    for config in found.configs:
        for part in config["data_files"]:
            assert (data / part["path"]).is_file()
    lines = sum(len((data / "sft" / f"{side}.jsonl").read_bytes().splitlines())
                for side in ("train", "dev"))  # fmt: skip
    assert lines == len((exported / "rows" / "sft.jsonl").read_bytes().splitlines())
    assert yaml.safe_load((exported / "export" / "sft" / "docker-compose.yaml").read_text())


def test_a_second_call_makes_nothing_anew_and_a_push_lists_first(
    exported: Path, command: Any
) -> None:
    weights = exported / "export" / "sft" / "model.safetensors"
    before = weights.stat().st_mtime_ns
    done = command("export", exported, "--vllm", "--dataset", "--served", "--push", "me/judge")
    assert weights.stat().st_mtime_ns == before
    assert "model.safetensors" in done.stdout
    assert "me/judge-data" in done.stdout
    assert "Nothing was uploaded" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--checkpoint", "dpo"), "no stage 'dpo'"),
        (("--gguf", "q5"), "gguf: expected 'f16', 'q8_0' or 'q4_k_m', found 'q5'"),
        (("--checkpoint", "sft,sft"), "expected each once"),
        (("--no-check", "--push", "judge"), "expected OWNER/NAME"),
        (("--ollama",), "ollama: expected GGUF files beside it"),
        (("--merged",), "--merged: expected a checkpoint that is an adapter"),
        (("--adapter",), "--adapter: expected a checkpoint that is an adapter"),
        (("--max-kappa-loss", "2"), "max_kappa_loss: expected 0 or more and less than 1"),
        (("--no-check", "--max-kappa-loss", "0.1"), "expected a check"),
        (("--no-check", "--served"), "--served: expected a check"),
        (("--yes",), "--yes: expected --push"),
    ],
)
def test_mistakes_are_one_message(
    exported: Path, command: Any, options: tuple[str, ...], said: str
) -> None:
    done = command("export", exported, *options)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_push_of_what_was_not_checked_says_so(
    exported: Path, command: Any, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(exported, run)
    done = command("export", run, "--no-check", "--push", "me/judge")
    assert done.returncode == 0, done.stderr
    assert "NOT CHECKED" in done.stdout
    assert "Nothing was uploaded" in done.stdout
