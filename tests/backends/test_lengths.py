"""Token counts before training, and the refusal of rows that would not fit."""

import pytest

from judgesmith.backends.lengths import RowLength, length_table, require_short
from judgesmith.errors import TrainingError

ROWS = [RowLength(f"r{n}", 10 * n, 5) for n in range(1, 10)] + [RowLength("huge", None, None)]
"""Rows of 15, 25 ... 95 tokens, and one that was not tokenized."""


def test_the_table_by_hand() -> None:
    """Of nine counted rows the 5th has p50 and the 9th p95; over 85 are 95 and the uncounted."""
    buckets = {"r1": "easy", "r9": "hard", "huge": "hard"}
    table = length_table(ROWS, 85, buckets)
    assert table["prompts"] == {"n": 9, "p50": 50, "p95": 90, "max": 90}
    assert table["replies"] == {"n": 9, "p50": 5, "p95": 5, "max": 5}
    assert table["rows"] == {"n": 10, "p50": 55, "p95": 95, "max": 95, "over max_length": 2}
    assert table["rows of easy"]["over max_length"] == 0
    assert table["rows of hard"] == {"n": 2, "p50": 95, "p95": 95, "max": 95, "over max_length": 2}
    assert length_table([], 85, {})["rows"] == {"n": 0, "over max_length": 0}


def test_rows_that_do_not_fit_are_refused_with_the_length_that_they_need() -> None:
    """3 of 10 are over 75; to lose at most 2 of 10, the eighth of 85 tokens must fit."""
    require_short(ROWS, 75, 0.3)
    with pytest.raises(TrainingError, match=r"3 of 10 .*\(30\.0%\).*max_length to 85 or more"):
        require_short(ROWS, 75, 0.2)
    with pytest.raises(TrainingError, match=r"Shorten the texts"):
        require_short(ROWS, 75, 0.0)
    require_short([], 75, 0.0)
