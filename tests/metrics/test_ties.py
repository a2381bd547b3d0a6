import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import accuracy
from judgesmith.metrics.ties import accuracy_with_ties

verdict = st.sampled_from(["A", "B", "TIE"])
rows = st.lists(st.tuples(verdict, verdict), min_size=1, max_size=40)
Pairs = list[tuple[str, str]]
RULES = ("wrong", "half", "dropped")


@settings(deadline=None)
@given(rows)
def test_the_three_rules_row_by_row(pairs: Pairs) -> None:
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    right = sum(a == b for a, b in pairs)
    one_sided = sum((a == "TIE") != (b == "TIE") for a, b in pairs)
    decided = [(a, b) for a, b in pairs if "TIE" not in (a, b)]
    found = {rule: accuracy_with_ties(x, y, ties=rule) for rule in RULES}
    assert found["wrong"] == accuracy(x, y)
    assert found["half"].value == pytest.approx((right + one_sided / 2) / len(pairs), abs=1e-12)
    assert found["half"].n == len(pairs)
    if decided:
        assert found["dropped"].value == sum(a == b for a, b in decided) / len(decided)
    else:
        assert found["dropped"].undefined == "every row has a tie on one side at least"
    assert found["dropped"].n == len(decided)
    for rule in RULES:
        assert accuracy_with_ties(y, x, ties=rule) == found[rule]
        assert accuracy_with_ties(x[::-1], y[::-1], ties=rule) == found[rule]
        assert accuracy_with_ties(x * 2, y * 2, ties=rule).value == found[rule].value


def test_a_judge_that_always_ties_earns_half_of_decided_labels() -> None:
    found = [accuracy_with_ties(["TIE"] * 4, list("ABBA"), ties=rule).value for rule in RULES]
    assert found == [0.0, 0.5, None]


def test_a_tie_may_have_any_name() -> None:
    assert float(accuracy_with_ties([1, 0, 2], [1, 2, 1], ties="half", tie=0)) == 0.5
    assert accuracy_with_ties([1, 0, 2], [1, 2, 1], ties="dropped", tie=0).n == 2


@pytest.mark.parametrize("rule", RULES)
def test_degenerate_and_bad_input(rule: str) -> None:
    assert accuracy_with_ties([], [], ties=rule).undefined == "there are no rows"
    assert float(accuracy_with_ties(["A"], ["A"], ties=rule)) == 1.0
    with pytest.raises(DataError, match=r"x\[1\] is None"):
        accuracy_with_ties(["A", None], ["A", "B"], ties=rule)
    with pytest.raises(DataError, match=r"y\[0\] is nan"):
        accuracy_with_ties(["A"], [float("nan")], ties=rule)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(DataError, match=r"ties: expected one of .* found 'skip'"):
        accuracy_with_ties([], [], ties="skip")
