"""Which merge is chosen on dev, and which no other beats."""

from typing import Any

import pytest

from judgesmith.models.dev_measures import DevMeasures
from judgesmith.runs.rehearsal import Rates
from judgesmith.stages.merge import Config
from judgesmith.stages.merge.search import is_dominated, rank_tried, routed, worst_kept
from judgesmith.stages.merge.stage import label_of


def of(agreement: float | None, parsed: float = 1.0, consistency: float | None = None) -> Any:
    return DevMeasures(agreement, 0.5, None, parsed, consistency, 40)


BEST = {"pair": of(0.8), "single": of(0.5)}


def test_the_least_kept_of_any_specialist_decides() -> None:
    """0.72 / 0.8 = 0.9 and 0.4 / 0.5 = 0.8; 0.6 / 0.8 = 0.75 and all of the other."""
    merges = {
        "even": {"pair": of(0.72), "single": of(0.4)},
        "leaning": {"pair": of(0.6), "single": of(0.5)},
    }
    rows = rank_tried(merges, BEST, "leaning", choose=True)
    assert [(row.name, row.worst_kept, row.chosen) for row in rows] == [
        ("even", 0.8, True), ("leaning", 0.75, False),
    ]  # fmt: skip
    assert all(row.undominated for row in rows)


def test_the_recipes_own_stays_where_nothing_is_better_or_nothing_is_chosen() -> None:
    same = {"a": {"pair": of(0.4), "single": of(0.3)}, "own": {"pair": of(0.4), "single": of(0.3)}}
    assert [row.chosen for row in rank_tried(same, BEST, "own", choose=True)] == [False, True]
    merges = {"a": BEST, "own": {"pair": of(0.1), "single": of(0.1)}}
    rows = rank_tried(merges, BEST, "own", choose=False)
    assert [(row.chosen, row.undominated) for row in rows] == [(False, True), (True, False)]


def test_what_is_undefined_is_never_chosen_before_what_is_known() -> None:
    merges = {
        "own": {"pair": of(None), "single": of(0.5)},
        "a": {"pair": of(0.1), "single": of(0.1)},
    }
    rows = rank_tried(merges, BEST, "own", choose=True)
    assert [(row.worst_kept, row.chosen) for row in rows] == [(None, False), (0.125, True)]
    assert worst_kept(merges["a"], {"pair": of(0.0), "single": of(0.5)}) is None


def test_a_merge_that_is_worse_in_format_alone_is_dominated() -> None:
    whole = {"pair": of(0.5, 1.0), "single": of(0.5)}
    broken = {"pair": of(0.5, 0.9), "single": of(0.5)}
    assert is_dominated(broken, [whole])
    assert not is_dominated(whole, [broken])
    assert not is_dominated(whole, [dict(whole)])
    other = {"pair": of(0.4, 0.9, 0.9), "single": of(0.5)}
    assert not is_dominated(other, [whole])  # its consistency is known and higher


def test_each_format_is_routed_to_who_was_trained_in_it() -> None:
    measured = {
        "absolute": {"pair": of(0.9), "single": of(0.5)},
        "pairwise": {"pair": of(0.8), "single": of(0.1)},
    }
    found = routed(measured, {"absolute": ("single",), "pairwise": ("pair",)})
    assert found == {"single": of(0.5), "pair": of(0.8)}


def config(**changes: Any) -> Config:
    fields: dict[str, Any] = {
        "judges": ["a", "b"], "method": {"kind": "nuslerp", "weights": [0.5, 0.5]},
    }  # fmt: skip
    return Config.model_validate(fields | changes)


def test_candidates_are_the_recipes_own_and_each_other_once() -> None:
    linear = {"kind": "linear", "weights": [0.5, 0.5]}
    found = config(search={"shares": [0.3, 0.5, 0.3], "methods": [linear]}).candidates
    assert [label_of(method) for method in found] == [
        "nuslerp 0.5 : 0.5", "nuslerp 0.3 : 0.7", "linear 0.5 : 0.5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"judges": ["a", "a"]}, "expected each judge once"),
        ({"judges": ["a", "b", "c"]}, "2 weights for 3 judges"),
        (
            {"method": {"kind": "ties", "weights": [1, 1], "density": 0.5}},
            "its result has full rank; give `rank`",
        ),
        (
            {
                "judges": ["a", "b", "c"], "method": {"kind": "linear", "weights": [1, 1, 1]},
                "search": {"shares": [0.5]},
            },
            "are of the first of two judges",
        ),
        ({"method": {"kind": "nuslerp", "weights": [1, 1], "density": 0.5}}, "density"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        config(**changes)


def test_a_rehearsal_tries_little() -> None:
    found = config(search={"shares": [0.1, 0.2, 0.3], "items": 100}).rehearsed(Rates(None, ()))
    assert found.search is not None
    assert (found.search.items, len(found.candidates)) == (8, 3)
