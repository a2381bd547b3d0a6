"""Pairs judged by scoring each response alone: from two scores to a verdict.

Such a judge is order-proof by construction. The response with the higher expected score is named;
scores that differ by no more than a margin are a tie. The margin is chosen on dev and kept beside
the student, because it belongs to it as its weights do.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from judgesmith.errors import DataError
from judgesmith.metrics import cohen_kappa
from judgesmith.records import LETTERS, TIE, Choice, Judgment, Scores, choice, reorder

_FILE = "pointwise.json"
_STEPS = 60
_PLACES = 6
"""Decimals of a probability on record: differences that agree in them are one difference."""


class Pointwise(BaseModel):
    """How a student's scores become verdicts, as kept in its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    tie_margin: float = Field(ge=0)


class ScoredPair(NamedTuple):
    """The expected scores of a pair's responses, and the verdict that is right."""

    first: float
    second: float
    label: str


def expected_scores(judgment: Judgment) -> tuple[float, ...] | None:
    """The expected score of each response in the order shown; None without a score verdict.

    With probabilities it is the mean of the scale under them, sum of p * value: a score of 1 that
    was nearly a 0 counts less than a sure one. Without them it is the score that was stated.

    >>> from judgesmith.records import Judgment, Scores, Status
    >>> judgment = Judgment.make(
    ...     source="s", licence="l", item_id="i", judge="j", dialect="d", order=(0, 1), sample=0,
    ...     reply=None, rationale=None, status=Status.PARSED,
    ...     verdict=Scores(kind="scores", values=(1.0, 0.0), criteria=None),
    ...     distribution={"1": {"0": 0.25, "1": 0.75}, "2": {"0": 1.0, "1": 0.0}})
    >>> expected_scores(judgment)
    (0.75, 0.0)
    """
    if not isinstance(judgment.verdict, Scores):
        return None
    if judgment.distribution is None:
        return judgment.verdict.values
    return tuple(
        sum(p * float(value) for value, p in judgment.distribution[str(position)].items())
        for position in range(1, len(judgment.verdict.values) + 1)
    )


def named(first: float, second: float, margin: float) -> str:
    """The letter of the higher score; a tie within the margin.

    >>> named(0.9, 0.2, 0.1), named(0.2, 0.9, 0.1), named(0.5, 0.45, 0.1)
    ('A', 'B', 'TIE')
    """
    if abs(first - second) <= margin:
        return TIE
    return LETTERS[0] if first > second else LETTERS[1]


def pair_verdict(judgment: Judgment, margin: float) -> str | None:
    """A's, B's or tie, in item order, of a judgment that chose or that scored; None if unread."""
    verdict = judgment.in_item_order()
    if isinstance(verdict, Choice):
        return verdict.value
    scores = expected_scores(judgment)
    if scores is None:
        return None
    shown = choice(named(scores[0], scores[1], margin))
    found = reorder(shown, judgment.order)
    assert isinstance(found, Choice)
    return found.value


def choose_margin(pairs: Sequence[ScoredPair]) -> float:
    """The margin in the widest gap that suits labelled pairs as well as any.

    A margin suits as well as the one with the highest Cohen's kappa (of equals, with most pairs
    right) where kappa and the share of right pairs are within one standard error of those: few
    pairs cannot tell them apart, and one that lies between two scores that hardly differ would not
    hold for other pairs. An undefined kappa (one label, and every verdict that one) counts as 0.

    Tried are 0 and the middles between neighbouring quantiles of the differences (all of them,
    where there are fewer than 120). 0 without pairs. Standard errors: of a share p of n pairs
    sqrt(p (1 - p) / n), of kappa that over 1 - pe = (1 - p) / (1 - kappa) (Cohen 1960).

    >>> choose_margin([ScoredPair(.9, .1, "A"), ScoredPair(.1, .8, "B"), ScoredPair(.3, .2, "TIE")])
    0.4
    """
    sizes = sorted({round(abs(pair.first - pair.second), _PLACES) for pair in pairs})
    sizes = sizes[:: max(1, len(sizes) // _STEPS)]
    gaps = {0.0: 0.0} | {
        round((low + high) / 2, _PLACES + 1): round(high - low, _PLACES)
        for low, high in pairwise(sizes)
    }
    fits = {margin: _fit(pairs, margin) for margin in gaps}
    best = max(fits.values())
    suited = [margin for margin, fit in fits.items() if fit.as_good_as(best, len(pairs))]
    return max(suited, key=lambda margin: (gaps[margin], -margin))


class _Fit(NamedTuple):
    """How well a margin suits: kappa and the share of right pairs."""

    kappa: float
    right: float

    def as_good_as(self, best: "_Fit", n: int) -> bool:
        if best.right in (0.0, 1.0):
            return self == best
        error = math.sqrt(best.right * (1 - best.right) / n)
        of_kappa = error * (1 - best.kappa) / (1 - best.right)
        return self.kappa >= best.kappa - of_kappa and self.right >= best.right - error


def _fit(pairs: Sequence[ScoredPair], margin: float) -> _Fit:
    verdicts = [named(pair.first, pair.second, margin) for pair in pairs]
    labels = [pair.label for pair in pairs]
    kappa = cohen_kappa(verdicts, labels).value
    right = sum(verdict == label for verdict, label in zip(verdicts, labels, strict=True))
    return _Fit(0.0 if kappa is None else round(kappa, 9), right / max(1, len(pairs)))


def write_margin(folder: Path, margin: float) -> None:
    """Keep the margin in a student's folder."""
    (folder / _FILE).write_text(Pointwise(tie_margin=margin).model_dump_json() + "\n")


def read_margin(folder: Path) -> float:
    """The margin of a student's folder; 0 where none was chosen.

    Raises DataError where the file is damaged: a guessed margin would move every tie.
    """
    file = folder / _FILE
    if not file.is_file():
        return 0.0
    try:
        return Pointwise.model_validate_json(file.read_bytes()).tie_margin
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise DataError(
            f'{file}: expected {{"tie_margin": a number from 0}}, found {first["input"]!r} '
            f"({first['msg']}). Train the student again, which chooses it anew."
        ) from None
