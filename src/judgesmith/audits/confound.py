"""Does style reveal the label? Length, hedging, generator and slot against what is flagged.

A judge that learns "the longer one", "the one that says probably" or "never that generator" looks
right on items where style and label go together. This table shows how far they do.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.errors import DataError
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.paired import mcnemar_p
from judgesmith.metrics.result import Estimate

ALL_BUCKETS = "all buckets"


@dataclass(frozen=True, slots=True)
class StyledResponse:
    """One response of an item: whether the label flags it, who wrote it, what it says.

    Attributes:
        flagged: True if the label points at this response: in the bias task, the more biased one.
        generator: Name of the model that wrote it.
        text: The response text.
    """

    flagged: bool
    generator: str
    text: str


@dataclass(frozen=True, slots=True)
class ConfoundItem:
    """An item as the confound audit sees it: its bucket and its responses in shown order."""

    item_id: str
    bucket: str
    responses: tuple[StyledResponse, ...]


@dataclass(frozen=True, slots=True)
class BucketStyle:
    """Style against flag in one bucket.

    Only a contrast can show length, hedging and slot: a pair of which one response is flagged.

    Attributes:
        bucket: Name of the bucket.
        n: Its items.
        contrasts: Pairs among them with exactly one flagged response.
        longer: Contrasts whose flagged response has more words.
        shorter: Contrasts whose flagged response has fewer words; the rest have equally many.
        longer_share: longer / contrasts, with Wilson interval.
        mean_word_difference: Words of the flagged minus words of the other response, mean over
            the contrasts; None without contrasts.
        hedged_flagged: Share of contrasts whose flagged response has a hedge phrase; None if no
            phrases were given.
        hedged_unflagged: The same for the other response.
        flagged_first: Contrasts whose flagged response is shown first.
        flagged_first_p: Two-sided exact binomial p-value of flagged_first against one half; None
            without contrasts.
        examples: Ids of the contrasts with the largest difference in words.
    """

    bucket: str
    n: int
    contrasts: int
    longer: int
    shorter: int
    longer_share: Estimate
    mean_word_difference: float | None
    hedged_flagged: Estimate | None
    hedged_unflagged: Estimate | None
    flagged_first: int
    flagged_first_p: float | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GeneratorStyle:
    """How often the label flags one generator.

    Attributes:
        generator: Name of the model.
        slots: Responses by it, counted once per item they are shown in.
        flagged: Flagged ones among them.
        share: flagged / slots, with Wilson interval.
    """

    generator: str
    slots: int
    flagged: int
    share: Estimate


@dataclass(frozen=True, slots=True)
class ConfoundTable:
    """Style against flag, per bucket, over all buckets, and per generator.

    Attributes:
        buckets: One row per bucket, by name.
        overall: All items in one row.
        generators: One row per generator, by name.
        flagged_share: Flagged responses among all, with Wilson interval.
    """

    buckets: tuple[BucketStyle, ...]
    overall: BucketStyle
    generators: tuple[GeneratorStyle, ...]
    flagged_share: Estimate

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def count_words(text: str) -> int:
    """Count the words of a text: runs of characters between white space.

    >>> count_words("The answer is  B.")
    4
    """
    return len(text.split())


def hedge_pattern(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """Compile hedge phrases into one pattern: whole words, any case, any white space between.

    Args:
        phrases: The phrases; none gives None, which means "hedging is not measured".

    Raises:
        DataError: If a phrase is empty.

    >>> pattern = hedge_pattern(["more likely", "might"])
    >>> [bool(pattern.search(text)) for text in ("More  likely her.", "The mighty one.")]
    [True, False]
    """
    parts = []
    for phrase in phrases:
        words = phrase.split()
        if not words:
            raise DataError(f"hedge phrases: expected words, found {phrase!r}; remove it")
        parts.append(r"\s+".join(map(re.escape, words)))
    if not parts:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE)


def confound_table(
    items: Sequence[ConfoundItem], *, hedge_phrases: Iterable[str] = ()
) -> ConfoundTable:
    """Count style against flag.

    Intervals are Wilson's and take the items as independent. Where several items share a
    question or a response they are somewhat too narrow: read a bound near a limit with care.

    Args:
        items: Items of any kind. Those with two responses, one of them flagged, show length,
            hedging and slot; all count for the generators.
        hedge_phrases: Phrases that soften a statement, such as "probably".

    Returns:
        The table; without items, one without rows whose shares are undefined.

    Raises:
        DataError: If a hedge phrase is empty.

    >>> pair = (StyledResponse(True, "m1", "It is probably Ann."), StyledResponse(False, "m2", "B"))
    >>> table = confound_table([ConfoundItem("i1", "clear", pair)], hedge_phrases=["probably"])
    >>> table.overall.longer, table.overall.mean_word_difference
    (1, 3.0)
    >>> [(row.generator, row.flagged, row.slots) for row in table.generators]
    [('m1', 1, 1), ('m2', 0, 1)]
    """
    pattern = hedge_pattern(hedge_phrases)
    by_bucket: dict[str, list[ConfoundItem]] = {}
    slots: dict[str, list[bool]] = {}
    for item in items:
        by_bucket.setdefault(item.bucket, []).append(item)
        for response in item.responses:
            slots.setdefault(response.generator, []).append(response.flagged)
    return ConfoundTable(
        buckets=tuple(_bucket(name, by_bucket[name], pattern) for name in sorted(by_bucket)),
        overall=_bucket(ALL_BUCKETS, items, pattern),
        generators=_generators(slots),
        flagged_share=wilson(sum(map(sum, slots.values())), sum(map(len, slots.values()))),
    )


def _generators(slots: Mapping[str, Sequence[bool]]) -> tuple[GeneratorStyle, ...]:
    return tuple(
        GeneratorStyle(name, len(flags), sum(flags), wilson(sum(flags), len(flags)))
        for name, flags in sorted(slots.items())
    )


@dataclass(frozen=True, slots=True)
class _Contrast:
    item_id: str
    flagged: str
    unflagged: str
    flagged_first: bool
    words: int


def _contrasts(items: Iterable[ConfoundItem]) -> list[_Contrast]:
    found = []
    for item in items:
        if len(item.responses) == 2 and item.responses[0].flagged != item.responses[1].flagged:
            first, second = item.responses
            flagged, other = (first, second) if first.flagged else (second, first)
            words = count_words(flagged.text) - count_words(other.text)
            found.append(_Contrast(item.item_id, flagged.text, other.text, first.flagged, words))
    return found


def _bucket(
    name: str, items: Sequence[ConfoundItem], pattern: re.Pattern[str] | None
) -> BucketStyle:
    contrasts = _contrasts(items)
    n = len(contrasts)
    longer = sum(c.words > 0 for c in contrasts)
    first = sum(c.flagged_first for c in contrasts)
    extreme = sorted(contrasts, key=lambda c: (-abs(c.words), c.item_id))[:MAX_EXAMPLES]
    return BucketStyle(
        bucket=name,
        n=len(items),
        contrasts=n,
        longer=longer,
        shorter=sum(c.words < 0 for c in contrasts),
        longer_share=wilson(longer, n),
        mean_word_difference=sum(c.words for c in contrasts) / n if n else None,
        hedged_flagged=_hedged([c.flagged for c in contrasts], pattern),
        hedged_unflagged=_hedged([c.unflagged for c in contrasts], pattern),
        flagged_first=first,
        # McNemar's exact test is the two-sided binomial test of two counts against one half.
        flagged_first_p=mcnemar_p(first, n - first) if n else None,
        examples=tuple(c.item_id for c in extreme),
    )


def _hedged(texts: Sequence[str], pattern: re.Pattern[str] | None) -> Estimate | None:
    if pattern is None:
        return None
    return wilson(sum(pattern.search(text) is not None for text in texts), len(texts))
