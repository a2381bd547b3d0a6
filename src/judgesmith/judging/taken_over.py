"""Whether a verdict given in one dialect may stand in another.

A score says nothing on another scale, or where the higher one means the other thing; and a verdict
that was given with a document in sight is another one than a verdict given without.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from judgesmith.judging.dialect import Dialect
from judgesmith.records import Choice, Judgment, Kind, Label

Measure = tuple[object, ...]


def measure_of(dialect: Dialect) -> Measure:
    """What must be equal for a score to mean the same in two dialects.

    The scale, what the higher score names, and what several scores in one reply are about.

    >>> from judgesmith.judging.library import LIBRARY
    >>> ten, five = measure_of(LIBRARY["judgelm"]), measure_of(LIBRARY["prometheus-absolute"])
    >>> ten == five, ten == measure_of(LIBRARY["judgelm-reference"])
    (False, True)
    """
    return dialect.scale, dialect.direction, dialect.by_criterion, frozenset(dialect.criteria)


def measure_text(dialect: Dialect) -> str:
    """What verdicts in a dialect are, in words.

    >>> from judgesmith.judging.library import LIBRARY
    >>> measure_text(LIBRARY["prometheus-absolute"]), measure_text(LIBRARY["prometheus-relative"])
    ('1 to 5, higher is better', 'A, B, naming the better one')
    """
    scale, direction = dialect.scale, dialect.direction
    if scale.choices is not None:
        return ", ".join(scale.choices) + (f", naming the {direction} one" if direction else "")
    step = "" if scale.step == 1 else f" by {scale.step:g}"
    of = f" for {', '.join(dialect.criteria)}" if dialect.criteria else ""
    return f"{scale.low} to {scale.high}{step}{of}" + (
        f", higher is {direction}" if direction else ""
    )


def means_the_same(own: Dialect | None, dialect: Dialect, judgment: Judgment) -> bool:
    """Whether the verdict of a judgment made in `own` means the same in `dialect`.

    A letter that names a response of several means the same wherever it is on the scale; that its
    direction is the same is seen to where labels are chosen (`require_direction`). Any other
    verdict is a value of its scale, so the measure must be equal; where nobody knows in which
    dialect it was given (`own` is None), it means nothing.
    """
    if own is not None and own.hash == dialect.hash:
        return True
    if isinstance(judgment.verdict, Choice) and dialect.kind is not Kind.SINGLE:
        return True
    return own is not None and measure_of(own) == measure_of(dialect)


def taken_over(
    labels: Iterable[Label], judgments: Mapping[str, Judgment], known: Mapping[str, Dialect],
    dialect: Dialect,
) -> list[Label]:  # fmt: skip
    """The labels whose scores mean the same in the dialect.

    A label says what the first judgment says that it cites; others teach conditions of their own.
    One that cites none, as those by people, stands.

    Args:
        labels: of a run.
        judgments: of the run, by id.
        known: the recipe's dialects, by hash.
        dialect: in which the labels are to be read.
    """
    return [
        label
        for label in labels
        if not label.judgment_ids
        or means_the_same(
            known.get((first := judgments[label.judgment_ids[0]]).dialect), dialect, first
        )
    ]


def dialects_told(judgments: Iterable[Judgment], known: Mapping[str, Dialect]) -> str:
    """In which dialects judgments were made, and how many in each.

    >>> dialects_told([], {})
    'none'
    """
    counts = Counter(one.dialect for one in judgments)
    told = [
        f"{known[name].name!r} ({measure_text(known[name])}): {count:,}"
        if name in known
        else f"one that the recipe no longer has ({name}): {count:,}"
        for name, count in counts.items()
    ]
    return "; ".join(told) or "none"
