"""Runs made by the command line itself, as a user would make them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
Done = subprocess.CompletedProcess[str]
Command = Callable[..., Done]


@pytest.fixture(scope="session")
def command() -> Command:
    """`judgesmith ARGUMENTS` in a process of its own; never a traceback."""

    def run(*arguments: object, cwd: Path | None = None) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "judgesmith", *map(str, arguments)], check=False, text=True,
            capture_output=True, cwd=cwd, timeout=300, env={**os.environ, "COLUMNS": "160"},
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def tiny() -> Path:
    return TINY


@pytest.fixture(scope="session")
def light_run(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny recipe up to its items: cheap, and a run folder all the same."""
    folder = tmp_path_factory.mktemp("light") / "run"
    done = command("run", TINY, "--run", folder, "--until", "items")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def tiny_run(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole tiny recipe; its student learns too little to be parsed."""
    folder = tmp_path_factory.mktemp("tiny") / "run"
    done = command("run", TINY, "--run", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def parrot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder with a model that gives one well-formed reply, whatever it is shown.

    It is trained to do so, and is order-bound as a judge can be: it always names slot A.
    """
    from judgesmith.backends.encode import encode_reply
    from judgesmith.backends.loading import load
    from judgesmith.backends.student import FromNothing, build_student, load_student
    from judgesmith.sources.bank import read_questions

    folder = tmp_path_factory.mktemp("parrot")
    reply = "<reasoning>It is so.</reasoning><verdict>A</verdict>"
    bank = [f"{q.context} {q.text} Response A: Response B:" for q in read_questions(None)]
    size = FromNothing(width=32, layers=1, heads=2, vocabulary=1500, context=1600)
    build_student(size, [*bank[::5], reply], folder, seed=3)
    for note in folder.glob("from_nothing.json"):
        note.unlink()
    torch = load("torch")
    torch.set_num_threads(1)
    model, tokenizer = load_student(str(folder))
    judge = tokenizer.convert_tokens_to_ids("<|judge|>")
    target = [judge, *encode_reply(tokenizer, reply)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    draw = torch.Generator().manual_seed(3)
    for step in range(200):
        noise = torch.randint(5, len(tokenizer), (2, 20 + 131 * (step % 8)), generator=draw)
        ids = torch.cat([noise, torch.tensor([target] * 2)], 1)
        labels = ids.clone()
        labels[:, : noise.shape[1] + 1] = -100
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def parrot_run(command: Command, parrot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny recipe with the parrot as student, trained for one step that moves nothing."""
    folder = tmp_path_factory.mktemp("parrot-run") / "run"
    done = command(
        "run", TINY, "--run", folder, "--set", f"sft.student={parrot}", "--set", "sft.steps=1",
        "--set", "sft.learning_rate=1e-12", "--set", "sft.eval_every=1",
        "--set", "sft.max_length=1500", "--set", "sft.reply_tokens=60",
        "--set", "evaluate.reply_tokens=60",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder
