import json
import random

import pytest

from judgesmith.audits.generator import (
    GeneratedItem,
    fold,
    generator_findings,
    generator_table,
)
from judgesmith.errors import DataError, RecipeError


def items(n: int, pull: float, seed: int = 1) -> list[GeneratedItem]:
    """Pairs of three generators; with the chance `pull` the label names the first by name."""
    rng = random.Random(seed)
    made = []
    for i in range(n):
        pair = tuple(rng.sample("xyz", 2))
        label = "AB"[pair[0] > pair[1]] if rng.random() < pull else rng.choice("AB")
        made.append(GeneratedItem(f"f:{i}", f"q{i // 2}", pair, label))
    return made


def by_hand(rows: list[GeneratedItem]) -> int:
    """The rule, written the long way."""
    right = 0
    names = sorted({row.label for row in rows})
    for row in rows:
        others = [o for o in rows if fold(o.group_id) != fold(row.group_id)]
        same = [o.label for o in others if o.generators == row.generators]
        seen = same or [o.label for o in others]
        right += max(names, key=lambda name: (seen.count(name), -names.index(name))) == row.label
    return right


@pytest.mark.parametrize("pull", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("n", [7, 60])
def test_the_rule_is_held_out_by_question(pull: float, n: int) -> None:
    rows = items(n, pull)
    assert generator_table(rows, permutations=1).accuracy.value == by_hand(rows) / n


def test_a_label_that_follows_the_generators_is_warned_of() -> None:
    table = generator_table(items(200, 0.8), permutations=199)
    found = generator_findings(table)
    assert len(found) == 1
    assert table.p == 1 / 200
    assert found[0].count == round(float(table.accuracy) * 200)
    assert "the generators alone predict" in found[0].message
    assert generator_findings(table, gain=0.6) == ()


def test_unrelated_labels_and_rows_in_another_order() -> None:
    rows = items(120, 0.0)
    table = generator_table(rows, permutations=199)
    assert generator_findings(table) == ()
    again = generator_table(list(reversed(rows)), permutations=1)
    assert again.accuracy == table.accuracy
    assert again.right_by_combination == table.right_by_combination


def test_no_items_one_label_and_bad_settings() -> None:
    empty = generator_table([])
    assert (empty.n, empty.majority, empty.accuracy.value, empty.p) == (0, None, None, 1.0)
    assert generator_findings(empty) == ()
    one = generator_table([GeneratedItem(f"f:{i}", f"q{i}", ("x", "y"), "A") for i in range(9)])
    assert one.accuracy.value == 1.0
    assert one.p == 1.0
    assert generator_findings(one) == ()
    with pytest.raises(DataError, match="permutations"):
        generator_table([], permutations=0)
    with pytest.raises(RecipeError, match="gain"):
        generator_findings(empty, gain=3)


def test_the_table_is_json() -> None:
    stored = json.loads(json.dumps(generator_table(items(20, 1.0), permutations=9).to_dict()))
    assert stored["n"] == 20
