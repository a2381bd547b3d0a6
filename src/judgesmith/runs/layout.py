"""A run folder: one folder per stage, the recipe as it was run, and a lock.

runs/quickstart/
  recipe.yaml            what was asked for, with overrides applied
  questions/             one folder per stage: its record files, then manifest.json
  ...
  test_looks.jsonl       one line each time test labels were compared with a judge
  report/                index.html, report.md, report.json
"""

import fcntl
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from judgesmith.errors import RunError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.specimen import check_prompt
from judgesmith.runs.endpoint import Endpoint
from judgesmith.runs.jsonl import PartialFile, read_records, write_records

M = TypeVar("M", bound=BaseModel)
_DIALECT_NAME = re.compile(r"\w[\w.-]*")


class Header(BaseModel):
    """What the whole recipe shares: its name, its task, its one seed (0 to 2**32 - 1), its models.

    `models` are those behind HTTP, by the name under which stages ask for them; `dialects` are
    the recipe's own, by name, each with the fields of a Dialect. `rehearse` says what a rehearsal
    changes; `rehearsed` that this is one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    description: str = ""
    task: str
    seed: int = Field(ge=0, lt=2**32)
    models: dict[str, Endpoint] = Field(default_factory=dict)
    dialects: dict[str, Dialect] = Field(default_factory=dict)
    rehearse: dict[str, Any] = Field(default_factory=dict)
    rehearsed: bool = False

    @field_validator("dialects", mode="before")
    @classmethod
    def _named_by_their_keys(cls, dialects: object) -> object:
        if not isinstance(dialects, dict):
            return dialects
        for name in dialects:
            if not _DIALECT_NAME.fullmatch(str(name)):
                raise ValueError(
                    f"expected a name of letters, digits, dots, hyphens and underscores, found "
                    f"{name!r}"
                )
        return {
            name: {**fields, "name": name} if isinstance(fields, dict) else fields
            for name, fields in dialects.items()
        }

    @field_validator("dialects")
    @classmethod
    def _show_what_is_judged(cls, dialects: dict[str, Dialect]) -> dict[str, Dialect]:
        for dialect in dialects.values():
            check_prompt(dialect)
        return dialects


class RunDir:
    """Paths and record files of one run; stages see the disk only through it."""

    def __init__(self, path: Path, header: Header) -> None:
        self.path, self.header = path, header

    @property
    def seed(self) -> int:
        """The recipe's seed."""
        return self.header.seed

    def file(self, name: str) -> Path:
        """Path of a file in the run, given as `stage/file`."""
        return self.path / name

    def read(self, name: str, model: type[M]) -> list[M]:
        """All records of `stage/file`; a RunError says which stage must run first."""
        path = self.file(name)
        if not path.exists():
            stage = name.split("/")[0]
            raise RunError(
                f"{path}: not there yet. Stage {stage!r} makes it: run the recipe without --until, "
                f"or with --until {stage} or a later stage."
            )
        return list(read_records(path, model))

    def read_if_made(self, name: str, model: type[M]) -> list[M]:
        """All records of `stage/file`, or none where the recipe does not make it."""
        return self.read(name, model) if self.file(name).exists() else []

    def write(self, name: str, records: Iterable[BaseModel]) -> None:
        """Write `stage/file` whole, by atomic rename."""
        write_records(self.file(name), records)

    def partial(self, name: str) -> PartialFile:
        """The append-only form of `stage/file` while it is being made."""
        return PartialFile(self.file(name + ".partial"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run: a second command that would write to it is refused."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(
                    f"{self.path}: another judgesmith command is writing to this run. Wait for it "
                    "to end, or choose another folder with --run."
                ) from None
            yield


class Stopwatch:
    """Wall time of a stage, in seconds."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start
