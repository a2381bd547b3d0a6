"""The evaluate stage: judge the test items, score every judge, write the results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.models.judge import Shown, both_orders, judge
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    TIE,
    AnnotatorKind,
    Choice,
    Item,
    Judgment,
    Label,
    Question,
    Response,
    Split,
    content_id,
    index_by_id,
)
from judgesmith.report.results import Evaluation, Published
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.looks import record_look
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.progress import progress_bar
from judgesmith.runs.recipe import Section
from judgesmith.stages.evaluate.examples import pick_examples
from judgesmith.stages.evaluate.judges import (
    Judge,
    by_rule,
    constant_rule,
    longer_rule,
    random_rule,
    read_judgments,
)
from judgesmith.stages.evaluate.scoring import (
    Plan,
    Scored,
    compare,
    domain_difference,
    make_slices,
    score_judge,
    scored,
    slice_info,
)
from judgesmith.tasks import Task, load_dialect, load_task

VERSION = 1
OUTPUTS = ("evaluate/judgments.jsonl", "evaluate/results.json")
CHUNK = 256
STUDENTS = {"student": "sft/student", "before training": "sft/before"}


class PublishedKappa(Section):
    """A published figure, cited as context."""

    judge: str
    slice: str
    kappa: float
    source: str


class Config(Section):
    """What is measured against what.

    `labels` is `person` or `key`. `least` is the smallest number of items for which agreement is
    shown. `key_policies` are answer-key baselines to show besides the labels' own policy.
    """

    dialect: str
    labels: AnnotatorKind = AnnotatorKind.KEY
    reply_tokens: int = Field(120, gt=0)
    resamples: int = Field(10_000, ge=100)
    slice_resamples: int = Field(2_000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    least: int = Field(20, ge=2)
    key_policies: tuple[str, ...] = ()
    published: tuple[PublishedKappa, ...] = ()
    examples: int = Field(12, ge=0)


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return (
        "questions/questions.jsonl",
        "responses/responses.jsonl",
        "split/items.jsonl",
        "labels/labels.jsonl",
        *STUDENTS.values(),
    )


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def judge_items(
    names: Mapping[str, str], items: Sequence[Item], run_dir: RunDir, models: ModelOpener,
    *, dialect: Dialect, max_tokens: int,
) -> tuple[list[Judgment], dict[str, int]]:  # fmt: skip
    """Judgments of each student on all items in both orders, resumed after a kill.

    Replies are kept in whole chunks: a chunk that a kill tore is judged again, because the other
    prompts of a batch can move a reply in its last bits.
    """
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    partial = run_dir.partial(OUTPUTS[0])
    done = {(j.judge, j.item_id, j.order): j for j in partial.load(Judgment)}
    shown = both_orders(items)
    chunks = [shown[i : i + CHUNK] for i in range(0, len(shown), CHUNK)]
    usage = {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0}
    total = len(names) * len(shown)
    with partial as file, progress_bar("evaluate", total, done=len(done)) as bar:
        for name in names:
            waiting = [c for c in chunks if any(_key(name, entry) not in done for entry in c)]
            model = models(name) if waiting else None
            for chunk in waiting:
                assert model is not None
                found = list(
                    judge(
                        model, chunk, questions, responses, dialect=dialect, max_tokens=max_tokens
                    )
                )
                file.append(judgment for judgment, _ in found)
                for judgment, completion in found:
                    done[judgment.judge, judgment.item_id, judgment.order] = judgment
                    usage["calls"] += 1
                    usage["prompt_tokens"] += completion.prompt_tokens
                    usage["completion_tokens"] += completion.completion_tokens
                bar.advance(len(chunk))
    return [done[_key(name, entry)] for name in names for entry in shown], usage


def _key(name: str, entry: Shown) -> tuple[str, str, tuple[int, ...]]:
    return name, entry.item.id, entry.order


def chosen_labels(
    labels: Sequence[Label], kind: AnnotatorKind, items: Sequence[Item]
) -> dict[str, str]:
    """Choice labels of one kind of annotator by item id, for the given items."""
    wanted = {item.id for item in items}
    return {
        label.item_id: label.verdict.value
        for label in labels
        if label.annotator_kind is kind
        and isinstance(label.verdict, Choice)
        and label.item_id in wanted
    }


def _check_direction(labels: Sequence[Label], dialect: Dialect) -> None:
    for label in labels:
        if label.direction is not dialect.direction:
            raise DataError(
                f"labels/labels.jsonl: a label names the {label.direction} response, in "
                f"evaluate.dialect {dialect.name!r} a verdict names the {dialect.direction} one. "
                "Judge in a dialect of the labels' direction."
            )


def baseline_judges(
    task: Task, config: Config, items: Sequence[Item], run_dir: RunDir,
    *, training_labels: Sequence[str], dialect: Dialect,
) -> list[Judge]:  # fmt: skip
    """The rules without training that every table shows."""
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    rules = [(f"answer key ({p})", "key", _key_rule(task, p)) for p in config.key_policies]
    rules += [(name, "baseline", rule) for name, rule in task.baselines().items()]
    rules += [
        ("longer response", "baseline", longer_rule(dialect.direction)),
        ("random", "baseline", random_rule(dialect.scale.values, run_dir.seed)),
        ("constant", "baseline", constant_rule(training_labels)),
    ]
    return [
        by_rule(name, "key" if role == "key" else "baseline", rule, items, questions, responses)
        for name, role, rule in rules
    ]


def _key_rule(task: Task, policy: str) -> Any:
    def rule(question: Question, responses: Sequence[Response]) -> Choice | None:
        found = task.judge_by_key(question, responses, policy)
        return None if found is None else found.verdict

    return rule


def labels_title(kind: AnnotatorKind, labels: Sequence[Label], on: Mapping[str, str]) -> str:
    """Whose labels they are, in words that go into the title of every table."""
    of_kind = [label for label in labels if label.annotator_kind is kind and label.item_id in on]
    count = len(on)
    who = sorted({label.annotator for label in of_kind})
    if kind is AnnotatorKind.PERSON:
        return f"labels: {count} verdicts by {len(who)} person{'s' if len(who) > 1 else ''}"
    policies = ", ".join(sorted({label.policy for label in of_kind}))
    return f"labels: answer key ({policies}), not people; n = {count}"


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Judge, score, compare, and write the results."""
    task = load_task(run_dir.header.task)
    dialect = load_dialect(task, config.dialect)
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    everything = run_dir.read("split/items.jsonl", Item)
    all_labels = run_dir.read("labels/labels.jsonl", Label)
    sides = (Split.TEST, Split.HELD_OUT)
    on_test = [item for item in everything if item.split in sides]
    _check_direction(all_labels, dialect)
    labels = chosen_labels(all_labels, config.labels, on_test)
    items = [item for item in on_test if item.id in labels]
    if not items:
        raise DataError(
            f"evaluate: none of the {len(on_test)} test items has a label of kind "
            f"{config.labels.value!r}. Add labels (labels.imports or labels.key_policy), or set "
            "evaluate.labels to the kind there is."
        )
    judgments, usage = judge_items(
        STUDENTS, items, run_dir, models, dialect=dialect, max_tokens=config.reply_tokens
    )
    tie = TIE if dialect.scale.has_tie else None
    train = {item.id for item in everything if item.split is Split.TRAIN}
    training = [
        label.verdict.value
        for label in all_labels
        if isinstance(label.verdict, Choice) and label.item_id in train
    ]
    judges = [
        read_judgments(name, _role(name), [j for j in judgments if j.judge == name], tie=tie)
        for name in STUDENTS
    ]
    judges += baseline_judges(
        task, config, items, run_dir, training_labels=training, dialect=dialect
    )
    rows = [
        scored(item, labels[item.id], questions[item.question_id], responses, task.slices)
        for item in items
    ]
    title = labels_title(config.labels, all_labels, labels)
    looked = content_id("look", [j.id for j in judgments], [j.reply for j in judgments], labels)
    results = _results(config, run_dir, judges, rows, title, dialect, looked)
    examples = pick_examples(
        judges[0], rows, questions, responses, count=config.examples, seed=run_dir.seed
    )
    results = results.model_copy(update={"examples": examples})
    run_dir.write(OUTPUTS[0], judgments)
    write_json(run_dir.file(OUTPUTS[1]), results.model_dump(mode="json"))
    run_dir.partial(OUTPUTS[0]).path.unlink(missing_ok=True)
    unlabelled = len(on_test) - len(items)
    return StageReport(
        taken=len(on_test),
        made=len(items),
        dropped={f"no label of kind {config.labels.value}": unlabelled} if unlabelled else {},
        tables={"unparsed": _status_counts(judgments)},
        **usage,
    )


def _role(name: str) -> Any:
    return name


def _status_counts(judgments: Sequence[Judgment]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for judgment in judgments:
        counts = table.setdefault(judgment.judge, {})
        counts[judgment.status.value] = counts.get(judgment.status.value, 0) + 1
    return table


def _results(
    config: Config, run_dir: RunDir, judges: Sequence[Judge], rows: Sequence[Scored], title: str,
    dialect: Dialect, looked: str,
) -> Evaluation:  # fmt: skip
    plan = Plan(
        seed=run_dir.seed,
        resamples=config.resamples,
        slice_resamples=config.slice_resamples,
        confidence=config.confidence,
        least=config.least,
        scale=dialect.scale.values,
    )
    parts = make_slices(
        [row for row in rows if row.item.split is Split.TEST],
        [row for row in rows if row.item.split is Split.HELD_OUT],
    )
    return Evaluation(
        labels_kind="people" if config.labels is AnnotatorKind.PERSON else "answer key",
        labels_title=title,
        direction=f"a verdict names the {dialect.direction} response",
        confidence=config.confidence,
        resamples=config.resamples,
        test_looks=record_look(run_dir, looked),
        slices=tuple(slice_info(part) for part in parts),
        judges=tuple(score_judge(judge, parts, plan) for judge in judges),
        comparisons=compare(judges, parts, plan),
        domain_difference=domain_difference(judges[0], parts, plan),
        published=tuple(Published(**entry.model_dump()) for entry in config.published),
        examples=(),
    )
