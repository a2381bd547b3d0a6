"""Items -> labels: by the answer key, by teachers, and by people from files.

    in   questions/questions.jsonl, responses/responses.jsonl, split/items.jsonl, label files
    out  labels/judgments.jsonl, labels/labels.jsonl
    run  judgesmith run RECIPE --until labels

An item may have several labels, one per kind of annotator; each keeps its judgments and policy.
The answer key judges a pair in both orders, so that a rationale is written for the order it is
shown in; in a dialect for single responses it scores each, and the higher score is the verdict.
"""

from judgesmith.stages.labels.stage import OUTPUTS, VERSION, Config, inputs, outside, run

__all__ = ["OUTPUTS", "VERSION", "Config", "inputs", "outside", "run"]
