"""Hedges: found as whole words, and every one of them."""

import pytest

from judgesmith.tasks.bias.wording import HEDGES, UNCERTAIN, is_hedged, is_uncertain


@pytest.mark.parametrize("phrase", HEDGES)
def test_every_hedge_is_found_in_any_case(phrase: str) -> None:
    for text in (f"It was {phrase} him.", phrase.upper(), phrase.capitalize() + ", he was."):
        assert is_hedged(text)
        assert is_uncertain(text)


@pytest.mark.parametrize("phrase", sorted(set(UNCERTAIN) - set(HEDGES)))
def test_doubt_alone_is_no_hedge(phrase: str) -> None:
    assert is_uncertain(f"I say it is {phrase}.")
    assert not is_hedged(f"I say it is {phrase}.")


@pytest.mark.parametrize(
    "text",
    [
        "", "It was him.", "Unlikely.", "The mighty oak.", "Softened butter.", "It was improbable.",
        "He oftentimes left.", "Dismay begins in May.",
    ],
)  # fmt: skip
def test_words_that_only_hold_a_hedge_are_none(text: str) -> None:
    assert not is_hedged(text)
    assert not is_uncertain(text)
