"""What the frozen student gives to every reply: computed once, before training, and kept."""

import gc
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from judgesmith.backends.loading import load
from judgesmith.backends.pairs import Pair, PairScore, score_pairs
from judgesmith.backends.student import load_student
from judgesmith.backends.weights import Quantize
from judgesmith.errors import TrainingError
from judgesmith.records import content_id
from judgesmith.runs.jsonl import write_bytes


class Opening(NamedTuple):
    """How a student is opened, the one that is trained and the one that it is held to alike.

    An adapter stays beside its base, which is stored in four bits with `quantize`: merged into it,
    or over another base, it would give other numbers. Else all weights are float32 where
    `all_weights` are trained: the steps of preference training are far smaller than what bfloat16
    can add to a weight.
    """

    path: str
    quantize: Quantize | None = None
    all_weights: bool = True

    def load(self) -> tuple[Any, Any]:
        """Model and tokenizer."""
        model, tokenizer = load_student(self.path, quantize=self.quantize, trainable=True)
        return (model.float() if self.all_weights else model), tokenizer


def reference_scores(
    opening: Opening, sets: Mapping[str, Sequence[Pair]], *, batch: int, store: Path
) -> dict[str, list[PairScore]]:
    """Scores of every set of pairs, by name, from the student as it is on disk.

    They are kept in `store` and read from there when training goes on after a kill.
    """
    path = opening.path
    pairs_of = {name: [pair[1:] for pair in pairs] for name, pairs in sets.items()}
    of = content_id(path, opening.quantize, pairs_of)
    kept = orjson.loads(store.read_bytes()) if store.exists() else {}
    if kept.get("of") == of:
        return {name: [PairScore(*score) for score in kept["scores"][name]] for name in sets}
    model, _ = opening.load()
    scores = {name: _score_each_once(model, pairs, batch) for name, pairs in sets.items()}
    del model
    gc.collect()
    load("torch").cuda.empty_cache()
    for score in (score for name in sets for score in scores[name]):
        if not math.isfinite(score.gap):
            raise TrainingError(
                f"dpo: {path} gives a reply a log-probability that is not finite ({score}); it "
                "cannot be the reference of a training."
            )
    plain = {name: [list(score) for score in scores[name]] for name in sets}
    write_bytes(store, orjson.dumps({"of": of, "scores": plain}))
    return scores


def _score_each_once(model: Any, pairs: Sequence[Pair], batch: int) -> list[PairScore]:
    """The same pair comes many times in a schedule of several passes."""
    keys = [tuple(map(tuple, pair[1:])) for pair in pairs]
    distinct = dict(zip(keys, pairs, strict=True))
    scores = dict(zip(distinct, score_pairs(model, list(distinct.values()), batch), strict=True))
    return [scores[key] for key in keys]
