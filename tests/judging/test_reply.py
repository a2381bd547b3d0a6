"""A judgment's reply in the dialect that a student is to learn."""

from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.reading import criteria_scores, scores_of
from judgesmith.judging.reply import can_be_said, fits, reply_in, verdict_text
from judgesmith.records import Judgment, Ranking, Status, Verdict, choice
from judgesmith.tasks.bias.dialects import DIALECTS

TWO = scores_of([8.5, 9.0])
EACH = criteria_scores({"clarity": (4.0,), "depth": (1.0,)})


def judged(verdict: Verdict | None, **changes: Any) -> Judgment:
    fields: dict[str, Any] = {
        "source": "t", "licence": "n", "item_id": "i", "judge": "j", "dialect": "another",
        "order": (0, 1), "sample": 0, "reply": "x", "rationale": "So.", "distribution": None,
        "verdict": verdict, "status": Status.PARSED, "reference": None,
    }  # fmt: skip
    return Judgment.make(**{**fields, **changes})


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("judgelm", TWO), ("judgelm-reference", TWO), ("judgelm-list", TWO),
        ("judgelm-list", scores_of([1.0, 2.0, 3.0])), ("judgelm-single", scores_of([9.5])),
        ("prometheus-absolute", scores_of([4.0])), ("prometheus-relative", choice("A")),
        ("criteria", EACH), ("prometheus-absolute", choice("4")),
    ],
)  # fmt: skip
def test_a_verdict_that_fits_is_written_again(name: str, verdict: Verdict) -> None:
    dialect = LIBRARY[name]
    assert fits(dialect, verdict)
    reply = reply_in(dialect, judged(verdict))
    assert reply is not None
    found = parse_reply(dialect, reply)
    assert found.rationale == "So."
    assert found.verdict == (scores_of([4.0]) if verdict == choice("4") else verdict)
    assert reply_in(dialect, judged(verdict, dialect=dialect.hash)) == "x"


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("judgelm-single", TWO), ("prometheus-relative", TWO), ("judgelm", EACH),
        ("judgelm", scores_of([1.0, 2.0, 3.0])), ("criteria", TWO),
        ("judgelm", scores_of([1.0, 11.0])),
        ("judgelm", Ranking(kind="ranking", groups=((0,), (1,)))),
    ],
)  # fmt: skip
def test_several_scores_where_there_is_no_place_for_them_are_no_reply(
    name: str, verdict: Verdict
) -> None:
    assert not fits(LIBRARY[name], verdict)
    assert reply_in(LIBRARY[name], judged(verdict)) is None


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("prometheus-relative", choice("TIE")), ("prometheus-absolute", choice("A")),
        ("prometheus-absolute", scores_of([4.5])), ("judgelm", scores_of([4.0])),
        ("judgelm", choice("4")),
    ],
)  # fmt: skip
def test_a_verdict_off_the_scale_is_refused(name: str, verdict: Verdict) -> None:
    with pytest.raises(DataError, match=f"item i: expected a verdict among .*'{name}'"):
        reply_in(LIBRARY[name], judged(verdict))


def test_criteria_must_be_those_of_the_dialect() -> None:
    own = LIBRARY["criteria"].model_copy(update={"criteria": ("clarity",)})
    assert not fits(own, EACH)
    assert fits(own, criteria_scores({"clarity": (4.0,)}))


def test_a_verdict_as_text() -> None:
    assert [verdict_text(one) for one in (choice("A"), scores_of([4.5]), TWO, EACH, None)] == [
        "A", "4.5", None, None, None,
    ]  # fmt: skip


def test_nothing_to_learn_from() -> None:
    for lacking in ({"reply": None}, {"rationale": None}):
        assert reply_in(DIALECTS["bias-pair"], judged(choice("A"), **lacking)) is None
    assert reply_in(DIALECTS["bias-pair"], judged(None)) is None


ALONE = Dialect(
    name="alone", kind="pair", user="", scale=["A", "B"], direction="better", reply="{verdict}"
)
POINT = Dialect(
    name="point", kind="single", user="", scale={"low": 1, "high": 9}, direction="better",
    reply="{score}.{rationale}",
)  # fmt: skip


def test_a_dialect_without_a_rationale_leaves_it_out() -> None:
    """A verdict is learnt alone, whether its judgment has a reason or not."""
    assert reply_in(ALONE, judged(choice("B"))) == "B"
    assert reply_in(ALONE, judged(choice("B"), rationale=None)) == "B"
    assert reply_in(ALONE, judged(choice("B"), rationale=None, dialect=ALONE.hash)) == "x"
    bare: dict[str, Any] = {"rationale": None, "reply": None}
    assert reply_in(ALONE, judged(choice("B"), **bare)) == "B"
    assert reply_in(ALONE, judged(choice("B"), **bare, dialect=ALONE.hash)) == "B"
    assert reply_in(ALONE, judged(None, **bare)) is None
    assert can_be_said(ALONE, judged(choice("B")))


@pytest.mark.parametrize(
    ("dialect", "verdict", "rationale"),
    [
        (LIBRARY["prometheus-relative"], choice("A"), "It says [RESULT] B."),
        (DIALECTS["bias-pair"], choice("A"), "It says </reasoning>."),
        # No marker of the dialect, and yet the reply would be read as 4.5.
        (POINT, scores_of([4.0]), "5 dates are right."),
    ],
)
def test_a_rationale_that_no_reply_can_hold_is_no_row_and_no_error(
    dialect: Dialect, verdict: Verdict, rationale: str
) -> None:
    assert reply_in(dialect, judged(verdict, rationale=rationale)) is None
    assert not can_be_said(dialect, judged(verdict, rationale=rationale))
    assert can_be_said(dialect, judged(verdict))
    # As its own judge said it, it was read: nothing is written again.
    assert can_be_said(dialect, judged(verdict, rationale=rationale, dialect=dialect.hash))
    assert can_be_said(dialect, judged(verdict, rationale=rationale, reply=None))
