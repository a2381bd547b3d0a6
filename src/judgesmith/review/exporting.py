"""What was answered, as files that other commands and a spreadsheet read."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from judgesmith.audits.ties import majority
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Judgment,
    Scores,
    Status,
    Verdict,
)
from judgesmith.review.assigning import standing_for
from judgesmith.review.encoding import item_of
from judgesmith.review.people import everybody
from judgesmith.review.said import Given, given, label_of, outcomes, parts_of
from judgesmith.review.store import Store
from judgesmith.review.types import About, Outcome, Plan, ReviewItem
from judgesmith.runs.jsonl import write_bytes, write_records
from judgesmith.sources.queue_cells import guarded

JUDGMENTS, LABELS, TABLE, FINAL = "judgments.jsonl", "labels.jsonl", "labels.csv", "final.jsonl"
FILES = (JUDGMENTS, LABELS, TABLE, FINAL)

_STATUS = {
    "verdict": Status.PARSED,
    "cannot_decide": Status.ABSTAINED,
    "bad_item": Status.BAD_ITEM,
}

_SAMPLE = {"repeat": 1, "adjudicate": 2}
"""Of answers by one person to one item: the first has sample 0."""


@dataclass(frozen=True)
class Exported:
    """Files that were written, and how many rows each has."""

    rows: Mapping[str, int] = field(default_factory=dict)


def export(store: Store, folder: Path, about: About, plan: Plan) -> Exported:
    """Write all files anew, each whole: the same answers give the same bytes.

    `judgments.jsonl` has every answer as a judgment record. `labels.jsonl` has each person's
    verdicts: of a run's items as `labels.imports` of kind `file` reads them, of others in the
    columns of `evaluate`, a row for each criterion; two scores are the verdict that follows.
    `labels.csv` holds what was answered with the texts, for a spreadsheet. `final.jsonl` has one
    label an item (and criterion): the adjudication's, else what most people say, else none.
    """
    with store.reading():
        items = {
            row["id"]: item_of(row["shown"], row["withheld"])
            for row in store.rows(
                "SELECT id, shown, withheld FROM items WHERE id IN (SELECT item FROM current)"
                " OR id IN (SELECT item FROM outcomes) ORDER BY position"
            )
        }
        answers = [one for one in given(store) if one.answer.outcome != "skip"]
        labelled = {one.item for one in answers if one.round == "label"}
        weights, settled = _weights(store, plan, labelled), outcomes(store)
        simulated = {one.name for one in everybody(store) if one.kind is AnnotatorKind.SIMULATED}
    labels = [one for one in answers if one.round == "label" and one.verdict is not None]
    judgments = [_judgment(one, about) for one in answers]
    write_records(folder / JUDGMENTS, judgments)
    rows = [
        row for one in labels
        for row in (_import_rows if about.from_run else _label_rows)(one, items[one.item], about)
    ]  # fmt: skip
    write_bytes(folder / LABELS, _lines(rows))
    write_bytes(folder / TABLE, _csv(_table(answers, items, about, weights)))
    final = list(_final(settled, labels, items, about, simulated))
    write_bytes(folder / FINAL, _lines(final))
    return Exported({
        JUDGMENTS: len(judgments), LABELS: len(rows), TABLE: len(answers), FINAL: len(final),
    })  # fmt: skip


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def _judgment(one: Given, about: About) -> Judgment:
    return Judgment.make(
        source=f"review of {about.name}", licence="the user's own", item_id=one.item, judge=one.by,
        dialect=about.dialect_hash, order=one.order, sample=_SAMPLE.get(one.round, 0), reply=None,
        rationale=one.answer.note or None, verdict=one.answer.verdict, distribution=None,
        status=_STATUS[one.answer.outcome], reference=None,
    )  # fmt: skip


def _import_rows(one: Given, item: ReviewItem, about: About) -> list[dict[str, Any]]:
    """A row of `sources.own_files.LabelRow`."""
    assert about.direction is not None
    assert one.answer.verdict is not None
    row: dict[str, Any] = {
        "responses": [item.response_ids[position] for position in one.order],
        "verdict": label_of(one.answer.verdict),
        "names": about.direction.value, "annotator": one.by, "kind": one.kind.value,
    }  # fmt: skip
    if one.answer.confidence is not None:
        row["confidence"] = one.answer.confidence
    return [row]


def _label_rows(one: Given, item: ReviewItem, about: About) -> Iterator[dict[str, Any]]:
    assert one.verdict is not None
    for criterion, label in _labels_of(one.verdict).items():
        row = _column_row(one.by, one.kind, item, about, label, criterion)
        if one.answer.confidence is not None:
            row["confidence"] = one.answer.confidence
        yield row


def _labels_of(verdict: Verdict) -> Mapping[str | None, str | float]:
    """The labels of a verdict, by criterion; one where there is none. A list's is whole."""
    parts = parts_of(verdict)
    is_list = isinstance(verdict, Scores) and len(verdict.values) > 2
    return {None: label_of(verdict)} if is_list else parts


def _column_row(
    by: str, kind: AnnotatorKind, item: ReviewItem, about: About, label: str | float,
    criterion: str | None,
) -> dict[str, Any]:  # fmt: skip
    """A row of the columns that `evaluate` reads; the label is in item order."""
    row: dict[str, Any] = {"item": item.name, "question": item.question}
    if len(item.responses) == 1:
        row["response"] = item.responses[0]
    elif len(item.responses) > 2:
        row["responses"] = list(item.responses)
    else:
        row |= {
            f"response_{letter}": text for letter, text in zip("ab", item.responses, strict=False)
        }
        row |= {
            f"model_{letter}": name for letter, name in zip("ab", item.generators, strict=False)
        }
    row |= {"annotator": by, "kind": kind.value, "label": label}
    if criterion is not None:
        row["criterion"] = criterion
    if about.direction is not None:
        row["names"] = about.direction.value
    return row | {name: value for name in ("bucket", "category") if (value := getattr(item, name))}


def _final(
    settled: Mapping[str, Outcome], labels: Sequence[Given], items: Mapping[str, ReviewItem],
    about: About, simulated: AbstractSet[str],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    said: dict[str, list[Given]] = {}
    for one in labels:
        said.setdefault(one.item, []).append(one)
    for item_id, item in items.items():
        outcome, found = settled.get(item_id), said.get(item_id, [])
        by = {one.by for one in found} if outcome is None else {outcome.by}
        kind = AnnotatorKind.SIMULATED if by & simulated else AnnotatorKind.PERSON
        if outcome is not None:
            verdicts = [] if outcome.verdict is None else [outcome.verdict]
            policy, tag = f"adjudicated by {outcome.by}", outcome.tag
        else:
            verdicts = [one.verdict for one in found if one.verdict is not None]
            policy, tag = f"majority of {len(found)}", None
        said_of: dict[str | None, list[str | float | None]] = {}
        for verdict in verdicts:
            for criterion, label in _labels_of(verdict).items():
                said_of.setdefault(criterion, []).append(label)
        for criterion, labelled in said_of.items():
            most: str | float | None = majority(labelled)  # type: ignore[assignment]
            if most is not None:
                row = _column_row("final", kind, item, about, most, criterion)
                yield row | {"policy": policy, "tag": tag}


def _weights(store: Store, plan: Plan, answered: Collection[str]) -> dict[str, float]:
    """What each item that was answered stands for; 1 where the queue prefers none."""
    if plan.queue != "active":
        return dict.fromkeys(answered, 1.0)
    rows = store.rows("SELECT id, size FROM items WHERE place IS NOT NULL")
    return standing_for({row["id"]: row["size"] for row in rows}, answered)


_COLUMNS = (
    "item", "annotator", "kind", "round", "outcome", "verdict", "confidence", "note", "seconds",
    "order", "weight", "bucket", "category", "question",
)  # fmt: skip


def _table(
    answers: Sequence[Given], items: Mapping[str, ReviewItem], about: About,
    weights: Mapping[str, float],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    for one in answers:
        item = items[one.item]
        texts = {
            f"response {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[i]}": text
            for i, text in enumerate(item.responses)
        }
        yield {
            "item": item.name, "annotator": one.by, "kind": one.kind.value, "round": one.round,
            "outcome": one.answer.outcome,
            "verdict": None if one.verdict is None else _written(one.verdict),
            "confidence": one.answer.confidence, "note": one.answer.note,
            "seconds": one.answer.seconds, "order": " ".join(str(p) for p in one.order),
            "weight": weights.get(one.item), "bucket": item.bucket, "category": item.category,
            "question": item.question, **texts,
        }  # fmt: skip


def _written(verdict: Verdict) -> str:
    if isinstance(verdict, Choice):
        return verdict.value
    if isinstance(verdict, Scores) and verdict.criteria is None:
        return " ".join(f"{value:g}" for value in verdict.values)
    return verdict.model_dump_json()


def _csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A table for a spreadsheet: marked as UTF-8, with no cell that it would run."""
    kept = list(rows)
    more = sorted({name for row in kept for name in row} - set(_COLUMNS))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*_COLUMNS, *more], lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in kept:
        writer.writerow({
            name: guarded(value) if isinstance(value, str) else value for name, value in row.items()
        })  # fmt: skip
    return out.getvalue().encode("utf-8-sig")
