"""What a page is made of, before it is HTML or Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from judgesmith.report.evidence import BrowserRow
from judgesmith.report.numbers import denominator, estimate, not_shown
from judgesmith.report.results import Example, Number


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, a smaller remark beside it, and a tone.

    Tones: "" (plain), "soft" (nothing to show), "strong", "pass", "fail", "inconclusive",
    "error", "warning", "info".
    """

    text: str
    aside: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; `numeric` columns are set to the right."""

    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table as data. Every row has one cell per column.

    Attributes:
        title: What the table shows, without whose labels they are.
        columns: Its columns.
        rows: Its rows.
        labels: Whose labels its numbers rest on; None for a table that rests on no labels.
        note: A remark under the table.
        folded: True for numbers that stand behind a picture and need not be open.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    labels: str | None = None
    note: str = ""
    folded: bool = False

    @property
    def heading(self) -> str:
        """The title with whose labels they are.

        >>> Table("Kappa", (), (), labels="labels by people").heading
        'Kappa · labels by people'
        """
        return self.title if self.labels is None else f"{self.title} · {self.labels}"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. Tones: "", "note", "warning", "head" (over pictures that name only judges)."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture with its caption; `elsewhere` says where a text-only page has its numbers.

    A `wide` picture scrolls sideways where there is no room for it.
    """

    title: str
    svg: str
    labels: str | None = None
    elsewhere: str = "numbers in the table below"
    wide: bool = False

    @property
    def heading(self) -> str:
        """The title with whose labels they are."""
        return self.title if self.labels is None else f"{self.title} · {self.labels}"


@dataclass(frozen=True, slots=True)
class Plots:
    """Pictures side by side where there is room; `small` ones, many in a row; `medium`, three."""

    plots: tuple[Plot, ...]
    small: bool = False
    medium: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """Examples to read, under one heading."""

    title: str
    labels: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Banner:
    """A verdict that nobody can overlook.

    Tones: pass, fail, inconclusive, none, rehearsed, answer (a sentence, so not in capitals).
    """

    title: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Browser:
    """Items to search and filter; a page that cannot do that shows the first of them.

    Attributes:
        title: What is listed.
        labels: Whose labels the verdicts are held against.
        judges: Names of the judges, in the order in which every item lists their verdicts.
        rows: The items.
        of: How many labelled items the rows were drawn from.
    """

    title: str
    labels: str
    judges: tuple[str, ...]
    rows: tuple[BrowserRow, ...]
    of: int


Block = Text | Table | Plots | Judged | Banner | Browser


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with its anchor."""

    anchor: str
    title: str
    blocks: tuple[Block, ...] = field(default=())


def number_cell(number: Number | None, *, absent: str = "not applicable") -> Cell:
    """Make the cell of an estimate, with its denominator beside it.

    >>> number_cell(Number(value=0.618, low=0.55, high=0.68, n=231))
    Cell(text='.62 [.55, .68]', aside='n = 231', tone='')
    """
    missing = number is None or not_shown(number) is not None
    return Cell(
        estimate(number, absent=absent), denominator(number), tone="soft" if missing else ""
    )


def columns(*titles: str, numeric: Sequence[str] = ()) -> tuple[Column, ...]:
    """Make columns; those named in `numeric` are set to the right.

    >>> columns("judge", "n", numeric=["n"])
    (Column(title='judge', numeric=False), Column(title='n', numeric=True))
    """
    return tuple(Column(title, numeric=title in numeric) for title in titles)
