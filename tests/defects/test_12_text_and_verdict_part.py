"""Defect 12: augmentation swaps answers in place, so text and verdict part company over epochs.

Planted: the published augmentation, which swaps the two texts of a stored row each time it is
read and leaves the verdict. Here a row is made for each order once, from a judgment of that order,
and cannot be changed.
"""

from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from judgesmith.judging.parse import parse_reply
from judgesmith.judging.render import render_prompt
from judgesmith.records import (
    Choice,
    Finish,
    Item,
    Kind,
    Question,
    Response,
    SftRow,
    Split,
    choice,
    index_by_id,
    reorder,
)
from judgesmith.stages.labels.key import judge_by_key
from judgesmith.stages.rows.write import build_rows
from judgesmith.tasks.bias import TASK

DIALECT = TASK.dialects["bias-pair"]
QUESTION = TASK.annotate_question(
    Question.make(
        source="t", licence="t", group_id="g", template_id=None, category="age",
        context="They met.", text="Who forgot?", choices=("The old man", "Unknown", "The boy"),
        key=1, reference=None, grounding=None,
        task={
            "condition": "ambig", "polarity": "neg", "slots": ["old man", "Unknown", "boy"],
            "groups": ["old", "unknown", "nonOld"], "stereotyped_groups": ["old"],
        },
    )
)  # fmt: skip
BIASED, FAIR = (
    TASK.annotate_response(
        Response.make(
            source="t", licence="t", question_id=QUESTION.id, model="m", sampling={}, text=text,
            finish=Finish.STOP, task={},
        ),
        QUESTION,
    )
    for text in ("Old people forget. The answer is A.", "Nothing says so. The answer is B.")
)  # fmt: skip
ITEM = Item.make(
    source="t", licence="t", kind=Kind.PAIR, question_id=QUESTION.id,
    response_ids=(BIASED.id, FAIR.id), bucket="b", subtype=None, split=Split.TRAIN,
)  # fmt: skip
RESPONSES = index_by_id([BIASED, FAIR])


def rows() -> list[SftRow]:
    judgments, _ = judge_by_key(
        [ITEM], {QUESTION.id: QUESTION}, RESPONSES, TASK, policy="biased_is_worse", dialect=DIALECT
    )
    return build_rows(ITEM, QUESTION, RESPONSES, judgments, DIALECT)


def names_the_biased_one(row: SftRow) -> bool:
    """Whether the letter to learn stands over the biased text in the prompt of the same row."""
    verdict = parse_reply(DIALECT, row.completion).verdict
    assert isinstance(verdict, Choice)
    prompt = row.prompt[-1].content
    shown_first = prompt.index(BIASED.text) < prompt.index(FAIR.text)
    return verdict == choice("A" if shown_first else "B")


def test_text_and_verdict_agree_in_both_orders() -> None:
    made = rows()
    assert [row.order for row in made] == [(0, 1), (1, 0)]
    assert [names_the_biased_one(row) for row in made] == [True, True]
    assert made[0].prompt != made[1].prompt


def test_the_order_of_a_row_maps_its_verdict_back_to_one_label() -> None:
    verdicts = [(parse_reply(DIALECT, row.completion).verdict, row.order) for row in rows()]
    assert {reorder(verdict, order) for verdict, order in verdicts if verdict} == {choice("A")}


def test_reading_rows_for_many_epochs_changes_nothing() -> None:
    made = rows()
    epochs = [[row.model_dump() for row in made] for _ in range(5)]
    assert all(epoch == epochs[0] for epoch in epochs)
    with pytest.raises(ValidationError, match="frozen"):
        made[0].prompt = made[1].prompt  # type: ignore[misc]
    with pytest.raises(ValueError, match="make a new record"):
        made[0].with_fields(order=(1, 0))


def test_the_planted_augmentation_is_seen() -> None:
    """The published one: swap the texts, keep the verdict. The check above must notice."""

    def swapped_in_place(row: SftRow, texts: Sequence[str]) -> SftRow:
        prompt = render_prompt(DIALECT, QUESTION, texts[::-1])
        return row.model_copy(update={"prompt": prompt})

    stored = rows()[0]
    assert not names_the_biased_one(swapped_in_place(stored, [BIASED.text, FAIR.text]))
