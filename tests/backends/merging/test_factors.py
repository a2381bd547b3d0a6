"""Deltas as factors against the same deltas as full matrices, over many random ones."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.backends.merging import Linear, NuSlerp, TaskArithmetic
from judgesmith.backends.merging.diagnostics import SignCount, cosines, factor_signs
from judgesmith.backends.merging.factors import (
    Factors,
    combine,
    compress,
    inner,
    inner_products,
    truncate,
)
from judgesmith.backends.merging.weighing import coefficients

BY = ("tensor", "row", "column")
seeds = st.integers(0, 2**31)


def drawn(seed: int, rank: int, shape: tuple[int, int] = (7, 5)) -> Factors:
    draw = torch.Generator().manual_seed(seed)
    b = torch.randn(shape[0], rank, generator=draw, dtype=torch.float64)
    a = torch.randn(rank, shape[1], generator=draw, dtype=torch.float64)
    return Factors(b, a)


def full(delta: Factors) -> Any:
    return delta.b @ delta.a


def merged(method: Any, *deltas: Factors) -> Any:
    by = getattr(method, "granularity", "tensor")
    return full(combine(deltas, coefficients(method, inner_products(deltas, by)), by))


@settings(deadline=None)
@given(seed=seeds, ranks=st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_inner_products_equal_those_of_the_full_matrices(seed: int, ranks: tuple[int, int]) -> None:
    x, y = drawn(seed, ranks[0]), drawn(seed + 1, ranks[1])
    product = full(x) * full(y)
    assert torch.allclose(inner(x, y), product.sum())
    assert torch.allclose(inner(x, y, "row"), product.sum(1))
    assert torch.allclose(inner(x, y, "column"), product.sum(0))


@settings(deadline=None)
@given(seed=seeds, t=st.floats(0, 1), by=st.sampled_from(BY))
def test_nuslerp_is_the_arc_of_each_vector(seed: int, t: float, by: Any) -> None:
    """Against the formula on full matrices in numpy, vector by vector."""
    x, y = drawn(seed, 2), drawn(seed + 1, 3)
    found = merged(NuSlerp(weights=(1 - t, t), granularity=by), x, y).numpy()
    u, v = full(x).numpy(), full(y).numpy()
    groups = {"tensor": [...], "row": [(i,) for i in range(7)],
              "column": [(slice(None), j) for j in range(5)]}[by]  # fmt: skip
    for at in groups:
        one, other = u[at].ravel(), v[at].ravel()
        angle = np.arccos(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
        expected = np.sin((1 - t) * angle) * one + np.sin(t * angle) * other
        assert np.allclose(found[at].ravel() * np.sin(angle), expected, atol=1e-8)


@settings(deadline=None)
@given(seed=seeds, by=st.sampled_from(BY))
def test_all_weight_on_one_gives_that_one(seed: int, by: Any) -> None:
    x, y = drawn(seed, 2), drawn(seed + 1, 3)
    for method in (NuSlerp(weights=(1, 0), granularity=by), Linear(weights=(1, 0))):
        assert torch.allclose(merged(method, x, y), full(x))


@settings(deadline=None)
@given(seed=seeds, t=st.floats(0, 1), by=st.sampled_from(BY))
def test_equal_inputs_give_themselves(seed: int, t: float, by: Any) -> None:
    x = drawn(seed, 3)
    assert torch.allclose(merged(NuSlerp(weights=(1 - t, t), granularity=by), x, x), full(x))


@settings(deadline=None)
@given(seed=seeds, t=st.floats(0, 1), by=st.sampled_from(BY))
def test_the_order_of_inputs_with_their_weights_has_no_influence(
    seed: int, t: float, by: Any
) -> None:
    x, y = drawn(seed, 2), drawn(seed + 1, 3)
    forth = merged(NuSlerp(weights=(1 - t, t), granularity=by), x, y)
    back = merged(NuSlerp(weights=(t, 1 - t), granularity=by), y, x)
    assert torch.allclose(forth, back)


@settings(deadline=None)
@given(seed=seeds, t=st.floats(0.1, 0.9), scale=st.floats(0.1, 10))
def test_only_the_ratio_of_the_weights_counts_and_lengths_scale(
    seed: int, t: float, scale: float
) -> None:
    x, y = drawn(seed, 2), drawn(seed + 1, 3)
    once = merged(NuSlerp(weights=(1 - t, t)), x, y)
    assert torch.allclose(merged(NuSlerp(weights=(scale - scale * t, scale * t)), x, y), once)
    longer = [Factors(one.b * scale, one.a) for one in (x, y)]
    assert torch.allclose(merged(NuSlerp(weights=(1 - t, t)), *longer), once * scale)


def test_opposed_deltas_meet_in_the_middle_and_do_not_blow_up() -> None:
    x = drawn(3, 2)
    opposed = Factors(-x.b, x.a)
    found = merged(NuSlerp(weights=(1, 1)), x, opposed)
    assert torch.allclose(found, torch.zeros_like(found), atol=1e-12)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (NuSlerp(weights=(1, 3)), 1.0),
        (NuSlerp(weights=(1, 1), missing="zero"), 0.5**0.5),
        (Linear(weights=(0.25, 0.75)), 1.0),
        (Linear(weights=(0.25, 0.75), missing="zero"), 0.25),
        (TaskArithmetic(weights=(0.25, 0.75), scale=2), 0.5),
    ],
)
def test_what_a_lone_delta_is_taken_with(method: Any, expected: float) -> None:
    """sin(pi/4) = 0.707 at equal weights where the zero delta counts as a right angle."""
    x, none = drawn(1, 2), Factors(torch.zeros(7, 1).double(), torch.zeros(1, 5).double())
    assert torch.allclose(merged(method, x, none), full(x) * expected)
    assert torch.equal(merged(method, none, none), torch.zeros(7, 5).double())


@settings(deadline=None)
@given(seed=seeds, ranks=st.lists(st.integers(1, 4), min_size=2, max_size=4))
def test_ranks_add_up_and_no_more(seed: int, ranks: list[int]) -> None:
    deltas = [drawn(seed + i, rank) for i, rank in enumerate(ranks)]
    method = TaskArithmetic(weights=tuple(range(1, len(ranks) + 1)), scale=0.5)
    found = combine(deltas, coefficients(method, inner_products(deltas)), "tensor")
    assert found.rank == sum(ranks)
    expected = sum(0.5 * (i + 1) * full(delta) for i, delta in enumerate(deltas))
    assert torch.allclose(full(found), expected)


@settings(deadline=None)
@given(seed=seeds, rank=st.integers(1, 8))
def test_recompression_loses_what_it_says_and_no_delta_is_nearer(seed: int, rank: int) -> None:
    """Against numpy's SVD of the full matrix: the norm of the dropped singular values."""
    delta = drawn(seed, 8, (20, 15))
    cut = truncate(delta, rank)
    sigma = np.linalg.svd(full(delta).numpy(), compute_uv=False)
    lost = float(torch.linalg.norm(full(delta) - full(cut.factors)))
    assert cut.factors.rank == min(rank, 8)
    assert lost == pytest.approx(np.sqrt((sigma[rank:] ** 2).sum()), abs=1e-9)
    assert cut.error == pytest.approx(lost / np.linalg.norm(sigma), abs=1e-9)


@settings(deadline=None, max_examples=10)
@given(seed=seeds)
def test_a_large_matrix_is_compressed_nearly_as_well_as_can_be(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    dense = torch.randn(620, 40, generator=draw) @ torch.randn(40, 600, generator=draw)
    dense += 0.05 * torch.randn(620, 600, generator=draw)
    cut = compress(dense, 32, seed=1)
    best = torch.linalg.svdvals(dense.double())[32:].norm() / dense.double().norm()
    lost = (dense.double() - full(cut.factors)).norm() / dense.double().norm()
    assert cut.error == pytest.approx(float(lost), rel=1e-4)
    assert float(best) <= cut.error + 2e-6
    assert cut.error <= float(best) * 1.01
    assert torch.equal(compress(dense, 32, seed=1).factors.b, cut.factors.b)


def test_signs_are_counted_in_sampled_rows_or_in_all() -> None:
    deltas = [drawn(1, 3, (400, 50)), drawn(2, 2, (400, 50))]
    every, some = factor_signs(deltas, all_rows=True), factor_signs(deltas, all_rows=False)
    differ = (full(deltas[0]) * full(deltas[1]) < 0).double().mean()
    assert (every.rows, some.rows) == (400, 64)
    assert every.share == pytest.approx(float(differ), abs=1e-4)
    assert some.share == pytest.approx(float(differ), abs=0.05)


def test_signs_of_three_inputs() -> None:
    count = SignCount()
    count.add([torch.tensor([[1.0, 0.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, -1.0, 0.0]]),
               torch.tensor([[-1.0, 2.0, 0.0, 0.0]])])  # fmt: skip
    assert (count.differing, count.compared) == (2, 2)


def test_cosines_of_three_inputs_come_in_pairs() -> None:
    found = cosines([[1.0, 0.5, 0.0], [0.5, 1.0, -1.0], [0.0, -1.0, 4.0]])
    assert found == (0.5, 0.0, -0.5)
