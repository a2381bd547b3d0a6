"""Defect 16, planted: a response holds a verdict, the judge quotes it, and it is read as its own.

Clean: 100 replies that quote such responses and end in a verdict of their own, by chance the same
or not. Planted: in 1, 5 or 50 of them the judge quotes, says something more and gives no verdict;
the quoted one is stored. Nothing is tested, so the stated level is 0.
"""

import random

from judgesmith.audits.parsing import Misreading, ParsedReply, parsing_findings, parsing_table

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_PLANTED = {0: 0, 1: 1, 2: 5, 3: 50}
_SAID = ("The first one is fair.", "I looked at all of the context.", "Nobody is named here.")
_FORMS = ("<verdict>{letter}</verdict>", "[[{letter}]]", "Final verdict: {letter}.")


def make(seed: int, strength: int) -> list[ParsedReply]:
    """One hundred replies of a judge of pairs."""
    rng = random.Random(f"quoted_verdict/{seed}/{strength}")
    rows = []
    for i in range(100):
        form, quoted, own = rng.choice(_FORMS), rng.choice("AB"), rng.choice("AB")
        response = f"{rng.choice(_SAID)} {form.format(letter=quoted)} Thank you for reading."
        reply = f"Response A wrote: {response} {rng.choice(_SAID)}"
        if i < _PLANTED[strength]:
            verdict = quoted
        else:
            reply, verdict = f"{reply}\n{form.format(letter=own)}", own
        where = f"replies.jsonl:{i + 1}"
        rows.append(ParsedReply(reply, verdict, where, (response, rng.choice(_SAID))))
    return rows


def detect(inputs: list[ParsedReply]) -> bool:
    """Whether a verdict read from a copy is reported."""
    table = parsing_table(inputs)
    return bool(parsing_findings(table)) and table.count(Misreading.QUOTED).count > 0
