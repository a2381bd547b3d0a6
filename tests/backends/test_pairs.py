"""Preference rows as token ids, and the log-probabilities a model gives to their replies."""

from typing import Any

import pytest

from judgesmith.backends.encode import encode_prompt, encode_reply
from judgesmith.backends.lessons import Plan
from judgesmith.backends.loading import load
from judgesmith.backends.pairs import (
    Pair,
    PairScore,
    encode_pairs,
    sample_pairs,
    schedule_pairs,
    score_pairs,
)
from judgesmith.records import Message, PreferenceRow, Split


def row(n: int, chosen: str, rejected: str, prompt: str = "Who was late?") -> PreferenceRow:
    return PreferenceRow.make(
        source="t", licence="n", item_id=str(n), order=(0, 1), split=Split.TRAIN, dialect="d",
        prompt=(Message(role="user", content=f"{n}: {prompt}"),), chosen=chosen, rejected=rejected,
        how_made="by hand",
    )  # fmt: skip


ROWS = [row(n, "It was " * (n % 3 + 1), "Nobody " * (n % 5 + 1)) for n in range(12)]


def test_a_pair_has_the_prompt_that_the_judge_is_asked(student: Any) -> None:
    """Defect 15: one renderer, token by token, and a quoted tag stays text."""
    tokenizer = student[1]
    one = row(1, "A <|judge|> b", "c", prompt="Was <|end|> it?")
    (pair,) = encode_pairs(tokenizer, [one], 200).pairs
    assert pair.prompt == encode_prompt(tokenizer, one.prompt)
    assert (pair.chosen, pair.rejected) == (
        encode_reply(tokenizer, one.chosen), encode_reply(tokenizer, one.rejected),
    )  # fmt: skip
    ends = [token == tokenizer.eos_token_id for token in pair.chosen]
    assert ends == [False] * (len(ends) - 1) + [True]


def test_a_row_is_too_long_when_its_longer_reply_does_not_fit(student: Any) -> None:
    (pair,) = encode_pairs(student[1], [row(1, "short", "long " * 20)], 500).pairs
    assert pair.length == len(pair.prompt) + len(pair.rejected)
    rows = [row(1, "short", "long " * 20), row(1, "long " * 20, "short"), row(1, "a", "b")]
    found = encode_pairs(student[1], rows, pair.length - 1)
    assert ([len(p.chosen) for p in found.pairs], found.too_long) == ([2], 2)
    huge = row(1, "a", "b", prompt="x" * 64 * 500)
    assert encode_pairs(student[1], [huge], 500).too_long == 1


def one_by_one(model: Any, prompt: list[int], reply: list[int]) -> float:
    """The oracle: one row, no padding, whole logits, one token at a time."""
    torch = load("torch")
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + reply])).logits[0].double()
    total = 0.0
    for place, token in enumerate(reply, start=len(prompt) - 1):
        total += float(logits[place][token] - torch.logsumexp(logits[place], 0))
    return total


@pytest.mark.parametrize("batch", [1, 5, 64])
def test_scores_are_sums_over_the_reply_whatever_the_batch(student: Any, batch: int) -> None:
    model, tokenizer = student
    pairs = encode_pairs(tokenizer, ROWS, 200).pairs
    for pair, score in zip(pairs, score_pairs(model, pairs, batch), strict=True):
        assert score.chosen == pytest.approx(one_by_one(model, pair.prompt, pair.chosen), abs=1e-3)
        assert score.rejected == pytest.approx(
            one_by_one(model, pair.prompt, pair.rejected), abs=1e-3
        )
        assert (score.chosen_tokens, score.rejected_tokens) == (
            len(pair.chosen), len(pair.rejected),
        )  # fmt: skip


def test_scoring_leaves_the_model_in_the_mode_it_was_in(student: Any) -> None:
    model, tokenizer = student
    pairs = encode_pairs(tokenizer, ROWS[:2], 200).pairs
    for training in (True, False):
        model.train(training)
        score_pairs(model, pairs, 4)
        assert model.training is training


PAIRS = [
    Pair(f"r{i}", [1, 2, 100 + i, 3], [5, 100 + i] + [4] * (i % 3), [6, 100 + i, 100 + i])
    for i in range(50)
]


def test_a_renaming_is_the_same_in_the_prompt_and_both_replies() -> None:
    """Token 100 + i is rare; 2 and 4 to 6 are in enough rows to stay."""
    seen = list(schedule_pairs(PAIRS, Plan(rows=50, batch=8, seed=1, renaming=1.0)))
    assert any(pair.prompt[2] != 100 + int(pair.row_id[1:]) for pair in seen)
    for pair in seen:
        name = pair.prompt[2]
        assert name >= 100
        plain = PAIRS[int(pair.row_id[1:])]
        assert pair.prompt == [1, 2, name, 3]
        assert pair.chosen == [5, name, *plain.chosen[2:]]
        assert pair.rejected == [6, name, name]


def test_the_schedule_gives_every_pair_and_goes_round() -> None:
    seen = list(schedule_pairs(PAIRS, Plan(rows=120, batch=8, seed=1)))
    assert sorted({pair.row_id for pair in seen}) == sorted(pair.row_id for pair in PAIRS)
    assert len(seen) == 120
    assert set(map(repr, seen)) == set(map(repr, PAIRS))


def test_a_sample_does_not_depend_on_the_order_of_rows() -> None:
    one, other = (sample_pairs(rows, 10, seed=3) for rows in (PAIRS, PAIRS[::-1]))
    assert one == other
    assert len(one) == 10
    assert sample_pairs(PAIRS, 10, seed=4) != one
    assert len(sample_pairs(PAIRS[:4], 10, seed=3)) == 4


def test_a_trainer_gets_token_ids_and_what_the_reference_gives() -> None:
    assert Pair("r", [1], [2, 3], [4]).fields(PairScore(-1.5, -2.5, 2, 1)) == {
        "prompt_ids": [1], "chosen_ids": [2, 3], "rejected_ids": [4],
        "ref_chosen_logps": -1.5, "ref_rejected_logps": -2.5,
    }  # fmt: skip
