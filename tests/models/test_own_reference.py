"""A judge that answers the question itself first: asked once, held against every response."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from judgesmith.judging.dialect import Dialect, Scale
from judgesmith.judging.forms import Tags
from judgesmith.models.judge import judge, showings
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import (
    Direction,
    Finish,
    Item,
    Judgment,
    Kind,
    Question,
    Response,
    Status,
)

DIALECT = Dialect(
    name="d", kind=Kind.SINGLE, system=None, scale=Scale(low=0, high=1),
    direction=Direction.WORSE, reply=Tags(rationale="reasoning", verdict="verdict"),
    user="{{ reference }}|{% for response in responses %}{{ response.text }}{% endfor %}",
    reference_user="{{ question }}?",
)  # fmt: skip
ORIGIN = {"source": "t", "licence": "t"}


def asked(text: str, reference: str | None = None) -> Question:
    return Question.make(
        **ORIGIN, group_id="g", template_id=None, category=None, context=None, text=text,
        choices=None, key=None, reference=reference, grounding=None, task={},
    )  # fmt: skip


WHO, WHAT, GIVEN = asked("who"), asked("what"), asked("whose", reference="given")
RESPONSES = {
    (question.id, text): Response.make(
        **ORIGIN, question_id=question.id, model="m", sampling={}, text=text, finish=Finish.STOP,
        task={},
    )
    for question in (WHO, WHAT, GIVEN) for text in ("x", "y", "z")
}  # fmt: skip


def item(question: Question, *texts: str) -> Item:
    return Item.make(
        **ORIGIN, kind=Kind.PAIR, question_id=question.id, bucket="b", subtype=None, split=None,
        response_ids=tuple(RESPONSES[question.id, text].id for text in texts),
    )  # fmt: skip


def completion(text: str, **fields: Any) -> Completion:
    told: dict[str, Any] = {
        "text": text, "finish": Finish.STOP, "prompt_tokens": 10, "completion_tokens": 1,
        "cost_usd": 1.0, **fields,
    }  # fmt: skip
    return Completion(**told)


class Answering:
    """Answers " x " to who and " y " to what; a response that differs from the reference is bad."""

    name = "answering"

    def __init__(self, **answers: Completion) -> None:
        self.answers = {"who?": completion(" x "), "what?": completion(" y "), **answers}
        self.seen = list[str]()

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            prompt = request.messages[0].content
            self.seen.append(prompt)
            if "|" not in prompt:
                assert request.wanted is None
                yield self.answers[prompt]
                continue
            reference, text = prompt.split("|")
            yield completion(
                f"<reasoning>So.</reasoning><verdict>{int(reference != text)}</verdict>",
                prompt_tokens=3, completion_tokens=2, cost_usd=0.25,
            )  # fmt: skip


def judged(model: Any, *items: Item) -> list[tuple[Judgment, Completion]]:
    responses = {response.id: response for response in RESPONSES.values()}
    questions = {question.id: question for question in (WHO, WHAT, GIVEN)}
    shown = showings(items, DIALECT)
    return list(judge(model, shown, questions, responses, dialect=DIALECT, max_tokens=9))


def test_every_response_is_held_against_the_judge_s_one_answer() -> None:
    model = Answering()
    found = judged(model, item(WHO, "x", "y"), item(WHAT, "x", "y"), item(WHO, "y", "z"))
    assert model.seen == ["who?", "what?", "x|x", "x|y", "y|x", "y|y", "x|y", "x|z"]
    assert [judgment.reference for judgment, _ in found] == ["x", "y", "x"]
    scores = [judgment.verdict.values for judgment, _ in found]  # type: ignore[union-attr]
    assert scores == [(0, 1), (1, 0), (1, 1)]


def test_the_answer_is_paid_for_once() -> None:
    """One answer of 10 + 1 tokens and a dollar per question, two replies of 3 + 2 and a quarter."""
    found = judged(Answering(), item(WHO, "x", "y"), item(WHAT, "x", "y"), item(WHO, "y", "z"))
    spent = [(c.calls, c.prompt_tokens, c.completion_tokens, c.cost_usd) for _, c in found]
    assert spent == [(3, 16, 5, 1.5), (3, 16, 5, 1.5), (2, 6, 4, 0.5)]
    assert [len(c.text.splitlines()) for _, c in found] == [2, 2, 2]


def test_a_question_with_a_reference_is_judged_by_that_one() -> None:
    model = Answering()
    ((judgment, reply),) = judged(model, item(GIVEN, "x", "y"))
    assert model.seen == ["given|x", "given|y"]
    assert judgment.reference is None
    assert reply.calls == 2


@pytest.mark.parametrize(
    ("answer", "status", "reply"),
    [
        (completion("", too_long=True), Status.TOO_LONG, None),
        (completion("I cannot.", finish=Finish.REFUSED), Status.REFUSED, "I cannot."),
        (completion("", finish=Finish.FAILED), Status.CALL_FAILED, ""),
        (completion(" \n"), Status.NO_VERDICT, " \n"),
    ],
)
def test_without_an_answer_nothing_is_judged(
    answer: Completion, status: Status, reply: str | None
) -> None:
    model = Answering(**{"who?": answer})
    found = judged(model, item(WHO, "x", "y"), item(WHAT, "x", "y"), item(WHO, "y", "z"))
    assert model.seen == ["who?", "what?", "y|x", "y|y"]
    statuses = [judgment.status for judgment, _ in found]
    assert statuses == [status, Status.PARSED, status]
    assert [judgment.reference for judgment, _ in found] == [None, "y", None]
    assert found[0][0].reply == reply
    assert (found[0][1].calls, found[2][1].calls) == (1, 0)
    assert sum(completion.cost_usd for _, completion in found) == 2.5


def test_an_answer_that_was_cut_is_still_the_judge_s_answer() -> None:
    model = Answering(**{"who?": completion("x and", finish=Finish.LENGTH)})
    ((judgment, _),) = judged(model, item(WHO, "x", "y"))
    assert judgment.reference == "x and"
    assert judgment.status is Status.PARSED
