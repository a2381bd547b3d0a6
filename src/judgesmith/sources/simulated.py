"""Simulated questions of four small parts each, for rehearsals of judges that grade anything.

What a right answer must hold is known by construction, so that simulated responders can be right in
part and simulated teachers know by how much. They test the road and nobody's judgment.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from judgesmith.errors import DataError
from judgesmith.records import Question, keyed_rng

PARTS = 4
TEMPLATES = 20
QUESTIONS_EACH = 15
LICENCE = "simulated: no terms"
CRITERION = "How many of the parts does the response get right?"
LEVELS = (
    "None of the parts is right.",
    "One of the four parts is right.",
    "Two of the four parts are right.",
    "Three of the four parts are right.",
    "All four parts are right.",
)
_WORDS = (
    "lamp", "river", "stone", "cloud", "bread", "chair", "apple", "paper", "train", "music",
    "green", "horse", "plant", "table", "water", "night", "spoon", "tiger", "brick", "flute",
)  # fmt: skip


def _sum(draw: Random) -> tuple[str, str]:
    first, second = draw.randint(2, 60), draw.randint(2, 39)
    return f"{first} + {second}", str(first + second)


def _difference(draw: Random) -> tuple[str, str]:
    second, rest = draw.randint(2, 39), draw.randint(1, 60)
    return f"{second + rest} - {second}", str(rest)


def _reversal(draw: Random) -> tuple[str, str]:
    word = draw.choice(_WORDS)
    return f"{word} backwards", word[::-1]


def _length(draw: Random) -> tuple[str, str]:
    word = draw.choice(_WORDS) + draw.choice(("", "s", "man", "light", "side"))
    return f"letters in {word}", str(len(word))


_PARTS: dict[str, Callable[[Random], tuple[str, str]]] = {
    "sums": _sum,
    "differences": _difference,
    "reversals": _reversal,
    "lengths": _length,
}
_OPENINGS = ("Work out", "Find", "Give", "Tell me", "Write down")


def read_questions(path: Path | None) -> Iterator[Question]:
    """1,200 questions in four categories of twenty templates each; there is no file to read.

    `must_hold` are the lines that a right answer holds; `criterion` and `levels` the rubric, one
    level per number of right parts, the worst first.
    """
    if path is not None:
        raise DataError(
            f"questions.sources: kind 'simulated' reads no file, found path {str(path)!r}."
        )
    for category in _PARTS:
        for template in range(TEMPLATES):
            for number in range(QUESTIONS_EACH):
                yield _question(category, template, number)


def _question(category: str, template: int, number: int) -> Question:
    draw = keyed_rng(0, "simulated question", category, template, number)
    parts: dict[str, str] = {}
    while len(parts) < PARTS:
        asked, answer = _PARTS[category](draw)
        parts[asked] = answer
    lines = [f"{asked} = {answer}" for asked, answer in parts.items()]
    opening = _OPENINGS[template % len(_OPENINGS)]
    return Question.make(
        source="simulated",
        licence=LICENCE,
        group_id=f"simulated/{category}/{template}/{number}",
        template_id=f"simulated/{category}/{template}",
        category=category,
        context=None,
        text=f"{opening}, one a line, set {template + 1}: {'; '.join(parts)}.",
        choices=None,
        key=None,
        reference="\n".join(lines),
        grounding=None,
        task={"must_hold": lines, "criterion": CRITERION, "levels": list(LEVELS)},
    )
