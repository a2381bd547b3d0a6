"""Judged items with labels -> a calibration."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from judgesmith.errors import DataError
from judgesmith.inference.calibration import (
    PLACES,
    SCHEMA,
    Calibration,
    Evidence,
    Figure,
    FittedOn,
    StepMap,
    TemperatureMap,
    whole,
)
from judgesmith.inference.judge import Judge
from judgesmith.inference.judged import Judged
from judgesmith.metrics import (
    IsotonicMap,
    Temperature,
    VerdictRows,
    choose_calibration,
    one_per_cluster,
)
from judgesmith.records import Kind


class Labelled(NamedTuple):
    """What a judge says of an item, the verdict that is right, and the item's question.

    `stated` is its confidence before any calibration.
    """

    item: str
    kind: Kind
    verdict: str | None
    stated: float | None
    distribution: dict[str, float] | None
    label: str
    question: str

    @classmethod
    def of(cls, judged: Judged, label: str, question: str) -> Self:
        """What counts of a row that was judged."""
        item = judged.entry.item
        return cls(
            item.id, item.kind, judged.verdict, judged.stated, judged.distribution, label, question
        )


class LabelSource(NamedTuple):
    """Where labels come from, as `FittedOn` keeps it."""

    what: str
    sha256: str | None
    labels: str
    also_chose: bool
    templates: int | None = None


def fit_calibration(
    judge: Judge, rows: Sequence[Labelled], source: LabelSource, *, seed: int, resamples: int = 2000
) -> Calibration:
    """Choose a map of confidence for a judge, measure it on held-out questions, and keep the items.

    Raises DataError where no row has a verdict with a probability, and with too few questions.
    """
    sure = [one for one in rows if one.verdict is not None and one.stated is not None]
    if not sure:
        raise DataError(
            f"{source.what}: none of {len(rows)} items has a verdict with a probability, so that "
            "there is no confidence to calibrate. Judges that state several scores in one reply, "
            "and servers without log-probabilities, give none."
        )
    try:
        found = choose_calibration(_verdict_rows(sure), seed=seed, resamples=resamples)
    except DataError as error:
        raise DataError(f"{source.what}: {error}") from None
    fitted = found.fitted
    return Calibration.make(
        schema=SCHEMA, judge=judge.name, version=judge.made_of, dialect=judge.dialect.hash,
        mode=judge.mode, kind=found.kind, seed=seed,
        temperature=TemperatureMap(value=fitted.value, labels=tuple(map(str, fitted.labels)))
        if isinstance(fitted, Temperature) else None,
        isotonic=StepMap(knots=fitted.knots, values=fitted.values)
        if isinstance(fitted, IsotonicMap) else None,
        fitted_on=FittedOn(
            **source._asdict(), kind=_kind(rows, source), items=len(rows),
            questions=len({one.question for one in rows}),
            without_verdict=len(rows) - len(sure),
        ),
        loss_before=Figure.of(found.loss_before), loss_after=Figure.of(found.loss_after),
        loss_change=Figure.of(found.loss_change),
        ece_before=Figure.of(found.ece_before.error), ece_after=Figure.of(found.ece_after.error),
        evidence=_evidence(rows, seed),
    )  # fmt: skip


def _verdict_rows(sure: Sequence[Labelled]) -> VerdictRows:
    chances = [one.distribution for one in sure]
    return VerdictRows(
        verdicts=[str(one.verdict) for one in sure],
        confidences=[float(one.stated or 0.0) for one in sure],
        distributions=[whole(p) for p in chances if p is not None],
        labels=[one.label for one in sure],
        clusters=[one.question for one in sure],
    )


def _kind(rows: Sequence[Labelled], source: LabelSource) -> Kind:
    kinds = sorted({one.kind for one in rows})
    if len(kinds) > 1:
        raise DataError(
            f"{source.what}: expected items of one kind, found {' and '.join(kinds)}. Each kind "
            "needs labels of its own."
        )
    return kinds[0]


def _evidence(rows: Sequence[Labelled], seed: int) -> Evidence:
    """One item of each question, drawn by the seed, the surest first."""
    ordered = sorted(rows, key=lambda one: one.item)
    drawn = [ordered[i] for i in one_per_cluster([one.question for one in ordered], seed)]
    pairs = sorted((round_confidence(one), one.verdict == one.label) for one in drawn)[::-1]
    return Evidence(
        confidences=tuple(stated for stated, _ in pairs), right=tuple(right for _, right in pairs)
    )


def round_confidence(judged: Judged | Labelled) -> float:
    """The confidence that thresholds are about; 0 where there is no verdict, or no probability.

    What is missing to 1 is held to three digits: a batch moves the bits behind them, and a
    threshold is the confidence of an item, so that the same item would be now above it, now not.
    """
    if judged.verdict is None or judged.stated is None:
        return 0.0
    missing = float(f"{1 - judged.stated:.2e}")
    return min(1.0, max(0.0, round(1 - missing, PLACES)))
