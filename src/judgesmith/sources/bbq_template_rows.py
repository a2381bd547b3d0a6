"""The rows of BBQ's template files, read and checked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.sources.bbq_notation import (
    check_slots,
    read_fillers,
    read_groups,
    read_traits,
    slots_of,
)
from judgesmith.sources.bbq_vocabulary import GENDERS
from judgesmith.sources.tables import read_delimited

TEXTS = (
    "Ambiguous_Context", "Disambiguating_Context", "Question_negative_stereotype",
    "Question_non_negative", "Answer_negative", "Answer_non_negative",
)  # fmt: skip
WEALTH = ("lowSES", "highSES")
_FILE = re.compile(r"new_templates - (\w+)\.csv")
_NO_TEMPLATES = "Filler_items"
_GROUPS = "Known_stereotyped_groups"
_RACE = "Known_stereotyped_race"
_TRAIT = "Known_stereotyped_var2"


@dataclass(frozen=True)
class Trait:
    """What a template of two traits combines with race: gender, or wealth.

    `stereotyped` is the value the stereotype is about; `words` what each value is called, empty
    where people are named (gender) or where the vocabulary's occupations are meant (wealth).
    """

    stereotyped: str
    words: Mapping[str, tuple[str, ...]]

    @property
    def is_gender(self) -> bool:
        """Whether the second trait is gender; otherwise it is wealth."""
        return self.stereotyped in GENDERS

    @property
    def other(self) -> str:
        """The value that the stereotype is not about."""
        first, second = GENDERS if self.is_gender else WEALTH
        return second if self.stereotyped == first else first


@dataclass(frozen=True)
class Template:
    """One row: `question_index` is BBQ's Q_id, `version` tells rows of one Q_id apart.

    `people` are the row's own fillers of NAME1 and NAME2, if it brings any, and `places` the
    groups that it fixes for the two by their place. `words` are the variants of the other slots.
    """

    where: str
    category: str
    question_index: str
    version: str
    subcategory: str
    texts: Mapping[str, str]
    people: tuple[tuple[str, ...], tuple[str, ...]] | None
    places: tuple[str, str]
    named: bool
    gender: str
    words: Mapping[str, tuple[str, ...]]
    groups: tuple[str, ...]
    trait: Trait | None


def template_files(folder: Path) -> list[Path]:
    """The template files of a folder, without the attention checks that are no templates.

    Raises DataError when there is none.
    """
    found = [path for path in sorted(folder.glob("*.csv")) if _FILE.fullmatch(path.name)]
    found = [path for path in found if category_of(path) != _NO_TEMPLATES]
    if not found:
        raise DataError(
            f"{folder}: expected BBQ's template files, named as `new_templates - Age.csv`, found "
            "none. Give BBQ's templates folder as the `path`."
        )
    return found


def category_of(path: Path) -> str:
    """BBQ's category as its template file is named for it.

    >>> category_of(Path("new_templates - Race_x_SES.csv"))
    'Race_x_SES'
    """
    match = _FILE.fullmatch(path.name)
    return match[1] if match else path.stem


def read_templates(path: Path) -> Iterator[Template]:
    """The templates of one file; what cannot be read is named by file, line and column."""
    for line, row in read_delimited(path, columns=("Q_id", *TEXTS)):
        yield _template({k: v or "" for k, v in row.items()}, category_of(path), f"{path}:{line}")


def _template(row: dict[str, str], category: str, where: str) -> Template:
    def cell(column: str) -> str:
        return row.get(column, "").strip()

    two_traits = bool(cell(_RACE))
    groups = _RACE if two_traits else _GROUPS
    fillers = {} if two_traits else read_fillers(cell("Names"), f"{where}: Names")
    words = read_fillers(cell("Lexical_diversity"), f"{where}: Lexical_diversity")
    found = Template(
        where=where,
        category=category,
        question_index=_required(row, "Q_id", where),
        version=cell("version"),
        subcategory=cell("Subcategory"),
        texts={column: _text(row, column, where) for column in TEXTS},
        people=_people(fillers, where),
        places=(cell("NAME1_info"), cell("NAME2_info")),
        named=cell("Proper_nouns_only") == "TRUE",
        gender=cell("Stated_gender_info") if cell("Stated_gender_info") in GENDERS else "",
        words=words,
        groups=read_groups(cell(groups), f"{where}: {groups}"),
        trait=_trait(row, where) if two_traits else None,
    )
    _check_texts(found)
    return found


def _required(row: dict[str, str], column: str, where: str) -> str:
    if not row[column].strip():
        raise DataError(f"{where}: {column}: expected text, found an empty cell.")
    return row[column].strip()


def _text(row: dict[str, str], column: str, where: str) -> str:
    """BBQ trimmed contexts and questions, not answers: "The friend " is published."""
    text = _required(row, column, where)
    return row[column] if column.startswith("Answer") else text


def _people(
    fillers: dict[str, tuple[str, ...]], where: str
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    if fillers and set(fillers) != {"NAME1", "NAME2"}:
        raise DataError(
            f"{where}: Names: expected fillers of NAME1 and NAME2, found {sorted(fillers)}."
        )
    return (fillers["NAME1"], fillers["NAME2"]) if fillers else None


def _trait(row: dict[str, str], where: str) -> Trait:
    values = (*GENDERS, *WEALTH)
    stereotyped = row.get(_TRAIT, "").strip()
    if stereotyped not in values:
        raise DataError(
            f"{where}: {_TRAIT}: expected one of {', '.join(values)}, found {stereotyped!r}."
        )
    if not row.get("Names", "").strip():
        return Trait(stereotyped, {})
    words = read_traits(row["Names"], f"{where}: Names")
    called = read_groups(row.get("Var2_info", ""), f"{where}: Var2_info")
    if len(called) != len(words) or set(called) not in (set(GENDERS), set(WEALTH)):
        raise DataError(
            f"{where}: Var2_info: expected the {len(words)} values that the lists in Names stand "
            f"for, found {list(called)!r}."
        )
    return Trait(stereotyped, dict(zip(called, words, strict=True)))


def _check_texts(template: Template) -> None:
    allowed = {"NAME1", "NAME2", *template.words}
    if template.trait is not None:
        second = "GEN" if template.trait.is_gender else "OCC"
        allowed |= {f"{second}1", f"{second}2"}
    for column, text in template.texts.items():
        where = f"{template.where}: {column}"
        check_slots(text, allowed, where)
        if column.startswith("Answer") and len(slots_of(text) & {"NAME1", "NAME2"}) != 1:
            raise DataError(
                f"{where}: expected either {{{{NAME1}}}} or {{{{NAME2}}}}, found {text!r}."
            )
    if answered(template, "Answer_negative") == answered(template, "Answer_non_negative"):
        raise DataError(
            f"{template.where}: Answer_non_negative: expected the person that Answer_negative "
            f"does not name, found {template.texts['Answer_non_negative']!r}."
        )


def answered(template: Template, column: str) -> int:
    """Which of the two people an answer names: 0 for NAME1, 1 for NAME2."""
    return 0 if "NAME1" in slots_of(template.texts[column]) else 1
