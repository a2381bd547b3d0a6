"""What makes a judge's probabilities hold: a map of confidence, and the labels that it rests on.

It belongs to one judge in one dialect and mode, and is kept in the run (`calibration.json`, one for
each judge there) and in `judge.json` of an exported folder. The items that it was fitted on are in
it as pairs of a confidence and "right or wrong", one per question, so that a threshold for any risk
can be chosen later (`judgesmith.metrics.selective`).
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from judgesmith.errors import DataError
from judgesmith.inference.judged import Judged
from judgesmith.metrics import Abstention, Estimate, IsotonicMap, Label, Temperature, abstention
from judgesmith.metrics.calibration_choice import ChosenKind, FittedMap, calibrated
from judgesmith.records import Kind, content_id
from judgesmith.runs.jsonl import write_json

CALIBRATION_FILE = "calibration.json"
SCHEMA = 2
PLACES = 6
"""Decimals of a confidence: those that agree in them are one confidence."""

Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Figure(_Part):
    """A number on held-out questions, with its interval."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, found: Estimate) -> Self:
        """The figure of an estimate."""
        return cls(value=found.value, low=found.low, high=found.high)


class TemperatureMap(_Part):
    """The parameters of a temperature; see `judgesmith.metrics.Temperature`."""

    value: float = Field(gt=0)
    labels: tuple[str, ...]


class StepMap(_Part):
    """The parameters of an isotonic map; see `judgesmith.metrics.IsotonicMap`."""

    knots: tuple[float, ...] = Field(min_length=1)
    values: tuple[Share, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _aligned(self) -> Self:
        rising = all(a <= b for column in (self.knots, self.values) for a, b in pairwise(column))
        if len(self.knots) != len(self.values) or not rising:
            raise ValueError("expected as many knots as values, both rising")
        return self


class FittedOn(_Part):
    """The labelled items that a calibration rests on.

    `what` names them; `labels` says who labelled; all are of one `kind`, and nothing is known of
    the errors on another; `without_verdict` counts items on which the judge gave no verdict.
    `also_chose`: questions among them chose the judge's checkpoint or tie margin. `templates`: how
    many templates the questions were made from; None where that is not known.
    """

    what: str
    sha256: str | None
    labels: str
    kind: Kind
    items: int = Field(ge=0)
    questions: int = Field(ge=0)
    without_verdict: int = Field(ge=0)
    also_chose: bool
    templates: int | None


class Evidence(_Part):
    """One item of each question, the surest first: its stated confidence, and whether it is right.

    An item without a verdict has the confidence 0 and is not right.
    """

    confidences: tuple[Share, ...]
    right: tuple[bool, ...]

    @model_validator(mode="after")
    def _aligned(self) -> Self:
        falling = all(a >= b for a, b in pairwise(self.confidences))
        if len(self.confidences) != len(self.right) or not falling:
            raise ValueError("expected as many confidences as outcomes, the surest first")
        return self


class Calibration(_Part):
    """A calibration as it is kept; `id` is the hash of everything else.

    `judge`, `dialect` and `mode` are those of the judge, `version` is its `made_of`. Losses
    are log losses of "the verdict is right", in nats, and errors expected calibration errors over
    ten bins; all were measured on questions that the map was not fitted on.
    """

    schema_number: Literal[2] = Field(alias="schema")
    id: str
    judge: str
    version: str
    dialect: str
    mode: str
    kind: ChosenKind
    temperature: TemperatureMap | None
    isotonic: StepMap | None
    fitted_on: FittedOn
    seed: int
    loss_before: Figure
    loss_after: Figure
    loss_change: Figure
    ece_before: Figure
    ece_after: Figure
    evidence: Evidence

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = {"temperature": self.temperature, "isotonic": self.isotonic}
        for kind, parameters in given.items():
            if (parameters is not None) != (self.kind == kind):
                raise ValueError(f"kind is {self.kind!r}: expected {kind!r} there only for itself")
        if self.id and self.id != self.computed_id():
            raise ValueError(
                f"the content's hash is {self.computed_id()}, not the {self.id} that it states: "
                "the file was edited"
            )
        return self

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """A calibration with the id that its content gives."""
        probe = cls(id="", **fields)
        return probe.model_copy(update={"id": probe.computed_id()})

    def carried_to(self, version: str) -> Self:
        """The same for a copy of the judge that was exported, which has a version of its own."""
        moved = self.model_copy(update={"id": "", "version": version})
        return moved.model_copy(update={"id": moved.computed_id()})

    def computed_id(self) -> str:
        """The id that the content gives."""
        return content_id("Calibration", self.model_dump(mode="json", exclude={"id"}))

    @property
    def map(self) -> FittedMap:
        """The map of confidence."""
        if self.temperature is not None:
            return Temperature(self.temperature.value, self.temperature.labels)
        if self.isotonic is not None:
            n = self.fitted_on.items - self.fitted_on.without_verdict
            return IsotonicMap(self.isotonic.knots, self.isotonic.values, n)
        return None

    def confidence(self, judged: Judged) -> float | None:
        """The calibrated probability of the verdict given; None where none was stated."""
        stated = judged.stated
        if stated is None or judged.verdict is None:
            return stated
        return calibrated(self.map, judged.verdict, stated, whole(judged.distribution or {}))

    def abstention(self, risk: float, delta: float) -> Abstention:
        """The threshold of stated confidence for a risk, or how far the labels are from one."""
        return abstention(self.evidence.confidences, self.evidence.right, risk=risk, delta=delta)


def whole(chances: Mapping[str, float]) -> dict[Label, float]:
    """Probabilities that were rounded, brought back to a sum of one.

    >>> whole({"A": 0.5, "B": 0.3})
    {'A': 0.625, 'B': 0.37499999999999994}
    """
    total = sum(chances.values())
    return {value: p / total for value, p in chances.items()}


def read_calibrations(path: Path) -> tuple[Calibration, ...]:
    """All calibrations of a run's file; none where there is no file.

    Raises DataError naming file and field where it is damaged.
    """
    if not path.is_file():
        return ()
    try:
        content = orjson.loads(path.read_bytes())
        return tuple(Calibration.model_validate(one) for one in content["calibrations"])
    except ValidationError as error:
        told = "; ".join(
            f"field {'.'.join(map(str, defect['loc'])) or 'all'}: {defect['msg']}"
            for defect in error.errors(include_url=False, include_input=False)
        )
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        told = f'expected {{"calibrations": [...]}} ({error})'
    raise DataError(f"{path}: not a valid calibration: {told}. Run `judgesmith calibrate` again.")


def keep_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration beside those of other judges; one of the same judge is replaced.

    Calibrations of former versions of the judge go with it, and a file of an older schema.
    """
    before = () if _is_older(path) else read_calibrations(path)
    others = [one for one in before if not _same(one, calibration)]
    kept = sorted([*others, calibration], key=lambda one: (one.judge, one.dialect, one.mode))
    write_json(
        path,
        {
            "schema": SCHEMA,
            "calibrations": [one.model_dump(mode="json", by_alias=True) for one in kept],
        },
    )


def replaced_by(path: Path, calibration: Calibration) -> Calibration | None:
    """What keeping a calibration would replace: another of the very same judge, if there is one.

    One of a former version of the judge is of no use any more, and does not count.
    """
    before = () if _is_older(path) else read_calibrations(path)
    same = (one for one in before if _same(one, calibration))
    return next((one for one in same if one.version == calibration.version), None)


def _is_older(path: Path) -> bool:
    try:
        return path.is_file() and int(orjson.loads(path.read_bytes())["schema"]) < SCHEMA
    except (ValueError, KeyError, TypeError):
        return False


def calibration_for(
    path: Path, *, judge: str, version: str, dialect: str, mode: str
) -> Calibration | None:
    """The calibration that a run's file holds for a judge; None where it holds none.

    Raises DataError where it was fitted to another version of the judge.
    """
    for one in read_calibrations(path):
        if (one.judge, one.dialect, one.mode) != (judge, dialect, mode):
            continue
        if one.version != version:
            raise DataError(
                f"{path}: the calibration {one.id} was fitted to version {one.version} of {judge}, "
                f"which is now {version}: it was trained again, or its tie margin changed. Run "
                "`judgesmith calibrate` again, or delete the file to judge without."
            )
        return one
    return None


def _same(one: Calibration, other: Calibration) -> bool:
    return (one.judge, one.dialect, one.mode) == (other.judge, other.dialect, other.mode)
