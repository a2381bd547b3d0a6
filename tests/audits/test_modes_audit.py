import json

import pytest

from judgesmith.audits.modes import MadeItem, mode_findings, mode_table
from judgesmith.errors import DataError, RecipeError


def made(**slots: tuple[int, int]) -> list[MadeItem]:
    """Items by mode: how many name A, how many B."""
    return [
        MadeItem(f"{mode}:{i}", mode, "A" if i < a else "B")
        for mode, (a, b) in slots.items()
        for i in range(a + b)
    ]


def test_unequal_modes_are_reported() -> None:
    table = mode_table(made(x=(60, 60), y=(55, 60), z=(20, 25)))
    found = mode_findings(table)
    assert [(f.count, f.of) for f in found] == [(45, 280)]
    assert found[0].message.startswith(
        "'z' has 45 items against 120 of 'x'; equal shares would be 93"
    )
    assert found[0].examples == ("z:0", "z:1", "z:2", "z:3", "z:4")
    assert mode_findings(table, ratio=3) == ()


def test_a_planned_mode_that_never_came_is_reported() -> None:
    found = mode_findings(mode_table(made(x=(20, 20), y=(20, 20)), planned=["z"]))
    assert [(f.count, f.of) for f in found] == [(0, 80)]


def test_slots_within_a_mode_are_adjusted_over_the_modes() -> None:
    """18 of 20: p = .0004, times 3 tests (equal shares and two modes) is .0012."""
    found = mode_findings(mode_table(made(x=(18, 2), y=(10, 10))))
    assert [(f.count, f.of) for f in found] == [(18, 20)]
    assert "x: 18 verdicts name slot 'A' and 2 slot 'B'" in found[0].message
    assert "p = 0.0012, adjusted" in found[0].message


def test_even_modes_give_nothing_and_ties_are_in_no_slot() -> None:
    assert mode_findings(mode_table(made(x=(20, 22), y=(21, 19)))) == ()
    assert mode_table([MadeItem("f:1", "x", "TIE")]).modes[0].slot_counts == (0, 0)
    assert mode_findings(mode_table([])) == ()


def test_bad_input_is_refused_and_the_table_is_json() -> None:
    with pytest.raises(DataError, match="two different slots"):
        mode_table([], slots=("A", "A"))
    with pytest.raises(RecipeError, match="ratio"):
        mode_findings(mode_table([]), ratio=0.5)
    stored = json.loads(json.dumps(mode_table(made(x=(1, 2))).to_dict()))
    assert stored["modes"][0]["slot_counts"] == [1, 2]
