"""The gate tests interval bounds and can say that there is not enough evidence."""

from typing import Any

import pytest

from judgesmith.errors import RunError
from judgesmith.report.results import Evaluation, JudgeResult, Number, SliceResult
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.stages import gate
from judgesmith.stages.gate import Config, above, decide, worst


def number(value: float | None, low: float | None, high: float | None, **more: Any) -> Number:
    return Number(value=value, low=low, high=high, **{"n": 100, **more})


def evaluation(
    kappa: Number, *, consistency: Number | None = None, difference: Number | None = None
) -> Evaluation:
    sure = number(1.0, 0.99, 1.0)
    part = SliceResult(
        kappa=kappa, accuracy=sure, kappa_stored_order=None, kappa_swapped_order=None,
        coverage=sure, if_unparsed={}, consistency=consistency, position_bias=None,
        verbosity=None, confusion=None,
    )  # fmt: skip
    student = JudgeResult(
        name="student", role="student", order_proof=False, note="", slices={"in_domain": part}
    )  # fmt: skip
    return Evaluation(
        labels_kind="people", labels_title="labels: 100 verdicts by 1 person", direction="",
        confidence=0.95, resamples=200, test_looks=1, slices=(), judges=(student,),
        comparisons=(), domain_difference=difference, published=(), examples=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "outcome", "needed"),
    [
        (number(0.7, 0.6, 0.8), "pass", None),
        (number(0.5, 0.4, 0.5999), "fail", None),
        (number(0.5, 0.4, 0.6), "inconclusive", 100),
        (number(0.5, 0.4, 0.7), "inconclusive", 400),
        (number(0.65, 0.5, 0.75), "inconclusive", 900),
        (number(0.9, 0.8, 1.0, hidden="only 4 labels"), "inconclusive", None),
        (number(None, None, None, undefined="there are no rows"), "inconclusive", None),
        (number(0.9, None, None), "inconclusive", None),
        (None, "not applicable", None),
    ],
)
def test_bounds_are_tested_and_not_values(
    found: Number | None, outcome: str, needed: int | None
) -> None:
    """.65 with a lower end .15 below it must come within .05 of it: 100 * 3**2 = 900 labels.

    .5 with an upper end .2 above it must come within .1 of it to fail: 100 * 2**2 = 400.
    """
    check = above("kappa", found, 0.6)
    assert (check.outcome, check.labels_needed) == (outcome, needed)
    assert check.reason


def test_the_worst_outcome_decides() -> None:
    assert worst(["pass", "not applicable"]) == "pass"
    assert worst(["pass", "inconclusive"]) == "inconclusive"
    assert worst(["inconclusive", "fail", "pass"]) == "fail"


def test_a_judge_is_tested_on_every_bound() -> None:
    good = number(0.8, 0.7, 0.9)
    config = Config(kappa=0.6, consistency=0.6, coverage=0.98, domain_drop=-0.1)

    def outcome(found: Evaluation) -> str:
        return decide(found, found.judges[0], config).outcome

    assert outcome(evaluation(good, consistency=good)) == "pass"
    assert outcome(evaluation(good)) == "pass"
    drop = number(-0.3, -0.5, -0.2)
    assert outcome(evaluation(good, consistency=good, difference=drop)) == "fail"
    unsure = number(0.0, -0.3, 0.3)
    assert outcome(evaluation(good, consistency=good, difference=unsure)) == "inconclusive"
    assert outcome(evaluation(number(0.2, 0.1, 0.3), consistency=good)) == "fail"


def test_the_order_proof_check_says_why_it_does_not_apply() -> None:
    found = evaluation(number(0.8, 0.7, 0.9))
    checks = {c.name: c for c in decide(found, found.judges[0], Config()).checks}
    assert checks["raw consistency"].outcome == "not applicable"
    assert checks["raw consistency"].reason == "order-proof by construction"
    drop = checks["kappa out of domain minus in domain"]
    assert (drop.outcome, drop.reason) == (
        "not applicable", "not measured: there are no out-of-domain items",
    )  # fmt: skip


def test_the_stage_writes_its_verdict(empty_run: RunDir, no_models: Any) -> None:
    with pytest.raises(RunError, match="--until evaluate"):
        gate.run(Config(), empty_run, no_models)
    assert gate.read_gate(empty_run) is None
    found = evaluation(number(0.2, 0.1, 0.3))
    write_json(empty_run.file("evaluate/results.json"), found.model_dump(mode="json"))
    gate.run(Config(), empty_run, no_models)
    written = gate.read_gate(empty_run)
    assert written is not None
    assert (written.outcome, written.labels_title) == ("fail", found.labels_title)
