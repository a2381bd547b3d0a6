"""A run's student on the user's own labelled rows: pairs, or responses that are judged alone."""

from collections.abc import Sequence
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.evaluation.judges import reasons
from judgesmith.evaluation.measure import Subject
from judgesmith.judging.dialect import Dialect
from judgesmith.models.pointwise import expected_scores, verdict_letter
from judgesmith.pipeline.judge_pairs import Judged, OwnJudge, judge_pairs, own_judge
from judgesmith.pipeline.readable import Readable, a_label, as_imported
from judgesmith.pipeline.recipes import open_run
from judgesmith.records import TIE, Judgment, Kind
from judgesmith.runs.jsonl import file_sha256
from judgesmith.sources.imported import ImportedItem, ImportedJudgment, ImportedRow
from judgesmith.sources.own_files import OwnPair, PairRow


def judged_pairs(folder: Path, path: Path) -> Readable:
    """A run's student on labelled rows, beside the file's own verdicts or scores."""
    own = own_judge(*open_run(folder))
    kind = check_labels(own, path)
    judged = judge_pairs(own, path)
    what = "pairs" if kind is Kind.PAIR else "responses"
    return Readable(
        name=path.name.split(".")[0],
        title=f"{own.name} on the {what} of {path.name}",
        subject=_of_pairs(own) if kind is Kind.PAIR else _of_single(own),
        read=lambda: (_row(entry, own, path) for entry in judged),
        provenance=((f"sha256 of {path.name}", file_sha256(path)[:16]),),
    )


def _of_pairs(own: OwnJudge) -> Subject:
    scale = own.dialect.pair_scale
    return Subject(
        kind="pair", names=own.dialect.direction, scale=scale.values,
        tie=TIE if scale.has_tie else None, labels="majority", student=own.name,
        order_proof=() if own.margin is None else (own.name,),
    )  # fmt: skip


def _of_single(own: OwnJudge) -> Subject:
    scored, scale = own.dialect.scored, own.dialect.scale
    return Subject(
        kind="single", names=None, scale=() if scored else scale.values, tie=None,
        labels="mean" if scored else "majority", student=own.name,
        limits=_limits(own.dialect) if scored else None,
    )  # fmt: skip


def _limits(dialect: Dialect) -> tuple[float, float]:
    values = [float(value) for value in dialect.scale.values]
    return min(values), max(values)


def check_labels(own: OwnJudge, path: Path) -> Kind:
    """Whether a file holds pairs or responses alone; each row has a label to measure against.

    Raises DataError naming file and line, before anything is judged.
    """
    first: OwnPair | None = None
    for entry in own.rows(path):
        first = first or entry
        if entry.item.kind is not first.item.kind:
            raise DataError(
                f"{entry.where}: expected {_what(first)} as in {first.where}, found "
                f"{_what(entry)}. Pairs and single responses are measured from two files."
            )
        if entry.item.kind is Kind.PAIR:
            _check_verdict(entry, own.dialect.pair_scale.values)
            _check_names(entry)
        elif own.dialect.scored:
            _check_score(entry, own.dialect)
        else:
            _check_verdict(entry, own.dialect.scale.values)
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


def _label(row: PairRow, dialect: Dialect) -> str:
    """The row's verdict in the judge's direction."""
    turned = {"A": "B", "B": "A"} if row.names is not dialect.direction else {}
    return turned.get(str(row.verdict), str(row.verdict))


def _row(judged: Judged, own: OwnJudge, path: Path) -> ImportedRow:
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
        return ImportedRow(item, _single(judged, own, path))
    label = a_label(name, "label", "person", _label(row, own.dialect), str(path))
    said = tuple(as_imported(one, own.name, str(path), own.margin) for one in judged.judgments)
    return ImportedRow(item, (label, *said))


def _single(judged: Judged, own: OwnJudge, path: Path) -> tuple[ImportedJudgment, ...]:
    """The label of a response that was judged alone, and what the judge said."""
    (judgment,) = judged.judgments
    row, name = judged.entry.row, judged.entry.item.id
    label = a_label(name, "label", "person", str(row.verdict), str(path))
    if own.dialect.scored:
        scores = None if row.score is None else (row.score,)
        label = label._replace(verdict=None, scores=scores)
    return label, _said(judgment, own, path)


def _said(judgment: Judgment, own: OwnJudge, path: Path) -> ImportedJudgment:
    return ImportedJudgment(
        item=judgment.item_id, by=own.name, role="judge", criterion=None,
        verdict=verdict_letter(judgment.verdict), scores=expected_scores(judgment),
        distribution=None, confidence=None, swapped=False, sample=judgment.sample,
        status=judgment.status, rationale=reasons(judgment), reply=judgment.reply,
        where=f"{path}: item {judgment.item_id}",
    )  # fmt: skip
