"""What is special to one kind of judging. The core asks a task; it knows none.

A task is a package with an object `TASK` of the protocol below, its dialects, and its recipes. To
the dialects of a task come those of the library and those that a recipe writes itself.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

from judgesmith.errors import DataError, RecipeError, nearest
from judgesmith.judging.dialect import PAIR_SCALE, Dialect, Scale
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.prompt_names import renamed
from judgesmith.models.protocol import Model
from judgesmith.records import (
    Choice,
    Direction,
    Question,
    Response,
    Scores,
    Verdict,
    choice,
    reorder,
)
from judgesmith.runs.layout import Header

TASKS = {"bias": "judgesmith.tasks.bias:TASK", "general": "judgesmith.tasks.general:TASK"}

BaselineRule = Callable[[Question, Sequence[Response]], Choice | None]
"""A rule without training: a question and responses in item order -> verdict in item order."""


class KeyJudgment(NamedTuple):
    """What an answer key says of responses in the order shown, and the reason in words."""

    verdict: Verdict
    rationale: str


class Mistake(NamedTuple):
    """A wrong judgment of responses in the order shown, argued in the task's own words.

    `mode` names the way to fail, `fact` the one fact that was misread, in words that do not depend
    on the order shown: both orders of a pair have the same fact. `judgment` is what follows.
    """

    mode: str
    fact: str
    judgment: KeyJudgment


class ResponseOutcome(NamedTuple):
    """What a response is good for in a pool of responses to judge.

    `parsed` says whether its answer could be read, `biased` whether it has the fault that the
    task's judges look for; one that was not parsed is not biased.
    """

    parsed: bool
    biased: bool


class Task(Protocol):
    """Everything that the stages ask of a task.

    `version` is raised when a derived field, a bucket preset or a rationale changes. `strata` are
    the names, among category and task fields, by which questions are sampled evenly. `slices` are
    the names by which results are broken down besides bucket and category. `mistake_modes` are the
    failure modes of `mistaken_judgments`; `mistake_briefs` tells a writer of each in one sentence
    what a judge that fails in this way gets wrong. `responder_rates` are what the spec of a
    simulated model may state besides its name. `key_direction` is what a letter of the key's
    verdicts names, and what its higher score is. `glossary` says what the names of key policies and
    of buckets mean, to a reader who knows neither.
    """

    name: str
    version: int
    strata: tuple[str, ...]
    slices: tuple[str, ...]
    dialects: Mapping[str, Dialect]
    bucket_presets: Mapping[str, Sequence[Mapping[str, Any]]]
    key_policies: tuple[str, ...]
    glossary: Mapping[str, str]
    key_direction: Direction
    mistake_modes: tuple[str, ...]
    mistake_briefs: Mapping[str, str]
    hedge_phrases: Sequence[str]
    responder_rates: Collection[str]

    def annotate_question(self, question: Question) -> Question:
        """The question with the task's derived fields."""
        ...

    def annotate_response(self, response: Response, question: Question) -> Response:
        """The response with the task's derived fields."""
        ...

    def response_outcome(self, response: Response) -> ResponseOutcome:
        """What an annotated response is good for; dry runs of responding models count it."""
        ...

    def simulated_model(
        self, spec: Mapping[str, Any], questions: Mapping[str, Question], seed: int
    ) -> Model:
        """A responder that answers the questions with stated error rates, without a model."""
        ...

    def responder_prompt(self, question: Question) -> str:
        """The words in which a responding model is asked the question."""
        ...

    def judge_by_key(
        self,
        question: Question,
        responses: Sequence[Response],
        policy: str,
        scale: Scale = PAIR_SCALE,
    ) -> KeyJudgment | None:
        """The answer key's verdict on responses in the order shown; None where it has none.

        It is a score for each response where `scale` has scores, else one of its choices.
        """
        ...

    def write_reference(self, question: Question) -> str | None:
        """The key's answer in the words of a judge that answers first; None without a key."""
        ...

    def mistaken_judgments(
        self, question: Question, responses: Sequence[Response], policy: str
    ) -> Sequence[Mistake]:
        """Coherent judgments whose verdict the answer key says is wrong, by failure mode."""
        ...

    def right_choice(self, question: Question, response: Response) -> bool | None:
        """Whether a response chose what the context settles; None where that is not the question.

        How often it did must not be what a student learns, see `rows.even`.
        """
        ...

    def baselines(self) -> Mapping[str, BaselineRule]:
        """The task's own rules without training, by name."""
        ...


def load_task(name: str) -> Task:
    """The task of a name; an unknown one lists the known."""
    if name not in TASKS:
        raise RecipeError(f"unknown task {name!r}; {nearest(name, TASKS)}")
    module, _, attribute = TASKS[name].partition(":")
    return cast(Task, getattr(import_module(module), attribute))


def task_of(header: Header) -> Task:
    """The task of a recipe, with its own dialects, the library's and those the recipe writes.

    Raises RecipeError where a dialect of the recipe has the name of another.
    """
    task = copy(load_task(header.task))
    known = {**LIBRARY, **task.dialects}
    taken = sorted(known.keys() & header.dialects.keys())
    if taken:
        raise RecipeError(
            f"dialects.{taken[0]}: the name is that of a dialect that exists. Give yours another, "
            "so that nobody takes one for the other."
        )
    task.dialects = {**known, **header.dialects}
    return task


def key_judgment(
    task: Task, question: Question, responses: Sequence[Response], policy: str, dialect: Dialect
) -> KeyJudgment | None:
    """The answer key's judgment as a dialect says it, of responses in the order shown.

    Where the dialect's letters name the other side than the key's do, letters change places, and
    scores are mirrored on the scale; the reason stays, as it says what was found. It calls the
    responses what the dialect's prompt calls them.
    """
    found = task.judge_by_key(question, responses, policy, dialect.scale)
    if found is not None:
        found = found._replace(rationale=renamed(found.rationale, dialect))
    if found is None or dialect.direction in (None, task.key_direction):
        return found
    return found._replace(verdict=_other_side(found.verdict, dialect.scale))


def _other_side(verdict: Verdict, scale: Scale) -> Verdict:
    if scale.low is None or scale.high is None:
        return reorder(verdict, (1, 0)) if isinstance(verdict, Choice) else verdict
    both = scale.low + scale.high
    if isinstance(verdict, Scores):
        turned = tuple(both - value for value in verdict.values)
        return Scores(kind="scores", values=turned, criteria=None)
    return choice(f"{both - float(verdict.value):g}") if isinstance(verdict, Choice) else verdict


def key_reference(task: Task, dialect: Dialect, question: Question) -> str | None:
    """What a judge of this dialect should answer before it judges; None where it is not asked.

    Raises DataError where it is asked and the question has no key to learn the answer from.
    """
    if not dialect.answers_first(question):
        return None
    told = task.write_reference(question)
    if told is None:
        raise DataError(
            f"question {question.id}: dialect {dialect.name!r} has the judge answer first, so a "
            "row needs the question's key, and this one has none. Bring keys, or choose a dialect "
            "that does not ask for a reference."
        )
    return told


def known_dialects(task: Task) -> dict[str, Dialect]:
    """The dialects that a recipe can name, by their hashes."""
    return {dialect.hash: dialect for dialect in task.dialects.values()}


def load_dialect(task: Task, name: str) -> Dialect:
    """A task's dialect by name."""
    if name not in task.dialects:
        raise RecipeError(
            f"unknown dialect {name!r} of task {task.name!r}; {nearest(name, task.dialects)}"
        )
    return task.dialects[name]
