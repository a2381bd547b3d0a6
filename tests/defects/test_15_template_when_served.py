"""Defect 15, when served: the endpoint's prompt is not the one of training.

Planted behind the real server: a folder with one character more in its chat template, one whose
template says the same number of tokens otherwise, and a server of another dialect.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from judgesmith.backends.encode import encode_prompt
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.student import FromNothing, build_student, open_tokenizer
from judgesmith.errors import ModelError, RunError
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import JudgeFile, write_judge_file
from judgesmith.inference.opening import made_of
from judgesmith.judging.render import render_prompt
from judgesmith.models.protocol import Model, Request, Sampling
from judgesmith.records import Kind, Message
from judgesmith.sources.own_files import PairRow, entry_of
from judgesmith.stages.export.served import (
    WithoutSystem,
    require_same_prompts,
    require_same_replies,
    served,
)
from judgesmith.tasks import load_dialect, load_task

pytestmark = pytest.mark.wide
DIALECT = load_dialect(load_task("bias"), "bias-pair-compact")
WORDS = ["The nurse met the pilot at the station.", "Who paid for it?", "Nobody knows."]
TOKENS = 12


def prompt(number: int) -> tuple[Message, ...]:
    row = PairRow.model_validate({
        "context": " ".join(WORDS[: 1 + number % 3]), "question": f"Who paid {number}?",
        "choices": ("he", "she", "nobody"), "response_a": "He did.", "response_b": "She did.",
    })  # fmt: skip
    entry = entry_of(row, Kind.PAIR, name=f"{number}", source="s", where="w")
    return tuple(render_prompt(DIALECT, entry.question, [r.text for r in entry.responses]))


PROMPTS = [prompt(number) for number in range(6)]


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small student as an exported judge, its weights so large that each word tells."""
    folder = tmp_path_factory.mktemp("student")
    size = FromNothing(width=32, layers=1, heads=2, vocabulary=400, context=512)
    build_student(size, WORDS * 20, folder, seed=3)
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: 8 * one for name, one in weights.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    judge = Judge(
        name="tiny", made_of=made_of(folder, DIALECT, None), dialect=DIALECT,
        model=LocalModel("tiny", str(folder)), max_tokens=TOKENS,
    )  # fmt: skip
    write_judge_file(folder, JudgeFile.of(judge, "bias"))
    return folder


@pytest.fixture
def lengths(student: Path) -> list[int]:
    tokenizer = open_tokenizer(str(student))
    return [len(encode_prompt(tokenizer, turns)) for turns in PROMPTS]


@pytest.fixture
def tampered(student: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(student, tmp_path / "judge"))


def change_template(folder: Path, old: str, new: str) -> None:
    """In the template, and in the version that says what the folder is made of."""
    template = folder / "chat_template.jinja"
    assert old in template.read_text()
    template.write_text(template.read_text().replace(old, new))
    held = folder / "judge.json"
    made = made_of(folder, DIALECT, None)
    judge = Judge("tiny", made, DIALECT, LocalModel("tiny", str(folder)), TOKENS)
    held.unlink()
    write_judge_file(folder, JudgeFile.of(judge, "bias"))


def replies(model: Model, prompts: Sequence[tuple[Message, ...]] = PROMPTS) -> list[str | None]:
    return [
        completion.text
        for completion in model.complete([
            Request(record_id=f"{n}", messages=turns, sampling=Sampling(max_tokens=TOKENS))
            for n, turns in enumerate(prompts)
        ])
    ]  # fmt: skip


def test_the_judge_itself_is_the_same_behind_the_server(student: Path, lengths: list[int]) -> None:
    alone = replies(LocalModel("tiny", str(student)))
    with served(student) as server, server.chats() as chats:
        assert server.name == "tiny"
        assert require_same_prompts(server, chats, DIALECT, PROMPTS, lengths) == len(PROMPTS)
        require_same_replies(alone, replies(WithoutSystem("", chats, DIALECT)))
        require_same_replies(alone, replies(chats))
        other = DIALECT.model_copy(update={"system": "Be kind."})
        with pytest.raises(ModelError, match=rf"expected the dialect .*{other.hash}"):
            require_same_prompts(server, chats, other, PROMPTS, lengths)
    with pytest.raises(ModelError, match="stopped answering"):
        server.call("/healthz")


def test_a_longer_template_is_found(tampered: Path, lengths: list[int]) -> None:
    change_template(tampered, "'<|user|>'", "'<|user|> . '")
    with (
        served(tampered) as server,
        server.chats() as chats,
        pytest.raises(ModelError, match=r"chat template .*expected a prompt of \d+ tokens"),
    ):
        require_same_prompts(server, chats, DIALECT, PROMPTS, lengths)


def test_a_template_of_the_same_length_is_found(
    student: Path, tampered: Path, lengths: list[int]
) -> None:
    """By the replies: the user's turn is opened by the mark of another role."""
    change_template(tampered, "'<|user|>'", "'<|judge|>'")
    alone = replies(LocalModel("tiny", str(student)))
    with served(tampered) as server, server.chats() as chats:
        require_same_prompts(server, chats, DIALECT, PROMPTS, lengths)  # as long as it was
        with pytest.raises(ModelError, match=r"\d of 6 replies are not those of"):
            require_same_replies(alone, replies(WithoutSystem("", chats, DIALECT)))


def test_a_folder_that_cannot_be_served_says_why(tampered: Path) -> None:
    (tampered / "judge.json").write_text("{}")
    with pytest.raises(RunError, match=re.escape("exit code 2")), served(tampered):
        pass
