"""Tables over the formats of one run: what was measured, replies, consistency, a merge."""

from judgesmith.report.blocks import Cell, Table, columns, number_cell
from judgesmith.report.numbers import NOT_APPLICABLE, NOT_MEASURED, estimate, figure, plural
from judgesmith.report.result_tables import by_role, slices_of
from judgesmith.report.results import Evaluation, JudgeResult, Number
from judgesmith.report.score_results import Between, Consistency, Kept, Replies, ScoreResult
from judgesmith.report.score_tables import scored_by_role

FORMS = {
    "pairs": "pairs: which response stands out",
    "scores": "single responses: a score for each",
}
TONES = {"kept": "pass", "not kept": "fail", "not decided": "inconclusive"}


def formats_table(evaluation: Evaluation) -> Table:
    """One row per dialect and labels: what is judged, whose labels, the student's headline."""
    rows = []
    for one in (evaluation, *evaluation.also):
        whole = one.slices[0] if one.slices else None
        sizes = "" if whole is None else f"{whole.n:,} {_units(one)}, {whole.title}"
        rows.append(
            (
                Cell(one.dialect, tone="strong"),
                Cell(FORMS[one.form], aside=sizes),
                Cell(one.labels_title),
                *_headline(one),
            )
        )
    return Table(
        "What was measured, format by format",
        columns("dialect", "judged", "labels", "student", "metric", "value"),
        tuple(rows),
        note="The first decides the gate. Each format has its own sections below, under its name.",
    )


def validity_table(evaluation: Evaluation) -> Table:
    """Which share of each student's replies could be read, in each format."""
    parts = {one.dialect: one for one in (evaluation, *evaluation.also)}
    names = dict.fromkeys(row.judge for one in parts.values() for row in one.replies)
    rows = tuple(
        (Cell(name, tone="strong"), *(_read(one, name) for one in parts.values())) for name in names
    )
    return Table(
        "Replies that could be read, by format",
        columns("student", *parts, numeric=[*parts]),
        rows,
        note="In domain, of all replies in every order.",
    )


def _read(one: Evaluation, name: str) -> Cell:
    domains = slices_of(one, "domain")
    wanted = domains[0].name if domains else ""
    found = [row for row in one.replies if (row.judge, row.slice) == (name, wanted)]
    if not found:
        return Cell("not asked", tone="soft")
    cell = number_cell(found[0].parsed)
    return Cell(cell.text, aside=_note_of(one, name) or cell.aside, tone=cell.tone)


def _note_of(one: Evaluation, name: str) -> str:
    judges: list[JudgeResult | ScoreResult] = [*one.judges, *one.scored]
    return next((judge.note for judge in judges if judge.name == name), "")


def _units(one: Evaluation) -> str:
    return "scores" if one.form == "scores" else "items"


def _headline(one: Evaluation) -> list[Cell]:
    judges: list[JudgeResult | ScoreResult] = [*by_role(one), *scored_by_role(one)]
    student = next((judge for judge in judges if judge.role == "student"), None)
    domains = slices_of(one, "domain")
    if student is None or not domains or domains[0].name not in student.slices:
        return [Cell(NOT_MEASURED, tone="soft")] * 3
    metric = "weighted_kappa" if one.form == "scores" else "kappa"
    found: Number = getattr(student.slices[domains[0].name], metric)
    return [Cell(student.name), Cell(metric.replace("_", " ")), number_cell(found)]


def replies_table(evaluation: Evaluation) -> Table:
    """Which share of every student's replies could be read, and was cut off, by part."""
    titles = {info.name: info.title for info in evaluation.slices}
    statuses = [status for row in evaluation.replies for status in row.statuses]
    others = [s for s in dict.fromkeys(statuses) if s not in ("parsed", "truncated")]
    rows = tuple(
        (
            Cell(row.judge),
            Cell(titles.get(row.slice, row.slice.partition(":")[2] or row.slice)),
            number_cell(row.parsed),
            number_cell(row.truncated),
            *(Cell(f"{row.statuses.get(status, 0):,}") for status in others),
        )
        for row in evaluation.replies
    )
    heads = ["can be read", "cut off", *(status.replace("_", " ") for status in others)]
    return Table(
        "Replies that could be read, and that the token budget cut off",
        columns("judge", "part", *heads, numeric=heads),
        rows,
        note=(
            "Shares of all replies, in every order; no labels are involved. A judgment that scores "
            "several responses counts once."
        ),
        folded=all(row.parsed.value == 1.0 for row in evaluation.replies),
    )


def truncated(evaluation: Evaluation) -> list[Replies]:
    """Rows of whole domains in which replies were cut off."""
    domains = {info.name for info in slices_of(evaluation, "domain")}
    return [
        row for row in evaluation.replies if row.slice in domains and (row.truncated.value or 0) > 0
    ]


def judgelm_table(evaluation: Evaluation, name: str, title: str) -> Table:
    """Judges that give two scores in the terms of JudgeLM's evaluation, on one slice."""
    parts = (
        ("agreement", "agreement"), ("precision", "precision"), ("recall", "recall"), ("F1", "f1"),
        ("consistency", "consistency"), ("prefer-before", "prefer_before"),
        ("prefer-after", "prefer_after"), ("before minus after", "delta"),
    )  # fmt: skip
    rows = []
    for judge in by_role(evaluation):
        found = judge.slices.get(name)
        if found is not None and found.judgelm is not None:
            numbers = (getattr(found.judgelm, field) for _, field in parts)
            rows.append((Cell(judge.name), *(number_cell(number) for number in numbers)))
    heads = [head for head, _ in parts]
    return Table(
        f"In JudgeLM's terms, {title}",
        columns("judge", *heads, numeric=heads),
        tuple(rows),
        labels=evaluation.labels_title,
        note=(
            "As JudgeLM's evaluation defines them: agreement, precision, recall and F1 (means over "
            "win, tie and loss) of the stored order alone; prefer-before and prefer-after are the "
            "shares in which what was shown earlier, or later, did better than the other order "
            "allows. JudgeLM's delta bias is the size of the last column. Unread replies are left "
            "out here and are ties there."
        ),
    )


def consistency_table(found: Consistency) -> Table:
    """Stated and expected scores against verdicts and labels, judge by judge."""
    rows = tuple(
        (
            Cell(row.judge, tone="strong"),
            Cell(row.scores),
            Cell(row.against),
            number_cell(row.consistent),
            number_cell(row.inconsistent),
            number_cell(row.tie),
            _conflicts(row),
            Cell(_left_out(row.left_out, row.no_preference), tone="soft"),
        )
        for row in found.rows
    )
    numeric = ["consistent", "inconsistent", "tie", "conflict ratio CR"]
    return Table(
        f"Scores in {found.score_dialect} against preferences in {found.pair_dialect}",
        columns("judge", "scores", "preference of", *numeric, "left out", numeric=numeric),
        rows,
        labels=found.labels_title,
        note=(
            "Both responses of a pair are scored alone. Consistent: the preferred one has the "
            "higher score; inconsistent: the lower; tie: equal scores. These three are shares of "
            "pairs with a preference. CR (TrustJudge) is the share of all pairs in which scores "
            "and the judge's own verdict say different things, ties included. Expected scores are "
            "means under the reply's probabilities, which break most ties."
        ),
    )


def _conflicts(row: Between) -> Cell:
    """The conflict ratio with its three parts beside it."""
    cell = number_cell(row.conflicts, absent=NOT_APPLICABLE)
    parts = (("reversals", row.reversals), ("score ties", row.score_ties),
             ("verdict ties", row.verdict_ties))  # fmt: skip
    told = [
        f"{name} {figure(part.value)}"
        for name, part in parts
        if part is not None and part.value is not None
    ]
    return Cell(cell.text, aside=", ".join(told), tone=cell.tone)


def _left_out(left_out: int, no_preference: int) -> str:
    told = [f"{left_out:,} unread"] if left_out else []
    told += [plural(no_preference, "tied preference")] if no_preference else []
    return ", ".join(told) or "none"


def kept_table(rows: tuple[Kept, ...]) -> Table:
    """What a merged judge keeps of each specialist, and the jointly trained one beside it."""
    joint = any(row.joint is not None for row in rows)
    numeric = ["merged", "specialist", "kept", "above constant", *(["joint"] if joint else [])]
    least = f"at least {rows[0].least:.0%}?" if rows else ""
    heads = [*numeric[:3], least, *numeric[3:]]
    return Table(
        "What the merged judge keeps of each specialist, in domain",
        columns("format", "metric", *heads, numeric=numeric),
        tuple(
            (
                Cell(row.dialect, tone="strong"),
                Cell(row.metric),
                _named(row.merged, row.merged_name),
                _named(row.specialist, row.specialist_name),
                number_cell(row.share),
                Cell(row.outcome, tone=TONES[row.outcome]),
                number_cell(row.above_constant),
                *([_joint(row)] if joint else []),
            )
            for row in rows
        ),
        note=(
            "Kept: the merged judge's value over the specialist's, on the same items; decided by "
            "the whole interval. Verdicts that could not be read count as wrong, and scores "
            "as the end of the scale that is farther from the label. Above constant: the merged "
            "judge's value minus that of the constant rule. Joint: trained on all formats at once, "
            "with its share of the specialist's value."
        ),
    )


def _joint(row: Kept) -> Cell:
    cell = number_cell(row.joint, absent=NOT_MEASURED)
    share = "" if row.joint_share is None else f"keeps {estimate(row.joint_share)}"
    return Cell(cell.text, aside=share, tone=cell.tone)


def _named(number: Number | None, name: str) -> Cell:
    cell = number_cell(number, absent=NOT_MEASURED)
    return Cell(cell.text, aside=name, tone=cell.tone)
