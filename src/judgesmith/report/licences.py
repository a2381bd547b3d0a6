"""Whose terms a judge and its data stand under."""

from pydantic import Field

from judgesmith.report.blocks import Cell, Table, columns
from judgesmith.report.result_base import Result

_HUB = {
    "apache-2.0", "mit", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc0-1.0", "bsd-3-clause",
}  # fmt: skip
"""Licences that the hub knows by these names."""


class LicenceRow(Result):
    """So many records of a file that stand under the same terms, and what these allow."""

    file: str
    terms: tuple[str, ...]
    records: int
    publish: str
    train: str


class Licences(Result):
    """The terms of a run's records.

    `judge` are those of what its students learned from, part by part; `conditions` must be kept
    to. Nothing is known of a rehearsal.
    """

    rows: tuple[LicenceRow, ...] = ()
    judge: tuple[str, ...] = ()
    conditions: tuple[str, ...] = Field(default=())


def licence_id(parts: tuple[str, ...]) -> str | None:
    """The hub's name of the one licence of all parts; None where they differ or are unknown.

    >>> licence_id(("questions: Apache-2.0", "responses: Apache-2.0"))
    'apache-2.0'
    >>> licence_id(("questions: MIT", "teacher big (v/b): V's terms")) is None
    True
    """
    names = {part.rpartition(": ")[2].lower() for part in parts}
    (name,) = names if len(names) == 1 else ("",)
    return name if name in _HUB else None


def licences_table(found: Licences) -> Table:
    """One row for each file and set of terms."""
    rows = tuple(
        (
            Cell(row.file, tone="strong"), Cell("; ".join(row.terms)), Cell(f"{row.records:,}"),
            Cell(row.publish), Cell(row.train),
        )
        for row in found.rows
    )  # fmt: skip
    heads = ("file", "terms", "records", "may be published", "may be trained on")
    note = "".join(f"{one[:1].upper()}{one[1:]}. " for one in found.conditions)
    return Table(
        "Whose terms the data stand under", columns(*heads, numeric=["records"]), rows,
        note=f"{note}Bookkeeping, not legal advice.",
    )  # fmt: skip
