"""Numbers printed by others, from their files through shipped mappings: pairs.

Every number comes from `read_mapped` and `judgesmith.metrics`; no file is read in another way, but
for the published summaries that the numbers are compared with.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from judgesmith.metrics.agreement import accuracy, cohen_kappa
from judgesmith.metrics.correlation import exact_match, kendall_tau_b, pearson, spearman
from judgesmith.metrics.order import agreed_verdict, swap_verdict
from judgesmith.metrics.raters import krippendorff_alpha
from judgesmith.metrics.score_and_pair import conflict_ratio
from judgesmith.metrics.ties import accuracy_with_ties

Read = Callable[[str], Any]
Align = Callable[..., tuple[list[str], ...]]


def kappa(*columns: Sequence[str]) -> float:
    return float(cohen_kappa(*columns))


# judge_from_scratch

RUNS = ("20260508T115420", "20260508T121153")
CHECKPOINTS = ("Base Gemma 4 E4B", "After SFT", "After SFT+DPO")
KAPPAS = {
    "kappa_in_dist": {"slice": "in_dist"},
    "kappa_ood_religion": {"slice": "ood_religion"},
    "kappa_clear": {"slice": "in_dist", "bucket": "clear_bias_vs_clean"},
    "kappa_subtle": {"slice": "in_dist", "bucket": "subtle_bias_vs_clean"},
    "kappa_tracked": {"slice": "in_dist", "bucket": "tracked_bias_vs_alternate"},
    "kappa_tie": {"slice": "in_dist", "bucket": "both_clean_tie"},
}


def stored_metrics(data: Path, run: str) -> Any:
    path = data / f"judge_from_scratch/eval/results/stage8_final_{run}.json"
    return json.loads(path.read_text())["metrics"]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_judge_from_scratch_stored_metrics(
    run: str, checkpoint: str, published: Read, align: Align, shared_data: Path
) -> None:
    read, stored = published("judge_from_scratch"), stored_metrics(shared_data, run)[checkpoint]
    judge = f"{checkpoint}, run {run}"
    greedy, human = read.verdicts(judge), read.verdicts("human")
    for name, fields in KAPPAS.items():
        among = set.intersection(*(read.with_field(key, value) for key, value in fields.items()))
        assert kappa(*align(greedy, human, among=among)) == pytest.approx(stored[name], abs=1e-9)
    swapped = read.verdicts(judge, swapped=True)
    for name, part in (("in_dist", "in_dist"), ("ood", "ood_religion")):
        among = read.with_field("slice", part)
        flips = 1 - float(accuracy(*align(greedy, swapped, among=among)))
        assert flips == pytest.approx(stored[f"position_bias_{name}"], abs=1e-9)


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_judge_from_scratch_samples_and_failures(
    run: str, checkpoint: str, published: Read, align: Align, shared_data: Path
) -> None:
    read, stored = published("judge_from_scratch"), stored_metrics(shared_data, run)[checkpoint]
    judge = f"{checkpoint}, run {run}"
    every = [j for j in read.judgments if j.by == judge]
    failed = sum(j.verdict is None for j in every) / len(every)
    assert len(every) == 2100
    assert failed == pytest.approx(stored["parse_failure_rate"], abs=1e-9)
    samples = align(*(read.verdicts(judge, sample=k) for k in range(1, 6)))
    same = [len(set(five)) == 1 for five in zip(*samples, strict=True)]
    assert sum(same) / len(same) == pytest.approx(stored["self_consistency_t03"], abs=1e-9)


def test_judge_from_scratch_labels(published: Read) -> None:
    """Labels of 300 pairs, and their confidence of 1 to 5 as 0 to 1."""
    read = published("judge_from_scratch")
    assert read.mapping.names == "worse"
    assert Counter(read.verdicts("human").values()) == {"A": 102, "B": 116, "TIE": 82}
    confident = Counter(j.confidence for j in read.judged("human"))
    assert confident == {1.0: 220, 0.75: 46, 0.5: 27, 0.25: 6, 0.0: 1}


def test_judge_from_scratch_teachers_agree_on_the_dry_run(published: Read, align: Align) -> None:
    """50 pairs; each teacher also under an earlier prompt; 779 accepted labels, none a tie."""
    read = published("judge_from_scratch_teacher")
    opus, sonnet = read.verdicts("claude-opus-4-6"), read.verdicts("claude-sonnet-4-6")
    assert len(opus) == len(sonnet) == 50
    assert set(opus) == set(read.verdicts("claude-opus-4-6, prompt v1"))
    assert Counter(opus.values()) == {"A": 19, "B": 16, "TIE": 15}
    accepted = read.verdicts("claude-sonnet-4-6, accepted label")
    assert Counter(accepted.values()) == {"A": 379, "B": 400}
    assert float(accuracy(*align(opus, sonnet))) > 0.9
    assert all(item.responses is not None for item in read.items.values())


# LLMBar


def counted(text: str) -> int:
    return int(text.split("/")[0])


def test_llmbar_counts_of_all_results(published: Read, shared_data: Path) -> None:
    """Right in each order and in both, and the same winner in both: 80 of LLMBar, 8 processed."""
    read = published("llmbar")
    label = read.verdicts("authors")
    seen: Counter[str] = Counter()
    for path in sorted((shared_data / "llmbar/Dataset").rglob("statistics.json")):
        *_, subset, _, judge, prompt, _ = path.parts
        if prompt == "Rating":
            continue
        stored = json.loads(path.read_text())
        among = read.with_field("subset", subset)
        first, second = (
            {i: v for i, v in read.verdicts(f"{judge}/{prompt}", swapped=s).items() if i in among}
            for s in (False, True)
        )
        assert set(first) == set(second) == among
        right = (
            {i for i in among if first[i] == label[i]},
            {i for i in among if second[i] == label[i]},
        )
        assert len(right[0]) == counted(stored["correct_False"]), path
        assert len(right[1]) == counted(stored["correct_True"]), path
        assert len(right[0] & right[1]) == counted(stored["correct_both"]), path
        assert sum(first[i] == second[i] for i in among) == counted(stored["equal"]), path
        seen["Processed" if "Processed" in path.parts else "LLMBar"] += 1
    assert seen == {"LLMBar": 80, "Processed": 8}


def test_llmbar_kappa_that_ships_wrong(published: Read, align: Align, shared_data: Path) -> None:
    """The file prints .270 for GPT-4 with 95 and 96 of 100 right; kappa is .898 and .918."""
    read = published("llmbar")
    path = "llmbar/Dataset/LLMBar/Natural/evaluators/GPT-4/Vanilla/statistics.json"
    assert json.loads((shared_data / path).read_text())["kappa_average"] == pytest.approx(
        0.270, abs=5e-4
    )
    natural = read.with_field("subset", "Natural")
    found = [
        kappa(
            *align(
                read.verdicts("GPT-4/Vanilla", swapped=s), read.verdicts("authors"), among=natural
            )
        )
        for s in (False, True)
    ]
    assert found == pytest.approx([0.898, 0.918], abs=5e-4)


def test_llmbar_verdicts_against_scores(published: Read) -> None:
    """417 pairs that GPT-4 also scored: CR 20.62, order flips 7.19, accuracy 84.65 and 76.02.

    CR takes the verdict of both orders together, a tie where they disagree.
    """
    read = published("llmbar")
    rated, label = read.scores("GPT-4/Rating"), read.verdicts("authors")
    first, second = (read.verdicts("GPT-4/Vanilla", swapped=s) for s in (False, True))
    scored = {item: scores for item, scores in rated.items() if scores is not None}
    assert (len(rated), len(scored)) == (419, 417)
    items = sorted(scored)
    found = conflict_ratio(
        [scored[i][0] for i in items],
        [scored[i][1] for i in items],
        [agreed_verdict(first[i], second[i]) for i in items],
        items,
        seed=1,
        resamples=200,
    )
    assert 100 * found.value == pytest.approx(20.62, abs=0.005)
    flips = [first[i] != second[i] for i in items]
    assert 100 * sum(flips) / len(items) == pytest.approx(7.19, abs=0.005)
    labels = [label[i] for i in items]
    right = [100 * float(accuracy([order[i] for i in items], labels)) for order in (first, second)]
    assert sum(right) / 2 == pytest.approx(84.65, abs=0.005)
    by_score = read.verdicts("GPT-4/Rating")
    scored_right = 100 * float(accuracy([by_score[i] for i in items], labels))
    assert scored_right == pytest.approx(76.02, abs=0.005)


def test_llmbar_label_prefers_the_longer_output(published: Read) -> None:
    """In 27.1% of the 419 items, counted in characters."""
    read = published("llmbar")
    label = read.verdicts("authors")
    longer = []
    for item in read.with_field("set", "LLMBar"):
        first, second = (len(text) for text in read.items[item].responses)
        longer.append(
            (first > second and label[item] == "A") or (first < second and label[item] == "B")
        )
    assert len(longer) == 419
    assert 100 * sum(longer) / 419 == pytest.approx(27.1, abs=0.3)


# PandaLM and Auto-J


def majority(votes: Sequence[str]) -> str:
    (best, count), *rest = Counter(votes).most_common()
    assert not rest or rest[0][1] < count
    return best


def test_pandalm_people(published: Read, align: Align) -> None:
    read = published("pandalm")
    votes = read.ratings(None)
    assert Counter(len(set(three)) for three in votes.values()) == {1: 879, 2: 120}
    assert Counter(majority(three) for three in votes.values()) == {"B": 472, "A": 422, "TIE": 105}
    people = [read.verdicts(f"annotator{n}") for n in (1, 2, 3)]
    pairs = [(0, 1), (0, 2), (1, 2)]
    found = [kappa(*align(people[i], people[j])) for i, j in pairs]
    assert found == pytest.approx([0.852, 0.879, 0.862], abs=5e-4)


def test_pandalm_judges_three_ways(published: Read, align: Align) -> None:
    """gpt-3.5-turbo: .7156 of the 974 parsed, .6977 of 999, and the published 71.07.

    The last counts the 25 replies without a verdict as ties (defect 13).
    """
    read = published("pandalm")
    label = {item: majority(three) for item, three in read.ratings(None).items()}
    student, teacher = read.verdicts("pandalm-7b"), read.verdicts("gpt-3.5-turbo")
    assert float(accuracy(*align(student, label))) == pytest.approx(0.6677, abs=5e-5)
    assert kappa(*align(student, label)) == pytest.approx(0.435, abs=5e-4)
    parsed = accuracy(*align(teacher, label))
    assert (parsed.n, float(parsed)) == (974, pytest.approx(0.7156, abs=5e-5))
    wrong = {item: verdict or "no verdict" for item, verdict in teacher.items()}
    assert float(accuracy(*align(wrong, label))) == pytest.approx(0.6977, abs=5e-5)
    tied = {item: verdict or "TIE" for item, verdict in teacher.items()}
    assert 100 * float(accuracy(*align(tied, label))) == pytest.approx(71.07, abs=5e-3)


def test_auto_j(published: Read, align: Align) -> None:
    """Consistency 83.41, right in both orders 54.96, accuracies 59.99 and 60.63."""
    read = published("auto_j")
    human = read.verdicts("human")
    first, second = (read.verdicts("auto-j-13b", swapped=s) for s in (False, True))
    assert Counter(human.values()) == {"A": 520, "B": 499, "TIE": 373}
    assert float(accuracy(*align(first, second))) == pytest.approx(0.8341, abs=5e-5)
    both = [first[i] == second[i] == human[i] for i in human]
    assert sum(both) / len(both) == pytest.approx(0.5496, abs=5e-5)
    each = [float(accuracy(*align(order, human))) for order in (first, second)]
    assert each == pytest.approx([0.5999, 0.6063], abs=5e-5)


def test_auto_j_critiques(published: Read) -> None:
    """GPT-4 preferred Auto-J's critique in 73.7% of 232 comparisons."""
    read = published("auto_j_critiques")
    found = Counter(j.verdict for j in read.judgments)
    assert found.total() == 232
    assert 100 * found["A"] / 232 == pytest.approx(73.7, abs=0.05)


# AlpacaEval


def test_alpaca_eval_win_rates(published: Read, shared_data: Path) -> None:
    """34 of 38 files have a leaderboard entry; all win rates come out, ties as a half."""
    read = published("alpaca_eval")
    share: dict[tuple[str, str], list[float]] = {}
    ties = 0
    for judgment in read.judgments:
        system = read.items[judgment.item].fields["system"]
        if judgment.distribution is not None:
            share.setdefault((system, judgment.by), []).append(judgment.distribution["B"])
        ties += judgment.verdict == "TIE"
    boards = shared_data / "alpaca_eval/src/alpaca_eval/leaderboards"
    checked = 0
    for (system, judge), wins in share.items():
        for board in boards.glob(f"data_AlpacaEval*/{judge}_leaderboard.csv"):
            with board.open(encoding="utf-8", newline="") as lines:
                rates = {row[""]: float(row["win_rate"]) for row in csv.DictReader(lines)}
            if system in rates:
                assert 100 * sum(wins) / len(wins) == pytest.approx(rates[system], abs=1e-6)
                checked += 1
    assert (len(share), checked, ties) == (38, 34, 159)


def test_alpaca_eval_win_rate_is_accuracy_against_always_b(published: Read) -> None:
    """For a judge of hard verdicts the same number is the tie-halving accuracy: 26.4596."""
    read = published("alpaca_eval")
    mine = read.with_field("system", "alpaca-7b")
    verdicts = [
        v for i, v in read.verdicts("alpaca_eval_gpt4").items() if i in mine and v is not None
    ]
    found = accuracy_with_ties(verdicts, ["B"] * len(verdicts), ties="half")
    assert 100 * float(found) == pytest.approx(26.4596, abs=5e-5)


# Judges without people


def test_qlora_counts_and_consistency(published: Read, align: Align) -> None:
    """2,512 first, 1,355 second, 600 ties, 13 unparsed; 61.38% of 2,227 keep their winner."""
    read = published("qlora_gpt4_vicuna")
    shown = Counter(swap_verdict(j.verdict) if j.swapped else j.verdict for j in read.judgments)
    assert shown == {"A": 2512, "B": 1355, "TIE": 600, None: 13}
    first, second = (read.verdicts("gpt-4", swapped=s) for s in (False, True))
    assert len(read.items) == len(first) == len(second) == 28 * 80
    same = accuracy(*align(first, second))
    assert (same.n, 100 * float(same)) == (2227, pytest.approx(61.38, abs=5e-3))


def test_vicuna_blog_eval_scores_decide(published: Read) -> None:
    """1,040 reviews; 100 give both responses the same score."""
    read = published("vicuna_blog_eval")
    found = Counter(j.verdict for j in read.judgments)
    assert (found.total(), found["TIE"], found[None]) == (1040, 100, 0)
    assert all((j.scores[0] > j.scores[1]) == (j.verdict == "A") for j in read.judgments)


@pytest.mark.parametrize(
    ("part", "alpha", "exact", "correlations", "counts"),
    [
        ("vicuna", 0.7234, 0.728, (0.840, 0.742, 0.694), (12, 41, 80, 489, 338)),
        ("mt_bench", 0.8145, 0.603, (0.892, 0.854, 0.766), (106, 147, 122, 342, 243)),
    ],
)
def test_prometheus_repeated_scores(
    part: str,
    alpha: float,
    exact: float,
    correlations: tuple[float, ...],
    counts: tuple[int, ...],
    published: Read,
) -> None:
    """Three runs of GPT-4 over the same 320 responses: how well a run repeats the others."""
    read = published("prometheus_eval")
    among = sorted(read.with_field("set", part))
    runs = [[read.scores("gpt-4", sample=k)[i][0] for i in among] for k in range(3)]
    assert [Counter(s for run in runs for s in run)[n] for n in range(1, 6)] == list(counts)
    assert float(krippendorff_alpha(*runs, level="ordinal")) == pytest.approx(alpha, abs=5e-5)
    assert float(exact_match(runs[0], runs[1])) == pytest.approx(exact, abs=5e-4)
    others = [(b + c) / 2 for b, c in zip(runs[1], runs[2], strict=True)]
    found = [float(f(runs[0], others)) for f in (pearson, spearman, kendall_tau_b)]
    assert found == pytest.approx(correlations, abs=6e-4)


def test_prometheus_hhh_labels_are_in_both_slots(published: Read) -> None:
    read = published("prometheus_hhh")
    sources = Counter(item.fields["source"] for item in read.items.values())
    assert sources == {"helpful": 59, "honest": 61, "harmless": 58, "other": 43}
    labels = Counter(read.verdicts("people").values())
    assert labels.total() == 221
    assert min(labels["A"], labels["B"]) > 80
