"""Defect 15: the prompt differs between training and evaluation.

One renderer writes both. Planted: a dialect that differs by one space; its hash tells it apart, and
so every judgment and row says which prompt it belongs to.
"""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.judging.dialect import Dialect
from judgesmith.models.judge import Shown, judge, showings
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import (
    Finish,
    Item,
    Judgment,
    Kind,
    Question,
    Response,
    Split,
    index_by_id,
)
from judgesmith.stages.labels.key import orders_of
from judgesmith.stages.rows.write import build_rows, reference_row
from judgesmith.tasks.bias import TASK


class Recorder:
    """Stands at the seam, keeps what it was asked and gives one reply, valid on its scale."""

    name = "recorder"

    def __init__(self, verdict: str) -> None:
        self.asked: list[Request] = []
        self.verdict = verdict

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            self.asked.append(request)
            yield Completion(
                text=f"<reasoning>x</reasoning><verdict>{self.verdict}</verdict>",
                finish=Finish.STOP, prompt_tokens=0, completion_tokens=0,
            )  # fmt: skip


@pytest.mark.parametrize("dialect", TASK.dialects.values(), ids=lambda d: d.name)
@given(context=st.none() | st.text(max_size=30), texts=st.tuples(st.text(), st.text()))
def test_a_row_is_trained_on_the_very_prompt_that_is_asked(
    dialect: Dialect, context: str | None, texts: tuple[str, str]
) -> None:
    origin = {"source": "t", "licence": "t"}
    question = Question.make(
        **origin, group_id="g", template_id=None, category=None, context=context, text="Who?",
        choices=("x", "y"), key=0, reference=None, grounding=None, task={},
    )  # fmt: skip
    made = [
        Response.make(
            **origin, question_id=question.id, model=f"m{i}", sampling={}, text=text,
            finish=Finish.STOP, task={},
        )
        for i, text in enumerate(texts)
    ]  # fmt: skip
    item = Item.make(
        **origin, kind=Kind.PAIR, question_id=question.id, response_ids=tuple(r.id for r in made),
        bucket="b", subtype=None, split=Split.TRAIN,
    )  # fmt: skip
    responses, verdict = index_by_id(made), dialect.scale.values[-1]

    def ask(shown: Sequence[Shown]) -> tuple[Recorder, list[Judgment]]:
        model = Recorder(verdict)
        found = judge(
            model, shown, {question.id: question}, responses, dialect=dialect, max_tokens=9
        )
        return model, [judgment for judgment, _ in found]

    model, _ = ask(showings([item], dialect))
    orders = orders_of(item, dialect)
    _, judgments = ask([Shown(item, order) for order in orders])
    answer = judgments[0].reference
    rows = build_rows(item, question, responses, judgments, dialect, answer)
    asked = [*reference_row(item, question, dialect, answer), *rows]
    assert [row.prompt for row in asked] == [request.messages for request in model.asked]
    assert len(rows) == 2
    assert len(asked) == 2 + (dialect.reference_user is not None)
    assert [row.order for row in rows] == [judgment.order for judgment in judgments]
    assert {row.dialect for row in rows} == {judgment.dialect for judgment in judgments}


@pytest.mark.parametrize("dialect", TASK.dialects.values(), ids=lambda d: d.name)
def test_a_prompt_that_differs_by_one_space_is_another_dialect(dialect: Dialect) -> None:
    planted = dialect.model_copy(update={"user": dialect.user + " "})
    assert planted.hash != dialect.hash
