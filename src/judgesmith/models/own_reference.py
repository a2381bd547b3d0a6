"""A judge's own answers to the questions, asked for before it sees a response.

Two responses to a question are then held against the same answer. A judge that works out what is
right while it looks at one response tends to find right what that response says.
"""

from collections.abc import Iterable, Mapping
from itertools import chain

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.render import render_reference_prompt
from judgesmith.models.protocol import Completion, Model, Request, Sampling
from judgesmith.records import Finish, Question

_NO_ANSWER = (Finish.REFUSED, Finish.FAILED)


class OwnReferences:
    """What a model answered, by question; nothing where it was not to be asked.

    Raises ValueError where the model gives fewer or more completions than it was asked for.
    """

    def __init__(
        self, model: Model, questions: Iterable[Question], dialect: Dialect, sampling: Sampling
    ) -> None:
        unique = {question.id: question for question in questions}
        requests = [
            Request(record_id=question.id, messages=messages, sampling=sampling)
            for question in unique.values()
            if (messages := render_reference_prompt(dialect, question)) is not None
        ]
        self._found: Mapping[str, Completion] = {
            request.record_id: completion
            for request, completion in zip(
                requests, model.complete(requests) if requests else (), strict=True
            )
        }
        self._spent: set[str] = set()

    def text(self, question_id: str) -> str | None:
        """The answer; None where there is none."""
        found = self._found.get(question_id)
        return None if found is None or self.missing(question_id) else found.text.strip()

    def missing(self, question_id: str) -> list[Completion]:
        """The completion that should have been an answer and is none, without its cost."""
        found = self._found.get(question_id)
        if found is None or _is_answer(found):
            return []
        free = {"prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0, "calls": 0}
        return [found.model_copy(update=free)]

    def to_pay(self, question_id: str) -> list[Completion]:
        """The completion of the answer, the first time; its tokens and cost count once."""
        if question_id in self._spent or question_id not in self._found:
            return []
        self._spent.add(question_id)
        return [self._found[question_id]]


def _is_answer(completion: Completion) -> bool:
    """One that was cut is: the judge rests on what it said so far, and the record shows it."""
    given = not completion.too_long and completion.finish not in _NO_ANSWER
    return given and bool(completion.text.strip())


def together(replies: Iterable[Completion], besides: Iterable[Completion] = ()) -> Completion:
    """Several replies as one completion: texts line by line, tokens, calls and cost added up.

    What was spent `besides` is added too; its text is not. The covered mass is the least of them.
    """
    found = list(replies)
    covered = [one.covered for one in found if one.covered is not None]
    ends = [completion.finish for completion in found]
    spent = list(chain(found, besides))
    return Completion(
        text="\n".join(completion.text for completion in found),
        finish=next((end for end in ends if end is not Finish.STOP), Finish.STOP),
        prompt_tokens=sum(completion.prompt_tokens for completion in spent),
        completion_tokens=sum(completion.completion_tokens for completion in spent),
        probabilities=found[0].probabilities if len(found) == 1 else None,
        covered=min(covered) if found and len(covered) == len(found) else None,
        too_long=any(completion.too_long for completion in found),
        cost_usd=sum(completion.cost_usd for completion in spent),
        calls=sum(completion.calls for completion in spent),
    )
