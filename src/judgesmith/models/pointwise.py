"""From two scores to a verdict on a pair.

A judge that scores each response alone is order-proof by construction. The response with the higher
expected score is named; scores that differ by no more than a margin are a tie. The margin is chosen
on dev and kept beside the student, because it belongs to it as its weights do.

A judge that scores both responses in one reply says itself what is a tie: equal scores.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from judgesmith.errors import DataError
from judgesmith.judging.score_pairs import named
from judgesmith.metrics import cohen_kappa
from judgesmith.records import (
    LETTERS,
    TIE,
    Choice,
    Judgment,
    Ranking,
    Scores,
    choice,
    reorder,
)

_FILE = "pointwise.json"
_STEPS = 60
_PLACES = 6
"""Decimals of a probability on record: differences that agree in them are one difference."""


Margin = Annotated[float, Field(ge=0)]


class Pointwise(BaseModel):
    """How a student's scores become verdicts, as kept in its folder.

    `tie_margins` are by the hash of the dialect that the scores are given in; folders of before
    students had several dialects hold one `tie_margin`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    tie_margins: dict[str, Margin] = Field(default_factory=dict)
    tie_margin: Margin | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.tie_margins and self.tie_margin is None:
            raise ValueError("no margin in it")
        return self


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
    ...     reply=None, rationale=None, status=Status.PARSED, reference=None,
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


def chances_of_pair(
    first: Mapping[str, float], second: Mapping[str, float], margin: float
) -> dict[str, float]:
    """How likely two scores name A, B or neither, each drawn by itself from its distribution.

    P(A) = sum of p(x) q(y) over all scores x, y with x - y > margin; P(B) as much for y - x; the
    rest is the tie.

    >>> chances_of_pair({"1": 0.5, "2": 0.5}, {"1": 1.0, "2": 0.0}, 0.5)
    {'A': 0.5, 'B': 0.0, 'TIE': 0.5}
    """
    values = [np.array([float(value) for value in one]) for one in (first, second)]
    mass = np.outer(list(first.values()), list(second.values()))
    apart = np.subtract.outer(*values)
    chances = {LETTERS[0]: mass[apart > margin], LETTERS[1]: mass[apart < -margin]}
    found = {letter: float(some.sum()) for letter, some in chances.items()}
    return {**found, TIE: max(0.0, float(mass.sum()) - sum(found.values()))}


def verdict_letter(verdict: Choice | Scores | Ranking | None) -> str | None:
    """A verdict on a pair as a letter, in the order that it is in; None for anything else.

    A choice is what it says; of two scores the higher is named, and equal ones are a tie.

    >>> verdict_letter(Scores(kind="scores", values=(7.0, 9.0), criteria=None))
    'B'
    """
    if isinstance(verdict, Choice):
        return verdict.value
    if isinstance(verdict, Scores) and len(verdict.values) == 2:
        return named(verdict.values[0], verdict.values[1], 0.0)
    return None


def pair_verdict(judgment: Judgment, margin: float | None) -> str | None:
    """A's, B's or tie, in item order, of a judgment that chose or that scored; None if unread.

    `margin` is that of a judge that scores each response alone; without one the scores that it
    stated count, and only equal ones are a tie.
    """
    verdict = judgment.in_item_order()
    if isinstance(verdict, Choice) or margin is None:
        return verdict_letter(verdict)
    scores = expected_scores(judgment)
    if scores is None:
        return None
    shown = choice(named(scores[0], scores[1], margin))
    found = reorder(shown, judgment.order)
    assert isinstance(found, Choice)
    return found.value


def choose_margin(pairs: Sequence[ScoredPair]) -> float:
    """The margin in the widest gap that suits labelled pairs as well as any.

    The best margin is the one with the highest Cohen's kappa (of equals, with most pairs right). A
    margin suits as well where it loses no more right pairs than chance would: of n pairs l are
    right with the best one only and w with this one only, and l - w is at most its standard error,
    sqrt(l + w - (l - w)^2 / n) (McNemar 1947). So few pairs do not put the margin between two
    scores that hardly differ. An undefined kappa (one label, every verdict that one) counts as 0.

    Tried are 0 and the middles between neighbouring quantiles of the differences (all of them,
    where there are fewer than 120). 0 without pairs, and where no label is a tie.

    >>> choose_margin([ScoredPair(.9, .1, "A"), ScoredPair(.1, .8, "B"), ScoredPair(.3, .2, "TIE")])
    0.4
    """
    if all(pair.label != TIE for pair in pairs):
        return 0.0
    sizes = sorted({round(abs(pair.first - pair.second), _PLACES) for pair in pairs})
    sizes = sizes[:: max(1, len(sizes) // _STEPS)]
    gaps = {0.0: 0.0} | {
        round((low + high) / 2, _PLACES + 1): round(high - low, _PLACES)
        for low, high in pairwise(sizes)
    }
    fits = {margin: _fit(pairs, margin) for margin in gaps}
    best = max(fits.values(), key=lambda fit: (fit.kappa, sum(fit.right)))
    suited = [margin for margin, fit in fits.items() if fit.as_good_as(best)]
    return max(suited, key=lambda margin: (gaps[margin], -margin))


class _Fit(NamedTuple):
    """How a margin suits labelled pairs: kappa, and which pairs are right."""

    kappa: float
    right: tuple[bool, ...]

    def as_good_as(self, best: "_Fit") -> bool:
        fewer = sum(best.right) - sum(self.right)
        moved = sum(a != b for a, b in zip(self.right, best.right, strict=True))
        return fewer <= math.sqrt(moved - fewer**2 / len(self.right))


def _fit(pairs: Sequence[ScoredPair], margin: float) -> _Fit:
    verdicts = [named(pair.first, pair.second, margin) for pair in pairs]
    labels = [pair.label for pair in pairs]
    kappa = cohen_kappa(verdicts, labels).value
    right = tuple(verdict == label for verdict, label in zip(verdicts, labels, strict=True))
    return _Fit(0.0 if kappa is None else round(kappa, 9), right)


def write_margin(folder: Path, margin: float, dialect: str) -> None:
    """Keep the margin for a dialect, named by its hash, beside those for others."""
    write_margins(folder, {**known_margins(folder), dialect: margin})


def write_margins(folder: Path, margins: Mapping[str, float]) -> None:
    """Keep these margins, by hash of the dialect, and no others."""
    if margins:
        kept = Pointwise(tie_margins=dict(margins))
        (folder / _FILE).write_text(kept.model_dump_json(exclude={"tie_margin"}) + "\n")


def read_margin(folder: Path, dialect: str) -> float:
    """The margin of a student's folder for a dialect; 0 where none was chosen.

    Raises DataError where the file is damaged: a guessed margin would move every tie.
    """
    found = _read(folder)
    return found.tie_margins.get(dialect, found.tie_margin or 0.0) if found is not None else 0.0


def known_margins(folder: Path, dialects: Iterable[str] = ()) -> dict[str, float]:
    """The margins of a student's folder by hash of the dialect.

    An old folder names no dialect: its one margin is that of all its `dialects`.
    """
    found = _read(folder)
    if found is None:
        return {}
    return dict(found.tie_margins) or dict.fromkeys(dialects, found.tie_margin or 0.0)


def _read(folder: Path) -> Pointwise | None:
    file = folder / _FILE
    if not file.is_file():
        return None
    try:
        return Pointwise.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise DataError(
            f'{file}: expected {{"tie_margins": {{hash of a dialect: a number from 0}}}}, found '
            f"{first['input']!r} ({first['msg']}). Train the student again, which chooses it anew."
        ) from None
