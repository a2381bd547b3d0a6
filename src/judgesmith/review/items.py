"""What is to be reviewed: the items of a run, of a file, or of anything that holds judgments."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from judgesmith.audits.ties import majority
from judgesmith.errors import DataError, RunError
from judgesmith.judging.dialect import Dialect
from judgesmith.records import (
    Item,
    Judgment,
    Kind,
    Label,
    Question,
    Response,
    Scores,
    Split,
    Status,
    Verdict,
    choice,
    content_id,
    index_by_id,
    reorder,
)
from judgesmith.review.said import key_of
from judgesmith.review.types import About, Gold, ReviewItem, Said, SaidRole
from judgesmith.runs.jsonl import read_records
from judgesmith.runs.layout import RunDir
from judgesmith.sources.imported import ImportedItem, ImportedJudgment, ImportedRow
from judgesmith.sources.own_files import PairRow, as_entry
from judgesmith.sources.own_tables import raw_pairs

_JUDGMENTS: tuple[tuple[str, SaidRole], ...] = (
    ("labels/judgments.jsonl", "teacher"), ("evaluate/judgments.jsonl", "judge"),
)  # fmt: skip
MEASURED = (Split.TEST, Split.HELD_OUT)
"""The splits that judges are measured on, which people's labels are for."""


def about_dialect(name: str, source: str, dialect: Dialect, *, from_run: bool = False) -> About:
    """What a review in the words of a dialect is about.

    Raises DataError for a dialect without a rubric in words, or that does not say what its verdict
    names: people would not know what to judge by.
    """
    lacking = [
        what
        for what, there in (
            ("rubric in words (`system`)", dialect.rubric),
            ("`direction`", dialect.direction),
        )
        if not there
    ]
    if lacking:
        raise DataError(
            f"dialect {dialect.name!r} has no {' and no '.join(lacking)}: people would not know "
            "what to judge by. Name one that has it, with --dialect."
        )
    assert dialect.rubric is not None
    return About(
        name=name, source=source, kind=dialect.kind, rubric=dialect.rubric,
        direction=dialect.direction, scale=dialect.scale, adjective=None, dialect=dialect.name,
        dialect_hash=dialect.hash, from_run=from_run,
    )  # fmt: skip


def items_of_run(
    run_dir: RunDir, dialect: Dialect, splits: Collection[Split] = MEASURED
) -> Iterator[ReviewItem]:
    """The items of a run in some of its splits, with what its teachers and judges say of them.

    Raises RunError where the run has no item of the dialect's kind there.
    """
    name = (
        "split/items.jsonl" if run_dir.file("split/items.jsonl").exists() else "items/items.jsonl"
    )
    items = [
        item for item in run_dir.read(name, Item)
        if item.kind is dialect.kind and (item.split is None or item.split in splits)
    ]  # fmt: skip
    if not items:
        raise RunError(
            f"{run_dir.file(name)}: expected items of kind {dialect.kind} in "
            f"{', '.join(splits)}, found none. Name other splits with --split, or another dialect "
            "with --dialect."
        )
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    wanted = {one for item in items for one in item.response_ids}
    responses = {
        one.id: one
        for one in read_records(run_dir.file("responses/responses.jsonl"), Response)
        if one.id in wanted
    }
    said = _said_in(run_dir, {item.id for item in items})
    for item in items:
        yield _of_records(item, questions[item.question_id], responses, dialect, said[item.id])


def _said_in(run_dir: RunDir, items: Collection[str]) -> Mapping[str, list[Said]]:
    """What teachers, judges and labels say of items, in item order."""
    found: dict[str, list[Said]] = defaultdict(list)
    for name, role in _JUDGMENTS:
        path = run_dir.file(name)
        for one in read_records(path, Judgment) if path.exists() else ():
            if one.item_id in items and one.sample == 0:
                verdict, by = one.in_item_order(), one.judge
                swapped = one.order == (1, 0)
                by = f"{by}, swapped" if swapped else by
                alone = one.order[0] if len(one.order) == 1 else None
                said = Said(by, role, one.status, verdict, None, one.rationale, alone, swapped)
                found[one.item_id].append(said)
    path = run_dir.file("labels/labels.jsonl")
    for label in read_records(path, Label) if path.exists() else ():
        if label.item_id in items:
            by = f"{label.annotator} ({label.annotator_kind.value})"
            found[label.item_id].append(
                Said(by, "label", Status.PARSED, label.verdict, label.confidence)
            )
    return found


def _of_records(
    item: Item, question: Question, responses: Mapping[str, Response], dialect: Dialect,
    said: Sequence[Said],
) -> ReviewItem:  # fmt: skip
    verdicts = {
        key_of(one.verdict) for one in said if one.verdict is not None and one.alone is None
    }
    return ReviewItem(
        id=item.id, name=item.id, kind=item.kind, cluster=question.group_id,
        question=question.text, context=question.context, choices=question.choices,
        reference=question.reference if dialect.shows("reference") else None,
        grounding=question.grounding, criteria=dialect.criteria_for(question),
        details=_details(question, dialect),
        responses=tuple(responses[one].text for one in item.response_ids),
        response_ids=item.response_ids, bucket=item.bucket, category=question.category,
        split=None if item.split is None else item.split.value,
        generators=tuple(responses[one].model for one in item.response_ids), said=tuple(said),
        stratum=f"{item.split or ''}/{item.bucket}", size=float(max(1, len(verdicts))),
    )  # fmt: skip


def _details(question: Question, dialect: Dialect) -> tuple[tuple[str, str], ...]:
    """The question's own part of the rubric, where the dialect shows its fields."""
    if not dialect.shows("fields"):
        return ()
    found = []
    for name in ("criterion", "levels"):
        value = question.task.get(name)
        if isinstance(value, list):
            value = "\n".join(f"{place}: {one}" for place, one in enumerate(value, start=1))
        if value is not None:
            found.append((name, str(value)))
    return tuple(found)


def items_of_file(path: Path, dialect: Dialect) -> Iterator[ReviewItem]:
    """The rows of a file of pairs, single responses or lists; see `sources.own_files.PairRow`.

    A `verdict` or `score` in a row is a label of the file: it is withheld, and is the gold verdict
    of a calibration round. So are `bucket`, by which items are drawn in shares, and `category`.
    """
    seen: dict[str, str] = {}
    for where, raw in raw_pairs(path):
        entry = as_entry(raw, path.name, where, dialect.kind)
        item, row = entry.item, entry.row
        own = {name: str(raw[name]) for name in ("bucket", "category") if raw.get(name)}
        if item.kind is not dialect.kind:
            raise DataError(
                f"{entry.where}: expected {dialect.kind} responses, as dialect {dialect.name!r} "
                f"judges, found {item.kind}. Name another dialect with --dialect."
            )
        if item.id in seen:
            raise DataError(
                f"{entry.where}: the same question and responses stand in {seen[item.id]}; keep "
                "one of the two."
            )
        seen[item.id] = entry.where
        gold = _gold(row, dialect)
        yield ReviewItem(
            id=item.id, name=entry.question.group_id, kind=item.kind,
            cluster=entry.question.group_id, question=row.question, context=row.context,
            choices=row.choices, reference=row.reference, grounding=row.grounding,
            criteria=dialect.criteria_for(entry.question),
            details=_details(entry.question, dialect),
            responses=tuple(one.text for one in entry.responses),
            generators=tuple(one for one in (row.model_a, row.model_b) if one is not None),
            said=() if gold is None else (Said("the file", "label", Status.PARSED, gold.verdict),),
            gold=gold, bucket=own.get("bucket"), category=own.get("category"),
            stratum=own.get("bucket", "all"),
        )  # fmt: skip


def items_of_rows(
    rows: Callable[[], Iterable[ImportedRow]], dialect: Dialect
) -> Iterator[ReviewItem]:
    """The items of files of judgments and labels, such as a published set's.

    What people and judges say there is withheld; what most people say is the gold verdict. Rows of
    an item may lie apart, so all are read first. Items without their responses are left out.
    """
    items: dict[str, ImportedItem] = {}
    said: dict[str, list[ImportedJudgment]] = defaultdict(list)
    for row in rows():
        known = items.get(row.item.id)
        if known is None or known.responses is None:
            items[row.item.id] = row.item
        said[row.item.id] += [one for one in row.judgments if one.sample == 0]
    count = 1 if dialect.kind is Kind.SINGLE else 2
    for item in items.values():
        if item.responses is None or len(item.responses) != count or item.question is None:
            continue
        people = [one.verdict for one in said[item.id] if one.role == "person" and not one.swapped]
        most = majority(people)
        yield ReviewItem(
            id=content_id("reviewed", item.id), name=item.id, kind=dialect.kind,
            cluster=item.cluster, question=item.question, reference=item.reference,
            responses=item.responses, bucket=item.fields.get("bucket"),
            category=item.fields.get("category"), generators=item.models or (),
            said=tuple(_imported(one) for one in said[item.id]),
            gold=Gold(choice(most)) if most in dialect.scale.values else None,
            stratum=item.fields.get("bucket") or "all",
        )  # fmt: skip


def _imported(one: ImportedJudgment) -> Said:
    verdict: Verdict | None = None if one.verdict is None else choice(one.verdict)
    if one.scores is not None:
        verdict = Scores(kind="scores", values=one.scores, criteria=None)
    by = f"{one.by}, swapped" if one.swapped else one.by
    role: SaidRole = "label" if one.role == "person" else "judge"
    return Said(
        by, role, one.status, verdict, one.confidence, one.rationale, swapped=bool(one.swapped)
    )


def _gold(row: PairRow, dialect: Dialect) -> Gold | None:
    """The label that stands in a row, if it is one of the dialect's verdicts, in its direction."""
    if row.score is not None and dialect.scores_alone:
        return Gold(Scores(kind="scores", values=(row.score,), criteria=None))
    if row.verdict is None or row.verdict not in dialect.scale.values:
        return None
    turned = row.names is not None and row.names is not dialect.direction
    verdict: Verdict = choice(row.verdict)
    return Gold(reorder(verdict, (1, 0)) if turned and dialect.kind is Kind.PAIR else verdict)
