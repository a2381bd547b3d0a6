"""Judgments of pairs made from scores that each response was given alone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from judgesmith.errors import RecipeError
from judgesmith.judging.augment import speaks_of_reference
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.prompt_names import RESPONSE, Called, called
from judgesmith.judging.score_pairs import verdict_by_scores
from judgesmith.judging.taken_over import measure_of, measure_text
from judgesmith.records import (
    LETTERS,
    TIE,
    AnnotatorKind,
    Choice,
    Direction,
    Item,
    Judgment,
    Kind,
    Label,
    Scores,
    Status,
)

POLICY = "by scores given alone"
UNSAYABLE = "pairs by scores that the dialect cannot say"


class _Graded(NamedTuple):
    score: float
    rationale: str
    licence: str


class _Pair(NamedTuple):
    """A pair whose responses one judge scored alone, in item order; what is to be said of it."""

    item: Item
    sides: tuple[_Graded, _Graded]
    judge: str
    dialect: Dialect
    better_is_lower: bool


_Key = tuple[str, str]
"""A judge and the hash of the dialect in which it gave a score."""


def pairs_by_scores(
    singles: Iterable[Judgment], items: Sequence[Item], dialect: Dialect, *,
    known: Mapping[str, Dialect], kind: AnnotatorKind = AnnotatorKind.MODEL,
) -> tuple[list[Judgment], list[Label], int]:  # fmt: skip
    """Judgments in both orders, and labels, of pairs whose responses one model scored alone.

    Only scores of one dialect are compared. The higher one is the better response, or the worse one
    where the dialect of the scores says so; equal ones are a tie. The reason is made of the reasons
    that were given alone, each under its response's letter, and a last line that says the verdict.
    Of several scores of one response in a dialect the first counts, and of several dialects the
    first in which both responses have one. The last number is of pairs that the dialect cannot say:
    a tie where it has none, a reason that no reply can hold, or one that speaks of a reference that
    the dialect does not show.

    Args:
        singles: judgments of items with one response.
        items: of the run; pairs and the single ones that `singles` are about.
        dialect: of the pairs' judgments.
        known: the dialects of `singles`, by hash.
        kind: of the labels.

    Raises:
        RecipeError: the dialect is none of pairs, or is one of scores on another scale, or in
            another direction, than the scores given alone.
    """
    if dialect.kind is not Kind.PAIR:
        raise RecipeError(
            f"labels.pairs_by_scores: expected a dialect of pairs, found {dialect.name!r}, which "
            f"is of kind {dialect.kind.value}."
        )
    bare = not dialect.shows("reference")
    graded = _graded(singles, items)
    judgments: list[Judgment] = []
    labels: list[Label] = []
    unsayable = 0
    for item in items:
        if item.kind is not Kind.PAIR:
            continue
        first, second = item.response_ids
        for judge, own in _both_scored(graded.get(first, {}), graded.get(second, {})):
            _require_scale(known[own], dialect)
            sides = (graded[first][judge, own], graded[second][judge, own])
            if bare and any(speaks_of_reference(side.rationale) for side in sides):
                unsayable += 1
                continue
            low = known[own].direction is Direction.WORSE
            pair = _Pair(item, sides, judge, dialect, better_is_lower=low)
            both = [_judgment(pair, order) for order in ((0, 1), (1, 0))]
            whole = [one for one in both if one is not None]
            if len(whole) < len(both):
                unsayable += 1
                continue
            judgments += whole
            labels.append(_label(item, whole, dialect, kind))
    return judgments, labels, unsayable


def _both_scored(first: Iterable[_Key], second: Collection[_Key]) -> list[_Key]:
    """Of each judge that scored both responses the first dialect in which it did; by name."""
    found: dict[str, str] = {}
    for judge, dialect in first:
        if (judge, dialect) in second:
            found.setdefault(judge, dialect)
    return sorted(found.items())


def _require_scale(own: Dialect, dialect: Dialect) -> None:
    if dialect.scored and measure_of(own) != measure_of(dialect):
        raise RecipeError(
            f"labels.pairs_by_scores: expected a dialect of letters, or of scores on the scale of "
            f"{own.name!r} ({measure_text(own)}), in which responses were scored alone; found "
            f"{dialect.name!r} ({measure_text(dialect)}). A score says nothing on another scale."
        )


def _graded(singles: Iterable[Judgment], items: Iterable[Item]) -> dict[str, dict[_Key, _Graded]]:
    """By response, and judge and dialect, the first score with a reason."""
    alone = {item.id: item.response_ids[0] for item in items if item.kind is Kind.SINGLE}
    found: dict[str, dict[_Key, _Graded]] = {}
    for one in singles:
        response = alone.get(one.item_id)
        if response is None or one.rationale is None or not isinstance(one.verdict, Scores):
            continue
        graded = _Graded(one.verdict.values[0], one.rationale, one.licence)
        found.setdefault(response, {}).setdefault((one.judge, one.dialect), graded)
    return found


def _judgment(pair: _Pair, order: tuple[int, int]) -> Judgment | None:
    item, dialect, shown = pair.item, pair.dialect, (pair.sides[order[0]], pair.sides[order[1]])
    # A letter names the lower score where it names the worse response and higher is better, or the
    # other way round.
    low = pair.better_is_lower is not (dialect.direction is Direction.WORSE)
    sign = -1 if low and not dialect.scored else 1
    verdict = verdict_by_scores(sign * shown[0].score, sign * shown[1].score, scored=dialect.scored)
    rationale = compose(
        (shown[0].rationale, shown[1].rationale), (shown[0].score, shown[1].score),
        better_is_lower=pair.better_is_lower, names=called(dialect),
    )  # fmt: skip
    try:
        reply = dialect.write_reply(rationale, verdict)
    except ValueError:
        return None
    return Judgment.make(
        source=item.source,
        licence=shown[0].licence,
        item_id=item.id,
        judge=f"{pair.judge}, {POLICY}",
        dialect=dialect.hash,
        order=order,
        sample=0,
        reply=reply,
        rationale=rationale,
        verdict=verdict,
        distribution=None,
        status=Status.PARSED,
        reference=None,
    )


def compose(
    reasons: tuple[str, str], scores: tuple[float, float], *, better_is_lower: bool = False,
    names: Called = RESPONSE,
) -> str:  # fmt: skip
    r"""The reason for a verdict on a pair, out of the reasons given for each response.

    `names` are what the prompt calls the responses.

    >>> print(compose(("It is clear.", "It is vague."), (4, 2)))
    Response A: It is clear.
    <BLANKLINE>
    Response B: It is vague.
    <BLANKLINE>
    Response A is better: 4 against 2.
    """
    sign = -1 if better_is_lower else 1
    named = verdict_by_scores(sign * scores[0], sign * scores[1])
    assert isinstance(named, Choice)
    better, worse = sorted(scores, reverse=not better_is_lower)
    last = f"Both responses are equally good: {better:g} each."
    if named.value != TIE:
        best = names.name(LETTERS.index(named.value))
        last = f"{best} is better: {better:g} against {worse:g}."
    said = [f"{names.name(place)}: {reason.strip()}" for place, reason in enumerate(reasons)]
    return "\n\n".join([*said, last])


def _label(
    item: Item, judgments: Sequence[Judgment], dialect: Dialect, kind: AnnotatorKind
) -> Label:
    assert judgments[0].verdict is not None
    return Label.make(
        source=item.source,
        licence=judgments[0].licence,
        item_id=item.id,
        verdict=judgments[0].verdict,
        direction=dialect.direction,
        confidence=None,
        policy=POLICY,
        judgment_ids=tuple(one.id for one in judgments),
        annotator_kind=kind,
        annotator=judgments[0].judge,
    )
