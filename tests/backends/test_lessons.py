"""The order of training rows, and what they look like in a pass, depend on seed and ids alone."""

from itertools import islice

import pytest

from judgesmith.backends.lessons import NO_LOSS, Lesson, Plan, rare_tokens, schedule, steps_of
from judgesmith.errors import RecipeError

LESSONS = [
    Lesson(f"r{i}", [1, 2, 100 + i, 3, 100 + i] + [4] * (i % 7), [5, 100 + i]) for i in range(50)
]


def test_gives_the_number_of_rows_asked_for_pass_after_pass() -> None:
    """120 rows of 50: every row twice, 20 of them a third time."""
    seen = list(schedule(LESSONS, Plan(rows=120, batch=8, seed=1)))
    counts = sorted(sum(lesson.row_id == row.row_id for lesson in seen) for row in LESSONS)
    assert counts == [2] * 30 + [3] * 20


def test_batches_hold_rows_of_similar_length() -> None:
    """One block of 48 rows sorted by 7 lengths and cut into eights spans at most 2 tokens each."""
    seen = list(schedule(LESSONS, Plan(rows=48, batch=8, seed=1)))
    for start in range(0, 48, 8):
        lengths = [lesson.length for lesson in seen[start : start + 8]]
        assert max(lengths) - min(lengths) <= 2


def test_is_the_same_every_time_and_another_with_another_seed() -> None:
    plan = Plan(rows=100, batch=8, seed=1, renaming=0.5, reading=0.3)
    first = list(schedule(LESSONS, plan))
    assert first == list(schedule(LESSONS, plan))
    assert first != list(schedule(LESSONS, plan._replace(seed=2)))


def test_renames_a_rare_token_alike_in_prompt_and_reply() -> None:
    """Token 100 + i is in one row of 50 (2%, rare); 1 to 5 are in far more and stay."""
    seen = list(schedule(LESSONS, Plan(rows=50, batch=8, seed=1, renaming=1.0)))
    assert rare_tokens(LESSONS) == list(range(100, 150))
    assert any(row.prompt[2] != 100 + int(row.row_id[1:]) for row in seen)
    for row in seen:
        assert row.prompt[2] == row.prompt[4] == row.reply[1] >= 100
        assert row.prompt[:2] == [1, 2]


def test_never_renames_a_kept_token() -> None:
    kept = frozenset(range(100, 150))
    assert rare_tokens(LESSONS, kept) == []


def test_loss_falls_on_the_reply_and_on_the_share_of_the_prompt_that_is_read() -> None:
    """Share 0: prompt labels are all -100. Share 1: all but the first token, which follows none."""
    plain = next(iter(schedule(LESSONS, Plan(rows=1, batch=1, seed=1)))).fields()
    assert plain["labels"][:-2] == [NO_LOSS] * (len(plain["labels"]) - 2)
    assert plain["labels"][-2:] == plain["input_ids"][-2:]
    read = next(iter(schedule(LESSONS, Plan(rows=1, batch=1, seed=1, reading=1.0)))).fields()
    assert read["labels"] == [NO_LOSS, *read["input_ids"][1:]]


def test_an_unfinished_batch_comes_at_the_end() -> None:
    """13 rows in batches of 8: 8 and then 5, and none is lost."""
    seen = list(islice(schedule(LESSONS, Plan(rows=13, batch=8, seed=3)), 20))
    assert len({lesson.row_id for lesson in seen}) == 13


@pytest.mark.parametrize("given", [None, 0, "many", 1.5])
def test_an_accumulation_that_is_no_number_of_batches(given: object) -> None:
    with pytest.raises(RecipeError, match="gradient_accumulation_steps: expected a whole number"):
        steps_of(1, 100, 4, {"gradient_accumulation_steps": given})
