"""The templates of prompts: what they may name, and what happens where a question lacks it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    meta,
    nodes,
)
from jinja2.sandbox import SandboxedEnvironment

from judgesmith.errors import nearest
from judgesmith.records import LETTERS

KNOWN = ("context", "question", "choices", "reference", "grounding", "fields", "criteria")
"""What every template sees; that of a judgment also sees `responses`."""


class Nothing(str):
    """What a question does not have: an empty text that is none, through every filter.

    Python's None would be the word "None" wherever a filter makes a text of it.
    """

    __slots__ = ()

    def __new__(cls) -> "Nothing":
        """The empty text."""
        return super().__new__(cls, "")

    def __eq__(self, other: object) -> bool:
        return other is None or other == ""

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def present(value: Any) -> Any:
    """A value as a template sees it: nothing in place of None, in lists as well."""
    if value is None:
        return Nothing()
    return [present(one) for one in value] if isinstance(value, list | tuple) else value


class Fields(Mapping[str, Any]):
    """A question's task fields, for a template: `fields.criterion`."""

    __slots__ = ("_held",)

    def __init__(self, held: Mapping[str, Any]) -> None:
        self._held = {name: present(value) for name, value in held.items()}

    def __getitem__(self, name: str) -> Any:
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __getattribute__(self, name: str) -> Any:
        """A field goes before a method of its name, such as `items`."""
        held = object.__getattribute__(self, "_held")
        return held[name] if name in held else object.__getattribute__(self, name)


class _Missing(StrictUndefined):
    """What a template names and a question does not have."""

    @property
    def _undefined_message(self) -> str:
        if not isinstance(self._undefined_obj, Fields):
            return super()._undefined_message
        held = ", ".join(self._undefined_obj) or "none"
        return f"the question has no field {self._undefined_name!r} (its fields: {held})"


class Lacking(TemplateError):
    """A template needs what a question does not have."""


def _required(value: Any, name: str) -> Any:
    if value is None or value == "":
        raise Lacking(f"the question has no {name}, and this dialect needs one")
    return value


def _exactly(value: Any, count: int, name: str) -> Any:
    found = len(value) if isinstance(value, list | tuple | Undefined) else None
    if found != count:
        raise Lacking(f"expected {count} {name}, found {value!r}")
    return value


FAULTS = (
    TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip
"""What rendering a template may raise: its own errors, and those of what it computes."""


def environment() -> SandboxedEnvironment:
    """What templates are read in; it touches nothing outside them."""
    made = SandboxedEnvironment(
        undefined=_Missing, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False,
        finalize=lambda value: "" if value is None else value,
    )  # fmt: skip
    made.filters |= {"required": _required, "exactly": _exactly}
    made.tests["none"] = lambda value: value is None or isinstance(value, Nothing)
    return made


_ENVIRONMENT = environment()


@lru_cache(maxsize=256)
def template(source: str) -> Template:
    """A template, ready to be filled in."""
    return _ENVIRONMENT.from_string(source)


@lru_cache(maxsize=256)
def names_in(source: str) -> frozenset[str]:
    """What a template names of all that it may see."""
    return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(source)))


def fields_in(source: str) -> tuple[str, ...]:
    """The task fields of a question that a template names, in the order of the alphabet.

    >>> fields_in("{{ fields.criterion }} {% for one in fields.levels %}{{ one }}{% endfor %}")
    ('criterion', 'levels')
    """
    found = _ENVIRONMENT.parse(source).find_all(nodes.Getattr)
    return tuple(sorted({
        one.attr for one in found if isinstance(one.node, nodes.Name) and one.node.name == "fields"
    }))  # fmt: skip


def named(texts: Sequence[str]) -> list[dict[str, str]]:
    """Texts with the letters that they are shown by; there must be a letter for each."""
    return [{"letter": LETTERS[i], "text": text} for i, text in enumerate(texts)]


def check_template(source: str, field: str, known: tuple[str, ...]) -> None:
    """ValueError where a template is not valid or names what no question has."""
    try:
        named = names_in(source)
        template(source)
    except TemplateSyntaxError as error:
        raise ValueError(f"`{field}`, line {error.lineno}: {error.message}") from None
    except TemplateError as error:
        raise ValueError(f"`{field}`: {error}") from None
    for name in sorted(named - set(known)):
        raise ValueError(f"`{field}`: {name!r} is undefined; {nearest(name, known)}")
