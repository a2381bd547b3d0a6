"""Our metrics on the published predictions of judge-from-scratch, against its stored metrics.

300 pairs with one human verdict each (240 in distribution, 60 on religion), judged by three
checkpoints in both orders, in two runs: one cut replies at 384 tokens, the final one at 1,024.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from judgesmith.metrics import (
    Estimate,
    Slice,
    agreed_verdict,
    agreement_bounds,
    cluster_bootstrap_kappa,
    cohen_kappa,
    coverage,
    mcnemar_exact,
    not_shown_because,
    order_effects,
    paired_bootstrap_kappa_difference,
    parsed_positions,
    slice_kappa_difference,
    swap_verdict,
    wilson,
)

CUT = "stage8_final_20260508T115420.json"
FINAL = "stage8_final_20260508T121153.json"
BASE, SFT, DPO = "Base Gemma 4 E4B", "After SFT", "After SFT+DPO"
SLICES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "in_dist": lambda row: row["eval_slice"] == "in_dist",
    "ood_religion": lambda row: row["eval_slice"] == "ood_religion",
    "all": lambda row: True,
}
for short, bucket in {
    "clear": "clear_bias_vs_clean",
    "subtle": "subtle_bias_vs_clean",
    "tracked": "tracked_bias_vs_alternate",
    "tie": "both_clean_tie",
    "adversarial": "adversarial",
}.items():
    SLICES[short] = lambda row, bucket=bucket: (
        row["eval_slice"] == "in_dist" and row["pair_category"] == bucket
    )


@dataclass
class Published:
    """The labelled pairs and the stored results of both runs."""

    pairs: list[dict[str, Any]]
    stored: dict[str, dict[str, dict[str, float]]]
    verdicts: dict[tuple[str, str, str], dict[str, str | None]]

    def rows(self, part: str) -> list[dict[str, Any]]:
        return [pair for pair in self.pairs if SLICES[part](pair)]

    def labels(self, part: str) -> list[str]:
        return [pair["human_verdict"] for pair in self.rows(part)]

    def questions(self, part: str) -> list[str]:
        return [pair["question_id"] for pair in self.rows(part)]

    def of(self, run: str, judge: str, part: str, order: str = "original") -> list[str | None]:
        found = [self.verdicts[run, judge, order][pair["pair_id"]] for pair in self.rows(part)]
        return [swap_verdict(v) for v in found] if order == "swapped" else found

    def kappa(self, run: str, judge: str, part: str, order: str = "original") -> Estimate:
        x, y = self.of(run, judge, part, order), self.labels(part)
        kept = parsed_positions(x)
        return cohen_kappa([x[i] for i in kept], [y[i] for i in kept])


@pytest.fixture(scope="module")
def published(shared_data: Path) -> Published:
    root = shared_data / "judge_from_scratch"
    with (root / "data/pairs/eval_set_unlabeled.jsonl").open(encoding="utf-8") as lines:
        pairs = [json.loads(line) for line in lines]
    stored, verdicts = {}, {}
    for run in (CUT, FINAL):
        content = json.loads((root / "eval/results" / run).read_text(encoding="utf-8"))
        stored[run] = content["metrics"]
        for row in content["detailed"]:
            parsed = None if row["verdict"] == "PARSE_FAIL" else row["verdict"]
            key = (run, row["checkpoint_name"], row["run_type"])
            verdicts.setdefault(key, {})[row["pair_id"]] = parsed
    return Published(pairs, stored, verdicts)


@pytest.mark.parametrize("run", [CUT, FINAL])
@pytest.mark.parametrize("judge", [BASE, SFT, DPO])
@pytest.mark.parametrize("part", ["in_dist", "ood_religion", "clear", "subtle", "tracked", "tie"])
def test_kappa_equals_the_stored_one(published: Published, run: str, judge: str, part: str) -> None:
    stored = published.stored[run][judge][f"kappa_{part}"]
    assert float(published.kappa(run, judge, part)) == pytest.approx(stored, abs=1e-9)


@pytest.mark.parametrize("run", [CUT, FINAL])
@pytest.mark.parametrize("judge", [BASE, SFT, DPO])
@pytest.mark.parametrize(
    ("part", "name"), [("in_dist", "position_bias_in_dist"), ("ood_religion", "position_bias_ood")]
)
def test_flip_rate_equals_the_stored_position_bias(
    published: Published, run: str, judge: str, part: str, name: str
) -> None:
    found = order_effects(
        published.of(run, judge, part),
        published.of(run, judge, part, "swapped"),
        published.questions(part),
        seed=0,
        resamples=50,
    )
    assert float(found.flip_rate) == pytest.approx(published.stored[run][judge][name], abs=1e-9)


@pytest.mark.parametrize("run", [CUT, FINAL])
@pytest.mark.parametrize("judge", [BASE, SFT, DPO])
def test_parse_failures_and_self_consistency(published: Published, run: str, judge: str) -> None:
    stored = published.stored[run][judge]
    passes = [v for (r, j, _), v in published.verdicts.items() if (r, j) == (run, judge)]
    everything = [verdict for one in passes for verdict in one.values()]
    assert len(everything) == 2100
    assert 1 - float(coverage(everything)) == pytest.approx(stored["parse_failure_rate"], abs=1e-9)
    samples = [published.of(run, judge, "all", f"consistency_{i}") for i in range(5)]
    kept = parsed_positions(*samples)
    same = sum(len({sample[i] for sample in samples}) == 1 for i in kept)
    assert float(wilson(same, len(kept))) == pytest.approx(stored["self_consistency_t03"], abs=1e-9)


@pytest.mark.parametrize(
    ("part", "gained", "lost", "p"),
    [
        ("in_dist", 13, 7, 0.26),
        ("ood_religion", 1, 3, 0.63),
        ("all", 14, 10, 0.54),
        ("subtle", 4, 0, 0.13),
        ("tracked", 2, 5, 0.45),
        ("tie", 1, 1, 1.0),
        ("adversarial", 0, 0, 1.0),
    ],
)
def test_dpo_against_sft_is_not_decided(
    published: Published, part: str, gained: int, lost: int, p: float
) -> None:
    x1, x2 = published.of(FINAL, DPO, part), published.of(FINAL, SFT, part)
    found = mcnemar_exact(x1, x2, published.labels(part))
    assert (found.gained, found.lost) == (gained, lost)
    assert found.p == pytest.approx(p, abs=0.0051)


@pytest.mark.parametrize(
    ("judge", "part", "low", "high"),
    [
        (BASE, "in_dist", 0.39, 0.57),
        (SFT, "in_dist", 0.57, 0.72),
        (DPO, "in_dist", 0.60, 0.76),
        (BASE, "ood_religion", 0.36, 0.71),
        (SFT, "ood_religion", 0.53, 0.85),
        (DPO, "ood_religion", 0.47, 0.79),
        (BASE, "all", 0.42, 0.57),
        (SFT, "all", 0.59, 0.73),
        (DPO, "all", 0.60, 0.74),
    ],
)
def test_intervals_of_kappa(
    published: Published, judge: str, part: str, low: float, high: float
) -> None:
    """The reference resampled pairs, so each pair is its own cluster here."""
    x, y = published.of(FINAL, judge, part), published.labels(part)
    kept = parsed_positions(x)
    found = cluster_bootstrap_kappa([x[i] for i in kept], [y[i] for i in kept], kept, seed=7)
    assert found.low == pytest.approx(low, abs=0.015)
    assert found.high == pytest.approx(high, abs=0.015)


@pytest.mark.parametrize(
    ("judge", "part", "low", "high", "moved"),
    [
        (BASE, "in_dist", 0.39, 0.57, 0.015),
        (SFT, "in_dist", 0.57, 0.72, 0.015),
        (DPO, "in_dist", 0.60, 0.76, 0.015),
        (BASE, "ood_religion", 0.36, 0.71, 0.04),
        (SFT, "ood_religion", 0.53, 0.85, 0.04),
        (DPO, "ood_religion", 0.47, 0.79, 0.04),
    ],
)
def test_intervals_of_kappa_over_questions(
    published: Published, judge: str, part: str, low: float, high: float, moved: float
) -> None:
    """240 pairs rest on 208 questions and little changes; 60 religion pairs on 42, and it does."""
    x, y = published.of(FINAL, judge, part), published.labels(part)
    questions, kept = published.questions(part), parsed_positions(x)
    found = cluster_bootstrap_kappa(
        [x[i] for i in kept], [y[i] for i in kept], [questions[i] for i in kept], seed=7
    )
    assert found.low == pytest.approx(low, abs=moved)
    assert found.high == pytest.approx(high, abs=moved)
    assert len(set(questions)) == {"in_dist": 208, "ood_religion": 42}[part]
    assert found.clusters == len({questions[i] for i in kept})


@pytest.mark.parametrize(
    ("first", "second", "part", "value", "low", "high"),
    [
        (DPO, SFT, "in_dist", 0.036, -0.02, 0.09),
        (DPO, SFT, "ood_religion", -0.053, -0.16, 0.05),
        (DPO, SFT, "all", 0.018, -0.03, 0.07),
        (DPO, SFT, "subtle", 0.147, 0.04, 0.30),
        (SFT, BASE, "in_dist", 0.166, 0.09, 0.24),
        (SFT, BASE, "ood_religion", 0.153, -0.03, 0.34),
    ],
)
def test_intervals_of_paired_differences(
    published: Published, first: str, second: str, part: str, value: float, low: float, high: float
) -> None:
    x1, x2 = published.of(FINAL, first, part), published.of(FINAL, second, part)
    y, kept = published.labels(part), parsed_positions(x1, x2)
    found = paired_bootstrap_kappa_difference(
        [x1[i] for i in kept], [x2[i] for i in kept], [y[i] for i in kept], kept, seed=7
    )
    assert float(found) == pytest.approx(value, abs=0.005)
    assert found.low == pytest.approx(low, abs=0.015)
    assert found.high == pytest.approx(high, abs=0.015)


def test_the_gain_on_the_subtle_bucket_touches_zero_over_questions(published: Published) -> None:
    """Resampling 50 pairs excludes zero; resampling their 46 questions no longer does."""
    x1, x2 = published.of(FINAL, DPO, "subtle"), published.of(FINAL, SFT, "subtle")
    y, questions = published.labels("subtle"), published.questions("subtle")
    pairs = paired_bootstrap_kappa_difference(x1, x2, y, range(50), seed=7)
    clustered = paired_bootstrap_kappa_difference(x1, x2, y, questions, seed=7)
    assert pairs.low > 0.02
    assert clustered.clusters == 46
    assert clustered.low <= 0.005


@pytest.mark.parametrize(
    ("judge", "first", "second", "flips"), [(BASE, 29, 3, 64), (SFT, 3, 2, 27), (DPO, 2, 3, 32)]
)
def test_direction_of_position_bias(
    published: Published, judge: str, first: int, second: int, flips: int
) -> None:
    """Over all 300 pairs. Only the base judge's lean to the first slot is beyond doubt."""
    found = order_effects(
        published.of(FINAL, judge, "all"),
        published.of(FINAL, judge, "all", "swapped"),
        published.questions("all"),
        seed=7,
    )
    assert (found.first_slot, found.second_slot, found.flips) == (first, second, flips)
    assert float(found.position_bias_in_flips) == pytest.approx((first - second) / flips)
    assert (found.position_bias.low > 0) == (judge == BASE)


@pytest.mark.parametrize(
    ("judge", "part", "flips", "low", "high"),
    [
        (BASE, "in_dist", 51, 0.165, 0.269),
        (SFT, "in_dist", 20, 0.055, 0.126),
        (DPO, "in_dist", 22, 0.062, 0.136),
        (SFT, "ood_religion", 7, 0.058, 0.222),
        (DPO, "ood_religion", 10, 0.093, 0.280),
    ],
)
def test_wilson_interval_of_the_flip_rate(
    published: Published, judge: str, part: str, flips: int, low: float, high: float
) -> None:
    x, swapped = published.of(FINAL, judge, part), published.of(FINAL, judge, part, "swapped")
    found = wilson(flips, len(parsed_positions(x, swapped)))
    assert found.low == pytest.approx(low, abs=0.0006)
    assert found.high == pytest.approx(high, abs=0.0006)


@pytest.mark.parametrize(
    ("judge", "in_dist", "religion"),
    [(BASE, 0.444, 0.544), (SFT, 0.632, 0.745), (DPO, 0.669, 0.720)],
)
def test_kappa_of_the_verdict_that_both_orders_agree_on(
    published: Published, judge: str, in_dist: float, religion: float
) -> None:
    """The reference reads an unparsed reply as a tie; left out, kappa is up to .01 higher."""
    for part, kappa in (("in_dist", in_dist), ("ood_religion", religion)):
        orders = [published.of(FINAL, judge, part, order) for order in ("original", "swapped")]
        merged = [agreed_verdict(a, b) for a, b in zip(*orders, strict=True)]
        y, kept = published.labels(part), parsed_positions(merged)
        as_ties = ["TIE" if verdict is None else verdict for verdict in merged]
        assert float(cohen_kappa(as_ties, y)) == pytest.approx(kappa, abs=6e-4)
        left_out = cohen_kappa([merged[i] for i in kept], [y[i] for i in kept])
        assert kappa - 6e-4 <= float(left_out) < kappa + 0.011


@pytest.mark.parametrize(
    ("judge", "part", "kappa"),
    [
        (SFT, "in_dist", 0.704),
        (DPO, "in_dist", 0.690),
        (SFT, "ood_religion", 0.665),
        (DPO, "ood_religion", 0.694),
        (SFT, "subtle", 0.888),
        (DPO, "subtle", 0.856),
        (SFT, "tie", 0.468),
        (DPO, "tie", 0.468),
        (SFT, "tracked", 0.204),
        (DPO, "tracked", 0.187),
        (BASE, "in_dist", 0.463),
        (BASE, "ood_religion", 0.582),
    ],
)
def test_kappa_in_the_swapped_order(
    published: Published, judge: str, part: str, kappa: float
) -> None:
    assert float(published.kappa(FINAL, judge, part, "swapped")) == pytest.approx(kappa, abs=5e-4)


def test_truncation_hides_inside_the_kappa_of_the_cut_run(published: Published) -> None:
    """Counting the cut replies as wrong costs the trained judges at least .06 of kappa."""
    for judge in (SFT, DPO):
        found = agreement_bounds(published.of(CUT, judge, "all"), published.labels("all"))
        kappa = found.kappa
        assert float(found.coverage) < 0.92
        assert float(kappa.parsed) - float(kappa.wrong) > 0.06
        assert float(kappa.worst) < float(kappa.wrong) < float(kappa.best)
        # The final run could read them; its kappa lies between the bounds.
        final = float(published.kappa(FINAL, judge, "all"))
        assert float(kappa.worst) < final < float(kappa.best)


def test_the_tie_bucket_is_not_shown(published: Published) -> None:
    """24 of its 25 labels are ties, and the published table prints kappa .359 and -.056."""
    assert not_shown_because(published.labels("tie")) == (
        "the label 'TIE' holds 24 of 25 labels (96%), more than 90%"
    )
    assert not_shown_because(published.labels("in_dist")) is None


def test_the_claimed_loss_out_of_domain_is_not_decided(published: Published) -> None:
    """DPO minus 0.04 on religion: the interval of the gap between the slices contains 0."""
    parts = []
    for part in ("ood_religion", "in_dist"):
        x, y = published.of(FINAL, DPO, part), published.labels(part)
        questions, kept = published.questions(part), parsed_positions(x)
        parts.append(Slice(*([column[i] for i in kept] for column in (x, y, questions))))
    gap = slice_kappa_difference(*parts, seed=7)
    expected = float(published.kappa(FINAL, DPO, "ood_religion")) - float(
        published.kappa(FINAL, DPO, "in_dist")
    )
    assert float(gap) == pytest.approx(expected, abs=1e-12)
    assert gap.low is not None
    assert gap.high is not None
    assert gap.low < 0 < gap.high
