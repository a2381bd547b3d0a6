"""Dialects: what is refused before a judge is asked, and what makes two of them different."""

from typing import Any

import pytest
from pydantic import ValidationError

from judgesmith.judging.dialect import PAIR_SCALE, Dialect, Scale
from judgesmith.judging.forms import Tags
from judgesmith.records import Direction, Kind

FIELDS: dict[str, Any] = {
    "name": "d", "kind": Kind.PAIR, "system": "s", "user": "{{ question }}", "scale": PAIR_SCALE,
    "direction": Direction.WORSE, "reply": Tags(rationale="reasoning", verdict="verdict"),
}  # fmt: skip


def dialect(**changes: Any) -> Dialect:
    return Dialect(**{**FIELDS, **changes})


OTHER: dict[str, Any] = {
    "name": "e", "kind": Kind.SINGLE, "system": None, "user": "{{ context }}",
    "scale": Scale(choices=("A", "B")), "direction": Direction.BETTER,
    "reply": Tags(rationale="why", verdict="answer"), "reference_user": "{{ question }}",
    "say": {"A": "first"}, "system_role": False,
}  # fmt: skip


@pytest.mark.parametrize("field", sorted(OTHER))
def test_the_hash_follows_every_field(field: str) -> None:
    assert dialect(**{field: OTHER[field]}).hash != dialect().hash
    assert dialect().hash == dialect().hash


def test_every_field_that_can_change_is_tried() -> None:
    other = {"reply_form", "examples", "criteria"}  # the first two change nothing, for the last see
    assert set(OTHER) == set(Dialect.model_fields) - other  # test_criteria_are_part_of_the_hash


@pytest.mark.parametrize(
    ("kind", "scale", "alone"),
    [
        (Kind.SINGLE, Scale(low=1, high=5), True),
        (Kind.SINGLE, Scale(choices=("bad", "good")), False),
        (Kind.PAIR, Scale(low=1, high=10), False),
        (Kind.PAIR, PAIR_SCALE, False),
    ],
)
def test_only_a_judge_that_scores_one_response_scores_alone(
    kind: Kind, scale: Scale, alone: bool
) -> None:
    assert dialect(kind=kind, scale=scale).scores_alone is alone


def test_the_rubric_is_the_system_text_without_the_form_of_the_reply() -> None:
    """Naming the form changes nothing that is asked or read, so the hash stays."""
    whole = "Say which is worse.\n\nReply in tags: <verdict>A</verdict>"
    told = dialect(system=whole, reply_form="Reply in tags: <verdict>A</verdict>")
    assert told.rubric == "Say which is worse."
    assert told.system == whole
    assert told.hash == dialect(system=whole).hash
    assert dialect(system=whole).rubric == whole
    assert dialect(system=None).rubric is None
    assert dialect(system="Reply.", reply_form="Reply.").rubric is None


@pytest.mark.parametrize("changes", [{"system": None}, {"system": "In tags, then stop."}, {}])
def test_a_form_of_the_reply_that_is_not_the_end_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="expected `system` to end in `reply_form`, 'In tags"):
        dialect(reply_form="In tags", **changes)


def test_the_order_of_choices_is_part_of_the_hash() -> None:
    assert dialect(scale=Scale(choices=("A", "TIE", "B"))).hash != dialect().hash


@pytest.mark.parametrize(
    "scale",
    [
        {},
        {"low": 1},
        {"low": 5, "high": 5},
        {"low": 5, "high": 1},
        {"choices": ("A", "B"), "low": 1, "high": 5},
        {"choices": ("A", "B"), "low": 1},
        {"choices": ()},
        {"choices": ("A",)},
        {"choices": ("A", "A")},
        {"choices": ("tie", "TIE")},
        {"choices": ("A", "")},
        {"choices": ("A", " B")},
        {"choices": ("A", "<b>")},
    ],
)
def test_a_scale_that_could_not_be_read_back_is_refused(scale: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Scale(**scale)


def test_a_scale_lists_its_verdicts() -> None:
    assert Scale(low=-1, high=2).values == ("-1", "0", "1", "2")
    assert (PAIR_SCALE.has_tie, Scale(choices=("A", "B")).has_tie) == (True, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"reply": {"kind": "tags", "rationale": "verdict"}},
        {"reply": {"kind": "tags", "verdict": ""}},
        {"reply": {"kind": "tags", "verdict": "a b"}},
        {"reply": {"kind": "tags", "verdict": "</x>"}},
    ],
)
def test_a_dialect_that_could_not_be_read_back_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        dialect(**changes)


@pytest.mark.parametrize("tag", ["<reasoning>", "</reasoning>", "<verdict>", "</verdict>"])
def test_a_reply_with_an_ambiguous_rationale_is_not_written(tag: str) -> None:
    with pytest.raises(ValueError, match="may not hold the tag"):
        dialect().write_reply(f"It says {tag} there.", "A")


@pytest.mark.parametrize("verdict", ["C", "a", "", "A ", "tie"])
def test_a_reply_with_a_verdict_off_the_scale_is_not_written(verdict: str) -> None:
    with pytest.raises(ValueError, match="expected a verdict among"):
        dialect().write_reply("why", verdict)
