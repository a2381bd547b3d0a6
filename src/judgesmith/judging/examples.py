"""A dialect's own examples: replies with what must be read from them, checked when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, model_validator

from judgesmith.judging.reading import Reading, criteria_scores, scores_of
from judgesmith.judging.writing import NEUTRAL
from judgesmith.records import Choice, Finish, Scores, Status, choice

if TYPE_CHECKING:
    from judgesmith.judging.dialect import Dialect


class Example(BaseModel):
    """A reply and what must be read from it: a verdict, or the status that says why there is none.

    `verdict` is a value of the scale, a list of scores, or scores by criterion. A `rationale` that
    is not given is not compared. `finish: length` is for a reply that was cut off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    reply: str
    verdict: str | float | tuple[float, ...] | dict[str, float | tuple[float, ...]] | None = None
    status: Status = Status.PARSED
    rationale: str | None = None
    finish: Finish = Finish.STOP

    @model_validator(mode="after")
    def _one_outcome(self) -> Example:
        if (self.verdict is None) == (self.status is Status.PARSED):
            raise ValueError(
                f"expected either a verdict or a status other than parsed, found verdict "
                f"{self.verdict!r} and status {self.status.value!r}"
            )
        return self

    def expected(self, dialect: Dialect) -> Choice | Scores | None:
        """The verdict as it should be read."""
        if self.verdict is None:
            return None
        if isinstance(self.verdict, dict):
            return criteria_scores({name: _each(v) for name, v in self.verdict.items()})
        if isinstance(self.verdict, tuple):
            return scores_of(self.verdict)
        if dialect.scored:
            return scores_of([float(self.verdict)])
        return choice(self.verdict if isinstance(self.verdict, str) else f"{self.verdict:g}")


def _each(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)


def check_values(dialect: Dialect) -> None:
    """Refuse a dialect that cannot read what it writes, for any value of its scale.

    Raises ValueError that names the value, the reply and what was read.
    """
    for number, value in enumerate(dialect.scale.values):
        verdict: str | Scores = value
        if dialect.scored:
            other = float(dialect.scale.values[number - 1])
            count = dialect.expected().responses or 3
            scores = tuple([float(value), other, float(value)][:count])
            verdict = scores_of(scores)
            if dialect.by_criterion:
                verdict = criteria_scores(dict.fromkeys(dialect.criteria or ("quality",), scores))
        try:
            reply = dialect.write_reply(NEUTRAL, verdict)
        except ValueError as error:
            raise ValueError(
                f"the dialect cannot read its own writing of {value!r}: {error}. Change `reply`, "
                "`say` or `scale`."
            ) from None
        found = dialect.read(reply, Finish.STOP, dialect.expected())
        wanted = verdict if isinstance(verdict, Scores) else choice(verdict)
        if found.verdict != wanted:
            raise ValueError(
                f"the dialect writes {wanted!r} as {reply!r} and reads {_told(found)}. Change "
                "`reply`, `say` or `scale`."
            )


def check_examples(dialect: Dialect) -> None:
    """Refuse a dialect whose grammar does not read its examples as they say.

    Raises ValueError that names the example and what was read.
    """
    for number, example in enumerate(dialect.examples, start=1):
        wanted = example.expected(dialect)
        count = len(wanted.values) if isinstance(wanted, Scores) else None
        found = dialect.read(example.reply, example.finish, dialect.expected(count))
        same = (found.status, found.verdict) == (example.status, wanted)
        if example.rationale is not None and found.rationale != example.rationale.strip():
            same = False
        if not same:
            asked = example.status.value if example.verdict is None else repr(example.verdict)
            raise ValueError(
                f"example {number}, {example.reply[:120]!r}: expected {asked}"
                f"{f' with rationale {example.rationale!r}' if example.rationale else ''}, and the "
                f"dialect reads {_told(found)}. Correct the example, or `reply`, `say` or `scale`."
            )


def _told(found: Reading) -> str:
    if found.verdict is None:
        return f"{found.status.value} (rationale {found.rationale!r})"
    held = found.verdict
    value = held.value if isinstance(held, Choice) else (held.criteria or held.values)
    return f"{value!r} (rationale {found.rationale!r})"
