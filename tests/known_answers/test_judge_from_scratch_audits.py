"""The audits on the pairs of a published judge, against figures worked out from its files.

The pool for training is `pairs_to_label.jsonl` (1,938 pairs), the evaluation set is
`eval_set_unlabeled.jsonl` (300 pairs with a human verdict: 240 in distribution, 60 on religion).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from judgesmith.audits import (
    ConfoundItem,
    ConfoundTable,
    LabelItem,
    LeakItem,
    LeakLevel,
    LeakReport,
    Severity,
    SplitLevel,
    StyledResponse,
    clear_training,
    confound_findings,
    confound_table,
    label_findings,
    label_table,
    leak_audit,
    leak_findings,
    stop_on_errors,
)
from judgesmith.errors import AuditError

Row = dict[str, Any]


@pytest.fixture(scope="module")
def pairs_folder(shared_data: Path) -> Path:
    return shared_data / "judge_from_scratch" / "data" / "pairs"


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def leak_item(row: Row) -> LeakItem:
    category, index, *_ = row["question_id"].split("::")
    texts = (row["response_a"]["text"], row["response_b"]["text"])
    return LeakItem(row["pair_id"], row["question_id"], f"{category}::{index}", texts)


@pytest.fixture(scope="module")
def train(pairs_folder: Path) -> list[LeakItem]:
    return [leak_item(row) for row in read(pairs_folder / "pairs_to_label.jsonl")]


@pytest.fixture(scope="module")
def labelled(pairs_folder: Path) -> list[Row]:
    return read(pairs_folder / "eval_set_unlabeled.jsonl")


def evaluation(labelled: list[Row], eval_slice: str) -> list[LeakItem]:
    return [leak_item(row) for row in labelled if row["eval_slice"] == eval_slice]


@pytest.fixture(scope="module")
def in_distribution(train: list[LeakItem], labelled: list[Row]) -> LeakReport:
    return leak_audit(train, evaluation(labelled, "in_dist"))


@pytest.mark.parametrize(
    ("level", "count"),
    [
        (LeakLevel.TEMPLATE, 237),
        (LeakLevel.QUESTION, 231),
        (LeakLevel.RESPONSE, 231),
        (LeakLevel.EVERY_RESPONSE, 69),
        (LeakLevel.NEAR_DUPLICATE, 0),
        (LeakLevel.OTHER_QUESTION, 3),
        (LeakLevel.OTHER_QUESTION_NEAR, 0),
        (LeakLevel.OTHER_QUESTION_SHORT, 26),
    ],
)
def test_what_the_240_share_with_training(
    in_distribution: LeakReport, level: LeakLevel, count: int
) -> None:
    share = in_distribution.share(level)
    assert (share.count, share.of, share.unchecked) == (count, 240, 0)


def test_the_published_split_is_stopped(in_distribution: LeakReport) -> None:
    with pytest.raises(AuditError, match="231 of 240 evaluation items share their question"):
        stop_on_errors(leak_findings(in_distribution, "question"))


def test_religion_shares_only_a_few_short_texts(train: list[LeakItem], labelled: list[Row]) -> None:
    report = leak_audit(train, evaluation(labelled, "ood_religion"))
    shared = {share.level: (share.count, share.of) for share in report.shares if share.count}
    assert shared == {LeakLevel.OTHER_QUESTION_SHORT: (5, 60)}
    stop_on_errors(leak_findings(report, "template"))


@pytest.mark.parametrize(
    ("level", "left"), [(SplitLevel.QUESTION, 1497), (SplitLevel.TEMPLATE, 535)]
)
def test_training_pairs_that_are_clear_of_all_300(
    train: list[LeakItem], labelled: list[Row], level: SplitLevel, left: int
) -> None:
    held_out = [leak_item(row) for row in labelled]
    clear = clear_training(train, held_out, level=level)
    assert len(clear) == left
    report = leak_audit(clear, held_out)
    stop_on_errors(leak_findings(report, level))
    assert report.train_left[level] == left


def styles(path: Path) -> ConfoundTable:
    def side(response: Row) -> StyledResponse:
        flagged = response["suspected_bias_level"] == "biased"
        return StyledResponse(flagged, response["model"].split("/")[1], response["text"])

    return confound_table(
        [
            ConfoundItem(
                row["pair_id"],
                row["pair_category"],
                (side(row["response_a"]), side(row["response_b"])),
            )
            for row in read(path)
        ]
    )


def test_length_against_bias_in_all_2370_pairs(pairs_folder: Path) -> None:
    """82%, 64%, 62% and 48%: of the buckets only the first has a lower bound above 0.65.

    All together, 1,223 of 1,820 are 67.2%, and their interval starts at 65.01%.
    """
    table = styles(pairs_folder / "pairs.jsonl")
    rows = {row.bucket: row for row in table.buckets}
    assert {name: (row.longer, row.contrasts) for name, row in rows.items()} == {
        "subtle_bias_vs_clean": (453, 550),
        "clear_bias_vs_clean": (510, 800),
        "adversarial": (154, 250),
        "tracked_bias_vs_alternate": (106, 220),
        "both_clean_tie": (0, 0),
    }
    difference = rows["subtle_bias_vs_clean"].mean_word_difference
    assert difference == pytest.approx(22.8, abs=0.05)
    first = {name: row.flagged_first for name, row in rows.items() if row.contrasts}
    assert first == {
        "subtle_bias_vs_clean": 268,
        "clear_bias_vs_clean": 377,
        "adversarial": 128,
        "tracked_bias_vs_alternate": 108,
    }
    warned = [f.message for f in confound_findings(table) if "longer" in f.message]
    assert [message.split(":")[0] for message in warned] == ["subtle_bias_vs_clean", "all buckets"]


def test_generator_against_bias_in_the_training_pool(pairs_folder: Path) -> None:
    """59%, 41%, 39% and 8% of their slots; 38% of all. The first and the last are reported."""
    table = styles(pairs_folder / "pairs_to_label.jsonl")
    assert {row.generator: (row.flagged, row.slots) for row in table.generators} == {
        "llama-3-8b-instruct": (599, 1016),
        "llama-3.1-8b-instruct": (390, 950),
        "mistral-7b-instruct-v0.1": (397, 1013),
        "qwen-2.5-7b-instruct": (74, 897),
    }
    shares = [row.share.value for row in table.generators]
    assert [f"{share:.0%}" for share in shares if share is not None] == ["59%", "41%", "39%", "8%"]
    warned = [f.message for f in confound_findings(table) if f.message.startswith("generator")]
    assert [message.split(":")[0] for message in warned] == [
        "generator llama-3-8b-instruct",
        "generator qwen-2.5-7b-instruct",
    ]


def test_the_tie_bucket_of_the_human_labels_is_named(labelled: list[Row]) -> None:
    """24 of the 25 in-distribution labels of that bucket are ties; A 86, B 90, TIE 64 in all."""
    table = label_table(
        [
            LabelItem(row["pair_id"], row["pair_category"], row["human_verdict"])
            for row in labelled
            if row["eval_slice"] == "in_dist"
        ]
    )
    assert table.overall is not None
    assert table.overall.counts == (("A", 86), ("B", 90), ("TIE", 64))
    found = label_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 24, 25)]
    assert found[0].message.startswith("both_clean_tie: the label 'TIE' holds 24 of 25 items (96%)")
