"""The GGUF files are the students: the same token ids, and the same logits but for rounding."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_server import CONTEXT, EXACT
from students import Lessons

from judgesmith.backends.encode import encode_prompt
from judgesmith.backends.loading import load
from judgesmith.backends.student import load_student

SCRIPT = Path(__file__).with_name("llama_logits.py")
AWKWARD = "Ünï çödé 🚀 don't I've 3.14  \t\n\n x…  “quotes” 中文 \u200b \u202e !!!"
MOST, MOST_HALF = 1e-2, 0.2
"""How far logits may differ, keys and values in float32 and in float16. Logits go up to 16, and a
first look had differences of .001 and .03."""


@pytest.mark.parametrize("name", ["teacher", "gen-qwen"])
def test_token_ids_and_logits_agree(
    name: str, students: Mapping[str, Path], gguf: Mapping[str, Path], lessons: Lessons,
    server_python: Path, tmp_path: Path, measured: Any,
) -> None:  # fmt: skip
    model, tokenizer = load_student(str(students[name]))
    rows = [
        *lessons.judging()[:4],
        *lessons.erring()[:2],
        *lessons.answering({"model": "x"}, 0)[:2],
    ]
    turns = [[turn.model_dump() for turn in row.prompt] for row in rows]
    texts = [
        tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
        + row.completion
        for prompt, row in zip(turns, rows, strict=True)
    ]
    for row, text in zip(rows, texts, strict=True):
        prompt = encode_prompt(tokenizer, row.prompt)
        assert ids_of(tokenizer, text)[: len(prompt)] == prompt
    texts.append(AWKWARD)
    half = {"n_ctx": CONTEXT, "n_threads": 1}
    for settings, most, called in ((EXACT, MOST, "float32"), (half, MOST_HALF, "float16")):
        found = llama(gguf[name], texts, server_python, tmp_path, settings)
        worst, scale = 0.0, 0.0
        for number, text in enumerate(texts):
            ids = ids_of(tokenizer, text)
            assert found[f"ids{number}"].tolist() == ids, text
            ours = logits_of(model, ids)
            worst = max(worst, float(np.abs(ours - found[f"logits{number}"]).max()))
            scale = max(scale, float(np.abs(ours).max()))
        measured(
            f"logits of {name}, keys and values in {called}",
            f"at most {worst:.2g} apart, of up to {scale:.1f}, over {len(texts)} texts",
        )
        assert worst < most


def ids_of(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def logits_of(model: Any, ids: list[int]) -> Any:
    torch = load("torch")
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0].float().numpy()


def llama(
    file: Path, texts: list[str], python: Path, folder: Path, settings: dict[str, Any]
) -> Any:
    """What llama.cpp makes of the texts."""
    told, out = folder / "texts.json", folder / "out.npz"
    told.write_text(json.dumps(texts))
    done = subprocess.run(
        [python, SCRIPT, file, told, out, json.dumps(settings)], check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return np.load(out)
