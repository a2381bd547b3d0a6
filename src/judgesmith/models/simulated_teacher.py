"""Simulated teachers: judges with stated rates of being right, biased, refusing and failing.

They stand behind the same seam as real models and know the right verdicts. What one says is drawn
from the seed, its name and what it is shown, and depends on nothing else. They exist so that a
whole recipe can be tried with no key and no download; what they say is simulated, and every record
says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from operator import eq

from pydantic import Field, model_validator

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.prompt_names import RESPONSE, Called, called
from judgesmith.judging.reading import criteria_scores, scores_of
from judgesmith.judging.render import render_prompt
from judgesmith.judging.reply import fits, verdict_text
from judgesmith.judging.scale import number_text
from judgesmith.judging.writing import NEUTRAL
from judgesmith.models.protocol import Completion, Request, Wanted
from judgesmith.records import (
    LETTERS,
    TIE,
    Choice,
    Finish,
    Item,
    Message,
    Question,
    Response,
    Scores,
    Verdict,
    choice,
    keyed_rng,
)
from judgesmith.runs.recipe import Section

RightVerdict = Callable[[Question, Sequence[Response]], tuple[Verdict, str] | None]
"""The right verdict on responses in the order shown, with its rationale; None where unknown."""

NO_ANSWER = "It cannot be told."


class TeacherSpec(Section):
    """A simulated teacher as a recipe states it.

    `fail_rate`, `refuse_rate` and `cut_rate` are the shares of its judgments with no reply at all,
    with a refusal, and cut off before the verdict. Of the others, `first_rate` name what is shown
    first whatever it is; of the rest, `accuracy` are right.

    With a `doubt` it states how likely each verdict is. What it leaves to other verdicts than its
    own is drawn for what it is shown, from 0 to twice the doubt, and they share it evenly; its own
    stays the likeliest. It errs in proportion to what it leaves: with a doubt of 1 - `accuracy` it
    is calibrated, with less it is too sure of itself.
    """

    name: str = Field(min_length=1)
    accuracy: float = Field(0.85, ge=0, le=1)
    first_rate: float = Field(0.05, ge=0, le=1)
    refuse_rate: float = Field(0.0, ge=0, le=1)
    cut_rate: float = Field(0.0, ge=0, le=1)
    fail_rate: float = Field(0.0, ge=0, le=1)
    doubt: float | None = Field(None, gt=0, le=0.25)

    @model_validator(mode="after")
    def _rates_fit(self) -> "TeacherSpec":
        lost = self.fail_rate + self.refuse_rate + self.cut_rate
        if lost > 1 + 1e-9:
            raise ValueError(
                f"fail_rate, refuse_rate and cut_rate are shares of the same judgments and may not "
                f"exceed 1 together: found {lost:g}"
            )
        if self.doubt is not None and self.accuracy < 0.5:
            raise ValueError(
                "a teacher that states its `doubt` errs at most twice as often where it doubts "
                f"most: expected an accuracy of 0.5 or more, found {self.accuracy:g}"
            )
        return self


@dataclass(frozen=True)
class Known:
    """What a simulated teacher may be asked about, and how to tell what is right.

    `reference` gives the right answer to a question, None where nobody knows one.
    """

    items: Mapping[str, Item]
    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    dialect: Dialect
    right: RightVerdict
    reference: Callable[[Question], str | None]
    seed: int


class SimulatedTeacher:
    """A model of the seam that judges by the right verdict and its own rates.

    Whether it errs on a pair, and which response it then names, is drawn once for both orders;
    naming the first response, and giving no verdict, is drawn for each order. Where nobody knows
    what is right, a verdict drawn by what is shown stands for it, the same for all teachers. Where
    its dialect asks for its own answer first, that is the right one.
    """

    independent = True

    def __init__(self, spec: TeacherSpec, known: Known) -> None:
        self.spec, self.name, self._known = spec, spec.name, known

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Judge in order.

        `record_id` is the id of an item, of the response that is shown alone, or of the question
        that the teacher is to answer itself. Raises ValueError for any other.
        """
        for request in requests:
            text, finish, chances = self._reply(request)
            yield Completion(
                text=text,
                finish=finish,
                probabilities=chances,
                prompt_tokens=sum(len(turn.content) for turn in request.messages) // 4,
                completion_tokens=len(text) // 4,
                failure="simulated" if finish is Finish.FAILED else None,
            )

    def _reply(self, request: Request) -> tuple[str, Finish, dict[str, float] | None]:
        asked = self._known.questions.get(request.record_id)
        if asked is not None:
            return self._own_answer(asked), Finish.STOP, None
        question, shown = self._shown(request)
        spec = self.spec
        how = self._drawn("how", *(response.id for response in shown))
        if how < spec.fail_rate:
            return "", Finish.FAILED, None
        if how < spec.fail_rate + spec.refuse_rate:
            return "I would rather not judge this.", Finish.REFUSED, None
        verdict, reply = self._judged(question, shown)
        if how < spec.fail_rate + spec.refuse_rate + spec.cut_rate:
            return reply[: len(reply) // 2], Finish.LENGTH, None
        return reply, Finish.STOP, self._chances(request.wanted, verdict, shown)

    def _chances(
        self, wanted: Wanted | None, verdict: Verdict, shown: Sequence[Response]
    ) -> dict[str, float] | None:
        """How likely each verdict is in its own eyes, where it is asked for that and states it."""
        said = verdict_text(verdict)
        if wanted is None or said is None or self.spec.doubt is None:
            return None
        own = self._known.dialect.wording.of[said]
        left = 2 * self.spec.doubt * self._unsure([response.id for response in shown])
        share = left / (len(wanted.options) - 1)
        return {option: 1 - left if option == own else share for option in wanted.options}

    def _unsure(self, ids: Sequence[str]) -> float:
        """How unsure it is of what it is shown, from 0 to 1, the same in whatever order."""
        return self._drawn("doubt", *sorted(ids))

    def _errs(self, ids: Sequence[str]) -> bool:
        right = self.spec.accuracy
        if self.spec.doubt is not None:
            right = 1 - 2 * (1 - right) * self._unsure(ids)
        return self._drawn("errs", *sorted(ids)) >= right

    def _judged(self, question: Question, shown: Sequence[Response]) -> tuple[Verdict, str]:
        """The verdict, and the reply that states it."""
        dialect, spec = self._known.dialect, self.spec
        ids = [response.id for response in shown]
        verdict, rationale = self._right(question, shown)
        if len(shown) > 1 and self._drawn("first", *ids) < spec.first_rate:
            verdict = self._naming_first(verdict)
            rationale = self._plain(verdict)
        elif self._errs(ids):
            verdict = self._wrong(verdict, ids)
            rationale = self._plain(verdict)
        for said in (rationale, self._plain(verdict)):
            # A response may quote a tag or marker of the dialect, or be called by its words.
            with suppress(ValueError):
                return verdict, dialect.write_reply(said, verdict)
        return verdict, dialect.write_reply(NEUTRAL, verdict)

    def _right(self, question: Question, shown: Sequence[Response]) -> tuple[Verdict, str]:
        dialect = self._known.dialect
        found = self._known.right(question, shown)
        if found is not None and fits(dialect, found[0]):
            return found
        verdict = self._any(question, [response.id for response in shown])
        return verdict, self._plain(verdict)

    def _plain(self, verdict: Verdict) -> str:
        return _plain(verdict, called(self._known.dialect))

    def _any(self, question: Question, ids: Sequence[str]) -> Verdict:
        """A verdict drawn by what is shown, the same for all teachers."""
        dialect = self._known.dialect
        values = dialect.scale.values
        if not dialect.scored:
            return choice(self._pick(values, ids, "right"))
        if not dialect.by_criterion:
            return scores_of([float(self._pick(values, [one], "right")) for one in ids])
        return criteria_scores({
            name: tuple(float(self._pick(values, [one], "right", name)) for one in ids)
            for name in dialect.criteria_for(question)
        })  # fmt: skip

    def _naming_first(self, verdict: Verdict) -> Verdict:
        """The verdict that puts what is shown first above all others."""
        if not isinstance(verdict, Scores):
            return choice(LETTERS[0])
        if verdict.criteria is not None:
            return criteria_scores({n: self._best_first(v) for n, v in verdict.criteria.items()})
        return scores_of(self._best_first(verdict.values))

    def _best_first(self, scores: tuple[float, ...]) -> tuple[float, ...]:
        """The highest score changed places with the first; of equal ones the first is raised."""
        best = scores.index(max(scores))
        if len(set(scores)) == 1:
            return (float(self._known.dialect.scale.values[-1]), *scores[1:])
        moved = list(scores)
        moved[0], moved[best] = moved[best], moved[0]
        return tuple(moved)

    def _wrong(self, verdict: Verdict, ids: Sequence[str]) -> Verdict:
        """Another verdict, about the same response whatever the order shown."""
        values = self._known.dialect.scale.values
        if isinstance(verdict, Choice):
            wrong = [value for value in values if value != verdict.value]
            return choice(self._pick(wrong, ids, self.name))
        assert isinstance(verdict, Scores)
        if verdict.criteria is None:
            return scores_of(self._other_scores(verdict.values, ids))
        return criteria_scores({
            name: self._other_scores(scores, ids) for name, scores in verdict.criteria.items()
        })  # fmt: skip

    def _other_scores(self, scores: Sequence[float], ids: Sequence[str]) -> tuple[float, ...]:
        """Of one response another score; of several, each as far from the scale's other end."""
        values = self._known.dialect.scale.values
        mirrored = tuple(float(values[0]) + float(values[-1]) - score for score in scores)
        if len(scores) > 1 and mirrored != tuple(scores):
            return mirrored
        return tuple(
            float(self._pick([v for v in values if float(v) != score], [one], self.name))
            for score, one in zip(scores, ids, strict=True)
        )

    def _pick(self, values: Sequence[str], ids: Sequence[str], *key: str) -> str:
        """One of the values, the one that names the same response whatever the order shown."""
        named = dict(zip(LETTERS, ids, strict=False)) if len(ids) > 1 else {}
        weight = {
            value: keyed_rng(
                self._known.seed, "teacher", *key, *sorted(ids), named.get(value, value)
            ).random()
            for value in values
        }
        return max(values, key=lambda value: weight[value])

    def _drawn(self, *key: str) -> float:
        return keyed_rng(self._known.seed, "teacher", self.name, *key).random()

    def _own_answer(self, question: Question) -> str:
        return (self._known.reference(question) or "").strip() or NO_ANSWER

    def _shown(self, request: Request) -> tuple[Question, list[Response]]:
        """What the prompt is about: of several responses, the order that renders to it."""
        known = self._known
        alone = known.responses.get(request.record_id)
        if alone is not None:
            return known.questions[alone.question_id], [alone]
        item = known.items.get(request.record_id)
        if item is None:
            raise ValueError(f"no item, response or question has the id {request.record_id!r}")
        question = known.questions[item.question_id]
        first = known.dialect.answers_first(question)
        reference = self._own_answer(question) if first else None

        def rendered(shown: Sequence[Response]) -> tuple[Message, ...]:
            texts = [response.text for response in shown]
            return render_prompt(known.dialect, question, texts, reference)

        for shown in _likely_orders(
            [known.responses[i] for i in item.response_ids], request, rendered
        ):
            if rendered(shown) == request.messages:
                return question, shown
        raise ValueError(f"no order of item {item.id} renders to the prompt that was asked")


def _likely_orders(
    stored: Sequence[Response], request: Request,
    rendered: Callable[[Sequence[Response]], Sequence[Message]],
) -> Iterator[list[Response]]:  # fmt: skip
    """The orders in which judges are asked, as stored and reversed, then what the prompt shows.

    That is found place by place: of those that are left, the response with which the prompt agrees
    furthest. So a list of ten takes some fifty prompts, and not one for each of all its orders.
    """
    yield list(stored)
    yield list(stored[::-1])
    asked = "\n".join(turn.content for turn in request.messages)
    shown: list[Response] = []
    left = list(stored)

    def agrees(place: int) -> int:
        tried = rendered([*shown, left[place], *left[:place], *left[place + 1 :]])
        said = "\n".join(turn.content for turn in tried)
        return sum(takewhile(bool, map(eq, said, asked)))

    while left:
        shown.append(left.pop(max(range(len(left)), key=agrees)))
    yield shown


def _plain(verdict: Verdict, names: Called = RESPONSE) -> str:
    """A rationale that a verdict follows from, and that says nothing else.

    >>> _plain(choice("B")), _plain(choice("TIE")), _plain(scores_of([4.0]))
    ('On balance Response B stands out.', 'On balance neither stands out.', 'It is worth 4.')
    >>> _plain(scores_of([4.0, 2.5]))
    'Response A is worth 4 and Response B is worth 2.5.'
    >>> _plain(scores_of([4.0, 2.5]), Called("Assistant", numbered=True))
    'Assistant 1 is worth 4 and Assistant 2 is worth 2.5.'
    """
    if isinstance(verdict, Choice):
        if verdict.value in LETTERS:
            return f"On balance {names.name(LETTERS.index(verdict.value))} stands out."
        if verdict.value == TIE:
            return "On balance neither stands out."
        return f"It is worth {verdict.value}."
    assert isinstance(verdict, Scores)
    worth = [number_text(value) for value in verdict.values]
    if len(worth) == 1:
        return f"It is worth {worth[0]}."
    return f"{' and '.join(f'{names.name(i)} is worth {n}' for i, n in enumerate(worth))}."
