"""A run's student on the user's own labelled rows: pairs, or responses that are judged alone."""

from collections.abc import Sequence
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.evaluation.judges import reasons
from judgesmith.evaluation.measure import Subject
from judgesmith.inference.judge import Judge
from judgesmith.inference.judged import Judged
from judgesmith.inference.lacking import look_at
from judgesmith.inference.rows.stream import judge_rows
from judgesmith.judging.dialect import Dialect
from judgesmith.models.pointwise import expected_scores, verdict_letter
from judgesmith.pipeline.judges import open_judge
from judgesmith.pipeline.readable import Readable, a_label, as_imported
from judgesmith.records import TIE, Judgment, Kind
from judgesmith.runs.jsonl import file_sha256
from judgesmith.sources.imported import ImportedItem, ImportedJudgment, ImportedRow
from judgesmith.sources.own_files import OwnPair, read_pairs
from judgesmith.sources.own_tables import raw_pairs


def judged_pairs(folder: Path, path: Path) -> Readable:
    """A run's student on labelled rows, beside the file's own verdicts or scores."""
    judge = open_judge(folder)
    kind = check_labels(judge, path)
    unread = look_at(raw_pairs(path), ()).unread
    judged = list(judge_rows(judge, path))
    what = "pairs" if kind is Kind.PAIR else "responses"
    return Readable(
        name=path.name.split(".")[0],
        title=f"{judge.name} on the {what} of {path.name}",
        subject=_of_pairs(judge) if kind is Kind.PAIR else _of_single(judge),
        read=lambda: (_row(entry, judge, path) for entry in judged),
        notes=(f"Fields that are not read: {', '.join(unread)}.",) if unread else (),
        provenance=((f"sha256 of {path.name}", file_sha256(path)[:16]),),
    )


def _of_pairs(judge: Judge) -> Subject:
    scale = judge.dialect.pair_scale
    return Subject(
        kind="pair", names=judge.dialect.direction, scale=scale.values,
        tie=TIE if scale.has_tie else None, labels="majority", student=judge.name,
        order_proof=() if judge.margin is None else (judge.name,),
    )  # fmt: skip


def _of_single(judge: Judge) -> Subject:
    scored, scale = judge.dialect.scored, judge.dialect.scale
    return Subject(
        kind="single", names=None, scale=() if scored else scale.values, tie=None,
        labels="mean" if scored else "majority", student=judge.name,
        limits=_limits(judge.dialect) if scored else None,
    )  # fmt: skip


def _limits(dialect: Dialect) -> tuple[float, float]:
    values = [float(value) for value in dialect.scale.values]
    return min(values), max(values)


def check_labels(judge: Judge, path: Path) -> Kind:
    """Whether a file holds pairs or responses alone; each row has a label to measure against.

    Raises DataError naming file and line, before anything is judged.
    """
    first: OwnPair | None = None
    for entry in read_pairs(path, judge.dialect.kind):
        first = first or entry
        if entry.item.kind is Kind.LIST:
            raise DataError(
                f"{entry.where}: field 'responses': expected two responses or one to measure a "
                "judge on, found a list: labels of lists are not read."
            )
        if entry.item.kind is not first.item.kind:
            raise DataError(
                f"{entry.where}: expected {_what(first)} as in {first.where}, found "
                f"{_what(entry)}. Pairs and single responses are measured from two files."
            )
        if entry.item.kind is Kind.PAIR:
            _check_verdict(entry, judge.dialect.pair_scale.values)
            _check_names(entry)
        elif judge.dialect.scored:
            _check_score(entry, judge.dialect)
        else:
            _check_verdict(entry, judge.dialect.scale.values)
    return Kind.PAIR if first is None else first.item.kind


def _what(entry: OwnPair) -> str:
    return "two responses" if entry.item.kind is Kind.PAIR else "one response"


def _check_verdict(entry: OwnPair, values: Sequence[str]) -> None:
    if entry.row.verdict not in values:
        raise DataError(
            f"{entry.where}: field 'verdict': expected one of {', '.join(values)} to measure "
            f"against, found {entry.row.verdict!r}."
        )


def _check_names(entry: OwnPair) -> None:
    if entry.row.names is None:
        raise DataError(
            f"{entry.where}: field 'names' is missing: say whether the verdict names the "
            '"better" or the "worse" response.'
        )


def _check_score(entry: OwnPair, dialect: Dialect) -> None:
    low, high = _limits(dialect)
    score = entry.row.score
    if score is None or not low <= score <= high:
        raise DataError(
            f"{entry.where}: field 'score': expected a number from {low:g} to {high:g} to measure "
            f"against, found {score!r}."
        )


def label_of(entry: OwnPair, dialect: Dialect) -> str:
    """The row's verdict; of two responses in the judge's direction."""
    row = entry.row
    other = entry.item.kind is Kind.PAIR and row.names is not dialect.direction
    turned = {"A": "B", "B": "A"} if other else {}
    return turned.get(str(row.verdict), str(row.verdict))


def _row(judged: Judged, judge: Judge, path: Path) -> ImportedRow:
    entry, name = judged.entry, judged.entry.item.id
    row = entry.row
    item = ImportedItem(
        id=name,
        cluster=f"{row.question}\n{row.context or ''}",
        question=row.question if row.context is None else f"{row.context}\n{row.question}",
        reference=row.reference,
        responses=tuple(response.text for response in entry.responses),
        models=None,
        fields={},
        where=entry.where,
    )
    if entry.item.kind is Kind.SINGLE:
        return ImportedRow(item, _single(judged, judge, path))
    label = a_label(name, "verdict", "person", label_of(entry, judge.dialect), str(path))
    said = tuple(as_imported(one, judge.name, str(path), judge.margin) for one in judged.judgments)
    if judge.margin is not None:  # two scores have no distribution of a verdict
        said = tuple(one._replace(confidence=judged.confidence) for one in said)
    return ImportedRow(item, (label, *said))


def _single(judged: Judged, judge: Judge, path: Path) -> tuple[ImportedJudgment, ...]:
    """The label of a response that was judged alone, and what the judge said."""
    (judgment,) = judged.judgments
    row, name = judged.entry.row, judged.entry.item.id
    label = a_label(name, "verdict", "person", str(row.verdict), str(path))
    if judge.dialect.scored:
        scores = None if row.score is None else (row.score,)
        label = label._replace(by="score", verdict=None, scores=scores)
    return label, _said(judgment, judge, path)


def _said(judgment: Judgment, judge: Judge, path: Path) -> ImportedJudgment:
    return ImportedJudgment(
        item=judgment.item_id, by=judge.name, role="judge", criterion=None,
        verdict=verdict_letter(judgment.verdict), scores=expected_scores(judgment),
        distribution=None, confidence=None, swapped=False, sample=judgment.sample,
        status=judgment.status, rationale=reasons(judgment), reply=judgment.reply,
        where=f"{path}: item {judgment.item_id}",
    )  # fmt: skip
