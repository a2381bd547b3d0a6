"""A simulated writer of mistaken judgments: it fails its instruction at stated rates.

It stands behind the same seam as a real model that is told which mistake to argue for. What it
writes is drawn from the seed, its name, what is shown and the sampling seed, and depends on nothing
else. It exists so that a whole recipe can be tried with no key and no download.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, permutations
from typing import NamedTuple

from pydantic import Field, model_validator

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.prompt_names import called
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import (
    LETTERS,
    Direction,
    Finish,
    Item,
    Kind,
    Message,
    Question,
    Response,
    keyed_rng,
)
from judgesmith.runs.recipe import Section

_FILLER = ("Both texts were read twice.", "The question was read as well.")


class Told(NamedTuple):
    """What an instruction asks for: the verdict, the mode of the mistake, the words of reasoning.

    `prompt` is the text of the turn that stands before the instruction.
    """

    prompt: str
    verdict: str
    mode: str
    words: int


class WriterSpec(Section):
    """A simulated writer as a recipe states it; all rates are shares of its replies.

    `leak_rate` is how often a reply speaks of its instruction; `inverted_rate` how often it argues
    for the wrong question, which a score of one response leaves no way to do; `wrong_verdict_rate`
    how often it ends in another verdict; `short_rate` how often it says next to nothing.
    `refuse_rate` and `fail_rate` are how often it refuses and how often no reply comes.
    """

    name: str = Field(min_length=1)
    leak_rate: float = Field(0.02, ge=0, le=1)
    inverted_rate: float = Field(0.05, ge=0, le=1)
    wrong_verdict_rate: float = Field(0.05, ge=0, le=1)
    short_rate: float = Field(0.02, ge=0, le=1)
    refuse_rate: float = Field(0.0, ge=0, le=1)
    fail_rate: float = Field(0.0, ge=0, le=1)

    @property
    def rates(self) -> dict[str, float]:
        """How often a reply fails in each way, by the way's name."""
        return {
            "fail": self.fail_rate,
            "refuse": self.refuse_rate,
            "leak": self.leak_rate,
            "inverted": self.inverted_rate,
            "wrong verdict": self.wrong_verdict_rate,
            "short": self.short_rate,
        }

    @model_validator(mode="after")
    def _rates_fit(self) -> "WriterSpec":
        if sum(self.rates.values()) > 1:
            raise ValueError(
                "a reply fails in one way at most, so the rates are at most 1 together"
            )
        return self


@dataclass(frozen=True)
class WriterKnown:
    """What a simulated writer may be asked about.

    `prompt` gives the judge's prompt for responses in the order shown, `told` reads a request's
    last turn, and `argue` gives the reasons for a mistaken verdict, None where it knows of none.
    """

    items: Mapping[str, Item]
    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    dialect: Dialect
    prompt: Callable[[Question, Sequence[Response]], Sequence[Message]]
    told: Callable[[str], Told]
    argue: Callable[[Question, Sequence[Response], Told], str | None]
    seed: int


class SimulatedWriter:
    """A model of the seam that writes the mistake it is asked for, or fails to, by its rates."""

    def __init__(self, spec: WriterSpec, known: WriterKnown) -> None:
        self.spec, self.name, self._known = spec, spec.name, known
        self._items = dict(known.items) | {
            response: item for item in known.items.values() for response in item.response_ids
        }

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Write in order; `record_id` is the item's id, or that of the response shown alone."""
        for request in requests:
            text, finish = self._reply(request)
            yield Completion(
                text=text,
                finish=finish,
                prompt_tokens=sum(len(turn.content) for turn in request.messages) // 4,
                completion_tokens=len(text) // 4,
                failure="simulated" if finish is Finish.FAILED else None,
            )

    def _reply(self, request: Request) -> tuple[str, Finish]:
        known = self._known
        told = known.told(request.messages[-1].content)
        item = self._items[request.record_id]
        question = known.questions[item.question_id]
        shown = self._shown(item, question, told.prompt)
        order = [response.id for response in shown]
        draw = keyed_rng(known.seed, "writer", self.name, request.sampling.seed, *order).random()
        way = self._way(draw)
        if way == "fail":
            return "", Finish.FAILED
        if way == "refuse":
            return "I would rather not write this.", Finish.REFUSED
        reasons = known.argue(question, shown, told) or self._any_reasons(told)
        verdict = told.verdict
        if way == "leak":
            reasons = f"{reasons} So the verdict must be {verdict}."
        elif way == "inverted":
            reasons = self._inverted(told) or reasons
        elif way == "short":
            reasons = " ".join(reasons.split()[: max(1, told.words // 4)])
        elif way == "wrong verdict":
            scale = known.dialect.scale.values
            verdict = scale[(scale.index(verdict) + 1) % len(scale)]
        return known.dialect.write_reply(reasons, verdict), Finish.STOP

    def _way(self, draw: float) -> str | None:
        """The way in which a reply fails; None for one that does not."""
        for way, rate in self.spec.rates.items():
            if draw < rate:
                return way
            draw -= rate
        return None

    def _any_reasons(self, told: Told) -> str:
        """Reasons for a verdict that nothing known leads to."""
        better = self._known.dialect.direction is Direction.BETTER
        ending = "Nothing else stands out."
        if len(told.verdict) == 1 and told.verdict.isalpha():
            ending = f"{self._name(told.verdict)} is the {'better' if better else 'worse'} one."
        return _padded(ending, told.words)

    def _inverted(self, told: Told) -> str | None:
        """Reasons for the opposite question; None where a verdict names no response."""
        if self._known.dialect.kind is Kind.SINGLE:
            return None
        if len(told.verdict) > 1:
            return _padded(f"{self._name('A')} is the stronger answer.", told.words)
        better = self._known.dialect.direction is Direction.BETTER
        degree = "weaker" if better else "stronger"
        return _padded(f"{self._name(told.verdict)} is the {degree} answer.", told.words)

    def _name(self, letter: str) -> str:
        """What the prompt calls the response with this letter."""
        return called(self._known.dialect).name(LETTERS.index(letter))

    def _shown(self, item: Item, question: Question, prompt: str) -> list[Response]:
        """Which responses the prompt shows, in which order: the one that renders to it."""
        known = self._known
        found = [known.responses[i] for i in item.response_ids]
        for shown in permutations(found, 1 if known.dialect.kind is Kind.SINGLE else len(found)):
            if known.prompt(question, shown)[-1].content == prompt:
                return list(shown)
        raise ValueError(f"no order of item {item.id} renders to the prompt that was asked")


def _padded(ending: str, words: int) -> str:
    """The ending after so many sentences that say nothing that about `words` are reached."""
    parts: list[str] = []
    count = len(ending.split())
    for sentence in cycle(_FILLER):
        count += len(sentence.split())
        if count > words:
            break
        parts.append(sentence)
    return " ".join((*parts, ending))
