"""Merge judges of one base: adapters in their own space, or full weights tensor by tensor."""

from judgesmith.backends.merging.adapters import merge_adapters, read_report
from judgesmith.backends.merging.folding import fold_adapter, merge_adapters_into
from judgesmith.backends.merging.methods import (
    DareLinear,
    DareTies,
    Linear,
    MergeMethod,
    NuSlerp,
    TaskArithmetic,
    Ties,
    parse_method,
)
from judgesmith.backends.merging.models import merge_models
from judgesmith.backends.merging.result import MergeReport, MergeWarning, TensorReport

__all__ = [
    "DareLinear",
    "DareTies",
    "Linear",
    "MergeMethod",
    "MergeReport",
    "MergeWarning",
    "NuSlerp",
    "TaskArithmetic",
    "TensorReport",
    "Ties",
    "fold_adapter",
    "merge_adapters",
    "merge_adapters_into",
    "merge_models",
    "parse_method",
    "read_report",
]
