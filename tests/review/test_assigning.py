"""Queues: representative beginnings, and a preference for hard items that biases no estimate."""

import random
from statistics import mean

from judgesmith.review.assigning import inclusion, places


def test_an_active_queue_prefers_large_items_and_weighted_sums_are_unbiased() -> None:
    draw = random.Random(5)
    sizes = [draw.choice([1.0, 4.0, 16.0]) for _ in range(200)]
    wrong = [float(draw.random() < 0.05 + 0.02 * size) for size in sizes]
    ids = [(f"i{at}", "all", size) for at, size in enumerate(sizes)]
    plain, weighted, large = [], [], []
    for seed in range(600):
        order = sorted(zip(places(ids, "active", seed), range(200), strict=True))
        sample, threshold = [at for _, at in order[:50]], order[50][0]
        plain.append(mean(wrong[at] for at in sample))
        weighted.append(sum(wrong[at] / inclusion(sizes[at], threshold) for at in sample) / 200)
        large.append(mean(sizes[at] for at in sample))
    truth = mean(wrong)
    error = (sum((one - mean(weighted)) ** 2 for one in weighted) / 600) ** 0.5 / 600**0.5
    assert abs(mean(weighted) - truth) < 4 * error
    assert mean(plain) > truth + 0.06  # what an unweighted reader would believe
    assert mean(large) > 1.5 * mean(sizes)


def test_a_sample_of_everything_weighs_every_item_once() -> None:
    assert inclusion(0.01, None) == 1.0


def test_places_depend_on_ids_and_not_on_order() -> None:
    ids = [(f"i{at}", f"s{at % 2}", 1.0) for at in range(20)]
    turned = places(ids[::-1], "stratified", 3)[::-1]
    assert places(ids, "stratified", 3) == turned
    assert places(ids, "stratified", 4) != turned
