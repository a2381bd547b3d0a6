"""Tables of judges that give scores to single responses, against labels that are scores."""

from collections.abc import Sequence

from judgesmith.report.blocks import Cell, Table, columns, number_cell
from judgesmith.report.numbers import NOT_MEASURED, plural
from judgesmith.report.result_tables import ROLES, size, slices_of
from judgesmith.report.results import Evaluation, Number, SliceInfo
from judgesmith.report.score_results import ScoreResult

AGREEMENT = (
    ("exact", "exact"),
    ("within one", "within_one"),
    ("weighted kappa", "weighted_kappa"),
    ("mean absolute error", "mean_error"),
)
CORRELATION = (("Pearson", "pearson"), ("Spearman", "spearman"), ("Kendall tau-b", "kendall"))


def scored_by_role(evaluation: Evaluation) -> list[ScoreResult]:
    """Give the judges of scores in the order of roles, then as listed."""
    return sorted(evaluation.scored, key=lambda judge: ROLES.index(judge.role))


def score_agreement_table(evaluation: Evaluation, info: SliceInfo) -> Table:
    """Exact agreement, agreement within one, weighted kappa and the mean error of every judge."""
    return _table(
        evaluation,
        info,
        f"Scores that equal the label, {info.title}",
        (("coverage", "coverage"), *AGREEMENT),
        note=(
            "Over parsed replies. Weighted kappa has quadratic weights: 0 for a constant judge. "
            "Mean absolute error is in steps of the label's scale: lower is better."
        ),
    )


def correlation_table(evaluation: Evaluation, info: SliceInfo) -> Table:
    """Correlations of every judge's scores with the labels."""
    note = "Over parsed replies. A judge that gives one score only has no correlation."
    return _table(
        evaluation, info, f"Scores that rise with the label, {info.title}", CORRELATION, note=note
    )


def _table(
    evaluation: Evaluation, info: SliceInfo, title: str,
    parts: Sequence[tuple[str, str]], *, note: str,
) -> Table:  # fmt: skip
    heads = [head for head, _ in parts]
    rows = tuple(
        (
            _judge_cell(judge),
            Cell(judge.role, aside=judge.note),
            *(number_cell(_number(judge, info, name), absent=NOT_MEASURED) for _, name in parts),
        )
        for judge in scored_by_role(evaluation)
    )
    return Table(
        f"{title} ({size(info)})",
        columns("judge", "role", *heads, numeric=heads),
        rows,
        labels=evaluation.labels_title,
        note=note,
    )


def _judge_cell(judge: ScoreResult) -> Cell:
    return Cell(judge.name, tone="strong" if judge.role == "student" else "")


def _number(judge: ScoreResult, info: SliceInfo, name: str) -> Number | None:
    found = judge.slices.get(info.name)
    number: Number | None = None if found is None else getattr(found, name)
    return number


def expected_table(evaluation: Evaluation, info: SliceInfo) -> Table | None:
    """Stated scores beside expected ones, of the judges whose replies carry probabilities."""
    pairs = (
        ("Pearson", "pearson"),
        ("Spearman", "spearman"),
        ("mean absolute error", "mean_error"),
    )
    rows = []
    for judge in scored_by_role(evaluation):
        found = judge.slices.get(info.name)
        if found is not None and found.expected is not None:
            for how, numbers in (("stated", found), ("expected", found.expected)):
                cells = [number_cell(getattr(numbers, name)) for _, name in pairs]
                rows.append((_judge_cell(judge), Cell(how), *cells))
    if not rows:
        return None
    heads = [head for head, _ in pairs]
    return Table(
        f"Stated scores and expected ones, {info.title}",
        columns("judge", "scores", *heads, numeric=heads),
        tuple(rows),
        labels=evaluation.labels_title,
        note="Expected: the mean of the scale under the probabilities of the reply.",
    )


def score_cells_table(evaluation: Evaluation, kind: str) -> Table:
    """The student, and the model before training, on every slice of one kind."""
    shown = [
        one for one in scored_by_role(evaluation) if one.role in ("student", "before training")
    ]
    parts = (("exact", "exact"), ("Pearson", "pearson"))
    heads = [f"{head}, {judge.name}" for head, _ in parts for judge in shown]
    rows = tuple(
        (
            Cell(info.title),
            Cell(f"{info.n:,}", aside=plural(info.questions, "question")),
            *(
                number_cell(_number(judge, info, name), absent=NOT_MEASURED)
                for _, name in parts
                for judge in shown
            ),
        )
        for info in slices_of(evaluation, kind)
    )
    return Table(
        f"By {kind.replace('_', ' ')}",
        columns(kind.replace("_", " "), "scores", *heads, numeric=["scores", *heads]),
        rows,
        labels=evaluation.labels_title,
    )
