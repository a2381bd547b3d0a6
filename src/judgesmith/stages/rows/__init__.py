"""Labels -> supervised rows: each pair in both orders or in one, or each response alone.

Where the dialect has the judge answer first, each question gives one more row: its right answer.

    in   questions/questions.jsonl, responses/responses.jsonl, split/items.jsonl,
         labels/judgments.jsonl, labels/labels.jsonl
    out  rows/sft.jsonl; with `soft: true` rows/soft.jsonl, the chance of each verdict of a row
    run  judgesmith run RECIPE --until rows

Twins (the two orders of one item) have the item's side of the split. Each twin's reply comes from
a judgment in that very order, the teacher's own or its swapped copy, and every row is checked
against the judgments it was made from, so text and verdict cannot part company.
"""

from judgesmith.stages.rows.config import Config
from judgesmith.stages.rows.stage import OUTPUTS, VERSION, inputs, outputs, outside, run

__all__ = ["OUTPUTS", "VERSION", "Config", "inputs", "outputs", "outside", "run"]
