"""`judge.json`: what makes a folder of weights the judge that it is, beside the weights."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from judgesmith.errors import DataError
from judgesmith.inference.calibration import Calibration
from judgesmith.inference.judge import Judge
from judgesmith.judging.dialect import Dialect
from judgesmith.models.protocol import Mode
from judgesmith.runs.jsonl import write_json

JUDGE_FILE = "judge.json"
_SCHEMA: Literal[2] = 2


class Gated(BaseModel):
    """A gate's outcome on a judge, and why it is that.

    `rehearsed` stands for a rehearsal, `none` where no gate decided on this judge, `unknown` where
    nobody can tell any more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    outcome: Literal["pass", "fail", "inconclusive", "rehearsed", "none", "unknown"]
    why: str


NOT_TOLD = Gated(
    outcome="unknown",
    why="exported before folders carried it; the judge card (README.md) does",
)


class JudgeFile(BaseModel):
    """A judge without its weights, whole: the dialect is in it as data, with its hash.

    `version` is that of the `Judge` that file and weights make. `calibration` is null, or what was
    fitted on dev. `always` names what every row brought that it learned from. `rehearsed` is
    whether the run was a rehearsal, `gate` what its gate found; files of schema 1 say neither.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)
    schema_number: Literal[1, 2] = Field(alias="schema")
    name: str = Field(min_length=1)
    version: str
    dialect: Dialect
    dialect_hash: str
    task: str
    mode: Mode
    reply_tokens: int = Field(gt=0)
    tie_margin: float | None = Field(ge=0)
    calibration: Calibration | None
    always: tuple[str, ...] = ()
    rehearsed: bool | None = None
    gate: Gated = NOT_TOLD

    @model_validator(mode="after")
    def _told_since_schema_2(self) -> Self:
        lacking = {"rehearsed", "gate"} - self.model_fields_set
        if self.schema_number != 1 and lacking:
            raise ValueError(f"expected {', '.join(sorted(lacking))}, as in every file of schema 2")
        return self

    @model_validator(mode="after")
    def _same_dialect(self) -> Self:
        if self.dialect.hash != self.dialect_hash:
            raise ValueError(
                f"the dialect's hash is {self.dialect.hash}, not the {self.dialect_hash} that the "
                "file states: the file was edited, or this version of judgesmith hashes otherwise"
            )
        return self

    @classmethod
    def of(
        cls, judge: Judge, task: str, *, rehearsed: bool | None = None, gate: Gated = NOT_TOLD
    ) -> Self:
        """The file of a judge."""
        calibration = judge.calibration
        assert calibration is None or isinstance(calibration, Calibration)
        return cls(
            schema=_SCHEMA, name=judge.name, version=judge.version, dialect=judge.dialect,
            dialect_hash=judge.dialect.hash, task=task, mode=judge.mode,
            reply_tokens=judge.max_tokens, tie_margin=judge.margin, calibration=calibration,
            always=judge.always, rehearsed=rehearsed, gate=gate,
        )  # fmt: skip

    def telling(self, *, rehearsed: bool, gate: Gated) -> Self:
        """The same judge with what its run says of it now."""
        update = {"schema_number": _SCHEMA, "rehearsed": rehearsed, "gate": gate}
        return self.model_copy(update=update)


def is_exported(folder: Path) -> bool:
    """Whether a folder is that of an exported judge."""
    return (folder / JUDGE_FILE).is_file()


def write_judge_file(folder: Path, content: JudgeFile) -> None:
    """Write `judge.json`, whole or not at all."""
    write_json(folder / JUDGE_FILE, content.model_dump(mode="json", by_alias=True))


def read_judge_file(folder: Path) -> JudgeFile:
    """The `judge.json` of a folder.

    Raises DataError naming file and field where it is missing or damaged.
    """
    file = folder / JUDGE_FILE
    try:
        return JudgeFile.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise DataError(
            f"{file}: expected the file of an exported judge, found none. `judgesmith export` "
            "makes one."
        ) from None
    except ValidationError as error:
        told = "; ".join(
            f"field {'.'.join(map(str, defect['loc'])) or 'all'}: {defect['msg']}"
            for defect in error.errors(include_url=False, include_input=False)
        )
        raise DataError(f"{file}: not a valid judge: {told}. Export the judge again.") from None
