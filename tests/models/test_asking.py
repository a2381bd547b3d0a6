"""Asking models about items: what is asked again, and what is counted."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from judgesmith.judging.dialect import PAIR_SCALE, Dialect
from judgesmith.judging.forms import Tags
from judgesmith.models.asking import About, judge_items
from judgesmith.models.judge import both_orders
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import (
    Direction,
    Finish,
    Item,
    Kind,
    Question,
    Response,
    Status,
    index_by_id,
)
from judgesmith.runs.jsonl import PartialFile

DIALECT = Dialect(
    name="d", kind=Kind.PAIR, system=None, scale=PAIR_SCALE, direction=Direction.WORSE,
    user="{{ question }}|{{ responses[0].text }}|{{ responses[1].text }}",
    reply=Tags(rationale="reasoning", verdict="verdict"),
)  # fmt: skip
ORIGIN: dict[str, Any] = {"source": "t", "licence": "t"}


class Always:
    """A model that says A; `failing` are the prompts, by number, at which it fails."""

    name = "always"

    def __init__(self, *, failing: Sequence[int] = (), **fields: Any) -> None:
        self.asked: list[str] = []
        self.forced: list[str | None] = []
        self.failing, self.lot, self.independent = set(failing), 4, False
        self.fields: dict[str, Any] = {}
        vars(self).update(fields)

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            fails = len(self.asked) in self.failing
            self.asked.append(request.messages[0].content)
            self.forced.append(request.forced)
            yield Completion(
                **{
                    "text": "" if fails else "<verdict>A</verdict>",
                    "finish": Finish.FAILED if fails else Finish.STOP,
                    "prompt_tokens": 10, "completion_tokens": 2, "cost_usd": 0.5,
                    **self.fields,
                }
            )  # fmt: skip


def about(count: int) -> About:
    """Pairs, one per question, each to be shown in both orders."""
    items, questions, responses = [], [], []
    for n in range(count):
        question = Question.make(
            **ORIGIN, group_id=f"g{n}", template_id=None, category=None, context=None,
            text=f"Question {n}?", choices=None, key=None, reference=None, grounding=None, task={},
        )  # fmt: skip
        both = [
            Response.make(
                **ORIGIN, question_id=question.id, model=model, sampling={}, text=f"{model} {n}",
                finish=Finish.STOP, task={},
            )
            for model in ("x", "y")
        ]  # fmt: skip
        items.append(
            Item.make(
                **ORIGIN, kind=Kind.PAIR, question_id=question.id, bucket="b", subtype=None,
                response_ids=(both[0].id, both[1].id), split=None,
            )
        )  # fmt: skip
        questions.append(question)
        responses += both
    return About(
        both_orders(items), index_by_id(questions), index_by_id(responses), DIALECT, max_tokens=20
    )


def ask(what: About, model: Any, folder: Path) -> Any:
    return judge_items(
        what, ["always"], PartialFile(folder / "j.partial"), lambda name: model, stage="t"
    )


def test_only_an_independent_model_is_asked_for_just_what_is_missing(
    tmp_path: Path,
) -> None:
    """3 items were judged before, of 6 in lots of two: one lot is whole, one is torn, one missing.

    A model whose replies move with the batch judges the torn lot again: 4 + 4 prompts, not 6.
    """
    everything = about(6)
    before = everything._replace(shown=everything.shown[:6])
    for independent, wanted in ((True, 6), (False, 8)):
        folder = tmp_path / str(independent)
        ask(before, Always(), folder)
        model = Always(independent=independent)
        judgments, usage = ask(everything, model, folder)
        assert (len(model.asked), len(judgments)) == (wanted, 12)
        assert usage.as_fields() == {
            "calls": wanted, "prompt_tokens": 10 * wanted, "completion_tokens": 2 * wanted,
            "cost_usd": 0.5 * wanted,
        }  # fmt: skip
        assert [(j.item_id, j.order) for j in judgments] == [
            (entry.item.id, entry.order) for entry in everything.shown
        ]


def test_a_student_whose_name_says_so_is_asked_in_fast_mode_beside_itself(tmp_path: Path) -> None:
    """Both are judgments of the same items, by two names, so that they can be compared."""
    models = {name: Always(name=name, takes_forced=True) for name in ("s", "s (fast)")}
    file = PartialFile(tmp_path / "j.partial")
    judgments, _ = judge_items(about(2), list(models), file, models.__getitem__, stage="t")
    assert [one.judge for one in judgments] == ["s"] * 4 + ["s (fast)"] * 4
    assert set(models["s"].forced) == {None}
    assert set(models["s (fast)"].forced) == {"<reasoning></reasoning><verdict>"}


def test_replies_out_of_the_cache_are_not_counted_twice(tmp_path: Path) -> None:
    cached = {"calls": 0, "cost_usd": 0.0}
    _, usage = ask(about(2), Always(fields=cached), tmp_path)
    assert not any(usage.as_fields().values())


def test_a_failed_call_is_tried_again(tmp_path: Path) -> None:
    few = about(3)
    first, _ = ask(few, Always(failing=[1, 4]), tmp_path)
    assert [j.status for j in first].count(Status.CALL_FAILED) == 2
    again = Always(independent=True)
    second, _ = ask(few, again, tmp_path)
    assert len(again.asked) == 2
    assert {j.status for j in second} == {Status.PARSED}
    untouched = Always()
    assert ask(few, untouched, tmp_path)[0] == second
    assert untouched.asked == []
