"""Judgments and labels of somebody else's files, as they are read through a mapping."""

from collections.abc import Mapping
from typing import NamedTuple

from judgesmith.records import Status
from judgesmith.sources.mapping import Role


class ImportedItem(NamedTuple):
    """What was judged. Everything but the id and the cluster may be unknown.

    `where` is "file:line" (for JSON without lines, "file: row N"). `fields` are what results are
    broken down by: bucket, category, subset.
    """

    id: str
    cluster: str
    question: str | None
    reference: str | None
    responses: tuple[str, ...] | None
    models: tuple[str, ...] | None
    fields: Mapping[str, str]
    where: str


class ImportedJudgment(NamedTuple):
    """One judgment or label, in item order and in the mapping's direction.

    `verdict` is None exactly when `status` is not `parsed`. `scores` has one score per response.
    `distribution` maps verdicts to probabilities; `confidence` is the judge's own confidence in
    its verdict, 0 to 1.
    """

    item: str
    by: str
    role: Role
    criterion: str | None
    verdict: str | None
    scores: tuple[float, ...] | None
    distribution: Mapping[str, float] | None
    confidence: float | None
    swapped: bool
    sample: int
    status: Status
    rationale: str | None
    reply: str | None
    where: str


class ImportedRow(NamedTuple):
    """One row of a file: the item it is about and the judgments it holds."""

    item: ImportedItem
    judgments: tuple[ImportedJudgment, ...]
