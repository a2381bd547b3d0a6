"""Selection: modes as even as supply allows, verdicts and words alike on both sides."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.audits.bag_of_words import word_list
from judgesmith.stages.preferences.selection import Candidate, Contrast, Selection, select

TEXT = {"A": "first is bad A", "B": "second is bad B", "TIE": "both are fine TIE"}
SWAP = {"A": "B", "B": "A", "TIE": "TIE"}
VERDICTS = tuple(TEXT)


def candidate(
    name: str, mode: str, right: str, wrong: str, *, draw: float = 0.5, extra: str = ""
) -> Candidate:
    """A pair's mistake in both orders; `extra` words stand in its rejected texts."""
    return Candidate(
        item_id=name,
        mode=mode,
        fact=f"{right} to {wrong}{extra}",
        draw=draw,
        contrasts=tuple(
            Contrast(order, tuple(f"{name}{p}" for p in order), TEXT[a], TEXT[b] + extra, a, b)
            for order, a, b in (((0, 1), right, wrong), ((1, 0), SWAP[right], SWAP[wrong]))
        ),
    )


def supply(counts: dict[tuple[str, str, str], int]) -> list[Candidate]:
    """So many candidates, each about its own item, by mode, right and wrong verdict."""
    return [
        candidate(f"{mode}{right}{wrong}{i}", mode, right, wrong, draw=i / 1000)
        for (mode, right, wrong), n in counts.items()
        for i in range(n)
    ]


def verdicts(found: Selection) -> tuple[Counter[str], Counter[str]]:
    contrasts = [contrast for one in found.taken for contrast in one.contrasts]
    return Counter(c.right for c in contrasts), Counter(c.wrong for c in contrasts)


def modes(found: Selection) -> Counter[str]:
    return Counter(one.mode for one in found.taken)


def test_what_has_no_reverse_is_left_out() -> None:
    """Three ties called A against ten A called ties: three of each can be used."""
    found = select(supply({("m", "A", "TIE"): 10, ("m", "TIE", "A"): 3}), 1000)
    assert Counter(one.fact for one in found.taken) == {"A to TIE": 3, "TIE to A": 3}
    assert verdicts(found)[0] == verdicts(found)[1]


def test_nothing_even_gives_nothing() -> None:
    assert select(supply({("m", "A", "TIE"): 10}), 1000) == Selection((), {})
    assert select([], 1000) == Selection((), {})


def test_modes_are_even_and_the_scarcest_gives_all_it_has() -> None:
    """Of 5, 40 and 40 that need no counterpart, the smallest mode runs dry, the others go on."""
    counts = {("x", "A", "B"): 5, ("y", "A", "B"): 40, ("z", "B", "A"): 40}
    assert modes(select(supply(counts), 24)) == {"x": 4, "y": 4, "z": 4}
    assert modes(select(supply(counts), 1000)) == {"x": 5, "y": 40, "z": 40}


def test_a_mode_that_nothing_evens_out_is_left_out_and_named() -> None:
    """One mode calls a tie what is A, and one tie is to be had: one of it beside two others."""
    counts = {("odd", "A", "TIE"): 50, ("even", "A", "B"): 50, ("even", "TIE", "A"): 1}
    found = select(supply(counts), 1000)
    assert modes(found) == {"even": 50}
    assert found.without == {"odd": 6}


def test_a_telling_word_is_not_let_in() -> None:
    """One mode's rejected texts say "so": one such pair beside two others is off by 2 <= sqrt(6),
    two beside three by 4 > sqrt(10)."""
    odd = [candidate(f"o{i}", "odd", "A", "B", extra=" so") for i in range(60)]
    found = select([*odd, *supply({("even", "A", "B"): 60})], 1000)
    assert set(modes(found)) == {"even"}
    assert found.without == {"odd": 6}


def test_the_limit_counts_rows_and_an_item_is_used_once() -> None:
    one = [candidate("i", mode, "A", "B", draw=draw) for mode, draw in (("x", 0.1), ("y", 0.2))]
    assert select(one, 1000).rows == 2
    assert select(one, 1).rows == 0
    found = select(supply({("m", "A", "B"): 9}), 7)
    assert found.rows == 6
    assert [item.item_id for item in found.taken] == ["mAB0", "mAB1", "mAB2"]


def alone(item: str, shown: str, right: str, wrong: str) -> Candidate:
    contrast = Contrast((0,), (shown,), right, wrong, right, wrong)
    return Candidate(item, "m", right + wrong, 0.5, (contrast,))


def test_a_response_that_is_shown_alone_in_two_items_is_used_once() -> None:
    """Two opposite mistakes about one response cannot balance each other; about two they do."""
    assert select([alone("i", "r", "0", "1"), alone("j", "r", "1", "0")], 1000).rows == 0
    assert select([alone("i", "r", "0", "1"), alone("k", "s", "1", "0")], 1000).rows == 2


FLOWS = [(mode, a, b) for mode in "xyz" for a in VERDICTS for b in VERDICTS if a != b]


@given(
    st.dictionaries(st.sampled_from(FLOWS), st.integers(1, 12), max_size=8),
    st.integers(1, 60),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_sides_are_even_modes_too_and_order_is_no_matter(
    counts: dict[tuple[str, str, str], int], limit: int, rng: object
) -> None:
    candidates = supply(counts)
    found = select(candidates, limit)
    assert found.rows <= limit
    right, wrong = verdicts(found)
    assert right == wrong
    words: Counter[str] = Counter()
    for one in found.taken:
        for contrast in one.contrasts:
            words.update(word_list(contrast.chosen))
            words.subtract(word_list(contrast.rejected))
    assert max(map(abs, words.values()), default=0) <= math.isqrt(found.rows)
    stock = Counter(one.mode for one in candidates if one.mode not in found.without)
    used = modes(found)
    for n in used.values():
        for other in stock:
            assert n <= used[other] + 1 or used[other] == stock[other]
    rng.shuffle(candidates)  # type: ignore[attr-defined]
    assert select(candidates, limit) == found


@pytest.mark.parametrize("limit", [2, 10, 50])
def test_the_draw_decides_among_equals(limit: int) -> None:
    candidates = supply({("m", "A", "B"): 40})
    taken = {one.item_id for one in select(candidates, limit).taken}
    assert taken == {f"mAB{i}" for i in range(min(40, limit // 2))}
