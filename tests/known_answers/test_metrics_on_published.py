"""Metrics of order, length, scores against verdicts and teachers, on published judge outputs.

Expected numbers are the published ones where a source prints them; the counts beside them were
worked out from the same files by other means.
"""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judgesmith.metrics import Verdict, agreed_verdict, order_effects, swap_verdict
from judgesmith.metrics.fidelity import repeats_teacher_errors
from judgesmith.metrics.flips import flip_kinds, flip_matrix, primacy_recency
from judgesmith.metrics.length_control import length_controlled_agreement
from judgesmith.metrics.length_win_rate import length_controlled_win_rate
from judgesmith.metrics.probes import longer_probe, probe_difference
from judgesmith.metrics.repeatability import position_apart, repeatability, self_consistency
from judgesmith.metrics.score_and_pair import conflict_ratio, three_way
from judgesmith.metrics.transitivity import Relation, non_transitivity, non_transitivity_sweep

QUICK = {"seed": 1, "resamples": 200}
SIGN = {"A": 1, "B": -1, "TIE": 0, None: None}


def read(path: Path) -> Any:
    """Rows of a JSON or JSON Lines file, compressed or not."""
    found = path if path.exists() else path.with_name(path.name + ".gz")
    raw = found.read_bytes()
    text = (gzip.decompress(raw) if found.suffix == ".gz" else raw).decode("utf-8")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


# --- LLMBar: one judge grades and compares the same 419 pairs


def llmbar(data: Path, judge: str, prompt: str) -> list[dict[str, Any]]:
    parts = ["Natural", *(f"Adversarial/{s}" for s in ("Neighbor", "GPTInst", "GPTOut", "Manual"))]
    folder = data / "llmbar" / "Dataset" / "LLMBar"
    return [
        row
        for part in parts
        for row in read(folder / part / "evaluators" / judge / prompt / "result.json")
    ]


def winners(rows: list[dict[str, Any]], order: str) -> list[Verdict]:
    letters = {"1": "A", "2": "B", None: None}
    return [letters[row["results"][-1][order]["winner"]] for row in rows]


def scores(rows: list[dict[str, Any]], name: str) -> list[float | None]:
    """Ratings; the two replies that a content filter emptied are unparsed."""
    found = [row["results"][-1][name][0].strip() for row in rows]
    return [float(text) if text else None for text in found]


@pytest.mark.parametrize(
    ("prompt", "ratio", "flips", "ways"),
    [
        ("Vanilla", 20.62, 7.19, (78.42, 5.52, 16.07)),
        ("CoT", 19.66, 10.55, (76.98, 6.95, 16.07)),
    ],
)
def test_llmbar_conflict_ratio(
    shared_data: Path, prompt: str, ratio: float, flips: float, ways: tuple[float, ...]
) -> None:
    """GPT-4's verdicts against its own ratings: 417 pairs with both ratings."""
    rows, rated = llmbar(shared_data, "GPT-4", prompt), llmbar(shared_data, "GPT-4", "Rating")
    assert [r["output_1"] for r in rows] == [r["output_1"] for r in rated]
    stored, swapped = winners(rows, "swap = False"), winners(rows, "swap = True")
    first, second = scores(rated, "score_1"), scores(rated, "score_2")
    groups = range(len(rows))
    agreed = [agreed_verdict(a, b) for a, b in zip(stored, swapped, strict=True)]
    found = conflict_ratio(first, second, agreed, groups, **QUICK)
    assert (found.rate.n, found.left_out) == (417, 2)
    assert round(100 * float(found.rate), 2) == ratio
    seen = [
        i for i in groups if None not in (first[i], second[i], stored[i], swapped[i])
    ]  # the published flip rate is over the same 417 pairs
    effects = order_effects([stored[i] for i in seen], [swapped[i] for i in seen], seen, **QUICK)
    assert round(100 * float(effects.flip_rate), 2) == flips
    shares = three_way(first, second, stored, groups, **QUICK)
    parts = (shares.consistent, shares.inconsistent, shares.tie)
    assert tuple(round(100 * float(part), 2) for part in parts) == ways
    assert (shares.consistent.n, shares.no_preference) == (417, 0)


def test_llmbar_conflicts_are_mostly_ties(shared_data: Path) -> None:
    """Of 86 conflicts only 13 are contradictions; 55 are equal ratings, 18 unequal with a flip."""
    rows, rated = llmbar(shared_data, "GPT-4", "Vanilla"), llmbar(shared_data, "GPT-4", "Rating")
    stored, swapped = winners(rows, "swap = False"), winners(rows, "swap = True")
    agreed = [agreed_verdict(a, b) for a, b in zip(stored, swapped, strict=True)]
    found = conflict_ratio(
        scores(rated, "score_1"), scores(rated, "score_2"), agreed, range(419), **QUICK
    )
    kinds = (found.strict_reversals, found.score_ties, found.verdict_ties)
    assert [round(417 * float(kind)) for kind in kinds] == [13, 55, 18]


def test_llmbar_length_carries_a_weak_judge(shared_data: Path) -> None:
    """113 labels name the longer output, 304 the shorter. Kappa by scikit-learn on the two sides:
    ChatGPT .225 and -.348, GPT-4 .766 and .611. On balance ChatGPT is no better than chance.
    """
    groups = range(419)

    def control(judge: str) -> Any:
        rows = llmbar(shared_data, judge, "Vanilla")
        lengths = [(len(row["output_1"]), len(row["output_2"])) for row in rows]
        labels = ["AB"[row["label"] - 1] for row in rows]
        return length_controlled_agreement(
            winners(rows, "swap = False"), labels, lengths, groups, **QUICK
        )

    weak, strong = control("ChatGPT"), control("GPT-4")
    assert (weak.longer.n, weak.shorter.n, weak.equal.n) == (113, 304, 2)
    assert [round(float(k), 3) for k in (weak.longer, weak.shorter)] == [0.225, -0.348]
    assert [round(float(k), 3) for k in (strong.longer, strong.shorter)] == [0.766, 0.611]
    assert weak.difference.low > 0.3
    assert weak.balanced.low < 0 < weak.balanced.high
    assert strong.balanced.low > 0.5


# --- Auto-J: 1,392 pairs in both orders


def test_auto_j_swap_consistency(shared_data: Path) -> None:
    """Published 83.41. By kind: 558 + 30 + 573 stable, and of 176 reversals 121 name what was
    shown second: the judge leans to the second slot.
    """
    outputs = shared_data / "auto_j" / "data" / "outputs"
    stored = [row["output"] for row in read(outputs / "pairwise_example_output.jsonl")]
    raw = [row["output"] for row in read(outputs / "pairwise_exchange_example_output.jsonl")]
    swapped = [swap_verdict(verdict, (0, 1)) for verdict in raw]
    groups = range(len(stored))
    effects = order_effects(stored, swapped, groups, slots=(0, 1), **QUICK)
    assert (effects.pairs, round(100 * float(effects.consistency), 2)) == (1392, 83.41)
    table = flip_matrix(stored, swapped, slots=(0, 1), tie=2).table
    assert table.counts == ((558, 9, 55), (15, 30, 12), (121, 19, 573))
    slots = primacy_recency(stored, swapped, groups, slots=(0, 1), **QUICK)
    assert (slots.first, slots.second) == (55, 121)
    assert slots.recency.low > 0.5
    assert slots.p < 1e-6
    kinds = flip_kinds(stored, swapped, groups, slots=(0, 1), tie=2, **QUICK)
    parts = (kinds.win_to_loss, kinds.win_to_tie, kinds.tie_to_win)
    assert [round(1392 * float(part)) for part in parts] == [176, 28, 27]


# --- QLoRA: eight systems, 80 questions, every ordered pair


@dataclass
class RoundRobin:
    """Verdicts of all 28 pairs on 80 questions: in one order, in the other, and the common one."""

    stored: list[Verdict]
    swapped: list[Verdict]
    questions: list[int]
    pairs: list[tuple[str, str]]

    def relations(self, verdicts: Sequence[Verdict]) -> list[Relation]:
        found: dict[int, dict[tuple[str, str], float | None]] = {}
        for verdict, question, pair in zip(verdicts, self.questions, self.pairs, strict=True):
            found.setdefault(question, {})[pair] = SIGN[verdict]
        return [found[question] for question in sorted(found)]

    @property
    def agreed(self) -> list[Verdict]:
        return [agreed_verdict(a, b) for a, b in zip(self.stored, self.swapped, strict=True)]


@pytest.fixture(scope="module")
def round_robin(shared_data: Path) -> RoundRobin:
    folder = shared_data / "qlora_gpt4_vicuna" / "eval" / "ratings-gpt4" / "vicuna" / "pairwise"
    verdicts: dict[tuple[str, str, int], Verdict] = {}
    for path in sorted(folder.iterdir()):
        first, second = path.name.split("-gpt-4-reviewer")[0].split("-vs-")
        for row in read(path):
            verdict = {1: "A", 2: "B", 3: "TIE", -1: None}[row["score"]]
            verdicts[first, second, row["question_id"]] = verdict
    systems = sorted({first for first, _, _ in verdicts})
    keys = [(a, b, q) for a, b in combinations(systems, 2) for q in range(1, 81)]
    return RoundRobin(
        stored=[verdicts[key] for key in keys],
        swapped=[swap_verdict(verdicts[b, a, q]) for a, b, q in keys],
        questions=[q for _, _, q in keys],
        pairs=[(a, b) for a, b, _ in keys],
    )


def test_qlora_same_winner(round_robin: RoundRobin) -> None:
    """61.38% of 2,227 pairs; 437 of 456 reversals follow the slot shown first."""
    found, groups = round_robin, round_robin.questions
    effects = order_effects(found.stored, found.swapped, groups, **QUICK)
    assert (effects.pairs, effects.left_out) == (2227, 13)
    assert round(100 * float(effects.consistency), 2) == 61.38
    assert effects.consistency_clustered.clusters == 80
    matrix = flip_matrix(found.stored, found.swapped)
    assert matrix.table.counts == ((471, 176, 437), (23, 95, 184), (19, 21, 801))
    assert (matrix.original_unparsed, matrix.swapped_unparsed) == (4, 9)
    slots = primacy_recency(found.stored, found.swapped, groups, **QUICK)
    assert (slots.first, slots.second) == (437, 19)
    assert slots.primacy.low > 0.9


def test_qlora_cycles_on_single_questions(round_robin: RoundRobin) -> None:
    """28 pairs give 56 triples on each of 80 questions. Asked in one order GPT-4 makes 72 (and
    65) cycles; where only verdicts that survive a swap count as strict, 1 is left, and nearly
    all of NTR_3 is ties: a rate of 22.5% alone would say the opposite.
    """
    kinds = {}
    for name, verdicts in (
        ("stored", round_robin.stored),
        ("swapped", round_robin.swapped),
        ("agreed", round_robin.agreed),
    ):
        found = non_transitivity(round_robin.relations(verdicts), **QUICK)
        assert found.rate.n + found.left_out == 80 * 56
        n = found.rate.n
        kinds[name] = (round(n * float(found.cycles)), round(n * float(found.tie_violations)), n)
    assert kinds == {
        "stored": (72, 244, 4457),
        "swapped": (65, 210, 4426),
        "agreed": (1, 989, 4403),
    }
    agreed = round_robin.relations(round_robin.agreed)
    by_question = [non_transitivity([one], seed=1, resamples=1) for one in agreed]
    cyclic = [i + 1 for i, one in enumerate(by_question) if float(one.cycles) > 0]
    assert len(cyclic) == 1
    five = non_transitivity(agreed, k=5, **QUICK)
    assert (five.rate.n, five.left_out) == (4237, 243)
    assert round(float(five.value or 0), 3) == 0.759
    assert round(five.rate.n * float(five.cycles)) == 10


def test_qlora_cycles_among_the_systems(round_robin: RoundRobin) -> None:
    """Mean margin of each pair over the 80 questions. With the systems always shown in one
    order, three triples of systems are a cycle; with both orders averaged, none is.
    """

    def cycles(*columns: Sequence[Verdict]) -> float:
        margins: dict[tuple[str, str], list[int]] = {}
        for column in columns:
            for verdict, pair in zip(column, round_robin.pairs, strict=True):
                if (sign := SIGN[verdict]) is not None:
                    margins.setdefault(pair, []).append(sign)
        means: Relation = {pair: sum(m) / len(m) for pair, m in margins.items()}
        found = non_transitivity([means], **QUICK)
        assert found.rate.n == 56
        return 56 * float(found.cycles)

    assert cycles(round_robin.stored) == pytest.approx(3)
    assert cycles(round_robin.swapped) == 0
    assert cycles(round_robin.stored, round_robin.swapped) == 0
    assert cycles(round_robin.agreed) == 0


def test_qlora_tolerance_makes_ties_not_cycles(round_robin: RoundRobin) -> None:
    margins: dict[tuple[str, str], list[int]] = {}
    for verdict, pair in zip(round_robin.agreed, round_robin.pairs, strict=True):
        if (sign := SIGN[verdict]) is not None:
            margins.setdefault(pair, []).append(sign)
    means: Relation = {pair: sum(m) / len(m) for pair, m in margins.items()}
    sweep = non_transitivity_sweep([means], [0.0, 0.05, 0.1, 0.2], **QUICK)
    assert [round(56 * float(found.rate)) for found in sweep] == [1, 3, 5, 13]
    assert all(float(found.cycles) == 0 for found in sweep)


# --- PandaLM: teacher, student and people on the same 999 pairs


@dataclass
class Panda:
    """Labels (majority of three people), teacher, student, lengths in characters, questions."""

    labels: list[str]
    teacher: list[Verdict]
    student: list[Verdict]
    lengths: list[tuple[int, int]]
    questions: list[tuple[str, str, str]]


@pytest.fixture(scope="module")
def panda(shared_data: Path) -> Panda:
    folder = shared_data / "pandalm" / "data"
    people = read(folder / "testset-v1.json")
    teacher = read(folder / "gpt-3.5-turbo-testset-v1.json")
    student = read(folder / "pandalm-7b-testset-v1.json")
    letters = {0: "TIE", 1: "A", 2: "B"}
    votes = [Counter(int(row[f"annotator{i}"]) for i in (1, 2, 3)) for row in people]
    replies = {"1": "A", "2": "B", "Tie": "TIE", "garbage": None}
    return Panda(
        labels=[letters[vote.most_common(1)[0][0]] for vote in votes],
        teacher=[replies[row["gpt_result"]] for row in teacher],
        student=[letters[row["pandalm_result"]] for row in student],
        # Six responses are JSON booleans.
        lengths=[(len(str(row["response1"])), len(str(row["response2"]))) for row in people],
        questions=[(row["motivation_app"], row["instruction"], row["input"]) for row in people],
    )


def test_pandalm_repeats_its_teachers_errors(panda: Panda) -> None:
    """43.7% (132 of 302) with the 25 unparsed replies of the teacher among its errors; they
    cannot be repeated, so of its 277 wrong verdicts 47.7% are. 23.6% would be by chance. Right
    where the teacher is not: 38.1% of the 302; right where it is right: 79.2%.
    """
    found = repeats_teacher_errors(
        panda.teacher, panda.student, panda.labels, panda.questions, **QUICK
    )
    assert (round(100 * float(found.repeated_of_all), 1), found.repeated_of_all.n) == (43.7, 302)
    assert (round(100 * float(found.repeated), 1), found.repeated.n) == (47.7, 277)
    assert round(100 * float(found.expected), 1) == 23.6
    assert found.excess.low > 0.1
    assert (round(100 * float(found.kept), 1), found.kept.n) == (79.2, 697)
    assert round(277 * float(found.corrected)) == 104
    assert (found.teacher_unparsed, found.student_unparsed) == (25, 0)


def test_pandalm_length_of_student_and_teacher(panda: Panda) -> None:
    """On 782 pairs that all three decide: people .668, teacher .624, student .643; the student
    differs from its teacher by +.019 [-.013, .050], resampled by row as in the source.
    """
    rows = [
        i
        for i, (label, t, s) in enumerate(
            zip(panda.labels, panda.teacher, panda.student, strict=True)
        )
        if label != "TIE" and t in ("A", "B") and s in ("A", "B")
    ]
    lengths = [panda.lengths[i] for i in rows]
    people, teacher, student = (
        longer_probe([column[i] for i in rows], lengths)
        for column in (panda.labels, panda.teacher, panda.student)
    )
    options = {"seed": 1, "resamples": 4000}
    found = probe_difference(student, teacher, rows, **options)
    assert found.items == 782
    against = probe_difference(teacher, people, rows, **options)
    shares = (against.second, found.second, found.first)
    assert [round(float(share), 3) for share in shares] == [0.668, 0.624, 0.643]
    assert round(float(found.difference), 3) == 0.019
    assert (found.difference.low, found.difference.high) == pytest.approx((-0.013, 0.050), abs=4e-3)
    assert (against.difference.low, against.difference.high) == pytest.approx(
        (-0.073, -0.015), abs=4e-3
    )


def test_pandalm_student_leans_on_length_where_its_teacher_does_not(panda: Panda) -> None:
    """Both name the longer response less often than people do, yet the student agrees with them
    better where the label names the longer one. The plain share does not show this.
    """

    def control(verdicts: Sequence[Verdict]) -> Any:
        return length_controlled_agreement(
            verdicts, panda.labels, panda.lengths, panda.questions, seed=1, resamples=1000
        )

    teacher, student = control(panda.teacher), control(panda.student)
    assert teacher.difference.low < 0 < teacher.difference.high
    assert student.difference.low > 0
    assert round(float(student.value), 3) == 0.433


# --- judge-from-scratch: five samples at temperature 0.3


@pytest.mark.parametrize(
    "run", ["stage8_final_20260508T115420.json", "stage8_final_20260508T121153.json"]
)
def test_judge_from_scratch_self_consistency(shared_data: Path, run: str) -> None:
    """The stored share is reproduced exactly, and lies below the agreement of two samples."""
    stored = read(shared_data / "judge_from_scratch" / "eval" / "results" / run)
    for checkpoint, metrics in stored["metrics"].items():
        samples, _ = sampled(stored, checkpoint)
        groups = range(len(samples))
        found = self_consistency(samples, groups, **QUICK)
        assert float(found) == pytest.approx(metrics["self_consistency_t03"], abs=1e-9)
        pairwise = repeatability(samples, groups, **QUICK)
        assert pairwise.items + pairwise.left_out == 300
        if found.n == 300:
            assert pairwise.value > float(found)


def test_judge_from_scratch_flips_beyond_noise(shared_data: Path) -> None:
    """Base: samples against the swapped reply flip in 21.1%, against each other in 13.7%. SFT and
    DPO flip no more than their own samples do. The swapped replies are greedy, which can only
    make flips rarer, so the finding on the base stands and the other two are not proven free.
    """
    run = "stage8_final_20260508T121153.json"
    stored = read(shared_data / "judge_from_scratch" / "eval" / "results" / run)
    excess = {}
    for checkpoint in stored["metrics"]:
        samples, swapped = sampled(stored, checkpoint)
        excess[checkpoint] = position_apart(samples, swapped, range(300), seed=1, resamples=2000)
    base, *trained = excess.values()
    assert round(float(base.flip_rate), 3) == 0.211
    assert round(float(base.noise), 3) == 0.137
    assert base.excess.low > 0.03
    assert all(found.excess.low < 0 < found.excess.high for found in trained)


def sampled(
    stored: dict[str, Any], checkpoint: str
) -> tuple[list[list[Verdict]], list[list[Verdict]]]:
    """The five samples of each pair, and its swapped reply mapped back."""
    by_pair: dict[str, dict[str, Verdict]] = {}
    for row in stored["detailed"]:
        if row["checkpoint_name"] == checkpoint:
            verdict = None if row["verdict"] == "PARSE_FAIL" else row["verdict"]
            by_pair.setdefault(row["pair_id"], {})[row["run_type"]] = verdict
    pairs = [by_pair[pair] for pair in sorted(by_pair)]
    samples = [[pair[f"consistency_{i}"] for i in range(5)] for pair in pairs]
    return samples, [[swap_verdict(pair["swapped"])] for pair in pairs]


# --- AlpacaEval: what the simple length-controlled win rate is, beside the published one


def test_alpaca_eval_simple_length_control_is_not_the_published_one(shared_data: Path) -> None:
    """Raw win rates equal the leaderboard's. Without the term for the difficulty of instructions
    the controlled rate goes the same way (correlation .92) but lands 12 points off on average.
    """
    folder = shared_data / "alpaca_eval"
    board = folder / "src" / "alpaca_eval" / "leaderboards" / "data_AlpacaEval_2"
    with (board / "weighted_alpaca_eval_gpt4_turbo_leaderboard.csv").open(newline="") as file:
        published = {row[""]: row for row in csv.DictReader(file)}
    ours, theirs = [], []
    for path in sorted(folder.glob("results/*/weighted_alpaca_eval_gpt4_turbo/annotations.json*")):
        row = published.get(path.parts[-3])
        if row is None:
            continue
        rows = read(path)
        found = length_controlled_win_rate(
            [None if r["preference"] is None else r["preference"] - 1 for r in rows],
            [len(r["output_2"]) - len(r["output_1"]) for r in rows],
            [r["instruction"] for r in rows],
        )
        assert 100 * float(found.raw) == pytest.approx(float(row["win_rate"]), abs=1e-6)
        ours.append(100 * float(found.controlled))
        theirs.append(float(row["length_controlled_winrate"]))
    assert len(ours) == 11
    assert float(np.corrcoef(ours, theirs)[0, 1]) == pytest.approx(0.92, abs=0.01)
    assert float(np.abs(np.subtract(ours, theirs)).mean()) == pytest.approx(12.4, abs=0.1)
