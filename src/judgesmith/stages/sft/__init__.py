"""Rows -> one student or several, by supervised fine-tuning.

    in   rows/sft.jsonl, and for the dev kappa: questions, responses, items, labels
    out  sft/before/ (the student before training), sft/student/, sft/curve.jsonl; with `judges`
         sft/NAME/student/ and sft/NAME/curve.jsonl for each
    run  judgesmith run RECIPE --until sft

The student is a Hugging Face path, or is built from nothing: random weights, and a tokenizer
trained on the training side only. Dev loss and dev kappa are logged as it learns.
"""

from judgesmith.stages.sft.config import Config, inputs, outputs, outside
from judgesmith.stages.sft.stage import OUTPUTS, VERSION, run

__all__ = ["OUTPUTS", "VERSION", "Config", "inputs", "outputs", "outside", "run"]
