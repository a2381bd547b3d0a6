"""What a run's judges say of an item in one verdict each, as the stages of the run read it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from judgesmith.evaluation.judges import Read
from judgesmith.evaluation.teacher_reading import PAIR_ORDERS, read_teacher
from judgesmith.inference.judged import verdict_chances
from judgesmith.inference.students import margin_of
from judgesmith.judging.dialect import Dialect
from judgesmith.models.about import score_key, score_units
from judgesmith.records import Item, Judgment, Kind, Status
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import read_manifest
from judgesmith.stages.evaluate.config import Config
from judgesmith.stages.evaluate.labelled_side import (
    LabelledSide,
    NobodyLabelled,
    read_labelled_side,
)
from judgesmith.stages.evaluate.measuring import read_verdicts
from judgesmith.stages.labels.reading import read as read_alone
from judgesmith.tasks import known_dialects, load_dialect, task_of

Against = Literal["right", "wrong", "no verdict"]
"""A judge against the label that it is measured on."""


class Opinion(NamedTuple):
    """A judge's one verdict on an item.

    `verdict` is None where there is none; scores of responses alone are text. `flips` says whether
    two orders contradict each other, None where there are not two. `against` is None where the
    judge is not measured on this item.
    """

    judge: str
    dialect: str
    verdict: str | None
    flips: bool | None
    status: str
    confidence: float | None
    against: Against | None = None


class Readings:
    """The readings of a run: its evaluation's of the judges measured, its labels' of the rest."""

    def __init__(self, run_dir: RunDir) -> None:
        self._run_dir = run_dir
        self._dialects = known_dialects(task_of(run_dir.header))
        self._margins: dict[tuple[str, str], float | None] = {}
        self._sides = _sides(run_dir)

    def of(
        self, item: Item, taught: Sequence[Judgment], measured: Sequence[Judgment]
    ) -> list[Opinion]:
        """Every judge's opinion of an item, of its judgments by teachers and by those measured."""
        found = []
        for (judge, hashed), said in _by_judge(taught).items():
            read = self._taught(judge, self._dialects.get(hashed), said)
            found.append(_opinion(judge, hashed, said, read))
        for (judge, hashed), said in _by_judge(measured).items():
            found.append(self._measured(judge, hashed, item, said))
        return found

    def _taught(self, judge: str, dialect: Dialect | None, said: Sequence[Judgment]) -> Read | None:
        """None where the verdict is no letter: of a lone response, of a list, of stated scores."""
        first = [one for one in said if one.sample == 0]
        orders = {one.order for one in first}
        if orders == {(0,), (1,)} and dialect is not None:
            (teacher,) = read_alone(first, dialect)
        elif orders and orders <= PAIR_ORDERS:
            teacher = read_teacher(judge, first, tie=None)
        else:
            return None
        read = teacher.verdicts.get(first[0].item_id)
        return None if read is None or (read.averaged is None and len(orders) == 1) else read

    def _measured(
        self, judge: str, hashed: str, item: Item, said: Sequence[Judgment]
    ) -> Opinion:  # fmt: skip
        dialect, side = self._dialects.get(hashed), self._sides.get((judge, hashed))
        scored = side is not None and side.form == "scores"
        margin = self._margin(judge, dialect)
        if dialect is None or (scored and not (margin is not None and item.kind is Kind.PAIR)):
            opinion = _opinion(judge, hashed, said, None)
        else:
            read = read_verdicts(judge, "judge", said, dialect, margin=margin)
            opinion = _opinion(judge, hashed, said, read.verdicts[item.id])
            if opinion.confidence is None:
                chances = verdict_chances(said, margin) or {}
                opinion = opinion._replace(confidence=chances.get(opinion.verdict or ""))
        if side is None:
            return opinion
        if scored:
            return opinion._replace(against=_scores_against(side, item, said))
        return opinion._replace(against=_against(opinion.verdict, side.labels.get(item.id)))

    def _margin(self, judge: str, dialect: Dialect | None) -> float | None:
        """The tie margin that a judge's folder keeps, read once."""
        if dialect is None:
            return None
        key = (judge, dialect.hash)
        if key not in self._margins:
            self._margins[key] = margin_of(judge, dialect, self._run_dir)
        return self._margins[key]


def _sides(run_dir: RunDir) -> Mapping[tuple[str, str], LabelledSide]:
    """The labels that each judge is measured on first, by judge and dialect; see `evaluate`."""
    manifest = read_manifest(run_dir.file("evaluate"))
    if manifest is None:
        return {}
    config = Config.model_validate(manifest.determined_by["config"])
    found: dict[tuple[str, str], LabelledSide] = {}
    for part in config.parts:
        dialect = load_dialect(task_of(run_dir.header), part.dialect)
        try:
            side = read_labelled_side(run_dir, part.labels, dialect)
        except NobodyLabelled:
            continue
        for judge in part.students:
            found.setdefault((judge, dialect.hash), side)
    return found


def _by_judge(judgments: Sequence[Judgment]) -> dict[tuple[str, str], list[Judgment]]:
    found: dict[tuple[str, str], list[Judgment]] = {}
    for one in judgments:
        found.setdefault((one.judge, one.dialect), []).append(one)
    return found


def _opinion(judge: str, dialect: str, said: Sequence[Judgment], read: Read | None) -> Opinion:
    unread: list[Status] = [one.status for one in said if one.status is not Status.PARSED]
    status = (unread or [Status.PARSED])[0].value
    if read is None:
        told = [verdict_text(one.model_dump(mode="json")["verdict"]) for one in said]
        whole = " · ".join(one for one in told if one is not None)
        return Opinion(judge, dialect, whole or None, None, status, None)
    shown = {one.order for one in said} == PAIR_ORDERS
    both = shown and read.stored is not None and read.swapped is not None
    flips = read.stored != read.swapped if both else None
    return Opinion(judge, dialect, read.averaged, flips, status, read.probability)


def _against(verdict: str | None, label: str | None) -> Against | None:
    if label is None:
        return None
    if verdict is None:
        return "no verdict"
    return "right" if verdict == label else "wrong"


def _scores_against(side: LabelledSide, item: Item, said: Sequence[Judgment]) -> Against | None:
    """Scores as they were stated against those of the label; right where all are the same."""
    given: dict[str, float] = {}
    for one in said:
        given |= score_units(one.in_item_order(), item)
    names = {score_key(item, place, None) for place in range(len(item.response_ids))}
    wanted = {key: side.scores[key] for key in given.keys() | names if key in side.scores}
    if not wanted:
        return None
    if not given:
        return "no verdict"
    return "right" if all(given.get(key) == value for key, value in wanted.items()) else "wrong"


def verdict_text(verdict: dict[str, Any] | None) -> str | None:
    """A verdict as one word or line.

    >>> verdict_text({"kind": "scores", "values": [6.0, 1.5], "criteria": None})
    '6 · 1.5'
    """
    if verdict is None:
        return None
    if verdict["kind"] == "choice":
        return str(verdict["value"])
    if verdict["kind"] == "scores":
        return " · ".join(f"{value:g}" for value in verdict["values"])
    return " > ".join("=".join(str(p + 1) for p in group) for group in verdict["groups"])
