"""What two orders, or two scores, say together: worked by hand from stated probabilities."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from judgesmith.inference.judge import Judge
from judgesmith.inference.judged import Judged
from judgesmith.inference.rows.writing import as_row
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish, Status
from judgesmith.sources.own_files import as_entry

FIELDS = {"criterion": "Does it say when?", "levels": ["1", "2", "3", "4", "5"]}
PAIR = {"id": "p", "question": "When?", "response_a": "first", "response_b": "second"}
Chances = Mapping[str, float]


class Stating:
    """Replies to prompts in turn with the likeliest of the stated verdicts, or with a text."""

    name = "stating"

    def __init__(
        self, dialect: Dialect, replies: Sequence[Chances | str], covered: float | None = None
    ) -> None:
        self.dialect, self.replies, self.covered = dialect, list(replies), covered

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        words = self.dialect.wording.of
        for reply in (self.replies.pop(0) for _ in requests):
            sure = isinstance(reply, str)
            text = reply if isinstance(reply, str) else self.dialect.write_reply(
                "So.", max(reply, key=lambda value: reply[value])
            )  # fmt: skip
            yield Completion(
                text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1,
                probabilities=None if sure else {words[v]: p for v, p in dict(reply).items()},
                covered=self.covered,
            )  # fmt: skip


def judged(
    name: str, *replies: Chances | str, margin: float | None = None, covered: float | None = None,
    **row: Any,
) -> tuple[Judged, dict[str, Any]]:  # fmt: skip
    """The judged row, and its fields as they are written."""
    dialect = LIBRARY[name]
    judge = Judge("run/student", "v1", dialect, Stating(dialect, replies, covered), 60, margin)
    raw = {"fields": FIELDS, **(row or PAIR)}
    (found,) = judge.judge([as_entry(raw, "rows.jsonl", "rows.jsonl:1", judge.dialect.kind)])
    return found, as_row(found, judge, 1)


def test_two_orders_are_averaged_in_the_letters_of_the_row() -> None:
    """Shown swapped, the second response stands in A: .6 on A is .6 on the row's B."""
    found, row = judged("prometheus-relative", {"A": 0.9, "B": 0.1}, {"A": 0.6, "B": 0.4})
    assert found.distribution == pytest.approx({"A": 0.65, "B": 0.35})
    assert [order.verdict for order in found.orders] == ["A", "B"]
    assert found.orders[1].distribution == pytest.approx({"A": 0.4, "B": 0.6})
    assert (found.verdict, found.flipped) == ("A", True)
    assert found.preference == pytest.approx(0.3)
    assert found.confidence == pytest.approx(0.65)
    assert (row["verdict"], row["consistent"], row["confidence"]) == ("A", False, 0.65)
    assert [order["verdict"] for order in row["orders"]] == ["A", "B"]


def test_a_judge_that_only_follows_the_slot_prefers_nothing() -> None:
    found, _ = judged("prometheus-relative", {"A": 0.9, "B": 0.1}, {"A": 0.9, "B": 0.1})
    assert (found.verdict, found.flipped) == (None, True)  # this scale has no tie
    assert found.preference == pytest.approx(0.0)
    assert found.confidence is None


def test_without_probabilities_nothing_is_sure() -> None:
    said = LIBRARY["prometheus-relative"].write_reply("So.", "A")
    other = LIBRARY["prometheus-relative"].write_reply("So.", "B")
    found, row = judged("prometheus-relative", said, other)
    assert (found.verdict, found.flipped, found.status) == ("A", False, Status.PARSED)
    assert (found.distribution, found.preference, found.confidence) == (None, None, None)
    assert row["distribution"] is None


def test_an_order_that_cannot_be_read_leaves_no_verdict_and_says_why() -> None:
    found, row = judged("prometheus-relative", {"A": 0.9, "B": 0.1}, "I would rather not say.")
    assert (found.verdict, found.flipped, found.parsed) == (None, None, False)
    assert (found.status, found.distribution) == (Status.NO_VERDICT, None)
    assert [order["status"] for order in row["orders"]] == ["parsed", "no_verdict"]


def test_the_least_mass_covered_is_told() -> None:
    found, row = judged("prometheus-relative", {"A": 1.0}, {"B": 1.0}, covered=0.75)
    assert (found.covered, row["covered"]) == (0.75, 0.75)


def test_two_scores_are_expected_scores_and_their_difference_in_scale_widths() -> None:
    """Scale 1 to 5. 4.5 and 2: 2.5 / 4; the second is higher with .5 * .25 = .125, never equal."""
    found, row = judged(
        "prometheus-absolute", {"4": 0.5, "5": 0.5}, {"1": 0.75, "5": 0.25}, margin=0.5
    )
    assert found.scores == pytest.approx((4.5, 2.0))
    assert found.preference == pytest.approx(0.625)
    assert found.distribution == pytest.approx({"A": 0.75, "B": 0.125, "TIE": 0.125})
    assert (found.verdict, found.flipped) == ("A", None)
    assert (row["scores"], row["confidence"], row["consistent"]) == ([4.5, 2.0], 0.75, None)


def test_the_expected_score_of_one_response_does_not_depend_on_where_the_scale_begins() -> None:
    found, row = judged(
        "prometheus-absolute", {"3": 0.4, "4": 0.6}, margin=0.5, id="s", question="When?",
        response="Monday",
    )  # fmt: skip
    assert found.scores == pytest.approx((3.6,))
    assert (found.verdict, found.preference, found.read) == (None, None, None)
    assert (row["score"], row["confidence"]) == (3.6, 0.6)  # a 4 was stated, with .6
    assert found.parsed


def test_rows_are_judged_in_one_call_and_come_back_in_order() -> None:
    dialect = LIBRARY["prometheus-relative"]
    model = Stating(dialect, [{"A": 0.9, "B": 0.1}, {"A": 0.1, "B": 0.9}] * 2)
    judge = Judge("run/student", "v1", dialect, model, 60)
    rows = [{**PAIR, "id": name, "fields": FIELDS} for name in ("x", "y")]
    found = judge.judge([as_entry(row, "r", "r:1") for row in rows])
    assert [one.entry.row.id for one in found] == ["x", "y"]
    assert [one.verdict for one in found] == ["A", "A"]
    assert judge.judge([]) == []


class Halved:
    """A calibration that halves what it is given."""

    id = "halved"

    def confidence(self, judged: Judged) -> float | None:
        return None if judged.confidence is None else judged.confidence / 2


def test_a_calibration_has_the_last_word_on_confidence() -> None:
    dialect = LIBRARY["prometheus-relative"]
    model = Stating(dialect, [{"A": 0.9, "B": 0.1}, {"A": 0.1, "B": 0.9}])
    judge = Judge("run/student", "v1", dialect, model, 60, calibration=Halved())
    (found,) = judge.judge([as_entry({**PAIR, "fields": FIELDS}, "r", "r:1")])
    assert found.confidence == pytest.approx(0.45)
    assert as_row(found, judge, 1)["calibration"] == "halved"
    nothing = replace(found, verdict=None, confidence=None)
    assert as_row(nothing, judge, 1)["calibration"] is None, "there was nothing to calibrate"
    assert found.distribution == pytest.approx({"A": 0.9, "B": 0.1})
