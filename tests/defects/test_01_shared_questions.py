"""Defect 1: train and evaluation share questions and whole responses.

The published split drew pairs at random by pair id, and checked that no pair id was on both
sides. Several pairs are made from one question, so the check passed and the leak was there.
"""

import random
from itertools import combinations

import pytest

from judgesmith.audits import (
    LeakItem,
    LeakLevel,
    Severity,
    SplitLevel,
    clear_training,
    leak_audit,
    leak_findings,
    stop_on_errors,
)
from judgesmith.errors import AuditError

GENERATORS = ("anna", "bert", "cora", "dirk")


def all_pairs() -> list[LeakItem]:
    """60 questions from 20 templates; 4 responses each, so 6 pairs per question."""
    items = []
    for q in range(60):
        texts = [
            f"{name} says about question {q} that answer {q % 3} is right" for name in GENERATORS
        ]
        items += [
            LeakItem(f"q{q}-{i}", f"q{q}", f"p{q // 3}", pair)
            for i, pair in enumerate(combinations(texts, 2))
        ]
    return items


def split_by_pair() -> tuple[list[LeakItem], list[LeakItem]]:
    items = all_pairs()
    random.Random(1).shuffle(items)
    return items[60:], items[:60]


def test_a_split_by_pair_is_caught_and_stops_the_run() -> None:
    train, evaluation = split_by_pair()
    assert not {item.item_id for item in train} & {item.item_id for item in evaluation}
    report = leak_audit(train, evaluation)
    shared = {item.group_id for item in train}
    assert report.share(LeakLevel.QUESTION).count == sum(e.group_id in shared for e in evaluation)
    assert report.share(LeakLevel.QUESTION).count > 50
    assert report.share(LeakLevel.EVERY_RESPONSE).count > 40
    with pytest.raises(AuditError, match="share their question with training"):
        stop_on_errors(leak_findings(report, SplitLevel.QUESTION))


def test_a_split_by_question_passes_and_reports_the_shared_templates() -> None:
    items = all_pairs()
    train = [item for item in items if int(item.group_id[1:]) % 3]
    evaluation = [item for item in items if not int(item.group_id[1:]) % 3]
    found = leak_findings(leak_audit(train, evaluation), SplitLevel.QUESTION)
    stop_on_errors(found)
    warned = [f for f in found if f.severity is Severity.WARNING]
    assert [(f.count, f.of) for f in warned] == [(120, 120)]
    assert "share their template" in warned[0].message


def test_the_same_split_is_stopped_when_the_recipe_says_template() -> None:
    items = all_pairs()
    train = [item for item in items if int(item.group_id[1:]) % 3]
    evaluation = [item for item in items if not int(item.group_id[1:]) % 3]
    with pytest.raises(AuditError, match="120 of 120 evaluation items share their template"):
        stop_on_errors(leak_findings(leak_audit(train, evaluation), SplitLevel.TEMPLATE))


@pytest.mark.parametrize("level", list(SplitLevel))
def test_what_clear_training_leaves_is_not_flagged(level: SplitLevel) -> None:
    items = all_pairs()
    random.Random(1).shuffle(items)
    evaluation = items[:8]
    left = clear_training(items[8:], evaluation, level=level)
    assert left
    stop_on_errors(leak_findings(leak_audit(left, evaluation), level))
