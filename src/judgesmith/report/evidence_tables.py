"""Tables of what a meta-evaluation holds for each judge: order, length, confidence, scores."""

from collections.abc import Callable, Iterable, Sequence

from judgesmith.report.blocks import Cell, Table, columns, number_cell
from judgesmith.report.evidence import (
    Evidence,
    JudgeEvidence,
    ScoreAgreement,
)
from judgesmith.report.numbers import NOT_APPLICABLE, NOT_MEASURED, figure
from judgesmith.report.result_tables import by_role
from judgesmith.report.results import Evaluation, Number, SliceInfo

Rows = tuple[tuple[Cell, ...], ...]
Part = tuple[str, Callable[[JudgeEvidence], Number | None]]


def number_table(
    title: str, evidence: Evidence, parts: Sequence[Part], *, labels: str, note: str = ""
) -> Table:
    """One row per judge for which at least one of the parts exists, one column per part."""
    rows = tuple(
        (
            Cell(one.judge, tone="strong"),
            *(number_cell(read(one), absent=NOT_MEASURED) for _, read in parts),
        )
        for one in evidence.judges
        if any(read(one) is not None for _, read in parts)
    )
    heads = [head for head, _ in parts]
    return Table(title, columns("judge", *heads, numeric=heads), rows, labels=labels, note=note)


def _by_key(read: Callable[[JudgeEvidence], dict[str, Number]], key: str) -> Part:
    return key, lambda one: read(one).get(key)


def keys_of(found: Iterable[dict[str, Number]]) -> list[str]:
    """Give the keys of all dicts, each once, in the order of their first appearance."""
    return list(dict.fromkeys(key for one in found for key in one))


def agreement_table(evidence: Evidence, labels: str) -> Table:
    """Agreement beside kappa: AC1, alpha, and accuracy under each way to count ties."""
    ways = keys_of(one.accuracy_by_ties for one in evidence.judges)
    parts: list[Part] = [("AC1", lambda one: one.ac1), ("alpha", lambda one: one.alpha)]
    parts += [
        (f"accuracy, ties {way}", _by_key(lambda one: one.accuracy_by_ties, way)[1]) for way in ways
    ]
    note = (
        "Gwet's AC1 and Krippendorff's alpha correct for chance in other ways than kappa. Ties: a "
        "tie by judge or label where the other names a response counts as wrong, as half right, "
        "or is dropped."
    )
    return number_table("Other agreement", evidence, parts, labels=labels, note=note)


def score_table(evidence: Evidence, labels: str) -> Table:
    """Scores of every judge against those of the labels, criterion by criterion."""
    readers: list[tuple[str, Callable[[ScoreAgreement], Number | None]]] = [
        ("Spearman", lambda row: row.spearman),
        ("Pearson", lambda row: row.pearson),
        ("Kendall tau-b", lambda row: row.kendall),
        ("exact", lambda row: row.exact),
        ("mean absolute error", lambda row: row.mean_error),
    ]
    graded: list[tuple[str, Callable[[ScoreAgreement], Number | None]]] = [
        ("weighted kappa", lambda row: row.weighted_kappa),
        ("alpha, ordinal", lambda row: row.alpha),
    ]
    scored = [(one.judge, row) for one in evidence.judges for row in one.scores]
    readers += [part for part in graded if any(part[1](row) for _, row in scored)]
    rows = tuple(
        (
            Cell(judge, tone="strong"),
            Cell(row.criterion),
            *(number_cell(read(row), absent=NOT_APPLICABLE) for _, read in readers),
        )
        for judge, row in scored
    )
    heads = [head for head, _ in readers]
    note = "Exact: share of equal scores. Mean absolute error: in steps of the label's scale."
    note += " Weighted kappa and alpha need whole numbers of one scale, and are left out elsewhere."
    return Table(
        "Scores, by criterion",
        columns("judge", "criterion", *heads, numeric=heads),
        rows,
        labels=labels,
        note=note,
    )


def flip_table(evidence: Evidence, labels: str) -> Table:
    """What order does to each judge's verdicts, and what repeating alone does."""

    def read(name: str) -> Callable[[JudgeEvidence], Number | None]:
        return lambda one: None if one.flips is None else getattr(one.flips, name)

    parts: list[Part] = [
        ("consistency", read("consistency")),
        ("primacy", read("primacy")),
        ("recency", read("recency")),
        ("repeatability", read("repeatability")),
        ("flips beyond noise", read("beyond_noise")),
    ]
    note = (
        "Among pairs read in both orders. Primacy: of the pairs whose two readings name the same "
        "slot, the share that names what was shown first; recency: second. Repeatability: two "
        "repeats in one order agree. Beyond noise: how much more often verdicts differ after a "
        "swap than between repeats."
    )
    return number_table("Order and repeats", evidence, parts, labels=labels, note=note)


def repeat_table(evidence: Evidence) -> Table:
    """Krippendorff's alpha among repeated judgments, one column per criterion."""
    criteria = keys_of(one.repeats for one in evidence.judges)
    parts = [_by_key(lambda one: one.repeats, criterion) for criterion in criteria]
    title = "Alpha among repeats in one order"
    return number_table(title, evidence, parts, labels="each judge against itself")


def flip_count_table(evidence: Evidence) -> Table:
    """The counts behind the flip pictures: verdict in one order, verdict in the other."""
    rows = []
    for one in evidence.judges:
        if one.flips is None:
            continue
        matrix = one.flips.matrix
        stored = [*zip(matrix.labels, matrix.counts, strict=True), ("unparsed", matrix.unparsed)]
        total = sum(sum(counts) for _, counts in stored)
        rows += [
            (Cell(one.judge), Cell(name), Cell(other), Cell(f"{count:,}", aside=f"of {total:,}"))
            for name, counts in stored
            for other, count in zip(matrix.labels, counts, strict=True)
            if count
        ]
    return Table(
        "Verdicts in both orders",
        columns("judge", "stored order", "swapped order", "items", numeric=["items"]),
        tuple(rows),
        note="Pairs of verdicts that never occur are left out.",
        folded=True,
    )


def length_table(evaluation: Evaluation, evidence: Evidence) -> Table:
    """How each judge treats the longer response."""
    verbosity = {
        judge.name: next(
            (
                judge.slices[info.name].verbosity
                for info in evaluation.slices
                if info.kind == "domain" and info.name in judge.slices
            ),
            None,
        )
        for judge in by_role(evaluation)
    }
    parts: list[Part] = [
        ("names the longer", lambda one: one.longer_wins),
        ("more often than labels", lambda one: verbosity.get(one.judge)),
        ("kappa, length balanced", lambda one: one.length_controlled),
    ]
    note = (
        "Names the longer: share of verdicts for the longer response, of those that name one of "
        "two unequal responses. More often than labels: that share minus the labels' own. Length "
        "balanced: mean of kappa where the label names the longer and where it names the shorter."
    )
    return number_table("Length", evidence, parts, labels=evaluation.labels_title, note=note)


def style_table(evidence: Evidence, labels: str) -> Table:
    """One row per judge, one column per style that the rows carry."""
    styles = keys_of(one.styles for one in evidence.judges)
    parts = [_by_key(lambda one: one.styles, style) for style in styles]
    note = "Share of verdicts for the first style, of those between the two styles."
    return number_table("Style", evidence, parts, labels=labels, note=note)


def confidence_table(evidence: Evidence, labels: str) -> Table:
    """Brier score, ECE and the area under the risk-coverage curve."""
    parts: list[Part] = [
        ("Brier score", lambda one: one.calibration.brier if one.calibration else None),
        ("ECE", lambda one: one.calibration.ece if one.calibration else None),
        ("risk-coverage area", lambda one: one.risk_coverage.area if one.risk_coverage else None),
    ]
    binnings = dict.fromkeys(one.calibration.binning for one in evidence.judges if one.calibration)
    note = f"Lower is better in all three. ECE bins: {'; '.join(binnings)}." if binnings else ""
    return number_table("Confidence", evidence, parts, labels=labels, note=note)


def bin_table(evidence: Evidence, labels: str) -> Table:
    """The bins behind the reliability pictures."""
    rows = tuple(
        (
            Cell(one.judge),
            Cell(f"{figure(found.low)} to {figure(found.high)}"),
            Cell(f"{found.n:,}"),
            Cell(figure(found.confidence) if found.n else "no verdicts"),
            number_cell(found.right),
        )
        for one in evidence.judges
        if one.calibration is not None
        for found in one.calibration.bins
    )
    heads = ("verdicts", "mean confidence", "share right")
    return Table(
        "Bins of confidence",
        columns("judge", "confidence", *heads, numeric=heads),
        rows,
        labels=labels,
        folded=True,
    )


def order_accuracy_table(evaluation: Evaluation, info: SliceInfo) -> Table:
    """Accuracy in each order of the responses, beside that of the averaged verdict."""
    rows = []
    for judge in by_role(evaluation):
        found = judge.slices.get(info.name)
        if found is None or not (found.accuracy_stored_order or found.accuracy_swapped_order):
            continue
        numbers = (found.accuracy, found.accuracy_stored_order, found.accuracy_swapped_order)
        cells = [number_cell(number, absent=NOT_MEASURED) for number in numbers]
        rows.append((Cell(judge.name, tone="strong"), *cells))
    heads = ("accuracy, both orders", "stored order", "swapped order")
    return Table(
        f"Accuracy by order, {info.title}",
        columns("judge", *heads, numeric=heads),
        tuple(rows),
        labels=evaluation.labels_title,
    )
