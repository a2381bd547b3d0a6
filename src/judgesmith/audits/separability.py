"""Does one word tell the chosen text of a preference row from the rejected one?

Preference training has to learn what makes a text right. If "bias" stands in nearly every chosen
text and in hardly a rejected one, it learns that word. Which word separates best is itself chosen
from the data, so its accuracy on the same data says little: among thousands of words one separates
any two dozen texts well by chance. Here the rows are cut in five folds by a keyed hash of their
group; the keyword is picked on four folds and measured on the fifth, in turn, and only these
held-out hits are counted.

A keyword is a word, the beginning of a word ("bias*"), or two words in a row. Its classifier says
"chosen" where the keyword stands (or where it is absent, if that is how it was picked). Accuracy is
the mean of the share of chosen texts and the share of rejected texts that it gets right, so the
two sides may differ in number. Of each group one chosen and one rejected text counts, picked by
the same hash, which makes the counted texts independent; of more than 4,000 groups, the 4,000 with
the least hash are looked at.

False alarms: with its defaults a set is warned of when the lower end of the 95% interval lies
above 0.75. So at most 3% of sets whose best keyword is right in just 75% of texts are warned of,
and practically none of those where chosen and rejected texts are alike.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from heapq import nsmallest
from itertools import pairwise

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.errors import DataError, RecipeError
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.result import Estimate

STEMS = (4, 6, 8)
"""Lengths of the beginnings of words that may be keywords."""

N_SHOWN = 10
"""Keywords in the table."""

N_FOLDS = 5
MOST_GROUPS = 4000

_TOO_FEW = "too few chosen or rejected texts to pick a keyword on some and measure it on others"
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class ContrastRow:
    """A preference row, or one side of it.

    Attributes:
        group: What must stay together: the item or, better, its question.
        chosen: The chosen text; None where it is not known.
        rejected: The rejected text; None where it is not known.
        where: Where the row stands ("file:line" or an id).
    """

    group: str
    chosen: str | None
    rejected: str | None
    where: str


@dataclass(frozen=True, slots=True)
class KeywordShare:
    """How one keyword is spread, over all counted texts. Seen on the data it was picked on.

    Attributes:
        keyword: A word, "stem*", or two words.
        chosen: Counted chosen texts with it.
        rejected: Counted rejected texts with it.
        only_chosen: Groups with both texts where only the chosen one has it.
        only_rejected: Groups with both texts where only the rejected one has it.
    """

    keyword: str
    chosen: int
    rejected: int
    only_chosen: int
    only_rejected: int


@dataclass(frozen=True, slots=True)
class SeparabilityTable:
    """How well one keyword separates chosen from rejected.

    Attributes:
        chosen: Counted chosen texts, one per group.
        rejected: Counted rejected texts, one per group.
        pairs: Groups with both.
        accuracy: Held-out accuracy of the best keyword: the mean over both sides of the share
            that it gets right. The interval is the mean of both Wilson intervals, which holds
            however the two sides hang together, and is then wider than needed.
        apparent: The same accuracy of the strongest keyword on the data that it was picked on;
            None without it. Too good, and much too good where texts are few.
        keywords: The keyword picked for each fold, and whether it marks the chosen side.
        hits: Held-out chosen and rejected texts that were told rightly.
        strongest: The keywords that differ most between the sides, on all counted texts.
        examples: Where rows stand that the keywords tell rightly, held out.
    """

    chosen: int
    rejected: int
    pairs: int
    accuracy: Estimate
    apparent: float | None
    keywords: tuple[tuple[str, bool], ...]
    hits: tuple[int, int]
    strongest: tuple[KeywordShare, ...]
    examples: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Text:
    group: str
    chosen: bool
    fold: int
    where: str
    features: frozenset[str]


def keywords_of(text: str) -> frozenset[str]:
    """The keywords that stand in a text.

    >>> sorted(keywords_of("Is biased"))
    ['bias*', 'biased', 'biased*', 'is', 'is biased']
    """
    words = _WORD.findall(text.casefold())
    found = set(words)
    found.update(f"{first} {second}" for first, second in pairwise(words))
    found.update(f"{word[:size]}*" for word in set(words) for size in STEMS if len(word) >= size)
    return frozenset(found)


def separability_table(rows: Sequence[ContrastRow], *, seed: int = 0) -> SeparabilityTable:
    """Measure how well one keyword separates chosen from rejected texts.

    Args:
        rows: Preference rows in any order. Rows of one side only are fine.
        seed: Key of the hash that makes the folds and picks one text per group and side.

    Returns:
        The table. The accuracy is undefined if a side has fewer than two texts, or all in one fold.

    >>> rows = [ContrastRow(f"q{i}", "is it biased", "is it better", f"x:{i}") for i in range(40)]
    >>> table = separability_table(rows)
    >>> table.accuracy.value, table.hits, table.strongest[0].keyword
    (1.0, (40, 40), 'bett*')
    """
    texts = _counted(rows, seed)
    chosen = sum(text.chosen for text in texts)
    by_group = Counter(text.group for text in texts)
    spread = _Spread.of(texts)
    ranked = spread.ranked(N_SHOWN)
    table = SeparabilityTable(
        chosen=chosen,
        rejected=len(texts) - chosen,
        pairs=sum(count == 2 for count in by_group.values()),
        accuracy=Estimate.missing(_TOO_FEW, len(texts)),
        apparent=(1 + abs(ranked[0][1])) / 2 if ranked else None,
        keywords=(),
        hits=(0, 0),
        strongest=_strongest(texts, spread, [key for key, _ in ranked]),
        examples=(),
    )
    return _cross_fit(texts, spread, table)


def _counted(rows: Iterable[ContrastRow], seed: int) -> list[_Text]:
    """One text per group and side, the one whose hash is least; sorted, so order is no matter."""
    best: dict[tuple[str, bool], tuple[bytes, str, str]] = {}
    for row in rows:
        for chosen, text in ((True, row.chosen), (False, row.rejected)):
            if text is None:
                continue
            entry = (_hash(seed, row.group, text), text, row.where)
            key = (row.group, chosen)
            best[key] = min(best.get(key, entry), entry)
    groups = sorted({group for group, _ in best}, key=lambda group: (_hash(seed, group), group))
    kept = set(groups[:MOST_GROUPS])
    return [
        _Text(group, chosen, _hash(seed, group)[0] % N_FOLDS, where, keywords_of(text))
        for (group, chosen), (_, text, where) in sorted(best.items())
        if group in kept
    ]


def _hash(seed: int, *parts: str) -> bytes:
    joined = "\x1f".join((str(seed), *parts))
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).digest()


@dataclass(frozen=True, slots=True)
class _Spread:
    """In how many chosen and rejected texts each keyword stands."""

    size: tuple[int, int]
    counts: tuple[Counter[str], Counter[str]]

    @classmethod
    def of(cls, texts: Iterable[_Text]) -> "_Spread":
        counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        size = [0, 0]
        for text in texts:
            side = 0 if text.chosen else 1
            size[side] += 1
            counts[side].update(text.features)
        return cls((size[0], size[1]), counts)

    def without(self, other: "_Spread") -> "_Spread":
        (a, b), (c, d) = self.size, other.size
        one, two = (Counter(mine) for mine in self.counts)
        one.subtract(other.counts[0])
        two.subtract(other.counts[1])
        return _Spread((a - c, b - d), (one, two))

    def ranked(self, most: int) -> list[tuple[str, float]]:
        """The keywords whose shares differ most, the shorter one first if equal."""
        chosen, rejected = self.size
        if not chosen or not rejected:
            return []
        one, two = self.counts
        gaps = {key: one[key] / chosen - two[key] / rejected for key in one.keys() | two.keys()}
        return nsmallest(most, gaps.items(), key=lambda gap: (-abs(gap[1]), len(gap[0]), gap[0]))


def _strongest(
    texts: Sequence[_Text], spread: _Spread, keys: Iterable[str]
) -> tuple[KeywordShare, ...]:
    sides: dict[str, dict[bool, frozenset[str]]] = {}
    for text in texts:
        sides.setdefault(text.group, {})[text.chosen] = text.features
    pairs = [(side[True], side[False]) for side in sides.values() if len(side) == 2]
    return tuple(
        KeywordShare(
            keyword=key,
            chosen=spread.counts[0][key],
            rejected=spread.counts[1][key],
            only_chosen=sum(key in one and key not in other for one, other in pairs),
            only_rejected=sum(key in other and key not in one for one, other in pairs),
        )
        for key in keys
    )


def _cross_fit(
    texts: Sequence[_Text], spread: _Spread, table: SeparabilityTable
) -> SeparabilityTable:
    """Fill in what is held out; the table as it is if some fold leaves nothing to pick from."""
    hits = {True: 0, False: 0}
    picked, examples = [], []
    for fold in range(N_FOLDS):
        held_out = [text for text in texts if text.fold == fold]
        ranked = spread.without(_Spread.of(held_out)).ranked(1)
        if not ranked:
            return table
        key, gap = ranked[0]
        picked.append((key, gap > 0))
        for text in held_out:
            if ((key in text.features) == (gap > 0)) == text.chosen:
                hits[text.chosen] += 1
                examples.append(text.where)
    return replace(
        table,
        accuracy=_mean(wilson(hits[True], table.chosen), wilson(hits[False], table.rejected)),
        keywords=tuple(picked),
        hits=(hits[True], hits[False]),
        examples=tuple(dict.fromkeys(examples))[:MAX_EXAMPLES],
    )


def _mean(one: Estimate, other: Estimate) -> Estimate:
    def middle(a: float | None, b: float | None) -> float:
        if a is None or b is None:
            raise DataError("expected shares of at least one text each, found an empty side")
        return (a + b) / 2

    return Estimate(
        middle(one.value, other.value),
        middle(one.low, other.low),
        middle(one.high, other.high),
        n=one.n + other.n,
        confidence=one.confidence,
        method="mean of two Wilson intervals, cross-fitted",
    )


def separability_findings(
    table: SeparabilityTable, *, warn: float = 0.75, stop: float = 0.85
) -> tuple[Finding, ...]:
    """Warn when one keyword tells chosen from rejected.

    Args:
        table: What `separability_table` measured.
        warn: The lower end of the accuracy from where on to warn; 0.5 to 1.
        stop: The same for an error; `warn` to 1.

    Returns:
        One finding, or none.

    Raises:
        RecipeError: If a limit lies outside its range.
    """
    if not 0.5 <= warn <= stop <= 1:
        raise RecipeError(
            f"separability limits: expected 0.5 <= warn <= stop <= 1, found warn={warn!r}, "
            f"stop={stop!r}"
        )
    accuracy = table.accuracy
    if accuracy.value is None or accuracy.low is None or accuracy.low <= warn:
        return ()
    names = " and ".join(repr(key) for key in dict.fromkeys(key for key, _ in table.keywords))
    return (
        Finding(
            audit="separability",
            severity=Severity.ERROR if accuracy.low > stop else Severity.WARNING,
            message=(
                f"one keyword ({names}) tells chosen from rejected texts: "
                f"{table.hits[0]} of {table.chosen} chosen and {table.hits[1]} of "
                f"{table.rejected} rejected, held out, {accuracy.value:.0%} on average "
                f"(95% interval from {accuracy.low:.0%})"
            ),
            count=sum(table.hits),
            of=table.chosen + table.rejected,
            examples=table.examples,
            effect="training can prefer the chosen texts by that word and learn nothing else",
            remedy=(
                "tell the writer of the rejected texts what a verdict names, have them written "
                "in the words of the rubric, and measure again"
            ),
        ),
    )
