"""Judgments that models gave elsewhere, as judgments and labels of this run.

A person's imported verdict is a label. A model's is a judgment, too: with its reason it can be
learnt from. It is written in the dialect of the condition in which it was made, so that what was
said with a reference in sight is never taken for what is said without one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from judgesmith.audits.ties import majority
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.writing import NEUTRAL
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Direction,
    Item,
    Judgment,
    Label,
    Ranking,
    Scores,
    Status,
    Verdict,
    reorder,
)
from judgesmith.sources import ImportedLabel

AS_GIVEN = "as given"
CLASH = "imported reasons that no reply of their dialect can hold"
OFF_SCALE = "imported verdicts off the scale of their dialect"
TORN = "items on which an imported annotator says several things"


@dataclass
class Imported:
    """What models of elsewhere say. `counts` are what was lost, by reason.

    `torn` are the items that an annotator says several things of, each as often, with the places of
    what was said.
    """

    judgments: list[Judgment] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    without_item: int = 0
    torn: dict[str, list[str]] = field(default_factory=dict)


def model_labels(
    imported: Iterable[ImportedLabel], items: Sequence[Item], dialect: Dialect,
    named: Callable[[str], Dialect], *, kind: AnnotatorKind = AnnotatorKind.MODEL,
) -> Imported:  # fmt: skip
    """Judgments by models in the dialects they were made in, and one label per item and annotator.

    The label is what the annotator said in `dialect`, else in the first dialect of the file; of
    several judgments in it scores are averaged, and of letters most decide; where as many say
    another thing, there is no label. It cites the annotator's judgments of the item in whatever
    dialect, as each teaches its own condition, but no letter that most in that dialect contradict.

    A judgment whose reason no reply can hold keeps its verdict and loses the reason. One off its
    dialect's scale is lost. Both are counted.

    Args:
        imported: verdicts in the order they were shown.
        items: of the run.
        dialect: of verdicts that name none, and of the labels.
        named: the dialect of a name.
        kind: of the labels; in a rehearsal nothing is called a model's.
    """
    found = Imported()
    places: dict[str, str] = {}
    by_responses = {frozenset(item.response_ids): item for item in items}
    samples: Counter[tuple[object, ...]] = Counter()
    directions = {dialect.hash: dialect.direction}
    for given in imported:
        item = by_responses.get(frozenset(given.response_ids))
        if item is None:
            found.without_item += 1
            continue
        own = named(given.dialect) if given.dialect else dialect
        judgment = _judgment(given, item, own, found.counts)
        if judgment is None:
            continue
        directions[judgment.dialect] = own.direction
        key = (item.id, judgment.judge, judgment.dialect, judgment.order)
        if samples[key]:
            judgment = _again(judgment, samples[key])
        samples[key] += 1
        places[judgment.id] = given.place
        found.judgments.append(judgment)
    found.labels = _labels(found, directions, kind, places)
    return found


def _again(judgment: Judgment, sample: int) -> Judgment:
    fields = {name: value for name, value in judgment if name != "id"}
    return Judgment.make(**{**fields, "sample": sample})


def _judgment(
    given: ImportedLabel, item: Item, dialect: Dialect, counts: Counter[str]
) -> Judgment | None:
    verdict = _directed(given, dialect)
    if verdict is None or not _on_scale(dialect, verdict):
        counts[OFF_SCALE] += 1
        return None
    reply = None
    if given.rationale is not None:
        try:
            reply = dialect.write_reply(given.rationale, verdict)
        except ValueError:
            counts[CLASH] += 1
    return Judgment.make(
        source=given.source,
        licence=given.licence,
        item_id=item.id,
        judge=given.annotator,
        dialect=dialect.hash,
        order=tuple(item.response_ids.index(i) for i in given.response_ids),
        sample=0,
        reply=reply,
        rationale=None if reply is None else str(given.rationale).strip(),
        verdict=verdict,
        distribution=None,
        status=Status.PARSED,
        reference=None,
    )


def _directed(given: ImportedLabel, dialect: Dialect) -> Verdict | None:
    """The verdict in the dialect's direction; None for scores that count the other way."""
    if dialect.direction in (None, given.direction):
        return given.verdict
    if isinstance(given.verdict, Choice) and len(given.response_ids) == 2:
        return reorder(given.verdict, (1, 0))
    return None


def _on_scale(dialect: Dialect, verdict: Verdict) -> bool:
    try:
        dialect.write_reply(NEUTRAL, verdict)
    except ValueError:
        return False
    return True


def _labels(
    found: Imported, directions: Mapping[str, Direction | None], kind: AnnotatorKind,
    places: Mapping[str, str],
) -> list[Label]:  # fmt: skip
    """One label per item and annotator; `directions` are by dialect, that of the labels first."""
    first = next(iter(directions))
    by_annotator: dict[tuple[str, str], list[Judgment]] = {}
    for judgment in found.judgments:
        by_annotator.setdefault((judgment.item_id, judgment.judge), []).append(judgment)
    labels = []
    for (item_id, annotator), said in by_annotator.items():
        by_dialect: dict[str, list[Judgment]] = {}
        for one in said:
            by_dialect.setdefault(one.dialect, []).append(one)
        counted = first if first in by_dialect else said[0].dialect
        verdict = accepted(map(_in_item_order, by_dialect[counted]))
        if verdict is None:
            found.counts[TORN] += 1
            found.torn[item_id] = [places[one.id] for one in by_dialect[counted]]
            continue
        uncontradicted = {one.id for group in by_dialect.values() for one in _agreeing(group)}
        labels.append(
            Label.make(
                source=said[0].source,
                licence=said[0].licence,
                item_id=item_id,
                verdict=verdict,
                direction=directions[counted],
                confidence=None,
                policy=AS_GIVEN,
                judgment_ids=tuple(
                    one.id
                    for one in sorted(said, key=lambda one: one.dialect != counted)
                    if one.id in uncontradicted
                ),
                annotator_kind=kind,
                annotator=annotator,
            )
        )
    return labels


def _agreeing(judgments: Sequence[Judgment]) -> list[Judgment]:
    """Of letters those that most say, none where as many say another thing; of others all."""
    verdicts = [_in_item_order(one) for one in judgments]
    if not all(isinstance(verdict, Choice) for verdict in verdicts):
        return list(judgments)
    most = accepted(verdicts)
    return [one for one, said in zip(judgments, verdicts, strict=True) if said == most]


def accepted(given: Iterable[Verdict]) -> Choice | Scores | Ranking | None:
    """One verdict of several in item order: the mean of scores, what most letters say, else None.

    >>> from judgesmith.records import choice
    >>> accepted([choice("A"), choice("B"), choice("A")]), accepted([choice("A"), choice("B")])
    (Choice(kind='choice', value='A'), None)
    """
    verdicts = list(given)
    if verdicts and all(one == verdicts[0] for one in verdicts):
        return verdicts[0]
    scores = [one for one in verdicts if isinstance(one, Scores)]
    if len(scores) == len(verdicts) and all(one.criteria is None for one in scores):
        columns = zip(*(one.values for one in scores), strict=True)
        means = tuple(sum(column) / len(scores) for column in columns)
        return Scores(kind="scores", values=means, criteria=None)
    letters = [one.value for one in verdicts if isinstance(one, Choice)]
    most = majority(letters) if len(letters) == len(verdicts) else None
    return None if most is None else Choice(kind="choice", value=most)


def _in_item_order(judgment: Judgment) -> Verdict:
    assert judgment.verdict is not None
    return (
        judgment.verdict if len(judgment.order) == 1 else reorder(judgment.verdict, judgment.order)
    )
