"""What can be said to be wrong with labels before a teacher is asked, or rows are made of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.taken_over import measure_text
from judgesmith.records import Item, Kind, Scores
from judgesmith.sources import PUBLISHED, ImportedLabel

SHOWN = {Kind.SINGLE: "one response", Kind.PAIR: "two responses", Kind.LIST: "several responses"}


def require_items(items: Iterable[Item], dialects: Iterable[Dialect]) -> None:
    """Refuse a dialect that can show none of the items.

    A dialect of single responses takes any item apart; others take items of their own kind.

    Raises:
        DataError: naming the dialect, and how many items there are of each kind.
    """
    kinds = Counter(item.kind for item in items)
    for dialect in dialects:
        if kinds and dialect.kind is not Kind.SINGLE and not kinds[dialect.kind]:
            found = ", ".join(f"{count} of {SHOWN[kind]}" for kind, count in kinds.items())
            raise DataError(
                f"labels: dialect {dialect.name!r} is of kind {dialect.kind.value} and shows "
                f"{SHOWN[dialect.kind]}; found items {found}. Take a dialect of their kind "
                "(labels.dialect, labels.more), or make items for it (items)."
            )


def require_scores(dialects: Iterable[Dialect]) -> None:
    """Refuse further dialects (`labels.more`) in which a teacher's verdict is no score."""
    for dialect in dialects:
        if not dialect.scored:
            raise RecipeError(
                f"labels.more: in a further dialect a teacher gives scores, and {dialect.name!r} "
                f"has the choices {', '.join(dialect.scale.values)}. Label in it (labels.dialect) "
                "and score beside it, or leave it out."
            )


def require_on_scale(
    people: Iterable[tuple[str, Sequence[ImportedLabel]]], dialects: Sequence[Dialect]
) -> None:
    """Refuse grades by people, from files of the user's own, that are on no dialect's scale.

    A grade between two steps stands: it may be a mean, to measure against.

    Raises:
        DataError: naming the first, its place and the scales, or that higher is better in one and
            worse in the other.
    """
    alone = [one for one in dialects if one.kind is Kind.SINGLE and one.scored]
    for given in (one for kind, rows in people if kind not in PUBLISHED for one in rows):
        if not isinstance(given.verdict, Scores):
            continue
        grade = given.verdict.values[0]
        named_alike = dialects[0].direction in (None, given.direction)
        said = [one for one in alone if named_alike and one.direction in (None, given.direction)]
        if not any(_within(grade, one) for one in said):
            scales = " or ".join(f"{measure_text(one)} ({one.name!r})" for one in alone)
            raise DataError(
                f"{given.place}: field 'verdict': expected a grade of one response on the scale of "
                f"the labels' dialect, {scales or 'of which none scores single responses'}; found "
                f"{grade:g}, the higher the {given.direction.value}. Correct it, or name a dialect "
                "of that scale (labels.dialect, labels.more)."
            )


def _within(grade: float, dialect: Dialect) -> bool:
    low, high = dialect.scale.low, dialect.scale.high
    return low is not None and high is not None and low <= grade <= high


def require_any(labels: Sequence[object], lost: Mapping[str, int]) -> None:
    """Refuse to go on without any label where imports were read and every verdict was lost.

    Raises:
        DataError: naming why verdicts were lost, and how many.
    """
    if not labels and lost:
        told = ", ".join(f"{reason}: {count}" for reason, count in lost.items())
        raise DataError(
            f"labels: no label at all; every imported verdict was left out ({told}). Correct the "
            "file, or name the dialect in whose scale and form the verdicts are given."
        )
