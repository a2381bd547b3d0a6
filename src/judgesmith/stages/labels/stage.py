"""The labels stage: who labels, and what the audits say of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from judgesmith.audits import LabelItem, label_findings, label_table
from judgesmith.errors import RecipeError
from judgesmith.evaluation.final_label import Policy
from judgesmith.judging.dialect import Dialect
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Choice, Item, Judgment, Label, Question, Response, index_by_id
from judgesmith.runs.layout import RunDir
from judgesmith.runs.looks import record_look
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.outside import find_outside
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.sources import LABEL_READERS, Import, import_files, reader
from judgesmith.sources.queue import queue_rows, require_rubric, set_aside, write_queue
from judgesmith.stages.labels.key import judge_by_key
from judgesmith.stages.labels.label_inputs import LabelInputs, TeacherLabels
from judgesmith.stages.labels.people import ByPeople, gathered, person_labels, verdicts_of
from judgesmith.stages.labels.teacher_run import TeacherRun
from judgesmith.stages.labels.teachers import Teachers
from judgesmith.tasks import load_dialect, load_task

VERSION = 3
OUTPUTS = ("labels/judgments.jsonl", "labels/labels.jsonl")
QUEUE = "queue"
"""Folder of what people are to decide. It is not the stage's own: people write into its files."""
NOBODY = "no annotator has a verdict"


class Config(Section):
    """`key_policy` names how the answer key decides; null leaves the key out.

    `dialect` fixes what a verdict's letter names. `imports` are files of verdicts by people,
    `teachers` the models that label.
    """

    dialect: str
    key_policy: str | None = None
    imports: tuple[Import, ...] = ()
    teachers: Teachers | None = None

    @property
    def asks(self) -> tuple[str, ...]:
        """The teachers that are models of the recipe."""
        return () if self.teachers is None else self.teachers.asks

    @property
    def dialects(self) -> tuple[str, ...]:
        """That of the labels, and that of the queue."""
        queue = None if self.teachers is None else self.teachers.queue_dialect
        return (self.dialect,) if queue is None else (self.dialect, queue)

    def rehearsed(self, rates: Rates) -> Self:
        """Each teacher simulated."""
        teachers = None if self.teachers is None else self.teachers.rehearsed(rates)
        return self.model_copy(update={"teachers": teachers})


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("questions/questions.jsonl", "responses/responses.jsonl", "split/items.jsonl")


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run, by the name the recipe gives them."""
    return import_files(config.imports)


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Label by key, by people and by teachers, and audit the labels' balance."""
    task = load_task(run_dir.header.task)
    dialect = load_dialect(task, config.dialect)
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    items = run_dir.read("split/items.jsonl", Item)
    judgments: list[Judgment] = []
    labels: list[Label] = []
    if config.key_policy is not None:
        judgments, labels = judge_by_key(
            items, questions, responses, task, policy=config.key_policy, dialect=dialect
        )
    people, strays = _by_people(config.imports, items, questions, responses, dialect)
    given = LabelInputs(
        items, questions, responses, people, verdicts_of(labels), task, dialect,
        config.key_policy, run_dir.seed,
    )  # fmt: skip
    taught = _taught(config.teachers, given, run_dir, models, config.imports)
    judgments += taught.judgments
    by_people = [taught.by_people.get(label.id, label) for label in people.labels]
    labels = [*labels, *taught.labels, *by_people]
    run_dir.write(OUTPUTS[0], judgments)
    run_dir.write(OUTPUTS[1], labels)
    run_dir.partial(OUTPUTS[0]).path.unlink(missing_ok=True)
    labelled = {label.item_id for label in labels}
    findings = [*label_findings(label_table(_audited(labels, items))), *taught.findings]
    return StageReport(
        taken=len(items),
        made=len(labelled),
        dropped=dict(
            Counter(
                taught.unlabelled.get(item.id, NOBODY) for item in items if item.id not in labelled
            )
        ),
        tables={
            "labels by annotator": dict(Counter(label.annotator for label in labels)),
            "imported labels of no item": strays,
            **taught.tables,
            "findings": [finding.to_dict() for finding in findings],
        },
        beside=tuple(taught.tables.get("disagreement queue", ())),
        **taught.usage.as_fields(),
    )


def _by_people(
    imports: Sequence[Import], items: Sequence[Item], questions: Mapping[str, Question],
    responses: Mapping[str, Response], dialect: Dialect,
) -> tuple[ByPeople, int]:  # fmt: skip
    """Labels by people from files, and how many fit no item."""
    found = []
    strays = 0
    for source in imports:
        rows = reader(LABEL_READERS, source.kind)(find_outside(source.path), questions, responses)
        labels, without_item = person_labels(rows, items, dialect.direction)
        found.append((source.kind, labels))
        strays += without_item
    return gathered(found), strays


def _taught(
    config: Teachers | None, given: LabelInputs, run_dir: RunDir, models: ModelOpener,
    imports: Sequence[Import],
) -> TeacherLabels:  # fmt: skip
    """What teachers say, and the queue of what is left to a person."""
    if config is None:
        return TeacherLabels()
    both = sorted(config.simulated_names & set(run_dir.header.models))
    if both:
        raise RecipeError(
            f"labels.teachers.simulated: {both[0]!r} is a model of the recipe, too. Give the "
            "simulated teacher another name, so that nobody takes one for the other."
        )
    task, dialect = given.task, given.dialect
    asked = load_dialect(task, config.queue_dialect) if config.queue_dialect else dialect
    if config.policy is Policy.PERSON:
        require_rubric(asked)
    run = TeacherRun(config, given, run_dir.partial(OUTPUTS[0]), models)
    taught = run.teach(lambda look: record_look(run_dir, look))
    imported = import_files(imports).values()
    if taught.to_person:
        rows = queue_rows(
            taught.to_person, questions=given.questions, responses=given.responses,
            dialect=asked, seed=given.seed,
        )  # fmt: skip
        paths = write_queue(run_dir.file(QUEUE), rows, keep=imported)
        taught.tables["disagreement queue"] = [str(p.relative_to(run_dir.path)) for p in paths]
    else:
        set_aside(run_dir.file(QUEUE), keep=imported)
    return taught


def _audited(labels: Sequence[Label], items: Sequence[Item]) -> list[LabelItem]:
    """One label per item for the audit; a teacher's outweighs the key's, a person's both."""
    bucket = {item.id: item.bucket for item in items}
    chosen = {label.item_id: label for label in labels}
    return [
        LabelItem(item_id=i, bucket=bucket[i], verdict=label.verdict.value)
        for i, label in chosen.items()
        if isinstance(label.verdict, Choice)
    ]
