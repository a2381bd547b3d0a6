"""Which texts do two or more sets have in common, word for word or nearly?

Benchmarks copy from each other: the same 80 questions stand in four published sets. A judge
trained on one and measured on another is then measured on what it has seen.

A text is the same after case and white space are folded; it is near if its word 3-grams have a
Jaccard similarity of at least the threshold (`near_duplicate.py`). Texts of fewer than five words
are the same by chance and are counted apart.

False alarms: none. A reported pair is alike by the stated measure; whether that matters is for the
reader, so what is only short is `info`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.audits.leak import is_short, normalise
from judgesmith.audits.near_duplicate import NearDuplicateIndex

THRESHOLD = 0.8


@dataclass(frozen=True, slots=True)
class PlacedText:
    """One text and where it stands: "file:line"."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class SetSize:
    """One set: its name, its texts, how many of them differ, and how many of these are short."""

    name: str
    texts: int
    distinct: int
    short: int


@dataclass(frozen=True, slots=True)
class CommonTexts:
    """What two sets have in common; every count is of distinct texts.

    Attributes:
        first: Name of the first set.
        second: Name of the second set.
        same: Texts of five words or more that are in both.
        near_first: Texts of the first that are not in the second, but near one that is.
        near_second: The same for the second.
        short: Texts of under five words that are in both.
        examples: Pairs of places of the same texts.
        near_examples: Pairs of places of near texts.
        short_examples: Pairs of places of short texts.
    """

    first: str
    second: str
    same: int
    near_first: int
    near_second: int
    short: int
    examples: tuple[str, ...]
    near_examples: tuple[str, ...]
    short_examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AcrossTable:
    """What the sets have in common.

    Attributes:
        sets: The sets, in the order given.
        pairs: One row per two sets.
        shared_by: (names, texts): how many texts of five words or more stand in exactly these
            sets, two or more; largest number first.
        threshold: Least similarity of a near duplicate.
    """

    sets: tuple[SetSize, ...]
    pairs: tuple[CommonTexts, ...]
    shared_by: tuple[tuple[tuple[str, ...], int], ...]
    threshold: float

    def pair(self, first: str, second: str) -> CommonTexts:
        """Give the row of two sets, named in either order.

        Raises:
            KeyError: If there is no such pair.
        """
        for row in self.pairs:
            if {row.first, row.second} == {first, second}:
                return row
        raise KeyError(f"no pair of sets {first!r} and {second!r}")

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def across_table(
    sets: Mapping[str, Sequence[PlacedText]], *, threshold: float = THRESHOLD
) -> AcrossTable:
    """Count the texts that every two sets have in common.

    Args:
        sets: Named sets of texts.
        threshold: Least Jaccard similarity of a near duplicate, 0.1 to 1.

    Raises:
        RecipeError: If the threshold is out of range.

    >>> ask = PlacedText("a:1", "What is the capital of France?")
    >>> again = PlacedText("b:7", "what is the capital of  france?")
    >>> row = across_table({"a": [ask], "b": [again]}).pairs[0]
    >>> row.same, row.near_first, row.examples
    (1, 0, ('a:1 ~ b:7',))
    """
    indexed = {name: _Set(name, texts, threshold) for name, texts in sets.items()}
    homes: dict[str, list[str]] = defaultdict(list)
    for name, one in indexed.items():
        for text in one.long:
            homes[text].append(name)
    shared = Counter(tuple(names) for names in homes.values() if len(names) > 1)
    return AcrossTable(
        sets=tuple(SetSize(s.name, s.n, len(s.places), len(s.short)) for s in indexed.values()),
        pairs=tuple(_common(one, two) for one, two in combinations(indexed.values(), 2)),
        shared_by=tuple(sorted(shared.items(), key=lambda pair: (-pair[1], pair[0]))),
        threshold=threshold,
    )


class _Set:
    """The distinct texts of one set, each with its first place, and an index of the long ones."""

    def __init__(self, name: str, texts: Sequence[PlacedText], threshold: float) -> None:
        self.name, self.n = name, len(texts)
        self.places: dict[str, str] = {}
        for one in texts:
            self.places.setdefault(normalise(one.text), one.where)
        self.long = [text for text in self.places if not is_short(text)]
        self.short = [text for text in self.places if is_short(text)]
        self.index = NearDuplicateIndex.build(self.long, threshold=threshold)
        self.threshold = threshold

    def near(self, other: "_Set") -> Iterator[tuple[str, str]]:
        """Places of the texts here that are near one of the other set but not in it."""
        apart = [text for text in self.long if text not in other.places]
        for text, candidates in zip(apart, other.index.look_up(apart), strict=True):
            for j in candidates.indices:
                if candidates.similarity(int(j)) >= self.threshold:
                    yield self.places[text], other.places[other.long[int(j)]]
                    break


def _common(one: _Set, two: _Set) -> CommonTexts:
    same = [text for text in one.long if text in two.places]
    short = [text for text in one.short if text in two.places]
    near_one, near_two = list(one.near(two)), list(two.near(one))
    return CommonTexts(
        first=one.name,
        second=two.name,
        same=len(same),
        near_first=len(near_one),
        near_second=len(near_two),
        short=len(short),
        examples=_pairs([(one.places[t], two.places[t]) for t in same]),
        near_examples=_pairs(near_one or [(b, a) for a, b in near_two]),
        short_examples=_pairs([(one.places[t], two.places[t]) for t in short]),
    )


def _pairs(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{a} ~ {b}" for a, b in pairs[:MAX_EXAMPLES])


def across_findings(table: AcrossTable) -> tuple[Finding, ...]:
    """Warn of each two sets that share texts; texts of under five words are `info`.

    Args:
        table: What `across_table` counted.
    """
    sizes = {one.name: one for one in table.sets}
    found: list[Finding] = []
    for row in table.pairs:
        first, second = sizes[row.first], sizes[row.second]
        found.extend(_shared(row, first, second, table.threshold))
        if row.short:
            found.append(
                Finding(
                    audit="across",
                    severity=Severity.INFO,
                    message=(
                        f"{row.first} and {row.second} have {row.short} texts of under five words "
                        "in common"
                    ),
                    count=row.short,
                    of=min(first.short, second.short),
                    examples=row.short_examples,
                    effect="none by itself: short texts are the same by chance",
                    remedy="look at the examples",
                )
            )
    return tuple(found)


def _shared(
    row: CommonTexts, first: SetSize, second: SetSize, threshold: float
) -> Iterator[Finding]:
    if not (row.same or row.near_first or row.near_second):
        return
    n_first, n_second = first.distinct - first.short, second.distinct - second.short
    # The smaller set is the one that the overlap says most about.
    smaller = row.near_first if n_first <= n_second else row.near_second
    yield Finding(
        audit="across",
        severity=Severity.WARNING,
        message=(
            f"{row.first} ({n_first} texts) and {row.second} ({n_second}): {row.same} are the "
            f"same, and {row.near_first} of the first and {row.near_second} of the second are "
            f"near duplicates (similarity {threshold:g} or more)"
        ),
        count=row.same + smaller,
        of=min(n_first, n_second),
        examples=row.examples or row.near_examples,
        effect="a judge that learned from one set has seen part of the other; results on both are "
        "not independent",
        remedy="keep the shared texts on one side, or report results without them",
    )
