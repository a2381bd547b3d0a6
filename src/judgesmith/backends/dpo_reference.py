"""What the frozen student gives to every reply: computed once, before training, and kept."""

import gc
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from judgesmith.backends.loading import load
from judgesmith.backends.pairs import Pair, PairScore, score_pairs
from judgesmith.backends.student import load_student
from judgesmith.errors import TrainingError
from judgesmith.records import content_id
from judgesmith.runs.jsonl import write_bytes


def load_trainable(path: str, *, all_weights: bool) -> tuple[Any, Any]:
    """Model and tokenizer; float32 where all weights are trained.

    The steps of preference training are far smaller than what bfloat16 can add to a weight.
    """
    model, tokenizer = load_student(path)
    return (model.float() if all_weights else model), tokenizer


def reference_scores(
    path: str, sets: Mapping[str, Sequence[Pair]], *, all_weights: bool, batch: int, store: Path
) -> dict[str, list[PairScore]]:
    """Scores of every set of pairs, by name, from the student at `path` as it is on disk.

    They are kept in `store` and read from there when training goes on after a kill.
    """
    of = content_id(path, {name: [pair[1:] for pair in pairs] for name, pairs in sets.items()})
    kept = orjson.loads(store.read_bytes()) if store.exists() else {}
    if kept.get("of") == of:
        return {name: [PairScore(*score) for score in kept["scores"][name]] for name in sets}
    model, _ = load_trainable(path, all_weights=all_weights)
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
