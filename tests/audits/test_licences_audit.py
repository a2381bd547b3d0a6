"""Terms of parts, what they allow together, and what the audit says of it."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from judgesmith.audits import (
    Carried,
    Finding,
    ModelTerms,
    Part,
    Severity,
    Terms,
    licence_findings,
    licence_table,
    row_licence,
    terms_of,
)
from judgesmith.audits.licences import NOT_STATED, May, stated, strictest

OPEN = ModelTerms("meta/open-8b", Terms(licence="Open licence", publish=True, train=True,
                                        conditions=("name begins with Open",)))  # fmt: skip
CLOSED = ModelTerms("vendor/closed-1", Terms(licence="Vendor terms", publish=True, train=False))
UNSAID = ModelTerms("who/knows", NOT_STATED)
MODELS = {"open": OPEN, "closed": CLOSED, "unsaid": UNSAID}


def parts(*teachers: str, question: str = "CC-BY-4.0", by: str = "sim") -> tuple[Part, ...]:
    return terms_of(question, [(question, by)], teachers=teachers, models=MODELS)


def audited(training: dict[str, list[tuple[Part, ...]]]) -> dict[Severity, list[Finding]]:
    outputs = {
        name: [Carried(f"{name}{i}", one) for i, one in enumerate(rows)]
        for name, rows in training.items()
    }
    found = licence_findings(licence_table(outputs, training=["sft", "dpo"]))
    return {severity: [f for f in found if f.severity is severity] for severity in Severity}


@pytest.mark.parametrize(
    ("written", "read"),
    [(True, May.YES), (False, May.NO), ("yes", May.YES), ("no", May.NO), ("unknown", May.UNKNOWN)],
)
def test_yaml_reads_yes_as_true(written: object, read: May) -> None:
    assert Terms.model_validate({"licence": "x", "train": written}).train is read


@pytest.mark.parametrize("written", [1, 0, "perhaps", None, []])
def test_other_answers_are_refused(written: Any) -> None:
    with pytest.raises(ValidationError, match="train"):
        Terms(licence="x", train=written)


@pytest.mark.parametrize(
    ("licence", "publish"),
    [
        ("CC-BY-4.0", May.YES), ("mit", May.YES), ("Apache-2.0; CC-BY-NC-4.0", May.YES),
        ("CC-BY-4.0 with the terms of OpenAI attached", May.UNKNOWN), ("", May.UNKNOWN),
        ("CC-BY-ND-4.0", May.UNKNOWN), ("MIT; internal", May.UNKNOWN),
    ],
)  # fmt: skip
def test_only_whole_names_of_common_licences_are_known(licence: str, publish: May) -> None:
    assert (stated(licence).publish, stated(licence).train) == (publish, publish)


def test_conditions_of_several_licences_are_each_kept() -> None:
    assert "no commercial use" in stated("MIT; CC-BY-NC-4.0").conditions
    assert stated("MIT; MIT").conditions == stated("MIT").conditions


@given(st.lists(st.sampled_from(May), max_size=5))
def test_the_strictest_answer_holds_in_any_order(answers: list[May]) -> None:
    wanted = May.NO if May.NO in answers else May.UNKNOWN if May.UNKNOWN in answers else May.YES
    assert {strictest(order) for order in permutations(answers)} == {wanted}


def test_simulated_and_key_add_nothing_and_models_add_their_terms() -> None:
    """The response of `open` came with the question's licence; the other one with its own."""
    own = terms_of("MIT", [("MIT", "sim-terse")], teachers=["answer key (p)"], models=MODELS)
    assert [part.title for part in own] == ["questions: MIT"]
    all_kinds = terms_of(
        "MIT", [("MIT", "open"), ("theirs", "a log's model")], teachers=["closed", "closed"],
        people="the user's own", models=MODELS,
    )  # fmt: skip
    assert [part.title for part in all_kinds] == [
        "questions: MIT", "responses: theirs", "people: the user's own",
        "generator open (meta/open-8b): Open licence",
        "teacher closed (vendor/closed-1): Vendor terms",
    ]  # fmt: skip


def test_a_row_names_its_models_once_and_stays_as_it_is_without() -> None:
    assert row_licence("MIT; x", parts()) == "MIT; x"
    both = terms_of("MIT", [("MIT", "open")], teachers=["open", "closed"], models=MODELS)
    assert row_licence("MIT", both) == "MIT; terms of meta/open-8b; terms of vendor/closed-1"


def test_counts_by_hand() -> None:
    """Three rows: two by the open teacher, one by the one that says nothing."""
    rows = [Carried("a", parts("open")), Carried("b", parts("unsaid")), Carried("c", parts("open"))]
    (output,) = licence_table({"sft": rows, "dpo": []}, training=["sft"]).outputs
    assert [(one.n, one.examples) for one in output.sets] == [(2, ("a", "c")), (1, ("b",))]
    assert [output.publish(answer) for answer in May] == [2, 0, 1]
    assert [output.train(answer) for answer in May] == [2, 0, 1]


def test_terms_against_training_are_an_error_where_a_student_learns() -> None:
    """2 of 3 supervised rows and the only preference row rest on `closed`; labels are no rows."""
    closed = parts("closed")
    found = audited({"labels": [closed], "sft": [closed, parts("open"), closed], "dpo": [closed]})
    assert [(f.count, f.of, f.examples) for f in found[Severity.ERROR]] == [
        (2, 3, ("sft0", "sft2")), (1, 1, ("dpo0",)),
    ]  # fmt: skip
    assert "teacher closed (vendor/closed-1)" in found[Severity.ERROR][0].message
    assert "models.closed.terms" in found[Severity.ERROR][0].remedy
    assert found[Severity.WARNING] == []
    assert audited({"labels": [closed]})[Severity.ERROR] == []


def test_terms_that_nobody_stated_are_one_warning_a_model() -> None:
    """`unsaid` wrote one response and labelled two rows: 3 of 5 records, one warning."""
    found = audited(
        {
            "responses": [parts(by="unsaid"), parts(by="sim")],
            "sft": [parts("unsaid"), parts("unsaid"), parts("open")],
        }
    )
    (warning,) = found[Severity.WARNING]
    assert (warning.count, warning.of) == (3, 5)
    assert "publish its outputs and train other models on them" in warning.message
    assert found[Severity.ERROR] == []


def test_a_source_whose_licence_is_not_known_is_a_figure_to_know() -> None:
    found = audited({"sft": [parts(question="internal"), parts()]})
    assert found[Severity.WARNING] == found[Severity.ERROR] == []
    published, source, card = found[Severity.INFO]
    assert (published.count, published.of, published.examples) == (1, 2, ("sft0",))
    assert "sft 1 of 2 (1 unknown)" in published.message
    assert (source.count, source.of) == (1, 2)
    assert "'internal'" in source.message
    assert "questions: CC-BY-4.0; questions: internal. Conditions: name" in card.message


def test_the_card_names_every_part_and_condition_of_what_trains() -> None:
    found = audited({"labels": [parts("closed")], "sft": [parts("open")]})
    card = found[Severity.INFO][-1]
    assert "teacher open (meta/open-8b): Open licence" in card.message
    assert "name begins with Open" in card.message
    assert "closed" not in card.message
    assert not any("card" in f.message for f in audited({"labels": [parts()]})[Severity.INFO])


def test_nothing_made_says_nothing() -> None:
    assert licence_findings(licence_table({"sft": []})) == ()
