"""Which mistake is asked of a writer about which item, and in which words.

Modes are even, and a verdict is wrong as often as it is right, as far as the items allow. A pair is
asked about in all its orders, and the wrong verdict follows the response that it names.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.reply import reply_in, verdict_text
from judgesmith.judging.words import verdict_in_words
from judgesmith.models.simulated_writer import Told
from judgesmith.records import LETTERS, Item, Judgment, Kind, Message, keyed_rng

_OPENING = "Here the reply of another judge is wanted, whose verdict is "
_SWEEPS = 10

Key = tuple[str, tuple[str, ...]]
"""An item's id, and the responses shown in the first or only order that is meant."""
Flow = tuple[tuple[str, str], ...]
"""The right and the wrong verdict of each reply to a case, sorted."""


class Chosen(NamedTuple):
    """A right reply to what is shown in one order; `reason` is its rationale."""

    order: tuple[int, ...]
    shown: tuple[str, ...]
    reply: str
    reason: str
    right: str

    @property
    def words(self) -> int:
        """Words of the rationale."""
        return len(self.reason.split())


class Case(NamedTuple):
    """What one mistake can be made about: a pair in all its orders, or one response alone."""

    item: Item
    chosen: tuple[Chosen, ...]

    @property
    def key(self) -> Key:
        """What tells it from other cases."""
        return self.item.id, self.chosen[0].shown


class Wish(NamedTuple):
    """The mistake to be written about a case; `wrong` has the verdict of each of its orders."""

    case: Case
    mode: str
    wrong: tuple[str, ...]


def cases_of(item: Item, judgments: Iterable[Judgment], dialect: Dialect) -> list[Case]:
    """The cases of an item: those of its judgments that have a reply with a reason."""
    found = []
    for judgment in judgments:
        reply, right = reply_in(dialect, judgment), verdict_text(judgment.verdict)
        reason = None if reply is None else parse_reply(dialect, reply).rationale
        if reply is not None and right is not None and reason:
            shown = tuple(item.response_ids[p] for p in judgment.order)
            found.append(Chosen(judgment.order, shown, reply, reason, right))
    if dialect.kind is Kind.SINGLE:
        return [Case(item, (one,)) for one in found]
    return [Case(item, tuple(found))] if found else []


def plan(
    cases: Sequence[Case], modes: Sequence[str], scale: Sequence[str], seed: int
) -> list[Wish]:
    """One wish per case, in the order given; the wishes themselves do not depend on the order."""
    wrong = _even_verdicts(cases, scale, seed)
    mode = _even_modes(cases, wrong, modes, seed)
    return [Wish(case, mode[case.key], wrong[case.key]) for case in cases]


def _even_verdicts(
    cases: Sequence[Case], scale: Sequence[str], seed: int
) -> dict[Key, tuple[str, ...]]:
    """Wrong verdicts, chosen so that each verdict is as often wrong as right.

    What is evened out is the sum over verdicts of (times right - times wrong) squared. Cases with
    fewest ways to differ go first; then each is moved while that makes the sum less.
    """
    drawn = sorted(cases, key=lambda case: keyed_rng(seed, "wrong", case.key).random())
    options = {case.key: _options(case, scale, seed) for case in drawn}
    drawn.sort(key=lambda case: len({tuple(sorted(way)) for way in options[case.key]}))
    off = Counter(one.right for case in cases for one in case.chosen)
    found: dict[Key, tuple[str, ...]] = {}
    for _ in range(_SWEEPS):
        moved = False
        for case in drawn:
            before = found.get(case.key)
            off.update(before or ())
            best = min(options[case.key], key=lambda way: (_cost(off, way), way != before))
            off.subtract(best)
            moved |= best != before
            found[case.key] = best
        if not moved:
            break
    return found


def _options(case: Case, scale: Sequence[str], seed: int) -> list[tuple[str, ...]]:
    """The wrong verdicts of a case as each of its orders shows them, in an order that is drawn."""
    first = case.chosen[0]
    ways = [
        tuple(_follow(verdict, first.order, one.order) for one in case.chosen) for verdict in scale
    ]
    kept = [
        way
        for way in ways
        if all(verdict != one.right for verdict, one in zip(way, case.chosen, strict=True))
    ]
    if not kept:
        raise DataError(
            f"item {case.item.id}: expected a verdict on the scale {', '.join(scale)} that is "
            f"wrong in every order, found right ones {[one.right for one in case.chosen]!r}."
        )
    keyed_rng(seed, "option", case.key).shuffle(kept)
    return kept


def _follow(verdict: str, here: tuple[int, ...], there: tuple[int, ...]) -> str:
    """The verdict in the order `there` that names the response it names in the order `here`."""
    place = LETTERS.find(verdict) if len(verdict) == 1 else -1
    if not 0 <= place < len(here):
        return verdict
    return LETTERS[there.index(here[place])]


def _cost(off: Mapping[str, int], way: Sequence[str]) -> int:
    """By how much the sum of squares grows when these verdicts are wrong."""
    return sum(n * n - 2 * n * off.get(verdict, 0) for verdict, n in Counter(way).items())


def _even_modes(
    cases: Sequence[Case], wrong: Mapping[Key, tuple[str, ...]],
    modes: Sequence[str], seed: int,
) -> dict[Key, str]:  # fmt: skip
    """Modes that differ by one at most, over all and within each pair of verdicts."""
    flows: dict[Flow, list[Case]] = {}
    for case in sorted(cases, key=lambda case: keyed_rng(seed, "mode", case.key).random()):
        flows.setdefault(flow_of(case, wrong[case.key]), []).append(case)
    overall: Counter[str] = Counter()
    found = {}
    for _, members in sorted(flows.items()):
        here: Counter[str] = Counter()
        for case in members:
            mode = min(modes, key=lambda mode: (here[mode], overall[mode]))
            here[mode] += 1
            overall[mode] += 1
            found[case.key] = mode
    return found


def flow_of(case: Case, wrong: Sequence[str]) -> Flow:
    """What verdicts a case turns right into wrong ones, whichever order comes first."""
    return tuple(sorted(zip((one.right for one in case.chosen), wrong, strict=True)))


def instruct(
    prompt: Sequence[Message], dialect: Dialect, brief: str, *, wrong: str, words: int
) -> tuple[Message, ...]:
    """The judge's prompt, and after it what mistaken reply to it is wanted.

    The instruction ends the prompt's last turn, after an empty line, because many chat templates
    refuse two turns of one role in a row. Raises DataError where the dialect has no direction.
    """
    *before, last = prompt
    text = (
        f"{_OPENING}{verdict_in_words(dialect, wrong)}.\n"
        f"That judge makes one mistake. {brief}\n"
        "Write its reply. It argues sincerely for its verdict: its reasons follow from the "
        "mistake, lead to that verdict and to no other, and read like those of any judge. It "
        "knows of no mistake, of no other verdict and of no such request as this one, and speaks "
        f"of none. Write about {words} words of reasoning, in this form and nothing else:\n"
        f"{dialect.write_reply('why', wrong)}"
    )
    return *before, Message(role=last.role, content=f"{last.content}\n\n{text}")


def read_instruction(text: str, dialect: Dialect, briefs: Mapping[str, str]) -> Told:
    """What a turn that `instruct` wrote asks for; simulated writers read it."""
    prompt, _, asked = text.rpartition(f"\n\n{_OPENING}")
    verdict = verdict_text(parse_reply(dialect, asked).verdict)
    words = re.search(r"about (\d+) words", asked)
    assert verdict is not None
    assert words is not None
    mode = next(mode for mode, brief in briefs.items() if brief in asked)
    return Told(prompt, verdict, mode, int(words[1]))


def flows_of(wishes: Iterable[Wish]) -> dict[str, int]:
    """Replies wanted per right and wrong verdict."""
    flows = chain.from_iterable(
        (f"{one.right} to {wrong}" for one, wrong in zip(wish.case.chosen, wish.wrong, strict=True))
        for wish in wishes
    )
    return dict(sorted(Counter(flows).items()))
