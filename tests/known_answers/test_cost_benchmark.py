"""The published cost benchmark of judge-from-scratch, from its raw measurements.

Its file says that a self-hosted judge costs 32.47 times less than one call of the API that taught
it. `judgesmith cost` finds that number, and beside it what it rests on: a batch price of the API,
one order, no idle hour, and nothing for labels, people and training.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from judgesmith.costs import CostInputs, work_out
from judgesmith.report.costs import CostOption, Costs, Payback

LEDGER = {"as_of": "2026-05-02", "source": "its labelling ledger: $8.1994 for 1,939 calls"}
MODAL = {"as_of": "2026-05-09", "source": "its benchmark file"}
LABELLING, SYNTHESIS, SFT, DPO = 14.341694, 2.05, 3.86, 1.34
"""US dollars, the first from its label file's metadata, the others as its author reports them."""


@pytest.fixture(scope="module")
def root(shared_data: Path) -> Path:
    return shared_data / "judge_from_scratch"


@pytest.fixture(scope="module")
def file(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / "deployment/benchmark_results.json").read_bytes())
    return content


def inputs(file: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The file's raw measurements as a cost file; what it leaves out is left out."""
    offline = {
        name: {"kind": "offline", "machine": "a100", "utilisation": 1,
               "loads": [{"calls": raw["rows"], "wall_s": raw["wallclock_s"]}]}
        for name, raw in file["offline_batch"].items()
    }  # fmt: skip
    live = {
        f"live {raw['concurrency']}": {
            "kind": "live", "machine": "a100", "utilisation": 1,
            "loads": [{"calls": raw["n"], "wall_s": raw["wall_s"]}],
        }
        for raw in file["live_serving"].values()
    }  # fmt: skip
    return {
        "judgments_per_month": 10_000,
        "months": 12,
        "calls_per_judgment": 1,
        "apis": {"sonnet": {"price": {"per_batch_call": 8.1994 / 1939, **LEDGER}}},
        "machines": {"a100": {"per_hour": file["modal_usd_per_hour"], **MODAL}},
        "own": offline | live,
        **changes,
    }


def found(tree: dict[str, Any]) -> Costs:
    return work_out(CostInputs.model_validate(tree))


def payback(costs: Costs, own: str, kind: str = "batch API") -> Payback:
    (row,) = (row for row in costs.paybacks if (row.own, row.api_kind) == (own, kind))
    return row


def option(costs: Costs, name: str, kind: str) -> CostOption:
    (row,) = (row for row in costs.options if (row.name, row.kind) == (name, kind))
    return row


def cheaper(costs: Costs, own: str, kind: str = "batch API") -> float:
    times = payback(costs, own, kind).cheaper.middle
    assert times is not None
    return times


def test_the_headline_is_found_from_the_raw_measurements(file: dict[str, Any]) -> None:
    published = file["cost_comparison"]["per_call_apples_to_apples"]
    costs = found(inputs(file))
    assert round(cheaper(costs, "dpo"), 2) == published["ratio_sonnet_over_modal_x"] == 32.47
    api, own = option(costs, "sonnet", "batch API"), option(costs, "dpo", "offline")
    assert api.judgment.middle == pytest.approx(published["sonnet_usd_per_call"], abs=5e-7)
    assert own.judgment.middle == pytest.approx(published["modal_usd_per_call"], abs=5e-7)


def test_the_same_file_gives_2_5_one_by_one_and_5_8_with_16_in_flight(file: dict[str, Any]) -> None:
    costs = found(inputs(file))
    assert round(cheaper(costs, "live 1"), 1) == 2.5
    assert round(cheaper(costs, "live 16"), 1) == 5.8


def test_as_many_tokens_in_another_run_give_23_times_not_32(file: dict[str, Any]) -> None:
    """SFT wrote as many tokens as DPO; its run took 41% longer. One run is one draw."""
    raw = file["offline_batch"]
    assert raw["sft"]["output_tokens"] == pytest.approx(raw["dpo"]["output_tokens"], rel=1e-3)
    assert raw["sft"]["wallclock_s"] / raw["dpo"]["wallclock_s"] == pytest.approx(1.41, abs=0.005)
    costs = found(inputs(file))
    assert round(cheaper(costs, "sft"), 1) == 23.1
    assert round(cheaper(costs, "baseline"), 1) == 38.7


def test_the_pipelines_ratio_is_of_other_work_on_each_side(file: dict[str, Any]) -> None:
    """8.12: three vendors' labels of one pair against seven passes of the own judge over it."""
    published = file["cost_comparison"]["per_pair_pipeline"]
    raw = file["offline_batch"]["dpo"]
    tree = inputs(file, calls_per_judgment=raw["rows"] / 300)
    tree["apis"]["sonnet"]["price"]["per_batch_call"] = LABELLING / 1937 / (raw["rows"] / 300)
    assert round(cheaper(found(tree), "dpo"), 2) == published["ratio_sonnet_over_modal_x"] == 8.12


def priced_by_tokens(root: Path, file: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same with the tokens of the trial run and the price list of that day."""
    lines = (root / "data/labeled/dryrun_sonnet.jsonl").read_text("utf-8").splitlines()
    usage = [json.loads(line)["usage"] for line in lines]
    assert {used["service_tier"] for used in usage} == {"batch"}
    tokens = {
        name: sum(used[f"{of}_tokens"] for used in usage) / len(usage)
        for name, of in (("prompt", "input"), ("reply", "output"))
    }
    price = {"input": 3, "output": 15, "batch": 0.5, **LEDGER}
    return inputs(file, apis={"sonnet": {"price": price}}, tokens=tokens, **changes)


def test_the_apis_price_is_that_of_batches(root: Path, file: dict[str, Any]) -> None:
    """Half of the list price to the sixth decimal: so single calls cost twice as much."""
    spent = json.loads((root / "data/labeled/labeled_pairs.meta.json").read_bytes())["dryrun"]
    costs = found(priced_by_tokens(root, file))
    batch, single = (option(costs, "sonnet", kind).judgment.middle for kind in ("batch API", "API"))
    assert batch is not None
    assert 50 * batch == pytest.approx(spent["sonnet_spend_usd"], abs=5e-7)
    assert single == pytest.approx(2 * batch)
    assert batch == pytest.approx(8.1994 / 1939, rel=0.02)


def test_live_against_live_is_better_than_the_file_says_and_idle_hours_undo_it(
    root: Path, file: dict[str, Any]
) -> None:
    tree = priced_by_tokens(root, file)
    costs = found(tree)
    assert round(cheaper(costs, "live 1", "API"), 1) == 5.1
    assert round(cheaper(costs, "live 16", "API"), 1) == 11.8
    assert payback(costs, "live 16", "API").like_for_like
    assert not payback(costs, "live 16", "batch API").like_for_like
    for busy, times in ((0.3, 3.5), (0.05, 0.6)):
        tree["own"]["live 16"]["utilisation"] = busy
        assert round(cheaper(found(tree), "live 16", "API"), 1) == times


@pytest.mark.parametrize(
    ("people", "judgments"), [({}, 5_269), ({"labels": 300, "minutes": 2, "per_hour": 40}, 102_857)]
)
def test_the_break_even_that_the_file_leaves_out(
    root: Path, file: dict[str, Any], people: dict[str, Any], judgments: float
) -> None:
    """$21.59 of bills; with $400 for 300 labels at two minutes and $40 an hour, twenty times that.

    By hand: 21.591694 / (0.0042287 - 0.0001302), and 421.591694 by the same.
    """
    once: dict[str, Any] = {
        "teacher": {"usd": LABELLING}, "other": {"synthesis": SYNTHESIS, "SFT": SFT, "DPO": DPO}
    }  # fmt: skip
    if people:
        once["people"] = people
    costs = found(inputs(file, once=once))
    assert payback(costs, "dpo").judgments.middle == pytest.approx(judgments, rel=1e-3)


def test_both_orders_leave_the_ratio_and_halve_the_break_even(file: dict[str, Any]) -> None:
    once = {"other": {"all": 100}}
    one, both = (found(inputs(file, once=once, calls_per_judgment=n)) for n in (1, 2))
    assert cheaper(both, "dpo") == pytest.approx(cheaper(one, "dpo"))
    first, second = (payback(costs, "dpo").judgments.middle for costs in (one, both))
    assert first is not None
    assert second == pytest.approx(first / 2)
