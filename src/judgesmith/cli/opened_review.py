"""The review of whatever a user named: made of a run, a file or a published set, or opened."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from judgesmith.errors import DataError, RecipeError, nearest
from judgesmith.records import Split

if TYPE_CHECKING:
    from judgesmith.judging.dialect import Dialect
    from judgesmith.review.review import Review
    from judgesmith.review.types import About, ReviewItem
    from judgesmith.tasks import Task

OF_TASK = {"bias": ("bias-pair", "biased")}
"""The dialect in which people judge a task's items, and what its verdicts name in one word."""


_YAML = (".yaml", ".yml")


class Wanted(NamedTuple):
    """How a review is made where there is none yet; `plan` are the settings that were given."""

    dialect: str | None = None
    out: Path | None = None
    data: Path | None = None
    splits: tuple[str, ...] = ()
    plan: Mapping[str, Any] = {}
    add: bool = False


def folder_of(source: str, out: Path | None) -> Path:
    """Where the review of a source is kept.

    >>> str(folder_of("data/pairs.csv", None)), str(folder_of("pandalm", None))
    ('data/pairs.review', 'pandalm.review')
    """
    path = Path(source)
    if out is not None:
        return out
    if (path / "review.db").is_file():
        return path
    if path.is_dir():
        return path / "review"
    return path.with_name(f"{path.name.removesuffix('.gz').partition('.')[0]}.review")


def open_review(source: str, wanted: Wanted) -> "Review":
    """The review of a run, of a file of responses, or of files of judgments; made if it is not.

    `source` may be a review's own folder, too. Raises RecipeError for a dialect that there is not,
    and what reading the source raises.
    """
    from judgesmith.review.review import Review
    from judgesmith.review.types import Plan
    from judgesmith.runs.progress import progress_bar

    folder = folder_of(source, wanted.out)
    if (folder / "review.db").is_file():
        review = Review.open(folder)
        _require_same(review, source, wanted)
        _compare(review, source, wanted)
        return review
    about, items = _read(source, wanted)
    about = replace(about, source_hash=_hash_of(source), splits=wanted.splits)
    with progress_bar("items", None) as bar:
        return Review.make(folder, about, items, Plan(**wanted.plan), bar.advance)


def existing_review(source: str, wanted: Wanted) -> "Review":
    """The review of a source that is there; RunError where there is none."""
    from judgesmith.review.review import Review

    return Review.open(folder_of(source, wanted.out))


def _require_same(review: "Review", source: str, wanted: Wanted) -> None:
    """Refuse a file, or settings, that an existing review was not made with."""
    about, dialect = review.about, wanted.dialect
    if Path(source).is_file() and Path(source).name != Path(about.source).name:
        raise RecipeError(
            f"{source}: the review in {review.folder} is of {about.source}. Name another folder "
            "with --out."
        )
    if dialect is not None and Path(dialect).suffix in _YAML:
        if _own_dialect(Path(dialect)).hash != about.dialect_hash:
            raise RecipeError(
                f"--dialect {dialect}: the review in {review.folder} was made with another, or "
                "with this one before it was changed. Make another review with --out."
            )
        dialect = None
    asked = {"dialect": dialect, **wanted.plan}
    held = {"dialect": about.dialect, **asdict(review.plan)}
    for name, given in asked.items():
        if given is not None and given != held[name]:
            raise RecipeError(
                f"--{name.replace('_', '-')}: the review in {review.folder} was made with "
                f"{held[name]}, found {given}. Leave the option out to go on with it, or make "
                "another with --out."
            )


def _compare(review: "Review", source: str, wanted: Wanted) -> None:
    """Refuse a source with other items than the review has, or add its new ones."""
    about, found = review.about, _hash_of(source)
    if wanted.splits and about.splits != wanted.splits:
        raise RecipeError(
            f"--split: the review in {review.folder} was made with "
            f"{', '.join(about.splits) or 'the default ones'}. Make another with --out."
        )
    if wanted.add and not found:
        raise RecipeError(f"--add: {source} is no run or file whose items could be added.")
    if not about.source_hash or found in ("", about.source_hash):
        return
    same = wanted._replace(dialect=wanted.dialect or about.dialect, splits=about.splits)
    added = review.compare(_read(source, same)[1], found, add=wanted.add)
    if added:
        print(f"{added:,} items were added", file=sys.stderr)


def _hash_of(source: str) -> str:
    """The hash of the file that names a source's items; empty where no one file does."""
    from judgesmith.runs.jsonl import file_sha256

    path = Path(source)
    names = (path, path / "split/items.jsonl", path / "items/items.jsonl")
    return next((file_sha256(one) for one in names if one.is_file()), "")


def _read(source: str, wanted: Wanted) -> "tuple[About, Iterator[ReviewItem]]":
    from judgesmith.pipeline.readable import open_readable
    from judgesmith.pipeline.recipes import is_run, open_run
    from judgesmith.review.items import (
        MEASURED,
        about_dialect,
        items_of_file,
        items_of_rows,
        items_of_run,
    )
    from judgesmith.tasks import task_of

    path = Path(source)
    if is_run(path):
        run_dir, recipe = open_run(path)
        task = recipe.header.task
        dialect = _dialect(wanted.dialect or OF_TASK.get(task, ("",))[0], task_of(recipe.header))
        about = about_dialect(recipe.header.name, source, dialect, from_run=True)
        splits = _splits(wanted.splits) or MEASURED
        return _named(about, task, dialect), items_of_run(run_dir, dialect, splits)
    if wanted.splits:
        raise RecipeError(f"--split: {source} is no run, and only a run's items have splits.")
    if path.is_file() and not _holds_judgments(path):
        dialect = _dialect(wanted.dialect)
        about = about_dialect(path.stem, source, dialect)
        return _named(about, "bias", dialect), items_of_file(path, dialect)
    readable = open_readable([source], data=wanted.data)
    dialect = _dialect(wanted.dialect)
    if readable.subject.names not in (None, dialect.direction):
        raise RecipeError(
            f"--dialect {wanted.dialect}: its verdicts name the {dialect.direction} response, "
            f"those of {source} the {readable.subject.names} one. Name one of that direction."
        )
    about = about_dialect(path.stem, source, dialect)
    return _named(about, "bias", dialect), items_of_rows(readable.read, dialect)


def _named(about: "About", task: str, dialect: "Dialect") -> "About":
    """With what the verdicts of a task's own dialects name, in one word."""
    own = task in OF_TASK and dialect.name.startswith(f"{task}-")
    return replace(about, adjective=OF_TASK[task][1]) if own else about


def _splits(names: tuple[str, ...]) -> tuple[Split, ...]:
    known = {one.value: one for one in Split}
    for name in names:
        if name not in known:
            raise RecipeError(f"--split {name!r}: {nearest(name, known)}")
    return tuple(known[name] for name in names)


def _dialect(name: str | None, task: "Task | None" = None) -> "Dialect":
    """The dialect in which people judge: of a run, of the library, of a task, or in a file."""
    from judgesmith.judging.library import LIBRARY
    from judgesmith.tasks import TASKS, load_task

    if name is not None and Path(name).suffix in _YAML:
        return _own_dialect(Path(name))
    tasks = [load_task(one) for one in TASKS] if task is None else [task]
    known = {**LIBRARY, **{one: held for each in tasks for one, held in each.dialects.items()}}
    if not name or name not in known:
        readable = sorted(one for one, held in known.items() if held.rubric and held.direction)
        told = f"--dialect {name!r}: there is none of this name" if name else "expected --dialect"
        raise RecipeError(
            f"{told}: the one in which people judge. With a rubric for people are "
            f"{', '.join(readable)}; or give a YAML file of your own."
        )
    return known[name]


def _own_dialect(path: Path) -> "Dialect":
    """A dialect in a file of its own, with the fields that it would have in a recipe."""
    import yaml
    from pydantic import ValidationError

    from judgesmith.judging.dialect import Dialect

    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Dialect.model_validate({"name": path.stem, **(fields or {})})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
        raise RecipeError(f"--dialect {path}: cannot be read: {error}") from None
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(part) for part in one['loc']) or 'it'}: {one['msg']}"
            for one in error.errors()
        )
        raise RecipeError(f"--dialect {path}: not a dialect: {found}") from None


def _holds_judgments(path: Path) -> bool:
    """Whether a file is one of judgments or labels, as `evaluate` reads, and not of items."""
    from judgesmith.sources.own_tables import raw_pairs

    try:
        first = next(iter(raw_pairs(path)), None)
    except DataError:
        return False
    return first is not None and bool({"item", "judge", "label"} & set(first[1]))
