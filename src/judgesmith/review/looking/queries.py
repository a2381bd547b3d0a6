"""Which items are shown: filters and search as one condition, paged by the last item seen."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

PAGE = 50
OPEN = ("split", "category", "kind", "question")
"""What may be known of an item before one's own answer, besides its question and responses."""
SEEN = "(n IN (SELECT n FROM unasked) OR n IN (SELECT n FROM opened))"
"""Items of which nothing is withheld, where a curtain is drawn."""


@dataclass(frozen=True)
class Filter:
    """What is looked for; an empty field does not narrow. The query string holds it whole."""

    q: str = ""
    split: str = ""
    category: str = ""
    kind: str = ""
    question: str = ""
    bucket: str = ""
    model: str = ""
    label: str = ""
    judge: str = ""
    verdict: str = ""
    status: str = ""
    against: str = ""
    flips: str = ""
    other: str = ""
    agree: str = ""
    sure_from: str = ""
    sure_to: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Filter":
        """The filter of a query string; what it does not know is passed over."""
        return cls(**{one.name: given.get(one.name, "").strip() for one in fields(cls)})


def match(text: str) -> str:
    """What a person typed as an FTS5 query: every word must occur, "quoted words" as a phrase.

    >>> match('the "old man" NEAR(x) a*')
    '"the" "old man" "NEAR(x)" "a*"'
    """
    parts = text.replace("\x00", " ").split('"')
    terms = [word for i, part in enumerate(parts) for word in ([part] if i % 2 else part.split())]
    return " ".join(f'"{term}"' for term in terms if any(c.isalnum() for c in term))


def condition(found: Filter, withheld: bool = False) -> tuple[str, list[Any]]:
    """The filter as SQL over `items`; with `withheld`, others than SEEN tell nothing closed."""
    terms = ["1"]
    values: list[Any] = []

    def add(term: str, *given: Any) -> None:
        terms.append(term)
        values.extend(given)

    for name in (*OPEN, "bucket"):
        if getattr(found, name):
            add(f"{name} = ?", getattr(found, name))
    for table, column in (("models", "model"), ("labels", "verdict")):
        value = found.model if table == "models" else found.label
        if value:
            add(f"n IN (SELECT n FROM {table} WHERE {column} = ?)", value)
    said, given = _said(found)
    if said:
        add(f"n IN (SELECT n FROM opinions WHERE {' AND '.join(said)})", *given)
    if found.judge and found.other and found.agree:
        sign = "=" if found.agree == "same" else "<>"
        both = "SELECT a.n FROM opinions a JOIN opinions b ON a.n = b.n"
        so = f"a.judge = ? AND b.judge = ? AND a.verdict {sign} b.verdict"
        add(f"n IN ({both} WHERE {so})", found.judge, found.other)
    narrows = len(values) > sum(bool(getattr(found, name)) for name in OPEN)
    asked = match(found.q)
    if asked:
        whole = "n IN (SELECT rowid FROM words WHERE words MATCH ?)"
        if withheld:
            rest = f"{whole} AND {SEEN}"
            add(f"({whole} OR {rest})", f"{{question responses}} : ({asked})", asked)
        else:
            add(whole, asked)
    if narrows and withheld:
        add(SEEN)
    return " AND ".join(terms), values


def _said(found: Filter) -> tuple[list[str], list[Any]]:
    terms: list[str] = []
    values: list[Any] = []
    for column, value in (
        ("judge", found.judge), ("verdict", found.verdict), ("status", found.status),
        ("against", found.against),
    ):  # fmt: skip
        if value:
            terms.append(f"{column} = ?")
            values.append(value)
    if found.flips in ("0", "1"):
        terms.append("flip = ?")
        values.append(int(found.flips))
    for sign, text in ((">=", found.sure_from), ("<=", found.sure_to)):
        try:
            number = float(text)
        except ValueError:
            continue
        terms.append(f"confidence {sign} ?")
        values.append(number)
    return terms, values


def page(
    db: sqlite3.Connection, found: Filter, after: int = 0, *, withheld: bool = False
) -> list[sqlite3.Row]:
    """The next items after one, in the run's order; one more than a page where there are more."""
    where, values = condition(found, withheld)
    told = f"SELECT * FROM items WHERE {where} AND n > ? ORDER BY n LIMIT {PAGE + 1}"
    return db.execute(told, (*values, after)).fetchall()


def count(db: sqlite3.Connection, found: Filter, *, withheld: bool = False) -> int:
    """How many items the filter finds."""
    where, values = condition(found, withheld)
    return int(db.execute(f"SELECT count(*) FROM items WHERE {where}", values).fetchone()[0])


def closed(db: sqlite3.Connection, numbers: list[int]) -> set[int]:
    """Those of some items of which something is withheld, where a curtain is drawn."""
    marks = ", ".join("?" * len(numbers))
    told = f"SELECT n FROM items WHERE n IN ({marks}) AND NOT {SEEN}"
    return {row[0] for row in db.execute(told, numbers)}
