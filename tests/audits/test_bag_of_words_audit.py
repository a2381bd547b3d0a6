import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from judgesmith.audits.bag_of_words import BagTable, bag_findings, bag_table, word_list
from judgesmith.audits.finding import Severity
from judgesmith.audits.separability import ContrastRow, separability_findings, separability_table
from judgesmith.audits.surface_probe import fold_of
from judgesmith.errors import RecipeError
from judgesmith.metrics.result import Estimate


def noise(n: int, *, seed: int = 1, tilt: float = 0.0, words: int = 20) -> list[ContrastRow]:
    """Pairs of texts; each of `words` words stands in half of them, oftener in chosen by `tilt`."""
    rng = random.Random(seed)

    def text(share: float) -> str:
        return " ".join(f"w{i}" for i in range(words) if rng.random() < share)

    return [ContrastRow(f"g{i}", text(0.5 + tilt), text(0.5 - tilt), f"r:{i}") for i in range(n)]


def severities(rows: list[ContrastRow]) -> list[Severity]:
    return [found.severity for found in bag_findings(bag_table(rows))]


def test_counts_by_hand() -> None:
    rows = [ContrastRow(f"g{i}", "yes yes no", "no no", "r") for i in range(10)]
    table = bag_table(rows)
    assert (table.rows, table.groups, table.words) == (10, 10, 2)
    assert [(use.word, use.chosen, use.rejected) for use in table.strongest] == [
        ("yes", 20, 0), ("no", 10, 20),
    ]  # fmt: skip
    assert (table.alone.value, table.paired.value, table.alone.n) == (1.0, 1.0, 10)


def test_rows_of_a_group_count_as_one_at_the_least() -> None:
    """10 groups of 4 rows: (4 * 10)^2 / (10 * 4^2) = 10 independent rows, so Wilson's for 10 of 10:
    10 / (10 + 1.96^2) = .7225. With one group of 22 and 9 of 2, 1600 / (484 + 36) = 3."""
    told = [ContrastRow(f"g{i % 10}", "yes", "no", "r") for i in range(40)]
    found = bag_table(told).alone
    assert (found.value, found.n, found.clusters) == (1.0, 40, 10)
    assert found.low == pytest.approx(0.7225, abs=1e-4)
    uneven = [ContrastRow("g0", "yes", "no", "r") for _ in range(22)]
    uneven += [ContrastRow(f"g{i % 9 + 1}", "yes", "no", "r") for i in range(18)]
    assert bag_table(uneven).paired.method == "Wilson's for 3 rows, cross-fitted"


def test_many_weak_words_are_caught_where_one_keyword_is_not() -> None:
    """Twenty words, each in 60% of chosen and 40% of rejected texts: the best keyword is right in
    60%, all together in about 1 - Phi(-20 * .2 / sqrt(20 * 2 * .24)) = 90% of pairs."""
    rows = noise(400, tilt=0.1)
    assert separability_findings(separability_table(rows)) == ()
    table = bag_table(rows)
    assert table.paired.value == pytest.approx(0.9, abs=0.05)
    assert severities(rows) == [Severity.ERROR]


def test_length_alone_is_caught() -> None:
    """No word is telling; a rejected text just has more of the same."""
    rng = random.Random(3)

    def text(length: int) -> str:
        return " ".join(f"w{rng.randrange(8)}" for _ in range(length))

    rows = [ContrastRow(f"g{i}", text(12), text(24), "r") for i in range(200)]
    assert severities(rows) == [Severity.ERROR]


def test_alike_sides_pass_and_few_rows_are_not_enough() -> None:
    assert severities(noise(1000, words=4)) == []
    assert severities(noise(30)) == [Severity.WARNING]
    assert severities([]) == severities(noise(1)) == [Severity.WARNING]
    assert "not enough evidence" in bag_findings(bag_table(noise(30)))[0].message


def test_few_rows_that_tell_are_an_error_all_the_same() -> None:
    rows = [ContrastRow(f"g{i}", "it is biased", "it is better", "r") for i in range(20)]
    assert severities(rows) == [Severity.ERROR]
    assert "'better' (0 chosen, 20 rejected)" in bag_findings(bag_table(rows))[0].message


def test_false_alarms_are_as_rare_as_stated() -> None:
    """4% of alike sets: of 12, over three in 0.1%."""
    sets = [noise(120, seed=seed, words=6) for seed in range(12)]
    assert sum(severities(rows) == [Severity.ERROR] for rows in sets) <= 3


def test_words_that_change_sides_in_matched_pairs_tell_nothing() -> None:
    """Every text is once chosen and once rejected: whatever the words, both are at chance."""
    texts = [f"it is {word}" for word in ("fair", "wrong", "biased")]
    rows = [
        ContrastRow(f"g{i}", texts[i % 3], texts[(i + 1 + i // 3 % 2) % 3], "r") for i in range(600)
    ]
    table = bag_table(rows)
    assert table.alone.high is not None
    assert table.alone.high <= 0.6
    assert severities(rows) == []


def test_the_probe_is_the_logistic_regression_of_another_library() -> None:
    """Same folds, same features (counts, and whether a word stands at all, and a constant)."""
    rows = noise(150, tilt=0.06)
    ordered = sorted(rows, key=lambda row: (row.group, row.chosen, row.rejected))
    texts = [text for row in ordered for text in (row.chosen or "", row.rejected or "")]
    counts = CountVectorizer(token_pattern=r"\w+").fit_transform(texts).toarray()
    features = np.hstack([counts, counts > 0, np.ones((len(texts), 1))])
    sides = np.tile([1, 0], len(rows))
    folds = np.repeat(fold_of([row.group for row in ordered], 0), 2)
    told = np.zeros(len(texts), dtype=bool)
    for fold in range(5):
        seen = folds != fold
        probe = LogisticRegression(fit_intercept=False, tol=1e-9, max_iter=2000)
        probe.fit(features[seen], sides[seen])
        told[~seen] = probe.predict(features[~seen]) == sides[~seen]
    assert bag_table(rows).alone.value == pytest.approx(told.mean(), abs=0.007)


@given(st.randoms(use_true_random=False))
@settings(max_examples=4, deadline=None)
def test_the_order_of_rows_does_not_matter(rng: random.Random) -> None:
    rows = noise(40, tilt=0.1, words=6) + noise(40, seed=2, words=6)
    before = bag_table(rows)
    rng.shuffle(rows)
    assert bag_table(rows) == before
    assert json.loads(json.dumps(before.to_dict()))["groups"] == 40


def test_a_word_is_letters_and_digits_in_any_case() -> None:
    assert word_list("It's FAIR_play, 2!") == ["it", "s", "fair", "play", "2"]


def test_a_ceiling_out_of_range_is_refused() -> None:
    table = BagTable(0, 0, 0, Estimate.missing("none", 0), Estimate.missing("none", 0), ())
    for ceiling in (0.5, 1.1):
        with pytest.raises(RecipeError, match="ceiling"):
            bag_findings(table, ceiling=ceiling)
