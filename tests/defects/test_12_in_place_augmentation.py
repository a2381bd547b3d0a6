"""Defect 12: augmentation in place, so that text and verdict part company over the epochs.

Planted: the augmentation of JudgeLM's trainer as it was published. Each time a row is fetched, a
coin sets the text to the judgment with a reference, and a second coin swaps answers, scores and
text in the stored row itself. The swap of one epoch stays; the text of the next is set anew and
does not know of it. `parted` sees every such row, and none of those that `swap` and `epoch_rows`
make.
"""

from random import Random
from typing import Any

import pytest

from judgesmith.judging.augment import Meant, epoch_rows, parted, swap
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.render import render_prompt
from judgesmith.records import Judgment, Question, Scores, SftRow, Split, Status

BARE, SUPPORTED = LIBRARY["judgelm"], LIBRARY["judgelm-reference"]
ROWS = 400


def question(number: int) -> Question:
    return Question.make(
        source="t", licence="t", group_id=f"g{number}", template_id=None, category=None,
        context=None, text=f"What is {number}?", choices=None, key=None, reference=f"{number}.",
        grounding=None, task={},
    )  # fmt: skip


def judgment(number: int, dialect: Any, scores: tuple[float, float]) -> Judgment:
    verdict = Scores(kind="scores", values=scores, criteria=None)
    reason = "Assistant 1 is vague, Assistant 2 knows."
    return Judgment.make(
        source="t", licence="t", item_id=f"i{number}", judge="gpt-4", dialect=dialect.hash,
        order=(0, 1), sample=0, reply=dialect.write_reply(reason, verdict), rationale=reason,
        verdict=verdict, distribution=None, status=Status.PARSED, reference=None,
    )  # fmt: skip


TEXTS = [(f"vague {n}", f"right {n}") for n in range(ROWS)]
QUESTIONS = [question(n) for n in range(ROWS)]
JUDGMENTS = [
    (judgment(n, BARE, (2.0, 8.0)), judgment(n, SUPPORTED, (1.0, 10.0))) for n in range(ROWS)
]


class Published:
    """The stored rows, changed at every fetch, as the published trainer does."""

    def __init__(self) -> None:
        self._rows = [
            {"texts": list(TEXTS[n]), "given": JUDGMENTS[n][0], "turned": False}
            for n in range(ROWS)
        ]

    def fetch(self, number: int, draw: Random) -> SftRow:
        row = self._rows[number]
        dialect = BARE
        if draw.random() < 0.5:
            dialect = SUPPORTED
            row["given"] = JUDGMENTS[number][1]  # not turned, whatever the texts are
        if draw.random() < 0.5:
            row["texts"] = row["texts"][::-1]
            row["given"] = swap(row["given"], dialect)
        given = row["given"]
        order = (0, 1) if row["texts"][0] == TEXTS[number][0] else (1, 0)
        return SftRow.make(
            source="t", licence="t", item_id=f"i{number}", order=order, split=Split.TRAIN,
            dialect=dialect.hash, completion=given.reply,
            prompt=render_prompt(dialect, QUESTIONS[number], row["texts"]),
        )  # fmt: skip


def wrong(rows: list[SftRow]) -> float:
    """The share of rows whose verdict was not given for the texts they show."""
    found = 0
    for row in rows:
        number = int(row.item_id[1:])
        dialect = BARE if row.dialect == BARE.hash else SUPPORTED
        given = [one for one in JUDGMENTS[number] if one.dialect == row.dialect]
        found += parted(row, dialect, Meant(QUESTIONS[number], TEXTS[number], given)) is not None
    return found / len(rows)


def test_the_published_augmentation_corrupts_more_from_epoch_to_epoch() -> None:
    """Right in the first epoch; then order and verdict disagree, or come of the other condition."""
    published, draw = Published(), Random(7)
    shares = [wrong([published.fetch(n, draw) for n in range(ROWS)]) for _ in range(3)]
    assert shares[0] == 0
    assert shares[1] > 0.2
    assert shares[2] > shares[1]


def twins(number: int) -> list[SftRow]:
    made = []
    for given, dialect in zip(JUDGMENTS[number], (BARE, SUPPORTED), strict=True):
        other = swap(given, dialect)
        assert other is not None
        for one in (given, other):
            shown = [TEXTS[number][p] for p in one.order]
            assert one.reply is not None
            made.append(
                SftRow.make(
                    source="t", licence="t", item_id=f"i{number}", order=one.order,
                    split=Split.TRAIN, dialect=dialect.hash, completion=one.reply,
                    prompt=render_prompt(dialect, QUESTIONS[number], shown),
                )
            )  # fmt: skip
    return made


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_ours_corrupts_none_in_five_epochs_with_any_number_of_workers(workers: int) -> None:
    shards = [[row for n in range(w, ROWS, workers) for row in twins(n)] for w in range(workers)]
    for epoch in range(5):
        seen = [row for shard in shards for row in epoch_rows(shard, 7, epoch)]
        assert len(seen) == 2 * ROWS
        assert wrong(seen) == 0
