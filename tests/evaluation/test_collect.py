"""Rows of any order and any number of files end up as one packed table, or as one clear error."""

import itertools
import random
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.evaluation.collect import MOST_VALUES, Collected, Votes, collect
from judgesmith.records import Status


def test_labels_and_judgments_of_different_files_meet_by_item(make_row: Any, say: Any) -> None:
    found = collect(
        [
            make_row(
                "i1", say("i1", "ann", "A", role="person"), cluster="q", fields={"bucket": "b"}
            ),
            make_row("i2", say("i2", "ann", "TIE", role="person"), cluster="q"),
            make_row("i2", say("i2", "j", "B"), responses=("one two", "three")),
            make_row("i1", say("i1", "j", None)),
        ],
        responses=2,
    )
    assert [name for name, _ in found.names] == ["i1", "i2"]
    (person,) = (found.votes[key] for key in found.keys("person"))
    (judge,) = (found.votes[key] for key in found.keys("judge"))
    assert [found.verdict(person, i) for i in (0, 1)] == ["A", "TIE"]
    assert [found.verdict(judge, i) for i in (0, 1)] == [None, "B"]
    assert found.clusters[0] == found.clusters[1]
    assert list(found.words) == [-1, -1, 2, 1]
    assert found.statuses["j"] == {Status.NO_VERDICT.value: 1}
    assert found.fields[0] == (("bucket", "b"),)


def test_the_order_of_rows_changes_nothing_but_positions(make_row: Any, say: Any) -> None:
    rows = [
        make_row(f"i{n}", say(f"i{n}", by, "AB"[n % 2], role=role), cluster=f"q{n // 2}")
        for n, (by, role) in itertools.product(range(6), (("p", "person"), ("j", "judge")))
    ]
    mixed = rows[:]
    random.Random(3).shuffle(mixed)

    def said(found: Collected) -> set[tuple[str, str, str | None]]:
        return {
            (found.names[i][0], key.by, found.verdict(votes, i))
            for key, votes in found.votes.items()
            for i in votes.positions()
        }

    assert said(collect(rows, responses=2)) == said(collect(mixed, responses=2))


def test_a_second_judgment_is_refused_and_a_repeated_label_is_not(make_row: Any, say: Any) -> None:
    label = say("i1", "ann", "A", role="person")
    collect([make_row("i1", label), make_row("i1", label)], responses=2)
    with pytest.raises(DataError, match="already has another label by 'ann'"):
        collect(
            [make_row("i1", label), make_row("i1", say("i1", "ann", "B", role="person"))],
            responses=2,
        )
    twice = [make_row("i1", say("i1", "j", "A")), make_row("i1", say("i1", "j", "A"))]
    with pytest.raises(DataError, match=r"f\.jsonl:i1: item 'i1' is judged a second time by 'j'"):
        collect(twice, responses=2)
    collect([twice[0], make_row("i1", say("i1", "j", "A", swapped=True))], responses=2)
    collect([twice[0], make_row("i1", say("i1", "j", "A", sample=1))], responses=2)


def test_scores_are_kept_and_missing_ones_are_none(make_row: Any, say: Any) -> None:
    found = collect(
        [
            make_row("i1"),
            make_row("i2", say("i2", "j", None, scores=(4.0,))),
            make_row("i3", say("i3", "j", None)),
        ],
        responses=1,
    )
    (votes,) = found.votes.values()
    assert [found.score(votes, i) for i in range(3)] == [None, 4.0, None]


def test_criteria_are_items_of_their_own(make_row: Any, say: Any) -> None:
    both = [
        say("i1", "j", None, scores=(n,), criterion=name) for n, name in ((1.0, "x"), (2.0, "y"))
    ]
    found = collect([make_row("i1", *both)], responses=1)
    assert found.names == [("i1", "x"), ("i1", "y")]
    assert [dict(fields)["criterion"] for fields in found.fields] == ["x", "y"]


def test_too_many_verdicts_are_numbers_in_disguise(make_row: Any, say: Any) -> None:
    rows = [make_row(f"i{n}", say(f"i{n}", "j", f"v{n}")) for n in range(MOST_VALUES + 1)]
    with pytest.raises(DataError, match="Map numbers with `scores`"):
        collect(rows, responses=2)


def test_an_item_beyond_the_packed_end_was_not_judged() -> None:
    assert not Votes().has(3)
