"""The labels stage: who labels, and what the audits say of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from pydantic import field_validator

from judgesmith.audits import LabelItem, label_findings, label_table
from judgesmith.backends.hub import place_of
from judgesmith.errors import RecipeError
from judgesmith.evaluation.final_label import Policy
from judgesmith.evaluation.learnt import require_distinct
from judgesmith.judging.dialect import Dialect
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Item,
    Judgment,
    Label,
    Question,
    Response,
    index_by_id,
)
from judgesmith.runs.layout import RunDir
from judgesmith.runs.looks import record_look
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.sources import (
    LABEL_READERS,
    PUBLISHED,
    Import,
    dialects_of,
    import_files,
    require_kinds,
)
from judgesmith.sources.queue import queue_rows, require_rubric, set_aside, write_queue
from judgesmith.stages.labels.by_scores import UNSAYABLE, pairs_by_scores
from judgesmith.stages.labels.checks import (
    require_any,
    require_items,
    require_on_scale,
    require_scores,
)
from judgesmith.stages.labels.failures import silent_key, torn_findings
from judgesmith.stages.labels.imported import TORN, Imported, model_labels
from judgesmith.stages.labels.key import judge_by_key
from judgesmith.stages.labels.label_inputs import LabelInputs, TeacherLabels
from judgesmith.stages.labels.people import ByPeople, gathered, person_labels, verdicts_of
from judgesmith.stages.labels.reading_imports import ImportedRows, read_imports
from judgesmith.stages.labels.rehearsal import require_key
from judgesmith.stages.labels.scored import (
    gives_scores,
    require_primary_alone,
    scored_by_teacher,
)
from judgesmith.stages.labels.teacher_run import TeacherRun
from judgesmith.stages.labels.teachers import Teachers
from judgesmith.tasks import Task, known_dialects, load_dialect, task_of

VERSION = 4
OUTPUTS = ("labels/judgments.jsonl", "labels/labels.jsonl")
QUEUE = "queue"
"""Folder of what people are to decide. It is not the stage's own: people write into its files."""
NOBODY = "no annotator has a verdict"


class Config(Section):
    """`key_policy` names how the answer key decides; null leaves the key out.

    `dialect` fixes what a verdict's letter names. `more` are further dialects in which the key and
    the primary teacher judge the same items, such as one that scores each response of a pair alone.
    `imports` are files of verdicts by people, or by models with their reasons; `teachers` the
    models that label. `pairs_by_scores` names a dialect of pairs: whose two responses an imported
    model scored alone, gets a judgment in it by the higher score.
    """

    dialect: str
    more: tuple[str, ...] = ()
    pairs_by_scores: str | None = None
    key_policy: str | None = None
    imports: tuple[Import, ...] = ()
    teachers: Teachers | None = None

    @field_validator("imports")
    @classmethod
    def _can_be_read(cls, imports: tuple[Import, ...]) -> tuple[Import, ...]:
        require_kinds(imports, LABEL_READERS)
        return imports

    @property
    def asks(self) -> tuple[str, ...]:
        """The teachers that are models of the recipe."""
        return () if self.teachers is None else self.teachers.asks

    @property
    def dialects(self) -> tuple[str, ...]:
        """Those of the labels, of imported judgments, and that of the queue; each once."""
        queue = None if self.teachers is None else self.teachers.queue_dialect
        further = [name for name in (self.pairs_by_scores, queue) if name is not None]
        given = [name for source in self.imports for name in dialects_of(source.kind)]
        return tuple(dict.fromkeys([self.dialect, *self.more, *further, *given]))

    def rehearsed(self, rates: Rates) -> Self:
        """Each teacher simulated."""
        teachers = None if self.teachers is None else self.teachers.rehearsed(rates)
        return self.model_copy(update={"teachers": teachers})


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("questions/questions.jsonl", "responses/responses.jsonl", "split/items.jsonl")


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run, by the name the recipe gives them."""
    return import_files(config.imports, place_of)


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Label by key, by people and by teachers, and audit the labels' balance."""
    task = task_of(run_dir.header)
    dialect = load_dialect(task, config.dialect)
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    items = run_dir.read("split/items.jsonl", Item)
    dialects = (dialect, *(load_dialect(task, name) for name in config.more))
    require_items(items, dialects)
    if config.teachers is not None:
        require_scores(dialects[1:])
    read = read_imports(config.imports, questions, responses)
    require_on_scale(read.people, dialects)
    people, strays, torn = _by_people(read, items, dialect)
    elsewhere = _by_models(config, read, items, task, run_dir)
    given = LabelInputs(
        items, questions, responses, people, {}, task, dialect, config.key_policy, run_dir.seed
    )
    judgments, labels = _by_key(given, dialects)
    named_alike = (label for label in labels if label.direction is dialect.direction)
    given = replace(given, key=verdicts_of(named_alike))
    taught = _taught(config.teachers, given, run_dir, models, config.imports)
    for one in dialects[1:]:
        taught = taught.beside(
            _scored(config.teachers, replace(given, dialect=one, further=True), run_dir, models)
        )
    judgments += [*elsewhere.judgments, *taught.judgments]
    by_people = [taught.by_people.get(label.id, label) for label in people.labels]
    labels = [*labels, *elsewhere.labels, *taught.labels, *by_people]
    lost = +(read.dropped + elsewhere.counts + Counter({TORN: len(torn)}))
    require_any(labels, lost)
    require_distinct(labels, path=OUTPUTS[1])
    run_dir.write(OUTPUTS[0], judgments)
    run_dir.write(OUTPUTS[1], labels)
    for partial_file in run_dir.file("labels").glob("*.partial"):
        partial_file.unlink()
    labelled = {label.item_id for label in labels}
    torn |= elsewhere.torn
    findings = [
        *label_findings(label_table(_audited(labels, items))), *torn_findings(torn, len(items)),
        *taught.findings, *silent_key(config.key_policy, labels, len(items)),
    ]  # fmt: skip
    unlabelled = dict.fromkeys(torn, TORN) | taught.unlabelled
    return StageReport(
        taken=len(items),
        made=len(labelled),
        dropped=dict(
            Counter(unlabelled.get(item.id, NOBODY) for item in items if item.id not in labelled)
        ),
        tables={
            "labels by annotator": dict(Counter(label.annotator for label in labels)),
            "imported labels of no item": strays + elsewhere.without_item,
            **({"imported and left out": dict(lost)} if lost else {}),
            **taught.tables,
            "findings": [finding.to_dict() for finding in findings],
        },
        beside=tuple(taught.tables.get("disagreement queue", ())),
        **taught.usage.as_fields(),
    )


def _by_key(given: LabelInputs, dialects: Sequence[Dialect]) -> tuple[list[Judgment], list[Label]]:
    """What the answer key says in each dialect, where the recipe has a policy for it."""
    judgments: list[Judgment] = []
    labels: list[Label] = []
    for one in dialects if given.key_policy is not None else ():
        judged, found = judge_by_key(
            given.items, given.questions, given.responses, given.task,
            policy=str(given.key_policy), dialect=one, further=one is not given.dialect,
        )  # fmt: skip
        judgments += judged
        labels += found
    return judgments, labels


def _by_people(
    read: ImportedRows, items: Sequence[Item], dialect: Dialect
) -> tuple[ByPeople, int, dict[str, list[str]]]:
    """Labels by people from files, how many fit no item, and the items that a crowd is torn on.

    A published set names all its annotators alike. Of any other file who signs is one person.
    """
    found = []
    torn: dict[str, list[str]] = {}
    strays = 0
    for kind, rows in read.people:
        crowd = torn if kind in PUBLISHED else None
        places: dict[str, str] = {}
        labels, without_item = person_labels(rows, items, dialect.direction, crowd, places)
        found.append((kind, labels, places))
        strays += without_item
    return gathered(found), strays, torn


def _by_models(
    config: Config, read: ImportedRows, items: Sequence[Item], task: Task, run_dir: RunDir
) -> Imported:
    """Judgments and labels by models from files, and those of pairs that follow from scores."""
    kind = AnnotatorKind.MODEL.rehearsed if run_dir.header.rehearsed else AnnotatorKind.MODEL
    dialect = load_dialect(task, config.dialect)
    found = model_labels(read.models, items, dialect, partial(load_dialect, task), kind=kind)
    if config.pairs_by_scores is not None:
        asked = load_dialect(task, config.pairs_by_scores)
        judgments, labels, unsayable = pairs_by_scores(
            found.judgments, items, asked, kind=kind,
            known=known_dialects(task),
        )  # fmt: skip
        found.judgments += judgments
        found.labels += labels
        found.counts[UNSAYABLE] += unsayable
    return found


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
    if not run_dir.header.rehearsed:
        require_key([name for name in config.names if name in config.simulated_names], given)
    task, dialect = given.task, given.dialect
    if gives_scores(dialect, given.items):
        require_primary_alone(config, dialect)
        return scored_by_teacher(config, given, run_dir.partial(OUTPUTS[0]), models)
    asked = load_dialect(task, config.queue_dialect) if config.queue_dialect else dialect
    if config.policy is Policy.PERSON:
        require_rubric(asked)
    run = TeacherRun(config, given, run_dir.partial(OUTPUTS[0]), models)
    taught = run.teach(lambda look: record_look(run_dir, look))
    imported = import_files(imports, place_of).values()
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


def _scored(
    config: Teachers | None, given: LabelInputs, run_dir: RunDir, models: ModelOpener
) -> TeacherLabels:
    """What the primary teacher says in a further dialect."""
    if config is None:
        return TeacherLabels()
    begun = run_dir.partial(f"labels/judgments-{given.dialect.name}.jsonl")
    return scored_by_teacher(config, given, begun, models)


def _audited(labels: Sequence[Label], items: Sequence[Item]) -> list[LabelItem]:
    """One label per item for the audit; a teacher's outweighs the key's, a person's both."""
    bucket = {item.id: item.bucket for item in items}
    chosen = {label.item_id: label for label in labels}
    return [
        LabelItem(item_id=i, bucket=bucket[i], verdict=label.verdict.value)
        for i, label in chosen.items()
        if isinstance(label.verdict, Choice)
    ]
