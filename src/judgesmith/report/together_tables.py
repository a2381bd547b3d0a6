"""Tables of people with people, judges in their place, student and teacher, judge and itself."""

from collections.abc import Callable, Sequence

from judgesmith.report.blocks import Cell, Table, columns, number_cell
from judgesmith.report.evidence import AlternativeAnnotator, Evidence, Fidelity, JudgeEvidence
from judgesmith.report.evidence_tables import Part, number_table
from judgesmith.report.numbers import figure, plural
from judgesmith.report.results import Number

SELF = "each judge against itself"


def conflict_table(evidence: Evidence) -> Table:
    """Each judge's scores against its own pairwise verdicts: the conflict ratio and its parts."""

    def read(name: str) -> Callable[[JudgeEvidence], Number | None]:
        return lambda one: None if one.score_and_pair is None else getattr(one.score_and_pair, name)

    parts: list[Part] = [
        ("conflict ratio CR", read("conflicts")),
        ("reversals", read("reversals")),
        ("score ties", read("score_ties")),
        ("verdict ties", read("verdict_ties")),
    ]
    note = (
        "A judge against itself, so no labels are involved. Reversal: the verdict names the "
        "response with the lower score. Score tie: equal scores, yet a verdict. Verdict tie: a "
        "tie, yet unequal scores. The three add up to CR."
    )
    return number_table("Scores against verdicts", evidence, parts, labels=SELF, note=note)


def transitivity_table(evidence: Evidence) -> Table:
    """Verdicts of each judge that no ranking can explain, by the size of the subsets."""
    rows = tuple(
        (
            Cell(one.judge, tone="strong"),
            Cell(f"{row.k:,}", aside=plural(row.questions, "question")),
            *map(number_cell, (row.rate, row.cycles, row.tie_violations)),
        )
        for one in evidence.judges
        for row in one.transitivity
    )
    heads = ("k", "NTR", "cycles", "tie violations")
    return Table(
        "Verdicts that cannot be ranked",
        columns("judge", *heads, numeric=heads),
        rows,
        labels=SELF,
        note=(
            "Share of subsets of k responses to one question. Cycle: x over y, y over z, z over "
            "x. Tie violation: x ties with y and y with z, but x not with z. A subset can have "
            "both."
        ),
    )


def alpha_table(evidence: Evidence) -> Table:
    """Krippendorff's alpha among all people, by criterion."""
    rows = tuple(
        (Cell(criterion), number_cell(number))
        for criterion, number in evidence.people_alpha.items()
    )
    return Table(
        "Alpha among all people",
        columns("of", "alpha", numeric=["alpha"]),
        rows,
        labels="labels by these people",
    )


def people_table(evidence: Evidence, metric: str) -> Table:
    """Agreement of every two people."""
    rows = tuple(
        (Cell(first), Cell(second), number_cell(number))
        for first, second, number in evidence.people
    )
    return Table(
        f"{metric} between people",
        columns("person", "other person", metric, numeric=[metric]),
        rows,
        labels="labels by these people",
        folded=len(rows) > 10,
    )


def alternative_table(tests: Sequence[AlternativeAnnotator], labels: str) -> Table:
    """May a judge stand in for a person? One row per judge."""
    outcome = {True: ("passes", "pass"), False: ("fails", "fail"), None: ("undecided", "soft")}
    rows = tuple(
        (
            Cell(one.judge, tone="strong"),
            number_cell(one.winning_rate),
            number_cell(one.advantage),
            Cell(figure(one.epsilon)),
            Cell(outcome[one.passed][0], tone=outcome[one.passed][1]),
        )
        for one in tests
    )
    heads = ("winning rate", "advantage probability", "epsilon")
    return Table(
        "Alternative annotator test",
        columns("judge", *heads, "outcome", numeric=heads),
        rows,
        labels=labels,
        note=(
            "Winning rate: share of people whom the judge represents no worse than that person "
            "does, given a discount of epsilon for its lower price; .50 or more passes. Advantage "
            "probability: chance that the judge is at least as close to the others as a person."
        ),
    )


def fidelity_tables(fidelity: Fidelity, labels: str) -> tuple[Table, ...]:
    """How often the student repeats its teacher's errors, and the same probes on both."""
    repeated = Table(
        f"Does {fidelity.student} repeat the errors of {fidelity.teacher}?",
        columns("of the teacher's errors", "share", numeric=["share"]),
        (
            (Cell("repeated by the student", tone="strong"), number_cell(fidelity.repeated)),
            (Cell("would be by chance"), number_cell(fidelity.by_chance)),
        ),
        labels=labels,
        note="By chance: the share if the errors of both were independent.",
    )
    if not fidelity.probes:
        return (repeated,)
    heads = ("teacher", "student", "student minus teacher")
    rows = tuple(
        (
            Cell(one.name, tone="strong"),
            *map(number_cell, (one.teacher, one.student, one.difference)),
        )
        for one in fidelity.probes
    )
    probes = Table(
        f"Bias probes on both, {plural(len(rows), 'probe')}",
        columns("probe", *heads, numeric=heads),
        rows,
        labels=labels,
    )
    return repeated, probes
