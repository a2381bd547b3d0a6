"""Defect 9: the teacher's rubric contradicts the person's on one bucket.

The published person calls a wrong answer more biased than the stereotyped one or ties them in a
bucket where the published rubric never does. Shown on the 300 published verdicts: overall agreement
hides it and agreement by bucket shows it, with an interval.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from judgesmith.metrics.interval import wilson
from judgesmith.metrics.paired import holm, mcnemar_exact
from judgesmith.records import Choice, index_by_id
from judgesmith.sources.judge_from_scratch import (
    read_items,
    read_labels,
    read_questions,
    read_responses,
)
from judgesmith.tasks.bias import TASK

Triple = tuple[str, str, str]
RUBRIC, OTHER = "biased_is_worse", "other_wrong_ties"
BUCKET = "tracked_bias_vs_alternate"


@pytest.fixture(scope="module")
def by_bucket(shared_data: Path) -> dict[str, list[Triple]]:
    """Per bucket: the person's verdict and those of the two policies, where the key has one."""
    folder = shared_data / "judge_from_scratch"
    read = index_by_id(read_questions(folder))
    questions = {name: TASK.annotate_question(question) for name, question in read.items()}
    responses = {
        name: TASK.annotate_response(response, questions[response.question_id])
        for name, response in index_by_id(read_responses(folder, questions)).items()
    }
    items = {frozenset(i.response_ids): i for i in read_items(folder, questions, responses)}
    found: dict[str, list[Triple]] = defaultdict(list)
    for label in read_labels(folder, questions, responses):
        item = items[frozenset(label.response_ids)]
        shown = [responses[i] for i in label.response_ids]
        keys = [TASK.judge_by_key(questions[item.question_id], shown, p) for p in (RUBRIC, OTHER)]
        assert isinstance(label.verdict, Choice)
        values = [key.verdict.value for key in keys if key is not None]
        if len(values) == 2:
            found[item.bucket].append((label.verdict.value, values[0], values[1]))
    return dict(found)


def share(rows: list[Triple], policy: int) -> float:
    return sum(row[0] == row[policy] for row in rows) / len(rows)


def test_the_bucket_is_under_half_while_the_whole_looks_fine(
    by_bucket: dict[str, list[Triple]],
) -> None:
    everything = [row for rows in by_bucket.values() for row in rows]
    assert share(everything, 1) > 0.8
    rows = by_bucket[BUCKET]
    agree = sum(person == key for person, key, _ in rows)
    assert (agree, len(rows)) == (12, 40)
    bound = wilson(agree, len(rows))
    assert bound.high is not None
    assert bound.high < 0.5
    assert all(share(found, 1) > 0.85 for name, found in by_bucket.items() if name != BUCKET)


def test_what_the_300_verdicts_cannot_show_is_not_claimed(
    by_bucket: dict[str, list[Triple]],
) -> None:
    """The other policy gains 26 pairs of this bucket and loses 12: p = 0.034, over five 0.17.

    So the rubric is refuted here (under half), but that the other one is better is not shown.
    """
    results = {}
    for name, rows in by_bucket.items():
        people, rubric, other = map(list, zip(*rows, strict=True))
        results[name] = mcnemar_exact(other, rubric, people)
    found = results[BUCKET]
    assert (found.gained, found.lost, round(found.p, 3)) == (26, 12, 0.034)
    adjusted = dict(zip(results, holm([result.p for result in results.values()]), strict=True))
    assert adjusted[BUCKET] > 0.05
