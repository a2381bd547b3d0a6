"""A file judged in several processes, each of which opens the judge by its folder."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from judgesmith.backends.over_ray import map_over_ray, require_ray
from judgesmith.errors import RunError
from judgesmith.inference.abstaining import Abstaining
from judgesmith.inference.engines import workers_in
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.chunks import Chunk, Raw, Rest
from judgesmith.inference.rows.stream import Elsewhere, Rows, written_rows
from judgesmith.models.protocol import Mode
from judgesmith.pipeline.judges import open_judge


def over_ray(
    engine: str, judge: Judge, folder: Path, *, dialect: str | None = None,
    student: str | None = None, mode: Mode | None = None, abstaining: Abstaining | None = None,
    second: Path | None = None,
) -> Elsewhere:  # fmt: skip
    """Judges by the workers of `ray` or `ray:N`, which write what `judge` would write here.

    `judge` is that of the folder with these options, and `second` the folder of the judge that
    `abstaining` asks. All folders and files must be found by their paths wherever a worker runs.

    Raises RunError where Ray is not installed.
    """
    require_ray()
    opened = partial(open_judge, folder.absolute(), dialect=dialect, student=student, mode=mode)
    other = None if second is None else partial(open_judge, second.absolute())
    rule = None if abstaining is None else replace(abstaining, second=None)
    versions = [judge.version]
    if abstaining is not None and abstaining.second is not None:
        versions.append(abstaining.second.version)

    def judged(rest: Rest) -> Iterator[Rows]:
        path = rest.source.path.absolute()
        there = replace(rest, source=replace(rest.source, path=path))
        make = partial(_worker, opened, other, rule, versions, path)
        return map_over_ray(make, there, workers_in(engine))

    return judged


def _worker(
    opened: Callable[[], Judge], other: Callable[[], Judge] | None, rule: Abstaining | None,
    versions: list[str], path: Path,
) -> Callable[[Chunk[Raw]], Rows]:  # fmt: skip
    judge = opened()
    second = None if other is None else other()
    found = [one.version for one in (judge, second) if one is not None]
    if found != versions:
        raise RunError(
            f"--engine ray: expected {judge.name} of version {', '.join(versions)} in every "
            f"worker, found {', '.join(found)}: a folder holds other weights there. Give all "
            "machines the same files."
        )
    abstaining = None if rule is None else replace(rule, second=second)
    return lambda chunk: written_rows(judge, path, chunk, abstaining)
