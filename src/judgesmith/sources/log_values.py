"""Values of a log's columns as the types that records hold."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from judgesmith.records import JsonScalar
from judgesmith.sources.decisions import as_number
from judgesmith.sources.templates import Row, RowProblem, compile_template, shorten, spell

Read = Callable[[Row], str | None]


def scalar(value: Any, text: str, *, expected: str = "text or a number") -> JsonScalar:
    """A value that a record can hold as it is; dates and decimals as text.

    Raises RowProblem for lists, objects, bytes, NaN and infinity; `text` is the template.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, float | list | tuple | set | dict | bytes):
        hint = (
            " Name the part that holds it, such as {messages.-1.content}."
            if isinstance(value, list | dict)
            else ""
        )
        raise RowProblem(f"{text}: expected {expected}, found {shorten(value)}.{hint}")
    return str(value)


def plain_text(value: Any, text: str) -> str | None:
    """A value as text; null stays null.

    Raises RowProblem for what is no text; `text` is the template.
    """
    found = scalar(value, text, expected="text")
    return found if found is None or type(found) is str else spell(found)


def read_text(text: str | None) -> Read:
    """A function that gives a template's value as text; null for no template and for empty text."""
    if text is None:
        return lambda row: None
    get = compile_template(text).get
    return lambda row: plain_text(get(row), text) or None


def read_name(text: str, *, what: str, hint: str) -> Callable[[Row], str]:
    """The same for a value that must be there."""
    read = read_text(text)

    def name(row: Row) -> str:
        found = read(row)
        if found is None or not found.strip():
            raise RowProblem(f"{text}: expected {what}, found {found!r}. {hint}")
        return found

    return name


def read_list(texts: str | tuple[str, ...] | None) -> Callable[[Row], list[Any] | None]:
    """A function that gives the list of one template, or the values of several.

    Null for no template, and where all values are null.
    """
    if texts is None:
        return lambda row: None
    if isinstance(texts, str):
        whole = compile_template(texts).get

        def one(row: Row) -> list[Any] | None:
            value = whole(row)
            if value is not None and not isinstance(value, list):
                raise RowProblem(
                    f"{texts}: expected a list, found {shorten(value)}. Where each element has a "
                    "column of its own, list the columns."
                )
            return value

        return one
    getters = [compile_template(text).get for text in texts]

    def several(row: Row) -> list[Any] | None:
        values = [get(row) for get in getters]
        return None if all(value is None for value in values) else values

    return several


def read_choices(texts: str | tuple[str, ...] | None) -> Callable[[Row], tuple[str, ...] | None]:
    """A function that gives the answer choices.

    Raises RowProblem for fewer than two, and for one that has no text.
    """
    read = read_list(texts)
    named = texts if isinstance(texts, str) else ", ".join(texts or ())

    def choices(row: Row) -> tuple[str, ...] | None:
        values = read(row)
        if not values:
            return None
        found = tuple(plain_text(value, named) or "" for value in values)
        if len(found) < 2 or not all(choice.strip() for choice in found):
            raise RowProblem(
                f"{named}: expected a text for each of at least two choices, found "
                f"{shorten(values)}."
            )
        return found

    return choices


def find_key(raw: Any, choices: Sequence[str], keys: dict[str, int], text: str) -> int | None:
    """The place of the right choice, from 0; null stays null.

    Raises RowProblem for a value that names no choice, or two.

    >>> find_key("Bob", ["Ann", "Bob"], {}, "{key}"), find_key("B", ["Ann", "Bob"], {"B": 1}, "")
    (1, 1)
    """
    if raw is None or raw == "":
        return None
    spelled = spell(raw)
    listed = ", ".join(map(repr, choices))
    places = {keys[spelled]} if spelled in keys else _places(spelled, choices)
    inside = {place for place in places if 0 <= place < len(choices)}
    if len(inside) != 1:
        what = "both a place and the text of another choice" if inside else shorten(raw)
        raise RowProblem(
            f"{text}: expected the right choice by its place from 0 or its text, found {what}; "
            f"the choices are {listed}. Say in `keys` which place a value stands for, such as "
            "keys: {A: 0, B: 1}."
        )
    return inside.pop()


def _places(spelled: str, choices: Sequence[str]) -> set[int]:
    found = {place for place, choice in enumerate(choices) if choice == spelled}
    number = as_number(spelled)
    if number is not None and number.is_integer() and 0 <= number < len(choices):
        found.add(int(number))
    return found


def read_fields(
    templates: dict[str, str | tuple[str, ...]],
) -> Callable[[Row], dict[str, JsonScalar | list[JsonScalar]]]:
    """A function that gives named values; those that are null or absent are left out."""
    lists = {name: read_list(texts) for name, texts in templates.items() if type(texts) is tuple}
    singles = {
        name: (texts, compile_template(texts).get)
        for name, texts in templates.items()
        if isinstance(texts, str)
    }

    def fields(row: Row) -> dict[str, JsonScalar | list[JsonScalar]]:
        found: dict[str, JsonScalar | list[JsonScalar]] = {}
        for name in templates:
            text, value = name, None
            if name in lists:
                value = lists[name](row)
            else:
                text, get = singles[name]
                value = get(row)
            if isinstance(value, list):
                found[name] = [scalar(element, text) for element in value]
            elif value is not None:
                found[name] = scalar(value, text)
        return found

    return fields
