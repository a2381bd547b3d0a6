"""TIES and DARE on full deltas, and masks that depend on nothing but what they are keyed by."""

from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.backends.merging import DareLinear, DareTies, Ties
from judgesmith.backends.merging.entries import drop, elect, merge_entries, trim
from judgesmith.backends.merging.masks import keep_mask

seeds = st.integers(0, 2**31)


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_ties_by_hand() -> None:
    """Of four entries two are kept: (3, -2, 0, 0) and (-1, 0, 0, 4); the first is elected plus."""
    deltas = [torch.tensor([3.0, -2.0, 1.0, 0.5]), torch.tensor([-1.0, 0.5, 0.0, 4.0])]
    merged, kept = merge_entries(deltas, Ties(weights=(1, 1), density=0.5), "x", 0)
    assert merged.tolist() == [3.0, -2.0, 0.0, 4.0]
    assert kept == (0.5, 0.5)


def test_signs_that_cancel_out_count_as_plus() -> None:
    found = elect([torch.tensor([2.0]), torch.tensor([-2.0])], (1.0, 1.0), normalize=True)
    assert found.tolist() == [2.0]


def test_equal_magnitudes_at_the_limit_are_cut_to_the_exact_count() -> None:
    assert trim(torch.tensor([1.0, -1.0, 1.0, 1.0, -5.0]), 0.6).tolist() == [1, -1, 0, 0, -5]


@settings(deadline=None)
@given(seed=seeds, density=st.floats(0.01, 1))
def test_trimming_keeps_the_largest(seed: int, density: float) -> None:
    delta = drawn(seed, 9, 7)
    kept = trim(delta.clone(), density)
    count = max(1, int(density * 63))
    assert int((kept != 0).sum()) == count
    assert torch.equal(kept[kept != 0], delta[kept != 0])
    assert count == 63 or delta[kept == 0].abs().max() <= kept[kept != 0].abs().min()


@settings(deadline=None)
@given(seed=seeds)
def test_one_input_and_full_density_is_the_input(seed: int) -> None:
    delta = drawn(seed, 5, 4)
    zero = torch.zeros(5, 4)
    for method in (
        Ties(weights=(1, 1), density=1),
        DareTies(weights=(1, 1), density=1),
        DareLinear(weights=(1, 1), density=1, rescale="norm"),
    ):
        merged, _ = merge_entries([delta.clone(), zero.clone()], method, "x", 0)
        assert torch.allclose(merged, delta)


@settings(deadline=None)
@given(seed=seeds, weights=st.tuples(*[st.floats(0.1, 2)] * 3))
def test_the_order_of_inputs_does_not_change_ties(
    seed: int, weights: tuple[float, float, float]
) -> None:
    deltas = [drawn(seed + i, 6, 5) for i in range(3)]
    results = []
    for order in permutations(range(3)):
        method = Ties(weights=tuple(weights[i] for i in order), density=0.4)
        results.append(merge_entries([deltas[i].clone() for i in order], method, "x", 0)[0])
    for other in results[1:]:
        assert torch.allclose(results[0], other, atol=1e-6)


@settings(deadline=None)
@given(seed=seeds, names=st.permutations(["a.weight", "b.weight", "c.weight"]))
def test_masks_are_the_same_in_any_order_of_tensors(seed: int, names: list[str]) -> None:
    masks = {name: keep_mask((11, 3), 0.5, seed, (0, name)) for name in names}
    for name in sorted(names):
        assert torch.equal(masks[name], keep_mask((11, 3), 0.5, seed, (0, name)))
    assert not torch.equal(masks["a.weight"], masks["b.weight"])
    assert not torch.equal(masks["a.weight"], keep_mask((11, 3), 0.5, seed, (1, "a.weight")))
    assert not torch.equal(masks["a.weight"], keep_mask((11, 3), 0.5, seed + 1, (0, "a.weight")))


def test_masks_never_change_between_versions() -> None:
    """Pinned: a merge must give the same judge next year."""
    mask = keep_mask((16,), 0.5, 0, (0, "layers.0.weight"))
    assert "".join("x" if kept else "." for kept in mask.tolist()) == "xx..x.xx.x.x...."


@pytest.mark.parametrize("density", [0.1, 0.5, 0.9])
def test_masks_keep_their_share_across_blocks(density: float) -> None:
    """1.5 million draws: three standard deviations are 0.0013; both blocks behave alike."""
    mask = keep_mask((3, 1 << 19), density, 4, (0, "x")).double()
    assert float(mask.mean()) == pytest.approx(density, abs=0.0013)
    assert float(mask[2].mean()) == pytest.approx(density, abs=0.0025)
    assert float((mask[0] * mask[2]).mean()) == pytest.approx(density**2, abs=0.003)


def test_a_mask_does_not_depend_on_the_shape_that_its_entries_lie_in() -> None:
    flat = keep_mask((60,), 0.3, 1, (0, "x"))
    assert torch.equal(flat.reshape(12, 5), keep_mask((12, 5), 0.3, 1, (0, "x")))


def test_the_three_ways_to_make_up_for_what_is_dropped() -> None:
    """Of (1, 2, -3, 2) the first and third are kept: sums of magnitudes are 8 and 4."""
    delta, mask = torch.tensor([1.0, 2.0, -3.0, 2.0]), torch.tensor([True, False, True, False])
    assert drop(delta.clone(), mask, 0.4, "none").tolist() == [1, 0, -3, 0]
    assert drop(delta.clone(), mask, 0.4, "norm").tolist() == [2, 0, -6, 0]
    assert drop(delta.clone(), mask, 0.4, "inverse_density").tolist() == [2.5, 0, -7.5, 0]


def test_dropping_everything_gives_zero_and_no_nan() -> None:
    none = torch.zeros(4, dtype=torch.bool)
    assert drop(torch.ones(4), none, 0.1, "norm").tolist() == [0, 0, 0, 0]


def test_dare_keeps_the_delta_in_expectation() -> None:
    """Mean over 400 seeds of entries of 1 with density 0.5: standard error 1 / sqrt(400 * 1000)."""
    method = DareLinear(weights=(0.5, 0.5), density=0.5)
    ones = [merge_entries([torch.ones(1000), torch.ones(1000)], method, "x", seed)[0].mean()
            for seed in range(400)]  # fmt: skip
    assert float(torch.stack(ones).mean()) == pytest.approx(1.0, abs=0.005)
