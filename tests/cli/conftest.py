"""Runs made by the command line itself, as a user would make them."""

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "servers"))
import warm

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
Done = subprocess.CompletedProcess[str]
Command = Callable[..., Done]


@pytest.fixture(scope="session")
def command() -> Command:
    """`judgesmith ARGUMENTS` in a process of its own; never a traceback."""

    def run(*arguments: object, cwd: Path | None = None) -> Done:
        done = warm.run(*arguments, cwd=cwd, environment={"COLUMNS": "160"})
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

    Its layers add nothing, so the next token follows from the last one alone: a chain from the
    header of the judge's turn to its end. It always names slot A, as an order-bound judge does.
    """
    from judgesmith.backends.loading import load
    from judgesmith.backends.student import FromNothing, build_student, load_student

    folder = tmp_path_factory.mktemp("parrot")
    build_student(FromNothing(width=8, layers=1, heads=1, vocabulary=400), ["It is"], folder, 3)
    for note in folder.glob("from_nothing.json"):
        note.unlink()
    _, tokenizer = load_student(str(folder))
    reply = ["<reasoning>", "It is so.", "</reasoning>", "<verdict>", "A", "</verdict>"]
    tokenizer.add_tokens(reply)
    tokenizer.model_max_length = 3000
    chain = tokenizer.convert_tokens_to_ids(["<|judge|>", *reply, tokenizer.eos_token])
    torch, transformers = load("torch"), load("transformers")
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=1, max_position_embeddings=3000, tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        layer = model.model.layers[0]
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
        model.lm_head.weight.zero_()
        embedding = model.model.embed_tokens.weight.zero_()
        embedding[:, 15] = 1.0
        for place, (last, following) in enumerate(pairwise(chain)):
            embedding[last] = torch.eye(16)[place]
            model.lm_head.weight[following, place] = 4.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def parrot_run(command: Command, parrot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny recipe with the parrot as student, trained for one step that moves nothing."""
    folder = tmp_path_factory.mktemp("parrot-run") / "run"
    done = command(
        "run", TINY, "--run", folder, "--set", f"sft.student={parrot}", "--set", "sft.steps=1",
        "--set", "sft.learning_rate=1e-12", "--set", "sft.eval_every=1", "--set", "sft.dry_run=0",
        "--set", "sft.max_length=2500", "--set", "sft.reply_tokens=60",
        "--set", "evaluate.reply_tokens=60",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder
