"""The teacher against people: numbers worked by hand, and the conflict that they show."""

from typing import Any

import orjson
import pytest

from judgesmith.audits import Finding, Severity
from judgesmith.evaluation.cross_check import ALL
from judgesmith.evaluation.judges import Read
from judgesmith.evaluation.scoring import Plan
from judgesmith.evaluation.teacher_check import AgainstPeople, against_people
from judgesmith.evaluation.teacher_reading import Teacher
from judgesmith.records import TIE, Item, Kind, Question

PLAN = Plan(
    seed=5, resamples=300, slice_resamples=300, confidence=0.95, least=20, scale=("A", "B", TIE)
)
Row = tuple[str, str | None, str | None]
"""Bucket, what the teacher says, what people say; None is unread, or not judged."""

EASY: list[Row] = [
    *[("easy", "A", "A")] * 9, ("easy", None, "A"), *[("easy", "B", "B")] * 9, ("easy", None, "B"),
]  # fmt: skip
HARD: list[Row] = [
    *[("hard", "A", TIE)] * 12, *[("hard", TIE, TIE)] * 3, *[("hard", "A", "A")] * 5,
]  # fmt: skip


def checked(
    rows: list[Row], *, per_group: int = 1
) -> tuple[dict[str, dict[str, Any]], AgainstPeople]:
    items, questions, reads, people = [], {}, {}, {}
    for n, (bucket, said, person) in enumerate(rows):
        question = Question.make(
            source="test", licence="none", group_id=f"g{n // per_group}", template_id=None,
            category=None, context=None, text=f"question {n}", choices=None, key=None,
            reference=None, grounding=None, task={},
        )  # fmt: skip
        item = Item.make(
            source="test", licence="none", kind=Kind.PAIR, question_id=question.id,
            response_ids=(f"{n}a", f"{n}b"), bucket=bucket, subtype=None, split=None,
        )  # fmt: skip
        questions[question.id] = question
        items.append(item)
        reads[item.id] = Read("A", "B", None) if said == "torn" else Read(said, said, said)
        if person is not None:
            people[item.id] = person
    teacher = Teacher("big", "teacher", False, "", reads)
    found = against_people(items, teacher, people, questions=questions, plan=PLAN)
    assert orjson.loads(orjson.dumps(found.rows)) == found.rows
    return {row["bucket"]: row for row in found.rows}, found


def conflicts(found: AgainstPeople) -> list[Finding]:
    return [one for one in found.findings if one.audit == "rubric"]


def test_counts_and_kappas_by_hand() -> None:
    """An unread verdict is wrong, and a label of its own.

    easy: 18 of 20 agree; the teacher says A 9, B 9, unread 2, people A 10, B 10: by chance
    (9*10 + 9*10)/400 = .45, so (.9 - .45)/.55 = .818182.
    hard: 8 of 20; A 17 and TIE 3 against A 5 and TIE 15: (17*5 + 3*15)/400 = .325, so .111111.
    All: 26 of 40; (26*15 + 9*10 + 3*15)/1600 = .328125, so .321875/.671875 = .479070.
    """
    rows, _ = checked([*EASY, *HARD, ("easy", "A", None)])
    assert list(rows) == [ALL, "easy", "hard"]
    assert [(r["items"], r["with a verdict"], r["agree"]) for r in rows.values()] == [
        (40, 38, 26), (20, 18, 18), (20, 20, 8),
    ]  # fmt: skip
    kappas = [row["kappa"]["value"] for row in rows.values()]
    assert kappas == [pytest.approx(k, abs=1e-6) for k in (0.479070, 0.818182, 0.111111)]
    for row in rows.values():
        assert row["kappa"]["low"] < row["kappa"]["value"] < row["kappa"]["high"]
        assert (row["teacher"], row["kappa"]["hidden"]) == ("big", None)


def test_a_conflict_in_one_bucket_is_found() -> None:
    """12 of 20 against 0 of 18, all 12 one way: 2 * .5**12 = .0005. 8 of 20 could be half: warning.

    With 25 more of the kind, agreement is 8 of 45, whose interval ends below one half: an error.
    """
    _, few = checked([*EASY, *HARD])
    (found,) = conflicts(few)
    assert (found.severity, found.count, found.of) == (Severity.WARNING, 12, 20)
    assert "hard" in found.message
    _, many = checked([*EASY, *HARD, *[("hard", "A", TIE)] * 25])
    (worse,) = conflicts(many)
    assert (worse.severity, worse.count, worse.of) == (Severity.ERROR, 37, 45)


def test_noise_is_no_conflict() -> None:
    """As many errors one way as the other, in both buckets."""
    noisy: list[Row] = [
        row
        for bucket in ("easy", "hard")
        for row in (
            *[(bucket, "A", "A")] * 16, *[(bucket, TIE, TIE)] * 16,
            *[(bucket, "A", TIE)] * 4, *[(bucket, TIE, "A")] * 4,
        )
    ]  # fmt: skip
    assert conflicts(checked(noisy)[1]) == []


def test_what_must_not_be_shown_says_why() -> None:
    """19 items are too few; 24 of 25 with one label leave kappa to the last one."""
    rows, _ = checked([*EASY[:19], *[("one label", TIE, TIE)] * 24, ("one label", "A", "A")])
    assert "only 19 labels" in rows["easy"]["kappa"]["hidden"]
    assert "more than 90%" in rows["one label"]["kappa"]["hidden"]
    assert rows[ALL]["kappa"]["hidden"] is None


def test_a_teacher_that_was_never_read() -> None:
    """Nothing to look for a conflict in; kappa is not above 0."""
    rows, findings = checked([("easy", None, said) for _, _, said in EASY])
    assert (findings.fatal, conflicts(findings)) == ([], [])
    assert (rows[ALL]["with a verdict"], rows[ALL]["agree"]) == (0, 0)
    value = rows[ALL]["kappa"]["value"]
    assert value is None or value <= 0


def test_a_teacher_that_is_wrong_on_everything_stops_the_stage() -> None:
    """40 opposite letters in one bucket: 0 of 40, Wilson's upper end 3.84/43.84 = .09."""
    opposite: list[Row] = [("clear", a, b) for a, b in ("AB", "BA") for _ in range(20)]
    rows, found = checked(opposite)
    assert rows[ALL]["agree"] == 0
    (fatal,) = found.fatal
    assert (fatal.severity, fatal.count, fatal.of) == (Severity.ERROR, 40, 40)
    assert "0 of 40" in fatal.message
    assert "direction" in fatal.remedy


def test_a_turned_direction_is_seen_behind_ties() -> None:
    """60 ties that agree and 40 opposite letters: agreement .6 and kappa above 0, yet fatal.

    Kappa: (.6 - (.36 + 2*.2*.2)) / (1 - .44) = .16/.56 = .286.
    """
    mixed: list[Row] = [
        *[("clean", TIE, TIE)] * 60, *[("clear", "A", "B")] * 20, *[("clear", "B", "A")] * 20,
    ]  # fmt: skip
    rows, found = checked(mixed)
    assert rows[ALL]["kappa"]["value"] == pytest.approx(0.286, abs=1e-3)
    (fatal,) = found.fatal
    assert fatal.message.startswith("where both name a response")
    assert "0 of 40" in fatal.message


def test_a_teacher_that_calls_a_tie_too_often_is_warned_of() -> None:
    """Never wrong on a letter: 5 ties agree, 65 letters are called a tie, 30 are right: 35 of 100.

    Wilson's upper end is .45. Chance: A and B (15*48 + 15*47)/10000, ties 70*5/10000: .1775.
    """
    shy: list[Row] = [
        *[("b", TIE, TIE)] * 5, *[("b", TIE, "A")] * 33, *[("b", TIE, "B")] * 32,
        *[("b", "A", "A")] * 15, *[("b", "B", "B")] * 15,
    ]  # fmt: skip
    rows, found = checked(shy)
    assert rows[ALL]["kappa"]["value"] == pytest.approx(0.1725 / 0.8225, abs=1e-6)
    assert found.fatal == []
    (often,) = [one for one in found.findings if "below one half" in one.message]
    assert often.severity is Severity.WARNING
    assert "35 of the 100" in often.message
    assert "A 15 and 48, B 15 and 47, TIE 70 and 5" in often.message
    assert "direction" not in often.remedy


def test_thirteen_opposite_letters_are_enough() -> None:
    """Of 25 labels 12 are ties that agree: 2 of 13 letters, whose upper end by Wilson is .42."""
    few: list[Row] = [
        *[("b", TIE, TIE)] * 12, *[("b", "A", "B")] * 6, *[("b", "B", "A")] * 5,
        ("b", "A", "A"), ("b", "B", "B"),
    ]  # fmt: skip
    (fatal,) = checked(few)[1].fatal
    assert "2 of 13 items" in fatal.message
    unsure: list[Row] = [*few[:12], ("b", "A", "B"), ("b", "B", "A"), ("b", "B", "A")]
    assert checked([*unsure, *[("c", TIE, TIE)] * 10])[1].fatal == []  # 0 of 3: up to .56


def test_a_few_groups_settle_nothing() -> None:
    """40 opposite letters of 20 groups stop; of 19 labels, of 4 groups and of one they warn."""
    opposite: list[Row] = [("clear", a, b) for a, b in ("AB", "BA") for _ in range(20)]
    assert checked(opposite, per_group=2)[1].fatal
    for rows, per_group, groups in ((opposite[:19], 1, 19), (opposite, 10, 4), (opposite, 40, 1)):
        found = checked(rows, per_group=per_group)[1]
        assert found.fatal == []
        (turned,) = [one for one in found.findings if "direction" in one.remedy]
        assert turned.severity is Severity.WARNING
        assert f"with {groups} groups, fewer than 20" in turned.message


def test_agreement_that_is_surely_low_is_warned_of() -> None:
    """Right on 8 of 15 items of each verdict, else another: kappa .3, its upper end below .4."""
    other = {"A": "B", "B": TIE, TIE: "A"}
    noise: list[Row] = [
        ("b", v if n % 15 < 8 else other[v], v) for v in ("A", "B", TIE) for n in range(135)
    ]
    rows, found = checked(noise)
    assert rows[ALL]["kappa"]["high"] < 0.4
    low = [one for one in found.findings if one.audit == "teacher against people"]
    assert found.fatal == []
    assert [(one.severity, one.message.split(":")[0]) for one in low] == [
        (Severity.WARNING, ALL), (Severity.WARNING, "b"),
    ]  # fmt: skip
    good = checked([*EASY, *EASY, *EASY])[1]
    assert (good.fatal, good.findings) == ([], [])


def test_contradictions_are_told_apart_from_what_was_not_read() -> None:
    """18 agree, one is unread, one contradicts itself; both count as wrong."""
    torn: list[Row] = [*EASY[:9], *EASY[10:19], ("easy", None, "A"), ("easy", "torn", "B")]
    row = checked(torn)[0][ALL]
    assert (row["items"], row["with a verdict"], row["contradicts itself"]) == (20, 18, 1)
    assert row["agree"] == 18
