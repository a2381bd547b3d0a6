import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.audits.near_duplicate import (
    NearDuplicateIndex,
    band_shape,
    jaccard,
    shingle,
)
from judgesmith.errors import RecipeError

WORDS = ["the", "nurse", "was", "late", "and", "so", "answer", "is", "b"]
texts = st.lists(st.sampled_from(WORDS), min_size=0, max_size=14).map(" ".join)


def word_triples(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}


def true_similarity(left: str, right: str) -> float:
    a, b = word_triples(left), word_triples(right)
    return len(a & b) / len(a | b) if a | b else 0.0


def pairs_found(known: list[str], asked: list[str], threshold: float) -> set[tuple[int, int]]:
    index = NearDuplicateIndex.build(known, threshold=threshold)
    return {
        (i, int(j))
        for i, near in enumerate(index.look_up(asked))
        for j in near.indices
        if near.similarity(j) >= threshold
    }


@given(texts, texts)
def test_similarity_of_hashed_shingles_is_that_of_the_word_triples(left: str, right: str) -> None:
    assert jaccard(shingle(left), shingle(right)) == true_similarity(left, right)


def test_similarity_by_hand() -> None:
    """Nine words give triples 1..7. Changing the last word changes triple 7 only.

    6 common, 8 in all: 0.75.
    """
    left = "one two three four five six seven eight nine"
    right = "one two three four five six seven eight ten"
    assert jaccard(shingle(left), shingle(right)) == 0.75


def test_case_and_punctuation_do_not_count_but_order_does() -> None:
    assert np.array_equal(shingle("The nurse, he was late!"), shingle("the NURSE he was late"))
    assert not np.intersect1d(shingle("a b c"), shingle("c b a")).size


@settings(max_examples=60)
@given(st.lists(texts, max_size=8), st.lists(texts, max_size=8), st.sampled_from([0.3, 0.6, 1.0]))
def test_no_pair_is_invented_and_identical_ones_are_always_found(
    known: list[str], asked: list[str], threshold: float
) -> None:
    found = pairs_found(known, asked, threshold)
    true = {(i, j): true_similarity(a, b) for i, a in enumerate(asked) for j, b in enumerate(known)}
    assert all(true[pair] >= threshold for pair in found)
    assert {pair for pair, similarity in true.items() if similarity == 1.0} <= found


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_edited_texts_are_found_as_a_full_comparison_finds_them(threshold: float) -> None:
    """200 texts of 30 words, each asked for again with 0 to 5 words replaced by new ones."""
    rng = np.random.default_rng(7)
    known = [" ".join(f"w{n}" for n in rng.integers(0, 400, size=30)) for _ in range(200)]
    asked = []
    for i, text in enumerate(known):
        words = text.split()
        for place in rng.choice(30, size=i % 6, replace=False):
            words[place] = f"new{i}"
        asked.append(" ".join(words))
    expected = {
        (i, j)
        for i, a in enumerate(asked)
        for j, b in enumerate(known)
        if true_similarity(a, b) >= threshold
    }
    assert len(expected) > 30
    assert pairs_found(known, asked, threshold) == expected


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_keep_the_promised_recall_and_could_not_be_more_selective(threshold: float) -> None:
    rows, bands = band_shape(threshold)
    assert rows * bands <= 128
    assert 1 - (1 - threshold**rows) ** bands >= 0.999
    if rows < 128:
        assert 1 - (1 - threshold ** (rows + 1)) ** (128 // (rows + 1)) < 0.999


@pytest.mark.parametrize("threshold", [0.0, 0.09, 1.01, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(RecipeError, match=r"0\.1 to 1"):
        band_shape(threshold)


def test_texts_without_shingles_are_near_to_nothing() -> None:
    assert pairs_found(["", "a b", "!!! ??? ..."], ["", "a b", "!!! ??? ..."], 0.1) == set()
    assert pairs_found([], ["one two three"], 0.8) == set()
    assert pairs_found(["one two three"], [], 0.8) == set()


def test_a_response_of_a_megabyte_and_a_lone_surrogate_are_taken() -> None:
    long = "word and other words " * 50_000
    assert pairs_found([long, "bad \ud800 text here now"], [long, "bad \ud800 text here now"], 0.8)


def test_hashes_do_not_depend_on_the_hash_seed_of_python() -> None:
    code = (
        "from judgesmith.audits.near_duplicate import NearDuplicateIndex as I;"
        "print(I.build(['the nurse was late so'], threshold=0.8).signatures.sum())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(outputs) == 1
