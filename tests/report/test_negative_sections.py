"""The section on preference rows: what was asked for, refused and used."""

from typing import Any

from judgesmith.report.blocks import Table, Text
from judgesmith.report.negative_sections import negative_section

SHARE = {"value": 0.54, "low": 0.46, "high": 0.62, "n": 90, "clusters": 40}
WRITTEN = {
    "model": "big", "requests": 50, "accepted": 36,
    "rejected by reason": {"speaks of its instruction": 3, "another verdict than asked for": 11},
    "by attempt": [{"asked": 40, "accepted": 30}, {"asked": 10, "accepted": 6},
                   {"asked": 0, "accepted": 0}],
    "wishes": 20, "candidates": 17,
    "without a good reply, by last reason": {"another verdict than asked for": 3},
}  # fmt: skip
TABLES: dict[str, Any] = {
    "rows by side": {"train": 30, "dev": 4}, "rows by mode": {"misread": 20, "mixed up": 14},
    "mistakes to choose from": {"misread": 20, "mixed up": 40},
    "bag of words": {"alone": SHARE, "paired": {**SHARE, "value": 0.5}},
}  # fmt: skip


def table(title: str, tables: dict[str, Any] = TABLES) -> list[list[str]]:
    found = negative_section({**tables, "written by a teacher": WRITTEN})
    (one,) = (b for b in found.blocks if isinstance(b, Table) and b.heading == title)
    return [[cell.text for cell in row] for row in one.rows]


def test_requests_by_attempt_add_up() -> None:
    rows = table("Replies asked for, by attempt")
    assert rows == [["1", "40", "30", "75%"], ["2", "10", "6", "60%"], ["all", "50", "36", "72%"]]


def test_refusals_by_reason_the_commonest_first() -> None:
    assert table("Replies refused, by reason") == [
        ["another verdict than asked for", "11", "3"],
        ["speaks of its instruction", "3", "0"],
    ]


def test_rows_by_mode_and_quality() -> None:
    assert table("Rows by the way to fail") == [["misread", "20", "20"], ["mixed up", "40", "14"]]
    found = [row[:2] for row in table("What the rows give away")]
    assert found == [
        ["words of one text tell chosen from rejected", ".54 [.46, .62]"],
        ["words of two texts tell which is chosen", ".50 [.46, .62]"],
    ]


def test_without_a_writer_nothing_is_said_of_one() -> None:
    found = negative_section(TABLES)
    said = next(block for block in found.blocks if isinstance(block, Text)).text
    assert said.startswith("Rows of a chosen and a rejected reply: 30 on the train side, 4 on the")
    assert said.endswith("Rejected replies misread a fact of the answer key.")
    assert not negative_section({}).blocks
