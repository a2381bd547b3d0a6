"""BBQ's two vocabulary files: words for groups, and names of people."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from judgesmith.errors import DataError
from judgesmith.sources.tables import read_delimited

K = TypeVar("K")
V = TypeVar("V")

WORDS = "vocabulary.csv"
NAMES = "vocabulary_proper_names.csv"
GENDERS = ("F", "M")

ETHNICITY = {
    "Black": "Black", "African American": "Black", "Hispanic": "Latino", "Latino": "Latino",
    "Asian": "Asian", "Middle Eastern": "Arab", "Arab": "Arab", "White": "White",
}  # fmt: skip
"""Whose names stand for a group; for the groups that are not here BBQ has no names."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word for a group: `group` is the tag that BBQ gives a person who is called by it."""

    text: str
    subcategory: str
    group: str


@dataclass(frozen=True)
class Vocabulary:
    """What fills the slots of templates that bring no fillers of their own.

    `words` by category in file order; `given` are names without an ethnicity, by gender; `first`
    by gender and ethnicity; `last` by ethnicity.
    """

    folder: Path
    words: Mapping[str, tuple[Word, ...]]
    given: Mapping[str, tuple[str, ...]]
    first: Mapping[tuple[str, str], tuple[str, ...]]
    last: Mapping[str, tuple[str, ...]]

    @property
    def names_file(self) -> Path:
        """Where the names come from."""
        return self.folder / NAMES

    @property
    def ethnicities(self) -> tuple[str, ...]:
        """Those that have first names for both genders and last names."""
        return tuple(
            name for name in self.last if all((gender, name) in self.first for gender in GENDERS)
        )

    def words_of(self, category: str, where: str) -> tuple[Word, ...]:
        """The words of a category; none is an error that names the template that needs them."""
        if category not in self.words:
            raise DataError(
                f"{self.folder / WORDS}: expected words of the category {category!r}, which "
                f"{where} needs, found {sorted(self.words)}."
            )
        return self.words[category]


def read_vocabulary(folder: Path) -> Vocabulary:
    """Both files of a folder; words that the authors marked as left out are left out.

    Raises DataError when a file or a column is missing, for a name without a first or last place,
    and for a first name without a gender.
    """
    words: dict[str, list[Word]] = defaultdict(list)
    for line, row in read_delimited(folder / WORDS, columns=("Category", "Name", "Info", "SubCat")):
        text = row["Name"].strip()
        if not text:
            raise DataError(f"{folder / WORDS}:{line}: Name: expected a word, found an empty cell.")
        if row.get("Pilot_include", "").strip() != "No":
            group = row["Info"].strip() or text
            words[row["Category"].strip()].append(Word(text, row["SubCat"].strip(), group))
    given: dict[str, list[str]] = defaultdict(list)
    first: dict[tuple[str, str], list[str]] = defaultdict(list)
    last: dict[str, list[str]] = defaultdict(list)
    columns = ("Name", "First_last", "gender", "ethnicity")
    for line, row in read_delimited(folder / NAMES, columns=columns):
        name, place, gender, ethnicity = (row[column].strip() for column in columns)
        where = f"{folder / NAMES}:{line}"
        if place not in ("first", "last", "first_only"):
            raise DataError(
                f"{where}: First_last: expected first, last or first_only, found {place!r}."
            )
        if place != "last" and gender not in GENDERS:
            raise DataError(f"{where}: gender: expected F or M, found {gender!r}.")
        if place == "last":
            last[ethnicity].append(name)
        elif place == "first":
            first[gender, ethnicity].append(name)
        else:
            given[gender].append(name)
    return Vocabulary(folder, _frozen(words), _frozen(given), _frozen(first), _frozen(last))


def ethnicities(groups: Sequence[str]) -> list[str]:
    """Whose names stand for the groups, each once; groups without names are passed over.

    >>> ethnicities(["Black", "African American", "Roma", "Latino"])
    ['Black', 'Latino']
    """
    return list(dict.fromkeys(ETHNICITY[group] for group in groups if group in ETHNICITY))


def _frozen(lists: Mapping[K, list[V]]) -> dict[K, tuple[V, ...]]:
    return {key: tuple(values) for key, values in lists.items()}
