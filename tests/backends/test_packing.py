"""Packed batches: every row once, apart from the others, and the same loss as padded ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.backends.packing import PackedCollator, best_fit
from judgesmith.backends.sft_trl import Training, train_sft


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(50, 120))
def test_every_row_is_in_one_line_that_holds_it(lengths: list[int], capacity: int) -> None:
    """And no two lines would fit into one: else a row had been put on a line of its own for it."""
    lines = best_fit(lengths, capacity)
    assert sorted(row for line in lines for row in line) == list(range(len(lengths)))
    used = [sum(lengths[row] for row in line) for line in lines]
    assert max(used) <= capacity
    assert sum(sorted(used)[:2]) > capacity or len(lines) == 1


def example(*ids: int) -> dict[str, list[int]]:
    return {"input_ids": list(ids), "labels": [-100, *ids[1:]]}


def test_a_packed_batch_by_hand() -> None:
    """Rows of 4, 1 and 2 tokens on lines of 4: the first alone, the third with the second."""
    rows = [example(5, 6, 7, 3), example(8), example(9, 4)]
    tensors, places = PackedCollator(pad=0, flat=False)(rows)
    assert tensors["input_ids"].tolist() == [[5, 6, 7, 3], [9, 4, 8, 0]]
    assert tensors["position_ids"].tolist() == [[0, 1, 2, 3], [0, 1, 0, 0]]
    assert tensors["labels"].tolist() == [[-100, 6, 7, 3], [-100, 4, -100, -100]]
    assert places == [(0, 0), (1, 2), (1, 0)]
    assert "attention_mask" not in tensors


def test_flash_attention_gets_one_line_and_its_bounds() -> None:
    rows = [example(5, 6, 7), example(8), example(9, 4)]
    tensors, places = PackedCollator(pad=0, flat=True)(rows)
    assert tensors["input_ids"].tolist() == [[5, 6, 7, 8, 9, 4]]
    assert tensors["cu_seq_lens_q"].tolist() == [0, 3, 4, 6]
    assert tensors["max_length_k"] == 3
    assert places == [(0, 0), (0, 3), (0, 4)]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["llama", "gemma3", "gemma4"])
def test_the_loss_of_a_packed_batch_is_that_of_the_padded_one(
    architecture: Any, bases: Any, training: Callable[..., Training], train_rows: Any,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The same rows in the same batches, four steps: losses differ by less than 1e-3, whatever the
    layout. All rows of a packed batch lie in one line."""
    from judgesmith.backends import sft_trainer

    lines: list[int] = []

    class Counted(PackedCollator):
        def __call__(self, examples: Any) -> Any:
            batch = super().__call__(examples)
            lines.append(len(batch.tensors["input_ids"]))
            return batch

    monkeypatch.setattr(sft_trainer, "PackedCollator", Counted)
    found = {}
    for packing in ("none", "bfd"):
        job = training(
            bases(architecture), tmp_path / packing, packing=packing, batch=8, steps=4,
            trl={"logging_first_step": True},
        )  # fmt: skip
        log = in_one_order(job, train_rows, monkeypatch)
        found[packing] = [entry["train_loss"] for entry in log if "train_loss" in entry]
    assert len(found["bfd"]) == 4
    assert found["bfd"] == pytest.approx(found["none"], abs=1e-3)
    assert set(lines) == {1}


def in_one_order(job: Training, rows: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Packed rows come as they were drawn, padded ones by length: here both as they were drawn."""
    from judgesmith.backends import sft_trl

    ungrouped = sft_trl.Plan
    monkeypatch.setattr(sft_trl, "Plan", lambda **plan: ungrouped(**{**plan, "grouped": False}))
    log = train_sft(job, rows, [], lambda model: None).log
    monkeypatch.setattr(sft_trl, "Plan", ungrouped)
    return log
