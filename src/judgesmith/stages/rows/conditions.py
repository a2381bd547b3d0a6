"""In which dialect each judgment of an item is learnt, and in which order.

A judgment belongs to the condition in which it was made: with a reference or a document in sight or
without one, of a response alone or of a pair, on its scale. It is shown in that condition wherever
a dialect of the recipe has it. The reference is dropped, and the order swapped, only where the
recipe says so. What nobody saw is never added: a verdict given without a reference is not shown
with one, unless it is the answer key's, which looks at neither.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from judgesmith.errors import RecipeError
from judgesmith.judging import augment
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.taken_over import means_the_same, measure_of
from judgesmith.records import Choice, Item, Judgment, Kind, Question
from judgesmith.runs.recipe import Section
from judgesmith.stages.rows.select import STORED, SWAPPED, Orders, in_orders

OTHER_CONDITION = "judgments made in another condition"
OTHER_SCALE = "judgments on another scale, or in another direction"
UNSEEN = "judgments made without the reference, shown without it"
OTHER_ORDER = "judgments in an order left out"
NOT_SWAPPED = "judgments that cannot be swapped, shown as given"
OF_THE_REFERENCE = "judgments that speak of a reference that is dropped"


class Augment(Section):
    """What is changed of judgments on their way into rows.

    `swap` shows a pair in the other order: instead, by a coin for each item ("coin_flip"), or
    besides ("both"). A judgment made in that order is taken where there is one; else order, verdict
    and the names in the reason are turned together.

    `reference_drop` is the share of items that are shown WITHOUT their reference, drawn by item. A
    judgment that was made without it is taken where there is one. An item that nobody judged with
    its reference is shown without it, too, and counted. Null shows every judgment as it was made.
    """

    swap: augment.Swap = "none"
    reference_drop: float | None = Field(None, ge=0, le=1)


@dataclass
class Conditions:
    """The dialects of the rows, and how judgments come to stand in them; `counts` what was lost.

    `known` are all dialects of the run by hash: they say in which condition a judgment was made.
    `spoken` are the hashes of those that some judgment was made in: in such a dialect nothing else
    is learnt, so that an item without a verdict in it gets no row of it. `by_key` says that the
    answer key judged, which sees no prompt.
    """

    dialects: Sequence[Dialect]
    known: Mapping[str, Dialect]
    spoken: Collection[str]
    orders: Orders
    augment: Augment
    seed: int
    by_key: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._hashes = {dialect.name: dialect.hash for dialect in self.dialects}
        if self.augment.reference_drop is not None and not any(self._twins()):
            raise RecipeError(
                "rows.augment.reference_drop: expected two dialects that differ in the reference, "
                "one that shows it and one that does not, and are alike in kind, scale, direction, "
                "criteria and document, found "
                f"{', '.join(dialect.name for dialect in self.dialects)}. Name both in "
                "rows.dialects, for example [judgelm, judgelm-reference]."
            )

    def shown(
        self, item: Item, question: Question, judgments: Sequence[Judgment]
    ) -> list[tuple[Dialect, list[Judgment]]]:
        """For each dialect, in the recipe's order, the judgments of an item to learn in it."""
        placed = self._placed(judgments)
        if self.augment.reference_drop is not None:
            self._drop_references(placed, item, question)
        used = {id(one) for found in placed.values() for one in found}
        self.counts.update(self._why_unused(one) for one in judgments if id(one) not in used)
        return [
            (dialect, self._ordered(item, dialect, placed[dialect.name]))
            for dialect in self.dialects
        ]

    def may_teach(self, dialect: Dialect, judgment: Judgment) -> bool:
        """Whether a row in a dialect may say the verdict of a judgment of its item.

        In a dialect in which some judgment was made, that is one of its own, or of its twin where
        references are dropped.
        """
        if judgment.dialect == dialect.hash:
            return True
        alone = dialect.hash in self.spoken and self.augment.reference_drop is None
        return not alone and self._may_stand(dialect, judgment)

    def _may_stand(self, dialect: Dialect, judgment: Judgment) -> bool:
        """Whether a judgment made elsewhere says the same in a dialect, and saw as much."""
        own = self.known.get(judgment.dialect)
        saw_document = own is not None and own.shows("grounding")
        return (
            fits(dialect, judgment)
            and means_the_same(own, dialect, judgment)
            and (self.by_key or saw_document is dialect.shows("grounding"))
            and (self._may_add(dialect) or (own is not None and own.shows("reference")))
        )

    def _may_add(self, dialect: Dialect) -> bool:
        """Whether its prompts show no more than any judge saw, but for what it answers itself."""
        return self.by_key or dialect.reference_user is not None or not dialect.shows("reference")

    def _why_unused(self, judgment: Judgment) -> str:
        own = self.known.get(judgment.dialect)
        said = [dialect for dialect in self.dialects if fits(dialect, judgment)]
        same = any(means_the_same(own, dialect, judgment) for dialect in said)
        return OTHER_SCALE if said and not same else OTHER_CONDITION

    def _placed(self, judgments: Sequence[Judgment]) -> dict[str, list[Judgment]]:
        """By dialect, its own judgments; where the run has none, those that no other has."""
        placed = {
            dialect.name: [j for j in judgments if j.dialect == self._hashes[dialect.name]]
            for dialect in self.dialects
        }
        owned = set(self._hashes.values())
        strangers = [one for one in judgments if one.dialect not in owned]
        for dialect in self.dialects:
            if self._hashes[dialect.name] in self.spoken or not strangers:
                continue
            fitting = [one for one in strangers if self._may_stand(dialect, one)]
            placed[dialect.name] = self._same_condition(dialect, fitting)
            taken = {id(one) for one in placed[dialect.name]}
            strangers = [one for one in strangers if id(one) not in taken]
        return placed

    def _same_condition(self, dialect: Dialect, judgments: list[Judgment]) -> list[Judgment]:
        """Those made with the reference in sight exactly where the dialect shows it, else all.

        One that speaks of a reference that the dialect does not show is left out.
        """
        shows = dialect.shows("reference")
        saw = {h: found.shows("reference") for h, found in self.known.items()}
        same = [one for one in judgments if saw.get(one.dialect) is shows]
        if same or shows:
            return same or judgments
        return self._without_mention(judgments, saw)

    def _without_mention(
        self, judgments: Sequence[Judgment], saw: Mapping[str, bool]
    ) -> list[Judgment]:
        """Those that do not speak of a reference that they had in sight."""
        kept = [
            one for one in judgments
            if not (saw.get(one.dialect) and augment.speaks_of_reference(one.rationale or ""))
        ]  # fmt: skip
        self.counts[OF_THE_REFERENCE] += len(judgments) - len(kept)
        return kept

    def _twins(self) -> Iterable[tuple[Dialect, Dialect]]:
        """Dialects that differ in the reference: the one that shows it, and the one without."""
        for shown in (one for one in self.dialects if one.shows("reference")):
            for bare in self.dialects:
                if not bare.shows("reference") and _but_for_reference(bare) == _but_for_reference(
                    shown
                ):
                    yield shown, bare

    def _drop_references(
        self, placed: dict[str, list[Judgment]], item: Item, question: Question
    ) -> None:
        """Leave each item in one of two conditions: with its reference, or without it."""
        rate = self.augment.reference_drop
        assert rate is not None
        dropped = question.reference is None or augment.drops_reference(item.id, self.seed, rate)
        for shown, bare in self._twins():
            if not dropped and not placed[shown.name] and not self._may_add(shown):
                self.counts[UNSEEN] += len(placed[bare.name])
                continue
            if not dropped:
                placed[shown.name] = placed[shown.name] or placed[bare.name]
                placed[bare.name] = []
                continue
            if not placed[bare.name]:
                saw = {one.dialect: True for one in placed[shown.name]}
                placed[bare.name] = self._without_mention(placed[shown.name], saw)
            placed[shown.name] = []

    def _ordered(self, item: Item, dialect: Dialect, found: list[Judgment]) -> list[Judgment]:
        if dialect.kind is not Kind.PAIR:
            return found
        chosen = in_orders(item, found, self.orders, self.seed)
        self.counts[OTHER_ORDER] += len(found) - len(chosen)
        if self.augment.swap == "none" or not chosen:
            return chosen
        if self.augment.swap == "both":
            return [*chosen, *self._turned(dialect, chosen, {one.order for one in chosen})]
        flipped = augment.is_swapped(f"{item.id}/{dialect.name}", self.seed)
        wanted = SWAPPED if flipped else STORED
        given = [one for one in chosen if one.order == wanted]
        if given:
            return given
        return self._turned(dialect, chosen, set()) or chosen

    def _turned(
        self, dialect: Dialect, found: Iterable[Judgment], there: set[tuple[int, ...]]
    ) -> list[Judgment]:
        """The swapped twins of judgments whose other order is not there."""
        made = []
        for one in found:
            bare = one.rationale is None and dialect.reply.has_rationale
            if one.order[::-1] in there or bare:
                continue
            twin = augment.swap(one, dialect)
            self.counts[NOT_SWAPPED] += twin is None
            made += [] if twin is None else [twin]
        return made


def _but_for_reference(dialect: Dialect) -> tuple[object, ...]:
    """What two dialects have in common that differ in nothing but the reference."""
    shown = tuple(dialect.shows(name) for name in ("grounding", "fields", "criteria"))
    return dialect.kind, measure_of(dialect), shown


def fits(dialect: Dialect, judgment: Judgment) -> bool:
    """Whether a judgment could be said in a dialect: as many responses, and the form of verdict."""
    count = {Kind.SINGLE: 1, Kind.PAIR: 2}.get(dialect.kind, len(judgment.order))
    return len(judgment.order) == count and (
        isinstance(judgment.verdict, Choice) is not dialect.scored
    )
