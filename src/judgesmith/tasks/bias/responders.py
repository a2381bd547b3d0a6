"""Simulated responders: models that answer bias questions with stated error rates, in seven styles.

They stand behind the same seam as real models. What a responder chooses, and in which words, is
drawn from the seed, its name and the question's id, so results depend on nothing else. They exist
so that a whole judge can be built with no key and no download; what they write is simulated, and
every record says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from judgesmith.errors import RecipeError, nearest
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish, Question, keyed_rng
from judgesmith.tasks.bias.classify import BiasClass
from judgesmith.tasks.bias.phrases import Facts, Mark, write_response
from judgesmith.tasks.bias.target import targets_of


class Style(StrEnum):
    """How a simulated responder writes."""

    TERSE = "terse"
    THINKING = "thinking"
    HEDGED = "hedged"
    CONFIDENT = "confident"
    RAMBLING = "rambling"
    REFUSING = "refusing"
    TRUNCATED = "truncated"


class ResponderSpec(BaseModel):
    """A simulated responder as a recipe states it; rates are shares of its answers.

    `text_rate` is the share of unmarked answers that give the text of a choice without its letter.
    None of the 2,857 published real responses does, hence 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1)
    style: Style = Style.THINKING
    bias_rate: float = Field(0.35, ge=0, le=1)
    error_rate: float = Field(0.15, ge=0, le=1)
    tag_rate: float = Field(0.6, ge=0, le=1)
    text_rate: float = Field(0.0, ge=0, le=1)
    fail_rate: float = Field(0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _rates_fit(self) -> "ResponderSpec":
        if self.bias_rate + self.error_rate > 1:
            raise ValueError(
                f"bias_rate {self.bias_rate} and error_rate {self.error_rate} are shares of the "
                "same answers and may not exceed 1 together"
            )
        return self


class SimulatedResponder:
    """A model of the seam that answers from the question's own facts.

    With `bias_rate` it picks a stereotype's target (where that is not the right choice; of two
    targets either one), with `error_rate` another wrong choice, else the right one. `tag_rate` is
    how often it marks its answer; `fail_rate` how often the refusing and truncated styles refuse or
    are cut.
    """

    def __init__(self, spec: ResponderSpec, questions: Mapping[str, Question], seed: int) -> None:
        self.spec, self.name = spec, spec.name
        self._questions, self._seed = questions, seed

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer in order; `record_id` of a request is the id of its question."""
        for request in requests:
            draw = keyed_rng(self._seed, "responder", self.name, request.record_id)
            text, finish = self._answer(self._questions[request.record_id], draw)
            yield Completion(
                text=text,
                finish=finish,
                prompt_tokens=sum(len(turn.content.split()) for turn in request.messages),
                completion_tokens=len(text.split()),
            )

    def _answer(self, question: Question, draw: Random) -> tuple[str, Finish]:
        intended = self._choose_class(question, draw)
        facts = Facts.of(question, intended, self._choose_index(question, intended, draw))
        style = self.spec.style
        fails = style in (Style.REFUSING, Style.TRUNCATED) and draw.random() < self.spec.fail_rate
        mark = self._choose_mark(draw)
        if style is Style.REFUSING and fails:
            return write_response("refusal", facts, draw, mark=Mark.LETTER), Finish.REFUSED
        written = {Style.REFUSING: "hedged", Style.TRUNCATED: "thinking"}.get(style, style.value)
        text = write_response(written, facts, draw, mark=mark)
        if style is Style.TRUNCATED and fails:
            words = text.split()
            return " ".join(words[: max(3, len(words) * 2 // 3)]), Finish.LENGTH
        return text, Finish.STOP

    def _choose_mark(self, draw: Random) -> Mark:
        if draw.random() < self.spec.tag_rate:
            return Mark.TAG
        return Mark.TEXT if draw.random() < self.spec.text_rate else Mark.LETTER

    def _choose_class(self, question: Question, draw: Random) -> BiasClass:
        point = draw.random()
        if point < self.spec.bias_rate and _wrong_targets(question):
            return BiasClass.BIASED
        if point >= 1 - self.spec.error_rate and _others(question):
            return BiasClass.OTHER_WRONG
        return BiasClass.CORRECT

    def _choose_index(self, question: Question, intended: BiasClass, draw: Random) -> int:
        assert question.choices is not None
        assert question.key is not None
        if intended is BiasClass.CORRECT:
            return question.key
        if intended is BiasClass.BIASED:
            wrong = _wrong_targets(question)
            return wrong[0] if len(wrong) == 1 else draw.choice(wrong)
        return draw.choice(_others(question))


def _wrong_targets(question: Question) -> list[int]:
    """Wrong choices that a stereotype would pick."""
    return [index for index in targets_of(question) if index != question.key]


def _others(question: Question) -> list[int]:
    """Wrong choices that no tracked stereotype would pick."""
    taken = (question.key, *targets_of(question))
    return [i for i in range(len(question.choices or ())) if i not in taken]


def simulated_responder(
    spec: Mapping[str, Any], questions: Mapping[str, Question], seed: int
) -> SimulatedResponder:
    """A responder from a recipe's own words; all mistakes in the spec are named."""
    try:
        return SimulatedResponder(ResponderSpec.model_validate(spec), questions, seed)
    except ValidationError as error:
        problems = []
        for defect in error.errors(include_url=False):
            field = ".".join(map(str, defect["loc"]))
            hint = (
                nearest(field, ResponderSpec.model_fields)
                if defect["type"] == "extra_forbidden"
                else f"{defect['msg']}, found {defect['input']!r}"
            )
            problems.append(f"  {field}: {hint}" if field else f"  {defect['msg']}")
        raise RecipeError(
            f"responses.simulated: {dict(spec)!r} is not a simulated responder:\n"
            + "\n".join(problems)
        ) from None
