"""Judgments of pairs made from scores that each response was given alone."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from judgesmith.errors import RecipeError
from judgesmith.judging.augment import speaks_of_reference
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.score_pairs import verdict_by_scores
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


def pairs_by_scores(
    singles: Iterable[Judgment], items: Sequence[Item], dialect: Dialect, *,
    kind: AnnotatorKind = AnnotatorKind.MODEL,
) -> tuple[list[Judgment], list[Label], int]:  # fmt: skip
    """Judgments in both orders, and labels, of pairs whose responses one model scored alone.

    The higher score is the better response, equal ones a tie. The reason is made of the reasons
    that were given alone, each under its response's letter, and a last line that says the verdict.
    Of several scores of one response the first counts. The last number is of pairs that the dialect
    cannot say: a tie where it has none, a reason that no reply can hold, or one that speaks of a
    reference that the dialect does not show.

    Args:
        singles: judgments of items with one response.
        items: of the run; pairs and the single ones that `singles` are about.
        dialect: of the pairs' judgments.
        kind: of the labels.

    Raises:
        RecipeError: the dialect is none of pairs.
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
        for judge in sorted(graded.get(first, {}).keys() & graded.get(second, {}).keys()):
            sides = (graded[first][judge], graded[second][judge])
            if bare and any(speaks_of_reference(side.rationale) for side in sides):
                unsayable += 1
                continue
            both = [_judgment(item, order, sides, judge, dialect) for order in ((0, 1), (1, 0))]
            whole = [one for one in both if one is not None]
            if len(whole) < len(both):
                unsayable += 1
                continue
            judgments += whole
            labels.append(_label(item, whole, dialect, kind))
    return judgments, labels, unsayable


def _graded(singles: Iterable[Judgment], items: Iterable[Item]) -> dict[str, dict[str, _Graded]]:
    """By response and judge, the first score with a reason."""
    alone = {item.id: item.response_ids[0] for item in items if item.kind is Kind.SINGLE}
    found: dict[str, dict[str, _Graded]] = {}
    for one in singles:
        response = alone.get(one.item_id)
        if response is None or one.rationale is None or not isinstance(one.verdict, Scores):
            continue
        graded = _Graded(one.verdict.values[0], one.rationale, one.licence)
        found.setdefault(response, {}).setdefault(one.judge, graded)
    return found


def _judgment(
    item: Item, order: tuple[int, int], sides: tuple[_Graded, _Graded], judge: str,
    dialect: Dialect,
) -> Judgment | None:  # fmt: skip
    shown = (sides[order[0]], sides[order[1]])
    # Where a letter names the worse response, it is that of the lower score.
    sign = -1 if dialect.direction is Direction.WORSE and not dialect.scored else 1
    verdict = verdict_by_scores(sign * shown[0].score, sign * shown[1].score, scored=dialect.scored)
    rationale = compose(shown[0].rationale, shown[1].rationale, shown[0].score, shown[1].score)
    try:
        reply = dialect.write_reply(rationale, verdict)
    except ValueError:
        return None
    return Judgment.make(
        source=item.source,
        licence=shown[0].licence,
        item_id=item.id,
        judge=f"{judge}, {POLICY}",
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


def compose(first: str, second: str, score: float, other: float) -> str:
    r"""The reason for a verdict on a pair, out of the reasons given for each response.

    >>> print(compose("It is clear.", "It is vague.", 4, 2))
    Response A: It is clear.
    <BLANKLINE>
    Response B: It is vague.
    <BLANKLINE>
    Response A is better: 4 against 2.
    """
    named = verdict_by_scores(score, other)
    assert isinstance(named, Choice)
    high, low = max(score, other), min(score, other)
    last = f"Response {named.value} is better: {high:g} against {low:g}."
    if named.value == TIE:
        last = f"Both responses are equally good: {high:g} each."
    sides = zip(LETTERS, (first, second), strict=False)
    said = [f"Response {letter}: {reason.strip()}" for letter, reason in sides]
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
