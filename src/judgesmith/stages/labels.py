"""Items -> labels: by the answer key, and by people from files.

    in   questions/questions.jsonl, responses/responses.jsonl, split/items.jsonl, label files
    out  labels/judgments.jsonl, labels/labels.jsonl
    run  judgesmith run RECIPE --until labels

An item may have several labels, one per kind of annotator; each keeps its judgments and policy.
The answer key judges a pair in both orders, so that a rationale is written for the order it is
shown in; in a dialect for single responses it scores each, and the higher score is the verdict.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from judgesmith.audits import LabelItem, label_findings, label_table
from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import parse_reply
from judgesmith.models.pointwise import expected_scores, named
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Direction,
    Item,
    Judgment,
    Kind,
    Label,
    Question,
    Response,
    Status,
    Verdict,
    choice,
    index_by_id,
    reorder,
)
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.outside import find_outside
from judgesmith.runs.recipe import Section
from judgesmith.sources import LABEL_READERS, Import, ImportedLabel, import_files, reader
from judgesmith.tasks import KeyJudgment, Task, load_dialect, load_task

VERSION = 2
OUTPUTS = ("labels/judgments.jsonl", "labels/labels.jsonl")
STORED, SWAPPED = (0, 1), (1, 0)
ORDERS = {Kind.PAIR: (STORED, SWAPPED), Kind.SINGLE: ((0,), (1,))}
"""What the key judges at once: the pair in both orders, or each response alone."""


class Config(Section):
    """`key_policy` names how the answer key decides; null leaves the key out.

    `dialect` fixes what a verdict's letter names.
    """

    dialect: str
    key_policy: str | None = None
    imports: tuple[Import, ...] = ()


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("questions/questions.jsonl", "responses/responses.jsonl", "split/items.jsonl")


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run, by the name the recipe gives them."""
    return import_files(config.imports)


def judge_by_key(
    items: Iterable[Item], questions: Mapping[str, Question], responses: Mapping[str, Response],
    task: Task, *, policy: str, dialect: Dialect,
) -> tuple[list[Judgment], list[Label]]:  # fmt: skip
    """The key's judgments, and its labels; items it cannot decide have none."""
    judgments: list[Judgment] = []
    labels: list[Label] = []
    for item in items:
        both = []
        for order in ORDERS[dialect.kind]:
            shown = [responses[item.response_ids[p]] for p in order]
            found = task.judge_by_key(questions[item.question_id], shown, policy)
            reply = None if found is None else _reply(dialect, found)
            if found is None or reply is None:
                break
            both.append(
                Judgment.make(
                    source="answer key",
                    licence=item.licence,
                    item_id=item.id,
                    judge=f"answer key ({policy})",
                    dialect=dialect.hash,
                    order=order,
                    sample=0,
                    reply=reply,
                    rationale=found.rationale,
                    verdict=parse_reply(dialect, reply).verdict,
                    distribution=None,
                    status=Status.PARSED,
                    reference=None,
                )
            )
        if len(both) == 2:
            judgments += both
            labels.append(_key_label(item, both, policy, dialect.direction))
    return judgments, labels


def _reply(dialect: Dialect, found: KeyJudgment) -> str | None:
    """The key's reply; None where a choice's text holds a tag, so no reply could be read back."""
    try:
        return dialect.write_reply(found.rationale, found.verdict.value)
    except ValueError:
        return None


def _key_label(
    item: Item, judgments: Sequence[Judgment], policy: str, direction: Direction | None
) -> Label:
    return Label.make(
        source="answer key",
        licence=item.licence,
        item_id=item.id,
        verdict=_key_verdict(item, judgments),
        direction=direction,
        confidence=None,
        policy=policy,
        judgment_ids=tuple(judgment.id for judgment in judgments),
        annotator_kind=AnnotatorKind.KEY,
        annotator="answer key",
    )


def _key_verdict(item: Item, judgments: Sequence[Judgment]) -> Verdict:
    """The verdict on the item: the one of both orders, or the higher of two scores."""
    scores = [score for one in judgments for score in expected_scores(one) or ()]
    if len(scores) == len(item.response_ids):
        return choice(named(scores[0], scores[1], margin=0.0))
    verdicts = {judgment.in_item_order() for judgment in judgments}
    assert len(verdicts) == 1, f"the answer key contradicts itself on item {item.id}"
    (verdict,) = verdicts
    assert verdict is not None
    return verdict


def person_labels(
    imported: Iterable[ImportedLabel], items: Sequence[Item], direction: Direction | None
) -> tuple[list[Label], int]:
    """Labels by people for items of the run, in item order, and how many fit no item."""
    by_responses = {frozenset(item.response_ids): item for item in items}
    labels: dict[str, Label] = {}
    without_item = 0
    for given in imported:
        item = by_responses.get(frozenset(given.response_ids))
        if item is None:
            without_item += 1
            continue
        order = tuple(item.response_ids.index(i) for i in given.response_ids)
        verdict = reorder(given.verdict, order)
        if direction is not None and given.direction is not direction:
            verdict = _other_side(verdict)
        label = Label.make(
            source=given.source,
            licence=given.licence,
            item_id=item.id,
            verdict=verdict,
            direction=direction,
            confidence=given.confidence,
            policy="as given",
            judgment_ids=(),
            annotator_kind=AnnotatorKind.PERSON,
            annotator=given.annotator,
        )
        before = labels.setdefault(label.id, label)
        if before.verdict != verdict:
            raise DataError(
                f"{given.source}: {given.annotator!r} gave two verdicts on responses "
                f"{given.response_ids}: keep the one that counts."
            )
    return list(labels.values()), without_item


def _other_side(verdict: Verdict) -> Verdict:
    """The same opinion, said of the other response of a pair."""
    return reorder(verdict, SWAPPED) if isinstance(verdict, Choice) else verdict


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Label by key and by people, and audit the labels' balance."""
    task = load_task(run_dir.header.task)
    dialect = load_dialect(task, config.dialect)
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    items = run_dir.read("split/items.jsonl", Item)
    judgments: list[Judgment] = []
    labels: list[Label] = []
    if config.key_policy is not None:
        judgments, labels = judge_by_key(
            items, questions, responses, task, policy=config.key_policy, dialect=dialect
        )
    strays = 0
    for source in config.imports:
        rows = reader(LABEL_READERS, source.kind)(find_outside(source.path), questions, responses)
        found, without_item = person_labels(rows, items, dialect.direction)
        labels += found
        strays += without_item
    run_dir.write(OUTPUTS[0], judgments)
    run_dir.write(OUTPUTS[1], labels)
    labelled = {label.item_id for label in labels}
    table = label_table(_audited(labels, items))
    unlabelled = len(items) - len(labelled)
    return StageReport(
        taken=len(items),
        made=len(labelled),
        dropped={"no annotator has a verdict": unlabelled} if unlabelled else {},
        tables={
            "labels by annotator": dict(Counter(label.annotator for label in labels)),
            "imported labels of no item": strays,
            "findings": [finding.to_dict() for finding in label_findings(table)],
        },
    )


def _audited(labels: Sequence[Label], items: Sequence[Item]) -> list[LabelItem]:
    """One label per item for the audit; a person's outweighs the key's."""
    bucket = {item.id: item.bucket for item in items}
    chosen = {label.item_id: label for label in labels}
    return [
        LabelItem(item_id=i, bucket=bucket[i], verdict=label.verdict.value)
        for i, label in chosen.items()
        if isinstance(label.verdict, Choice)
    ]
