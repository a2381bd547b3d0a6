"""Names of slots: exchanged everywhere or not at all."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.judging.slot_names import swap_names


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("Assistant 1 is right.", "Assistant 2 is right."),
        ("ASSISTANT 2's answer, assistant 1's too", "ASSISTANT 1's answer, assistant 2's too"),
        ("Response A beats Response B.", "Response B beats Response A."),
        ("Both Assistant 1 and 2 agree.", "Both Assistant 2 and 1 agree."),
        ("Responses A and B differ; both are fine.", "Responses B and A differ; both are fine."),
        ("Answer 1 (8/10), Answer 2 (9/10)", "Answer 2 (8/10), Answer 1 (9/10)"),
        ("Output (a) is short, output (b) is not", "Output (b) is short, output (a) is not"),
        ("Assistant #1, Assistant-2, Response_A", "Assistant #2, Assistant-1, Response_B"),
        (
            "Response One is fine; RESPONSE TWO is not.",
            "Response Two is fine; RESPONSE ONE is not.",
        ),
        (
            "Assistant 1 gives a response a user wants.",
            "Assistant 2 gives a response a user wants.",
        ),
        ("A good answer. Model 1.5 is old.", "A good answer. Model 1.5 is old."),
        (
            "First, Assistant 1 greets. Second, it asks.",
            "First, Assistant 2 greets. Second, it asks.",
        ),
        (
            "Assistant 1 and Assistant 2 score 8 and 9.",
            "Assistant 2 and Assistant 1 score 8 and 9.",
        ),
        ("Response A versus B: both fine.", "Response B versus A: both fine."),
        ("Scores:\nAssistant 1: 10\nAssistant 2: 1", "Scores:\nAssistant 2: 10\nAssistant 1: 1"),
        ("Response A rhymes. A better title is wanted.",) * 2,
        ("Response A\nA few words are missing.", "Response B\nA few words are missing."),
        ("Assistant 1 needs 2 steps, as in 2017, and 1 kg.",) * 2,
        ("1. Assistant 2 is short.\n2. It errs.", "1. Assistant 1 is short.\n2. It errs."),
        ("Response A calls `stack1` in step 2.", "Response B calls `stack1` in step 2."),
    ],
)
def test_names_are_exchanged(text: str, swapped: str) -> None:
    if text == swapped:  # all but the first name stays
        swapped = re.sub(r"(?<=Assistant )1|(?<=Response )A", lambda m: OTHER[m[0]], text)
    assert swap_names(text) == swapped
    assert swap_names(swapped) == text


def test_what_the_prompt_calls_the_responses_is_a_name() -> None:
    text = "Essay 1 is long. The essay 2 pages later is not."
    assert swap_names(text) is None
    assert swap_names("Essay 1 beats ESSAY 2.", ("essay",)) == "Essay 2 beats ESSAY 1."
    assert swap_names("Answer 1 is right.", ("answer",)) == "Answer 2 is right."
    # No judge that says "Response A" means it with "Answer 1".
    assert swap_names("Response A gives Answer 1.", ("response",)) is None


@pytest.mark.parametrize(
    "text",
    [
        "The first answer is better.",
        "Assistant 1 is fine. The second one is not.",
        "The former explains more.",
        "Assistant 2 wins, unlike the latter.",
        "the first is better",
        "Answer 3 is best.",
        "A is better than Assistant 2.",
        "So B wins.",
        'The best is "A".',
        "The better response is (B).",
        "B's tone is kind.",
        "In short, response b is vague.",
        "Clearly assistant one is right.",
        "It is better than 2.",
        "The scores are 8 and 9.",
        "I would rate them 7/10, 9/10.",
        "The other assistant is vague.",
        "Verdict: A",
        "Verdict: A, and I am sure.",
        "A is better",
        "It is short. A gives more.",
        "I choose A because it is clear.",
        "The better response is 2.",
        "Winner: 1",
        "So:\n\n2\n",
        "1 is better.",
        "[[1]]",
        "Between 1 and 2, both are fine.",
        "Response A is rich in vitamin A.",
        "Vitamin B is healthy.",
        "Response A got Answer 1 of the quiz.",
        "Answer 1 of the quiz is wrong.",
        "Response A chose option 2.",
        "Essay 1 is better.",
        "essay 1's style is better",
        "Story2 is better.",
        "Assistants 1, 2 are fine.",
        "Plan A is in Response B.",
        "Response\nA",
        "Response A quotes chapter B.",
    ],
)
def test_what_points_otherwise_is_refused(text: str) -> None:
    assert swap_names(text) is None


OTHER = {"1": "2", "2": "1", "A": "B", "B": "A"}
_NAMES = [f"{n} {s}" for n in ("Assistant", "response", "Output", "REPLY") for s in "12AB"]
_WORDS = ["is", "clear", "and", "vague,", "both", "a", "user", "gains;", "so", "its\n", "tone's"]


@given(st.lists(st.sampled_from(_NAMES + _WORDS), max_size=30))
def test_twice_is_the_first_one_and_every_name_is_turned(parts: list[str]) -> None:
    """An oracle that knows where the names are: it turns each part by itself."""
    text = " ".join(parts)
    turned = " ".join(p[:-1] + OTHER[p[-1]] if p in _NAMES else p for p in parts)
    found = swap_names(text)
    assert found == turned
    assert swap_names(turned) == text


@given(st.text(max_size=80))
def test_any_text_is_turned_back_or_refused(text: str) -> None:
    found = swap_names(text)
    if found is not None:
        assert swap_names(found) == text
        assert re.sub(r"[12AB]|[Oo]ne|[Tt]wo|ONE|TWO|[ab]", "", found) == re.sub(
            r"[12AB]|[Oo]ne|[Tt]wo|ONE|TWO|[ab]", "", text
        )


@pytest.mark.parametrize(
    "text",
    ["Assistant 2 is vague. Answer 1 provides details.", "Assistant 1 explains; Model 2 fails."],
)
def test_a_second_way_to_name_responses_is_refused(text: str) -> None:
    """Exchanged on one side only, both names would mean the same response."""
    assert swap_names(text) is None
