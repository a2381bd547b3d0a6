"""Templates of a mapping, each compiled once into a function of a row.

The language is described in `judgesmith.sources.mapping`.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

Row = dict[str, Any]
Getter = Callable[[Row], Any]

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_INTEGER = re.compile(r"-?\d+")
_LISTED_COLUMNS = 40


class TemplateError(Exception):
    """A template that cannot be understood."""


class RowProblem(Exception):
    """What is wrong with a row; the reader adds file and line."""


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""What `find` of an optional template gives when the row has no such column."""


class Template(NamedTuple):
    """A compiled template.

    `get` gives the value, None for an optional column that is absent; `find` gives ABSENT then.
    `constant` is the text of a template without braces. `names` are the first steps of its paths.
    """

    text: str
    get: Getter
    find: Getter
    constant: str | None
    names: tuple[str, ...]


def compile_template(text: str) -> Template:
    """The template as a function of a row.

    Raises TemplateError for braces that do not match and for an empty path. The function raises
    KeyError or RowProblem when the row lacks what a template needs; `explain` words both.

    >>> compile_template("{winner}").get({"winner": 2})
    2
    >>> compile_template("{results.-1.winner}").get({"results": [{"winner": 1}, {"winner": 2}]})
    2
    >>> compile_template("{set}/{n}").get({"set": "dev", "n": 7})
    'dev/7'
    >>> compile_template("{bucket?}").get({}) is None
    True
    >>> compile_template("{judge|$stem}").get({"$stem": "gpt-4"})
    'gpt-4'
    """
    parts: list[str | Getter] = []
    names: list[str] = []
    end = 0
    for piece in _PIECE.finditer(text):
        parts.append(text[end : piece.start()])
        end = piece.end()
        if piece.group() in ("{{", "}}"):
            parts.append(piece.group()[0])
        elif piece.group(1) is None:
            raise TemplateError(
                f"{text!r}: a brace stands alone; write {piece.group() * 2} for the sign itself"
            )
        else:
            find, first_steps = _compile_path(piece.group(1), text)
            parts.append(find)
            names += first_steps
    parts = [part for part in [*parts, text[end:]] if part != ""]
    getters = [part for part in parts if not isinstance(part, str)]
    if not getters:
        return _constant(text, "".join(str(part) for part in parts))
    find = getters[0] if len(parts) == 1 else _joined(parts)
    return Template(text, _null_for_absent(find, text), find, None, tuple(names))


def _constant(text: str, value: str) -> Template:
    def get(row: Row) -> str:
        return value

    return Template(text, get, get, value, ())


def _joined(parts: list[str | Getter]) -> Getter:
    def get(row: Row) -> str:
        return "".join([p if isinstance(p, str) else text_of(p(row)) for p in parts])

    return get


def _null_for_absent(find: Getter, text: str) -> Getter:
    if "?}" not in text:
        return find

    def get(row: Row) -> Any:
        value = find(row)
        return None if value is ABSENT else value

    return get


def text_of(value: Any) -> str:
    """The value inside a longer text: null and absent give nothing, all else its spelling."""
    if type(value) is str:
        return value
    return "" if value is None or value is ABSENT else spell(value)


def spell(value: Any) -> str:
    """The JSON spelling by which `read`, `when` and `where` look a value up.

    Texts stand for themselves, and a whole number is spelled without a point.

    >>> [spell(value) for value in ("A", 1, 1.0, 1.5, True, None, "", [1])]
    ['A', '1', '1', '1.5', 'true', 'null', '', '[1]']
    """
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if value is None or value is ABSENT:
        return "null"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):
        return str(value)


def _compile_path(path: str, text: str) -> tuple[Getter, list[str]]:
    optional = path.endswith("?")
    choices = path[:-1].split("|") if optional else path.split("|")
    if not all(choice.strip() for choice in choices):
        raise TemplateError(f"{text!r}: expected a column between the braces, found {path!r}")
    names = [choice.split(".")[0] for choice in choices if not _quoted(choice)]
    if len(choices) == 1 and not optional and not _quoted(path) and "." not in path:
        return itemgetter(path), names
    finders = [_finder(choice) for choice in choices]
    if len(finders) == 1 and optional:
        return finders[0], names

    def find(row: Row) -> Any:
        for finder in finders:
            value = finder(row)
            if value is not ABSENT:
                return value
        if optional:
            return ABSENT
        raise _missing(choices[0], row)

    return find, names


def _quoted(choice: str) -> bool:
    return len(choice) >= 2 and choice[0] == choice[-1] == "'"


def _finder(path: str) -> Getter:
    if _quoted(path):
        return _constant(path, path[1:-1]).get
    if "." not in path:
        return lambda row: row.get(path, ABSENT)
    steps = path.split(".")

    def find(row: Row) -> Any:
        value: Any = row
        for step in steps:
            if type(value) is dict and step in value:
                value = value[step]
            elif type(value) is list and (position := _position(step, value)) is not None:
                value = value[position]
            else:
                return _search(row, steps)
        return value

    return find


def _position(step: str, value: list[Any]) -> int | None:
    if not _INTEGER.fullmatch(step) or len(step) > 9:
        return None
    position = int(step)
    return position if -len(value) <= position < len(value) else None


def _search(value: Any, steps: list[str]) -> Any:
    """The value at a path whose keys may hold dots themselves."""
    if not steps:
        return value
    if isinstance(value, list):
        position = _position(steps[0], value)
        return ABSENT if position is None else _search(value[position], steps[1:])
    if isinstance(value, dict):
        for stop in range(len(steps), 0, -1):
            key = ".".join(steps[:stop])
            if key in value:
                found = _search(value[key], steps[stop:])
                if found is not ABSENT:
                    return found
    return ABSENT


def _missing(path: str, row: Row) -> RowProblem:
    """Say at which step a path leaves the row."""
    value: Any = row
    walked: list[str] = []
    for step in path.split("."):
        inner = _search(value, [step])
        if inner is ABSENT:
            break
        value = inner
        walked.append(step)
    if not walked:
        return RowProblem(missing_column(path.split(".")[0], row))
    step = path.split(".")[len(walked)]
    at = ".".join(walked)
    if isinstance(value, dict):
        held = f"it has: {_listed(value)}"
    elif isinstance(value, list):
        held = f"it is a list of {len(value)}"
    else:
        held = f"it is {shorten(value)}"
    return RowProblem(f"{{{path}}}: there is no {step!r} in {at!r}; {held}")


def missing_column(name: str, row: Row) -> str:
    """Say that a column is missing, which one was probably meant, and which ones there are.

    >>> missing_column("winer", {"id": 1, "winner": 2})
    "column 'winer' is not in the row; did you mean 'winner'? The row has: id, winner"
    """
    if name.startswith("$"):
        return (
            f"{{{name}}} has no value here: it is taken from the file's path or form, "
            "which does not give it"
        )
    columns = [column for column in row if not column.startswith("$")]
    close = difflib.get_close_matches(name, columns, n=1)
    hint = f" did you mean {close[0]!r}?" if close else ""
    the = "The" if close else "the"
    return f"column {name!r} is not in the row;{hint} {the} row has: {_listed(columns)}"


def explain(error: KeyError | RowProblem, row: Row) -> str:
    """What a getter's error says to the user."""
    return missing_column(error.args[0], row) if isinstance(error, KeyError) else str(error)


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _LISTED_COLUMNS
    listed = ", ".join(every[:_LISTED_COLUMNS])
    return f"{listed} and {more} more" if more > 0 else listed or "nothing"


def shorten(value: object, limit: int = 60) -> str:
    """The value as it is written in code, cut where it is long."""
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."


def optional_getter(text: str | None) -> Getter | None:
    """What finds a template's value in a row; None where the mapping gives no template."""
    return None if text is None else compile_template(text).get


def as_text(value: Any) -> str | None:
    """A value as text: itself, or its JSON spelling; null stays null."""
    if type(value) is str or value is None:
        return value
    return spell(value)
