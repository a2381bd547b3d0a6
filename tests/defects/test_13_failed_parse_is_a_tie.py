"""Defect 13: a failed parse counted as a tie; "8/10 9/10" fails; any two numbers pass."""

import pytest

from judgesmith.judging.dialect import Dialect, Scale
from judgesmith.judging.forms import Tags
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.parse import parse_reply
from judgesmith.metrics.coverage import coverage
from judgesmith.records import TIE, Finish, Kind, Status
from judgesmith.tasks.bias import TASK

PAIR = TASK.dialects["bias-pair"]
POINTS = Dialect(
    name="points", kind=Kind.SINGLE, system=None, user="{{ responses[0].text }}",
    scale=Scale(low=1, high=10), direction=None, reply=Tags(rationale="why", verdict="score"),
)  # fmt: skip
UNREADABLE = [
    "", "8 9", "8/10 9/10", "I rate them 8 and 9.", "2024 was a good year, and 7 was a number.",
    "Both are the same.", "It is a tie.", "A", "[[A]]", "Response A", "TIE or A",
]  # fmt: skip


@pytest.mark.parametrize("reply", UNREADABLE)
@pytest.mark.parametrize("finish", list(Finish))
def test_what_cannot_be_read_is_never_a_tie(reply: str, finish: Finish) -> None:
    for dialect in (PAIR, POINTS):
        found = parse_reply(dialect, reply, finish)
        assert found.verdict is None
        assert found.status not in (Status.PARSED, Status.ABSTAINED)


@pytest.mark.parametrize("written", ["8/10", "8/10 9/10", "8 9", "8 out of 10", "11", "0"])
def test_a_score_that_is_not_one_number_of_the_scale_is_off_the_scale(written: str) -> None:
    assert parse_reply(POINTS, f"<score>{written}</score>").status is Status.OFF_SCALE


@pytest.mark.parametrize("reply", UNREADABLE[2:])
@pytest.mark.parametrize("name", ["judgelm", "judgelm-reference", "judgelm-grounded"])
def test_marks_in_a_line_that_cannot_be_read_are_no_equal_marks(name: str, reply: str) -> None:
    """JudgeLM reads a failure as -1 and -1, and so as a tie."""
    assert parse_reply(LIBRARY[name], reply).verdict is None


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("8/10 9/10\nwhy", Status.OFF_SCALE),
        ("10 999\nwhy", Status.OFF_SCALE),
        ("-1 -1\nwhy", Status.OFF_SCALE),
        ("8 9 7\nwhy", Status.SEVERAL_VERDICTS),
        ("8\nwhy", Status.NO_VERDICT),
        ("Numbers such as 8 9 pass.\n8 9", Status.NO_VERDICT),
    ],
)
def test_not_any_two_numbers_pass(reply: str, status: Status) -> None:
    assert parse_reply(LIBRARY["judgelm"], reply).status is status


@pytest.mark.parametrize("line", ["8 9", "8, 9", "8,9", " 8 9 ", "8\t9"])
def test_spellings_that_say_the_same_are_read_alike(line: str) -> None:
    """JudgeLM read the first and third of these."""
    found = parse_reply(LIBRARY["judgelm"], f"{line}\nwhy").verdict
    assert found is not None
    assert found.kind == "scores"
    assert found.values == (8.0, 9.0)


def test_a_stated_tie_is_a_tie() -> None:
    found = parse_reply(PAIR, "<reasoning>Both are fair.</reasoning><verdict>tie</verdict>")
    assert found.verdict is not None
    assert found.verdict.kind == "choice"
    assert found.verdict.value == TIE


def test_failed_parses_lower_the_coverage_and_add_no_tie() -> None:
    """Three of eleven replies have a verdict: coverage 3/11, and one tie, not nine."""
    replies = [
        *(f"<reasoning>x</reasoning><verdict>{v}</verdict>" for v in ("A", "B", TIE)),
        *UNREADABLE[:8],
    ]
    verdicts = [parse_reply(PAIR, reply).verdict for reply in replies]
    values = [None if v is None or v.kind != "choice" else v.value for v in verdicts]
    assert values.count(TIE) == 1
    assert coverage(values).value == pytest.approx(3 / 11)
