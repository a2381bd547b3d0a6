"""Tables of the audits: findings, supply, style against label, leaks.

Audits arrive as plain JSON. A field that is not there is written as "not given".
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from judgesmith.report.blocks import Cell, Table, columns, number_cell
from judgesmith.report.numbers import figure, p_value, read_number, whole

NOT_GIVEN = "not given"
MOST_EXAMPLES = 2
"""Ids to look up that a table shows; the JSON report has the others."""

LEVELS = {
    "template": "template",
    "question": "question",
    "response": "a response text, same question",
    "every_response": "every response text, same question",
    "near_duplicate": "a near duplicate, same question",
    "response_other_question": "a response text, other question",
    "near_duplicate_other_question": "a near duplicate, other question",
    "short_response_other_question": "a text under five words, other question",
}
SEVERITIES = ("error", "warning", "info")
Row = Mapping[str, Any]


def _text(row: Row, name: str) -> str:
    found = row.get(name)
    return NOT_GIVEN if found is None else str(found)


def _count(row: Row, name: str) -> Cell:
    return Cell(whole(row.get(name), absent=NOT_GIVEN))


def _rows(found: object) -> list[Row]:
    if isinstance(found, Mapping):
        return [found]
    if not isinstance(found, Iterable) or isinstance(found, str):
        return []
    return [row for row in found if isinstance(row, Mapping)]


def findings_table(findings: Sequence[Row]) -> Table:
    """Findings, the worst first."""
    rank = {severity: place for place, severity in enumerate(SEVERITIES)}
    ordered = sorted(findings, key=lambda one: rank.get(str(one.get("severity")), len(rank)))
    rows = tuple(
        (
            Cell(_text(one, "severity"), tone=_severity_tone(one)),
            Cell(_text(one, "audit")),
            Cell(_text(one, "message"), aside=_examples(one)),
            Cell(_text(one, "effect")),
            Cell(_text(one, "remedy")),
        )
        for one in ordered
    )
    titles = columns("severity", "audit", "finding", "effect on results", "what to do")
    return Table("Findings of the audits", titles, rows)


def _severity_tone(one: Row) -> str:
    severity = str(one.get("severity"))
    return severity if severity in SEVERITIES else ""


def _examples(one: Row) -> str:
    found = one.get("examples") or ()
    names = [str(one) for one in found][:MOST_EXAMPLES] if isinstance(found, list | tuple) else []
    return f"for example {', '.join(names)}" if names else ""


def supply_table(supply: Sequence[Row]) -> Table:
    """Supply of every bucket."""
    counts = ("quota", "filled", "shortfall", "ceiling", "pool")
    rows = tuple(
        (
            Cell(_text(row, "bucket")),
            *(_count(row, name) for name in counts),
            Cell(_text(row, "limiting"), tone="soft" if row.get("limiting") == "none" else ""),
        )
        for row in supply
    )
    return Table(
        "Supply of each bucket, in items",
        columns("bucket", *counts, "limited by", numeric=counts),
        rows,
        note="Ceiling: the most items of the pool that the caps allow at once.",
    )


def confound_table(confounds: Row) -> Table:
    """Length, hedging and slot of the flagged response, per bucket."""
    found = [*_rows(confounds.get("buckets")), *_rows(confounds.get("overall"))]
    heads = (
        "contrasts",
        "flagged is longer",
        "mean words more",
        "flagged hedges",
        "other hedges",
        "flagged shown first",
    )
    rows = tuple(
        (
            Cell(_text(row, "bucket")),
            _contrasts(row),
            _share(row, "longer_share"),
            _words(row),
            _share(row, "hedged_flagged"),
            _share(row, "hedged_unflagged"),
            _first(row),
        )
        for row in found
    )
    return Table(
        "Does style reveal the label? By bucket",
        columns("bucket", *heads, numeric=heads),
        rows,
        labels=_whose(confounds),
        note=(
            "Only contrasts count: pairs of which the label flags exactly one response. Where the "
            "flagged response is nearly always the longer one, a judge can be right by length."
        ),
    )


def _whose(confounds: Row) -> str:
    return str(confounds.get("labels_title") or "labels of the audited items")


def _share(row: Row, name: str) -> Cell:
    return number_cell(read_number(row.get(name)), absent="not measured")


def _contrasts(row: Row) -> Cell:
    items = whole(row.get("n"), absent=NOT_GIVEN)
    return Cell(whole(row.get("contrasts"), absent=NOT_GIVEN), aside=f"of {items} items")


def _words(row: Row) -> Cell:
    found = row.get("mean_word_difference")
    if not isinstance(found, int | float):
        return Cell("undefined: no contrasts", tone="soft")
    return Cell(("+" if found > 0 else "") + figure(found, places=1))


def _first(row: Row) -> Cell:
    p = row.get("flagged_first_p")
    aside = f"p {p_value(p)}" if isinstance(p, int | float) else ""
    count = whole(row.get("flagged_first"), absent=NOT_GIVEN)
    return Cell(f"{count} of {whole(row.get('contrasts'), absent=NOT_GIVEN)}", aside=aside)


def generator_table(confounds: Row) -> Table:
    """How often the label flags each generator."""
    rows = tuple(
        (
            Cell(_text(row, "generator")),
            _count(row, "slots"),
            _count(row, "flagged"),
            _share(row, "share"),
        )
        for row in _rows(confounds.get("generators"))
    )
    heads = ("responses", "flagged", "share flagged")
    return Table(
        "Does the generator reveal the label?",
        columns("generator", *heads, numeric=heads),
        rows,
        labels=_whose(confounds),
    )


def leak_table(leaks: Row) -> Table:
    """What the evaluation items share with training, level by level."""
    rows = tuple(
        (
            Cell(LEVELS.get(_text(row, "level"), _text(row, "level"))),
            Cell(
                f"{whole(row.get('count'), absent=NOT_GIVEN)} of "
                f"{whole(row.get('of'), absent=NOT_GIVEN)}"
            ),
            _count(row, "unchecked"),
            Cell(_pairs(row.get("examples"))),
        )
        for row in _rows(leaks.get("shares"))
    )
    heads = ("evaluation items", "not checked")
    return Table(
        "Shared with training",
        columns("shared", *heads, "examples (evaluation ~ training)", numeric=heads),
        rows,
        note=_leak_note(leaks),
    )


def _pairs(found: object) -> str:
    if not isinstance(found, list | tuple):
        return "none"
    pairs = [" ~ ".join(map(str, pair)) for pair in found if isinstance(pair, list | tuple)]
    return "; ".join(pairs[:MOST_EXAMPLES]) or "none"


def _leak_note(leaks: Row) -> str:
    parts = [
        f"{whole(leaks.get('n_train'), absent=NOT_GIVEN)} training and "
        f"{whole(leaks.get('n_evaluation'), absent=NOT_GIVEN)} evaluation items."
    ]
    threshold = leaks.get("threshold")
    if isinstance(threshold, int | float):
        parts.append(f"A near duplicate has Jaccard similarity {figure(threshold)} or more.")
    left = leaks.get("train_left")
    if isinstance(left, Mapping):
        parts += [f"{whole(n)} training items share no {level}." for level, n in left.items()]
    without = leaks.get("train_without_template")
    if without:
        parts.append(f"{whole(without)} training items have no template id.")
    return " ".join(parts)
