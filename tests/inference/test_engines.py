"""Which GGUF file of a folder judges, and what is said where there is none to choose."""

from pathlib import Path

import pytest

from judgesmith.errors import RecipeError
from judgesmith.inference.engines import find_gguf
from judgesmith.pipeline import open_judge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("F16", "Q8_0", "Q4_K_M"):
        (tmp_path / f"judge-sft-{kind}.gguf").touch()
    return tmp_path


@pytest.mark.parametrize("kind", ["f16", "Q8_0", "q4_k_m"])
def test_a_kind_names_its_file(folder: Path, kind: str) -> None:
    assert find_gguf(folder, kind).name == f"judge-sft-{kind.upper()}.gguf"


def test_one_file_needs_no_kind_and_several_do(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"found judge-sft-F16\.gguf, .*Q8_0\.gguf\. Name a kind"):
        find_gguf(folder, "")
    for kind in ("F16", "Q4_K_M"):
        (folder / f"judge-sft-{kind}.gguf").unlink()
    assert find_gguf(folder, "").name == "judge-sft-Q8_0.gguf"


def test_a_folder_without_files_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"found none.*export it with --gguf"):
        find_gguf(tmp_path, "q8_0")


def test_an_engine_that_nobody_has_lists_those_that_there_are(tmp_path: Path) -> None:
    """Whatever the folder holds, and before it is looked at."""
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RecipeError, match=r"expected transformers, llama\.cpp, "):
            open_judge(folder, engine="vllm")
