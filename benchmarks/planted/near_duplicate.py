"""Defect 1, planted: evaluation responses are training responses with a few words changed.

Clean: training and evaluation share questions' subjects and vocabulary, no text; the questions are
given as the same, so that only the texts can tell. Planted: one evaluation response is a copy of a
training response of 40 words with one, two or three words changed (similarity .86, .73 to .76, .58
to .67), found at a threshold of .8, .7 and .55. A reported pair is compared in full: level 0.
"""

import random

from judgesmith.audits.near_duplicate import NearDuplicateIndex

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
# strength -> (changed words, threshold)
_CHANGED = {0: (0, 0.55), 1: (3, 0.55), 2: (2, 0.70), 3: (1, 0.80)}
_WORDS = (
    "the old river turns north before it meets a city and someone named this bridge when people "
    "from many towns came over on foot to sell salt bread wool tin glass wine grain or cloth there"
)
Texts = tuple[list[str], list[str], float]


def make(seed: int, strength: int) -> Texts:
    """Training texts, evaluation texts and the threshold."""
    rng = random.Random(f"near_duplicate/{seed}/{strength}")
    train = [" ".join(rng.choices(_WORDS.split(), k=40)) for _ in range(200)]
    evaluation = [" ".join(rng.choices(_WORDS.split(), k=40)) for _ in range(60)]
    changed, threshold = _CHANGED[strength]
    if changed:
        words = rng.choice(train).split()
        for place in rng.sample(range(3, 37), changed):
            words[place] = "otherwise"
        evaluation[rng.randrange(60)] = " ".join(words)
    return train, evaluation, threshold


def detect(inputs: Texts) -> bool:
    """Whether a pair reaches the threshold."""
    train, evaluation, threshold = inputs
    index = NearDuplicateIndex.build(train, threshold=threshold)
    return any(
        near.similarity(int(j)) >= threshold
        for near in index.look_up(evaluation)
        for j in near.indices
    )
