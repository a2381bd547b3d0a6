"""How students came about, as the training stages tell it in plain JSON."""

from typing import Any

from pydantic import Field

from judgesmith.report.result_base import Result

DEV_LABELS = "dev labels, not the test labels"
"""Whose labels the numbers of a training rest on."""


class CurvePoint(Result):
    """One logged moment of training; what was not measured then is None."""

    step: int
    train_loss: float | None
    dev_loss: float | None
    dev_kappa: float | None


class PreferencePoint(Result):
    """One logged moment of preference training; what was not measured then is None.

    Losses and margins are DPO's; `rewarded` is the share of pairs with a margin above 0,
    `dev_accuracy` the share in which the student itself gives the chosen reply more chance, and
    `dev_chosen` the mean log-probability of chosen replies in nats per token.
    """

    step: int
    train_loss: float | None = None
    train_margin: float | None = None
    train_rewarded: float | None = None
    dev_loss: float | None = None
    dev_margin: float | None = None
    dev_rewarded: float | None = None
    dev_accuracy: float | None = None
    dev_chosen: float | None = None
    dev_kappa: float | None = None


class Student(Result):
    """One student of supervised training.

    `config` is what the stage was told of it, `counts` its rows, tokens and weights, `tokens` the
    lengths of rows by side and part, `dry_run` what the dry run found, where there was one.
    """

    name: str
    config: dict[str, Any]
    counts: dict[str, int] = Field(default_factory=dict)
    tokens: dict[str, dict[str, dict[str, int]]] = Field(default_factory=dict)
    dry_run: dict[str, Any] | None = None
    curve: tuple[CurvePoint, ...] = ()


class Preference(Result):
    """Preference training of the student: `before` and `after` hold its numbers by side."""

    config: dict[str, Any]
    counts: dict[str, int] = Field(default_factory=dict)
    before: dict[str, dict[str, float]] = Field(default_factory=dict)
    after: dict[str, dict[str, float]] = Field(default_factory=dict)
    curve: tuple[PreferencePoint, ...] = ()


class Training(Result):
    """The run's students in the order of their training; `wall_s` is what all of them took."""

    students: tuple[Student, ...]
    wall_s: float | None = None


def kept_step(curve: tuple[CurvePoint, ...]) -> int | None:
    """The step of the best evaluation: of the highest dev kappa, then of the lowest dev loss.

    One with a kappa is better than any without; of equals the first is.

    >>> def at(step, loss, kappa):
    ...     return CurvePoint(step=step, train_loss=None, dev_loss=loss, dev_kappa=kappa)
    >>> kept_step((at(10, 0.9, 0.2), at(20, 0.7, 0.2), at(30, 0.1, None), at(40, None, None)))
    20
    """
    ranks = {
        point.step: (point.dev_kappa is not None, point.dev_kappa or 0.0, -point.dev_loss)
        for point in curve
        if point.dev_loss is not None
    }
    return max(ranks, key=lambda step: ranks[step]) if ranks else None
