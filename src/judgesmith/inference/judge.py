"""A judge as everything that uses one sees it: rows in, what it says of each row out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from judgesmith.inference.judged import Judged, read_replies
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.templates import names_in
from judgesmith.models.judge import judge, showings
from judgesmith.models.protocol import Mode, Model
from judgesmith.records import Kind, content_id
from judgesmith.sources.own_files import OwnPair


class Calibration(Protocol):
    """What makes the probability of a verdict one that holds; it was fitted on dev.

    `id` names it by its content.
    """

    @property
    def id(self) -> str:
        """The content hash."""
        ...

    def confidence(self, judged: Judged) -> float | None:
        """The calibrated probability of the verdict given; None where there is none to begin."""
        ...


@dataclass(frozen=True)
class Judge:
    """A model, the dialect that it was trained in, and what belongs to it as its weights do.

    It touches no file and shows no progress, so that a server can call it for a few rows at a time.

    Attributes:
        name: as verdicts name it.
        made_of: content hash of weights, dialect and margin; see `opening.made_of`.
        dialect: how it is asked and read.
        model: what answers.
        max_tokens: the most tokens of a reply.
        margin: the tie margin of one that scores each response alone; None of others.
        mode: whether it writes a reason before its verdict, or the verdict is read at once.
        calibration: of its confidence; None where none was fitted.
        always: which of context and choices all questions had that it learned from.
    """

    name: str
    made_of: str
    dialect: Dialect
    model: Model
    max_tokens: int
    margin: float | None = None
    mode: Mode = "rationale"
    calibration: Calibration | None = None
    always: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Content hash of all that its verdicts and confidences follow from."""
        calibration = None if self.calibration is None else self.calibration.id
        return content_id("Judge as asked", self.made_of, self.mode, self.max_tokens, calibration)

    @property
    def expects(self) -> tuple[str, ...]:
        """What of `always` it is shown, so that it is missed where a row lacks it."""
        templates = (self.dialect.user, self.dialect.reference_user or "")
        shown = {name for one in templates for name in names_in(one)}
        return tuple(name for name in self.always if name in shown)

    @property
    def takes_single(self) -> bool:
        """Whether it judges a response alone; others compare two."""
        return self.dialect.kind is Kind.SINGLE

    def judge(self, entries: Sequence[OwnPair]) -> list[Judged]:
        """What it says of each row, in order; a pair is shown in both orders, all in one call.

        Raises DataError for a row that its dialect cannot be asked about, and for a dialect or
        model without fast mode where that is its mode.
        """
        questions = {entry.question.id: entry.question for entry in entries}
        responses = {one.id: one for entry in entries for one in entry.responses}
        shown = [showings([entry.item], self.dialect) for entry in entries]
        replies = judge(
            self.model, [one for each in shown for one in each], questions, responses,
            dialect=self.dialect, max_tokens=self.max_tokens, mode=self.mode,
        )  # fmt: skip
        found = [
            read_replies(entry, list(islice(replies, len(each))), self.dialect, self.margin)
            for entry, each in zip(entries, shown, strict=True)
        ]
        next(replies, None)  # raises where there is a completion too many
        if self.calibration is None:
            return found
        return [replace(one, confidence=self.calibration.confidence(one)) for one in found]
