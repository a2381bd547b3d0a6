"""Progress of long work: bar, rate, cost so far and time left, on standard error."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import ProgressColumn, TaskID


class Progress(Protocol):
    """What a stage calls when work is done."""

    def advance(self, count: int = 1, *, cost_usd: float = 0.0) -> None:
        """Report finished units of work and what they cost."""


LINE_EVERY_S = 60.0
"""How often a line says how far it is, where no terminal shows a bar."""


class _Lines:
    """What is done as a line a minute, for the logs of long work that nobody watches."""

    def __init__(self, label: str, total: int | None, done: int) -> None:
        self._label, self._total, self._done, self._before = label, total, done, done
        self._cost, self._start = 0.0, time.monotonic()
        self._told = self._start

    def advance(self, count: int = 1, *, cost_usd: float = 0.0) -> None:
        self._done += count
        self._cost += cost_usd
        now = time.monotonic()
        if now - self._told >= LINE_EVERY_S:
            self._told = now
            say(self._line((self._done - self._before) / (now - self._start)))

    def _line(self, rate: float) -> str:
        known = "" if self._total is None else f" of {self._total:,}"
        cost = f", ${self._cost:.2f}" if self._cost else ""
        left = ""
        if self._total is not None and rate:
            left = f", {timedelta(seconds=round((self._total - self._done) / rate))} left"
        return f"{self._label}: {self._done:,}{known}{cost}, {rate:.1f}/s{left}"


class _Bar:
    def __init__(self, bar: "RichProgress", task: "TaskID") -> None:
        self._bar, self._task, self._cost = bar, task, 0.0

    def advance(self, count: int = 1, *, cost_usd: float = 0.0) -> None:
        self._cost += cost_usd
        self._bar.update(self._task, advance=count, cost=f"${self._cost:.2f}")


def say(text: str) -> None:
    """One line on standard error, such as what comes next and what it will cost."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(f"  {text}", markup=False, soft_wrap=True)


@contextmanager
def progress_bar(label: str, total: int | None, *, done: int = 0) -> Iterator[Progress]:
    """A bar for `total` units (None: not known) of which `done` were finished before.

    Where standard error is no terminal, a line a minute stands for it.
    """
    # rich costs a tenth of a second to import, and most commands show no bar.
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("  {task.description}"),
        rich_progress.BarColumn(bar_width=28),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TextColumn("{task.fields[cost]}"),
        rich_progress.TimeElapsedColumn(),
        rich_progress.TextColumn("left"),
        rich_progress.TimeRemainingColumn(),
        _rate_column(),
    )
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(label, total, done)
        return
    with rich_progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(label, total=total, completed=done, cost="$0.00")
        yield _Bar(bar, task)


def _rate_column() -> "ProgressColumn":
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "-/s")

    return Rate()
