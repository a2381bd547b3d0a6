"""Source files -> questions.

in   the sources that the recipe names
out  questions/questions.jsonl
run  judgesmith run RECIPE --until questions
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, field_validator

from judgesmith.audits import SurfaceQuestion, surface_findings, surface_table
from judgesmith.backends.hub import find_source, place_of
from judgesmith.errors import DataError
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Question, index_by_id
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.sources import (
    QUESTION_READERS,
    Reading,
    count_dropped,
    mapping_files,
    mapping_of,
    reader,
    require_kinds,
)
from judgesmith.sources.bank import shipped_bank
from judgesmith.tasks import Task, task_of
from judgesmith.tasks.strata import sample_evenly, stratum

VERSION = 2
OUTPUTS = ("questions/questions.jsonl",)


class Source(Reading):
    """Where questions come from; `count` takes an evenly stratified sample, None takes all."""

    path: str | None = None
    count: int | None = Field(None, gt=0)


class Config(Section):
    """`sources` are read in order; a question that an earlier source gave is not read twice."""

    sources: tuple[Source, ...]

    @field_validator("sources")
    @classmethod
    def _can_be_read(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        require_kinds(sources, QUESTION_READERS)
        return sources


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads: none."""
    return ()


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run, by the name the recipe gives them."""
    given = {s.path: place_of(s.path) for s in config.sources if s.path is not None}
    shipped = any(s.kind == "bank" and s.path is None for s in config.sources)
    given |= mapping_files(config.sources)
    return given | ({"the shipped bank": shipped_bank()} if shipped else {})


def composition(questions: Iterable[Question], strata: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many questions each value of each stratum has."""
    table: dict[str, Counter[str]] = {name: Counter() for name in strata}
    for question in questions:
        for name in strata:
            table[name][stratum(question, name)] += 1
    return {name: dict(sorted(counts.items())) for name, counts in table.items()}


def surfaces(questions: Iterable[Question]) -> list[SurfaceQuestion]:
    """Questions with choices and a key, without their context.

    Where a question was made from no template, it is held out with its own group.
    """
    found = []
    for question in questions:
        if question.key is None or question.choices is None or len(question.choices) < 2:
            continue
        unknown = question.task.get("unknown")
        found.append(
            SurfaceQuestion(
                question_id=question.id,
                template_id=question.template_id or question.group_id,
                text=question.text,
                choices=question.choices,
                key=question.key,
                unknown=unknown if isinstance(unknown, int) else None,
            )
        )
    return found


def annotate(task: Task, question: Question) -> Question:
    """The question with the task's derived fields.

    Raises DataError where the question lacks a field that the task derives them from, or has one
    that it cannot use.
    """
    try:
        return task.annotate_question(question)
    except KeyError as error:
        wrong = f"needs the field {error.args[0]!r}, found {sorted(question.task)}"
    except ValueError as error:
        wrong = f"cannot use the fields {question.task}: {error}"
    raise DataError(
        f"question {question.id} ({question.source}, {question.text[:60]!r}): task {task.name!r} "
        f"{wrong}. In a log, name the columns that hold the fields under question.fields; without "
        "such columns the log is for another task."
    )


class Collected(NamedTuple):
    """The questions taken from a source, and how many it gave, that were new, and each once."""

    questions: list[Question]
    read: int
    fresh: int
    unique: int


def collect(
    records: Iterable[Question], known: Collection[str], strata: Sequence[str],
    count: int | None, seed: int,
) -> Collected:  # fmt: skip
    """The source's new questions, or an even sample of `count`, held in little memory.

    The sample is that of `sample_evenly` over all of them. Of each cell no more than `count` can be
    drawn, so the others are let go while the source is still being read.
    """
    held: dict[str, Question] = {}
    seen: set[str] = set()
    read = fresh = 0
    limit = 4 * (count or 0) + 1000
    for question in records:
        read += 1
        if question.id in known:
            continue
        fresh += 1
        if question.id in held or question.id not in seen:
            held[question.id] = question
        seen.add(question.id)
        if count is not None and len(held) > limit:
            held = index_by_id(first_of_cells(held.values(), strata, count, seed))
            limit = max(limit, 2 * len(held))
    found = list(held.values())
    if count is not None:
        found = sample_evenly(found, strata, count, seed)
    return Collected(found, read, fresh, len(seen))


def first_of_cells(
    questions: Iterable[Question], strata: Sequence[str], count: int, seed: int
) -> list[Question]:
    """Of each combination of strata the questions that an even sample may reach."""
    cells: dict[tuple[str, ...], list[Question]] = defaultdict(list)
    for question in questions:
        cells[tuple(stratum(question, name) for name in strata)].append(question)
    return [q for members in cells.values() for q in sample_evenly(members, (), count, seed)]


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Read, sample, annotate and audit the questions."""
    task = task_of(run_dir.header)
    kept: dict[str, Question] = {}
    read = 0
    dropped: Counter[str] = Counter()
    for source in config.sources:
        path = None if source.path is None else find_source(source.path)
        left_out: Counter[str] = Counter()
        records = reader(QUESTION_READERS, source.kind)(path, *mapping_of(source))
        found = collect(
            count_dropped(records, left_out), kept, task.strata, source.count, run_dir.seed
        )
        read += found.read + left_out.total()
        dropped += left_out
        dropped["read from an earlier source"] += found.read - found.fresh
        dropped["the same question twice"] += found.fresh - found.unique
        dropped["not sampled"] += found.unique - len(found.questions)
        unique = found.questions
        kept.update(index_by_id(unique))
    questions = [annotate(task, question) for question in kept.values()]
    run_dir.write(OUTPUTS[0], questions)
    surface = surface_table(surfaces(questions), seed=run_dir.seed)
    undecided = Counter(q.category or "" for q in questions if q.task.get("target", 0) is None)
    tables = {
        "composition": composition(questions, task.strata),
        "undecidable by category": dict(sorted(undecided.items())),
        "undecidable": [q.group_id for q in questions if q.task.get("target", 0) is None],
        "surface": surface.to_dict(),
        "findings": [finding.to_dict() for finding in surface_findings(surface)],
    }
    return StageReport(taken=read, made=len(questions), dropped=+dropped, tables=tables)
