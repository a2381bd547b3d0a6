"""The responses stage: who answers, and what is counted of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial as fixed
from pathlib import Path
from typing import Any, Self

from pydantic import field_validator

from judgesmith.audits import Finding, stop_on_errors
from judgesmith.backends.hub import find_source, place_of
from judgesmith.errors import RecipeError
from judgesmith.models.protocol import Model, ModelOpener, Sampling
from judgesmith.records import Message, Question, Response, index_by_id
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.sources import (
    RESPONSE_READERS,
    Import,
    count_dropped,
    import_files,
    mapping_of,
    reader,
    require_kinds,
)
from judgesmith.stages.responses.asking import Asked, Asker, Responder, failed_findings
from judgesmith.stages.responses.dry_run import (
    DryRunFirst,
    dry_run_findings,
    few_questions,
    judge_responses,
)
from judgesmith.stages.responses.generators import Generator, check_prompts
from judgesmith.tasks import Task, task_of

VERSION = 2
OUTPUTS = ("responses/responses.jsonl",)


class Config(Section):
    """Who answers.

    Each entry of `simulated` is a responder in the task's own words, each of `generators` a model
    of the recipe. Both leave questions alone that have an imported response. `dry_run` has each
    generator answer a few questions before anything else is asked.
    """

    imports: tuple[Import, ...] = ()
    simulated: tuple[dict[str, Any], ...] = ()
    generators: tuple[Generator, ...] = ()
    dry_run: DryRunFirst | None = None
    sampling: Sampling = Sampling(temperature=0.7, max_tokens=300)

    @field_validator("imports")
    @classmethod
    def _can_be_read(cls, imports: tuple[Import, ...]) -> tuple[Import, ...]:
        require_kinds(imports, RESPONSE_READERS)
        return imports

    @property
    def asks(self) -> tuple[str, ...]:
        """The generators that are models of the recipe."""
        return tuple(dict.fromkeys(g.model for g in self.generators if g.simulated is None))

    def rehearsed(self, rates: Rates) -> Self:
        """Each generator simulated."""
        simulated = tuple(
            g if g.simulated is not None
            else g.model_copy(update={"simulated": rates.responder(g.model)})
            for g in self.generators
        )  # fmt: skip
        return self.model_copy(update={"generators": simulated})


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("questions/questions.jsonl",)


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run, by the name the recipe gives them."""
    return import_files(config.imports, place_of)


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
    found = read(find_source(source.path), questions, *mapping_of(source))
    return count_dropped(found, dropped)


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Import what exists, have the rest answered, and classify everything once."""
    task = task_of(run_dir.header)
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    dropped: Counter[str] = Counter()
    partial = run_dir.partial(OUTPUTS[0])
    asker = Asker(Asked(questions, task, config.sampling), partial)
    responses = [
        asker.annotated(response)
        for source in config.imports
        for response in read_import(source, questions, dropped)
    ]
    answered = {response.question_id for response in responses}
    waiting = [question for question in questions.values() if question.id not in answered]

    def simulate(spec: Mapping[str, Any]) -> Model:
        return task.simulated_model(spec, questions, run_dir.seed)

    simulated = [_simulated(simulate(spec), task) for spec in config.simulated]
    generators = [_generator(one, task, models, simulate) for one in config.generators]
    _check_names([*simulated, *generators], responses)
    check_prompts(config.generators, waiting)
    tables: dict[str, Any] = {}
    with asker.at_work((len(simulated) + len(generators)) * len(waiting)):
        if config.dry_run is not None and generators and waiting:
            few = few_questions(waiting, task.strata, config.dry_run.questions, run_dir.seed)
            tables = _dry_runs(config.dry_run, {g: asker.ask(g, few) for g in generators}, task)
        for responder in (*simulated, *generators):
            responses += asker.ask(responder, waiting)
    unique = list(index_by_id(responses).values())
    run_dir.write(OUTPUTS[0], unique)
    partial.path.unlink(missing_ok=True)
    taken = len(responses) + dropped.total()
    dropped["the same text twice"] = len(responses) - len(unique)
    return StageReport(
        taken=taken,
        made=len(unique),
        dropped=+dropped,
        tables=_tables(unique, tables, asker.failures()),
        **asker.usage.as_fields(),
    )


def _tables(
    responses: Sequence[Response], dry_runs: dict[str, Any], failures: dict[str, dict[str, int]]
) -> dict[str, Any]:
    """What the stage shows: counts by model, dry runs, and why calls failed."""
    tables: dict[str, Any] = {
        "class by model": count_by_model(responses, lambda r: str(r.task.get("class"))),
        "finish by model": count_by_model(responses, lambda r: r.finish.value),
        **dry_runs,
    }
    if failures:
        found = failed_findings(failures, Counter(response.model for response in responses))
        tables["failed calls by model"] = failures
        tables["findings"] = [*tables.get("findings", ()), *(one.to_dict() for one in found)]
    return tables


def _dry_runs(
    first: DryRunFirst, answers: Mapping[Responder, Sequence[Response]], task: Task
) -> dict[str, Any]:
    """Tables of each generator's dry run; AuditError with the numbers where one says abort."""
    tables: dict[str, Any] = {}
    findings: list[Finding] = []
    for generator, responses in answers.items():
        found = judge_responses(generator.name, responses, task.response_outcome, first.limits)
        tables[generator.name] = found.model_dump(mode="json")
        findings += dry_run_findings(found, responses, task.response_outcome)
    stop_on_errors(findings)
    return {"dry run": tables, "findings": [finding.to_dict() for finding in findings]}


def _simulated(model: Model, task: Task) -> Responder:
    def messages(question: Question) -> tuple[Message, ...]:
        return (Message(role="user", content=task.responder_prompt(question)),)

    return Responder(model.name, messages, lambda: model, simulated=True)


def _generator(
    generator: Generator, task: Task, models: ModelOpener,
    simulate: Callable[[Mapping[str, Any]], Model],
) -> Responder:  # fmt: skip
    name, rates = generator.model, generator.simulated
    opened = fixed(models, name) if rates is None else fixed(simulate, {**rates, "name": name})
    return Responder(
        name, fixed(generator.messages, task=task), opened, simulated=rates is not None
    )


def _check_names(responders: Sequence[Responder], imported: Sequence[Response]) -> None:
    """Two responders of one name could not be told apart."""
    names = Counter(r.name for r in responders) + Counter({r.model for r in imported})
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise RecipeError(
            f"responses: every responder needs its own name; {', '.join(twice)} is used twice."
        )
