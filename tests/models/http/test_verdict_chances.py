"""Chances of verdicts: each expectation is worked out by hand in the test's own numbers."""

from itertools import pairwise
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.models.http.verdict_chances import Token, option_chances
from judgesmith.models.protocol import Wanted

LETTERS = Wanted(after="<verdict>", options=("A", "B", "tie"))
SCORES = Wanted(after="<verdict>", options=tuple(str(n) for n in range(1, 11)))


def token(text: str, **others: float) -> Token:
    """A token that was written, with the probabilities of the tokens there by name."""
    return at(text, others)


def at(text: str, there: dict[str, float]) -> Token:
    own = there.get(text, 1.0)
    return Token(text, log(own), tuple((name, log(p)) for name, p in there.items()))


def chances(
    tokens: list[Token], wanted: Wanted = LETTERS, reply: str | None = None
) -> tuple[dict[str, float], float] | None:
    whole = "".join(t.text for t in tokens) if reply is None else reply
    found = option_chances(tokens, whole, wanted)
    if found is None:
        return None
    shown = {option: round(p, 9) for option, p in found.probabilities.items() if p > 0}
    return shown, round(found.covered, 9)


def test_probabilities_are_renormalised_over_the_options() -> None:
    """0.5, 0.2 and 0.1 cover 0.8: A is 0.5/0.8, B 0.2/0.8, tie 0.1/0.8."""
    tokens = [token("<verdict>"), token("A", A=0.5, B=0.2, t=0.1, Neither=0.2), token("</verdict>")]
    assert chances(tokens) == ({"A": 0.625, "B": 0.25, "tie": 0.125}, 0.8)


def test_a_token_that_holds_the_end_of_the_opening_is_read_after_it() -> None:
    """Of `>A` 0.6, `>B` 0.2, `>` 0.1 and `s>` 0.1 only the first two name an option."""
    there = {">A": 0.6, ">B": 0.2, ">": 0.1, "s>": 0.1}
    tokens = [token("I think.\n<"), token("verdict"), at(">A", there), token("</")]
    assert chances(tokens) == ({"A": 0.75, "B": 0.25}, 0.8)


def test_alternatives_count_with_space_letter_case_and_what_goes_on() -> None:
    """A: " A" 0.3 + "a" 0.1 + "A<" 0.2; tie: "Ti" 0.2; "As" and "1" name none of the options."""
    there = {" A": 0.3, "a": 0.1, "A<": 0.2, "Ti": 0.2, "As": 0.1, "1": 0.1}
    tokens = [token("<verdict>"), at(" A", there), token("</verdict>")]
    assert chances(tokens) == ({"A": 0.75, "tie": 0.25}, 0.8)


def test_white_space_of_its_own_is_passed_over() -> None:
    tokens = [token("<verdict>"), token("\n"), token(" "), token("B", A=0.25, B=0.75)]
    assert chances(tokens) == ({"A": 0.25, "B": 0.75}, 1.0)


def test_the_last_opening_counts() -> None:
    """Not the one that the rationale quotes."""
    quoted = [token("<verdict>"), token("A", A=0.9, B=0.1), token("</verdict> is not mine: ")]
    mine = [token("<verdict>"), token("B", A=0.2, B=0.8), token("</verdict>")]
    assert chances([*quoted, *mine]) == ({"A": 0.2, "B": 0.8}, 1.0)


def test_the_written_token_counts_where_it_is_no_alternative() -> None:
    """Drawn at a high temperature: B has 0.01 and is not among the two likeliest."""
    drawn = Token("B", log(0.01), (("A", log(0.9)), ("t", log(0.09))))
    assert chances([token("<verdict>"), drawn]) == ({"A": 0.9, "B": 0.01, "tie": 0.09}, 1.0)


def test_equal_texts_of_different_tokens_are_added() -> None:
    drawn = Token("A", log(0.5), (("A", log(0.5)), ("A", log(0.25)), ("B", log(0.25))))
    assert chances([token("<verdict>"), drawn]) == ({"A": 0.75, "B": 0.25}, 1.0)


def test_1_is_1_where_10_is_a_token_of_its_own() -> None:
    there = {"1": 0.2, "10": 0.3, "7": 0.5}
    tokens = [token("<verdict>"), at("7", there), token("<")]
    assert chances(tokens, SCORES) == ({"1": 0.2, "10": 0.3, "7": 0.5}, 1.0)


def test_a_1_that_was_written_is_divided_by_the_next_token() -> None:
    """1 has 0.5; after it comes 0 with 0.6 and the closing tag with 0.4: 0.3 and 0.2."""
    tokens = [token("<verdict>"), at("1", {"1": 0.5, "7": 0.5}), at("0", {"0": 0.6, "</": 0.4})]
    assert chances([*tokens, token("</verdict>")], SCORES) == (
        {"1": 0.2, "7": 0.5, "10": 0.3},
        1.0,
    )


def test_what_cannot_be_a_score_after_a_1_is_not_covered() -> None:
    """11 is off the scale: of 0.5 for 1, a tenth goes to it, so 0.95 are covered."""
    tokens = [
        token("<verdict>"),
        at("1", {"1": 0.5, "7": 0.5}),
        at("</", {"0": 0.1, "</": 0.8, "1": 0.1}),
    ]
    found = chances([*tokens, token("verdict>")], SCORES)
    assert found is not None
    assert found[0] == pytest.approx({"1": 0.4 / 0.95, "7": 0.5 / 0.95, "10": 0.05 / 0.95})
    assert found[1] == pytest.approx(0.95)


@pytest.mark.parametrize(("one", "known"), [(0.009, True), (0.02, False)])
def test_a_1_that_was_not_written_is_undecided(one: float, known: bool) -> None:
    """It may be 1 or 10; up to a hundredth of it is left out, above that nothing is said."""
    tokens = [token("<verdict>"), at("7", {"1": one, "7": 1 - one}), token("<")]
    found = chances(tokens, SCORES)
    assert found == (({"7": 1.0}, round(1 - one, 9)) if known else None)


def test_a_1_that_ends_the_reply_is_undecided() -> None:
    assert chances([token("<verdict>"), at("1", {"1": 0.5, "7": 0.5})], SCORES) is None


def test_options_with_a_common_beginning_are_divided_along_what_was_written() -> None:
    """worse 0.7 * 0.9, word 0.7 * 0.1, better 0.3: the first token alone says nothing of two."""
    wanted = Wanted(after="is: ", options=("worse", "word", "better"))
    tokens = [token("is: "), token("wor", wor=0.7, bet=0.3), token("se", se=0.9, d=0.1)]
    assert chances(tokens, wanted) == ({"worse": 0.63, "word": 0.07, "better": 0.3}, 1.0)


@pytest.mark.parametrize("end", ["<|im_end|>", "\n", "", "\n<|im_end|>"])
def test_an_end_of_turn_token_may_follow(end: str) -> None:
    tokens = [token("<verdict>"), token("A", A=0.5, B=0.5), token("</verdict>"), token(end)]
    reply = "<verdict>A</verdict>"
    assert chances(tokens, reply=reply) == ({"A": 0.5, "B": 0.5}, 1.0)


def test_cut_characters_before_the_opening_do_not_matter() -> None:
    """A server shows each half of a character as a replacement mark."""
    tokens = [token("�"), token("�"), token("<verdict>"), token("A", A=0.5, B=0.5)]
    assert chances(tokens, reply="🙂<verdict>A") == ({"A": 0.5, "B": 0.5}, 1.0)


@pytest.mark.parametrize(
    ("tokens", "reply"),
    [
        ([token("A")], "A"),
        ([token("<verdict>")], "<verdict>"),
        ([token("<verdict>"), at("<|end|>", {"<|end|>": 0.5, "A": 0.5})], "<verdict>"),
        ([], "<verdict>A"),
        ([token("<verdict>"), token("�"), token("�")], "<verdict>🙂"),
        ([token("<verdict>"), token("A"), token("</"), token("verdict>")], "<verdict>A"),
        ([token("Ġ<verdict>"), token("A"), token("Ċ")], " <verdict>A\nB"),
        ([token("<verdict>"), token("Neither", Neither=0.9)], "<verdict>Neither"),
        ([token("<verdict>"), Token("A", float("nan"), ())], "<verdict>A"),
        ([token("<verdict>"), Token("A", 0.5, ())], "<verdict>A"),
        ([token("<verdict>"), token("A", A=0.9, B=0.9)], "<verdict>A"),
    ],
)
def test_what_is_not_known_is_none(tokens: list[Token], reply: str) -> None:
    assert chances(tokens, reply=reply) is None


def test_minus_infinity_and_minus_9999_are_no_chance() -> None:
    drawn = Token("A", 0.0, (("A", 0.0), ("B", float("-inf")), ("t", -9999.0)))
    assert chances([token("<verdict>"), drawn]) == ({"A": 1.0}, 1.0)


@given(
    cuts=st.sets(st.integers(1, 40)),
    weights=st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3),
    written=st.integers(0, 2),
    rest=st.floats(0.0, 0.5),
)
def test_wherever_the_tokens_are_cut(
    cuts: set[int], weights: list[float], written: int, rest: float
) -> None:
    """The options get their weights' shares however the reply is cut into tokens.

    The token over the boundary keeps what it has of the opening; its alternatives are that, with
    the beginnings of the options, which differ in their first letter.
    """
    options = LETTERS.options
    opening, reply = "So: <verdict>", f"So: <verdict>{options[written]}</verdict>"
    edges = [0, *sorted(cut for cut in cuts if cut < len(reply)), len(reply)]
    total = sum(weights)
    tokens = []
    for start, end in pairwise(edges):
        taken = opening[start:] if start < len(opening) else ""
        there = {
            taken + o[:1]: w / total * (1 - rest) for o, w in zip(options, weights, strict=True)
        }
        text = reply[start:end]
        own = taken + options[written][:1]
        if start <= len(opening) < end:
            there[text] = there.pop(own)
            tokens.append(at(text, there))
        else:
            tokens.append(token(text))
    found = option_chances(tokens, reply, LETTERS)
    assert found is not None
    expected = {o: w / total for o, w in zip(options, weights, strict=True)}
    assert found.probabilities == pytest.approx(expected)
    assert found.covered == pytest.approx(1 - rest)
