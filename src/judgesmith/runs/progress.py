"""Progress of long work: bar, rate, cost so far and time left, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import ProgressColumn, TaskID


class Progress(Protocol):
    """What a stage calls when work is done."""

    def advance(self, count: int = 1, *, cost_usd: float = 0.0) -> None:
        """Report finished units of work and what they cost."""


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
    """A bar for `total` units (None: not known) of which `done` were finished before."""
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
    with rich_progress.Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(label, total=total, completed=done, cost="$0.00")
        yield _Bar(bar, task)


def _rate_column() -> "ProgressColumn":
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "-/s")

    return Rate()
