"""Defect 15, after the export: the chat template in the folder is not the one of training.

Planted: an exported folder with one character more in its template, and one with another tokenizer.
A GGUF file with a wrong template is planted in tests/external/test_export.py.
"""

import shutil
from pathlib import Path

import pytest

from judgesmith.backends.judge_folder import require_same_ids, write_judge_folder
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.errors import ModelError
from judgesmith.records import Message

PROMPTS = [(Message(role="user", content="Which of the two is worse, A or B?"),)]
SIZE = FromNothing(width=8, layers=1, heads=1, vocabulary=320, context=64)


@pytest.fixture
def student(tmp_path: Path) -> Path:
    folder = tmp_path / "student"
    build_student(SIZE, ["Which of the two is worse, A or B?"] * 9, folder, seed=1)
    return folder


def test_a_changed_template_is_found(student: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_judge_folder(str(student), out, merged=False, dtype="bfloat16", reply_tokens=4)
    assert require_same_ids(str(student), out, PROMPTS) == 1
    template = out / "chat_template.jinja"
    template.write_text(template.read_text().replace("'<|user|>'", "'<|user|> '"))
    with pytest.raises(ModelError, match=r"tokenizer or chat template.*<\|user\|> Which"):
        require_same_ids(str(student), out, PROMPTS)


def test_another_tokenizer_is_found(student: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_judge_folder(str(student), out, merged=False, dtype="bfloat16", reply_tokens=4)
    build_student(SIZE, ["other words altogether"], tmp_path / "other", seed=1)
    shutil.copyfile(tmp_path / "other" / "tokenizer.json", out / "tokenizer.json")
    with pytest.raises(ModelError, match="tokenizer or chat template"):
        require_same_ids(str(student), out, PROMPTS)
