"""The evaluate stage: judge the test items, score every judge, write the results."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator

from judgesmith.evaluation.comparing import compare, student_and_neighbours
from judgesmith.evaluation.judges import Judge, read_judgments
from judgesmith.evaluation.scoring import (
    Plan,
    domain_difference,
    make_slices,
    score_judge,
    slice_info,
)
from judgesmith.judging.dialect import Dialect, require_dialect
from judgesmith.models.asking import About, judge_items
from judgesmith.models.judge import showings
from judgesmith.models.pointwise import read_margin
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import TIE, AnnotatorKind, Judgment, Kind, Split, content_id
from judgesmith.report.results import Evaluation, Published, Role
from judgesmith.runs.jsonl import read_rows, write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.looks import record_look
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.stages.evaluate.examples import pick_examples
from judgesmith.stages.evaluate.labelled_side import (
    LabelledSide,
    read_labelled_side,
    rule_judges,
    scored,
)
from judgesmith.stages.evaluate.own_answers import own_answers
from judgesmith.tasks import load_dialect, load_task

VERSION = 6
OUTPUTS = ("evaluate/judgments.jsonl", "evaluate/results.json")
BEFORE: Literal["before training"] = "before training"


FOLDERS = {"student": "sft/student", BEFORE: "sft/before", "after DPO": "dpo/student"}


class PublishedKappa(Section):
    """A published figure, cited as context."""

    judge: str
    slice: str
    kappa: float
    source: str


class Config(Section):
    """What is measured against what.

    `labels` is `person` or `key`. `least` is the smallest number of items for which agreement is
    shown. `students` names the run's own models to measure, the one that the gate decides on first:
    "student" is the one after SFT. `key_policies` are answer-key baselines to show besides the
    labels' own policy.
    """

    dialect: str
    students: tuple[Literal["student", "after DPO", "before training"], ...] = Field(
        ("student", BEFORE), min_length=1
    )
    labels: Literal[AnnotatorKind.PERSON, AnnotatorKind.KEY] = AnnotatorKind.KEY
    reply_tokens: int = Field(120, gt=0)
    resamples: int = Field(10_000, ge=100)
    slice_resamples: int = Field(2_000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    least: int = Field(20, ge=2)
    key_policies: tuple[str, ...] = ()
    published: tuple[PublishedKappa, ...] = ()
    examples: int = Field(12, ge=0)

    def rehearsed(self, rates: Rates) -> Self:
        """Fewer resamples."""
        few = {"resamples": 1000, "slice_resamples": 500}
        return self.model_copy(update={k: min(getattr(self, k), n) for k, n in few.items()})

    @field_validator("students")
    @classmethod
    def _each_once(cls, students: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(students)) < len(students):
            raise ValueError(f"expected each student once, found {students!r}")
        return students


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return (
        "questions/questions.jsonl",
        "responses/responses.jsonl",
        "split/items.jsonl",
        "labels/labels.jsonl",
        "rows/sft.jsonl",
        *(FOLDERS[name] for name in config.students),
    )


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def roles(students: Sequence[str]) -> dict[str, Role]:
    """What each of a run's own models is in the tables; the gate decides on the first.

    >>> roles(["after DPO", "student", "before training"])
    {'after DPO': 'student', 'student': 'judge', 'before training': 'before training'}
    """
    rest: dict[str, Role] = {name: BEFORE if name == BEFORE else "judge" for name in students[1:]}
    return {students[0]: "student", **rest}


def check_dialect(run_dir: RunDir, dialect: Dialect) -> None:
    """Refuse to measure a student in another dialect than its rows were written in."""
    path = run_dir.file("rows/sft.jsonl")
    first = islice(read_rows(path), 1) if path.exists() else ()
    trained = (str(row["dialect"]) for _, row in first)
    require_dialect(trained, dialect, path=str(path), setting="evaluate.dialect")


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Judge, score, compare, and write the results."""
    task = load_task(run_dir.header.task)
    dialect = load_dialect(task, config.dialect)
    check_dialect(run_dir, dialect)
    found = read_labelled_side(run_dir, config.labels, dialect)
    about = About(
        showings(found.items, dialect), found.questions, found.responses, dialect,
        config.reply_tokens,
    )  # fmt: skip
    judgments, usage = judge_items(
        about, config.students, run_dir.partial(OUTPUTS[0]), models, stage="evaluate"
    )
    tie = TIE if dialect.pair_scale.has_tie else None
    by_judge: dict[str, list[Judgment]] = {
        name: [j for j in judgments if j.judge == name] for name in config.students
    }
    judges = [
        read_judgments(
            name, role, by_judge[name], tie=tie, margin=margin_of(name, dialect, run_dir),
            note=own_answers(by_judge[name], found, task, dialect),
        )
        for name, role in roles(config.students).items()
    ]  # fmt: skip
    judges += rule_judges(found, task, config.key_policies, dialect, run_dir.seed)
    look = content_id("look", [(j.id, j.reply) for j in judgments], found.labels)
    results = _results(config, run_dir, judges, found, dialect, record_look(run_dir, look))
    run_dir.write(OUTPUTS[0], judgments)
    write_json(run_dir.file(OUTPUTS[1]), results.model_dump(mode="json"))
    run_dir.partial(OUTPUTS[0]).path.unlink(missing_ok=True)
    lost = found.unlabelled
    return StageReport(
        taken=len(found.items) + lost,
        made=len(found.items),
        dropped={f"no label of kind {config.labels.value}": lost} if lost else {},
        tables={"unparsed": _status_counts(judgments)},
        **usage.as_fields(),
    )


def margin_of(name: str, dialect: Dialect, run_dir: RunDir) -> float | None:
    """The tie margin of a student that scores each response alone; None for one shown pairs."""
    return read_margin(run_dir.file(FOLDERS[name])) if dialect.kind is Kind.SINGLE else None


def _status_counts(judgments: Sequence[Judgment]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for judgment in judgments:
        counts = table.setdefault(judgment.judge, {})
        counts[judgment.status.value] = counts.get(judgment.status.value, 0) + 1
    return table


def _results(
    config: Config, run_dir: RunDir, judges: Sequence[Judge], found: LabelledSide, dialect: Dialect,
    looks: int,
) -> Evaluation:  # fmt: skip
    plan = Plan(
        seed=run_dir.seed,
        resamples=config.resamples,
        slice_resamples=config.slice_resamples,
        confidence=config.confidence,
        least=config.least,
        scale=dialect.pair_scale.values,
    )
    slices = load_task(run_dir.header.task).slices
    rows = {
        i: scored(i, found.labels[i.id], found.questions[i.question_id], found.responses, slices)
        for i in found.items
    }
    parts = make_slices(
        *([row for i, row in rows.items() if i.split is s] for s in (Split.TEST, Split.HELD_OUT))
    )
    return Evaluation(
        labels_kind="people" if config.labels is AnnotatorKind.PERSON else "answer key",
        labels_title=found.title,
        direction=f"a verdict names the {dialect.direction} response",
        confidence=config.confidence,
        resamples=config.resamples,
        test_looks=looks,
        slices=tuple(slice_info(part) for part in parts),
        judges=tuple(score_judge(judge, parts, plan) for judge in judges),
        comparisons=compare(student_and_neighbours(judges), parts, plan),
        domain_difference=domain_difference(judges[0], parts, plan),
        published=tuple(Published(**entry.model_dump()) for entry in config.published),
        examples=pick_examples(
            judges[0], found.items, found.labels, found.questions, found.responses,
            count=config.examples, seed=run_dir.seed,
        ),
    )  # fmt: skip
