"""From a cost file to its figures: worked by hand, and laws that hold for every file."""

import copy
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.costs import CostInputs, example, work_out
from judgesmith.costs.amounts import amounts_in
from judgesmith.costs.draws import draw
from judgesmith.costs.ways import call_price
from judgesmith.models.http.prices import actual, usd
from judgesmith.models.protocol import Completion
from judgesmith.records import Finish
from judgesmith.report.cost_sections import cost_card_table, cost_section
from judgesmith.report.costs import Costs, Spread
from judgesmith.report.markdown import render_section
from judgesmith.runs.endpoint import Endpoint

SAID = {"as_of": "2026-01-31", "source": "an invoice"}
Tree = dict[str, Any]


def plain(**changes: Any) -> Tree:
    """$0.02 by API and $0.004 by a machine of $2 an hour, two calls each; $160 once."""
    return {
        "judgments_per_month": 5000,
        "months": 12,
        "calls_per_judgment": 2,
        "apis": {"vendor": {"price": {"per_call": 0.01, **SAID}}},
        "machines": {"gpu": {"per_hour": 2, **SAID}},
        "own": {"live": {"kind": "live", "machine": "gpu", "calls_per_hour": 1000,
                         "utilisation": 1}},
        "once": {"other": {"all of it": 160}},
        **changes,
    }  # fmt: skip


def worked_out(tree: Tree, **options: Any) -> Costs:
    return work_out(CostInputs.model_validate(tree), **options)


def own(tree: Tree, **changes: Any) -> Tree:
    """The same with other settings of its own judge; None takes one away."""
    found = copy.deepcopy(tree)
    settings_ = {**found["own"]["live"], **changes}
    found["own"]["live"] = {name: value for name, value in settings_.items() if value is not None}
    return found


def test_every_part_of_what_is_paid_once_counts() -> None:
    tree = plain(
        once={
            "teacher": {"calls": 4000, "api": "vendor"},  # $40
            "people": {"labels": 300, "minutes": 2, "per_hour": 30},  # 10 hours: $300
            "training": {"machine": "gpu", "hours": 2.5, "runs": 4},  # 10 hours: $20
            "other": {"negatives": 5},
        },
        each_month={"storage": 3, "watching": 7},
    )
    found = worked_out(tree)
    assert {row.name: row.usd.middle for row in found.once} == pytest.approx(
        {"teacher": 40, "people": 300, "training": 20, "negatives": 5}
    )
    assert found.once_usd.middle == pytest.approx(365)
    (row,) = found.paybacks
    assert row.months.middle == pytest.approx(365 / (5000 * 0.016 - 10))
    assert row.ahead.middle == pytest.approx(12 * 70 - 365)
    assert row.needed.middle == pytest.approx((365 / 12 + 10) / 0.016)
    assert found.options[0].all_in.middle == pytest.approx(0.004 + (365 / 12 + 10) / 5000)
    assert found.draws == 1


def test_idle_hours_are_paid() -> None:
    """Half of the hours idle: twice the price. All hours of a month paid: $1,460 whatever comes."""
    half = worked_out(own(plain(), utilisation=0.5))
    assert half.options[0].judgment.middle == pytest.approx(0.008)
    always = worked_out(own(plain(), utilisation=None, hours_per_month=730))
    assert always.options[0].month.middle == pytest.approx(1460)
    assert always.options[0].busy is not None
    assert always.options[0].busy.middle == pytest.approx(10_000 / 730_000)
    (row,) = always.paybacks
    assert (row.months.middle, row.judgments.middle, row.verdict) == (None, None, "API")
    assert "never pays" in row.advice
    assert row.needed.middle == pytest.approx((160 / 12 + 1460) / 0.02)


def test_at_the_volume_that_is_needed_it_pays_at_the_end_of_the_period() -> None:
    tree = own(plain(), utilisation=None, hours_per_month=730, busy_at_most=0.5)
    needed = worked_out(tree).paybacks[0].needed.middle
    assert worked_out(tree | {"judgments_per_month": needed}).paybacks[0].months.middle == (
        pytest.approx(12)
    )


def test_what_is_handed_on_costs_what_the_api_costs_and_the_first_try() -> None:
    found = worked_out(own(plain(), handed_on=0.25))
    assert found.paybacks[0].months.middle == pytest.approx(160 / (5000 * (0.015 - 0.004)))
    assert found.paybacks[0].cheaper.middle == pytest.approx(0.02 / 0.009)


def test_a_price_that_falls_makes_it_pay_later_and_saves_less() -> None:
    """By a quarter a year: k = -ln(.75) / 12; saved by t: 100 (1 - exp(-kt)) / k - 20 t."""
    tree = plain()
    tree["apis"]["vendor"]["falls_per_year"] = 0.25
    (row,) = worked_out(tree).paybacks
    k = -math.log(0.75) / 12
    assert row.ahead.middle == pytest.approx(100 * 0.25 / k - 240 - 160)
    months = row.months.middle
    assert months is not None
    assert 100 * (1 - math.exp(-k * months)) / k - 20 * months == pytest.approx(160)
    needed = row.needed.middle
    assert needed is not None
    ahead = worked_out(tree | {"judgments_per_month": needed}).paybacks[0].ahead.middle
    assert ahead == pytest.approx(0, abs=1e-6)
    tree["apis"]["vendor"]["falls_per_year"] = 0.99
    assert worked_out(tree).paybacks[0].months.middle is None


def test_starting_up_is_paid() -> None:
    found = worked_out(own(plain(), start_s=180, starts_per_month=30))
    assert found.options[0].month.middle == pytest.approx(20 + 30 * 180 / 3600 * 2)


def test_a_latency_chooses_the_fastest_load_that_meets_it() -> None:
    loads = [
        {"concurrency": 1, "calls": 10, "wall_s": 20, "p99_s": 3},
        {"concurrency": 4, "calls": 10, "wall_s": 10, "p99_s": 5},
        {"concurrency": 16, "calls": 10, "wall_s": 5, "p99_s": 9},
        {"concurrency": 64, "calls": 10, "wall_s": 4},
    ]
    tree = own(plain(), calls_per_hour=None, loads=loads, latency={"p99_s": 5})
    found = worked_out(tree)
    assert found.options[0].judgment.middle == pytest.approx(2 * 2 / 3600)
    assert "4 in flight" in found.options[0].rests_on


@settings(deadline=None, max_examples=50)
@given(
    prompt=st.integers(0, 10_000), reply=st.integers(0, 4_000), cached=st.floats(0, 1),
    batch=st.booleans(),
)  # fmt: skip
def test_a_call_costs_what_the_ledger_books_for_it(
    prompt: int, reply: int, cached: float, batch: bool
) -> None:
    """The one exact producer of a call's price rounds up to a billionth of a dollar."""
    rates = {"input": 3.0, "output": 15.0, "cached_input": 0.3, "batch": 0.5}
    taken = round(cached * prompt)
    endpoint = Endpoint(
        protocol="openai", url="https://o.example", model="m",
        price={**rates, "as_of": "2026-01-31"},
    )  # fmt: skip
    completion = Completion(
        text="A", finish=Finish.STOP, prompt_tokens=prompt, completion_tokens=reply,
        cached_tokens=taken,
    )  # fmt: skip
    booked = usd(actual(endpoint, completion, batch=batch))
    tree = plain(
        apis={"vendor": {"price": {**rates, **SAID}, "cached": taken / prompt if prompt else 0}},
        tokens={"prompt": max(prompt, 1e-12), "reply": max(reply, 1e-12)},
    )
    inputs = CostInputs.model_validate(tree)
    draws = draw(dict(amounts_in(inputs)), 1, 0)
    price = call_price(inputs, draws, "vendor", batch=batch).item()
    assert price == pytest.approx(booked, rel=1e-9, abs=2e-9)


AMOUNT = st.one_of(
    st.floats(0.01, 100),
    st.tuples(st.floats(0.01, 50), st.floats(0, 50)).map(
        lambda pair: {"low": pair[0], "high": pair[0] + pair[1]}
    ),
    st.tuples(st.floats(0.01, 100), st.floats(0.01, 1)).map(
        lambda pair: {"mean": pair[0], "sd": pair[0] * pair[1]}
    ),
)


FALLS = st.sampled_from([0, 0.3, {"low": 0, "high": 0.5}, {"mean": 0.3, "sd": 0.2}])


@st.composite
def trees(draw_: st.DrawFn) -> Tree:
    """Cost files of all kinds, with small numbers in the place of money."""
    live = {"kind": "live", "machine": "gpu", "calls_per_hour": draw_(AMOUNT), "utilisation": 0.5}
    if draw_(st.booleans()):
        live |= {"start_s": draw_(AMOUNT), "starts_per_month": draw_(AMOUNT), "handed_on": 0.1}
    return plain(
        judgments_per_month=draw_(AMOUNT), calls_per_judgment=draw_(st.sampled_from([1, 2])),
        apis={"vendor": {"price": {"per_call": draw_(AMOUNT), **SAID},
                         "falls_per_year": draw_(FALLS)}},
        machines={"gpu": {"per_hour": draw_(AMOUNT), **SAID}}, own={"live": live},
        once={"people": {"labels": draw_(AMOUNT), "minutes": draw_(AMOUNT),
                         "per_hour": draw_(AMOUNT)}},
        each_month={"storage": draw_(AMOUNT)},
    )  # fmt: skip


def scaled(given_: Any, factor: float) -> Any:
    """An amount in another currency."""
    if isinstance(given_, dict):
        return {name: value * factor for name, value in given_.items()}
    return given_ * factor


def ends(found: Spread) -> list[float]:
    """Its quantiles as numbers: never is infinite."""
    return [float("inf") if x is None else x for x in (found.low, found.middle, found.high)]


@settings(max_examples=40, deadline=None)
@given(trees(), st.sampled_from([0.001, 0.5, 2.0, 1000.0]))
def test_another_currency_changes_no_time(tree: Tree, factor: float) -> None:
    other = copy.deepcopy(tree)
    for place, name in (
        (other["apis"]["vendor"]["price"], "per_call"), (other["machines"]["gpu"], "per_hour"),
        (other["once"]["people"], "per_hour"), (other["each_month"], "storage"),
    ):  # fmt: skip
        place[name] = scaled(place[name], factor)
    first, second = (worked_out(one, draws=200) for one in (tree, other))
    a, b = first.paybacks[0], second.paybacks[0]
    assert ends(a.months) == pytest.approx(ends(b.months), rel=1e-6)
    assert ends(a.judgments) == pytest.approx(ends(b.judgments), rel=1e-6)
    assert ends(a.needed) == pytest.approx(ends(b.needed), rel=1e-6)
    assert ends(second.once_usd) == pytest.approx([x * factor for x in ends(first.once_usd)])
    assert a.verdict == b.verdict


@settings(max_examples=40, deadline=None)
@given(trees(), st.floats(1.01, 10))
def test_more_judgments_never_make_it_pay_later(tree: Tree, more: float) -> None:
    wider = tree | {"judgments_per_month": scaled(tree["judgments_per_month"], more)}
    few, many = (worked_out(one, draws=200).paybacks[0] for one in (tree, wider))
    for less, greater in zip(ends(many.months), ends(few.months), strict=True):
        assert less <= greater * (1 + 1e-9)
    for before, after in zip(few.within_months, many.within_months, strict=True):
        assert before.share <= after.share


@settings(max_examples=40, deadline=None)
@given(trees(), st.sampled_from(["api", "machine", "people"]), st.floats(1.01, 10))
def test_dearer_apis_make_it_pay_sooner_and_dearer_judges_later(
    tree: Tree, what: str, factor: float
) -> None:
    dearer = copy.deepcopy(tree)
    place, name = {
        "api": (dearer["apis"]["vendor"]["price"], "per_call"),
        "machine": (dearer["machines"]["gpu"], "per_hour"),
        "people": (dearer["once"]["people"], "per_hour"),
    }[what]
    place[name] = scaled(place[name], factor)
    before, after = (worked_out(one, draws=200).paybacks[0] for one in (tree, dearer))
    if what == "api":
        before, after = after, before
    for less, greater in zip(ends(before.months), ends(after.months), strict=True):
        assert less <= greater * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(trees())
def test_the_figures_of_a_file_agree_with_each_other(tree: Tree) -> None:
    found = worked_out(tree, draws=200)
    (row,) = found.paybacks
    shares = [one.share for one in row.within_months]
    assert shares == sorted(shares)
    expected = "own judge" if shares[-1] >= 0.9 else "API" if shares[-1] <= 0.1 else "not decided"
    assert row.verdict == expected
    for figure in (row.months, row.judgments, row.needed, found.once_usd):
        assert ends(figure) == sorted(ends(figure))
    text = render_section(cost_section(found))
    assert "nan" not in text
    assert "inf" not in text.replace("information", "")
    assert Costs.model_validate_json(found.model_dump_json()) == found


def test_one_uncertain_input_gives_exact_quantiles() -> None:
    """Break-even = $160 / (V x $0.016), V from 1,000 to 3,000: its quantiles by hand."""
    found = worked_out(plain(judgments_per_month={"low": 1000, "high": 3000}))
    months = found.paybacks[0].months
    exact = [160 / (volume * 0.016) for volume in (2900, 2000, 1100)]
    assert ends(months) == pytest.approx(exact, rel=1e-4)
    within = {one.limit: one.share for one in found.paybacks[0].within_months}
    assert within[6] == pytest.approx((3000 - 160 / 0.016 / 6) / 2000, abs=1e-4)
    assert within[3] == 0


def test_many_uncertain_inputs_are_as_plain_random_draws_say() -> None:
    """Against 200,000 draws of numpy's own, which know of no hypercube."""
    import numpy as np

    tree = plain(
        judgments_per_month={"low": 2000, "high": 9000},
        once={"people": {"labels": 300, "minutes": {"mean": 2, "sd": 1}, "per_hour": 30}},
    )
    tree["apis"]["vendor"]["price"]["per_call"] = {"low": 0.002, "high": 0.02}
    tree = own(tree, utilisation={"mean": 0.4, "sd": 0.2})
    random = np.random.default_rng(5)
    n = 200_000
    sigma = np.sqrt(np.log1p(0.25))
    once = 150 * random.lognormal(np.log(2) - sigma**2 / 2, sigma, n)
    busy = random.beta(0.4 * 5, 0.6 * 5, n)
    saved = random.uniform(2000, 9000, n) * (2 * random.uniform(0.002, 0.02, n) - 0.004 / busy)
    months = np.where(saved > 0, once / np.where(saved > 0, saved, 1), np.inf)
    (row,) = worked_out(tree).paybacks
    assert row.months.low == pytest.approx(np.quantile(months, 0.05), rel=0.05)
    assert row.months.middle == pytest.approx(np.median(months), rel=0.05)
    assert row.months.high is None
    for one in row.within_months:
        assert one.share == pytest.approx((months <= one.limit).mean(), abs=0.015)


def test_what_moves_the_break_even_most_comes_first() -> None:
    tree = plain(once={"people": {"labels": {"low": 100, "high": 1000}, "minutes": 2,
                                  "per_hour": {"low": 25, "high": 30}}})  # fmt: skip
    swings = worked_out(tree).paybacks[0].swings
    assert swings[0].input == "once.people.labels"
    assert not swings[0].assumed
    assert swings[0].months_at_low is not None
    assert swings[0].months_at_high == pytest.approx(swings[0].months_at_low * 955 / 145)
    assert {s.input for s in swings if not s.assumed} == {
        "once.people.labels", "once.people.per_hour"
    }  # fmt: skip
    assert "calls_per_judgment" not in {swing.input for swing in swings}


def test_where_it_never_pays_the_volume_that_is_needed_still_hangs_on_something() -> None:
    tree = own(plain(), utilisation=None, hours_per_month={"low": 400, "high": 730})
    (row,) = worked_out(tree).paybacks
    assert row.months.low is None
    swing = row.swings[0]
    assert swing.input == "own.live.hours_per_month"
    assert (swing.months_at_low, swing.months_at_high) == (None, None)
    for hours, needed in ((swing.low, swing.needed_at_low), (swing.high, swing.needed_at_high)):
        assert needed == pytest.approx((160 / 12 + 2 * hours) / 0.02)


def test_the_same_file_and_seed_give_the_same_numbers() -> None:
    tree = plain(judgments_per_month={"low": 1000, "high": 9000})
    tree["machines"]["gpu"]["per_hour"] = {"mean": 2, "sd": 1}
    assert worked_out(tree, seed=1) == worked_out(tree, seed=1)
    assert worked_out(tree, seed=1) != worked_out(tree, seed=2)


def test_a_card_says_what_the_tables_say() -> None:
    found = worked_out(plain())
    table = cost_card_table(found)
    rows = [tuple(cell.text for cell in row) for row in table.rows]
    assert rows[0] == ("a judgment, live (live)", "$0.0040", found.options[0].rests_on)
    name, figure, why = rows[-1]
    assert name == "break-even, live against vendor (API)"
    assert figure == "2.0 months, 10,000 judgments"
    assert why.startswith("Use your own judge.")
    assert "as of 2026-01-31, an invoice" in table.note
    never = cost_card_table(worked_out(own(plain(), utilisation=0.1)))
    assert never.rows[-1][1].text == "never"


def test_what_nobody_counted_is_said() -> None:
    said = " ".join(worked_out(plain(calls_per_judgment=1)).rests_on)
    assert "labels by a teacher, labels by people, training, upkeep each month" in said
    assert "one order only" in said
    assert "as of 2026-01-31, an invoice" in said


def test_the_example_is_a_cost_file(tmp_path: Any) -> None:
    from judgesmith.costs import load_inputs

    path = tmp_path / "cost.yaml"
    path.write_text(example(), encoding="utf-8")
    found = work_out(load_inputs(path))
    assert {row.verdict for row in found.paybacks if row.like_for_like} == {"own judge", "API"}
