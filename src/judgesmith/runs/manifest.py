"""What a stage did, and the file that says it is complete.

A stage writes its outputs, then `manifest.json` last: its presence means "complete". A stage is
stale when what determines its outputs has changed since: its config, its VERSION, the seed or
task of the run, an input file, or the outputs themselves.
"""

from importlib import metadata
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from judgesmith import __version__
from judgesmith.errors import RunError
from judgesmith.records import SCHEMA
from judgesmith.runs.jsonl import file_sha256, write_json

LIBRARIES = ("numpy", "pydantic", "torch", "transformers", "trl", "peft")
MANIFEST = "manifest.json"


class StageReport(BaseModel):
    """What went in, what came out, and what it cost.

    `taken` records went in; `made` came out; every other one is in `dropped` with its reason, so
    taken = made + dropped always. `tables` are results worth showing, by name; `beside` the files
    that it wrote outside its outputs, for people to take away and fill in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    taken: int
    made: int
    dropped: dict[str, int] = {}
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    tables: dict[str, Any] = {}
    beside: list[str] = []

    @model_validator(mode="after")
    def _counts_add_up(self) -> "StageReport":
        if self.taken != self.made + sum(self.dropped.values()):
            raise ValueError(
                f"counts must add up: {self.taken} in, {self.made} out, {self.dropped} dropped"
            )
        return self


class Manifest(BaseModel):
    """Everything that determined a stage's outputs, and their hashes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    stage: str
    version: int
    record_schema: int
    judgesmith: str
    determined_by: dict[str, Any]
    inputs: dict[str, str]
    outputs: dict[str, str]
    libraries: dict[str, str]
    report: StageReport
    wall_s: float


def library_versions() -> dict[str, str]:
    """Installed versions of the libraries that can move a result."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def hash_inputs(paths: dict[str, Path]) -> dict[str, str]:
    """Name to content hash; a file that is not there is `missing`."""
    return {name: file_sha256(path) if path.exists() else "missing" for name, path in paths.items()}


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a stage's folder, or None where the stage is not complete.

    Raises RunError when it was written by another record schema, or was damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        content = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(content, dict):
        raise _damaged(path, f"found {content!r}")
    found = content.get("record_schema")
    if found != SCHEMA:
        raise RunError(
            f"{path}: expected record schema {SCHEMA}, found {found!r}. This run was made by "
            f"judgesmith {content.get('judgesmith')}; use that version, or run the recipe again "
            "into a new folder."
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, defect["loc"])) for defect in error.errors())
        raise _damaged(path, f"wrong fields: {fields}") from None


def _damaged(path: Path, found: str) -> RunError:
    return RunError(
        f"{path}: expected the manifest of a finished stage; {found}. Delete this file and run "
        "the recipe again: the stage is then made anew."
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest; from now on the stage counts as complete."""
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))


def make_manifest(
    stage: str, version: int, *, determined_by: dict[str, Any], inputs: dict[str, str],
    outputs: dict[str, str], report: StageReport, wall_s: float,
) -> Manifest:  # fmt: skip
    """A manifest with the versions of this installation."""
    return Manifest(
        stage=stage,
        version=version,
        record_schema=SCHEMA,
        judgesmith=__version__,
        determined_by=determined_by,
        inputs=inputs,
        outputs=outputs,
        libraries=library_versions(),
        report=report,
        wall_s=round(wall_s, 3),
    )
