"""What is asked of `/v1/judgments`, and what it says, as types; the API's page shows them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from judgesmith.models.protocol import Mode
from judgesmith.records import Direction, Kind, Status
from judgesmith.sources.own_files import PairRow

MOST = 1_000
"""Rows that one request may hold, whatever the queue has room for."""


class Options(BaseModel):
    """How rows are judged, and what of it is shown."""

    model_config = ConfigDict(extra="forbid")
    rationale: bool = Field(False, description="Whether the reply holds the reasons.")
    mode: Mode | None = Field(
        None, description="With a rationale before the verdict, or without; the judge's own."
    )


class OneRow(PairRow, Options):
    """One row: a question with two responses, one, or a list, and the options."""


class ManyRows(Options):
    """Several rows, judged alike; they share batches with those of other requests."""

    items: Annotated[list[PairRow], Field(min_length=1, max_length=MOST)]


def _form(body: Any) -> str:
    return (
        "many"
        if isinstance(body, ManyRows) or (isinstance(body, dict) and "items" in body)
        else "one"
    )


Body = Annotated[
    Annotated[OneRow, Tag("one")] | Annotated[ManyRows, Tag("many")], Discriminator(_form)
]


class JudgeName(BaseModel):
    """Which judge it was: `version` changes with the weights, the dialect and the calibration."""

    name: str
    version: str
    dialect: str = Field(description="The dialect's name.")
    dialect_hash: str
    calibration: str | None = Field(description="Id of the calibration; null without one.")


class OrderReply(BaseModel):
    """What was said of a row in one order; letters are the row's own."""

    shown: str = Field(description="`ab`, or `ba` where the second response was shown first.")
    verdict: str | None
    distribution: dict[str, float] | None
    status: Status
    rationale: str | None = None


class AbstentionReply(BaseModel):
    """The promise that verdicts are given under.

    At most `risk` of them are wrong, but for a chance of `delta`: given are those whose confidence
    is above `above`.
    """

    risk: float
    delta: float
    above: float | None


class JudgmentReply(BaseModel):
    """What the judge says of a row. Letters are the row's own: A is `response_a`.

    `confidence` is the probability of the verdict, calibrated where there is a calibration.
    `preference` runs from -1 (surely B) to 1 (surely A): it names what the verdict names.
    """

    id: str | None
    verdict: str | None
    names: Direction | None = Field(description="What a verdict names: the better or the worse.")
    scores: list[float] | None = None
    distribution: dict[str, float] | None
    confidence: float | None
    order_agreement: bool | None = Field(
        description="Whether both orders gave one verdict; null where no order was shown or read."
    )
    preference: float | None
    status: Status
    orders: list[OrderReply]
    own_reference: str | None = None
    rationale: str | None = None
    mode: Mode
    judge: JudgeName
    warnings: list[str] = Field([], description="How the row is unlike those it learned from.")
    abstention: AbstentionReply | None = Field(
        None, description="Under what promise verdicts are given; null where all are."
    )


class ManyReplies(BaseModel):
    """One judgment per row, in their order."""

    judgments: list[JudgmentReply]


class JudgeAbout(JudgeName):
    """What a client must know to ask this judge."""

    kind: Kind
    names: Direction | None
    verdicts: list[str] | None = Field(description="The verdicts there are; null of scores.")
    low: float | None = None
    high: float | None = None
    mode: Mode
    needs: list[str] = Field(description="What the prompt shows besides question and responses.")
    criteria: list[str]
    answers_first: bool = Field(
        description="Whether it answers the question itself where a row brings no reference."
    )
    margin: float | None = Field(description="Scores no further apart are a tie.")
    system: str | None = Field(description="The judge's own system text.")
    reply_tokens: int
    items: int = Field(description="Rows that one request may hold.")
