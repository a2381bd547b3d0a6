"""Numbers, ranges and spreads: what is taken, what is refused, and how it is drawn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from judgesmith.costs.amounts import Amount, Positive, PositiveShare, Share, amounts_in
from judgesmith.costs.draws import draw, ends, one_at_a_time
from judgesmith.costs.inputs import People

P = (np.arange(2000) + 0.5) / 2000


@pytest.mark.parametrize(
    ("kind", "given_", "said"),
    [
        (Amount, -1, "0 or more"),
        (Amount, 1e13, "at most 1e\\+12"),
        (Amount, float("nan"), "finite"),
        (Amount, float("inf"), "finite"),
        (Amount, True, "a number, {low, high} or {mean, sd}"),
        (Amount, "1e6", "1.0e\\+6"),
        (Amount, None, "a number"),
        (Amount, {}, "found nothing"),
        (Amount, {"low": 1}, "found low"),
        (Amount, {"low": 1, "high": 2, "mean": 1}, "found low, high, mean"),
        (Amount, {"value": 1, "sd": 2}, "found value, sd"),
        (Amount, {"low": 2, "high": 1}, "low up to high"),
        (Amount, {"low": -1, "high": 1}, "found low -1"),
        (Amount, {"mean": 5, "sd": -1}, "sd of 0 or more"),
        (Amount, {"mean": 0, "sd": 1}, "mean above 0"),
        (Amount, {"mean": 1, "sd": 11}, "ten means"),
        (Amount, {"low": "1", "high": 2}, "valid number"),
        (Positive, 0, "above 0"),
        (Positive, {"low": 0, "high": 2}, "above 0"),
        (Share, 1.1, "at most 1"),
        (Share, {"mean": 0.5, "sd": 0.5}, "below 0.5"),
        (PositiveShare, 0, "above 0"),
    ],
)
def test_absurd_amounts_are_refused(kind: type[Amount], given_: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        kind.model_validate(given_)


def test_a_spread_has_the_mean_and_sd_that_were_given() -> None:
    values = Amount.model_validate({"mean": 15, "sd": 3}).quantile(P)
    assert values.mean() == pytest.approx(15, rel=1e-3)
    assert values.std() == pytest.approx(3, rel=0.02)
    assert values.min() > 0
    shares = Share.model_validate({"mean": 0.3, "sd": 0.1}).quantile(P)
    assert shares.mean() == pytest.approx(0.3, rel=1e-3)
    assert shares.std() == pytest.approx(0.1, rel=0.01)
    assert 0 <= shares.min() < shares.max() <= 1


def test_quantiles_are_those_of_scipys_distributions() -> None:
    sigma = np.sqrt(np.log1p(0.04))
    oracle = stats.lognorm(s=sigma, scale=15 / np.exp(sigma**2 / 2))
    found = Amount.model_validate({"mean": 15, "sd": 3}).quantile(P)
    np.testing.assert_allclose(found, oracle.ppf(P))
    beta = stats.beta(0.3 * 20, 0.7 * 20)
    found = Share.model_validate({"mean": 0.3, "sd": beta.std()}).quantile(P)
    np.testing.assert_allclose(found, beta.ppf(P))


@settings(deadline=None, max_examples=40)
@given(st.floats(1e-3, 1e6), st.floats(0, 9.9))
def test_quantiles_rise_and_stay_above_zero(mean: float, spread: float) -> None:
    values = Positive.model_validate({"mean": mean, "sd": mean * spread}).quantile(P)
    assert (values > 0).all()
    assert (np.diff(values) >= 0).all()


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 0.99), st.floats(0, 0.99))
def test_a_share_stays_a_share(mean: float, part: float) -> None:
    sd = part * np.sqrt(mean * (1 - mean))
    values = PositiveShare.model_validate({"mean": mean, "sd": sd}).quantile(P)
    assert ((values > 0) & (values <= 1)).all()


def test_every_place_has_a_name() -> None:
    people = People.model_validate({"labels": 1, "minutes": {"low": 1, "high": 2}, "per_hour": 3})
    found = dict(amounts_in({"once": people, "loads": (people,)}))
    assert "once.minutes" in found
    assert "loads.0.per_hour" in found


def test_draws_of_an_input_do_not_hang_on_the_others() -> None:
    wide = Amount.model_validate({"low": 0, "high": 1})
    alone = draw({"a": wide}, 100, seed=3)["a"]
    beside = draw({"b": wide, "a": wide}, 100, seed=3)
    np.testing.assert_array_equal(alone, beside["a"])
    assert abs(np.corrcoef(beside["a"], beside["b"])[0, 1]) < 0.3
    assert (draw({"a": wide}, 100, seed=4)["a"] != alone).any()


def test_one_input_moves_at_a_time() -> None:
    amounts = {"a": Amount(value=10.0), "s": Share.model_validate({"low": 0.4, "high": 0.6})}
    scenes = one_at_a_time(amounts, ["a", "s"])
    assert scenes["a"].tolist() == [10, 8, 12.5, 10, 10]
    np.testing.assert_allclose(scenes["s"], [0.5, 0.5, 0.5, 0.41, 0.59])
    assert ends(Share(value=0.9)) == pytest.approx((0.72, 1.0))
