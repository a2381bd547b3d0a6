"""Defect 20: a quantised model is shipped without being evaluated.

Planted: an export whose verdicts differ from the judge's, as a bad quantisation's do. It is asked
about the same labelled items and refused by the bound of what it loses; one about which too little
is known is not passed either; and a card says of what was not checked that it was not. The same
with real GGUF files is in tests/external/test_export.py.
"""

import random

import pytest

from judgesmith.evaluation.parity import Asked, measure_parity
from judgesmith.report.exports import Exported, Gguf, Parity

LIMIT = 0.05


def planted(share: float, n: int) -> Parity:
    """A judge that is right in 85% of n questions, and its export with a share of verdicts lost."""
    draw = random.Random(3)
    labels = [draw.choice("AB") for _ in range(n)]
    judge = [v if draw.random() < 0.85 else "AB"[v == "A"] for v in labels]
    export = ["AB"[v == "A"] if draw.random() < share else v for v in judge]
    asked = Asked(labels, list(range(n)), "labels")
    return measure_parity("Q4_K_M", judge, export, asked, limit=LIMIT, seed=5)


@pytest.mark.parametrize(
    ("share", "n", "outcome"),
    [
        (0.0, 400, "pass"),
        (0.2, 400, "fail"),
        (0.02, 400, "inconclusive"),
        (0.0, 30, "inconclusive"),
    ],
)
def test_the_bound_of_what_is_lost_decides(share: float, n: int, outcome: str) -> None:
    found = planted(share, n)
    assert found.outcome == outcome, found


def test_one_refused_file_fails_the_export() -> None:
    file = Gguf(kind="Q8_0", file="f", tensors={}, fallen_back=0, adds_bos=False)
    one = Exported(
        checkpoint="sft", student="student", folder="sft", form="model", base=None, quantize=None,
        dtype="bfloat16", dialect="d", dialect_hash="h", reply_tokens=9, parameters=1,
        gguf=(file,), parity=(planted(0.0, 400),),
    )  # fmt: skip
    assert one.outcome == "pass"
    refused = file.model_copy(update={"refused": "another chat template"})
    assert one.model_copy(update={"gguf": (refused,)}).outcome == "fail"
    unchecked = one.model_copy(update={"parity": (), "not_measured": {"Q8_0": "left out"}})
    assert unchecked.outcome is None
