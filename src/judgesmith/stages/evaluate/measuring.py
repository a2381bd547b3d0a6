"""One dialect and one kind of labels -> one Evaluation, with the judges behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from judgesmith.evaluation.comparing import compare, student_and_neighbours
from judgesmith.evaluation.judges import Judge, read_judgments, read_single
from judgesmith.evaluation.replies import replies_of
from judgesmith.evaluation.score_judges import (
    ScoreJudge,
    compare_scores,
    read_scores,
    score_scores,
)
from judgesmith.evaluation.scoring import (
    Plan,
    Scored,
    SliceOfItems,
    domain_difference,
    make_slices,
    score_judge,
    slice_info,
)
from judgesmith.inference.students import margin_of
from judgesmith.judging.dialect import Dialect
from judgesmith.models.about import verdict_scale
from judgesmith.records import TIE, Item, Judgment, Kind, Split, index_by_id
from judgesmith.report.results import Evaluation, Published, Role
from judgesmith.report.score_results import Replies
from judgesmith.runs.layout import RunDir
from judgesmith.runs.students import BEFORE
from judgesmith.stages.evaluate.asking import trained_elsewhere
from judgesmith.stages.evaluate.baselines import rule_judges, score_rule_judges
from judgesmith.stages.evaluate.config import Config, Part, labels_kind
from judgesmith.stages.evaluate.examples import pick_examples, pick_score_examples
from judgesmith.stages.evaluate.labelled_side import LabelledSide
from judgesmith.stages.evaluate.own_answers import own_answers
from judgesmith.stages.evaluate.scored_rows import item_rows, score_rows_of, scored
from judgesmith.tasks import Task

Rows = Sequence[tuple[Item, Scored]]


@dataclass(frozen=True)
class Asked:
    """One part of the recipe with its labelled items and what its students said of them."""

    part: Part
    dialect: Dialect
    found: LabelledSide
    judgments: Mapping[str, list[Judgment]]


@dataclass(frozen=True)
class Measured:
    """One part, measured: its results, and what the comparison of parts starts from."""

    asked: Asked
    evaluation: Evaluation
    judges: tuple[Judge, ...]
    scored: tuple[ScoreJudge, ...]
    rows: tuple[Scored, ...]
    parts: tuple[SliceOfItems, ...]
    plan: Plan


@dataclass(frozen=True)
class Setting:
    """What all parts share."""

    config: Config
    run_dir: RunDir
    task: Task
    looks: int


def roles(students: Sequence[str]) -> dict[str, Role]:
    """What each of a run's own models is in the tables; the gate decides on the first.

    >>> roles(["after DPO", "student", "before training"])
    {'after DPO': 'student', 'student': 'judge', 'before training': 'before training'}
    """
    rest: dict[str, Role] = {
        name: "before training" if name == BEFORE else "judge" for name in students[1:]
    }
    return {students[0]: "student", **rest}


def measure(asked: Asked, setting: Setting) -> Measured:
    """Score every judge on every slice, compare them, and pick examples."""
    if asked.found.form == "scores":
        return _measure_scores(asked, setting)
    return _measure_verdicts(asked, setting)


def _measure_verdicts(asked: Asked, setting: Setting) -> Measured:
    found, dialect = asked.found, asked.dialect
    scale = verdict_scale(dialect)
    extra = sorted({*found.labels.values()} - {*scale.values})
    two = dialect.kind is Kind.PAIR and dialect.scored
    plan = _plan(setting, (*scale.values, *extra), two_scores=two)
    judges = [
        _read(name, role, asked, setting) for name, role in roles(asked.part.students).items()
    ]
    policies = setting.config.key_policies
    judges += rule_judges(found, setting.task, policies, dialect, setting.run_dir.seed)
    rows = [
        (i, scored(i, found.labels[i.id], found.questions[i.question_id], found.responses,
                   setting.task.slices))
        for i in found.items
    ]  # fmt: skip
    parts = _slices(rows)
    evaluation = _common(asked, setting, parts, plan).model_copy(
        update={
            "direction": f"a verdict names the {dialect.direction} response",
            "judges": tuple(score_judge(judge, parts, plan) for judge in judges),
            "comparisons": compare(student_and_neighbours(judges), parts, plan),
            "domain_difference": domain_difference(judges[0], parts, plan),
            "examples": pick_examples(
                judges[0], found.items, found.labels, found.questions, found.responses,
                count=setting.config.examples, seed=setting.run_dir.seed,
            ),
        }
    )  # fmt: skip
    of_rows = tuple(row for _, row in rows)
    return Measured(asked, evaluation, tuple(judges), (), of_rows, tuple(parts), plan)


def _measure_scores(asked: Asked, setting: Setting) -> Measured:
    found, dialect = asked.found, asked.dialect
    plan = _plan(setting, dialect.scale.values)
    rows = score_rows_of(found.items, found.scores, found.questions, setting.task.slices)
    parts = _slices(rows)
    items = index_by_id(found.items)
    students = [
        read_scores(name, role, asked.judgments[name], items, note=_note(name, asked, setting))
        for name, role in roles(asked.part.students).items()
    ]
    policies, seed = setting.config.key_policies, setting.run_dir.seed
    rules = score_rule_judges(found, rows, setting.task, policies, dialect, seed)
    judges = [*students, *rules]
    against = [one for one in rules if one.on_scale and one.name != "mean"]
    pairs = [*pairwise(students), *((students[0], other) for other in (*students[2:], *against))]
    evaluation = _common(asked, setting, parts, plan).model_copy(
        update={
            "form": "scores",
            "direction": f"a higher score is {dialect.direction}" if dialect.direction else "",
            "scored": tuple(score_scores(judge, parts, plan) for judge in judges),
            "comparisons": compare_scores(pairs, parts, plan),
            "examples": pick_score_examples(
                students[0], rows, found.questions, found.responses,
                count=setting.config.examples, seed=seed,
            ),
        }
    )  # fmt: skip
    of_rows = tuple(row for _, row in rows)
    return Measured(asked, evaluation, (), tuple(judges), of_rows, tuple(parts), plan)


def _read(name: str, role: Role, asked: Asked, setting: Setting) -> Judge:
    margin = margin_of(name, asked.dialect, setting.run_dir)
    note = _note(name, asked, setting)
    return read_verdicts(name, role, asked.judgments[name], asked.dialect, margin=margin, note=note)


def read_verdicts(
    name: str, role: Role, said: Sequence[Judgment], dialect: Dialect, *, margin: float | None,
    note: str = "",
) -> Judge:  # fmt: skip
    """A student's verdicts: of both orders, of two scores, or on a single response.

    `margin` is its tie margin where it scores each response alone (`margin_of`).
    """
    if dialect.kind is Kind.SINGLE and not dialect.scored:
        return read_single(name, role, said, note=note)
    tie = TIE if verdict_scale(dialect).has_tie else None
    return read_judgments(name, role, said, tie=tie, margin=margin, note=note)


def _note(name: str, asked: Asked, setting: Setting) -> str:
    said = own_answers(asked.judgments[name], asked.found, setting.task, asked.dialect)
    elsewhere = trained_elsewhere(setting.run_dir, name, asked.dialect)
    return "; ".join(part for part in (said, elsewhere) if part)


def _plan(setting: Setting, scale: tuple[str, ...], *, two_scores: bool = False) -> Plan:
    config = setting.config
    return Plan(
        seed=setting.run_dir.seed, resamples=config.resamples,
        slice_resamples=config.slice_resamples, confidence=config.confidence, least=config.least,
        scale=scale, two_scores=two_scores,
    )  # fmt: skip


def _slices(rows: Rows) -> list[SliceOfItems]:
    sides = ([row for item, row in rows if item.split is s] for s in (Split.TEST, Split.HELD_OUT))
    return make_slices(*sides)


def _common(
    asked: Asked, setting: Setting, parts: Sequence[SliceOfItems], plan: Plan
) -> Evaluation:
    """What both forms of results say alike."""
    config = setting.config
    return Evaluation(
        labels_kind=labels_kind(asked.part.labels),
        labels_title=asked.found.title,
        direction="",
        confidence=config.confidence,
        resamples=config.resamples,
        test_looks=setting.looks,
        slices=tuple(slice_info(part) for part in parts),
        judges=(),
        comparisons=(),
        domain_difference=None,
        published=tuple(Published(**entry.model_dump()) for entry in asked.part.published),
        examples=(),
        dialect=asked.dialect.name,
        replies=_replies(asked, plan),
    )


def _replies(asked: Asked, plan: Plan) -> tuple[Replies, ...]:
    """What became of the students' replies, by domain and bucket."""
    parts = _slices(item_rows(asked.found.items, asked.found.questions))
    return tuple(
        row
        for name in asked.part.students
        for row in replies_of(name, asked.judgments[name], parts, plan)
    )
