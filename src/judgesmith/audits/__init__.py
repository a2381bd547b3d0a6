"""Audits: what a data set gives away before a judge is trained or measured on it.

Each audit counts first and judges second: one function makes a table, another turns it into
findings. All are pure, and know neither tasks nor records.
"""

from judgesmith.audits.across import PlacedText, across_findings, across_table
from judgesmith.audits.bag_of_words import bag_findings, bag_table, word_list
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
from judgesmith.audits.dialects import dialect_findings, dialect_table
from judgesmith.audits.family import ModelPair, families, family_findings, family_table
from judgesmith.audits.few_items import (
    ComparedSlice,
    compare_slices,
    few_items_findings,
    few_items_table,
)
from judgesmith.audits.finding import Finding, Severity, stop_on_errors
from judgesmith.audits.generator import GeneratedItem, generator_findings, generator_table
from judgesmith.audits.instruction_leak import (
    GeneratedText,
    find_instruction_leak,
    instruction_leak_findings,
    instruction_leak_table,
)
from judgesmith.audits.inversion import (
    RationaleLimits,
    RationaleRow,
    contradiction_findings,
    inversion_findings,
    rationale_table,
)
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
from judgesmith.audits.licence_findings import licence_findings
from judgesmith.audits.licence_table import Carried, LicenceTable, licence_table
from judgesmith.audits.licences import ModelTerms, Part, Terms, row_licence, terms_of
from judgesmith.audits.modes import MadeItem, mode_findings, mode_table
from judgesmith.audits.order import OrderedJudgment, order_table
from judgesmith.audits.order_findings import OrderLimits, order_findings
from judgesmith.audits.parsing import ParsedReply, parsing_findings, parsing_table
from judgesmith.audits.rationale import rationale_names, read_rationale
from judgesmith.audits.rubric import TwiceJudged, rubric_findings, rubric_table
from judgesmith.audits.separability import ContrastRow, separability_findings, separability_table
from judgesmith.audits.supply import Limit, SupplyCount, SupplyRow, supply_findings, supply_rows
from judgesmith.audits.surface import SurfaceQuestion, surface_table
from judgesmith.audits.surface_findings import surface_findings
from judgesmith.audits.ties import VotedItem, ties_findings, ties_table
from judgesmith.audits.two_stereotypes import TwoItem, TwoPick, two_stereotypes_table
from judgesmith.audits.two_stereotypes_findings import two_stereotypes_findings
from judgesmith.audits.unparsed import JudgedItem, UnparsedLimits, unparsed_findings, unparsed_table

__all__ = [
    "BucketStyle",
    "Carried",
    "ComparedSlice",
    "ConfoundItem",
    "ConfoundLimits",
    "ConfoundTable",
    "ContrastRow",
    "Finding",
    "GeneratedItem",
    "GeneratedText",
    "GeneratorStyle",
    "JudgedItem",
    "LabelItem",
    "LabelRow",
    "LabelTable",
    "LeakItem",
    "LeakLevel",
    "LeakReport",
    "LevelShare",
    "LicenceTable",
    "Limit",
    "MadeItem",
    "ModelPair",
    "ModelTerms",
    "OrderLimits",
    "OrderedJudgment",
    "ParsedReply",
    "Part",
    "PlacedText",
    "RationaleLimits",
    "RationaleRow",
    "Severity",
    "SplitLevel",
    "StyledResponse",
    "SupplyCount",
    "SupplyRow",
    "SurfaceQuestion",
    "Terms",
    "TwiceJudged",
    "TwoItem",
    "TwoPick",
    "UnparsedLimits",
    "VotedItem",
    "across_findings",
    "across_table",
    "bag_findings",
    "bag_table",
    "clear_training",
    "compare_slices",
    "confound_findings",
    "confound_table",
    "contradiction_findings",
    "dialect_findings",
    "dialect_table",
    "families",
    "family_findings",
    "family_table",
    "few_items_findings",
    "few_items_table",
    "find_instruction_leak",
    "generator_findings",
    "generator_table",
    "hedge_pattern",
    "instruction_leak_findings",
    "instruction_leak_table",
    "inversion_findings",
    "label_findings",
    "label_table",
    "leak_audit",
    "leak_findings",
    "licence_findings",
    "licence_table",
    "mode_findings",
    "mode_table",
    "order_findings",
    "order_table",
    "parsing_findings",
    "parsing_table",
    "rationale_names",
    "rationale_table",
    "read_rationale",
    "row_licence",
    "rubric_findings",
    "rubric_table",
    "separability_findings",
    "separability_table",
    "stop_on_errors",
    "supply_findings",
    "supply_rows",
    "surface_findings",
    "surface_table",
    "terms_of",
    "ties_findings",
    "ties_table",
    "two_stereotypes_findings",
    "two_stereotypes_table",
    "unparsed_findings",
    "unparsed_table",
    "word_list",
]
