"""Ask whoever answers; each response is classified and on disk before the next is taken."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from judgesmith.audits import Finding, Severity
from judgesmith.models.asking import LOT, Usage, foresee
from judgesmith.models.protocol import Completion, Model, Request, Sampling
from judgesmith.records import Finish, Message, Question, Response
from judgesmith.runs.jsonl import PartialFile
from judgesmith.runs.progress import Progress, progress_bar
from judgesmith.tasks import Task

REASONS = 5
"""Reasons for failed calls that are told by name, for each responder."""


@dataclass(frozen=True)
class Responder:
    """Who answers: a name, the messages it is sent, and the model, opened when it is needed.

    The responses of a simulated one say so.
    """

    name: str
    messages: Callable[[Question], tuple[Message, ...]]
    open: Callable[[], Model]
    simulated: bool = False


@dataclass(frozen=True)
class Asked:
    """What is asked: the run's questions, their task, and how replies are drawn."""

    questions: Mapping[str, Question]
    task: Task
    sampling: Sampling


class Asker:
    """Responses of several responders, those that were written before a kill among them.

    A call that failed before is forgotten, so that it is tried again.
    """

    def __init__(self, asked: Asked, partial: PartialFile) -> None:
        self._asked, self._partial = asked, partial
        self._bar: Progress
        self._done = {
            (r.model, r.question_id): r
            for r in partial.load(Response)
            if r.finish is not Finish.FAILED
        }
        self._failures: dict[str, Counter[str]] = {}
        self.usage = Usage()

    @contextmanager
    def at_work(self, total: int) -> Iterator[None]:
        """The partial file open, and a bar of `total` responses shown."""
        with self._partial, progress_bar("responses", total, done=len(self._done)) as self._bar:
            yield

    def annotated(self, response: Response) -> Response:
        """The response with its task fields."""
        question = self._asked.questions[response.question_id]
        return self._asked.task.annotate_response(response, question)

    def ask(self, responder: Responder, questions: Iterable[Question]) -> list[Response]:
        """The responder's responses in the order of the questions; it is asked what is missing."""
        questions = list(questions)
        waiting = [q for q in questions if (responder.name, q.id) not in self._done]
        if waiting:
            model = responder.open()
            foresee(model, self._requests(responder, waiting[:LOT]), len(waiting), "responses")
            lot = getattr(model, "lot", LOT)
            for start in range(0, len(waiting), lot):
                self._ask_lot(model, responder, waiting[start : start + lot])
        return [self._done[responder.name, q.id] for q in questions]

    def failures(self) -> dict[str, dict[str, int]]:
        """Why calls failed for good, by responder, the most frequent reasons first."""
        told = {}
        for name, reasons in sorted(self._failures.items()):
            told[name] = dict(reasons.most_common(REASONS))
            rest = reasons.total() - sum(told[name].values())
            told[name] |= {"other reasons": rest} if rest else {}
        return told

    def _requests(self, responder: Responder, questions: Sequence[Question]) -> list[Request]:
        return [
            Request(
                record_id=question.id,
                messages=responder.messages(question),
                sampling=self._asked.sampling,
            )
            for question in questions
        ]

    def _ask_lot(self, model: Model, responder: Responder, questions: Sequence[Question]) -> None:
        requests = self._requests(responder, questions)
        for question, completion in zip(questions, model.complete(requests), strict=True):
            response = self.annotated(self._response(responder, question, completion))
            self._partial.append([response])
            self._done[responder.name, question.id] = response
            self.usage.add(completion)
            self._bar.advance(cost_usd=completion.cost_usd)
            if completion.finish is Finish.FAILED:
                why = completion.failure or "no reason given"
                self._failures.setdefault(responder.name, Counter())[why] += 1

    def _response(
        self, responder: Responder, question: Question, completion: Completion
    ) -> Response:
        return Response.make(
            source=f"{'simulated ' if responder.simulated else ''}model {responder.name}",
            licence=question.licence,
            question_id=question.id,
            model=responder.name,
            sampling=self._asked.sampling.as_fields(),
            text="" if completion.finish is Finish.FAILED else completion.text,
            finish=completion.finish,
            task={},
        )


def failed_findings(
    failures: Mapping[str, Mapping[str, int]], asked: Mapping[str, int]
) -> list[Finding]:
    """A warning for each responder whose calls failed; `asked` are all its responses."""
    return [
        Finding(
            audit="failed calls",
            severity=Severity.WARNING,
            message=f"{sum(reasons.values())} of {asked[name]} responses by {name!r} are missing: "
            f"{next(iter(reasons))}",
            count=sum(reasons.values()),
            of=asked[name],
            examples=(),
            effect="they become no items",
            remedy="delete responses/manifest.json and run the recipe again: what was answered "
            "comes out of the cache, and only the calls that failed go out",
        )
        for name, reasons in failures.items()
    ]
