"""An exported folder is the student: the same logits and token ids, and no path of this machine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.judge_folder import count_numbers, require_same_ids, write_judge_folder
from judgesmith.backends.loading import load
from judgesmith.backends.origin import Origin, ReplyTokens, read_origin, write_origin
from judgesmith.errors import ModelError
from judgesmith.models.pointwise import known_margins, write_margins
from judgesmith.records import Message

PROMPTS = [(Message(role="system", content="Judge."), Message(role="user", content="A or B? <s>"))]


def logits(folder: Path) -> Any:
    """Of a fixed text, by transformers alone: as a stranger opens the folder."""
    transformers, torch = load("transformers"), load("torch")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        return model(**tokenizer("Was it A or B?", return_tensors="pt")).logits


@pytest.fixture
def adapter(bases: Callable[[str], Path], tmp_path: Path) -> Path:
    """A LoRA of random numbers over a tiny base, with origin and margins, as a training leaves."""
    peft, transformers, torch = load("peft"), load("transformers"), load("torch")
    base = bases("llama")
    torch.manual_seed(0)
    model = peft.get_peft_model(
        transformers.AutoModelForCausalLM.from_pretrained(base),
        peft.LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False),
    )
    folder = tmp_path / "run" / "sft" / "student"
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    lengths = ReplyTokens(p50=10, p99=20, max=30)
    write_origin(
        folder, Origin(dialects={"d": "h"}, base=str(base), base_hash=None, reply_tokens=lengths)
    )
    write_margins(folder, {"h": 0.25})
    return folder


def test_a_whole_model_in_float32_is_bit_for_bit_the_student(
    student_folder: Path, tmp_path: Path
) -> None:
    torch, out = load("torch"), tmp_path / "out"
    found = write_judge_folder(str(student_folder), out, merged=False, dtype="float32",
                               reply_tokens=9)  # fmt: skip
    assert found == ("model", None, None)
    assert torch.equal(logits(out), logits(student_folder))
    assert require_same_ids(str(student_folder), out, PROMPTS) == 1
    settings = json.loads((out / "generation_config.json").read_bytes())
    assert settings["do_sample"] is False
    assert settings["max_new_tokens"] == 9
    assert not (out / "from_nothing.json").exists()


def test_bfloat16_halves_the_file_and_moves_logits_little(
    student_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    write_judge_folder(str(student_folder), out, merged=False, dtype="bfloat16", reply_tokens=9)
    sizes = [(f / "model.safetensors").stat().st_size for f in (out, student_folder)]
    assert sizes[0] == pytest.approx(sizes[1] / 2, rel=0.1)
    assert json.loads((out / "config.json").read_bytes())["dtype"] == "bfloat16"
    assert (logits(out) - logits(student_folder)).abs().max() < 0.05
    assert count_numbers(out) == count_numbers(student_folder)


def test_a_merged_adapter_is_what_peft_merges(adapter: Path, tmp_path: Path) -> None:
    peft, transformers, out = load("peft"), load("transformers"), tmp_path / "out"
    found = write_judge_folder(str(adapter), out, merged=True, dtype="float32", reply_tokens=9)
    assert found == ("model", None, None)
    model = peft.AutoPeftModelForCausalLM.from_pretrained(adapter).merge_and_unload()
    model.save_pretrained(tmp_path / "theirs")
    transformers.AutoTokenizer.from_pretrained(adapter).save_pretrained(tmp_path / "theirs")
    assert (logits(out) - logits(tmp_path / "theirs")).abs().max() < 1e-5
    assert known_margins(out) == {"h": 0.25}
    origin = read_origin(out)
    assert origin is not None
    assert (origin.dialects, origin.base) == ({"d": "h"}, "")


def test_an_adapter_of_a_hub_model_stays_one_and_names_no_place(
    adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its base is on the hub by name; here nothing is fetched, as the folder has its tokenizer."""
    for name in ("adapter_config.json", "judgesmith.json"):
        held = json.loads((adapter / name).read_bytes())
        key = "base" if name == "judgesmith.json" else "base_model_name_or_path"
        (adapter / name).write_text(json.dumps(held | {key: "someone/base"}))
    out = tmp_path / "out"
    found = write_judge_folder(str(adapter), out, merged=False, dtype="bfloat16", reply_tokens=9)
    assert found == ("adapter", "someone/base", None)
    weights = "adapter_model.safetensors"
    assert (out / weights).read_bytes() == (adapter / weights).read_bytes()
    for file in out.rglob("*.json"):
        assert str(tmp_path) not in file.read_text()


def test_an_adapter_of_a_folder_that_nobody_else_has_is_refused(
    adapter: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="--merged"):
        write_judge_folder(str(adapter), tmp_path / "out", merged=False, dtype="bfloat16",
                           reply_tokens=9)  # fmt: skip
