"""Items that need no rule of a task: imported ones, and pairs out of imported scores."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, field_validator

from judgesmith.errors import DataError
from judgesmith.judging.score_pairs import Scored, ScorePair, pairs_by_gap
from judgesmith.records import Item, Kind, Question, Response, Scores
from judgesmith.runs.recipe import Section
from judgesmith.sources import (
    ITEM_READERS,
    LABEL_READERS,
    Dropped,
    Import,
    ImportedLabel,
    count_dropped,
    mapping_of,
    reader,
    require_kinds,
)

SINGLES = "singles"
"""The preset, of whatever task, by which each response is an item of its own; and their bucket."""


class FromScores(Section):
    """Pairs to make out of scores that the imports give to single responses.

    `quotas` are the most pairs by score gap; a pair falls in the largest gap that is not above its
    own, and 0 is for ties. `cap_per_question` is for each gap. With `easy_first` the items stand
    in the order of their gaps, the largest first.
    """

    imports: tuple[Import, ...]
    quotas: dict[float, int]
    cap_per_question: int = Field(4, gt=0)
    easy_first: bool = False

    @field_validator("imports")
    @classmethod
    def _can_be_read(cls, imports: tuple[Import, ...]) -> tuple[Import, ...]:
        require_kinds(imports, LABEL_READERS)
        return imports

    @field_validator("quotas")
    @classmethod
    def _gaps(cls, quotas: dict[float, int]) -> dict[float, int]:
        if not quotas or min(quotas) < 0 or min(quotas.values()) < 0:
            raise ValueError("expected score gaps of 0 and more, each with the most pairs to draw")
        return quotas


class Supply(NamedTuple):
    """Of one gap: its bucket, how many pairs there were, how many were wanted and how many made."""

    bucket: str
    pool: int
    quota: int
    filled: int


class Ready(NamedTuple):
    """Items, how many rows gave none by reason, and what pairs from scores were drawn from."""

    items: list[Item]
    left_out: Counter[str]
    supply: list[dict[str, object]]


def ready_items(
    imports: Sequence[Import], from_scores: FromScores | None, questions: dict[str, Question],
    responses: dict[str, Response], *, seed: int, find: Callable[[str], Path],
) -> Ready:  # fmt: skip
    """The items of the imports, and pairs of responses that were scored alone.

    Args:
        imports: read in order.
        from_scores: None for no such pairs.
        questions: of the run, by id.
        responses: of the run, by id.
        seed: of the draw of pairs.
        find: where a path of the recipe is.
    """
    left_out: Counter[str] = Counter()
    items: list[Item] = []
    for source in imports:
        rows = reader(ITEM_READERS, source.kind)(
            find(source.path), questions, responses, *mapping_of(source)
        )
        items += count_dropped(rows, left_out)
    if from_scores is None:
        return Ready(items, left_out, [])
    pairs, supply = items_from_scores(from_scores, questions, responses, seed=seed, find=find)
    return Ready(items + pairs, left_out, [one._asdict() for one in supply])


def single_items(responses: Iterable[Response], questions: Mapping[str, Question]) -> list[Item]:
    """Each response as an item by itself, in the order given."""
    return [
        Item.make(
            source=one.source,
            licence="; ".join(dict.fromkeys([questions[one.question_id].licence, one.licence])),
            kind=Kind.SINGLE,
            question_id=one.question_id,
            response_ids=(one.id,),
            bucket=SINGLES,
            subtype=None,
            split=None,
        )
        for one in responses
    ]


def bucket_of(gap: float) -> str:
    """The bucket of pairs with a score gap.

    >>> bucket_of(0), bucket_of(2)
    ('scores alike', 'scores apart by 2')
    """
    return "scores alike" if gap == 0 else f"scores apart by {gap:g}"


def items_from_scores(
    config: FromScores, questions: dict[str, Question], responses: dict[str, Response], *,
    seed: int, find: Callable[[str], Path],
) -> tuple[list[Item], list[Supply]]:  # fmt: skip
    """The items, and what there was to draw from.

    Of several scores of one response the first counts.

    Raises:
        DataError: no import scores a single response.
    """
    scored: dict[str, Scored] = {}
    for source in config.imports:
        read = reader(LABEL_READERS, source.kind)
        for given in read(find(source.path), questions, responses, *mapping_of(source)):
            found = _score(given, responses)
            if found is not None:
                scored.setdefault(found.response_id, found)
    if not scored:
        raise DataError(
            "items.from_scores: expected imports that score single responses, found none; kind "
            "feedback_collection does."
        )
    pairs, supply = pairs_by_gap(
        scored.values(), config.quotas, seed=seed, cap=config.cap_per_question,
        easy_first=config.easy_first,
    )  # fmt: skip
    items = [_item(pair, questions, responses) for pair in pairs]
    made = {gap: sum(pair.gap == gap for pair in pairs) for gap in supply}
    return items, [
        Supply(bucket_of(gap), pool, config.quotas[gap], made[gap])
        for gap, pool in supply.items()
    ]  # fmt: skip


def _score(given: ImportedLabel | Dropped, responses: Mapping[str, Response]) -> Scored | None:
    if isinstance(given, Dropped) or not isinstance(given.verdict, Scores):
        return None
    if len(given.response_ids) != 1:
        return None
    (response,) = given.response_ids
    return Scored(responses[response].question_id, response, given.verdict.values[0])


def _item(
    pair: ScorePair, questions: Mapping[str, Question], responses: Mapping[str, Response]
) -> Item:
    shown = [responses[side.response_id] for side in (pair.first, pair.second)]
    question = questions[shown[0].question_id]
    return Item.make(
        source=" and ".join(sorted({r.source for r in shown})),
        licence="; ".join(dict.fromkeys([question.licence, *(r.licence for r in shown)])),
        kind=Kind.PAIR,
        question_id=question.id,
        response_ids=tuple(r.id for r in shown),
        bucket=bucket_of(pair.gap),
        subtype=None,
        split=None,
    )
