"""All pictures of a report: pure functions from results to inline SVG."""

from judgesmith.report.count_plots import confusion_plot, supply_plot
from judgesmith.report.curve_plots import training_plot
from judgesmith.report.interval_plots import (
    Group,
    Row,
    common_span,
    forest_plot,
    position_bias_plot,
)
from judgesmith.report.marks import Mark

__all__ = [
    "Group",
    "Mark",
    "Row",
    "common_span",
    "confusion_plot",
    "forest_plot",
    "position_bias_plot",
    "supply_plot",
    "training_plot",
]
