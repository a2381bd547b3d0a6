"""The stage: from labelled items to preference rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field

from judgesmith.audits import Finding, Severity, stop_on_errors
from judgesmith.errors import DataError, RecipeError, nearest
from judgesmith.evaluation.learnt import learnt_labels
from judgesmith.judging.dialect import require_direction
from judgesmith.judging.taken_over import means_the_same
from judgesmith.models.asking import Usage
from judgesmith.models.origins import Origins
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    AnnotatorKind,
    Item,
    Judgment,
    Kind,
    Label,
    PreferenceRow,
    Question,
    Response,
    Split,
    index_by_id,
)
from judgesmith.runs.endpoint import model_terms
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.stages.preferences.contrasts import Materials
from judgesmith.stages.preferences.gathering import (
    have_written,
    learnable,
    misread,
    require_policy,
)
from judgesmith.stages.preferences.quality import quality
from judgesmith.stages.preferences.selection import Candidate, Selection, select
from judgesmith.stages.preferences.written import Writer, WrittenBy, open_writer
from judgesmith.tasks import Task, known_dialects, load_dialect, task_of

VERSION = 4
OUTPUTS = ("preferences/preferences.jsonl",)
UNSAYABLE = "mistakes whose reason no reply can hold"


class Config(Section):
    """`dialect` is how the student will be asked; `labels` whose verdicts are the chosen ones.

    Of teachers' labels those are taken, too, that a person decided by the policy `person`.
    `count` is the most rows on each side of the split, both orders of a pair counted; `modes` the
    failure modes, all of the task's where none is named; `separability` the highest upper 95%
    bound of the accuracy with which words may tell chosen from rejected. With `teacher` a model
    writes the rejected replies; without, facts of the answer key are misread.
    """

    dialect: str
    labels: AnnotatorKind = AnnotatorKind.KEY
    count: int = Field(4000, gt=1)
    modes: tuple[str, ...] = ()
    separability: float = Field(0.6, gt=0.5, le=1)
    teacher: WrittenBy | None = None

    @property
    def asks(self) -> tuple[str, ...]:
        """The writer of the rejected replies, if it is a model of the recipe."""
        return () if self.teacher is None else self.teacher.asks

    def rehearsed(self, rates: Rates) -> Self:
        """The writer simulated, and labels by simulated teachers in place of real ones."""
        teacher = None if self.teacher is None else self.teacher.rehearsed(rates)
        return self.model_copy(update={"teacher": teacher, "labels": self.labels.rehearsed})


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return (
        "questions/questions.jsonl",
        "responses/responses.jsonl",
        "split/items.jsonl",
        "labels/judgments.jsonl",
        "labels/labels.jsonl",
    )


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def modes_of(config: Config, task: Task) -> tuple[str, ...]:
    """The failure modes to use; one that the task does not have is refused."""
    for mode in config.modes:
        if mode not in task.mistake_modes:
            raise RecipeError(
                f"preferences.modes: task {task.name!r} has no mode {mode!r}; "
                f"{nearest(mode, task.mistake_modes)}"
            )
    return config.modes or task.mistake_modes


def choose(
    by_side: Mapping[Split, Sequence[Candidate]], count: int, dropped: Counter[str]
) -> dict[Split, Selection]:
    """What to use on every side; the items left out are added to `dropped`."""
    chosen = {side: select(found, count) for side, found in by_side.items()}
    for side, found in by_side.items():
        most = max((len(one.contrasts) for one in found), default=0)
        full = chosen[side].rows + most > count
        reason = "over preferences.count" if full else "nothing evens its mistakes out"
        left = {one.item_id for one in found} - {one.item_id for one in chosen[side].taken}
        dropped[reason] += len(left)
    return chosen


def _arguable(materials: Materials, by_side: Mapping[Split, Sequence[Candidate]]) -> Sequence[str]:
    """The modes that can be argued: of a response alone, some leave every word as it was."""
    if materials.dialect.kind is not Kind.SINGLE:
        return materials.modes
    found = {candidate.mode for candidates in by_side.values() for candidate in candidates}
    return [mode for mode in materials.modes if mode in found]


def _materials(config: Config, run_dir: RunDir) -> Materials:
    task = task_of(run_dir.header)
    return Materials(
        questions=index_by_id(run_dir.read("questions/questions.jsonl", Question)),
        responses=index_by_id(run_dir.read("responses/responses.jsonl", Response)),
        task=task,
        dialect=load_dialect(task, config.dialect),
        modes=modes_of(config, task),
        seed=run_dir.seed,
        writer=None if config.teacher is None else config.teacher.model,
    )


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Make mistakes, choose evenly among them, audit the rows, and only then write them."""
    materials = _materials(config, run_dir)
    items = run_dir.read("split/items.jsonl", Item)
    labels = learnt_labels(run_dir.read("labels/labels.jsonl", Label), config.labels)
    require_direction(labels.values(), materials.dialect, setting="preferences.dialect")
    if config.teacher is None:
        require_policy(labels.values(), materials.task)
    by_id = index_by_id(items)
    judgments = index_by_id(run_dir.read("labels/judgments.jsonl", Judgment))
    known = known_dialects(task_of(run_dir.header))
    meant = {
        one.id: one
        for one in judgments.values()
        if means_the_same(known.get(one.dialect), materials.dialect, one)
    }
    labelled, dropped = learnable(items, labels, meant, materials.dialect)
    writer = None
    if config.teacher is None:
        by_side = misread(labelled, materials, dropped)
    else:
        model = open_writer(config.teacher, materials, by_id, models)
        writer = Writer(config.teacher, materials, model)
        by_side = have_written(labelled, writer, materials.dialect, dropped)
    selections = choose(by_side, config.count, dropped)
    chosen = [one for selection in selections.values() for one in selection.taken]
    rows = [row for one in chosen for row in materials.rows(by_id[one.item_id], one)]
    origins = Origins(
        materials.questions, materials.responses, model_terms(run_dir.header.models)
    )  # fmt: skip
    rows = origins.licensed(rows, by_id, labels, judgments.values(), writers=config.asks)
    _require_training_rows(rows, by_side[Split.TRAIN])
    groups = {item.id: materials.questions[item.question_id].group_id for item in items}
    left_out = selections[Split.TRAIN].without
    planned = [mode for mode in _arguable(materials, by_side) if mode not in left_out]
    tables, findings = quality(
        rows, groups, materials.dialect, modes=planned, ceiling=config.separability
    )
    findings += [_left_out(mode, n, len(rows)) for mode, n in left_out.items()]
    stop_on_errors(findings)
    run_dir.write(OUTPUTS[0], rows)
    return StageReport(
        taken=len(items),
        made=len({row.item_id for row in rows}),
        dropped={reason: n for reason, n in dropped.items() if n},
        tables={
            "rows by side": dict(Counter(row.split.value for row in rows)),
            "rows by mode": _by_mode(chosen),
            "mistakes to choose from": _by_mode(one for side in by_side.values() for one in side),
            **({UNSAYABLE: dict(sorted(lost.items()))} if (lost := materials.unsayable) else {}),
            "modes left out": {side.value: found.without for side, found in selections.items()},
            "rows by right and wrong verdict": dict(sorted(_verdicts(chosen).items())),
            "dialect": materials.dialect.name,
            **({} if writer is None else {"written by a teacher": writer.tables()}),
            **tables,
            "findings": [finding.to_dict() for finding in findings],
        },
        **(Usage() if writer is None else writer.usage).as_fields(),
    )


def _require_training_rows(rows: Sequence[PreferenceRow], found: Sequence[Candidate]) -> None:
    if any(row.split is Split.TRAIN for row in rows):
        return
    flows = ", ".join(f"{flow}: {n}" for flow, n in sorted(_verdicts(found).items())) or "none"
    raise DataError(
        "preferences: expected training mistakes whose verdicts can be evened out, so that each "
        f"verdict is as often wrong as right; found (right to wrong verdict, rows) {flows}. Allow "
        "more failure modes (preferences.modes), or add buckets in which those verdicts are right."
    )


def _left_out(mode: str, possible: int, made: int) -> Finding:
    return Finding(
        audit="modes",
        severity=Severity.WARNING,
        message=(
            f"{mode} is left out: too rarely is right what it ends in, so with it only {possible} "
            f"training rows of even words and verdicts were possible; without it there are {made} "
            "rows on all sides"
        ),
        count=0,
        of=made,
        examples=(),
        effect="preferences do not train against this mistake",
        remedy=(
            "add a bucket in which what it ends in is right, such as two tracked stereotypes, or "
            "ask for fewer rows (preferences.count)"
        ),
    )


def _by_mode(candidates: Iterable[Candidate]) -> dict[str, int]:
    """Rows per failure mode."""
    counts: Counter[str] = Counter()
    for one in candidates:
        counts[one.mode] += len(one.contrasts)
    return dict(sorted(counts.items()))


def _verdicts(candidates: Iterable[Candidate]) -> Counter[str]:
    """Rows per right and wrong verdict."""
    contrasts = (found for one in candidates for found in one.contrasts)
    return Counter(f"{found.right} to {found.wrong}" for found in contrasts)
