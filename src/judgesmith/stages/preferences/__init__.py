"""Labels -> preference rows: the right reply beside a coherent wrong one, audited before use.

    in   questions/questions.jsonl, responses/responses.jsonl, split/items.jsonl,
         labels/judgments.jsonl, labels/labels.jsonl
    out  preferences/preferences.jsonl
    run  judgesmith run RECIPE --until preferences

The rejected side is a mistake of the task: one fact misread, in a named failure mode, and the
verdict that follows. Which mistakes are taken is chosen so that modes are even and no verdict and
no word is commoner on one side; what remains must pass the audits, or nothing is written.
"""

from judgesmith.stages.preferences.stage import OUTPUTS, VERSION, Config, inputs, outside, run

__all__ = ["OUTPUTS", "VERSION", "Config", "inputs", "outside", "run"]
