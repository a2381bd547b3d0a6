"""Small students with random weights, built once, and rows to train them on."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.architectures import Architecture
from judgesmith.backends.loading import load
from judgesmith.backends.sft_trl import Training
from judgesmith.backends.student import FromNothing, build_student, load_student
from judgesmith.records import Message, SftRow, Split
from judgesmith.sources.bank import read_questions


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Models this small are far slower on several threads when the machine is shared."""
    load("torch").set_num_threads(1)


@pytest.fixture(scope="session")
def student_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    texts = [f"{question.context} {question.text}" for question in read_questions(None)][::7]
    size = FromNothing(width=32, layers=1, heads=2, vocabulary=400, context=512)
    build_student(size, texts, folder, seed=5)
    return folder


@pytest.fixture(scope="session")
def student(student_folder: Path) -> tuple[Any, Any]:
    """Model and tokenizer."""
    return load_student(str(student_folder))


def sft_rows(side: Split, count: int) -> list[SftRow]:
    """Rows of different lengths, with a system turn."""
    return [
        SftRow.make(
            source="t", licence="n", item_id=f"{side}{n}", order=(0, 1), split=side, dialect="d",
            prompt=(
                Message(role="system", content="Judge it."),
                Message(role="user", content=f"Was it {n} or {n + 1}{' or so' * (n % 7)}?"),
            ),
            completion=f"<reasoning>It was {n}.</reasoning><verdict>{'AB'[n % 2]}</verdict>",
        )
        for n in range(count)
    ]  # fmt: skip


@pytest.fixture(scope="session")
def train_rows() -> list[SftRow]:
    return sft_rows(Split.TRAIN, 24)


@pytest.fixture(scope="session")
def dev_rows() -> list[SftRow]:
    return sft_rows(Split.DEV, 4)


@pytest.fixture(scope="session")
def bases(
    tmp_path_factory: pytest.TempPathFactory, train_rows: list[SftRow]
) -> Callable[[Architecture], Path]:
    """A tiny model with random weights for each architecture, built once."""
    texts = [t for row in train_rows for t in (row.prompt[1].content, row.completion)]

    @cache
    def base(architecture: Architecture) -> Path:
        folder = tmp_path_factory.mktemp(architecture)
        size = FromNothing(
            width=32, layers=2, heads=2, vocabulary=400, context=256, architecture=architecture
        )
        build_student(size, texts, folder, seed=3)
        # A student that was trained before, as far as training can see.
        (folder / "from_nothing.json").unlink()
        return folder

    return base


@pytest.fixture(scope="session")
def training() -> Callable[..., Training]:
    """A few steps of LoRA, unless the test says otherwise."""

    def make(base: Path, folder: Path, **changed: Any) -> Training:
        return Training(
            base=str(base), folder=folder, learning_rate=0.01, batch=4, steps=6, eval_every=2,
            max_length=200, seed=7, trl={}, peft={"r": 4, "target_modules": "all-linear"},
            dialects={"d": "hash"},
        )._replace(**changed)  # fmt: skip

    return make


@pytest.fixture(scope="session")
def with_images() -> Callable[[str, Path, Path], Path]:
    """Save a tiny model of the multimodal class of a family around a text model into a folder."""
    return _with_images


def _with_images(family: str, text: Path, folder: Path) -> Path:
    """A tiny model of the multimodal class around the text model's shape."""
    import transformers

    inner = transformers.AutoConfig.from_pretrained(text).to_dict()
    if family == "gemma4":
        inner["global_head_dim"] = 32
    eye = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "patch_size": 14,
    }  # fmt: skip
    extra = {"gemma3": {"image_size": 28}, "gemma4": {"head_dim": 8, "num_key_value_heads": 2}}
    config = getattr(transformers, f"{family.capitalize()}Config")(
        text_config=inner, vision_config=eye | extra[family]
    )
    kind = getattr(transformers, f"{family.capitalize()}ForConditionalGeneration")
    load("torch").manual_seed(3)
    kind(config).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(text).save_pretrained(folder)
    return folder
