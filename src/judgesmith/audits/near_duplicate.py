"""Near-duplicate texts between two sets, without comparing every pair.

A text is the set of its word 3-grams. Two texts are near duplicates when the Jaccard similarity
|A & B| / |A | B| of those sets reaches a threshold. MinHash signatures (Broder 1997) cut into bands
(locality-sensitive hashing, Indyk and Motwani 1998) propose pairs; the similarity of a proposed
pair is then computed in full, so a reported pair is never a guess. A pair exactly at the threshold
is proposed with probability 1 - (1 - threshold**rows)**bands, held at 0.999 or more; more alike
pairs are found more surely. Hashing is keyed by content only: same texts, same answer, anywhere.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from judgesmith.errors import RecipeError

SHINGLE_WORDS = 3
N_HASHES = 128
MIN_RECALL = 0.999
LOWEST_THRESHOLD = 0.1
# Five standard deviations of a MinHash estimate at its widest: sqrt(0.25 / 128) = 0.044.
_ESTIMATE_SLACK = 0.22

_WORD = re.compile(r"\w+")
_GOLDEN = 0x9E3779B97F4A7C15

Hashes: TypeAlias = NDArray[np.uint64]
Indices: TypeAlias = NDArray[np.intp]


def jaccard(left: Hashes, right: Hashes) -> float:
    """Share of common members among all members of two sorted arrays without repeats.

    Two empty sets have nothing in common: 0.0.

    >>> a, b = np.array([1, 2, 3], dtype=np.uint64), np.array([2, 3, 4], dtype=np.uint64)
    >>> jaccard(a, b)
    0.5
    """
    common = int(np.intersect1d(left, right, assume_unique=True).size)
    union = int(left.size + right.size) - common
    return common / union if union else 0.0


def shingle(text: str) -> Hashes:
    """Hash every run of three words of a text: sorted, without repeats.

    Words are runs of letters, digits and underscores, with case folded. A text of fewer than
    three words has no shingle and is near to nothing. A script that puts no space between words
    yields few, long words, so there only long common runs are seen.

    >>> shingle("One two three four.").size
    2
    >>> bool(np.array_equal(shingle("A b c"), shingle("a, B c!")))
    True
    """
    words = _WORD.findall(text.casefold())
    if len(words) < SHINGLE_WORDS:
        return np.empty(0, dtype=np.uint64)
    known = {word: _hash_word(word) for word in set(words)}
    codes = np.array([known[word] for word in words], dtype=np.uint64)
    n = codes.size - SHINGLE_WORDS + 1
    mixed = _mix(codes[:n])
    for shift in range(1, SHINGLE_WORDS):
        mixed = _mix(mixed + codes[shift : shift + n])
    return np.unique(mixed)


def band_shape(threshold: float) -> tuple[int, int]:
    """Rows per band and number of bands for a threshold: as selective as the recall allows.

    Args:
        threshold: Similarity from `LOWEST_THRESHOLD` to 1.

    Returns:
        The largest number of rows, with bands = 128 // rows, whose recall at the threshold,
        1 - (1 - threshold**rows)**bands, is at least 0.999.

    Raises:
        RecipeError: If the threshold lies outside its range.

    >>> band_shape(0.8)  # 1 - (1 - 0.8**5)**25 = 0.99995; six rows would give 0.998
    (5, 25)
    """
    if not LOWEST_THRESHOLD <= threshold <= 1:
        raise RecipeError(
            f"near-duplicate threshold: expected a number from {LOWEST_THRESHOLD} to 1, found "
            f"{threshold!r}; 0.8 is usual"
        )
    for rows in range(N_HASHES, 1, -1):
        bands = N_HASHES // rows
        if 1 - (1 - threshold**rows) ** bands >= MIN_RECALL:
            return rows, bands
    return 1, N_HASHES


@dataclass(frozen=True, slots=True, eq=False)
class NearDuplicateIndex:
    """Texts that others can be looked up in. Build it with `NearDuplicateIndex.build`.

    Attributes:
        threshold: The least similarity of a near duplicate.
        shingles: One sorted hash set per text.
        signatures: Shape (texts, 128); a row of a text without shingles is never proposed.
    """

    threshold: float
    shingles: tuple[Hashes, ...]
    signatures: Hashes
    _bands: tuple[tuple[Hashes, Indices], ...]

    @classmethod
    def build(cls, texts: Sequence[str], *, threshold: float) -> "NearDuplicateIndex":
        """Index texts.

        Args:
            texts: The texts; a match names them by their place here.
            threshold: The least Jaccard similarity of a near duplicate.

        Raises:
            RecipeError: If the threshold lies outside `LOWEST_THRESHOLD` to 1.
        """
        shape = band_shape(threshold)
        shingles = tuple(shingle(text) for text in texts)
        signatures = _signatures(shingles)
        filled = np.array([i for i, s in enumerate(shingles) if s.size], dtype=np.intp)
        bands = []
        for keys in _band_keys(signatures[filled], shape):
            order = np.argsort(keys, kind="stable")
            bands.append((keys[order], filled[order]))
        return cls(threshold, shingles, signatures, tuple(bands))

    def look_up(self, texts: Sequence[str]) -> Iterator["Candidates"]:
        """For each text, in order, the indexed texts that may be near duplicates of it."""
        shingles = [shingle(text) for text in texts]
        signatures = _signatures(shingles)
        spans = []
        keys_of_bands = _band_keys(signatures, band_shape(self.threshold))
        for keys, (indexed, _) in zip(keys_of_bands, self._bands, strict=True):
            low = np.searchsorted(indexed, keys, side="left")
            spans.append((low, np.searchsorted(indexed, keys, side="right")))
        for i, own in enumerate(shingles):
            if not own.size:
                yield Candidates(np.empty(0, dtype=np.intp), lambda _: 0.0)
                continue
            hits = [
                members[low[i] : high[i]]
                for (_, members), (low, high) in zip(self._bands, spans, strict=True)
                if high[i] > low[i]
            ]
            yield self._likely(own, signatures[i], hits)

    def _likely(self, own: Hashes, signature: Hashes, hits: list[Indices]) -> "Candidates":
        found = np.unique(np.concatenate(hits)) if hits else np.empty(0, dtype=np.intp)
        estimate = (self.signatures[found] == signature).mean(axis=1)
        order = np.argsort(-estimate, kind="stable")
        keep = order[estimate[order] >= self.threshold - _ESTIMATE_SLACK]
        return Candidates(found[keep], lambda j: jaccard(own, self.shingles[j]))


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Indexed texts that may be near one text, the likeliest first, and the exact similarity."""

    indices: Indices
    similarity: Callable[[int], float]


def _hash_word(word: str) -> int:
    encoded = word.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(encoded, digest_size=8).digest(), "little")


def _mix(values: Hashes) -> Hashes:
    """Scatter 64-bit values: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    x = values + np.uint64(_GOLDEN)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _signatures(shingles: Sequence[Hashes]) -> Hashes:
    """MinHash signatures, shape (texts, N_HASHES); zeros for a text without shingles."""
    out = np.zeros((len(shingles), N_HASHES), dtype=np.uint64)
    filled = [i for i, s in enumerate(shingles) if s.size]
    if not filled:
        return out
    values = np.concatenate([shingles[i] for i in filled])
    sizes = np.array([shingles[i].size for i in filled])
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    seeds = _mix(np.arange(N_HASHES, dtype=np.uint64))
    for k in range(N_HASHES):
        out[filled, k] = np.minimum.reduceat(_mix(values ^ seeds[k]), starts)
    return out


def _band_keys(signatures: Hashes, shape: tuple[int, int]) -> Iterator[Hashes]:
    """One 64-bit key per text for each band."""
    rows, bands = shape
    for band in range(bands):
        keys = np.zeros(len(signatures), dtype=np.uint64)
        for row in range(band * rows, (band + 1) * rows):
            keys = _mix(keys ^ signatures[:, row])
        yield keys
