import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.audits import (
    LeakItem,
    LeakLevel,
    LeakReport,
    Severity,
    SplitLevel,
    clear_training,
    leak_audit,
    leak_findings,
)
from judgesmith.audits.leak import normalise
from judgesmith.errors import DataError, RecipeError

TALL = "Nothing in the text says which of the two men is taller so I cannot tell."
TALL_EDITED = "Nothing in the text says which of the two men is taller so I cannot know."
OTHER = "It was Maria who left the room before the meeting had come to its end."

TRAIN = [
    LeakItem("t1", "q1", "p1", (TALL, "B")),
    LeakItem("t2", "q1", "p1", (OTHER, "C")),
    LeakItem("t3", "q2", "p2", ("The answer is surely option A.", "B")),
]


def counts(report: LeakReport) -> dict[str, int]:
    return {share.level.value: share.count for share in report.shares if share.count}


def audit(*evaluation: LeakItem) -> LeakReport:
    return leak_audit(TRAIN, evaluation)


def test_a_clean_split_shares_nothing() -> None:
    report = audit(LeakItem("e1", "q9", "p9", ("Nobody knows who was late.", "Not given")))
    assert counts(report) == {}
    assert all((share.of, share.unchecked) == (1, 0) for share in report.shares)
    assert leak_findings(report, "question") == ()
    assert leak_findings(report, "template") == ()


def test_shared_question_with_new_responses() -> None:
    report = audit(LeakItem("e1", "q1", "p1", ("Fresh words were written.", "New")))
    assert counts(report) == {"template": 1, "question": 1}


def test_one_shared_response_text_after_folding_case_and_space() -> None:
    report = audit(LeakItem("e1", "q1", "p1", ("  " + TALL.upper().replace(" ", "\n"), "New")))
    assert counts(report) == {"template": 1, "question": 1, "response": 1}
    assert report.share(LeakLevel.RESPONSE).examples == (("e1", "t1"),)


def test_both_responses_may_come_from_two_training_items() -> None:
    report = audit(LeakItem("e1", "q1", "p1", (TALL, OTHER)))
    assert counts(report)["every_response"] == 1


def test_an_item_of_one_response_has_no_both() -> None:
    assert counts(audit(LeakItem("e1", "q1", "p1", (TALL,)))) == {
        "template": 1,
        "question": 1,
        "response": 1,
    }


def test_near_duplicate_under_the_same_question() -> None:
    """16 words, 14 triples; the last word changes one: 13 common of 15, 0.87 >= 0.8."""
    report = audit(LeakItem("e1", "q1", "p1", (TALL_EDITED, "New")))
    assert counts(report) == {"template": 1, "question": 1, "near_duplicate": 1}
    assert report.share(LeakLevel.NEAR_DUPLICATE).examples == (("e1", "t1"),)
    strict = leak_audit(
        TRAIN, [LeakItem("e1", "q1", "p1", (TALL_EDITED,))], near_duplicate_threshold=0.9
    )
    assert "near_duplicate" not in counts(strict)


def test_texts_under_another_question_are_told_apart_by_length_and_likeness() -> None:
    report = audit(
        LeakItem("long", "q8", "p8", (TALL, "x")),
        LeakItem("short", "q8", "p8", ("b", "y")),
        LeakItem("near", "q8", "p8", (TALL_EDITED, "z")),
    )
    assert counts(report) == {
        "response_other_question": 1,
        "short_response_other_question": 1,
        "near_duplicate_other_question": 1,
    }
    found = leak_findings(report, "question")
    assert {f.severity for f in found} == {Severity.INFO}
    assert report.share(LeakLevel.OTHER_QUESTION).examples == (("long", "t1"),)


def test_a_short_text_under_the_same_question_is_a_leak() -> None:
    report = audit(LeakItem("e1", "q1", "p1", ("b", "New")))
    assert counts(report)["response"] == 1


def test_one_text_can_be_near_under_its_own_and_under_another_question() -> None:
    train = [LeakItem("t1", "q1", "p", (TALL,)), LeakItem("t2", "q2", "p", (TALL,))]
    held_out = [
        LeakItem("e1", "q1", "p", (TALL_EDITED,)),
        LeakItem("e2", "q2", "p", (TALL_EDITED,)),
        LeakItem("e3", "q3", "p", (TALL_EDITED,)),
    ]
    report = leak_audit(train, held_out)
    assert report.share(LeakLevel.NEAR_DUPLICATE).examples == (("e1", "t1"), ("e2", "t2"))
    assert report.share(LeakLevel.OTHER_QUESTION_NEAR).examples == (
        ("e1", "t2"),
        ("e2", "t1"),
        ("e3", "t1"),
    )


@pytest.mark.parametrize(
    ("split", "template"), [("question", Severity.WARNING), ("template", Severity.ERROR)]
)
def test_severity_depends_on_the_split_level(split: str, template: Severity) -> None:
    report = audit(
        LeakItem("e1", "q1", "p1", (TALL, OTHER)), LeakItem("e2", "q7", "p2", ("Something.",))
    )
    found = {f.message.split("items ")[1]: f for f in leak_findings(report, split)}
    shared = found["share their template with training"]
    assert (shared.severity, shared.count, shared.of) == (template, 2, 2)
    question = found["share their question with training"]
    assert (question.severity, question.count, question.of) == (Severity.ERROR, 1, 2)
    assert question.examples == ("e1 ~ t1",)
    assert "1 of 3 remain" in question.remedy
    assert sum(f.severity is Severity.ERROR for f in found.values()) == (
        4 if split == "template" else 3
    )


def test_an_unknown_split_level_is_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean 'question'"):
        leak_findings(audit(), "questions")


def test_items_without_template_are_not_counted_as_clear() -> None:
    held_out = [LeakItem("e1", "q9", None, ("a",)), LeakItem("e2", "q9", "p9", ("a",))]
    train = [replace(TRAIN[0], template_id=None), *TRAIN[1:]]
    report = leak_audit(train, held_out)
    share = report.share(LeakLevel.TEMPLATE)
    assert (share.count, share.of, share.unchecked) == (0, 1, 1)
    assert [f.severity for f in leak_findings(report, "question")] == [Severity.INFO] * 2
    found = leak_findings(report, "template")
    assert [(f.severity, f.count, f.of) for f in found] == [
        (Severity.ERROR, 1, 3),
        (Severity.ERROR, 1, 2),
    ]


@pytest.mark.parametrize(("train", "held_out"), [([], TRAIN), (TRAIN, []), ([], [])])
def test_an_empty_side_says_that_nothing_was_checked(
    train: list[LeakItem], held_out: list[LeakItem]
) -> None:
    found = leak_findings(leak_audit(train, held_out), "question")
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 0, 0)]
    assert "nothing was checked" in found[0].message


def test_clear_training_drops_by_question_or_by_template() -> None:
    held_out = [LeakItem("e1", "q1", "p2", ())]
    more = LeakItem("t4", "q4", "p4", ())
    bare = LeakItem("t5", "q5", None, ())
    train = [*TRAIN, more, bare]
    assert clear_training(train, held_out, level=SplitLevel.QUESTION) == (TRAIN[2], more, bare)
    assert clear_training(train, held_out, level=SplitLevel.TEMPLATE) == (more,)
    assert leak_audit(train, held_out).train_left == {"question": 3, "template": 1}


def test_bad_items_are_refused() -> None:
    with pytest.raises(DataError, match="group_id=''"):
        LeakItem("e1", "", "p1", ())
    with pytest.raises(DataError, match="expected 2 different evaluation item ids, found 1"):
        audit(*[LeakItem("e1", "q1", "p1", ())] * 2)


def test_the_report_is_json() -> None:
    stored = json.loads(json.dumps(audit(LeakItem("e1", "q1", "p1", (TALL,))).to_dict()))
    assert stored["n_train"] == 3
    assert stored["shares"][1] == {
        "level": "question",
        "count": 1,
        "of": 1,
        "unchecked": 0,
        "examples": [["e1", "t1"]],
    }
    assert stored["train_left"] == {"question": 1, "template": 1}


WORD = st.sampled_from(["a", "b", "c", "yes", "No"])
ITEMS = st.lists(
    st.tuples(
        st.sampled_from(["q1", "q2", "q3"]),
        st.sampled_from(["p1", "p2", None]),
        st.lists(st.lists(WORD, max_size=8).map(" ".join), max_size=3).map(tuple),
    ),
    max_size=6,
)


@given(ITEMS, ITEMS)
def test_every_count_agrees_with_a_comparison_of_all_pairs(train: list, held_out: list) -> None:
    left = [LeakItem(f"t{i}", *parts) for i, parts in enumerate(train)]
    right = [LeakItem(f"e{i}", *parts) for i, parts in enumerate(held_out)]
    report = leak_audit(left, right)
    for level, shares in {
        LeakLevel.QUESTION: lambda e, t: e.group_id == t.group_id,
        LeakLevel.TEMPLATE: lambda e, t: e.template_id == t.template_id is not None,
        LeakLevel.RESPONSE: lambda e, t: e.group_id == t.group_id and same_texts(e, t),
        LeakLevel.OTHER_QUESTION: lambda e, t: (
            e.group_id != t.group_id and any(len(text.split()) >= 5 for text in same_texts(e, t))
        ),
        LeakLevel.OTHER_QUESTION_SHORT: lambda e, t: (
            e.group_id != t.group_id and any(len(text.split()) < 5 for text in same_texts(e, t))
        ),
    }.items():
        assert report.share(level).count == sum(any(shares(e, t) for t in left) for e in right)
    clear = clear_training(left, right, level=SplitLevel.TEMPLATE)
    assert counts(leak_audit(clear, right)).keys() <= {
        "response_other_question",
        "short_response_other_question",
        "near_duplicate_other_question",
    }


def same_texts(left: LeakItem, right: LeakItem) -> set[str]:
    return {normalise(text) for text in left.texts} & {normalise(text) for text in right.texts}
