"""Records followed back to the models that they rest on."""

from typing import Any

import pytest

from judgesmith.audits import ModelTerms, Terms
from judgesmith.audits.licences import conditions_of
from judgesmith.models.origins import Origins, given_behind, judges_behind, people_behind
from judgesmith.records import (
    AnnotatorKind,
    Finish,
    Item,
    Judgment,
    Kind,
    Label,
    Question,
    Response,
    SftRow,
    Split,
    Status,
    choice,
)

FROM = {"source": "test", "licence": "CC-BY-4.0"}
QUESTION = Question.make(
    **FROM, group_id="q", template_id=None, category=None, context=None, text="Who?", choices=None,
    key=None, reference=None, grounding=None, task={},
)  # fmt: skip
MODELS = {
    name: ModelTerms(f"vendor/{name}", Terms(licence=name)) for name in ("g1", "g2", "t1", "t2")
}


def response(model: str) -> Response:
    return Response.make(
        **FROM, question_id=QUESTION.id, model=model, sampling={}, text=model, finish=Finish.STOP,
        task={},
    )  # fmt: skip


RESPONSES = [response("g1"), response("g2")]
ITEM = Item.make(
    **FROM, kind=Kind.PAIR, question_id=QUESTION.id, bucket="b", subtype=None, split=Split.TRAIN,
    response_ids=tuple(one.id for one in RESPONSES),
)  # fmt: skip
ORIGINS = Origins({QUESTION.id: QUESTION}, {one.id: one for one in RESPONSES}, MODELS)


def judgment(judge: str, verdict: str = "A") -> Judgment:
    return Judgment.make(
        **FROM, item_id=ITEM.id, judge=judge, dialect="d", order=(0, 1), sample=0, reply="r",
        rationale="r", verdict=choice(verdict), distribution=None, status=Status.PARSED,
        reference=None,
    )  # fmt: skip


def label(annotator: str, *cited: Judgment, **more: Any) -> Label:
    given = {"policy": "majority", "annotator_kind": AnnotatorKind.MODEL, **more}
    return Label.make(
        **FROM, item_id=ITEM.id, verdict=choice("A"), direction=None, confidence=None,
        judgment_ids=tuple(one.id for one in cited), annotator=annotator, **given,
    )  # fmt: skip


def row(*order: int) -> SftRow:
    return SftRow.make(
        **FROM, item_id=ITEM.id, order=order, split=Split.TRAIN, dialect="d", prompt=(),
        completion="c",
    )  # fmt: skip


def test_who_is_behind_a_label() -> None:
    """t2 was outvoted, but voted. As a check on the primary teacher it decided nothing."""
    one, other, key = judgment("t1"), judgment("t2", "B"), judgment("answer key (p)")
    judged = [key, one, other]
    assert judges_behind(label("t1, t2", one), judged) == ["t1", "t2"]
    assert judges_behind(label("t1", one), judged) == ["t1"]
    by_key = label("answer key", key, policy="p", annotator_kind=AnnotatorKind.KEY)
    assert judges_behind(by_key, judged) == ["answer key (p)"]


def test_a_name_inside_another_is_not_it() -> None:
    judged = [judgment("t1"), judgment("t1-mini")]
    assert judges_behind(label("t1-mini"), judged) == ["t1-mini"]


@pytest.mark.parametrize(
    ("order", "licence"),
    [
        ((0, 1), "CC-BY-4.0; terms of vendor/g1; terms of vendor/g2; terms of vendor/t1"),
        ((1,), "CC-BY-4.0; terms of vendor/g2; terms of vendor/t1"),
        ((), "CC-BY-4.0; terms of vendor/t1"),
    ],
)
def test_a_row_carries_the_terms_of_what_it_shows(order: tuple[int, ...], licence: str) -> None:
    one = judgment("t1")
    (made,) = ORIGINS.licensed([row(*order)], {ITEM.id: ITEM}, {ITEM.id: label("t1", one)}, [one])
    assert made.licence == licence
    assert made.id == row(*order).id


def test_writers_of_rejected_replies_are_named_too() -> None:
    key = judgment("answer key (p)")
    labels = {ITEM.id: label("answer key", key, annotator_kind=AnnotatorKind.KEY)}
    (made,) = ORIGINS.licensed([row()], {ITEM.id: ITEM}, labels, [key], writers=["t2"])
    assert made.licence == "CC-BY-4.0; terms of vendor/t2"


def test_without_models_behind_http_rows_are_the_same_objects() -> None:
    simulated = Origins(ORIGINS.questions, ORIGINS.responses, {})
    one, rows = judgment("t1"), [row(0, 1), row()]
    found = simulated.licensed(rows, {ITEM.id: ITEM}, {ITEM.id: label("t1", one)}, [one])
    assert all(a is b for a, b in zip(found, rows, strict=True))


def test_what_a_person_decided_carries_the_persons_terms() -> None:
    """t1 gave the reason; t2 voted for nothing that was taken. A person may bear a model's name."""
    one, other = judgment("t1"), judgment("t2", "B")
    fields = {"policy": "person", "annotator_kind": AnnotatorKind.PERSON}
    decided = label("t2", one, **fields).with_fields(licence="the user's own")
    assert judges_behind(decided, [one, other]) == ["t1"]
    assert people_behind(decided) == "the user's own"
    assert people_behind(label("t1", one)) is None
    (made,) = ORIGINS.licensed([row(0)], {ITEM.id: ITEM}, {ITEM.id: decided}, [one, other])
    assert made.licence == "CC-BY-4.0; the user's own; terms of vendor/g1; terms of vendor/t1"


def test_judgments_given_elsewhere_bring_their_terms_part_by_part() -> None:
    """What the item's licence names is no part of its own; a preference row names the rest."""
    theirs = judgment("gpt-4 (a set)").with_fields(licence="CC-BY-4.0; CC-BY-NC-4.0; V's terms")
    alone = label("gpt-4 (a set)", theirs, policy="as given")
    given = given_behind(alone, [theirs, judgment("t1")])
    assert given == [("gpt-4 (a set)", theirs.licence)]
    parts = ORIGINS.parts(ITEM, (), given=given)
    assert [part.title for part in parts] == [
        "questions: CC-BY-4.0",
        "judgments by gpt-4 (a set): CC-BY-NC-4.0",
        "judgments by gpt-4 (a set): V's terms",
    ]
    assert conditions_of(parts) == ("name the source and its licence", "no commercial use")
    (made,) = ORIGINS.licensed([row()], {ITEM.id: ITEM}, {ITEM.id: alone}, [theirs])
    assert made.licence == "CC-BY-4.0; CC-BY-NC-4.0; V's terms"
