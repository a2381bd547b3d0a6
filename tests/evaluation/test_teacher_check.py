"""The teacher against people: numbers worked by hand, and the conflict that they show."""

import orjson
import pytest

from judgesmith.audits import Severity
from judgesmith.evaluation.judges import Judge, Read
from judgesmith.evaluation.scoring import Plan
from judgesmith.evaluation.teacher_check import ALL, against_people
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


def checked(rows: list[Row]):
    items, questions, reads, people = [], {}, {}, {}
    for n, (bucket, said, person) in enumerate(rows):
        question = Question.make(
            source="test", licence="none", group_id=f"g{n}", template_id=None, category=None,
            context=None, text=f"question {n}", choices=None, key=None, reference=None,
            grounding=None, task={},
        )  # fmt: skip
        item = Item.make(
            source="test", licence="none", kind=Kind.PAIR, question_id=question.id,
            response_ids=(f"{n}a", f"{n}b"), bucket=bucket, subtype=None, split=None,
        )  # fmt: skip
        questions[question.id] = question
        items.append(item)
        reads[item.id] = Read(said, said, said)
        if person is not None:
            people[item.id] = person
    teacher = Judge("big", "teacher", False, "", reads)
    found, findings = against_people(items, teacher, people, questions=questions, plan=PLAN)
    assert orjson.loads(orjson.dumps(found)) == found
    return {row["bucket"]: row for row in found}, findings


def test_counts_and_kappas_by_hand() -> None:
    """An unread verdict is wrong, and a label of its own.

    easy: 18 of 20 agree; the teacher says A 9, B 9, unread 2, people A 10, B 10: by chance
    (9*10 + 9*10)/400 = .45, so (.9 - .45)/.55 = .818182.
    hard: 8 of 20; A 17 and TIE 3 against A 5 and TIE 15: (17*5 + 3*15)/400 = .325, so .111111.
    All: 26 of 40; (26*15 + 9*10 + 3*15)/1600 = .328125, so .321875/.671875 = .479070.
    """
    rows, _ = checked([*EASY, *HARD, ("easy", "A", None)])
    assert list(rows) == [ALL, "easy", "hard"]
    assert [(r["items"], r["read"], r["agree"]) for r in rows.values()] == [
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
    _, (found,) = checked([*EASY, *HARD])
    assert (found.severity, found.count, found.of) == (Severity.WARNING, 12, 20)
    assert "hard" in found.message
    _, (worse,) = checked([*EASY, *HARD, *[("hard", "A", TIE)] * 25])
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
    assert checked(noisy)[1] == []


def test_what_must_not_be_shown_says_why() -> None:
    """19 items are too few; 24 of 25 with one label leave kappa to the last one."""
    rows, _ = checked([*EASY[:19], *[("one label", TIE, TIE)] * 24, ("one label", "A", "A")])
    assert "only 19 labels" in rows["easy"]["kappa"]["hidden"]
    assert "more than 90%" in rows["one label"]["kappa"]["hidden"]
    assert rows[ALL]["kappa"]["hidden"] is None


def test_a_teacher_that_was_never_read() -> None:
    """Nothing to look for a conflict in; kappa is not above 0."""
    rows, findings = checked([("easy", None, said) for _, _, said in EASY])
    assert findings == []
    assert (rows[ALL]["read"], rows[ALL]["agree"]) == (0, 0)
    value = rows[ALL]["kappa"]["value"]
    assert value is None or value <= 0
