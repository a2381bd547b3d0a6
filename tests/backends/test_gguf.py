"""What of GGUF needs no llama.cpp: its worker's deaths, its source, how a tokenizer splits."""

import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

from judgesmith.backends.gguf import source
from judgesmith.backends.gguf.convert_worker import splits_as_gpt2
from judgesmith.backends.gguf.worker import Worker, WorkerEnded
from judgesmith.backends.llama_cpp import LlamaCpp
from judgesmith.errors import ModelError


def test_a_worker_that_dies_is_told_and_the_next_question_starts_another() -> None:
    worker = Worker(sys.executable)
    for _ in range(2):
        with pytest.raises(WorkerEnded, match="ended with signal 6"):
            worker.ask("abort")
    with pytest.raises(ModelError, match="IndexError"):
        worker.ask("tokenize", text="nothing is open")
    worker.close()


def test_a_python_without_llama_cpp_says_what_to_install(tmp_path: Path) -> None:
    """An empty environment: this one may have llama.cpp."""
    import venv

    venv.create(tmp_path / "bare", with_pip=False)
    worker = Worker(str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(ModelError, match=r"judgesmith\[gguf\]"):
        worker.ask("open", file="x.gguf", context=8, threads=1)
    worker.close()


def test_a_missing_file_is_named(student_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.gguf: expected a GGUF file"):
        LlamaCpp("m", tmp_path / "nothing.gguf", str(student_folder))


def test_our_own_tokenizer_splits_as_gpt2_and_others_are_left_to_the_converter(
    student_folder: Path, tmp_path: Path
) -> None:
    assert splits_as_gpt2(student_folder)
    held = json.loads((student_folder / "tokenizer.json").read_bytes())
    for change in (
        {"normalizer": {"type": "NFC"}},
        {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}},
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": []}},
        {"model": {**held["model"], "type": "Unigram"}},
    ):
        (tmp_path / "tokenizer.json").write_text(json.dumps(held | change))
        assert not splits_as_gpt2(tmp_path)


def planted(folder: Path) -> Path:
    """A source package with a converter and a file that tries to leave its folder."""
    folder.mkdir()
    with tarfile.open(folder / source.SOURCE, "w:gz") as archive:
        for name in ("convert_hf_to_gguf.py", "conversion/base.py", "ggml/src/x.c"):
            member = tarfile.TarInfo(f"llama_cpp_python-{source.VERSION}/vendor/llama.cpp/{name}")
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
    return folder


def test_only_the_converter_is_unpacked_and_only_once(tmp_path: Path) -> None:
    folder = planted(tmp_path / "wheels")
    for _ in range(2):
        source.unpack(folder)
    made = source.converter_in(folder)
    assert sorted(p.relative_to(made).as_posix() for p in made.rglob("*.*")) == [
        "conversion/base.py", "convert_hf_to_gguf.py",
    ]  # fmt: skip


def test_another_source_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    folder = planted(tmp_path / "wheels")
    with pytest.raises(ModelError, match="expected sha256 832db069"):
        source.fetch_source(folder)
