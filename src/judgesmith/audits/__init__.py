"""Audits: what a data set gives away before a judge is trained or measured on it.

Each audit counts first and judges second: one function makes a table, another turns it into
findings. All are pure, and know neither tasks nor records.
"""

from judgesmith.audits.confound import (
    BucketStyle,
    ConfoundItem,
    ConfoundTable,
    GeneratorStyle,
    StyledResponse,
    confound_table,
    hedge_pattern,
)
from judgesmith.audits.confound_findings import ConfoundLimits, confound_findings
from judgesmith.audits.finding import Finding, Severity, stop_on_errors
from judgesmith.audits.labels import LabelItem, LabelRow, LabelTable, label_findings, label_table
from judgesmith.audits.leak import clear_training, leak_audit
from judgesmith.audits.leak_report import (
    LeakItem,
    LeakLevel,
    LeakReport,
    LevelShare,
    SplitLevel,
    leak_findings,
)
from judgesmith.audits.supply import Limit, SupplyCount, SupplyRow, supply_findings, supply_rows

__all__ = [
    "BucketStyle",
    "ConfoundItem",
    "ConfoundLimits",
    "ConfoundTable",
    "Finding",
    "GeneratorStyle",
    "LabelItem",
    "LabelRow",
    "LabelTable",
    "LeakItem",
    "LeakLevel",
    "LeakReport",
    "LevelShare",
    "Limit",
    "Severity",
    "SplitLevel",
    "StyledResponse",
    "SupplyCount",
    "SupplyRow",
    "clear_training",
    "confound_findings",
    "confound_table",
    "hedge_pattern",
    "label_findings",
    "label_table",
    "leak_audit",
    "leak_findings",
    "stop_on_errors",
    "supply_findings",
    "supply_rows",
]
