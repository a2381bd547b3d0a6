"""`review`: a review made or opened, and served until a signal."""

import sys
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from judgesmith.errors import DataError, RecipeError, RunError, nearest

if TYPE_CHECKING:
    from judgesmith.judging.dialect import Dialect
    from judgesmith.review.review import Review
    from judgesmith.review.types import Queue
    from judgesmith.runs.layout import RunDir

NEEDS = (
    "reviewing needs packages that are not installed ({missing}). Install them: "
    "pip install 'judgesmith[review]'"
)
ROLES = ("adjudicate", "label", "owner")


class ReviewOptions(NamedTuple):
    """What `judgesmith review` was asked for besides the source."""

    dialect: str | None
    out: Path | None
    overlap: int
    calibration: int
    repeats: float
    queue: "Queue"
    seed: int
    name: str | None
    host: str
    port: int
    open_browser: bool


def review_command(source: Path, options: ReviewOptions) -> None:
    """Make the review of a source, or open the one that is there, and serve it."""
    try:
        from judgesmith.review.running import serve
        from judgesmith.web.listening import Address, is_loopback
    except ModuleNotFoundError as error:
        raise RunError(NEEDS.format(missing=error.name)) from None

    review = _open(source, options)
    link = _first(review, options, local=is_loopback(options.host))

    def tell(url: str) -> None:
        print(
            f"Review of {review.about.name}, {review.about.items:,} items: {url}{link}", flush=True
        )
        print(f"It is kept in {review.folder}. Ctrl-C ends it.", flush=True)
        if options.open_browser:
            webbrowser.open(f"{url}{link}")

    serve(review, Address(options.host, options.port), tell)
    print("Stopped; what was told as saved is on disk", file=sys.stderr)


def _first(review: "Review", options: ReviewOptions, *, local: bool) -> str:
    """The path of the owner's personal link where they are made now, else nothing."""
    if review.annotators():
        return ""
    if options.name is not None:
        return f"/enter/{review.add_annotator(options.name, ROLES)}"
    if not local:
        raise RecipeError(
            f"--host {options.host}: others can reach this address, so everybody needs a personal "
            "link. Say who you are with --name ME: yours is printed."
        )
    return ""


def _open(source: Path, options: ReviewOptions) -> "Review":
    """The review that is there; else one of the items of a run or a file."""
    from judgesmith.pipeline.recipes import is_run
    from judgesmith.review.items import about_dialect, items_of_file, items_of_run
    from judgesmith.review.review import Review
    from judgesmith.review.store import FILE
    from judgesmith.review.types import Plan

    run = is_run(source)
    folder = options.out or (
        source / "review" if run else source.with_name(f"{source.stem}.review")
    )
    if (folder / FILE).is_file():
        return Review.open(folder)
    if not run and not source.is_file():
        raise DataError(f"{source}: expected a run, or a file of items to review; found neither.")
    plan = Plan(options.seed, options.overlap, options.queue, options.repeats, options.calibration)
    if run:
        run_dir, dialect = _of_run(source, options.dialect)
        items = items_of_run(run_dir, dialect)
    else:
        dialect = _named(options.dialect or "bias-pair")
        items = items_of_file(source, dialect)
    about = about_dialect(source.resolve().name, str(source.resolve()), dialect, from_run=run)
    adjective = "biased" if dialect.name.startswith("bias-") else None
    return Review.make(folder, replace(about, adjective=adjective), items, plan)


def _of_run(folder: Path, name: str | None) -> "tuple[RunDir, Dialect]":
    """A run and how its items are judged: a dialect with a rubric in words, of its task."""
    from judgesmith.pipeline.recipes import open_run
    from judgesmith.tasks import load_dialect, task_of

    run_dir, _ = open_run(folder)
    task = task_of(run_dir.header)
    if name is not None:
        return run_dir, load_dialect(task, name)
    usual = [one for one in task.dialects.values() if one.rubric and one.direction]
    return run_dir, next((one for one in usual if one.name == "bias-pair"), usual[0])


def _named(name: str) -> "Dialect":
    from judgesmith.tasks import TASKS, load_task

    known = {one: held for task in TASKS for one, held in load_task(task).dialects.items()}
    if name not in known:
        raise RecipeError(f"--dialect {name!r}: no dialect of that name; {nearest(name, known)}")
    return known[name]
