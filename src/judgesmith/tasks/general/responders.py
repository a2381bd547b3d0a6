"""Simulated responders: models that answer part by part with a stated skill.

They stand behind the same seam as real models. What one gets right is drawn from the seed, its name
and the question's id, and depends on nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from judgesmith.errors import RecipeError
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish, Question, keyed_rng
from judgesmith.tasks.general.key import must_hold

_OPENING = "Here is what I found, step by step, for each of the parts that you asked about:"


class ResponderSpec(BaseModel):
    """A simulated responder as a recipe states it; rates are shares.

    `skill` of the parts it gets right, `skip_rate` of the others it leaves out, and of its
    responses `wordy_rate` begin with a sentence that says nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1)
    skill: float = Field(0.6, ge=0, le=1)
    skip_rate: float = Field(0.3, ge=0, le=1)
    wordy_rate: float = Field(0.3, ge=0, le=1)


class SimulatedResponder:
    """A model of the seam that answers from the lines that a right answer holds."""

    def __init__(self, spec: ResponderSpec, questions: Mapping[str, Question], seed: int) -> None:
        self.spec, self.name = spec, spec.name
        self._questions, self._seed = questions, seed

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer in order; `record_id` of a request is the id of its question."""
        for request in requests:
            draw = keyed_rng(self._seed, "responder", self.name, request.record_id)
            text = self._answer(self._questions[request.record_id], draw)
            yield Completion(
                text=text,
                finish=Finish.STOP,
                prompt_tokens=sum(len(turn.content.split()) for turn in request.messages),
                completion_tokens=len(text.split()),
            )

    def _answer(self, question: Question, draw: Random) -> str:
        spec = self.spec
        lines = [_OPENING] if draw.random() < spec.wordy_rate else []
        for line in must_hold(question):
            if draw.random() < spec.skill:
                lines.append(line)
            elif draw.random() >= spec.skip_rate:
                lines.append(_spoilt(line, draw))
        return "\n".join(lines) or "I do not know."


def _spoilt(line: str, draw: Random) -> str:
    """The line with another answer.

    >>> from random import Random
    >>> _spoilt("3 + 4 = 7", Random(1)) != "3 + 4 = 7"
    True
    """
    asked, equals, answer = line.rpartition(" = ")
    if answer.isdecimal():
        return f"{asked}{equals}{int(answer) + draw.randint(1, 9)}"
    return f"{asked}{equals}{answer[1:]}{answer[:1]}x"


def simulated_responder(
    spec: Mapping[str, Any], questions: Mapping[str, Question], seed: int
) -> SimulatedResponder:
    """A responder as a recipe states it; RecipeError where that is not valid.

    Raises RecipeError, too, where no question says what a right answer holds.
    """
    try:
        found = ResponderSpec.model_validate(spec)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, d['loc']))}: {d['msg']}" for d in error.errors(include_url=False)
        )
        raise RecipeError(f"responses: simulated responder {spec.get('name')!r}: {told}") from None
    lacking = next((q for q in questions.values() if not must_hold(q)), None)
    if lacking is not None:
        raise RecipeError(
            f"responses: simulated responder {found.name!r} cannot answer question {lacking.id} "
            f"({lacking.source}): it does not say what a right answer holds (`must_hold`). In a "
            "rehearsal take simulated questions (questions.sources: [{kind: simulated}])."
        )
    return SimulatedResponder(found, questions, seed)
