"""Queues: representative beginnings, and a preference for hard items that biases no estimate."""

import random
from statistics import mean

import pytest

from judgesmith.review.assigning import places, standing_for


def test_an_active_queue_prefers_large_items_and_weighted_means_are_unbiased() -> None:
    """Also where one person was given the first items and left, and the next went on from there."""
    draw = random.Random(5)
    sizes = {f"i{at}": draw.choice([1.0, 4.0, 16.0]) for at in range(200)}
    wrong = {one: float(draw.random() < 0.05 + 0.02 * size) for one, size in sizes.items()}
    plain, weighted, large = [], [], []
    for seed in range(600):
        drawn = places([(one, "all", size) for one, size in sizes.items()], "active", seed)
        order = [one for _, one in sorted(zip(drawn, sizes, strict=True))]
        sample = order[:5] + order[50:150]
        weights = standing_for(sizes, sample)
        plain.append(mean(wrong[one] for one in order[:50]))
        weighted.append(sum(weights[one] * wrong[one] for one in sample) / 200)
        assert sum(weights.values()) == pytest.approx(200)
        large.append(mean(sizes[one] for one in order[:50]))
    truth = mean(wrong.values())
    error = (sum((one - mean(weighted)) ** 2 for one in weighted) / 600) ** 0.5 / 600**0.5
    assert abs(mean(weighted) - truth) < 4 * error
    assert mean(plain) > truth + 0.06  # what an unweighted reader would believe
    assert mean(large) > 1.5 * mean(sizes.values())


def test_places_depend_on_ids_and_not_on_order() -> None:
    ids = [(f"i{at}", f"s{at % 2}", 1.0) for at in range(20)]
    turned = places(ids[::-1], "stratified", 3)[::-1]
    assert places(ids, "stratified", 3) == turned
    assert places(ids, "stratified", 4) != turned
