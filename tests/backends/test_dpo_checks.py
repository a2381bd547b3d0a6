"""The numbers of preference training, and what stops it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from judgesmith.backends.dpo_checks import (
    LN2,
    Bounds,
    Measured,
    collapse,
    measure,
    require_first_loss,
    require_reference,
    require_unsettled,
)
from judgesmith.backends.pairs import PairScore
from judgesmith.errors import TrainingError

START = Measured(40, LN2, 0.0, 0.0, 0.6, 0.55, 1.0, 0.1, -0.5, 0.0)

nats = st.floats(-300.0, 0.0)
tokens = st.integers(1, 80)
pair_scores = st.lists(st.builds(PairScore, nats, nats, tokens, tokens), min_size=1, max_size=8)


@given(pair_scores, st.floats(0.01, 1.0))
def test_against_itself_every_margin_is_zero_and_the_loss_is_ln_2(
    scores: list[PairScore], beta: float
) -> None:
    found = measure(scores, scores, beta)
    assert (found.margin, found.rewarded, found.chosen_change) == (0.0, 0.0, 0.0)
    assert found.loss == pytest.approx(LN2, abs=1e-6)
    require_reference(scores, scores)
    require_first_loss(found.loss, beta=beta, bfloat16=False)


@given(pair_scores, pair_scores, st.floats(0.01, 1.0))
def test_loss_is_minus_the_log_of_a_sigmoid(
    policy: list[PairScore], reference: list[PairScore], beta: float
) -> None:
    """Against scipy's sigmoid, where that does not underflow."""
    count = min(len(policy), len(reference))
    policy, reference = policy[:count], reference[:count]
    chances = [
        expit(beta * ((p.chosen - q.chosen) - (p.rejected - q.rejected)))
        for p, q in zip(policy, reference, strict=True)
    ]
    if min(chances) > 1e-300:
        expected = sum(-math.log(chance) for chance in chances) / count
        assert measure(policy, reference, beta).loss == pytest.approx(expected, abs=2e-6)


def test_length_decides_between_raw_accuracy_and_accuracy_per_token() -> None:
    """Chosen: 30 nats over 30 tokens, 1 a token. Rejected: 20 nats over 10 tokens, 2 a token.

    The sum prefers the rejected reply because it is short; per token the chosen one is likelier.
    """
    scores = [PairScore(-30.0, -20.0, 30, 10)]
    found = measure(scores, scores, 0.1)
    assert (found.accuracy, found.accuracy_per_token, found.gap) == (0.0, 1.0, -10.0)


def test_a_pair_is_settled_from_99_to_1() -> None:
    """ln 99 = 4.595: a gap of 4.59 is 98.99%, one of 4.60 is 99.005%."""
    scores = [PairScore(-1.0, -1.0 - gap, 1, 1) for gap in (4.59, 4.6, 40.0, -40.0)]
    assert measure(scores, scores, 0.1).settled == 0.5
    assert expit(4.59) < 0.99 < expit(4.6)


def test_a_reply_that_is_only_shorter_settles_nothing() -> None:
    """6 nats a token on both sides, as a student from nothing gives: 30 against 36 nats."""
    scores = [PairScore(-30.0, -36.0, 5, 6)]
    found = measure(scores, scores, 0.1)
    assert (found.gap, found.accuracy, found.settled) == (6.0, 1.0, 0.0)


def test_the_reference_must_be_the_model_that_training_starts_from() -> None:
    """886 nats apart, as a published run was: with beta 0.1 a margin of 88.6."""
    policy = [PairScore(-100.0, -900.0, 50, 50), PairScore(-5.0, -6.0, 3, 3)]
    base = [PairScore(-450.0, -364.0, 50, 50), PairScore(-5.0, -6.0, 3, 3)]
    with pytest.raises(TrainingError, match=r"not the model.*1 of 2 pairs.*margins of 886 nats"):
        require_reference(policy, base)
    near = [PairScore(-100.0005, -899.9995, 50, 50), PairScore(-5.0, -6.0, 3, 3)]
    require_reference(policy, near)
    broken = [PairScore(math.nan, -900.0, 50, 50), PairScore(-5.0, -6.0, 3, 3)]
    with pytest.raises(TrainingError, match="not the model"):
        require_reference(broken, policy)


@pytest.mark.parametrize("loss", [0.01, LN2 - 0.0011, LN2 + 0.0011, 5.0, math.nan])
def test_the_first_loss_must_be_ln_2(loss: float) -> None:
    with pytest.raises(TrainingError, match=r"must be ln 2 = 0\.6931"):
        require_first_loss(loss, beta=0.1, bfloat16=False)


def test_the_first_loss_may_be_rounded() -> None:
    """In bfloat16 a gap of half a nat is rounding: 0.1 * 0.5 / 2 = 0.025, and 0.001 as always."""
    require_first_loss(LN2 + 0.0009, beta=0.1, bfloat16=False)
    require_first_loss(LN2 - 0.0255, beta=0.1, bfloat16=True)
    with pytest.raises(TrainingError):
        require_first_loss(LN2 - 0.0265, beta=0.1, bfloat16=True)


def test_settled_rows_have_nothing_to_teach() -> None:
    settled = START._replace(settled=0.98, accuracy=1.0, gap=31.5)
    with pytest.raises(
        TrainingError, match=r"nothing to learn.*98\.0% of 40 dev pairs.*31\.5 nats"
    ):
        require_unsettled(settled, 0.98, "dev")
    require_unsettled(settled._replace(settled=0.975), 0.98, "dev")
    require_unsettled(START._replace(accuracy=1.0, gap=3.0, settled=0.0), 0.98, "dev")


FINE = START._replace(loss=0.5, margin=0.6, chosen_change=-0.02)
ABOVE = START._replace(loss=LN2 + 0.02)


@pytest.mark.parametrize(
    ("during", "reason"),
    [
        ([FINE], None),
        ([FINE._replace(chosen_change=-0.1)], None),
        ([FINE._replace(chosen_change=-0.11)], "0.11 nats per token less likely"),
        ([FINE._replace(margin=20.0)], None),
        ([FINE._replace(margin=20.5)], "mean margin is 20.5"),
        ([FINE._replace(margin=-20.5)], "mean margin is -20.5"),
        ([FINE._replace(loss=math.nan)], "not finite"),
        ([FINE._replace(chosen=-math.inf)], "not finite"),
        ([ABOVE, ABOVE], None),
        ([ABOVE, ABOVE, ABOVE], "0.713, 0.713, 0.713"),
        ([FINE, ABOVE, ABOVE, ABOVE], "3 evaluations in a row"),
        ([ABOVE, FINE, ABOVE, ABOVE], None),
        ([ABOVE._replace(loss=LN2 + 0.009)] * 5, None),
    ],
)
def test_what_counts_as_a_collapse(during: list[Measured], reason: str | None) -> None:
    found = collapse([START, *during], Bounds())
    assert found is None if reason is None else reason in str(found)


def test_bounds_are_a_matter_of_the_recipe() -> None:
    falling = [START, FINE._replace(chosen_change=-0.3, margin=3.0)]
    assert "dpo.stop.fall = 0.1" in str(collapse(falling, Bounds()))
    assert collapse(falling, Bounds(fall=0.4)) is None
    assert "dpo.stop.margin = 2" in str(collapse(falling, Bounds(fall=0.4, margin=2.0)))


def test_a_number_that_is_none_at_all_is_seen_in_the_measurement() -> None:
    """A model whose weights overflowed gives NaN; no sum may turn that into a number."""
    broken = [PairScore(math.nan, -2.0, 3, 3), PairScore(-1.0, -math.inf, 3, 3)]
    sound = [PairScore(-1.0, -2.0, 3, 3)] * 2
    assert collapse([START, measure(broken, sound, 0.1)], Bounds()) == "a number is not finite"
    infinite = [PairScore(-math.inf, -2.0, 3, 3), PairScore(-1.0, -math.inf, 3, 3)]
    assert collapse([START, measure(infinite, sound, 0.1)], Bounds()) == "a number is not finite"
