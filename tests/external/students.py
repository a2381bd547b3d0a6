"""Trains the models of the server: small Llamas from random weights, by the `sft` stage's trainer.

    python students.py RUN OUT NAME ...

RUN has the questions that they will be asked; each named student appears in OUT/NAME/student. All
have one tokenizer. Generators go on from one student that answers in every voice. The second and
third teacher learn to judge pairs; the first goes on from where the third stopped and learns to
write mistakes as well, so no two are the same.
"""

import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import server_recipes
from lesson_rows import Lessons, mostly_without_system

from judgesmith.backends.loading import load
from judgesmith.backends.sft_trl import Training, train_sft
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.backends.threads import choose_bf16
from judgesmith.pipeline import open_run
from judgesmith.records import Question, SftRow
from judgesmith.runs.jsonl import write_json
from judgesmith.tasks import load_task

SIZE = FromNothing(width=96, layers=3, heads=2, vocabulary=1024, context=1024)
SIZE_NOTE = "from_nothing.json"
ANSWERING = "answering"
"""A student that answers in every voice; each generator goes on from it with one."""


class Course(NamedTuple):
    """How one student is trained: its rows, how long, and which student it goes on from."""

    rows: Callable[[Lessons], list[SftRow]]
    steps: int
    batch: int
    rate: float
    seed: int
    after: str | None = None


def courses() -> dict[str, Course]:
    """The course of every student, in an order in which they can be trained."""
    tree = server_recipes.shipped()
    cast = server_recipes.cast(tree)
    found = {
        cast.third: Course(judge, steps=300, batch=32, rate=6e-3, seed=21),
        cast.teacher: Course(judge_and_err, steps=340, batch=32, rate=4e-3, seed=23,
                             after=cast.third),
        cast.second: Course(judge, steps=400, batch=32, rate=6e-3, seed=22),
        ANSWERING: Course(answer, steps=300, batch=16, rate=6e-3, seed=30),
    }  # fmt: skip
    for number, name in enumerate(cast.generators):
        found[name] = Course(
            partial(answer, only=name), steps=40, batch=16, rate=3e-3, seed=31 + number,
            after=ANSWERING,
        )  # fmt: skip
    return found


def groups() -> tuple[list[str], list[str]]:
    """The students in two groups that take about as long, one for each core."""
    cast = server_recipes.cast(server_recipes.shipped())
    return [cast.third, cast.teacher], [cast.second, ANSWERING, *cast.generators]


def answer(lessons: Lessons, only: str | None = None) -> list[SftRow]:
    """Rows of all generators, or of one."""
    return [
        row
        for voice, entry in enumerate(server_recipes.shipped()["responses"]["generators"])
        if only in (None, entry["model"])
        for row in lessons.answering(entry, voice)
    ]


def judge(lessons: Lessons) -> list[SftRow]:
    """Rows of a judge."""
    return mostly_without_system(lessons.judging(), 0.2)


def judge_and_err(lessons: Lessons) -> list[SftRow]:
    """Rows of a judge that writes mistakes, too; of each as many as of the other."""
    erring = lessons.erring()
    return mostly_without_system([*lessons.judging()[: len(erring)], *erring], 0.3)


def train(name: str, lessons: Lessons, out: Path) -> None:
    """One student, into `out / name / "student"`."""
    course = courses()[name]
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    base = folder / "before"
    if course.after is None:
        build_student(SIZE, _all_texts(lessons), base, course.seed)
    else:
        shutil.copytree(out / course.after / "student", base)
        (base / SIZE_NOTE).write_text(SIZE.model_dump_json())
    training = Training(
        base=str(base), folder=folder, learning_rate=course.rate, batch=course.batch,
        steps=course.steps, eval_every=course.steps, max_length=SIZE.context, seed=course.seed,
        trl={}, peft=None, bf16=choose_bf16(folder / "machine.json"),
    )  # fmt: skip
    trained = train_sft(training, course.rows(lessons), [], lambda student: None)
    write_json(folder / "training.json", {"curve": trained.log, **trained.counts})


def _all_texts(lessons: Lessons) -> list[str]:
    """What the tokenizer of all students is trained on."""
    rows = [*lessons.judging(), *lessons.erring(), *answer(lessons)]
    return [
        text for row in rows for text in (*(turn.content for turn in row.prompt), row.completion)
    ]


def lessons_of(folder: Path) -> Lessons:
    """The lessons on a run's questions, in the dialect in which its teachers are asked."""
    run_dir, recipe = open_run(folder)
    questions = run_dir.read("questions/questions.jsonl", Question)
    return Lessons.of(questions, load_task(recipe.header.task), recipe.plain["labels"]["dialect"])


def main(run: Path, out: Path, names: Sequence[str]) -> None:
    """Train the named students one after the other, on one core."""
    load("torch").set_num_threads(1)
    lessons = lessons_of(run)
    for name in names:
        train(name, lessons, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
