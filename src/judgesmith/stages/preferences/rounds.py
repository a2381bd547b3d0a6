"""Which replies are asked for next, so that what was begun is finished before more is begun.

A mistake counts only where every order of its pair has a good reply, so a half-finished one is
money for nothing. Under a cap on requests a case is begun only where all its tries still fit, and
each good reply frees the tries that it did not need.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from judgesmith.records import keyed_rng
from judgesmith.stages.preferences.wishes import Key, Wish, flow_of


class Ask(NamedTuple):
    """One reply that is wanted: of a wish, which of its orders, and after how many tries."""

    wish: Wish
    place: int
    attempt: int


@dataclass
class Begun:
    """A wish that was asked for: its good replies, and the last fault of the others, by order."""

    wish: Wish
    tries: int = 0
    good: dict[int, str] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[int]:
        """The orders without a good reply."""
        return [place for place in range(len(self.wish.case.chosen)) if place not in self.good]


class Rounds:
    """What to ask for, round by round; answers go into `begun`.

    With `most_asked` the sum over all rounds of what is asked for never passes it. Where not even
    one more case is sure to fit with all its tries, the rest is spent on one case at a time.
    """

    def __init__(self, wishes: Sequence[Wish], *, tries: int, most_asked: int | None) -> None:
        self._waiting = deque(wishes)
        self._tries, self._most = tries, most_asked
        self.asked = 0
        self.begun: dict[Key, Begun] = {}

    def next_round(self) -> list[Ask]:
        """The replies to ask for now, at most one of each order; none when all is done."""
        going = [b for b in self.begun.values() if b.missing and b.tries < self._tries]
        chosen = [*going, *self._begin()] if self._most is None else self._within(going)
        asks = [Ask(one.wish, place, one.tries) for one in chosen for place in one.missing]
        for one in chosen:
            one.tries += 1
        self.asked += len(asks)
        return asks

    def _within(self, going: Sequence[Begun]) -> list[Begun]:
        """Those begun that can be paid for whole, and new ones for which all tries are left."""
        assert self._most is not None
        left, chosen = self._most - self.asked, list[Begun]()
        for one in going:
            if len(one.missing) <= left:
                chosen.append(one)
                left -= len(one.missing) * (self._tries - one.tries)
        while self._waiting:
            orders = len(self._waiting[0].case.chosen)
            if orders * self._tries > left and (chosen or orders > left):
                break
            chosen += self._begin(1)
            left -= orders * self._tries
        return chosen

    def _begin(self, count: int | None = None) -> list[Begun]:
        """The first of those that wait, all without `count`."""
        number = len(self._waiting) if count is None else count
        new = [Begun(self._waiting.popleft()) for _ in range(number)]
        self.begun.update({one.wish.case.key: one for one in new})
        return new


def in_even_shares(sides: Sequence[Sequence[Wish]], seed: int) -> list[Wish]:
    """The wishes in a drawn order of which any first part holds all kinds in the same shares.

    A kind is a side of the split, a bucket, what is right and wrong, and a mode. Of a kind with n
    wishes the one drawn as number i comes at a drawn place from i/n to (i+1)/n of the whole.
    """
    kinds: dict[tuple[object, ...], list[tuple[float, float, Wish]]] = {}
    for side, wishes in enumerate(sides):
        for wish in wishes:
            drawn = keyed_rng(seed, "asked", wish.case.key)
            kind = (side, wish.case.item.bucket, flow_of(wish.case, wish.wrong), wish.mode)
            kinds.setdefault(kind, []).append((drawn.random(), drawn.random(), wish))
    placed = [
        ((i + within) / len(members), wish.case.key, wish)
        for members in kinds.values()
        for i, (_, within, wish) in enumerate(sorted(members, key=lambda m: (m[0], m[2].case.key)))
    ]
    placed.sort(key=lambda found: found[:2])
    return [wish for _, _, wish in placed]


def faults_of(begun: Sequence[Begun]) -> Counter[str]:
    """Cases without a good reply to each order, by the last fault of the first such order."""
    return Counter(one.faults[one.missing[0]] for one in begun if one.missing)
