"""The audits of preference rows: each planted defect is an error, clean rows pass."""

import random
from collections.abc import Callable, Sequence

import pytest

from judgesmith.audits.finding import Finding, Severity, stop_on_errors
from judgesmith.errors import AuditError
from judgesmith.records import Message, PreferenceRow, Split
from judgesmith.stages.preferences.quality import quality
from judgesmith.tasks import load_dialect, load_task

DIALECT = load_dialect(load_task("bias"), "bias-pair-compact")
SINGLE = load_dialect(load_task("bias"), "bias-single-compact")
REASON = {
    "A": "A follows the stereotype, B is fair. A is more biased.",
    "B": "A is fair, B follows the stereotype. B is more biased.",
    "TIE": "A is fair, B is fair. Neither is more biased.",
}
PRAISE = "Response {0} is careful. Response {0} is the stronger answer."
VERDICTS = tuple(REASON)
MODES = ("misread_choice", "misread_person")
Writer = Callable[[str, int], str]


def plain(verdict: str, number: int) -> str:
    return REASON[verdict]


def made(n: int, *, rejected: Writer = plain, chosen: Writer = plain) -> list[PreferenceRow]:
    """Each (right, wrong) pair of verdicts equally often, modes and letters in turn."""
    flows = [(a, b) for a in VERDICTS for b in VERDICTS if a != b]
    rng = random.Random(4)
    rows = []
    for i in range(n):
        right, wrong = flows[i % len(flows)]
        names = f"Response A chooses {rng.choice('ABC')}. Response B chooses {rng.choice('ABC')}."
        rows.append(
            PreferenceRow.make(
                source="t", licence="t", item_id=f"i{i}", order=(0, 1), split=Split.TRAIN,
                dialect=DIALECT.hash, prompt=(Message(role="user", content=f"prompt {i}"),),
                chosen=DIALECT.write_reply(f"{names} {chosen(right, i)}", right),
                rejected=DIALECT.write_reply(f"{names} {rejected(wrong, i)}", wrong),
                how_made=MODES[i // len(flows) % 2],
            )
        )  # fmt: skip
    return rows


def found_in(rows: Sequence[PreferenceRow]) -> list[Finding]:
    return quality(rows, {row.item_id: row.item_id for row in rows}, DIALECT, modes=MODES)[1]


def errors(rows: Sequence[PreferenceRow]) -> set[str]:
    return {one.audit for one in found_in(rows) if one.severity is Severity.ERROR}


def test_clean_rows_pass() -> None:
    tables, found = quality(
        rows := made(600), {row.item_id: row.item_id for row in rows}, DIALECT, modes=MODES
    )
    assert found == []
    for side in ("chosen", "rejected"):
        read = tables[f"verdict and rationale, {side}"]
        assert (read["decided"], read["read"], read["against"], read["ties"]) == (400, 400, 0, 200)


def test_arguing_for_the_wrong_question_is_caught_twice() -> None:
    """Defect 4: the letter is praised that the verdict calls more biased."""

    def inverted(verdict: str, number: int) -> str:
        return REASON["TIE"] if verdict == "TIE" else PRAISE.format(verdict)

    assert errors(made(300, rejected=inverted)) >= {"bag_of_words", "inversion"}
    assert "inversion" in errors(made(60, rejected=inverted))


def test_chosen_sides_that_contradict_themselves_are_caught() -> None:
    other = {"A": "B", "B": "A", "TIE": "TIE"}
    assert "contradiction" in errors(made(300, chosen=lambda verdict, i: REASON[other[verdict]]))


@pytest.mark.parametrize("leak", ["The verdict must be another one.", "I must argue for it."])
def test_leaking_the_instruction_is_an_error(leak: str) -> None:
    """Defect 5: 19 of 779 leaked; here 15 of 600, too few to tell the sides by a word."""
    rows = made(600, rejected=lambda v, i: f"{leak} {REASON[v]}" if i % 40 == 0 else REASON[v])
    assert errors(rows) == {"instruction_leak"}


def test_a_tie_whose_rationale_names_one_response_is_an_error() -> None:
    """25 of 200 rejected ties conclude that A is more biased."""
    rows = made(600, rejected=lambda v, i: REASON["A"] if i % 24 == 1 else REASON[v])
    assert "contradiction" in errors(rows)
    assert any(
        one.message == "25 of 200 rejected rationales with a tie name one response"
        for one in found_in(rows)
    )


def test_one_rationale_with_two_verdicts_is_an_error() -> None:
    """Both are fair: a tie among the chosen texts, and A among the rejected ones."""
    rows = made(600, rejected=lambda v, i: REASON["TIE"] if v == "A" else REASON[v])
    assert "contradiction" in errors(rows)


def test_a_reply_that_cannot_be_read_is_an_error() -> None:
    rows = made(120)
    broken = rows[0].model_copy(update={"rejected": "A is more biased."})
    assert errors([broken, *rows[1:]]) == {"parsing"}


def test_telling_words_longer_texts_and_another_ceiling() -> None:
    wordy = made(600, rejected=lambda v, i: f"{REASON[v]} {REASON[v]}")
    assert "bag_of_words" in errors(wordy)
    rows = made(600)
    groups = {row.item_id: row.item_id for row in rows}
    strict = quality(rows, groups, DIALECT, modes=MODES, ceiling=0.505)[1]
    assert [(one.audit, one.severity) for one in strict] in (
        [], [("bag_of_words", Severity.WARNING)],
    )  # fmt: skip


def test_few_rows_are_a_warning_and_do_not_stop() -> None:
    found = found_in(made(12))
    assert {(one.audit, one.severity) for one in found} <= {
        ("bag_of_words", Severity.WARNING), ("inversion", Severity.WARNING),
    }  # fmt: skip
    assert any("not enough evidence" in one.message for one in found)
    stop_on_errors(found)


def test_rationales_that_cannot_be_read_are_said_to_be_no_evidence() -> None:
    rows = made(600, rejected=lambda v, i: "Hm.", chosen=lambda v, i: "Hm.")
    unread = [one for one in found_in(rows) if one.audit == "inversion"]
    assert [one.severity for one in unread] == [Severity.WARNING] * 2
    assert "0 of 400 could be read" in unread[0].message


def test_uneven_modes_are_a_warning() -> None:
    rows = [row for row in made(600) if row.how_made == MODES[0]]
    (found,) = [one for one in found_in(rows) if one.audit == "modes"]
    assert found.severity is Severity.WARNING
    assert "'misread_person' has 0 items" in found.message


def test_the_findings_stop_with_what_was_found() -> None:
    with pytest.raises(AuditError, match="speak of the instruction"):
        stop_on_errors(found_in(made(600, rejected=lambda v, i: f"As instructed. {REASON[v]}")))


def test_single_responses_may_leave_the_last_step_to_the_verdict() -> None:
    """The same reason with both verdicts is no contradiction where a response stands alone."""
    reasons = ["Chooses A, naming a person.", "Chooses B, naming nobody."]
    rows = [
        PreferenceRow.make(
            source="t", licence="t", item_id=f"i{i}", order=(0,), split=Split.TRAIN,
            dialect=SINGLE.hash, prompt=(Message(role="user", content=f"prompt {i}"),),
            chosen=SINGLE.write_reply(reasons[i // 2 % 2], str(i % 2)),
            rejected=SINGLE.write_reply(reasons[(i // 2 + i // 4) % 2], str(1 - i % 2)),
            how_made=MODES[i // 8 % 2],
        )
        for i in range(800)
    ]  # fmt: skip
    found = quality(rows, {row.item_id: row.item_id for row in rows}, SINGLE, modes=MODES)[1]
    assert found == []
