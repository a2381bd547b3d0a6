"""Students and baselines -> results: both orders, intervals, paired tests.

    in   questions, responses, split/items.jsonl, labels/labels.jsonl, the students' folders
    out  evaluate/judgments.jsonl, evaluate/results.json
    run  judgesmith run RECIPE --until evaluate

Labels by people are used where the recipe says so, else the answer key's; the title of every
table says which. Each time verdicts meet the test labels, a line goes to test_looks.jsonl.
"""

from judgesmith.stages.evaluate.config import Also, Config, MergeCheck, PublishedFigure
from judgesmith.stages.evaluate.stage import OUTPUTS, VERSION, inputs, outside, run

__all__ = [
    "OUTPUTS", "VERSION", "Also", "Config", "MergeCheck", "PublishedFigure", "inputs", "outside",
    "run",
]  # fmt: skip
