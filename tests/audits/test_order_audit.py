import json

import numpy as np
import pytest

from judgesmith.audits.finding import Severity
from judgesmith.audits.order import ORIGINAL, SWAPPED, OrderedJudgment, order_table
from judgesmith.audits.order_findings import OrderLimits, order_findings
from judgesmith.errors import DataError, RecipeError


def judged(
    order: str | None, verdicts: str, labels: str, judge: str = "j"
) -> list[OrderedJudgment]:
    """One item per letter; T is a tie, - is unparsed."""
    names: dict[str, str | None] = {"T": "TIE", "-": None}
    return [
        OrderedJudgment(f"{judge}-{order}:{i}", judge, f"i{i}", order, names.get(v, v),
                        {"T": "TIE"}.get(y, y))
        for i, (v, y) in enumerate(zip(verdicts, labels, strict=True))
    ]  # fmt: skip


def test_the_move_by_hand() -> None:
    """Labels AABB. Stored AABA: 3 right; n*d - S = 12 - 8 = 4 of 16 - 8: .5. Swapped ABBB: .5."""
    table = order_table(judged(ORIGINAL, "AABA", "AABB") + judged(SWAPPED, "ABBB", "AABB"))
    row = table.judges[0]
    assert (row.items, row.both, row.single) == (4, 4, 0)
    move = row.move
    assert move is not None
    assert (move.kappa_original, move.kappa_swapped) == (0.5, 0.5)
    assert (move.gained, move.lost, move.p) == (1, 1, 1.0)
    # A coin picks among kappa .0 (both wrong), .5 and 1 (both right).
    assert (move.low, move.high) == (0.0, 1.0)


def test_the_range_of_unseeded_orders_is_that_of_drawing_each_item() -> None:
    rng = np.random.default_rng(4)
    labels = "".join(rng.choice(list("AB"), 200))
    other = {"A": "B", "B": "A"}
    one, two = ("".join(y if rng.random() < 0.8 else other[y] for y in labels) for _ in range(2))
    move = order_table(judged(ORIGINAL, one, labels) + judged(SWAPPED, two, labels)).judges[0].move
    assert move is not None
    assert move.low is not None
    assert move.high is not None
    drawn = []
    for _ in range(2000):
        picked = np.where(rng.random(200) < 0.5, list(one), list(two))
        po = float(np.mean(picked == np.array(list(labels))))
        a, b = float(np.mean(picked == "A")), labels.count("A") / 200
        pe = a * b + (1 - a) * (1 - b)
        drawn.append((po - pe) / (1 - pe))
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([move.low, move.high], abs=0.01)


def test_orders_that_were_not_recorded_and_single_ones_are_warned_of() -> None:
    rows = judged(None, "AB", "AB", "x") + judged(SWAPPED, "AB", "AB", "y")
    found = order_findings(order_table(rows))
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 2, 2)] * 2
    assert found[0].message.startswith("x: 2 judgments do not say")
    assert found[0].examples == ("x-None:0", "x-None:1")
    assert found[1].message.startswith("y: 2 of 2 items were judged in one order only")


def test_labels_that_favour_the_first_place_are_warned_of() -> None:
    """The label's side is first in 18 of 20: p = 2 * (1 + 20 + 190) / 2**20 = .0004."""
    rows = judged(ORIGINAL, "A" * 20, "A" * 18 + "BB")
    table = order_table(rows)
    assert (table.judges[0].label_first, table.judges[0].label_second) == (18, 2)
    assert table.judges[0].balance_p == pytest.approx(2 * 211 / 2**20)
    assert any("was shown first in 18 of 20" in f.message for f in order_findings(table))
    swapped = order_table(judged(SWAPPED, "A" * 20, "A" * 18 + "BB")).judges[0]
    assert (swapped.label_first, swapped.label_second) == (2, 18)


def test_judges_that_saw_different_orders_are_named() -> None:
    rows = judged(ORIGINAL, "AB", "AB", "x") + judged(SWAPPED, "AB", "AB", "y")
    table = order_table(rows)
    assert [(c.first, c.second, c.count, c.of) for c in table.clashes] == [("x", "y", 2, 2)]
    assert "x and y saw 2 of 2 common items in different orders only" in (
        order_findings(table)[-1].message
    )
    both = rows + judged(ORIGINAL, "AB", "AB", "y")
    assert order_table(both).clashes == ()


def test_a_move_is_a_warning_only_if_it_is_no_chance() -> None:
    labels = "AB" * 30
    few = order_table(judged(ORIGINAL, labels, labels) + judged(SWAPPED, "BB" + labels[2:], labels))
    assert order_findings(few, OrderLimits(move=0.1)) == ()
    assert [f.severity for f in order_findings(few)] == [Severity.INFO]
    many = judged(ORIGINAL, labels, labels) + judged(SWAPPED, "A" * 60, labels)
    found = order_findings(order_table(many))
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 30, 60)]


def test_unparsed_verdicts_count_as_wrong_in_their_order() -> None:
    move = order_table(judged(ORIGINAL, "AB", "AB") + judged(SWAPPED, "-B", "AB")).judges[0].move
    assert move is not None
    assert (move.gained, move.lost) == (1, 0)


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match=r"j-third:0: order: expected 'original'"):
        order_table(judged("third", "A", "A"))
    with pytest.raises(DataError, match="in order 'original' already"):
        order_table(judged(ORIGINAL, "A", "A") * 2)
    with pytest.raises(DataError, match="two different slots"):
        order_table([], slots=("A", "A"))
    with pytest.raises(RecipeError, match="move"):
        OrderLimits(move=-1)
    assert order_findings(order_table([])) == ()


def test_the_table_is_json() -> None:
    stored = json.loads(json.dumps(order_table(judged(ORIGINAL, "AB", "AB")).to_dict()))
    assert stored["judges"][0]["single"] == 2
