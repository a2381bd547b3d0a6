"""A judge -> folders that others can use, and whether each is still the same judge.

    in   the student of each checkpoint, and for the check: questions, responses, items, labels
    out  export/CHECKPOINT/ (weights, tokenizer, GGUF files), export/export.json
    run  judgesmith run RECIPE, or judgesmith export RUN

Every exported form is asked about the same labelled dev items as the student itself. One that loses
more agreement than the recipe allows is refused; the model cards say what was found. Cards and the
data set are written by the pipeline, from the run's report.
"""

from judgesmith.stages.export.config import Config, inputs, outside
from judgesmith.stages.export.stage import OUTPUTS, VERSION, run

__all__ = ["OUTPUTS", "VERSION", "Config", "inputs", "outside", "run"]
