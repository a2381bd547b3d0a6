"""Several rows in one line of a batch, each apart from the others, so that little is padding.

The rows of a batch are the same with packing as without it, and so is the loss of the batch: only
the layout differs. Each row counts its positions from 0 again, from which transformers sees where
a row ends (`masking_utils`), as long as there is neither an attention mask nor a cache.
"""

from bisect import insort
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from judgesmith.backends.lessons import NO_LOSS
from judgesmith.backends.loading import load


class Batch(NamedTuple):
    """Tensors for the model, and where each row went: its line and its first column."""

    tensors: dict[str, Any]
    places: list[tuple[int, int]]


def best_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Positions of rows, line by line: longest first, each into the fullest line that takes it.

    Best fit decreasing; a line holds at most `capacity` tokens, and one row at least.

    >>> best_fit([5, 3, 4, 2], capacity=7)
    [[0, 3], [2, 1]]
    """
    lines: list[list[int]] = []
    room: list[tuple[int, int]] = []  # what is left, and the line; sorted
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        at = next((i for i, (left, _) in enumerate(room) if left >= lengths[row]), None)
        if at is None:
            line, left = len(lines), capacity
            lines.append([])
        else:
            left, line = room.pop(at)
        lines[line].append(row)
        insort(room, (left - lengths[row], line))
    return lines


class PackedCollator:
    """Rows -> a packed batch; with `flat` all in one line, for attention that takes rows apart.

    Other lines are as long as the longest row, no longer: a mask over a line is paid for by its
    square.
    """

    def __init__(self, pad: int, *, flat: bool) -> None:
        self._pad, self._flat = pad, flat

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> Batch:
        """One line of token ids, labels and positions per line of the packing."""
        torch = load("torch")
        lengths = [len(example["input_ids"]) for example in examples]
        lines = [list(range(len(lengths)))] if self._flat else best_fit(lengths, max(lengths))
        width = max(sum(lengths[row] for row in line) for line in lines)
        ids = torch.full((len(lines), width), self._pad)
        labels = torch.full((len(lines), width), NO_LOSS)
        positions = torch.zeros((len(lines), width), dtype=torch.long)
        places = [(0, 0)] * len(lengths)
        for number, line in enumerate(lines):
            start = 0
            for row in line:
                end = start + lengths[row]
                ids[number, start:end] = torch.as_tensor(examples[row]["input_ids"])
                labels[number, start:end] = torch.as_tensor(examples[row]["labels"])
                positions[number, start:end] = torch.arange(lengths[row])
                labels[number, start] = NO_LOSS  # no row is continued by the next
                places[row] = (number, start)
                start = end
            positions[number, start:] = torch.arange(width - start)  # padding: a row of its own
        tensors = {"input_ids": ids, "labels": labels, "position_ids": positions}
        return Batch(tensors | (self._bounds(positions[0]) if self._flat else {}), places)

    def _bounds(self, positions: Any) -> dict[str, Any]:
        """Where rows begin, as flash attention takes it."""
        torch = load("torch")
        starts = (positions == 0).nonzero().flatten()
        bounds = torch.cat([starts, torch.tensor([len(positions)])]).to(torch.int32)
        longest = int(bounds.diff().max())
        return {
            "cu_seq_lens_q": bounds, "cu_seq_lens_k": bounds,
            "max_length_q": longest, "max_length_k": longest,
        }  # fmt: skip


class PaddedCollator:
    """Rows -> a batch with one row per line, padded on the right by TRL's own collator."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> Batch:
        """What the trainer's own collator gives; row after row from the first column on."""
        return Batch(self._inner(examples), [(row, 0) for row in range(len(examples))])
