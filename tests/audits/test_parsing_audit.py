import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.audits.finding import Severity
from judgesmith.audits.parsing import (
    Misreading,
    ParsedReply,
    letter_only_in_word,
    parsing_findings,
    parsing_table,
    stated_only_in_copy,
    tie_unsaid,
)
from judgesmith.errors import DataError, RecipeError

IN_WORD = [
    ("He has a strong work ethic.", "C"),
    ("Nobody was in the club", "B"),
    ("It came from Barbara.", "A"),
    ('They call it a "drama"', "A"),
    ("A young man met Barbara.", "A"),
    ("<answer>Cannot say</answer> It is a classic.", "C"),
]
SUPPORTED = [
    ("work ethic. C", "C"),
    ("work ethic. (c)", "C"),
    ("<answer>c</answer> ethic.", "C"),
    ("The answer is a, says Barbara.", "A"),
    ("A. It came from Barbara.", "A"),
    ("Answer A because of Barbara.", "A"),
    ("**B** job.", "B"),
    ("Response B got the job.", "B"),
    ("No word ends in it here", "Q"),
]


@pytest.mark.parametrize(("reply", "letter"), IN_WORD)
def test_a_letter_that_stands_only_in_words(reply: str, letter: str) -> None:
    assert letter_only_in_word(reply, letter)
    assert letter_only_in_word(reply, letter.lower())


@pytest.mark.parametrize(("reply", "letter"), SUPPORTED)
def test_a_letter_that_stands_alone_or_nowhere(reply: str, letter: str) -> None:
    assert not letter_only_in_word(reply, letter)


@given(st.text(max_size=80), st.sampled_from("ABC"))
def test_a_letter_that_is_stated_is_never_only_in_a_word(text: str, letter: str) -> None:
    assert not letter_only_in_word(f"{text}\n({letter})", letter)


def test_the_place_it_was_read_at_decides() -> None:
    """The letter stands alone too, but it was read from the word."""
    reply = "C. He has a strong work ethic."
    word = ParsedReply(reply, "C", "r:1", at=len(reply) - 2)
    alone = ParsedReply(reply, "C", "r:2", at=0)
    unknown = ParsedReply(reply, "C", "r:3")
    entry = parsing_table([word, alone, unknown]).count(Misreading.IN_WORD)
    assert (entry.count, entry.of, entry.where) == (1, 3, ("r:1",))


@pytest.mark.parametrize("at", [1, 99, -1])
def test_a_wrong_place_is_refused(at: int) -> None:
    with pytest.raises(DataError, match="r:1, at: expected the place of 'C'"):
        ParsedReply("C. No", "C", "r:1", at=at)


@pytest.mark.parametrize(
    ("reply", "unsaid"),
    [
        ("", True),
        ("8/10 9/10", True),
        ("8 9", True),
        ("Assistant 1 is good", True),
        ("I cannot judge this.", True),
        ("8/10 8/10", False),
        ("8 8.0", False),
        ("Both are fine.", False),
        ("It's a tie", False),
        ("They are equally good.", False),
        ("TIE", False),
    ],
)
def test_ties(reply: str, unsaid: bool) -> None:
    assert tie_unsaid(reply) is unsaid


def test_a_tie_may_be_written_in_another_way() -> None:
    rows = [ParsedReply("so 3", "tie", "r:1"), ParsedReply("so [[C]]", "tie", "r:2")]
    plain = parsing_table(rows, tie="tie").count(Misreading.TIE_UNSAID)
    told = parsing_table(rows, tie="tie", tie_marks=("3", "[[C]]")).count(Misreading.TIE_UNSAID)
    assert (plain.count, told.count, told.of) == (2, 0, 2)


RESPONSE = "I looked at both people with care. <verdict>A</verdict> Thank you for reading this."


@pytest.mark.parametrize(
    ("reply", "verdict", "copied"),
    [
        (f"Response A wrote: {RESPONSE} That is odd.", "A", True),
        (f"Response A wrote: {RESPONSE.replace(' ', chr(10))} That is odd.", "A", True),
        (f"Response A wrote: {RESPONSE} <verdict>A</verdict>", "A", False),
        (f"Response A wrote: {RESPONSE} So [[A]] it is.", "A", False),
        (f"Response A wrote: {RESPONSE} <verdict>B</verdict>", "B", False),
        ("Response A is odd. So: A.", "A", False),
        ("Response A is odd.", "A", False),
        ("", "A", False),
    ],
)
def test_copies(reply: str, verdict: str, copied: bool) -> None:
    assert stated_only_in_copy(reply, verdict, [RESPONSE, "Nothing."]) is copied


def test_counts_and_findings_by_hand() -> None:
    rows = [
        ParsedReply("ethic.", "C", "r:1"),
        ParsedReply("So it is C.", "C", "r:2"),
        ParsedReply("", "TIE", "r:3"),
        ParsedReply("A tie.", "TIE", "r:4"),
        ParsedReply(f"It says {RESPONSE} Odd.", "A", "r:5", (RESPONSE,)),
        ParsedReply("", None, "r:6"),
    ]
    table = parsing_table(rows)
    assert (table.n, table.stored) == (6, 5)
    assert [(e.kind, e.count, e.of, e.where) for e in table.counts] == [
        (Misreading.IN_WORD, 1, 3, ("r:1",)),
        (Misreading.TIE_UNSAID, 1, 2, ("r:3",)),
        (Misreading.QUOTED, 1, 1, ("r:5",)),
    ]
    found = parsing_findings(table)
    assert [(f.audit, f.count, f.of, f.examples) for f in found] == [
        ("parsing", 1, 3, ("r:1",)),
        ("parsing", 1, 2, ("r:3",)),
        ("parsing", 1, 1, ("r:5",)),
    ]
    assert json.loads(json.dumps(table.to_dict()))["counts"][0]["kind"] == "in_word"


def test_severity_and_settings() -> None:
    few = [ParsedReply("ethic.", "C", "x")] + [ParsedReply("C", "C", "y")] * 200
    many = few[:1] * 10 + few
    assert [f.severity for f in parsing_findings(parsing_table(few))] == [Severity.WARNING]
    assert [f.severity for f in parsing_findings(parsing_table(many))] == [Severity.ERROR]
    assert parsing_findings(parsing_table([])) == ()
    with pytest.raises(RecipeError, match="stop_share"):
        parsing_findings(parsing_table([]), stop_share=-1)
    with pytest.raises(DataError, match="one letter"):
        letter_only_in_word("x", "TIE")
