"""How long rows are in the student's own tokens, before anything is trained on them."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from judgesmith.backends.origin import percentile
from judgesmith.errors import TrainingError


class RowLength(NamedTuple):
    """Tokens of one row's prompt and reply; None where its text is too long to be tokenized."""

    row_id: str
    prompt: int | None
    reply: int | None

    @property
    def whole(self) -> float:
        """Tokens of the row; infinite where not even counted."""
        if self.prompt is None or self.reply is None:
            return math.inf
        return self.prompt + self.reply


Table = dict[str, dict[str, int]]


def length_table(
    lengths: Sequence[RowLength], max_length: int, buckets: Mapping[str, str]
) -> Table:
    """Prompts, replies and rows, and the rows of each bucket where buckets are known.

    Each with n, p50, p95 and max in tokens, and how many rows are over `max_length`. Rows whose
    text is so long that it was not tokenized are over it and in no percentile.

    >>> found = [RowLength("r1", 10, 5), RowLength("r2", 20, 5)]
    >>> length_table(found, 20, {})["rows"]
    {'n': 2, 'p50': 15, 'p95': 25, 'max': 25, 'over max_length': 1}
    """
    parts = {
        "prompts": [row.prompt for row in lengths],
        "replies": [row.reply for row in lengths],
    }
    table = {name: _numbers([n for n in found if n is not None]) for name, found in parts.items()}
    table["rows"] = _rows(lengths, max_length)
    by_bucket = defaultdict(list)
    for row in lengths:
        if row.row_id in buckets:
            by_bucket[buckets[row.row_id]].append(row)
    return table | {
        f"rows of {bucket}": _rows(found, max_length) for bucket, found in sorted(by_bucket.items())
    }


def _rows(lengths: Sequence[RowLength], max_length: int) -> dict[str, int]:
    whole = [int(row.whole) for row in lengths if math.isfinite(row.whole)]
    over = sum(row.whole > max_length for row in lengths)
    return {**_numbers(whole), "n": len(lengths), "over max_length": over}


def _numbers(found: Sequence[int]) -> dict[str, int]:
    if not found:
        return {"n": 0}
    return {
        "n": len(found), "p50": percentile(found, 50), "p95": percentile(found, 95),
        "max": max(found),
    }  # fmt: skip


def require_short(lengths: Sequence[RowLength], max_length: int, most: float) -> None:
    """Stop where more than the share `most` of the rows are over the length: none is cut off."""
    over = sum(row.whole > max_length for row in lengths)
    if not lengths or over / len(lengths) <= most:
        return
    ordered = sorted(row.whole for row in lengths)
    enough = ordered[math.ceil(len(ordered) * (1 - most)) - 1]
    advice = (
        f"Raise sft.max_length to {int(enough)} or more"
        if math.isfinite(enough)
        else "Shorten the texts of the rows"
    )
    raise TrainingError(
        f"{over} of {len(lengths)} training rows ({over / len(lengths):.1%}) are longer than "
        f"sft.max_length = {max_length} tokens and would be left out (sft.max_truncated = "
        f"{most:g}). {advice}, or allow it with sft.max_truncated."
    )
