"""The test items with their labels, and the rules without training that are shown beside judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judgesmith.errors import DataError
from judgesmith.evaluation.judges import ItemKey, Judge, Read
from judgesmith.evaluation.scoring import Scored
from judgesmith.judging.dialect import Dialect, require_direction
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Item,
    Label,
    Question,
    Response,
    Split,
    index_by_id,
)
from judgesmith.runs.layout import RunDir
from judgesmith.stages.evaluate.rules import (
    by_rule,
    constant_rule,
    longer_rule,
    random_rule,
)
from judgesmith.stages.evaluate.words_alone import learn_words
from judgesmith.tasks import BaselineRule, Task


@dataclass(frozen=True)
class LabelledSide:
    """Labelled test items. `labels` are one annotator's; `others` those of further annotators."""

    questions: dict[str, Question]
    responses: dict[str, Response]
    items: tuple[Item, ...]
    labels: Mapping[str, str]
    annotator: str
    others: Mapping[str, Mapping[str, str]]
    title: str
    training: tuple[Item, ...]
    training_labels: Mapping[str, str]
    unlabelled: int


def read_labelled_side(run_dir: RunDir, kind: AnnotatorKind, dialect: Dialect) -> LabelledSide:
    """The run's test side, with the labels of one kind of annotator, and its training side.

    Raises DataError where no test item has such a label, and where labels and dialect disagree on
    what a letter names.
    """
    items = run_dir.read("split/items.jsonl", Item)
    labels = run_dir.read("labels/labels.jsonl", Label)
    require_direction(labels, dialect, setting="evaluate.dialect")
    on_test = [item for item in items if item.split in (Split.TEST, Split.HELD_OUT)]
    verdicts = verdicts_by_annotator(labels, kind, on_test)
    if not verdicts:
        raise DataError(
            f"evaluate: none of the {len(on_test)} test items has a label of kind "
            f"{kind.value!r}. Add labels (labels.imports or labels.key_policy), or set "
            "evaluate.labels to the kind there is."
        )
    annotator = max(sorted(verdicts), key=lambda name: len(verdicts[name]))
    chosen = verdicts.pop(annotator)
    train = {item.id: item for item in items if item.split is Split.TRAIN}
    return LabelledSide(
        questions=index_by_id(run_dir.read("questions/questions.jsonl", Question)),
        responses=index_by_id(run_dir.read("responses/responses.jsonl", Response)),
        items=tuple(item for item in on_test if item.id in chosen),
        labels=chosen,
        annotator=annotator,
        others=verdicts,
        title=labels_title(kind, labels, chosen, annotator),
        training=tuple(train.values()),
        training_labels={
            label.item_id: label.verdict.value
            for label in labels
            if isinstance(label.verdict, Choice) and label.item_id in train
        },
        unlabelled=sum(item.id not in chosen for item in on_test),
    )


def verdicts_by_annotator(
    labels: Sequence[Label], kind: AnnotatorKind, items: Sequence[Item]
) -> dict[str, dict[str, str]]:
    """Choice labels of each annotator of one kind, by item id, for the given items."""
    wanted = {item.id for item in items}
    found: dict[str, dict[str, str]] = {}
    for label in labels:
        fits = label.annotator_kind is kind and label.item_id in wanted
        if fits and isinstance(label.verdict, Choice):
            found.setdefault(label.annotator, {})[label.item_id] = label.verdict.value
    return found


def labels_title(
    kind: AnnotatorKind, labels: Sequence[Label], on: Mapping[str, str], annotator: str
) -> str:
    """Whose labels they are, in words that go into the title of every table."""
    if kind is AnnotatorKind.PERSON:
        return f"labels: {len(on)} verdicts by one person ({annotator})"
    used = [label for label in labels if label.annotator_kind is kind and label.item_id in on]
    policies = ", ".join(sorted({label.policy for label in used}))
    return f"labels: answer key ({policies}), not people; n = {len(on)}"


def rule_judges(
    found: LabelledSide, task: Task, key_policies: Sequence[str], dialect: Dialect, seed: int
) -> list[Judge]:
    """Further people (the human ceiling), answer keys, the task's own rules, and the plain ones."""
    people = [
        Judge(f"person {name}", "person", True, "the human ceiling", _reads(verdicts))
        for name, verdicts in sorted(found.others.items())
    ]
    keys = [
        by_rule(f"answer key ({p})", "key", _key_rule(task, p), *_shown(found))
        for p in key_policies
    ]
    rules: dict[str, BaselineRule] = {
        **task.baselines(),
        "longer response": longer_rule(dialect.direction),
        "words alone": learn_words(found.training, found.training_labels, found.responses),
        "random": random_rule(dialect.pair_scale.values, seed),
        "constant": constant_rule(list(found.training_labels.values())),
    }
    plain = [by_rule(name, "baseline", rule, *_shown(found)) for name, rule in rules.items()]
    return [*people, *keys, *plain]


def _shown(
    found: LabelledSide,
) -> tuple[tuple[Item, ...], dict[str, Question], dict[str, Response]]:
    return found.items, found.questions, found.responses


def _reads(verdicts: Mapping[str, str]) -> dict[ItemKey, Read]:
    return {item: Read(value, value, value) for item, value in verdicts.items()}


def _key_rule(task: Task, policy: str) -> BaselineRule:
    def rule(question: Question, responses: Sequence[Response]) -> Choice | None:
        found = task.judge_by_key(question, responses, policy)
        return None if found is None else found.verdict

    return rule


def scored(
    item: Item, label: str, question: Question, responses: Mapping[str, Response],
    slices: Sequence[str],
) -> Scored:  # fmt: skip
    """An item ready for scoring; `slices` names task fields to break results down by."""
    first, second = (len(responses[i].text.split()) for i in item.response_ids)
    fields = {"bucket": item.bucket, "category": question.category or "none"}
    fields |= {name: str(question.task.get(name)) for name in slices}
    return Scored(item.id, label, question.group_id, (first, second), fields)
