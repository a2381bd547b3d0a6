"""Models to be timed, and what they are asked: the student of a run, or random weights."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.student import FromNothing, build_student, load_student
from judgesmith.judging.dialect import Dialect
from judgesmith.models.judge import requests_about, showings
from judgesmith.models.own_reference import OwnReferences
from judgesmith.models.protocol import Mode, Request, Sampling
from judgesmith.pipeline import open_run
from judgesmith.records import Finish, Item, Kind, Question, Response, index_by_id
from judgesmith.tasks import load_dialect, task_of
from judgesmith.tasks.bias.dialects import BIAS_PAIR, BIAS_PAIR_COMPACT

ORIGIN = {"source": "benchmark", "licence": "none"}


class Subject(NamedTuple):
    """A model, where it lies, and requests for each mode, those of a pair side by side.

    `ends` says whether its replies end by themselves; else they go on to `tokens`.
    """

    name: str
    folder: Path
    model: Any
    tokenizer: Any
    requests: dict[Mode, list[Request]]
    tokens: int
    ends: bool


class Random(NamedTuple):
    """A Llama of random weights: its size, its dialect, and the words of one response."""

    name: str
    size: FromNothing
    dialect: Dialect
    words: int


SMALL = Random(
    "random, the quickstart's size",
    FromNothing(width=128, layers=4, heads=4, vocabulary=2048, context=640),
    BIAS_PAIR_COMPACT,
    16,
)
LARGE = Random(
    "random, 700 tokens",
    FromNothing(width=384, layers=9, heads=6, vocabulary=8000, context=2048),
    BIAS_PAIR,
    205,
)


def student_of(folder: Path, pairs: int, tokens: int) -> Subject:
    """The student of a run with pairs of its test side."""
    run_dir, recipe = open_run(folder)
    measured: Any = recipe.sections["evaluate"]
    dialect = load_dialect(task_of(run_dir.header), measured.dialect)
    student = run_dir.file("sft/student")
    model, tokenizer = load_student(str(student))
    items = [
        i for i in run_dir.read("split/items.jsonl", Item) if i.split and i.split.value == "test"
    ]
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    random.Random(0).shuffle(items)
    local = LocalModel("m", loaded=(model, tokenizer))
    asked = requests_of(local, dialect, items[:pairs], questions, responses, tokens)
    return Subject(f"student of {folder.name}", student, model, tokenizer, asked, tokens, True)


def requests_of(
    model: LocalModel, dialect: Dialect, items: Sequence[Item], questions: dict[str, Question],
    responses: dict[str, Response], tokens: int,
) -> dict[Mode, list[Request]]:  # fmt: skip
    """What is asked about items, in each mode, with the judge's own answers."""
    sampling = Sampling(max_tokens=tokens)
    own = OwnReferences(model, [questions[i.question_id] for i in items], dialect, sampling)
    modes: tuple[Mode, ...] = ("rationale", "fast")
    return {
        mode: requests_about(
            showings(items, dialect), questions, responses,
            dialect=dialect, sampling=sampling, own=own.text, mode=mode,
        )
        for mode in modes
    }  # fmt: skip


def random_llama(kind: Random, folder: Path, pairs: int, tokens: int) -> Subject:
    """Random weights, a tokenizer of made-up words, and pairs of them; nothing ends a reply."""
    draw = random.Random(0)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el")]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(4000)]

    def text(count: int) -> str:
        return " ".join(draw.choices(words, k=count))

    told = f"{kind.dialect.system or ''}\n{kind.dialect.user}"
    build_student(kind.size, [told] * 20 + [text(200) for _ in range(400)], folder, seed=1)
    model, tokenizer = load_student(str(folder))
    model.generation_config.eos_token_id = None
    questions, responses, items = {}, {}, []
    for _ in range(pairs):
        question = Question.make(
            **ORIGIN, group_id="g", template_id=None, category=None, context=text(kind.words // 4),
            text=text(10), choices=tuple(text(2) for _ in range(3)), key=None, reference=None,
            grounding=None, task={},
        )  # fmt: skip
        two = [
            Response.make(
                **ORIGIN, question_id=question.id, model="m", sampling={}, text=text(kind.words),
                finish=Finish.STOP, task={},
            )
            for _ in range(2)
        ]  # fmt: skip
        questions[question.id] = question
        responses |= index_by_id(two)
        items.append(
            Item.make(
                **ORIGIN, kind=Kind.PAIR, question_id=question.id, split=None, bucket="b",
                response_ids=tuple(r.id for r in two), subtype=None,
            )
        )  # fmt: skip
    local = LocalModel("m", loaded=(model, tokenizer))
    asked = requests_of(local, kind.dialect, items, questions, responses, tokens)
    return Subject(kind.name, folder, model, tokenizer, asked, tokens, False)
