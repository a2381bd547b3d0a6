"""What an evaluation is asked for: dialects, students, labels, published figures, a merge."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from judgesmith.records import AnnotatorKind
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.runs.students import BEFORE, STUDENT

Students = tuple[str, ...]


class PublishedFigure(Section):
    """A published figure, cited as context and never compared.

    `metric` and `value` are as its source gives them; `slice` is there where a kappa belongs into
    the picture of a slice. Written as `kappa: 0.48`, the metric is kappa.
    """

    judge: str
    metric: str = "kappa"
    value: float
    slice: str | None = None
    source: str
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _kappa(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or "kappa" not in fields:
            return fields
        if {"value", "metric"} & fields.keys():
            raise ValueError("expected either `kappa`, or `metric` and `value`")
        rest = {name: value for name, value in fields.items() if name != "kappa"}
        return {**rest, "value": fields["kappa"]}


class Also(Section):
    """A further dialect to measure in, or the same against further labels.

    What is left out is as in `evaluate`: `students`, `labels` and `reply_tokens`. Where a student
    was trained in other dialects only, its replies in this one tell how far its format carries.
    `labels` of a kind that no test item has leave this part out, with a note.

    `pairs`: in a dialect of single responses, every response of the labelled pairs is scored alone
    too, so that scores and verdicts can be held against each other.
    """

    dialect: str
    students: Students = ()
    labels: AnnotatorKind | None = None
    reply_tokens: int | None = Field(None, gt=0)
    pairs: bool = True
    published: tuple[PublishedFigure, ...] = ()


class MergeCheck(Section):
    """How much a merged judge keeps of its specialists, each named under its dialect.

    `joint` was trained on all formats at once and stands beside it; `least` is the share of each
    specialist's agreement that is to be kept.
    """

    merged: str = "merged"
    specialists: dict[str, str] = Field(min_length=1)
    joint: str | None = None
    least: float = Field(0.9, gt=0, le=1)


class Config(Section):
    """What is measured against what.

    `students` are the run's own models by name (`judgesmith.runs.students`), the one that the gate
    decides on first; "student (fast)" is the same student asked without its reasons, so that both
    can be compared. `labels` is `person`, `key`, `model` or `simulated`. `reply_tokens` may be
    null: the budget then comes from the lengths of the students' own training replies. `least` is
    the smallest number of items for which agreement is shown. `key_policies` are answer-key
    baselines to show besides the labels' own policy. `also` are further dialects or labels, `merge`
    what a merged judge must keep.
    """

    dialect: str
    students: Students = Field((STUDENT, BEFORE), min_length=1)
    labels: AnnotatorKind = AnnotatorKind.KEY
    reply_tokens: int | None = Field(120, gt=0)
    resamples: int = Field(10_000, ge=100)
    slice_resamples: int = Field(2_000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    least: int = Field(20, ge=2)
    key_policies: tuple[str, ...] = ()
    published: tuple[PublishedFigure, ...] = ()
    examples: int = Field(12, ge=0)
    also: tuple[Also, ...] = ()
    merge: MergeCheck | None = None

    @property
    def dialects(self) -> tuple[str, ...]:
        """That of the main part, then those of the others; each once."""
        return tuple(dict.fromkeys(part.dialect for part in self.parts))

    def rehearsed(self, rates: Rates) -> Self:
        """Fewer resamples, and simulated models as labellers where real ones are asked for."""
        few = {"resamples": 1000, "slice_resamples": 500}
        changes: dict[str, Any] = {k: min(getattr(self, k), n) for k, n in few.items()}
        changes["labels"] = self.labels.rehearsed
        changes["also"] = tuple(
            one.model_copy(update={"labels": one.labels and one.labels.rehearsed})
            for one in self.also
        )
        return self.model_copy(update=changes)

    @field_validator("students")
    @classmethod
    def _each_once(cls, students: Students) -> Students:
        if len(set(students)) < len(students):
            raise ValueError(f"expected each student once, found {students!r}")
        return students

    @model_validator(mode="after")
    def _known(self) -> Self:
        parts = [self.part(), *(self.part(one) for one in self.also)]
        asked = [(one.dialect, one.labels) for one in parts]
        if len(set(asked)) < len(asked):
            raise ValueError(f"`also` repeats a dialect with the same labels: {asked!r}")
        merge = self.merge
        for dialect, specialist in (merge.specialists if merge else {}).items():
            there = [one.students for one in parts if one.dialect == dialect]
            wanted = {merge.merged, specialist} if merge else set()
            if not any(wanted <= set(students) for students in there):
                raise ValueError(
                    f"merge.specialists.{dialect}: expected {sorted(wanted)} among the students "
                    f"measured in {dialect!r}, found {there!r}. Name them in `students` there."
                )
        return self

    def part(self, also: Also | None = None) -> "Part":
        """One dialect with its students and labels; the main one without an argument."""
        if also is None:
            also = Also(dialect=self.dialect, published=self.published)
        return Part(
            dialect=also.dialect,
            students=also.students or self.students,
            labels=also.labels or self.labels,
            reply_tokens=also.reply_tokens or self.reply_tokens,
            pairs=also.pairs,
            published=also.published,
        )

    @property
    def parts(self) -> tuple["Part", ...]:
        """Every dialect with its students and labels, the main one first."""
        return (self.part(), *(self.part(one) for one in self.also))

    @property
    def everybody(self) -> Students:
        """Every student that is measured anywhere."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.students))


class Part(Section):
    """One dialect with everything filled in."""

    dialect: str
    students: Students
    labels: AnnotatorKind
    reply_tokens: int | None
    pairs: bool
    published: tuple[PublishedFigure, ...]


LabelsWord = Literal["people", "answer key", "another judge"]


def labels_kind(kind: AnnotatorKind) -> LabelsWord:
    """Whose labels they are, as results say it.

    >>> labels_kind(AnnotatorKind.SIMULATED)
    'another judge'
    """
    words: dict[AnnotatorKind, LabelsWord] = {
        AnnotatorKind.PERSON: "people", AnnotatorKind.KEY: "answer key",
    }  # fmt: skip
    return words.get(kind, "another judge")
