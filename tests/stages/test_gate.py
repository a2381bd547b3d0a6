"""The gate tests interval bounds and can say that there is not enough evidence."""

from typing import Any

import pytest

from judgesmith.errors import RunError
from judgesmith.evaluation.checks import waiting
from judgesmith.report.results import Evaluation, JudgeResult, Number, SliceResult
from judgesmith.report.score_results import Kept, ScoreResult, ScoreSlice
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


def of_scores(pearson: Number, exact: Number, **more: Any) -> Evaluation:
    """An evaluation in which the student gives scores."""
    sure = number(1.0, 0.99, 1.0)
    part = ScoreSlice(
        coverage=sure, exact=exact, within_one=sure, pearson=pearson, spearman=pearson,
        kendall=None, weighted_kappa=pearson, mean_error=sure, expected=None, confusion=None,
    )  # fmt: skip
    judge = ScoreResult(name="student", role="student", note="", slices={"in_domain": part})
    changes = {"form": "scores", "judges": (), "scored": (judge,), "dialect": "abs", **more}
    return evaluation(sure).model_copy(update=changes)


def checks_of(found: Evaluation, config: Config) -> dict[str, Any]:
    return {c.name: c for c in decide(found, gate.deciding_judge(found), config).checks}


GOOD, BAD = number(0.8, 0.7, 0.9), number(0.3, 0.2, 0.4)


def test_scores_are_tested_by_correlation_and_exact_agreement() -> None:
    found = of_scores(GOOD, BAD)
    checks = checks_of(found, Config(correlation=0.6, exact=0.5))
    assert {name: check.outcome for name, check in checks.items()} == {
        "kappa in domain": "not applicable", "pearson in domain": "pass",
        "exact agreement in domain": "fail", "raw consistency": "not applicable",
        "coverage": "pass", "kappa out of domain minus in domain": "not applicable",
    }  # fmt: skip
    assert checks["kappa in domain"].reason == "the judge gives scores, not verdicts"
    by_rank = checks_of(found, Config(correlation=0.75, correlation_of="spearman"))
    assert by_rank["spearman in domain"].outcome == "inconclusive"


def test_scores_without_a_bound_decide_nothing() -> None:
    found = of_scores(GOOD, GOOD)
    result = decide(found, gate.deciding_judge(found), Config())
    assert result.outcome == "inconclusive"
    assert "needs gate.correlation or gate.exact" in result.checks[0].reason


def test_scores_of_a_further_dialect_are_tested_beside_kappa() -> None:
    found = evaluation(GOOD, consistency=GOOD).model_copy(
        update={"also": (of_scores(GOOD, GOOD),), "dialect": "rel"}
    )
    checks = checks_of(found, Config(correlation=0.6))
    assert checks["kappa in domain"].outcome == "pass"
    assert checks["pearson in domain, abs"].outcome == "pass"
    assert checks["coverage, abs"].outcome == "pass"
    none = checks_of(evaluation(GOOD), Config(exact=0.5))["exact agreement in domain"]
    assert (none.outcome, none.reason) == (
        "inconclusive", "no scores of this judge were measured",
    )  # fmt: skip


def test_labels_by_people_decide_where_the_recipe_demands_them() -> None:
    """Against a teacher's labels .7 [.65, .75] of 400; 400 * (.05 / .1)**2 = 100 would do."""
    teacher = evaluation(number(0.7, 0.65, 0.75, n=400), consistency=GOOD).model_copy(
        update={"labels_kind": "another judge", "labels_title": "labels: another judge"}
    )
    result = decide(teacher, teacher.judges[0], Config(labels="person", consistency=0.6))
    waited = result.checks[0]
    assert (result.outcome, waited.outcome, waited.found) == ("inconclusive", "inconclusive", None)
    assert waited.labels_needed == 100
    assert "against people" in waited.requirement
    assert "there are none" in waited.reason
    assert checks_of(teacher, Config())["kappa in domain"].outcome == "pass"
    people = evaluation(BAD, consistency=GOOD)
    both = teacher.model_copy(update={"also": (people,)})
    result = decide(both, both.judges[0], Config(labels="person", consistency=0.6))
    assert (result.outcome, result.labels_title) == ("fail", people.labels_title)


def test_a_waiting_check_without_a_value_needs_an_unknown_number() -> None:
    hidden = number(0.5, 0.4, 0.6, hidden="few")
    assert waiting("kappa", hidden, 0.6).labels_needed is None
    assert waiting("kappa", None, 0.6).outcome == "not applicable"


def kept(share: Number, above: Number, metric: str = "kappa") -> Kept:
    return Kept(
        dialect="rel", slice="in_domain", metric=metric, merged_name="merged",
        specialist_name="pairwise", joint_name=None, merged=GOOD, specialist=GOOD, joint=None,
        share=share, joint_share=None, above_constant=above, specialist_above=above, least=0.9,
        outcome="kept",
    )  # fmt: skip


def test_a_merge_is_tested_on_what_it_keeps_and_above_constant() -> None:
    whole = number(0.97, 0.93, 1.01)
    found = evaluation(GOOD, consistency=GOOD).model_copy(
        update={"kept": (kept(whole, GOOD), kept(BAD, GOOD, "accuracy"))}
    )
    config = Config(kept=0.9, consistency=0.6)
    assert decide(found, found.judges[0], config).outcome == "pass"
    lost = found.model_copy(update={"kept": (kept(whole, number(-0.1, -0.3, -0.05)),)})
    assert decide(lost, lost.judges[0], config).outcome == "fail"
    none = checks_of(evaluation(GOOD), config)["share of a specialist's agreement kept"]
    assert none.outcome == "inconclusive"
