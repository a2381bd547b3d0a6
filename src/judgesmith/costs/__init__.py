"""What a judgment costs, and when a judge of one's own pays.

Inputs (a YAML file, or what a run measured) are numbers or ranges; every figure is worked out for
all draws of them at once, and what comes out are quantiles. Nothing here knows a price: prices are
inputs, each with a date and a source.
"""

from judgesmith.costs.compare import work_out
from judgesmith.costs.inputs import CostInputs
from judgesmith.costs.load import example, load_inputs

__all__ = ["CostInputs", "example", "load_inputs", "work_out"]
