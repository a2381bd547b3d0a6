"""Defect 2, planted: a parser takes a letter before a mark, be it the end of a word.

Clean: 200 replies that state their letter in one of several forms, parsed rightly, and some that
state none, stored without a letter. Planted: 1%, 5% or 20% of the replies state no letter and end
in a word on a, b or c, which is stored as their letter. Where it was read is not stored. Nothing
is tested, so the stated level is 0.
"""

import random

from judgesmith.audits.parsing import Misreading, ParsedReply, parsing_findings, parsing_table

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_PLANTED = {0: 0.0, 1: 0.01, 2: 0.05, 3: 0.2}
_STATED = (
    "He has a strong work ethic. The answer is {letter}.",
    "{letter}. They met at the opera.",
    "They talk about a job. <answer>{letter}</answer>",
    "Nothing is said of the drama. ({letter})",
    "answer: {small}",
    "I would go with option {small}, the club",
)
_UNSTATED = {
    "A": ("They met at the opera.", "Nobody asked for Barbara."),
    "B": ("It is about a job.", "They came from the club."),
    "C": ("He has a strong work ethic.", "This is only a classic."),
}


def make(seed: int, strength: int) -> list[ParsedReply]:
    """Two hundred replies."""
    rng = random.Random(f"letter_in_word/{seed}/{strength}")
    rows = []
    for i in range(200):
        letter = rng.choice("ABC")
        reply = rng.choice(_STATED).format(letter=letter, small=letter.lower())
        stored: str | None = letter
        if i < 200 * _PLANTED[strength]:
            reply = f"The context is short. {rng.choice(_UNSTATED[letter])}"
        elif rng.random() < 0.1:
            reply, stored = rng.choice(_UNSTATED[letter]), None
        rows.append(ParsedReply(reply, stored, f"replies.jsonl:{i + 1}"))
    return rows


def detect(inputs: list[ParsedReply]) -> bool:
    """Whether a letter inside a word is reported."""
    table = parsing_table(inputs)
    return bool(parsing_findings(table)) and table.count(Misreading.IN_WORD).count > 0
