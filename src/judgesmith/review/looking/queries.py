"""Which items are shown: filters and search as one condition, paged by the last item seen."""

import math
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

PAGE = 50
MOST_KEPT = 500
"""Filters whose counts are kept."""
OPEN = ("split", "category", "kind", "question")
"""What may be known of an item before one's own answer, besides its question and responses."""
CELLS = ("split", "category", "kind", "bucket")
"""Facets that items are counted by."""
_SEEN = "({0} IN (SELECT n FROM unasked) OR {0} IN (SELECT n FROM opened))"
SEEN = _SEEN.format("items.n")
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
    sort: str = ""

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


def condition(
    found: Filter, withheld: bool = False, *, dense: bool = False
) -> tuple[str, list[Any]]:
    """The filter as SQL over `items`; with `withheld`, others than SEEN tell nothing closed.

    With `dense` it is asked of each item on its own, which finds the first of many at once;
    without, all that match are gathered first, which is better where they are few.
    """
    terms = ["1"]
    values: list[Any] = []

    def add(term: str, *given: Any) -> None:
        terms.append(term)
        values.extend(given)

    def add_in(tables: str, term: str, *given: Any) -> None:
        inside = f"SELECT t.n FROM {tables} WHERE {term}"
        add(f"EXISTS ({inside} AND t.n = items.n)" if dense else f"items.n IN ({inside})", *given)

    for name in (*OPEN, "bucket"):
        if getattr(found, name):
            add(f"items.{name} = ?", getattr(found, name))
    if found.model:
        add_in("models t", "t.model = ?", found.model)
    if found.label:
        add_in("labels t", "t.verdict = ?", found.label)
    said, given = _said(found)
    if said:
        add_in("opinions t", " AND ".join(said), *given)
    if found.judge and found.other and found.agree:
        sign = "=" if found.agree == "same" else "<>"
        both = "opinions t JOIN opinions b ON t.n = b.n"
        so = f"t.judge = ? AND b.judge = ? AND t.verdict {sign} b.verdict"
        add_in(both, so, found.judge, found.other)
    narrows = bool(found.sort) or len(values) > sum(bool(getattr(found, name)) for name in OPEN)
    asked = match(found.q)
    if asked:
        texts = "SELECT rowid FROM words WHERE words MATCH ?"
        if withheld:
            seen = f"WITH m (found) AS MATERIALIZED ({texts}) SELECT found FROM m WHERE {_SEEN}"
            both = f"{texts} UNION ALL SELECT * FROM ({seen.format('found')})"
            add(f"items.n IN ({both})", f"{{question responses}} : ({asked})", asked)
        else:
            add(f"items.n IN ({texts})", asked)
    if narrows and withheld:
        add(_SEEN.format("+items.n") if dense else SEEN)  # + has SQLite not gather and sort them
    return " AND ".join(terms), values


def _said(found: Filter) -> tuple[list[str], list[Any]]:
    terms: list[str] = []
    values: list[Any] = []
    for column, value in (
        ("judge", found.judge), ("verdict", found.verdict), ("status", found.status),
        ("against", found.against),
    ):  # fmt: skip
        if value:
            terms.append(f"t.{column} = ?")
            values.append(value)
    if found.flips in ("0", "1"):
        terms.append("t.flip = ?")
        values.append(int(found.flips))
    for sign, text in ((">=", found.sure_from), ("<=", found.sure_to)):
        try:
            number = float(text)
        except ValueError:
            continue
        terms.append(f"t.confidence {sign} ?")
        values.append(number)
    return terms, values


class Place(NamedTuple):
    """Where an item stands in what is sorted: the value that it is sorted by, and its number."""

    key: float = -math.inf
    n: int = 0

    @classmethod
    def of(cls, text: str | None) -> "Place":
        """The place that a query string names; the beginning where it names none.

        >>> Place.of("0.5:7"), Place.of("x") == Place.of(None)
        (Place(key=0.5, n=7), True)
        """
        key, _, n = (text or "").partition(":")
        try:
            found = cls(float(key), int(n))
        except ValueError:
            return cls()
        return found if abs(found.n) < 2**62 and not math.isnan(found.key) else cls()

    def __str__(self) -> str:
        return f"{self.key!r}:{self.n}"


START = Place()


def _sorted(found: Filter) -> tuple[str, str, list[str]]:
    """Where items come from, and what they are sorted by before their number."""
    if found.sort == "agreement":
        return "items", "items.agreeing", []
    if found.sort == "sure" and found.judge:
        joined = "opinions said JOIN items ON items.n = said.n AND said.judge = ?"
        return joined, "said.sure", [found.judge]
    return "items", "items.sure" if found.sort == "sure" else "", []


def page(
    db: sqlite3.Connection,
    found: Filter,
    after: Place = START,
    *,
    withheld: bool = False,
    dense: bool = False,
) -> list[sqlite3.Row]:
    """The next items after a place; one more than a page where there are more.

    `dense` says that many items are found; see `condition`.
    """
    where, values = condition(found, withheld, dense=dense)
    source, key, given = _sorted(found)
    beyond: list[Any] = [after.n]
    if key:
        n = "said.n" if given else "items.n"
        rest, order, beyond = f"({key}, {n}) > (?, ?)", f"{key}, {n}", [after.key, after.n]
    else:
        rest, order = "items.n > ?", "items.n"
    told = f"SELECT items.*, {key or 0} AS key FROM {source} WHERE {where} AND {rest}"
    return db.execute(
        f"{told} ORDER BY {order} LIMIT {PAGE + 1}", (*given, *values, *beyond)
    ).fetchall()


def place_of(db: sqlite3.Connection, found: Filter, n: int) -> Place:
    """Where an item stands among what is found."""
    source, key, given = _sorted(found)
    told = f"SELECT {key or 0} FROM {source} WHERE items.n = ?"
    row = db.execute(told, (*given, n)).fetchone()
    return Place(n=n) if row is None else Place(float(row[0]), n)


@dataclass(frozen=True)
class Counts:
    """How many items are found, and how many there would be of each value of a facet instead.

    `dense`: they are an eighth of the run or more.
    """

    total: int
    of: Mapping[str, Mapping[str, int]]
    dense: bool


Cells = Mapping[int, int]
"""How many items there are by cell."""


def cells(db: sqlite3.Connection, found: Filter, *, withheld: bool) -> tuple[Cells, Cells]:
    """What the filter finds but for its facets, by cell; and those of which nothing is withheld."""
    where, values = condition(found, withheld)
    if where != "1":
        by = f"SELECT cell, count(*) FROM items WHERE {where}"
        whole = dict(db.execute(f"{by} GROUP BY cell", values).fetchall())
        if not withheld:
            return whole, whole
        return whole, dict(db.execute(f"{by} AND {SEEN} GROUP BY cell", values).fetchall())
    whole = dict(db.execute("SELECT cell, items FROM cells").fetchall())
    if not withheld:
        return whole, whole
    seen = Counter(dict(db.execute("SELECT cell, items FROM unasked_cells").fetchall()))
    opened = "SELECT cell, count(*) FROM opened JOIN items USING (n) GROUP BY cell"
    seen.update(dict(db.execute(opened).fetchall()))
    return whole, seen


def counts(
    db: sqlite3.Connection, found: Filter, *, withheld: bool = False,
    kept: dict[object, tuple[Cells, Cells]] | None = None, who: object = None,
) -> Counts:  # fmt: skip
    """Count what the filter finds; of what is withheld, nothing is counted by a closed facet.

    Items are counted once by cell, with everything else that is asked for; each facet adds up the
    cells that all other facets leave. `kept` holds what was counted before, by filter and `who`:
    another page, sort or facet is not counted again.
    """
    rest = replace(found, **dict.fromkeys(CELLS, ""), sort=found.sort if withheld else "")
    kept = {} if kept is None else kept
    if (rest, who) not in kept:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[rest, who] = cells(db, rest, withheld=withheld)
    whole, seen = kept[rest, who]
    rows = db.execute("SELECT * FROM cells").fetchall()

    def sums(facet: str | None) -> Counter[str]:
        shut = withheld and (facet == "bucket" or bool(found.bucket))
        of, told = seen if shut else whole, Counter[str]()
        others = [one for one in CELLS if one != facet and getattr(found, one)]
        for row in rows:
            if all(row[one] == getattr(found, one) for one in others):
                told[str(row[facet]) if facet else ""] += of.get(row["cell"], 0)
        return told

    total = sums(None)[""]
    dense = 8 * total >= sum(row["items"] for row in rows)
    return Counts(total, {facet: sums(facet) for facet in CELLS}, dense)


def closed(db: sqlite3.Connection, numbers: list[int]) -> set[int]:
    """Those of some items of which something is withheld, where a curtain is drawn."""
    marks = ", ".join("?" * len(numbers))
    told = f"SELECT n FROM items WHERE n IN ({marks}) AND NOT {SEEN}"
    return {row[0] for row in db.execute(told, numbers)}
