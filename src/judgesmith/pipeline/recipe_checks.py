"""What a recipe's sections must say of each other; checked before a run is started from it."""

from collections.abc import Iterator
from pathlib import Path

from judgesmith.backends.student import FromNothing
from judgesmith.errors import RecipeError
from judgesmith.judging.dialect import Dialect
from judgesmith.runs.recipe import Recipe
from judgesmith.runs.students import made_as
from judgesmith.stages import evaluate, gate, items, sft
from judgesmith.tasks import load_dialect, task_of

SINGLES = frozenset({"feedback_collection"})
"""Kinds of import whose items are all single responses."""


def check_sections(path: Path, recipe: Recipe) -> None:
    """Refuse what could only be noticed after a training, or never.

    Raises:
        RecipeError: for a student that is measured in a dialect it does not learn, rows that are
            longer than its context, or a gate that no judge could pass.
    """
    for problem in (*_untrained(recipe), *_too_short(recipe), *_never_passes(recipe)):
        raise RecipeError(f"{path}: {problem}")


def _untrained(recipe: Recipe) -> Iterator[str]:
    """Dialects that a student learns, or is measured in, and nobody makes rows of."""
    training, measuring = recipe.sections.get("sft"), recipe.sections.get("evaluate")
    if not isinstance(training, sft.Config):
        return
    rows = recipe.sections.get("rows")
    task = task_of(recipe.header)
    learnt = training.dialects if rows is None else rows.dialects

    def among(name: str, others: tuple[str, ...]) -> bool:
        return load_dialect(task, name).hash in {load_dialect(task, one).hash for one in others}

    for name in training.dialects:
        if not among(name, learnt):
            yield (
                f"sft.dialect: {name!r} is not a dialect of the rows, which are in "
                f"{_listed(learnt)}. Train in a dialect of the rows, or name it under "
                "rows.dialects."
            )
    if isinstance(measuring, evaluate.Config):
        deciding, dialect = measuring.students[0], measuring.dialect
        own = training.students.get(made_as(deciding))
        taught = learnt if own is None else own.dialect
        if not among(dialect, taught):
            yield (
                f"evaluate.dialect: expected one that {deciding!r} learns, {_listed(taught)}, "
                f"found {dialect!r}. Measure it in a dialect that it is trained in, or train it in "
                "this one (rows.dialects, sft.dialect). How far its format carries can be measured "
                "under evaluate.also."
            )


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(map(repr, names))


def _too_short(recipe: Recipe) -> Iterator[str]:
    """Rows that a student from nothing has no room for.

    A rehearsal makes the context of its tiny student itself, where the recipe does not state it.
    """
    training = recipe.sections.get("sft")
    size = training.student if isinstance(training, sft.Config) else None
    if not isinstance(training, sft.Config) or not isinstance(size, FromNothing):
        return
    if recipe.header.rehearsed and "context" not in size.model_fields_set:
        return
    for name, one in training.students.items():
        if one.max_length > size.context:
            where = f"sft.judges.{name}.max_length" if training.judges else "sft.max_length"
            where = where if one.max_length != training.max_length else "sft.max_length"
            yield (
                f"{where}: expected at most {size.context}, as sft.student.context is "
                f"{size.context} tokens, found {one.max_length}. A row must fit into the context, "
                "and a prompt with its reply, too: raise context, or lower max_length."
            )


def _never_passes(recipe: Recipe) -> Iterator[str]:
    """A gate on scores alone that only bounds what verdicts have."""
    bounds, measuring = recipe.sections.get("gate"), recipe.sections.get("evaluate")
    drawn = recipe.sections.get("items")
    if not isinstance(measuring, evaluate.Config) or not isinstance(drawn, items.Config):
        return
    pairs = drawn.preset is not None or bool(drawn.buckets) or drawn.from_scores is not None
    single = not pairs and all(one.kind in SINGLES for one in drawn.imports)
    dialect = load_dialect(task_of(recipe.header), measuring.dialect)
    if single and isinstance(bounds, gate.Config) and unbounded(dialect, bounds):
        yield never_passes(dialect)


def unbounded(dialect: Dialect, bounds: gate.Config) -> bool:
    """Whether a judge whose scores are measured in this dialect has no bound to be decided on."""
    return dialect.scores_alone and bounds.correlation is None and bounds.exact is None


def never_passes(dialect: Dialect) -> str:
    """Why a gate cannot be passed in this dialect, and what to add."""
    return (
        f"gate: a judge in evaluate.dialect = {dialect.name!r} gives scores, and gate.kappa is of "
        "verdicts, so this gate can never be passed. Set gate.correlation or gate.exact, for "
        "example `correlation: 0.6`."
    )
