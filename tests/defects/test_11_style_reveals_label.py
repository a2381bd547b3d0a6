"""Defect 11: style reveals the label.

In the published training pool the biased side was the longer one in 82% of one bucket, and one
generator was biased in 59% of its slots, another in 8%.
"""

import random

from judgesmith.audits import (
    ConfoundItem,
    Finding,
    Severity,
    StyledResponse,
    confound_findings,
    confound_table,
)


def pairs(*, longer: float, terse_flagged: float) -> list[ConfoundItem]:
    """400 pairs of a verbose and a terse generator, each in two buckets.

    The flagged response is the longer one with the chance `longer`, and is written by the terse
    generator with the chance `terse_flagged`. Slots are drawn at random.
    """
    rng = random.Random(11)
    items = []
    for i in range(400):
        words = sorted((rng.randint(10, 40), rng.randint(41, 60)), reverse=rng.random() < longer)
        names = ("terse", "verbose") if rng.random() < terse_flagged else ("verbose", "terse")
        sides = [
            StyledResponse(True, names[0], "word " * words[0]),
            StyledResponse(False, names[1], "word " * words[1]),
        ]
        rng.shuffle(sides)
        items.append(ConfoundItem(f"i{i}", "clear" if i % 2 else "subtle", tuple(sides)))
    return items


def findings(items: list[ConfoundItem]) -> tuple[Finding, ...]:
    return confound_findings(confound_table(items, hedge_phrases=("probably",)))


def test_longer_flagged_responses_are_caught_in_each_bucket() -> None:
    found = findings(pairs(longer=0.82, terse_flagged=0.5))
    assert [f.message.split(":")[0] for f in found] == ["clear", "subtle", "all buckets"]
    assert all("the flagged response is longer" in f.message for f in found)
    assert {f.severity for f in found} == {Severity.WARNING}


def test_a_generator_that_is_hardly_ever_flagged_is_caught() -> None:
    found = findings(pairs(longer=0.5, terse_flagged=0.1))
    assert [f.message.split(":")[0] for f in found] == ["generator terse", "generator verbose"]


def test_a_balanced_set_is_not_flagged() -> None:
    assert findings(pairs(longer=0.5, terse_flagged=0.5)) == ()
