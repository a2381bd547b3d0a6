"""Everything that a page shows, as one value."""

from typing import Any, Literal

from pydantic import Field

from judgesmith.report.advice import Advice
from judgesmith.report.costs import Costs
from judgesmith.report.evidence import Evidence
from judgesmith.report.exports import Exports
from judgesmith.report.merging import Merging
from judgesmith.report.money import Money
from judgesmith.report.results import Evaluation, GateResult, Result
from judgesmith.report.teaching import Teaching
from judgesmith.report.training import CurvePoint, Preference, Training

__all__ = ["CurvePoint", "Document", "StageRow"]


class StageRow(Result):
    """One stage as the run's manifest tells it."""

    stage: str
    state: str
    taken: int | None
    made: int | None
    dropped: dict[str, int]
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    wall_s: float | None


class Document(Result):
    """Everything that a report shows.

    `findings` are audit findings (`judgesmith.audits.Finding.to_dict`), `supply` the supply rows,
    `confounds` the confound table's dict, `leaks` the leak report's dict, `composition` counts of
    questions by field and value, `why` the reasons that the recipe gives, by key path,
    `provenance` names and values (versions, hashes, seed). `subject` is "files" for judgments
    that were read, not made: there is no gate and no training to show then. `teaching` is what
    labels by teachers rest on, `generator_runs` the dumps of the generators' dry runs,
    `preferences` the tables of that stage, `money` what the run's ledger says. `trains` is whether
    the recipe trains a student; `curve` is that of the only one, `training` tells of each.
    `preference` is what preference training found, `merging` what a merge did, `advice` which
    checkpoint to use where. `settings` are the values in the recipe that `why` gives reasons for.
    `costs` are what `judgesmith cost` left in the run, `exports` what `judgesmith export` made.
    """

    name: str
    description: str
    task: str
    rehearsed: bool
    stages: tuple[StageRow, ...]
    gate: GateResult | None
    evaluation: Evaluation | None
    curve: tuple[CurvePoint, ...]
    findings: tuple[dict[str, Any], ...]
    supply: tuple[dict[str, Any], ...]
    confounds: dict[str, Any] | None
    leaks: dict[str, Any] | None
    composition: dict[str, dict[str, int]]
    why: dict[str, str]
    provenance: dict[str, str]
    subject: Literal["run", "files"] = "run"
    evidence: Evidence | None = None
    teaching: Teaching | None = None
    trains: bool = True
    generator_runs: tuple[dict[str, Any], ...] = ()
    preferences: dict[str, Any] = Field(default_factory=dict)
    money: Money | None = None
    training: Training | None = None
    preference: Preference | None = None
    merging: Merging | None = None
    advice: tuple[Advice, ...] = ()
    settings: dict[str, str] = Field(default_factory=dict)
    costs: Costs | None = None
    exports: Exports | None = None
