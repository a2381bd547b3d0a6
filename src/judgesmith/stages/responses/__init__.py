"""Questions -> responses, from models, simulated responders and files, classified once.

    in   questions/questions.jsonl, and files of existing responses
    out  responses/responses.jsonl
    run  judgesmith run RECIPE --until responses

Models and simulated responders leave questions alone that have an imported response. A call that
failed is kept as a response with finish "failed" and no text; it becomes no item, and a stage that
was interrupted tries it again.
"""

from judgesmith.stages.responses.stage import OUTPUTS, VERSION, Config, inputs, outside, run

__all__ = ["OUTPUTS", "VERSION", "Config", "inputs", "outside", "run"]
