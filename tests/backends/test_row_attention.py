"""Rows in one line attend to themselves alone, as each would in a batch of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.architectures import Architecture, Shape, tiny_config
from judgesmith.backends.loading import load
from judgesmith.backends.packing import PackedCollator
from judgesmith.backends.row_attention import NAME, row_bounds, use_row_attention
from judgesmith.backends.student import load_student, open_tokenizer

ROWS = [[5, 9, 31, 7, 44, 90, 12], [8, 6], [61, 17, 23, 5, 9, 200, 3, 7, 7, 12, 30]]
WINDOW = 4
"""Shorter than two of the rows."""


@pytest.fixture(params=["llama", "mistral", "qwen3", "gemma3", "gemma4"])
def model(request: pytest.FixtureRequest, student_folder: Path) -> Any:
    torch, tokenizer = load("torch"), open_tokenizer(str(student_folder))
    architecture: Architecture = request.param
    config = tiny_config(architecture, Shape(32, 6, 2, 64), tokenizer)
    if getattr(config, "sliding_window", None):
        config.sliding_window = WINDOW
    torch.manual_seed(1)
    return load("transformers").AutoModelForCausalLM.from_config(config).eval()


def packed() -> dict[str, Any]:
    rows = [{"input_ids": row, "labels": row} for row in ROWS]
    batch = PackedCollator(pad=0, flat=True)(rows)
    return {k: v for k, v in batch.tensors.items() if k != "labels"}


def states(model: Any, **inputs: Any) -> Any:
    return model(**inputs, use_cache=False).logits.detach()


def test_each_row_is_as_it_would_be_alone(model: Any) -> None:
    """To 1e-5, in models with sliding windows too; one mask over the line gives the same."""
    torch = load("torch")
    alone = [states(model, input_ids=torch.tensor([row]))[0] for row in ROWS]
    masked = states(model, **packed())[0]
    assert use_row_attention(model)
    by_rows = states(model, **packed())[0]
    assert by_rows == pytest.approx(torch.cat(alone), abs=1e-5)
    assert by_rows == pytest.approx(masked, abs=1e-5)


def test_gradients_are_those_of_the_mask(model: Any) -> None:
    torch = load("torch")
    found = []
    for switched in (False, True):
        assert not switched or use_row_attention(model)
        model.zero_grad()
        model(**packed(), use_cache=False).logits.square().mean().backward()
        found.append(
            torch.cat([w.grad.flatten() for w in model.parameters() if w.grad is not None])
        )
    assert float(found[0].abs().max()) > 1e-3
    assert found[1] == pytest.approx(found[0], abs=1e-6)


def test_padded_batches_and_answers_are_as_before(model: Any) -> None:
    """What an evaluation does with a student between two steps."""
    torch = load("torch")
    ids = torch.tensor([[0, 0, *ROWS[1], 9], [*ROWS[0][:5]]])
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])

    def answers() -> Any:
        return model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=6, do_sample=False)

    before, seen = answers(), states(model, input_ids=ids, attention_mask=mask)
    assert use_row_attention(model)
    assert answers().tolist() == before.tolist()
    assert states(model, input_ids=ids, attention_mask=mask)[mask.bool()] == pytest.approx(
        seen[mask.bool()], abs=1e-6
    )


def test_the_bounds_of_two_rows() -> None:
    """Rows of 3 and 2 tokens; where all tokens go on, there is a plain mask, or none."""
    torch = load("torch")
    row = torch.tensor([0, 0, 0, 1, 1])

    def same_row(batch: Any, head: Any, query: Any, key: Any) -> Any:
        return (row[query] == row[key]) & (key <= query)

    asked = {"batch_size": 1, "q_length": 5, "kv_length": 5, "device": "cpu"}
    bounds = row_bounds(**asked, mask_function=same_row, allow_is_causal_skip=False)
    assert bounds.tolist() == [0, 3, 5]
    row = torch.zeros(5)
    whole = row_bounds(**asked, mask_function=same_row, allow_is_causal_skip=False)
    assert whole.shape == (1, 1, 5, 5)


def test_other_attention_is_left_alone(student_folder: Path) -> None:
    model, _ = load_student(str(student_folder))
    model.set_attn_implementation("eager")
    assert not use_row_attention(model)
    assert model.config._attn_implementation == "eager"


def test_a_saved_student_does_not_name_it(student_folder: Path, tmp_path: Path) -> None:
    """It must load where judgesmith is not installed."""
    model, _ = load_student(str(student_folder))
    assert use_row_attention(model)
    model.save_pretrained(tmp_path)
    assert NAME not in (tmp_path / "config.json").read_text()
    again: Callable[..., Any] = load("transformers").AutoModelForCausalLM.from_pretrained
    assert again(tmp_path).config._attn_implementation == "sdpa"
