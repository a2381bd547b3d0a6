"""The question that a row of a log holds, and which rows and groups belong together."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from judgesmith.errors import DataError
from judgesmith.records import content_id
from judgesmith.sources.log_mapping import LoggedQuestion
from judgesmith.sources.log_values import (
    find_key,
    read_choices,
    read_fields,
    read_name,
    read_text,
)
from judgesmith.sources.templates import Row, RowProblem, compile_template


class Asked(NamedTuple):
    """What a row says of its question. `same` is a hash of what makes it this question."""

    same: str
    group: str | None
    made_of: dict[str, Any]
    besides: dict[str, Any]
    file: str
    where: str


class QuestionColumns:
    """The part of a mapping that holds the question, compiled."""

    def __init__(self, spec: LoggedQuestion, licence: str) -> None:
        self._spec = spec
        self._text = read_text(spec.text)
        self._made_of = {
            name: read_text(getattr(spec, name)) for name in ("context", "reference", "grounding")
        }
        self._besides = {
            "template_id": read_text(spec.template),
            "category": read_text(spec.category),
            "licence": _licence(licence),
        }
        self._group = read_text(spec.group)
        self._choices = read_choices(spec.choices)
        self._key = None if spec.key is None else compile_template(spec.key).get
        self._fields = read_fields(spec.fields)
        self._id = read_text(spec.id)
        self._ids = OneContent(spec.id or "", "question")

    def read(self, row: Row, where: str) -> Asked | None:
        """What a row asks; None for one without a question."""
        text = self._text(row)
        if text is None or not text.strip():
            return None
        made_of: dict[str, Any] = {name: read(row) for name, read in self._made_of.items()}
        made_of |= {"text": text, "choices": self._choices(row)}
        besides: dict[str, Any] = {name: read(row) for name, read in self._besides.items()}
        besides |= {"key": self._right(row, made_of["choices"]), "task": self._fields(row)}
        same = content_of(made_of)
        self._ids.check(self._id(row), same, where)
        return Asked(same, self._group(row), made_of, besides, str(row["$file"]), where)

    def _right(self, row: Row, choices: Sequence[str] | None) -> int | None:
        if self._key is None or choices is None:
            return None
        return find_key(self._key(row), choices, self._spec.keys, self._spec.key or "")


def _licence(text: str) -> Callable[[Row], str]:
    return read_name(text, what="the terms of use", hint="Write them into the mapping: `licence`.")


def content_of(made_of: dict[str, Any]) -> str:
    """A hash of what rows of one question have in common."""
    names = ("text", "context", "choices", "reference", "grounding")
    return content_id(*(made_of[name] for name in names))


class OneContent:
    """Remembers what each id stands for, and refuses a second meaning."""

    def __init__(self, template: str, what: str) -> None:
        self._template, self._what = template, what
        self._seen: dict[str, tuple[str, str]] = {}

    def check(self, name: str | None, content: str, where: str) -> None:
        """Raise RowProblem where the id stands for something else in an earlier row."""
        if name is None:
            return
        known, earlier = self._seen.setdefault(name, (content, where))
        if known != content:
            raise RowProblem(
                f"{self._template}: expected one {self._what} for an id, found another one for "
                f"{name!r} at {earlier}. Correct the log, or make the id longer, such as "
                "`{id}/{$row}`, or leave `id` out of the mapping."
            )


class Groups:
    """Groups that share a question, joined under the first of their names in the alphabet."""

    def __init__(self) -> None:
        self._above: dict[tuple[int, str], tuple[int, str]] = {}

    def join(self, same: str, group: str | None) -> None:
        """Put a question into a group; without one it has its own name, which comes last."""
        one = self._top((1, same))
        other = one if group is None else self._top((0, group))
        self._above[max(one, other)] = min(one, other)

    def of(self, same: str) -> str:
        """The group of a question."""
        return self._top((1, same))[1]

    def _top(self, name: tuple[int, str]) -> tuple[int, str]:
        while (above := self._above.setdefault(name, name)) != name:
            self._above[name] = self._above[above]
            name = above
        return name


def require_agreement(first: Asked, asked: Asked) -> None:
    """Raise DataError where two rows of one question say different things of it."""
    for name, value in asked.besides.items():
        if value != first.besides[name]:
            column = {"template_id": "template", "task": "fields"}.get(name, name)
            raise DataError(
                f"{asked.where}: `{column}`: expected {first.besides[name]!r}, as for the same "
                f"question at {first.where}, found {value!r}. A question is one record: leave "
                f"`{column}` out of the mapping, or put what tells the two apart into `context`."
            )
