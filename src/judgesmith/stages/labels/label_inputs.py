"""What teachers are given, and what they give back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from judgesmith.audits import Finding
from judgesmith.judging.dialect import Dialect
from judgesmith.models.asking import Usage
from judgesmith.records import Item, Judgment, Label, Question, Response
from judgesmith.stages.labels.people import ByPeople
from judgesmith.tasks import Task


@dataclass(frozen=True)
class LabelInputs:
    """What is judged, in which dialect, and what others say of it.

    `key` are the verdicts of the answer key, in item order, by item id. `key_policy` is how it
    labels in this run, None where it does not. `further` dialects are those beside the one of
    `labels.dialect`; their labels name them, so that two labels of an item are told apart.
    """

    items: Sequence[Item]
    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    people: ByPeople
    key: Mapping[str, str]
    task: Task
    dialect: Dialect
    key_policy: str | None
    seed: int
    further: bool = False


@dataclass(frozen=True)
class TeacherLabels:
    """What teachers gave.

    `by_people` are labels by people in the form that the policy `person` gives them, by the id of
    the label as it was given. `unlabelled` says of each item without a label why it has none;
    `to_person` are the items that a person is to decide.
    """

    judgments: list[Judgment] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    by_people: dict[str, Label] = field(default_factory=dict)
    unlabelled: dict[str, str] = field(default_factory=dict)
    to_person: list[Item] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)

    def beside(self, other: "TeacherLabels") -> "TeacherLabels":
        """These and those of another dialect; why an item has no label is said by these."""
        usage = Usage(self.usage)
        usage.update(other.usage)
        return TeacherLabels(
            judgments=self.judgments + other.judgments,
            labels=self.labels + other.labels,
            by_people=self.by_people,
            unlabelled=other.unlabelled | self.unlabelled,
            to_person=self.to_person,
            tables=self.tables | other.tables,
            findings=self.findings + other.findings,
            usage=usage,
        )
