"""The audits of labels and judgments on published files, against figures worked out from them."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from judgesmith.audits.across import AcrossTable, PlacedText, across_findings, across_table
from judgesmith.audits.family import ModelPair, family_findings, family_table
from judgesmith.audits.few_items import compare_slices, few_items_findings, few_items_table
from judgesmith.audits.finding import Severity
from judgesmith.audits.generator import GeneratedItem, generator_findings, generator_table
from judgesmith.audits.modes import MadeItem, mode_findings, mode_table
from judgesmith.audits.order import ORIGINAL, SWAPPED, OrderedJudgment, order_table
from judgesmith.audits.order_findings import order_findings
from judgesmith.audits.rubric import TwiceJudged, rubric_findings, rubric_table
from judgesmith.audits.ties import VotedItem, majority, ties_findings, ties_table
from judgesmith.audits.unparsed import JudgedItem, UnparsedTable, unparsed_findings, unparsed_table

Row = dict[str, Any]
Read = Callable[[str, str], str | None]
SHORT, LONG = "115420", "121153"
SFT, DPO, BASE = "After SFT", "After SFT+DPO", "Base Gemma 4 E4B"
MIRROR = {"A": "B", "B": "A", "TIE": "TIE"}


def text_of(path: Path) -> str:
    if path.exists():
        return path.read_text(encoding="utf-8")
    with gzip.open(f"{path}.gz", "rt", encoding="utf-8") as stream:
        return stream.read()


def rows(path: Path) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(text_of(path).splitlines(), 1):
        yield f"{path.name}:{number}", json.loads(line)


@pytest.fixture(scope="module")
def scratch(shared_data: Path) -> Path:
    return shared_data / "judge_from_scratch"


@pytest.fixture(scope="module")
def labelled(scratch: Path) -> dict[str, tuple[str, Row]]:
    """Where each human-labelled pair stands, and the pair."""
    read = rows(scratch / "data/pairs/eval_set_unlabeled.jsonl")
    return {row["pair_id"]: (where, row) for where, row in read}


@pytest.fixture(scope="module")
def key(scratch: Path) -> dict[str, str]:
    """The verdict that the labelling rubric implies: the response marked biased, else a tie."""
    found = {}
    for _, row in rows(scratch / "data/pairs/pairs.jsonl"):
        a, b = (
            row[side]["suspected_bias_level"] == "biased" for side in ("response_a", "response_b")
        )
        found[row["pair_id"]] = "TIE" if a == b else "A" if a else "B"
    return found


@pytest.fixture(scope="module")
def verdicts(scratch: Path) -> dict[tuple[str, str, str], dict[str, str | None]]:
    """(run, checkpoint, pass) -> pair -> verdict; swapped ones mapped back."""
    found: dict[tuple[str, str, str], dict[str, str | None]] = {}
    for run in (SHORT, LONG):
        path = scratch / f"eval/results/stage8_final_20260508T{run}.json"
        for row in json.loads(text_of(path))["detailed"]:
            verdict = row["verdict"] if row["verdict"] in MIRROR else None
            if row["run_type"] == SWAPPED and verdict is not None:
                verdict = MIRROR[verdict]
            known = found.setdefault((run, row["checkpoint_name"], row["run_type"]), {})
            known[row["pair_id"]] = verdict
    return found


def chosen(labelled: dict[str, tuple[str, Row]], eval_slice: str) -> list[str]:
    return [pair for pair, (_, row) in labelled.items() if row["eval_slice"] == eval_slice]


@pytest.mark.parametrize(
    ("eval_slice", "bucket", "gained", "lost", "n", "p"),
    [
        ("in_dist", None, 13, 7, 240, 0.2632),
        ("ood_religion", None, 1, 3, 60, 0.625),
        ("in_dist", "subtle_bias_vs_clean", 4, 0, 50, 0.125),
        ("in_dist", "tracked_bias_vs_alternate", 2, 5, 35, 0.4531),
        ("in_dist", "both_clean_tie", 1, 1, 25, 1.0),
    ],
)
def test_no_claim_of_the_second_checkpoint_is_shown(
    labelled: dict[str, tuple[str, Row]],
    verdicts: dict[tuple[str, str, str], dict[str, str | None]],
    eval_slice: str, bucket: str | None, gained: int, lost: int, n: int, p: float,
) -> None:  # fmt: skip
    pairs = [
        i for i in chosen(labelled, eval_slice) if bucket in (None, labelled[i][1]["pair_category"])
    ]
    first, second = (verdicts[LONG, name, ORIGINAL] for name in (DPO, SFT))
    compared = compare_slices(
        [first[i] for i in pairs], [second[i] for i in pairs],
        [labelled[i][1]["human_verdict"] for i in pairs],
        slices=["x"] * n, where=[labelled[i][0] for i in pairs],
    )  # fmt: skip
    assert [(c.gained, c.lost, c.n) for c in compared] == [(gained, lost, n)]
    table = few_items_table(compared)
    assert table.rows[0].p == pytest.approx(p, abs=5e-5)
    found = few_items_findings(table)
    assert [(f.severity, f.count) for f in found] == [(Severity.WARNING, gained + lost)]
    assert ("can never reach" in found[0].message) == (gained + lost < 6)
    assert found[0].examples[0].startswith("eval_set_unlabeled.jsonl:")


@pytest.mark.parametrize(
    ("run", "checkpoint", "eval_slice", "unparsed", "parsed", "wrong", "findings"),
    [
        (SHORT, SFT, "in_dist", 26, 0.7306, 0.6181, 3),
        (SHORT, SFT, "ood_religion", 8, 0.7650, 0.6197, 1),
        (SHORT, DPO, "in_dist", 22, 0.7411, 0.6435, 2),
        (SHORT, DPO, "ood_religion", 9, 0.8198, 0.6437, 1),
        (LONG, SFT, "in_dist", 1, 0.6465, 0.6425, 0),
        (LONG, DPO, "in_dist", 1, 0.6824, 0.6780, 0),
    ],
)
def test_truncated_replies_inflate_kappa(
    labelled: dict[str, tuple[str, Row]],
    verdicts: dict[tuple[str, str, str], dict[str, str | None]],
    run: str, checkpoint: str, eval_slice: str, unparsed: int, parsed: float, wrong: float,
    findings: int,
) -> None:  # fmt: skip
    """At 384 tokens kappa is .098 to .176 above that with the cut-off replies counted as wrong."""
    table = unparsed_of(labelled, verdicts[run, checkpoint, ORIGINAL], eval_slice)
    assert table.unparsed == unparsed
    assert table.bounds.kappa.parsed.value == pytest.approx(parsed, abs=5e-5)
    assert table.bounds.kappa.wrong.value == pytest.approx(wrong, abs=5e-5)
    assert len(unparsed_findings(table)) == findings


def unparsed_of(
    labelled: dict[str, tuple[str, Row]], known: dict[str, str | None], eval_slice: str
) -> UnparsedTable:
    return unparsed_table(
        [
            JudgedItem(
                labelled[i][0], labelled[i][1]["pair_category"], known[i],
                labelled[i][1]["human_verdict"],
            )
            for i in chosen(labelled, eval_slice)
        ]
    )  # fmt: skip


def test_the_same_replies_at_full_length_show_the_inflation(
    labelled: dict[str, tuple[str, Row]],
    verdicts: dict[tuple[str, str, str], dict[str, str | None]],
) -> None:
    """Published at 384 tokens minus published at 1,024: .059 to .177, "0.06 to 0.18"."""
    found = []
    for checkpoint in (SFT, DPO):
        for eval_slice in ("in_dist", "ood_religion"):
            short, full = (
                unparsed_of(labelled, verdicts[run, checkpoint, ORIGINAL], eval_slice)
                for run in (SHORT, LONG)
            )
            found.append(float(short.bounds.kappa.parsed) - float(full.bounds.kappa.parsed))
    assert [round(x, 3) for x in found] == [0.084, 0.07, 0.059, 0.177]


def test_the_rubrics_part_in_one_bucket(
    labelled: dict[str, tuple[str, Row]], key: dict[str, str]
) -> None:
    """In 24 of 35 pairs the rubric names a response and the person a tie; overall they agree."""
    table = rubric_table(
        TwiceJudged(where, row["pair_category"], key[pair], row["human_verdict"])
        for pair, (where, row) in labelled.items()
        if row["eval_slice"] == "in_dist"
    )
    assert {row.bucket: (row.agree, row.n) for row in table.buckets} == {
        "adversarial": (17, 20),
        "both_clean_tie": (24, 25),
        "clear_bias_vs_clean": (99, 110),
        "subtle_bias_vs_clean": (47, 50),
        "tracked_bias_vs_alternate": (10, 35),
    }
    found = rubric_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.ERROR, 24, 35)]
    assert (
        "'a response' and the person 'TIE' on 24 of 35 items, the reverse on 0" in found[0].message
    )
    assert found[0].examples[:2] == ("eval_set_unlabeled.jsonl:5", "eval_set_unlabeled.jsonl:20")


def test_negatives_are_unbalanced_over_failure_modes(scratch: Path) -> None:
    """101 against 237: the mode was chosen by a number from 0 to 6 modulo 4."""
    table = mode_table(
        MadeItem(where, row["failure_mode"], row["verdict"])
        for where, row in rows(scratch / "data/formatted/synthesis_results.jsonl")
    )
    assert {row.mode: (row.n, row.slot_counts) for row in table.modes} == {
        "length_burying": (101, (52, 49)),
        "stereotype_aligned": (237, (122, 115)),
        "surface_engagement": (211, (115, 96)),
        "verbose_hedging": (230, (111, 119)),
    }
    found = mode_findings(table)
    assert [(f.count, f.of) for f in found] == [(101, 779)]
    assert "'length_burying' has 101 items against 237 of 'stereotype_aligned'" in found[0].message


def generators(row: Row) -> tuple[str, ...]:
    return tuple(row[side]["model"].split("/")[-1] for side in ("response_a", "response_b"))


def test_generators_alone_predict_labels(
    scratch: Path, labelled: dict[str, tuple[str, Row]], key: dict[str, str]
) -> None:
    pool = generator_table(
        [
            GeneratedItem(where, row["question_id"], generators(row), key[row["pair_id"]])
            for where, row in rows(scratch / "data/pairs/pairs_to_label.jsonl")
        ]
    )
    assert (round(float(pool.accuracy) * pool.n), pool.n, pool.p) == (1053, 1938, 0.002)
    assert float(pool.majority_accuracy) == pytest.approx(0.3865, abs=5e-5)
    assert float(pool.kappa) == pytest.approx(0.2681, abs=5e-5)
    assert len(generator_findings(pool)) == 1
    expected = {"in_dist": (134, 240, 0.3055, 1), "ood_religion": (24, 60, 0.0769, 0)}
    for eval_slice, (right, n, kappa, findings) in expected.items():
        table = generator_table(
            [
                GeneratedItem(where, row["question_id"], generators(row), row["human_verdict"])
                for where, row in (labelled[i] for i in chosen(labelled, eval_slice))
            ]
        )
        assert (round(float(table.accuracy) * n), table.n) == (right, n)
        assert float(table.kappa) == pytest.approx(kappa, abs=5e-5)
        assert len(generator_findings(table)) == findings


@pytest.mark.parametrize(
    ("checkpoint", "kappas", "ends", "gained", "lost"),
    [
        (BASE, (0.4807, 0.4630), (0.431, 0.513), 23, 20),
        (SFT, (0.6425, 0.7040), (0.648, 0.698), 5, 15),
        (DPO, (0.6780, 0.6859), (0.654, 0.710), 10, 11),
    ],
)
def test_how_far_one_order_moves_the_published_kappas(
    labelled: dict[str, tuple[str, Row]],
    verdicts: dict[tuple[str, str, str], dict[str, str | None]],
    checkpoint: str, kappas: tuple[float, float], ends: tuple[float, float], gained: int,
    lost: int,
) -> None:  # fmt: skip
    """Unparsed counted as wrong. No move is significant, yet one order can miss by .06."""
    table = order_table(
        [
            OrderedJudgment(labelled[i][0], checkpoint, i, order,
                            verdicts[LONG, checkpoint, order][i], labelled[i][1]["human_verdict"])
            for i in chosen(labelled, "in_dist")
            for order in (ORIGINAL, SWAPPED)
        ]
    )  # fmt: skip
    move = table.judges[0].move
    assert move is not None
    assert (move.kappa_original, move.kappa_swapped) == pytest.approx(kappas, abs=5e-5)
    assert (move.low, move.high) == pytest.approx(ends, abs=5e-3)
    assert (move.gained, move.lost) == (gained, lost)
    assert [f.severity for f in order_findings(table)] == [Severity.INFO]


@pytest.mark.parametrize("mapped", [True, False])
def test_auto_j_in_both_orders(shared_data: Path, mapped: bool) -> None:
    """The swapped file numbers the responses as shown; read unmapped, kappa turns negative."""
    folder = shared_data / "auto_j/data"
    names = {"0": "A", "1": "B", "2": "TIE"}
    labels = [names[str(row["label"])] for _, row in rows(folder / "test/testdata_pairwise.jsonl")]
    read = {
        order: [(w, names[str(row["output"])]) for w, row in rows(folder / f"outputs/{name}.jsonl")]
        for order, name in (
            (ORIGINAL, "pairwise_example_output"),
            (SWAPPED, "pairwise_exchange_example_output"),
        )
    }
    if mapped:
        read[SWAPPED] = [(where, MIRROR[verdict]) for where, verdict in read[SWAPPED]]
    table = order_table(
        [
            OrderedJudgment(where, "auto-j", str(i), order, verdict, labels[i])
            for order, replies in read.items()
            for i, (where, verdict) in enumerate(replies)
        ]
    )
    move = table.judges[0].move
    assert move is not None
    assert move.n == 1392
    same = sum(a == b for (_, a), (_, b) in zip(*read.values(), strict=True))
    found = order_findings(table)
    if mapped:
        assert round(same / 1392, 4) == 0.8341
        assert [f.severity for f in found] == [Severity.INFO]
    else:
        assert move.kappa_swapped is not None
        assert move.kappa_swapped < 0
        assert [f.severity for f in found] == [Severity.WARNING]
        assert "mapped back" in found[0].remedy


@pytest.fixture(scope="module")
def panda(shared_data: Path) -> list[Row]:
    found: list[Row] = json.loads(text_of(shared_data / "pandalm/data/testset-v1.json"))
    return found


def votes_of(row: Row) -> tuple[str, ...]:
    return tuple({0: "TIE", 1: "A", 2: "B"}[row[f"annotator{i}"]] for i in (1, 2, 3))


def test_the_49_of_999_are_two_against_one(panda: list[Row]) -> None:
    """No votes tie. 49 have annotator 2 alone in the minority, 38 annotator 1, 33 annotator 3."""
    items = [
        VotedItem(f"testset-v1.json[{i}]", votes_of(row), majority(votes_of(row)) or "")
        for i, row in enumerate(panda)
    ]
    table = ties_table(items)
    assert (table.n, table.tied.n, table.against) == (999, 0, 0)
    assert {p.dissenters: p.n for p in table.patterns} == {(): 879, (1,): 38, (2,): 49, (3,): 33}
    assert ties_findings(table) == ()


@pytest.mark.parametrize("seed", range(20))
def test_gold_drawn_as_published_is_caught_on_the_real_votes(panda: list[Row], seed: int) -> None:
    rng = random.Random(seed)
    items = []
    for i, row in enumerate(panda):
        cast = votes_of(row)
        drawn = cast[0] == cast[2] != cast[1]
        gold = rng.choice(cast) if drawn else majority(cast) or ""
        items.append(VotedItem(f"testset-v1.json[{i}]", cast, gold))
    found = ties_findings(ties_table(items))
    assert [(f.severity, f.of) for f in found] == [(Severity.WARNING, 49)]


def test_pandalm_judges_its_own_family(panda: list[Row]) -> None:
    """421 of 1,998 responses are by LLaMA, the base of the judge."""
    pairs = [
        ModelPair(f"testset-v1.json[{i}]", "judge", "PandaLM-7B", "generator", name)
        for i, row in enumerate(panda)
        for name in row["cmp_key"].split("_")
    ]
    found = family_findings(family_table(pairs))
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 421, 1998)]


@pytest.fixture(scope="module")
def overlaps(shared_data: Path) -> AcrossTable:
    prometheus = shared_data / "prometheus_eval/eval/benchmark/data"
    ask, answer = "###The instruction to evaluate:", "###Response to evaluate:"
    graded = json.loads(text_of(prometheus / "vicuna_eval.json"))
    alpaca = shared_data / "alpaca_eval/results/claude/alpaca_eval_gpt4/annotations.json"
    sets = {
        "qlora": [
            PlacedText(w, row["text"])
            for w, row in rows(
                shared_data / "qlora_gpt4_vicuna/eval/prompts/vicuna_questions.jsonl"
            )
        ],
        "vicuna_blog": [
            PlacedText(w, row["text"])
            for w, row in rows(shared_data / "vicuna_blog_eval/eval/table/question.jsonl")
        ],
        "prometheus": [
            PlacedText(
                f"vicuna_eval.json[{i}]", row["instruction"].split(ask)[1].split(answer)[0].strip()
            )
            for i, row in enumerate(graded)
        ],
        "alpaca_eval": [
            PlacedText(f"annotations.json[{i}]", row["instruction"])
            for i, row in enumerate(json.loads(text_of(alpaca)))
        ],
        "auto_j": [
            PlacedText(w, row["prompt"])
            for w, row in rows(shared_data / "auto_j/data/test/testdata_pairwise.jsonl")
        ],
        "autoj_pairwise": [
            PlacedText(w, row["prompt"]) for w, row in rows(prometheus / "autoj_pairwise.json")
        ],
    }
    return across_table(sets)


def test_eighty_questions_stand_in_four_sets(overlaps: AcrossTable) -> None:
    four = ("qlora", "vicuna_blog", "prometheus", "alpaca_eval")
    for i, first in enumerate(four):
        for second in four[i + 1 :]:
            assert overlaps.pair(first, second).same == 80
    in_all = sum(n for names, n in overlaps.shared_by if set(four) <= set(names))
    assert in_all == 80


def test_one_set_is_a_copy_of_another(overlaps: AcrossTable) -> None:
    row = overlaps.pair("auto_j", "autoj_pairwise")
    sizes = {one.name: (one.texts, one.distinct, one.short) for one in overlaps.sets}
    assert sizes["auto_j"] == sizes["autoj_pairwise"] == (1392, 1179, 15)
    assert (row.same, row.near_first, row.near_second, row.short) == (1164, 0, 0, 15)
    assert overlaps.pair("qlora", "auto_j").same == 5
    found = across_findings(overlaps)
    assert sum(f.severity is Severity.WARNING for f in found) == 15
