"""Which mistakes become rows: even modes, and the same words and verdicts on both sides.

A student can prefer chosen texts by any word that is commoner among them, and then needs no
prompt. So mistakes are taken one by one, always for the mode that has fewest, always the one that
best evens out what the words and verdicts of the two sides differ by so far; after each, two of a
mode are exchanged where that evens out more. A word that stands twice is another word than one that
stands once. What is kept is the longest stretch at whose end every verdict is equally frequent on
both sides and no word is off by more than the square root of the rows, which is about what chance
would do.
"""

import math
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from judgesmith.audits import word_list

_VERDICT_WEIGHT, _WORD_WEIGHT, _PAIR_WEIGHT = 1000, 10, 1
"""What to even out first: verdicts, then words, then two words in a row."""

_Difference = tuple[tuple[tuple[int, str], int], ...]
"""How much oftener each thing stands on the chosen side, by its weight and name."""
_Class = tuple[str, int, _Difference]

PATIENCE = 200
"""Candidates taken in vain, one after the other, before the sides are given up as uneven."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The right and the wrong reply to one item in one order, each with its verdict."""

    order: tuple[int, ...]
    shown: tuple[str, ...]
    chosen: str
    rejected: str
    right: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One mistake about an item, in every order in which it can be made.

    `draw` settles which of equal candidates comes first; it is keyed by the item and the mistake.
    """

    item_id: str
    mode: str
    fact: str
    draw: float
    contrasts: tuple[Contrast, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The candidates to use, and each mode left out with the rows that were possible with it."""

    taken: tuple[Candidate, ...]
    without: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows of all candidates taken."""
        return sum(len(one.contrasts) for one in self.taken)


def select(candidates: Sequence[Candidate], limit: int) -> Selection:
    """At most `limit` rows of even modes and sides, nothing shown twice; none where none are even.

    A mode that nothing evens out would hold all others back. It is left out where the rest alone
    give more than twice the rows. The result does not depend on the order of the candidates.
    """
    modes = sorted({one.mode for one in candidates})
    taken, without = _evenly(candidates, limit), dict[str, int]()
    while len(modes) > 1:
        rows = sum(len(one.contrasts) for one in taken)
        if 2 * rows >= limit:
            break
        trials = {
            mode: _evenly([one for one in candidates if one.mode not in (mode, *without)], limit)
            for mode in modes
        }
        worst = max(modes, key=lambda mode: sum(len(one.contrasts) for one in trials[mode]))
        if sum(len(one.contrasts) for one in trials[worst]) <= 2 * rows:
            break
        without[worst] = rows
        modes.remove(worst)
        taken = trials[worst]
    return Selection(tuple(taken), without)


def _evenly(candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
    pool = _Pool(candidates)
    best: list[Candidate] = []
    since = 0
    while since < PATIENCE and pool.rows < limit and pool.add(limit - pool.rows):
        while pool.exchange():
            pass
        since += 1
        if pool.is_even():
            best, since = pool.taken(), 0
    return sorted(best, key=lambda one: (one.item_id, one.contrasts[0].order))


def difference(candidate: Candidate) -> _Difference:
    """What the candidate's chosen texts have more of than its rejected ones."""
    return _difference(
        tuple((one.right, one.wrong, one.chosen, one.rejected) for one in candidate.contrasts)
    )


@lru_cache(maxsize=100_000)
def _difference(sides: tuple[tuple[str, ...], ...]) -> _Difference:
    counts: Counter[tuple[int, str]] = Counter()
    for right, wrong, chosen, rejected in sides:
        counts[_VERDICT_WEIGHT, right] += 1
        counts[_VERDICT_WEIGHT, wrong] -= 1
        counts.update(_features(chosen))
        counts.subtract(_features(rejected))
    return tuple(sorted((name, count) for name, count in counts.items() if count))


@lru_cache(maxsize=10_000)
def _features(text: str) -> frozenset[tuple[int, str]]:
    """Each word with each number of times that it stands at least, and two words in a row."""
    words = word_list(text)
    found = {
        (_WORD_WEIGHT, f"{word} x{times}")
        for word, most in Counter(words).items()
        for times in range(1, most + 1)
    }
    return frozenset(found | {(_PAIR_WEIGHT, f"{a} {b}") for a, b in pairwise(words)})


def _keyed(one: Candidate) -> tuple[float, str, str, tuple[int, ...]]:
    return one.draw, one.item_id, one.fact, one.contrasts[0].order


class _Pool:
    """Candidates in classes of one mode and one difference, and what is taken of each.

    A candidate that shows what a taken one shows is not free.
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        classes: dict[_Class, list[Candidate]] = defaultdict(list)
        for one in sorted(candidates, key=_keyed):
            classes[one.mode, len(one.contrasts), difference(one)].append(one)
        keys = sorted(classes)
        self._members = [classes[key] for key in keys]
        self._free = [list(range(len(members))) for members in self._members]
        self._used: list[list[int]] = [[] for _ in keys]
        self._showing: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        self._blocks: Counter[tuple[int, int]] = Counter()
        for number, members in enumerate(self._members):
            for place, one in enumerate(members):
                for contrast in one.contrasts:
                    self._showing[contrast.shown].append((number, place))
        modes = sorted({mode for mode, *_ in keys})
        self._mode = np.array([modes.index(mode) for mode, *_ in keys], dtype=np.int64)
        self._size = np.array([size for _, size, _ in keys], dtype=np.int64)
        self._filled = [0] * len(modes)
        self.rows = 0
        self._weigh([parts for *_, parts in keys])

    def _weigh(self, differences: Sequence[_Difference]) -> None:
        names = sorted({name for parts in differences for name, _ in parts})
        column = {name: number for number, name in enumerate(names)}
        self._weights = np.array([weight for weight, _ in names], dtype=np.int64)
        from scipy.sparse import csr_array  # slow to load

        # Free prose has a hundred thousand words and pairs of words, of which a text has few.
        self._parts = [
            (
                np.array([column[name] for name, _ in parts], dtype=np.int64),
                np.array([count for _, count in parts], dtype=np.int64),
            )
            for parts in differences
        ]
        ends = np.cumsum([0, *(len(parts) for parts in differences)])
        columns, counts = (
            np.concatenate([part[i] for part in self._parts] or [np.zeros(0, dtype=np.int64)])
            for i in range(2)
        )
        shape = (len(differences), len(names))
        weighted = csr_array((counts * self._weights[columns], columns, ends), shape=shape)
        self._products = (weighted @ csr_array((counts, columns, ends), shape=shape).T).toarray()
        self._own = self._products.diagonal().copy()
        self._off = np.zeros(len(names), dtype=np.int64)
        self._pull = np.zeros(len(differences), dtype=np.int64)
        """Weighted product of every class's difference with what the sides differ by so far."""

    def add(self, room: int) -> bool:
        """Take the best candidate of the mode that has fewest; False if there is none."""
        fits = np.array([bool(free) for free in self._free], dtype=bool) & (self._size <= room)
        for mode in sorted(range(len(self._filled)), key=lambda m: (self._filled[m], m)):
            members = np.flatnonzero((self._mode == mode) & fits)
            if len(members):
                cost = 2 * self._pull[members] + self._own[members]
                self._take(int(members[cost.argmin()]))
                self._filled[mode] += 1
                return True
        return False

    def exchange(self) -> bool:
        """Put back one candidate and take a better one of its mode; False if none is better."""
        best = (0, -1, -1)
        used = np.array([bool(found) for found in self._used], dtype=bool)
        free = np.array([bool(found) for found in self._free], dtype=bool)
        for mode in range(len(self._filled)):
            leaving = np.flatnonzero((self._mode == mode) & used)
            coming = np.flatnonzero((self._mode == mode) & free)
            if not len(leaving) or not len(coming):
                continue
            change = (
                (self._own[leaving] - 2 * self._pull[leaving])[:, None]
                + (self._own[coming] + 2 * self._pull[coming])
                - 2 * self._products[np.ix_(leaving, coming)]
            )
            change[self._size[leaving][:, None] != self._size[coming]] = 0
            row, column = divmod(int(change.argmin()), len(coming))
            best = min(best, (int(change[row, column]), int(leaving[row]), int(coming[column])))
        if best[0] == 0:
            return False
        self._put_back(best[1])
        self._take(best[2])
        return True

    def is_even(self) -> bool:
        """Whether verdicts are equally frequent on both sides, and words nearly so."""
        off = abs(self._off)
        verdicts = off[self._weights == _VERDICT_WEIGHT]
        words = off[self._weights == _WORD_WEIGHT]
        return not verdicts.any() and int(words.max(initial=0)) <= math.isqrt(self.rows)

    def taken(self) -> list[Candidate]:
        """All that is taken at the moment."""
        return [
            self._members[number][place]
            for number, places in enumerate(self._used)
            for place in places
        ]

    def _take(self, number: int) -> None:
        place = self._free[number][0]
        self._used[number].append(place)
        for other in self._alike(number, place):
            self._blocks[other] += 1
            if self._blocks[other] == 1:
                self._free[other[0]].remove(other[1])
        self._moved(number, 1)

    def _put_back(self, number: int) -> None:
        place = self._used[number].pop()
        for other in self._alike(number, place):
            self._blocks[other] -= 1
            if not self._blocks[other]:
                insort(self._free[other[0]], other[1])
        self._moved(number, -1)

    def _alike(self, number: int, place: int) -> Iterator[tuple[int, int]]:
        """Every candidate that shows one of the same things, itself among them."""
        for contrast in self._members[number][place].contrasts:
            yield from self._showing[contrast.shown]

    def _moved(self, number: int, sign: int) -> None:
        columns, counts = self._parts[number]
        self._off[columns] += sign * counts
        self._pull += sign * self._products[:, number]
        self.rows += sign * int(self._size[number])
