"""Simulated teachers: judges with stated rates of being right, biased, refusing and failing.

They stand behind the same seam as real models and know the right verdicts. What one says is drawn
from the seed, its name and the item, and depends on nothing else. They exist so that a whole recipe
can be tried with no key and no download; what they say is simulated, and every record says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from pydantic import Field

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.render import render_prompt
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish, Item, Message, Question, Response, keyed_rng
from judgesmith.runs.recipe import Section

RightVerdict = Callable[[Question, Sequence[Response]], tuple[str, str] | None]
"""The right verdict on responses in the order shown, with its rationale; None where unknown."""


class TeacherSpec(Section):
    """A simulated teacher as a recipe states it; all rates are shares of its replies.

    `accuracy` is how often it is right where it answers by itself; `first_rate` how often it names
    what is shown first whatever it is; `refuse_rate`, `cut_rate` and `fail_rate` how often it
    refuses, is cut off before its verdict, and gives no reply at all.
    """

    name: str = Field(min_length=1)
    accuracy: float = Field(0.85, ge=0, le=1)
    first_rate: float = Field(0.05, ge=0, le=1)
    refuse_rate: float = Field(0.0, ge=0, le=1)
    cut_rate: float = Field(0.0, ge=0, le=1)
    fail_rate: float = Field(0.0, ge=0, le=1)


@dataclass(frozen=True)
class Known:
    """What a simulated teacher may be asked about, and how to tell what is right."""

    items: Mapping[str, Item]
    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    dialect: Dialect
    right: RightVerdict
    seed: int


class SimulatedTeacher:
    """A model of the seam that judges by the right verdict and its own rates.

    Whether it errs on an item is drawn once for both orders; naming the first response is not.
    Items without a right verdict it judges by chance.
    """

    def __init__(self, spec: TeacherSpec, known: Known) -> None:
        self.spec, self.name, self._known = spec, spec.name, known
        self._items = {item.id: item for item in known.items.values()} | {
            response: item for item in known.items.values() for response in item.response_ids
        }

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Judge in order; `record_id` is the item's id, or that of the response shown alone."""
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
        spec, known = self.spec, self._known
        item = self._items[request.record_id]
        question = known.questions[item.question_id]
        shown = self._shown(item, request.messages)
        order = [response.id for response in shown]
        how = keyed_rng(known.seed, "teacher", self.name, "how", *order).random()
        if how < spec.fail_rate:
            return "", Finish.FAILED
        if how < spec.fail_rate + spec.refuse_rate:
            return "I would rather not judge this.", Finish.REFUSED
        verdict, rationale = self._verdict(item, question, shown)
        reply = known.dialect.write_reply(rationale, verdict)
        if how < spec.fail_rate + spec.refuse_rate + spec.cut_rate:
            return reply[: len(reply) // 2], Finish.LENGTH
        return reply, Finish.STOP

    def _verdict(
        self, item: Item, question: Question, shown: Sequence[Response]
    ) -> tuple[str, str]:
        spec, known = self.spec, self._known
        scale = known.dialect.scale.values
        order = [response.id for response in shown]
        right = known.right(question, shown)
        first = keyed_rng(known.seed, "teacher", self.name, "first", *order).random()
        draw = keyed_rng(known.seed, "teacher", self.name, "error", item.id)
        errs = draw.random() >= spec.accuracy
        if len(shown) > 1 and first < spec.first_rate:
            return scale[0], "Response A stands out."
        if right is not None and not errs:
            return right
        # The wrong verdict names the same response in both orders: it is drawn by response.
        wrong = [value for value in scale if right is None or value != right[0]]
        named = {value: shown[i].id for i, value in enumerate(scale) if i < len(shown)}
        weight = {
            value: keyed_rng(known.seed, self.name, item.id, named.get(value, value)).random()
            for value in wrong
        }
        verdict = max(wrong, key=lambda value: weight[value])
        return verdict, "On balance this is how it reads."

    def _shown(self, item: Item, messages: tuple[Message, ...]) -> list[Response]:
        """Which responses the prompt shows, in which order: the one that renders to it."""
        known = self._known
        found = [known.responses[i] for i in item.response_ids]
        count = 1 if known.dialect.kind == "single" else len(found)
        for shown in permutations(found, count):
            texts = [response.text for response in shown]
            question = known.questions[item.question_id]
            if render_prompt(known.dialect, question, texts, None) == messages:
                return list(shown)
        raise ValueError(f"no order of item {item.id} renders to the prompt that was asked")
