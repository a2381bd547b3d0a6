"""Questions -> responses, from simulated responders and from files, classified once.

in   questions/questions.jsonl, and files of existing responses
out  responses/responses.jsonl
run  judgesmith run RECIPE --until responses
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from judgesmith.errors import RecipeError
from judgesmith.models.protocol import Model, ModelOpener, Request, Sampling
from judgesmith.records import Message, Question, Response, index_by_id
from judgesmith.runs.jsonl import PartialFile
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.outside import find_outside
from judgesmith.runs.progress import progress_bar
from judgesmith.runs.recipe import Section
from judgesmith.sources import (
    RESPONSE_READERS,
    Import,
    count_dropped,
    import_files,
    mapping_of,
    reader,
)
from judgesmith.tasks import Task, load_task

VERSION = 1
OUTPUTS = ("responses/responses.jsonl",)
CHUNK = 256


class Config(Section):
    """Who answers.

    Each entry of `simulated` is a responder in the task's own words. Simulated responders leave
    questions alone that have an imported response.
    """

    imports: tuple[Import, ...] = ()
    simulated: tuple[dict[str, Any], ...] = ()
    sampling: Sampling = Sampling(temperature=0.7, max_tokens=300)


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("questions/questions.jsonl",)


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run, by the name the recipe gives them."""
    return import_files(config.imports)


def ask(
    model: Model, questions: Sequence[Question], task: Task, sampling: Sampling
) -> Iterator[tuple[Response, int, int, float]]:
    """Each question's response, with prompt tokens, completion tokens and cost in US dollars."""
    requests = [
        Request(
            record_id=question.id,
            messages=(Message(role="user", content=task.responder_prompt(question)),),
            sampling=sampling,
        )
        for question in questions
    ]
    for question, completion in zip(questions, model.complete(requests), strict=True):
        response = Response.make(
            source=f"model {model.name}",
            licence=question.licence,
            question_id=question.id,
            model=model.name,
            sampling=sampling.as_fields(),
            text=completion.text,
            finish=completion.finish,
            task={},
        )
        yield (
            task.annotate_response(response, question),
            completion.prompt_tokens,
            completion.completion_tokens,
            completion.cost_usd,
        )


def count_by_model(
    responses: Sequence[Response], value: Callable[[Response], str]
) -> dict[str, dict[str, int]]:
    """How often each value occurs, by responding model."""
    table: dict[str, Counter[str]] = {}
    for response in responses:
        table.setdefault(response.model, Counter())[value(response)] += 1
    return {model: dict(sorted(counts.items())) for model, counts in sorted(table.items())}


def read_import(
    source: Import, questions: dict[str, Question], dropped: Counter[str]
) -> Iterator[Response]:
    """The responses of one import; those that its reader leaves out are counted by reason."""
    read = reader(RESPONSE_READERS, source.kind)
    found = read(find_outside(source.path), questions, *mapping_of(source))
    return count_dropped(found, dropped)


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Import what exists, ask the responders for the rest, and classify everything once."""
    task = load_task(run_dir.header.task)
    questions = run_dir.read("questions/questions.jsonl", Question)
    by_id = index_by_id(questions)
    dropped: Counter[str] = Counter()
    imported = [
        task.annotate_response(response, by_id[response.question_id])
        for source in config.imports
        for response in read_import(source, by_id, dropped)
    ]
    answered = {response.question_id for response in imported}
    open_questions = [q for q in questions if q.id not in answered]
    responders = [task.simulated_model(spec, by_id, run_dir.seed) for spec in config.simulated]
    _check_names(responders, imported)
    partial = run_dir.partial(OUTPUTS[0])
    asked, usage = _ask_all(responders, open_questions, task, config.sampling, partial)
    responses = [*imported, *asked]
    unique = list(index_by_id(responses).values())
    run_dir.write(OUTPUTS[0], unique)
    partial.path.unlink(missing_ok=True)
    tables: dict[str, Any] = {
        "class by model": count_by_model(unique, lambda r: str(r.task.get("class"))),
        "finish by model": count_by_model(unique, lambda r: r.finish.value),
    }
    taken = len(responses) + dropped.total()
    dropped["the same text twice"] = len(responses) - len(unique)
    return StageReport(taken=taken, made=len(unique), dropped=+dropped, tables=tables, **usage)


def _check_names(responders: Sequence[Model], imported: Sequence[Response]) -> None:
    """Two responders of one name could not be told apart."""
    names = Counter(model.name for model in responders) + Counter({r.model for r in imported})
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise RecipeError(
            f"responses: every responder needs its own name; {', '.join(twice)} is used twice."
        )


def _ask_all(
    responders: Sequence[Model], questions: Sequence[Question], task: Task, sampling: Sampling,
    partial: PartialFile,
) -> tuple[list[Response], dict[str, Any]]:  # fmt: skip
    """Responses in responder, then question order; those written before a kill are not asked."""
    done = {(r.model, r.question_id): r for r in partial.load(Response)}
    usage = {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0}
    total = len(responders) * len(questions)
    with partial as file, progress_bar("responses", total, done=len(done)) as bar:
        for model in responders:
            waiting = [q for q in questions if (model.name, q.id) not in done]
            for start in range(0, len(waiting), CHUNK):
                batch = list(ask(model, waiting[start : start + CHUNK], task, sampling))
                file.append(response for response, *_ in batch)
                for response, prompt, completion, cost in batch:
                    done[model.name, response.question_id] = response
                    usage["calls"] += 1
                    usage["prompt_tokens"] += prompt
                    usage["completion_tokens"] += completion
                    usage["cost_usd"] += cost
                    bar.advance(cost_usd=cost)
    return [done[model.name, q.id] for model in responders for q in questions], usage
