"""Read a recipe: one YAML file, a header, and one section per stage, strictly.

Every error in the file is reported at once, each with its line and the nearest valid name. Any
value may be written as `{value: ..., why: "..."}`; the reasons are kept for the report.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from judgesmith.errors import RecipeError, nearest
from judgesmith.runs.layout import Header
from judgesmith.runs.rehearsal import Rates, overlay, refused_override

Path_ = tuple[str | int, ...]


class Section(BaseModel):
    """Base of every stage's config: frozen, and a stranger to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def asks(self) -> tuple[str, ...]:
        """Names of the recipe's models that the stage asks."""
        return ()

    @property
    def dialects(self) -> tuple[str, ...]:
        """Names of the dialects that its outputs depend on."""
        name = getattr(self, "dialect", None)
        return () if name is None else (name,)

    def rehearsed(self, rates: Rates) -> Self:
        """The same for a rehearsal: simulated models for those it asks, and little of all."""
        return self


S = TypeVar("S", bound=Section)
Problem = tuple[Path_, str]
"""A place inside a config, and what is wrong there."""


@dataclass(frozen=True)
class Recipe:
    """A recipe that was checked: its header, its sections by stage name, and the reasons given."""

    path: Path
    header: Header
    sections: dict[str, Section]
    why: dict[str, str]
    plain: dict[str, Any]


def load_recipe(
    path: Path, stages: Mapping[str, type[Section]], overrides: Sequence[str] = (), *,
    rehearse: bool = False,
) -> Recipe:  # fmt: skip
    """The recipe with `key.path=value` overrides applied, above what its rehearsal changes.

    `stages` maps each section's name to its config. A stage whose section is absent is left out.
    Raises RecipeError listing all defects.
    """
    tree, lines = _parse_yaml(path)
    problems: list[str] = []
    if rehearse:
        overlay(tree)
    places: dict[Path_, str] = {}
    for override in overrides:
        refused = refused_override(override.partition("=")[0])
        if refused is None:
            _apply_override(tree, override, problems, places)
        else:
            problems.append(f"--set {override!r}: {refused}")
    why: dict[str, str] = {}
    plain = _strip_reasons(tree, (), why)
    where = _Where(path, lines, places)
    sections_given = {key: plain[key] for key in plain if key not in Header.model_fields}
    header = _validate(
        Header, {k: plain[k] for k in plain if k in Header.model_fields}, (), where, problems
    )
    sections: dict[str, Section] = {}
    for name, value in sections_given.items():
        if name not in stages:
            hint = nearest(str(name), [*stages, *Header.model_fields])
            problems.append(f"{where.of((name,))}: unknown section {name!r}; {hint}")
            continue
        section = _validate(stages[name], {} if value is None else value, (name,), where, problems)
        if section is not None:
            sections[name] = section
    if problems or header is None:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise RecipeError(f"The recipe has {len(problems)} error(s):\n{listed}")
    ordered = {name: sections[name] for name in stages if name in sections}
    return Recipe(path=path, header=header, sections=ordered, why=why, plain=plain)


def load_section(
    path: Path, model: type[S], *, what: str, check: Callable[[S], Iterable[Problem]],
    overrides: Sequence[str] = (), prepare: Callable[[dict[str, Any]], None] | None = None,
) -> S:  # fmt: skip
    """A YAML file that is one config, `what` for the user; `check` says what fields do not show.

    `key.path=value` overrides are applied, and then `prepare` may add what the file leaves out.
    Raises RecipeError listing all defects, each with its line.
    """
    tree, lines = _parse_yaml(path, what)
    problems: list[str] = []
    places: dict[Path_, str] = {}
    for override in overrides:
        _apply_override(tree, override, problems, places)
    if prepare is not None:
        prepare(tree)
    where = _Where(path, lines, places)
    found: S | None = _validate(model, tree, (), where, problems)
    if found is not None:
        problems += [f"{where.of(at)}: {message}" for at, message in check(found)]
    if problems or found is None:
        start = len(f"{path}:")
        problems.sort(key=lambda problem: _line(problem[start:]))
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise RecipeError(f"The {what} has {len(problems)} error(s):\n{listed}")
    return found


def _line(rest: str) -> int:
    """The line of a problem, told after its file; one of the command line comes first."""
    number = rest.partition(":")[0]
    return int(number) if number.isdecimal() else 0


def _parse_yaml(path: Path, what: str = "recipe") -> tuple[dict[str, Any], dict[Path_, int]]:
    file = what if what.endswith(" file") else f"{what} file"
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except FileNotFoundError:
        hint = " `judgesmith recipes` lists those shipped." if what == "recipe" else ""
        raise RecipeError(f"{path}: expected a {file}, found none.{hint}") from None
    except IsADirectoryError:
        raise RecipeError(f"{path}: expected a {file}, found a folder.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(node, yaml.MappingNode):
        raise RecipeError(f"{path}: expected a mapping of sections, found {text[:60]!r}.")
    lines: dict[Path_, int] = {}
    try:
        tree = _construct(node, (), lines, path)
    except RecursionError:
        raise RecipeError(f"{path}: an alias (*) refers to what holds it; write it out.") from None
    assert isinstance(tree, dict)
    return tree, lines


def _construct(node: yaml.Node, at: Path_, lines: dict[Path_, int], path: Path) -> object:
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_construct(child, (*at, i), lines, path) for i, child in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        try:
            return yaml.SafeLoader("").construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            what = getattr(error, "problem", None) or error
            raise RecipeError(
                f"{path}:{lines[at]}: {node.value!r} is not a valid value: {what}. Put it in "
                "quotes if it is meant as text."
            ) from None
    mapping: dict[str, object] = {}
    for key_node, value_node in _own_and_merged(node):
        key = str(key_node.value)
        if key in mapping:
            line = key_node.start_mark.line + 1
            raise RecipeError(f"{path}:{line}: key {key!r} is given twice; keep one.")
        mapping[key] = _construct(value_node, (*at, key), lines, path)
        lines[(*at, key)] = key_node.start_mark.line + 1
    return mapping


def _own_and_merged(node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    """The entries of a mapping, and after them those that `<<: *anchor` adds and it has not."""
    merge = "tag:yaml.org,2002:merge"
    own = [entry for entry in node.value if entry[0].tag != merge]
    seen = {key.value for key, _ in own}
    for entry in (entry for entry in node.value if entry[0].tag == merge):
        value = entry[1]
        for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(source, yaml.MappingNode):
                own.append(entry)
            else:
                added = [entry for entry in _own_and_merged(source) if entry[0].value not in seen]
                seen |= {key.value for key, _ in added}
                own += added
    return own


def _apply_override(
    tree: dict[str, Any], override: str, problems: list[str], places: dict[Path_, str]
) -> None:
    """Set a value; `places` gets the option that set it."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        problems.append(f"--set {override!r}: expected key.path=value, for example sft.epochs=2")
        return
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problems.append(f"--set {override!r}: the value is not valid YAML ({error})")
        return
    *parents, last = key.split(".")
    places[*parents, last] = f"--set {override!r}"
    place: Any = tree
    for part in parents:
        place = _step_into(_without_reason(place), part)
        if place is None:
            problems.append(f"--set {override!r}: there is no {part!r} in the recipe to set into")
            return
    place = _without_reason(place)
    if isinstance(place, list):
        if not last.isdecimal() or int(last) >= len(place):
            problems.append(f"--set {override!r}: expected a position below {len(place)}")
            return
        place[int(last)] = value
    else:
        place[last] = value


def _without_reason(place: Any) -> Any:
    """What `{value: ..., why: ...}` holds, where that has parts to set into."""
    if isinstance(place, dict) and set(place) == {"value", "why"}:
        return place["value"] if isinstance(place["value"], dict | list) else place
    return place


def _step_into(place: Any, part: str) -> Any:
    found = None
    if isinstance(place, list):
        found = place[int(part)] if part.isdecimal() and int(part) < len(place) else None
    elif isinstance(place, dict):
        if place.get(part) is None:
            place[part] = {}
        found = place[part]
    return found if isinstance(found, dict | list) else None


def _strip_reasons(value: Any, at: Path_, why: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_strip_reasons(child, (*at, i), why) for i, child in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if set(value) == {"value", "why"}:
        why[".".join(map(str, at))] = str(value["why"])
        return _strip_reasons(value["value"], at, why)
    return {key: _strip_reasons(child, (*at, key), why) for key, child in value.items()}


@dataclass(frozen=True)
class _Where:
    path: Path
    lines: dict[Path_, int]
    places: dict[Path_, str]
    """What options set, by place; a position in a list is its digits there."""

    def of(self, at: Path_) -> str:
        named = tuple(map(str, at))
        for end in range(len(named), 0, -1):
            if named[:end] in self.places:
                return self.places[named[:end]]
        while at and at not in self.lines:
            at = at[:-1]
        return f"{self.path}:{self.lines.get(at, 1)}"


def _validate(model: type[Any], value: Any, at: Path_, where: _Where, problems: list[str]) -> Any:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        defects = [(defect, _as_given(defect, value)) for defect in error.errors(include_url=False)]
        inside = {place[:length] for _, place in defects for length in range(len(place))}
        for defect, inner in defects:
            if len(inner) < len(defect["loc"]) and inner in inside:
                continue  # of a union, the member that the value was plainly not meant to be
            full = (*at, *inner)
            name = ".".join(map(str, full))
            if defect["type"] == "extra_forbidden":
                hint = nearest(str(inner[-1]), _valid_names(model, inner[:-1]))
                problems.append(f"{where.of(full)}: unknown key {name!r}; {hint}")
            elif defect["type"] == "missing":
                problems.append(f"{where.of(full)}: {name!r} is required and missing")
            else:
                said = defect["msg"].removeprefix("Value error, ")
                problems.append(f"{where.of(full)}: {name!r}: {said}{_found(defect)}")
        return None


def _as_given(defect: Mapping[str, Any], value: Any) -> Path_:
    """The place of a defect as the recipe has it, without the union members that pydantic names."""
    kept: list[str | int] = []
    *parents, last = defect["loc"] or (None,)
    for part in parents:
        if part in _parts_of(value):
            value = value[part]
            kept.append(part)
    if last is not None and (last in _parts_of(value) or defect["type"] == "missing"):
        kept.append(last)
    return tuple(kept)


def _parts_of(value: Any) -> Container[Any]:
    if isinstance(value, Mapping):
        return value
    return range(len(value)) if isinstance(value, list | tuple) else ()


def _found(defect: Mapping[str, Any]) -> str:
    """What was found, in words; not of a whole section, which says little and may hold a key."""
    value = defect["input"]
    hidden = isinstance(value, dict) or not {"key_env", "key_file"}.isdisjoint(defect["loc"])
    return "" if hidden else f", found {value!r}"


def _valid_names(model: type[BaseModel], inner: tuple[str | int, ...]) -> list[str]:
    """Field names that are valid at a place inside a config."""
    models = [model]
    for part in inner:
        if isinstance(part, str) and any(part in m.model_fields for m in models):
            fields = [m.model_fields[part].annotation for m in models if part in m.model_fields]
            models = [found for field in fields for found in _models_in(field)]
    return sorted({name for m in models for name in m.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
