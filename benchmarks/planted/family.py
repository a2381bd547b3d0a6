"""Planted: a judge that rates responses of its own model family.

Clean: judge and generators of different families. Planted: one row in a hundred, one in ten, or
every second response is by a model of the judge's family. Nothing is tested: the level is 0.
"""

import random

from judgesmith.audits.family import ModelPair, family_findings, family_table
from judgesmith.audits.finding import Severity

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_SAME = {0: 0, 1: 2, 2: 20, 3: 100}
_MODELS = {
    "llama": ["Llama-3-8b-instruct", "vicuna-13b-v1.5", "alpaca-7b"],
    "mistral": ["Mistral-7B-Instruct-v0.1", "zephyr-7b-beta"],
    "qwen": ["qwen-2.5-7b-instruct", "Qwen3-235B"],
    "gemma": ["gemma-3-4b-it", "google/gemma-2-9b"],
    "openai": ["gpt-4-0613", "gpt-3.5-turbo"],
}


def make(seed: int, strength: int) -> list[ModelPair]:
    """200 responses under one judge."""
    rng = random.Random(f"family/{seed}/{strength}")
    own = rng.choice(sorted(_MODELS))
    judge = rng.choice(_MODELS[own])
    others = [name for family in sorted(_MODELS) if family != own for name in _MODELS[family]]
    same = set(rng.sample(range(200), _SAME[strength]))
    return [
        ModelPair(f"responses.jsonl:{i + 1}", "judge", judge, "generator",
                  rng.choice(_MODELS[own] if i in same else others))
        for i in range(200)
    ]  # fmt: skip


def detect(inputs: list[ModelPair]) -> bool:
    """Whether a shared family is warned of."""
    found = family_findings(family_table(inputs))
    return any(finding.severity is Severity.WARNING for finding in found)
