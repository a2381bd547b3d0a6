"""A dialect: how a judge is asked and how its reply is read, as one hashed object."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from judgesmith.records import TIE, Direction, Kind, content_id

GRAMMAR_VERSION = 1
"""Raised when `judging.parse` reads replies differently; part of every dialect's hash."""


class Scale(BaseModel):
    """The allowed verdicts: a closed set of choices, or whole scores from `low` to `high`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    choices: tuple[str, ...] | None = None
    low: int | None = None
    high: int | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "Scale":
        ranged = self.low is not None and self.high is not None and self.low < self.high
        if (self.choices is None) == (not ranged):
            raise ValueError("a scale is either `choices`, or `low` and `high` with low < high")
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """All allowed verdicts as text, in scale order."""
        if self.choices is not None:
            return self.choices
        assert self.low is not None
        assert self.high is not None
        return tuple(str(score) for score in range(self.low, self.high + 1))

    @property
    def has_tie(self) -> bool:
        """Whether the scale has a tie."""
        return TIE in self.values


PAIR_SCALE = Scale(choices=("A", "B", TIE))


class Dialect(BaseModel):
    """How a judge is asked, how its reply is read, and what its letter means.

    `user` is a Jinja template over `context`, `question`, `choices` (letter, text), `reference`,
    `grounding` and `responses` (letter, text). `direction` says what a letter names; it is part of
    the prompt's meaning and travels with every judgment and label. `rationale_tag` and
    `verdict_tag` are the tags of the reply; a reply is the rationale, then the verdict, and nothing
    after it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: Kind
    system: str | None
    user: str
    scale: Scale
    direction: Direction | None
    rationale_tag: str
    verdict_tag: str
    style: Literal["tags"] = "tags"

    @property
    def hash(self) -> str:
        """Content hash: what makes two judgments comparable."""
        return content_id("Dialect", GRAMMAR_VERSION, self.model_dump(mode="json"))

    @property
    def verdict_opening(self) -> str:
        """The text right before the verdict, after which verdict probabilities are read."""
        return f"<{self.verdict_tag}>"

    def write_reply(self, rationale: str, verdict: str) -> str:
        """The reply a judge should give; `parse_reply` gives the two parts back.

        Raises ValueError when the verdict is not on the scale or the rationale holds a tag of the
        dialect, which would make the reply ambiguous.
        """
        if verdict not in self.scale.values:
            raise ValueError(f"expected a verdict among {self.scale.values}, found {verdict!r}")
        for tag in (self.rationale_tag, self.verdict_tag):
            if f"<{tag}>" in rationale or f"</{tag}>" in rationale:
                raise ValueError(f"the rationale may not hold the tag <{tag}>: {rationale[:80]!r}")
        return (
            f"<{self.rationale_tag}>{rationale}</{self.rationale_tag}>"
            f"<{self.verdict_tag}>{verdict}</{self.verdict_tag}>"
        )
