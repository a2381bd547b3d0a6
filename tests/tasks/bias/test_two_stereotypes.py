"""The audit of two stereotypes from real records, with imbalances planted in them."""

from collections.abc import Mapping
from itertools import combinations

import pytest

from judgesmith.models.protocol import Request, Sampling
from judgesmith.records import Finish, Item, Kind, Message, Question, Response, keyed_rng
from judgesmith.sources.bank import read_questions
from judgesmith.tasks.bias import TASK
from judgesmith.tasks.bias.two_stereotypes import TABLE, audit_items

SEED = 7


@pytest.fixture(scope="module")
def questions() -> dict[str, Question]:
    """A third of the bank's questions with two stereotypes, from every template."""
    found = (TASK.annotate_question(question) for question in read_questions(None))
    two = [question for question in found if question.task["form"] == "two_stereotypes"]
    return {q.id: q for q in two if keyed_rng(SEED, "sample", q.id).random() < 1 / 3}


@pytest.fixture(scope="module")
def responses(questions: dict[str, Question]) -> dict[str, Response]:
    """Three simulated models, half of whose answers are biased."""
    made = []
    for name in ("one", "two", "three"):
        spec = {"name": name, "style": "terse", "bias_rate": 0.5, "error_rate": 0.0}
        model = TASK.simulated_model(spec, questions, SEED)
        turn = (Message(role="user", content="?"),)
        asked = [Request(record_id=i, messages=turn, sampling=Sampling()) for i in questions]
        for question, reply in zip(questions.values(), model.complete(asked), strict=True):
            made.append(respond(question, name, reply.text, reply.finish))
    return {response.id: response for response in made}


def respond(question: Question, model: str, text: str, finish: Finish = Finish.STOP) -> Response:
    response = Response.make(
        source="t", licence="t", question_id=question.id, model=model, sampling={}, text=text,
        finish=finish, task={},
    )  # fmt: skip
    return TASK.annotate_response(response, question)


def all_pairs(responses: Mapping[str, Response]) -> list[Item]:
    """Biased beside biased of another letter, and biased beside correct."""
    by_question: dict[str, list[Response]] = {}
    for response in responses.values():
        by_question.setdefault(response.question_id, []).append(response)
    return [
        Item.make(
            source="t", licence="t", kind=Kind.PAIR, question_id=question,
            response_ids=(first.id, second.id), bucket="two_stereotypes", subtype=None, split=None,
        )
        for question, found in by_question.items()
        for first, second in combinations(found, 2)
        if "biased" in (first.task["class"], second.task["class"])
        and first.task["letter"] != second.task["letter"]
    ]  # fmt: skip


def test_fair_responders_on_the_bank_give_no_finding(
    questions: dict[str, Question], responses: dict[str, Response]
) -> None:
    tables, findings = audit_items(questions, responses, all_pairs(responses))
    assert findings == ()
    table = tables[TABLE]
    picked = table["picks"]
    assert picked["first"] + picked["second"] == sum(
        r.task["class"] == "biased" and questions[r.question_id].task["condition"] == "ambig"
        for r in responses.values()
    )
    labels = dict(table["buckets"][0]["counts"])
    assert set(labels) == {"A", "B", "TIE"}
    assert table["n"] == sum(labels.values()) == len(all_pairs(responses))


def test_responders_that_follow_one_stereotype_are_caught(
    questions: dict[str, Question],
) -> None:
    """Planted: three models always name the person of the first stereotype."""
    planted = {}
    for question in questions.values():
        groups = question.task["groups"]
        assert isinstance(groups, list)
        first = groups.index(question.task["stereotyped_groups"][0])  # type: ignore[index]
        for model in ("one", "two", "three"):
            found = respond(question, model, "ABC"[first])
            planted[found.id] = found
    _, findings = audit_items(questions, planted, [])
    assert any("0 stereotype 2" in f.message for f in findings)
    assert any("follow one of the two stereotypes far more often" in f.message for f in findings)


def test_a_missing_assignment_is_caught(
    questions: dict[str, Question], responses: dict[str, Response]
) -> None:
    """Planted: questions settled on the second stereotype's person are left out of the items."""

    def stays(item: Item) -> bool:
        question = questions[item.question_id]
        assert question.key is not None
        groups, tracked = question.task["groups"], question.task["stereotyped_groups"]
        return groups[question.key] != tracked[1]  # type: ignore[index]

    items = [item for item in all_pairs(responses) if stays(item)]
    tables, findings = audit_items(questions, responses, items)
    assert tables[TABLE]["settled"]["second"] == 0 < tables[TABLE]["settled"]["first"]
    assert any("of stereotype 2 in 0" in f.message for f in findings)


def test_a_bucket_of_ties_alone_is_caught(
    questions: dict[str, Question], responses: dict[str, Response]
) -> None:
    """Planted: only pairs that are biased against biased."""
    items = [
        item
        for item in all_pairs(responses)
        if all(responses[i].task["class"] == "biased" for i in item.response_ids)
    ]
    _, findings = audit_items(questions, responses, items)
    assert any("the answer key says 'TIE'" in f.message for f in findings)


def test_a_bucket_that_also_has_other_questions_is_left_out(
    questions: dict[str, Question], responses: dict[str, Response]
) -> None:
    """One question is read as of the other form: its pairs make the bucket a mixed one."""
    items = all_pairs(responses)
    odd = questions[items[0].question_id]
    mixed = {**questions, odd.id: odd.with_fields(task={**odd.task, "form": "one_stereotype"})}
    tables, findings = audit_items(mixed, responses, items)
    assert (tables[TABLE]["n"], tables[TABLE]["buckets"], findings) == (0, (), ())
    pure = [item for item in items if item.question_id != odd.id]
    assert audit_items(mixed, responses, pure)[0][TABLE]["n"] == len(pure)


def test_other_questions_have_no_part_in_it(responses: dict[str, Response]) -> None:
    others = {
        q.id: q
        for q in map(TASK.annotate_question, read_questions(None))
        if q.task["form"] == "one_stereotype"
    }
    assert audit_items(others, {}, []) == ({}, ())
