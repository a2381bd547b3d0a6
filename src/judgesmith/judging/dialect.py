"""A dialect: how a judge is asked and how its reply is read, as one hashed object."""

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from judgesmith.errors import DataError
from judgesmith.records import LETTERS, TIE, Direction, Kind, Label, Question, content_id

GRAMMAR_VERSION = 2
"""Raised when `judging.parse` reads replies differently; part of every dialect's hash."""


_TAG = re.compile(r"\w[\w-]*")


class Scale(BaseModel):
    """The allowed verdicts: a closed set of choices, or whole scores from `low` to `high`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    choices: tuple[str, ...] | None = None
    low: int | None = None
    high: int | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "Scale":
        ranged = self.low is not None and self.high is not None and self.low < self.high
        given = self.low is not None or self.high is not None
        if given if self.choices is not None else not ranged:
            raise ValueError("a scale is either `choices`, or `low` and `high` with low < high")
        if self.choices is not None:
            self._check_choices(self.choices)
        return self

    @staticmethod
    def _check_choices(choices: tuple[str, ...]) -> None:
        for written in choices:
            if written != written.strip() or not written or set("<>") & set(written):
                raise ValueError(f"the parser could not read the choice {written!r} back")
        if len({written.casefold() for written in choices}) < max(2, len(choices)):
            raise ValueError(f"expected two or more different choices, found {choices!r}")

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

    With `reference_user` the judge first answers the question itself: it is asked in that template,
    which sees no response, and its answer is the `reference` of its judgment. A question that
    brings a reference of its own is judged by that one.

    `reply_form` is the end of `system` that says in which form to reply; a person who judges by the
    rubric is not shown it. It is no part of the hash, as `system` holds it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: Kind
    system: str | None
    user: str
    reference_user: str | None = None
    scale: Scale
    direction: Direction | None
    rationale_tag: str
    verdict_tag: str
    style: Literal["tags"] = "tags"
    reply_form: str | None = Field(None, min_length=1, exclude=True)

    @model_validator(mode="after")
    def _can_be_read(self) -> "Dialect":
        tags = (self.rationale_tag, self.verdict_tag)
        if tags[0] == tags[1] or not all(_TAG.fullmatch(tag) for tag in tags):
            raise ValueError(f"expected two different words as tags, found {tags}")
        if self.scale.choices is None and self.kind is not Kind.SINGLE:
            raise ValueError("`low` and `high` score one response, so `kind` must be single")
        if self.reply_form is not None and not (self.system or "").endswith(self.reply_form):
            raise ValueError(f"expected `system` to end in `reply_form`, {self.reply_form[:80]!r}")
        return self

    @property
    def hash(self) -> str:
        """Content hash: what makes two judgments comparable."""
        fields = self.model_dump(mode="json")
        if self.reference_user is None:  # as before there was such a field
            del fields["reference_user"]
        return content_id("Dialect", GRAMMAR_VERSION, fields)

    @property
    def rubric(self) -> str | None:
        """What to judge by, in words: `system` without what it says of the reply's form."""
        if self.system is None:
            return None
        return self.system.removesuffix(self.reply_form or "").rstrip() or None

    @property
    def pair_scale(self) -> Scale:
        """The verdicts on a pair: where each response is scored alone, the higher one, or a tie."""
        return PAIR_SCALE if self.kind is Kind.SINGLE else self.scale

    @property
    def verdict_opening(self) -> str:
        """The text right before the verdict, after which verdict probabilities are read."""
        return f"<{self.verdict_tag}>"

    def answers_first(self, question: Question) -> bool:
        """Whether the judge is asked for a reference: it may be, and the question brings none."""
        return self.reference_user is not None and question.reference is None

    def write_reply(self, rationale: str, verdict: str) -> str:
        """The reply a judge should give; `parse_reply` gives back verdict and stripped rationale.

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


def verdict_in_words(dialect: Dialect, verdict: str) -> str:
    """What a verdict says, with the direction spelled out, for a writer that must not reverse it.

    Raises DataError for a dialect without direction and for a verdict that is not on its scale.

    >>> from judgesmith.judging.dialect import PAIR_SCALE
    >>> d = Dialect(name="d", kind="pair", system=None, user="", scale=PAIR_SCALE,
    ...             direction="worse", rationale_tag="reasoning", verdict_tag="verdict")
    >>> verdict_in_words(d, "B")
    'B: Response B is the WORSE one (a letter names the worse response, not the better one)'
    """
    if dialect.direction is None or verdict not in dialect.scale.values:
        raise DataError(
            f"dialect {dialect.name!r}: expected a direction and a verdict among "
            f"{', '.join(dialect.scale.values)}, found direction {dialect.direction!r} and "
            f"verdict {verdict!r}. Name what a letter stands for (`direction`)."
        )
    named = dialect.direction.value
    other = (Direction.BETTER if dialect.direction is Direction.WORSE else Direction.WORSE).value
    if dialect.scale.choices is None:
        ends = f"from {dialect.scale.low} to {dialect.scale.high}"
        return f"{verdict} {ends}, where a higher score is {named.upper()}, not {other}"
    meant = f"what it names is the {named.upper()} one"
    if verdict == TIE:
        meant = f"neither response is {named.upper()} than the other"
    elif len(verdict) == 1 and verdict in LETTERS:
        meant = f"Response {verdict} is the {named.upper()} one"
    return f"{verdict}: {meant} (a letter names the {named} response, not the {other} one)"


def require_direction(labels: Iterable[Label], dialect: Dialect, *, setting: str) -> None:
    """Refuse a dialect, named in the recipe at `setting`, that reads the labels' letters reversed.

    Raises DataError naming both directions.
    """
    for label in labels:
        if label.direction is not dialect.direction:
            raise DataError(
                f"labels/labels.jsonl: a verdict names the {label.direction} response, in "
                f"{setting} {dialect.name!r} the {dialect.direction} one. Choose a dialect of the "
                "labels' direction."
            )


def require_dialect(hashes: Iterable[str], dialect: Dialect, *, path: str, setting: str) -> None:
    """Refuse rows of the file at `path` in another dialect than the recipe names at `setting`.

    Raises DataError naming both.
    """
    strangers = set(hashes) - {dialect.hash}
    if strangers:
        raise DataError(
            f"{path}: rows were written in another dialect ({sorted(strangers)}) than {setting} = "
            f"{dialect.name!r} ({dialect.hash}). Train and judge in the dialect of the rows."
        )
