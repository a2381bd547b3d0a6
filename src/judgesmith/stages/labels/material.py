"""What teachers are given, and what they give back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from judgesmith.audits import Finding
from judgesmith.judging.dialect import Dialect
from judgesmith.models.asking import Usage
from judgesmith.records import Item, Judgment, Label, Question, Response
from judgesmith.tasks import Task


@dataclass(frozen=True)
class Material:
    """What is judged, and in which dialect.

    `people` are verdicts by people, in item order, by item id. `key_policy` is how the answer key
    labels in this run, None where it does not.
    """

    items: Sequence[Item]
    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    people: Mapping[str, str]
    task: Task
    dialect: Dialect
    key_policy: str | None
    seed: int


@dataclass(frozen=True)
class Taught:
    """What teachers gave.

    `unlabelled` says of each item without a label why it has none; `to_person` are the items that
    a person is to decide.
    """

    judgments: list[Judgment] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    unlabelled: dict[str, str] = field(default_factory=dict)
    to_person: list[Item] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
