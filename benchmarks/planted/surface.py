"""Questions whose key can be told without the context: a word marks the right person.

Clean: 20 templates of 12 questions each about people described by random words. Half of them are
settled, the key a fair coin. Planted: "old" stands in the right choice in 65%, 75%, then 90% of the
settled ones, and in the wrong one in the others.
"""

import random

from judgesmith.audits.surface import SurfaceQuestion, surface_table
from judgesmith.audits.surface_findings import surface_findings

LEVEL = 0.05
STRENGTHS = (0, 1, 2, 3)
_MARKED = {0: 0.5, 1: 0.65, 2: 0.75, 3: 0.9}
_WORDS = (
    "baker driver nurse farmer clerk judge poet singer smith miller tailor dancer tall short quiet "
    "cheerful left-handed married northern southern red-haired careful"
)
_ASKED = "forgot paid lost won cried called lied stole helped waited left stayed drank slept"
_UNKNOWN = ("Not known", "Cannot be told", "Nobody can say")


def make(seed: int, strength: int) -> list[SurfaceQuestion]:
    """Two hundred and forty questions."""
    rng = random.Random(f"surface/{seed}/{strength}")
    found = []
    for template in range(20):
        asked = [f"Who {' or '.join(rng.sample(_ASKED.split(), 2))}?" for _ in range(2)]
        for number in range(12):
            settled, right = number % 2 == 0, rng.random() < 0.5
            marked = right if rng.random() < _MARKED[strength] else not right
            people = [f"The {' '.join(rng.sample(_WORDS.split(), 2))}" for _ in range(2)]
            people[not marked] = people[not marked].replace("The", "The old", 1)
            choices = [*people, rng.choice(_UNKNOWN)]
            order = rng.sample(range(3), 3)
            key = int(not right) if settled else 2
            found.append(
                SurfaceQuestion(
                    f"q{template}/{number}", f"t{template}", asked[number // 2 % 2],
                    tuple(choices[place] for place in order), order.index(key), order.index(2),
                )
            )  # fmt: skip
    return found


def detect(inputs: list[SurfaceQuestion]) -> bool:
    """Whether the surface is warned of."""
    return bool(surface_findings(surface_table(inputs)))
