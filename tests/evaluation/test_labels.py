"""Which label an item gets, and that a split vote gets none."""

from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.evaluation.collect import collect
from judgesmith.evaluation.labels import NO_MAJORITY, choose_labels


def test_a_majority_is_taken_and_a_split_is_dropped_not_drawn(make_row: Any, say: Any) -> None:
    votes = {"i1": "AAB", "i2": "ABT", "i3": "BBB"}
    rows = [
        make_row(item, *(say(item, f"p{n}", v, role="person") for n, v in enumerate(said)))
        for item, said in votes.items()
    ]
    labels = choose_labels(collect(rows, responses=2), "majority", pairs=True)
    assert labels.verdicts == {0: "A", 2: "B"}
    assert labels.dropped == {NO_MAJORITY: 1}
    assert labels.kind == "people"
    assert labels.title == "labels: 2 by majority of p0, p1, p2"


def test_scores_of_people_are_averaged(make_row: Any, say: Any) -> None:
    rows = [
        make_row("i1", *(say("i1", f"p{n}", None, scores=(s,), role="person")
                         for n, s in enumerate((1.0, 2.0, 4.5))))
    ]  # fmt: skip
    labels = choose_labels(collect(rows, responses=1), "majority", pairs=False)
    assert labels.numeric
    assert labels.scores == {0: 2.5}


def test_a_judge_can_be_what_is_measured_against(make_row: Any, say: Any) -> None:
    rows = [make_row("i1", say("i1", "gpt", "A"), say("i1", "small", "B"))]
    labels = choose_labels(collect(rows, responses=2), "gpt", pairs=True)
    assert labels.kind == "another judge"
    assert "not people" in labels.title


def test_without_labels_nothing_is_made_up(make_row: Any, say: Any) -> None:
    found = collect([make_row("i1", say("i1", "gpt", "A"))], responses=2)
    for policy in ("majority", "key", "gpt"):
        labels = choose_labels(found, policy, pairs=True)
        assert labels.kind == "nobody"
        assert not labels.verdicts
    with pytest.raises(DataError, match="did you mean 'gpt'"):
        choose_labels(found, "gtp", pairs=True)


def test_a_key_stands_in_where_nobody_labelled(make_row: Any, say: Any) -> None:
    found = collect(
        [make_row("i1", say("i1", "key", "A", role="key"), say("i1", "j", "A"))], responses=2
    )
    assert choose_labels(found, "majority", pairs=True).kind == "answer key"
