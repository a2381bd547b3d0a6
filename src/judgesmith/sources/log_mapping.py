"""A log's mapping says in YAML which columns hold questions, and which the responses to them.

The templates are those of `judgesmith.sources.mapping`: `{column}`, `{path.to.value}`,
`{optional?}`, `{a|b}`, `{choice.value.text}` inside an `each`, and constants. Besides columns they
know `{$row}`, `{$file}`, `{$stem}` and, where `rows` ends in *, `{$key}`. One mapping serves the
questions stage and the responses stage.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from judgesmith.errors import nearest
from judgesmith.records import Finish
from judgesmith.runs.recipe import Section, load_section
from judgesmith.sources.mapping import Part, Template
from judgesmith.sources.templates import TemplateError, compile_template

FINISHES = {
    "stop": Finish.STOP, "end_turn": Finish.STOP, "eos": Finish.STOP,
    "stop_sequence": Finish.STOP, "length": Finish.LENGTH, "max_tokens": Finish.LENGTH,
    "content_filter": Finish.REFUSED, "refusal": Finish.REFUSED, "refused": Finish.REFUSED,
    "error": Finish.FAILED, "failed": Finish.FAILED,
}  # fmt: skip
"""What servers write, in small letters, when a response ended."""

_PLACES = ("$row", "$file", "$stem", "$key")
_NAME = re.compile(r"[A-Za-z_]\w*")


def _sound_template(text: str) -> str:
    try:
        names = compile_template(text).names
    except TemplateError as error:
        raise ValueError(str(error)) from None
    for name in names:
        if name.startswith("$") and name not in _PLACES:
            raise ValueError(f"{text!r}: {name!r} has no value here; {nearest(name, _PLACES)}")
    return text


def _sound_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("expected a name of letters and digits")
    return name


def _sound_part(part: Part) -> Part:
    _sound_template(part.of)
    try:
        groups = re.compile(part.pattern).groups
    except re.error as error:
        raise ValueError(f"{part.pattern!r} is not a regular expression: {error}") from None
    if groups < 1:
        raise ValueError(f"{part.pattern!r} needs a group, the (part) to take")
    return part


Column = Annotated[Template, AfterValidator(_sound_template)]
Name = Annotated[str, AfterValidator(_sound_name)]
Columns = Column | tuple[Column, ...]
"""One template that gives a list, or a template for each element."""


class LoggedQuestion(Section):
    """The question that a row holds: a `text` of its own, or a `known` question of the run.

    `known` gives the id or group_id of a question of the run; such a log brings responses only.

    Rows with the same text, context, choices, reference and grounding ask the same question. All
    else that they say of it must agree, but for `group`: groups that share a question are one.
    `group` is what must stay on one side of a split, such as a conversation; by default the
    question alone. `template` is the same one level up. `id` is only checked: one id, one question.

    `key` is the right choice: its place from 0, its text, or a raw value that `keys` turns into a
    place. `fields` are what the task needs besides; null and absent values are left out.
    """

    text: Column | None = None
    known: Column | None = None
    context: Column | None = None
    group: Column | None = None
    template: Column | None = None
    category: Column | None = None
    choices: Columns | None = None
    key: Column | None = None
    keys: dict[str, int] = Field(default_factory=dict)
    reference: Column | None = None
    grounding: Column | None = None
    fields: dict[str, Columns] = Field(default_factory=dict)
    id: Column | None = None

    @model_validator(mode="after")
    def _one_question(self) -> "LoggedQuestion":
        if (self.text is None) == (self.known is None):
            raise ValueError(
                "expected `text`, the question itself, or `known`, its id in the run, and not both"
            )
        if self.known is not None:
            given = sorted(self.model_fields_set - {"known"})
            if given:
                raise ValueError(f"a `known` question has all it needs in the run; drop {given[0]}")
        if self.key is not None and self.choices is None:
            raise ValueError("`key` says which of `choices` is right; give them")
        return self


class LoggedResponse(Section):
    """The responses that a row holds, one, or one for each element of a list.

    `finish` says how the response ended, in the words of common servers (`FINISHES`) or in raw
    values that `read` turns into stop, length, refused or failed; without `finish`, and where an
    optional one is absent, it ended by itself. `sampling` names settings, such as temperature.
    `licence` is the generator's, by default the log's. `id` is only checked: one id, one response.
    """

    model: Column
    text: Column
    each: dict[Name, Column] = Field(default_factory=dict)
    finish: Column | None = None
    read: dict[str, Finish] = Field(default_factory=dict)
    sampling: dict[str, Column] = Field(default_factory=dict)
    licence: Column | None = None
    id: Column | None = None


class LogMapping(Section):
    """What the columns of a log hold.

    `where` keeps only rows whose templates give one of the listed values (JSON spelling), `unless`
    leaves out those where one does; the rows left out are counted. `parts` takes pieces out of
    longer texts; `format` and `rows` say how a file is read: all as for judgments.
    """

    question: LoggedQuestion
    responses: tuple[LoggedResponse, ...] = ()
    licence: Column = "the user's own"
    where: dict[Column, tuple[str, ...]] = Field(default_factory=dict)
    unless: dict[Column, tuple[str, ...]] = Field(default_factory=dict)
    parts: dict[Name, Annotated[Part, AfterValidator(_sound_part)]] = Field(default_factory=dict)
    format: Literal["jsonl", "json", "csv", "tsv", "parquet", "hf"] | None = None
    rows: str | None = None


def load_log_mapping(path: Path) -> LogMapping:
    """The mapping of a log in a YAML file.

    Raises RecipeError listing all defects, each with its line and, for an unknown key, the nearest
    valid name.
    """
    return load_section(path, LogMapping, what="mapping", check=lambda mapping: ())


def templates_of(mapping: LogMapping) -> list[str]:
    """Every template of a mapping, once."""
    found: dict[str, None] = {}

    def walk(section: object) -> None:
        if isinstance(section, str):
            found[section] = None
        elif isinstance(section, tuple):
            for inner in section:
                walk(inner)

    asked = mapping.question
    names = ("text", "known", "context", "group", "template", "category", "choices", "key")
    for name in (*names, "reference", "grounding", "id"):
        walk(getattr(asked, name))
    walk(tuple(asked.fields.values()))
    for entry in mapping.responses:
        walk((entry.model, entry.text, entry.finish, entry.licence, entry.id))
        walk((*entry.each.values(), *entry.sampling.values()))
    walk((mapping.licence, *mapping.where, *mapping.unless))
    walk(tuple(part.of for part in mapping.parts.values()))
    return list(found)
