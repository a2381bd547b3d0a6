"""Prompts laid out so that what they share is computed once. Pure: token ids in, a plan out.

Several prompts with a common beginning lie in one line: the beginning, then the rest of each, then
what may follow each. Every token sees its own beginning only, so a line gives what each prompt by
itself would.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

LEAST = 16
"""Tokens from which on a beginning that all prompts share is computed once for all of them."""


class Follow(NamedTuple):
    """What may follow a prompt, as a tree: options that begin alike share their first tokens.

    A node is (the node before it, its token); node 0, which is not listed, is the prompt's last
    token. An option's chance is the product over its steps: of a token right after a node.
    """

    nodes: tuple[tuple[int, int], ...]
    steps: tuple[tuple[tuple[int, int], ...], ...]


NOTHING = Follow((), ())


def follow(options: Sequence[Sequence[int]]) -> Follow:
    """The tree of options, each the tokens that it consists of.

    >>> follow([[5, 7], [6, 7], [6, 8]])
    Follow(nodes=((0, 5), (0, 6)), steps=(((0, 5), (1, 7)), ((0, 6), (2, 7)), ((0, 6), (2, 8))))
    """
    known: dict[tuple[int, int], int] = {}
    steps = []
    for option in options:
        node, taken = 0, []
        for place, token in enumerate(option):
            taken.append((node, token))
            if place + 1 < len(option):
                node = known.setdefault((node, token), len(known) + 1)
        steps.append(tuple(taken))
    return Follow(tuple(known), tuple(steps))


class Prompt(NamedTuple):
    """The tokens given, and what may follow them."""

    tokens: list[int]
    follow: Follow = NOTHING


class Group(NamedTuple):
    """Prompts of one line, by their numbers, and how many tokens all of them begin with."""

    members: tuple[int, ...]
    common: int
    size: int


class Line(NamedTuple):
    """Tokens in a row, each in a segment that sees itself and the segments before it in the tree.

    `parents` are the segments' own: -1 is none. `places` are, by member, where its nodes stand in
    the line, counted from its end, the last token of its prompt first; `bodies` where the tokens
    before that one stand, those of a common beginning that is left out not among them.
    """

    tokens: list[int]
    positions: list[int]
    segments: list[int]
    parents: tuple[int, ...]
    places: list[list[int]]
    bodies: list[list[int]]


def shared(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two prompts begin with alike.

    >>> shared([1, 2, 3], [1, 2, 4, 5])
    2
    """
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))


def beginning(prompts: Sequence[list[int]]) -> int:
    """How many tokens all prompts begin with, but for each one's last; 0 where that is too few."""
    if len(prompts) < 2:
        return 0
    least, most = min(prompts), max(prompts)
    found = min(shared(least, most), *(len(one) - 1 for one in prompts))
    return found if found >= LEAST else 0


def grouped(prompts: Sequence[Prompt], skip: int, width: int) -> list[Group]:
    """Prompts in lines, where a common beginning saves more than the longer line costs.

    A model of this width spends 24 * width^2 operations per layer on a token, and 4 * width on each
    token that it sees (of the line and of `skip` before it, masked or not); the line with the lower
    sum counts. Prompts in the order of their tokens stand beside those they share most with.
    """
    order = sorted(range(len(prompts)), key=lambda i: (prompts[i].tokens, i))
    groups: list[Group] = []
    for i in order:
        alone = Group((i,), len(prompts[i].tokens) - 1, len(prompts[i].tokens) - skip)
        alone = alone._replace(size=alone.size + len(prompts[i].follow.nodes))
        joined = _joined(groups[-1], i, prompts, skip) if groups else None
        if joined is not None and _cost(joined, skip, width) < _cost(alone, skip, width) + _cost(
            groups[-1], skip, width
        ):
            groups[-1] = joined
        else:
            groups.append(alone)
    return groups


def _joined(group: Group, i: int, prompts: Sequence[Prompt], skip: int) -> Group:
    members = (*group.members, i)
    last = prompts[group.members[-1]].tokens
    body = len(prompts[i].tokens) - 1
    common = min(group.common, body, shared(last, prompts[i].tokens))
    longer = sum(len(prompts[m].tokens) + len(prompts[m].follow.nodes) - common for m in members)
    return Group(members, common, common - skip + longer)


def _cost(group: Group, skip: int, width: int) -> int:
    return group.size * (6 * width + group.size + skip)


def batches(
    groups: Sequence[Group], skip: int, *, tokens: int, pairs: int, most: int
) -> Iterator[list[Group]]:
    """Lines of like size together: at most so many tokens, pairs of tokens, and prompts.

    A pair is a token and one that it may see. A line that is larger is a batch by itself.
    """
    batch: list[Group] = []
    for group in sorted(groups, key=lambda one: (-one.size, one.members)):
        size = batch[0].size if batch else group.size
        padded = (len(batch) + 1) * size
        members = sum(len(one.members) for one in (*batch, group))
        full = members > most or padded > tokens or padded * (size + skip) > pairs
        if batch and full:
            yield batch
            batch = []
        batch.append(group)
    if batch:
        yield batch


def laid_out(group: Group, prompts: Sequence[Prompt], skip: int) -> Line:
    """The line of a group without the first `skip` tokens, which are computed elsewhere."""
    tokens = prompts[group.members[0]].tokens[skip : group.common]
    positions = list(range(skip, group.common))
    segments, parents = [0] * len(tokens), [-1]
    starts = [len(tokens)]
    for member in group.members:
        rest = prompts[member].tokens[group.common : -1]
        segments += [len(parents)] * len(rest)
        parents.append(0)
        tokens += rest
        positions += range(group.common, group.common + len(rest))
        starts.append(len(tokens))
    first = [len(tokens)]
    for own, member in enumerate(group.members, start=1):
        _append_nodes(prompts[member], own, tokens, positions, segments, parents)
        first.append(len(tokens))
    places = [list(range(a - len(tokens), b - len(tokens))) for a, b in pairwise(first)]
    common = list(range(-len(tokens), starts[0] - len(tokens)))
    bodies = [
        [*common, *range(a - len(tokens), b - len(tokens)), place[0]]
        for (a, b), place in zip(pairwise(starts), places, strict=True)
    ]
    return Line(tokens, positions, segments, tuple(parents), places, bodies)


def _append_nodes(
    prompt: Prompt, own: int, tokens: list[int], positions: list[int], segments: list[int],
    parents: list[int],
) -> None:  # fmt: skip
    """The prompt's last token, which is of its own segment, and the nodes that may follow it."""
    place = len(prompt.tokens) - 1
    segment_of, depth_of = [own], [0]
    tokens.append(prompt.tokens[-1])
    positions.append(place)
    segments.append(own)
    for before, token in prompt.follow.nodes:
        segment_of.append(len(parents))
        depth_of.append(depth_of[before] + 1)
        parents.append(segment_of[before])
        tokens.append(token)
        positions.append(place + depth_of[-1])
        segments.append(segment_of[-1])


def ancestors(parents: Sequence[int]) -> list[list[bool]]:
    """Which segments each sees: itself, and those on the way to the root.

    >>> ancestors([-1, 0, 0])
    [[True, False, False], [True, True, False], [True, False, True]]
    """
    found: list[list[bool]] = []
    for own, parent in enumerate(parents):
        seen = list(found[parent]) if parent >= 0 else [False] * len(parents)
        seen[own] = True
        found.append(seen)
    return found
