import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics import (
    order_effects,
    paired_bootstrap_rate_difference,
    swap_verdict,
    verbosity_preference,
)
from judgesmith.metrics.probes import (
    Probe,
    consistency_probe,
    longer_probe,
    position_bias_probe,
    probe_difference,
)

verdict = st.sampled_from(["A", "B", "TIE", None])
lengths = st.tuples(st.integers(0, 3), st.integers(0, 3))
rows_of = st.lists(st.tuples(verdict, verdict, lengths, st.integers(0, 5)), max_size=30)
Rows = list[tuple[str | None, str | None, tuple[int, int], int]]


def value(probe: Probe) -> float | None:
    return sum(probe.above) / sum(probe.below) if sum(probe.below) else None


def test_only_common_items_count() -> None:
    """Common items 0 and 1: the first names the longer in 2 of 2, the second in 1 of 2."""
    pairs = [(2, 1), (2, 1), (2, 1), (2, 1)]
    found = probe_difference(
        longer_probe(["A", "A", "TIE", "B"], pairs), longer_probe(["A", "B", "A", None], pairs),
        "wxyz", seed=1, resamples=200,
    )  # fmt: skip
    assert (float(found.first), float(found.second), found.value) == (1.0, 0.5, 0.5)
    assert (found.items, found.left_out, found.difference.n) == (2, 2, 2)


def test_a_full_consistency_probe_is_a_paired_difference_of_rates() -> None:
    """Consistent in rows 1, 3, 4 against 1, 2: 3/4 - 2/4, with the interval of the plain pair."""
    found = probe_difference(
        consistency_probe("ABAB", "AAAB"), consistency_probe("ABAB", "ABBA"), "wxyz",
        seed=3, resamples=400,
    )  # fmt: skip
    plain = paired_bootstrap_rate_difference(
        [True, False, True, True], [True, True, False, False], "wxyz", seed=3, resamples=400
    )
    assert found.value == float(plain) == 0.25
    assert found.difference.clusters == 4


def test_no_common_item_has_a_reason() -> None:
    found = probe_difference(Probe([1, 0], [1, 0]), Probe([0, 1], [0, 1]), "xy", seed=1)
    assert found.first.undefined == "no item counts for both judges"
    assert found.value is None
    assert (found.items, found.left_out) == (0, 2)


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match=r"second\.below"):
        probe_difference(Probe([1], [1]), Probe([1], [-1]), "x", seed=1)
    with pytest.raises(DataError, match="one length"):
        probe_difference(Probe([1], [1]), Probe([1, 1], [1, 1]), "x", seed=1)
    with pytest.raises(DataError, match="different labels"):
        longer_probe(["A"], [(1, 2)], slots=("A", "A"))


@settings(deadline=None)
@given(rows_of)
def test_probes_are_the_metrics_of_the_other_modules(rows: Rows) -> None:
    first, second = [r[0] for r in rows], [r[1] for r in rows]
    pairs, groups = [r[2] for r in rows], [r[3] for r in rows]
    effects = order_effects(first, second, groups, seed=1, resamples=10)
    assert value(consistency_probe(first, second)) == effects.consistency.value
    assert value(position_bias_probe(first, second)) == effects.position_bias.value
    preference = verbosity_preference(first, ["A"] * len(rows), pairs, groups, seed=1, resamples=10)
    assert value(longer_probe(first, pairs)) == preference.judge.value


@settings(deadline=None)
@given(rows_of, st.randoms(use_true_random=False))
def test_exchanging_judges_turns_the_sign_and_slots_do_not_matter(
    rows: Rows, random: object
) -> None:
    def difference(given: Rows, reverse: bool = False) -> tuple[float | None, int]:
        pairs = [r[2] for r in given]
        probes = [longer_probe([r[i] for r in given], pairs) for i in (0, 1)]  # type: ignore[misc]
        if reverse:
            probes.reverse()
        found = probe_difference(*probes, [r[3] for r in given], seed=1, resamples=20)
        return found.value, found.items

    other = [(swap_verdict(a), swap_verdict(b), (m, k), c) for a, b, (k, m), c in rows]
    random.shuffle(other)  # type: ignore[attr-defined]
    one, back = difference(rows), difference(rows, reverse=True)
    assert difference(other) == one  # type: ignore[arg-type]
    assert one[1] == back[1]
    if one[0] is not None:
        assert one[0] == pytest.approx(-back[0])  # type: ignore[operator]
