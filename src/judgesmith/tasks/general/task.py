"""The general task as the stages see it."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.judging.dialect import PAIR_SCALE, Dialect, Scale
from judgesmith.models.protocol import Model
from judgesmith.records import Direction, Finish, Question, Response
from judgesmith.tasks import BaselineRule, KeyJudgment, Mistake, ResponseOutcome
from judgesmith.tasks.general import key
from judgesmith.tasks.general.responders import ResponderSpec, simulated_responder

_NEVER: dict[str, Any] = {"first": {}, "second": {}}

PRESETS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "any_pair": ({"name": "pairs", **_NEVER, "quota": None},),
    "graded": (
        {"name": "different", **_NEVER, "differs": ["held"], "quota": 1600},
        {"name": "alike", **_NEVER, "quota": 400},
    ),
}
"""`any_pair`: all pairs of responses of different models, up to four a question. `graded`: those
that hold another number of right lines, and, from what is left, those that do not."""


class GeneralTask:
    """Judging by a rubric that the question or the dialect brings; implements `tasks.Task`."""

    name = "general"
    version = 1
    strata = ("category",)
    slices = ()
    dialects: Mapping[str, Dialect] = {}
    bucket_presets = PRESETS
    key_policies = (key.POLICY,)
    glossary: Mapping[str, str] = {
        key.POLICY: "a response is worth the share of the lines of a right answer that it holds",
        "pairs": "two responses of different models",
        "different": "two responses that hold another number of right lines",
        "alike": "two responses that hold the same number of right lines, or are not told apart",
    }
    key_direction = Direction.BETTER
    mistake_modes: tuple[str, ...] = ()
    mistake_briefs: Mapping[str, str] = {}
    hedge_phrases: Sequence[str] = ()
    responder_rates = frozenset(ResponderSpec.model_fields) - {"name"}

    def annotate_question(self, question: Question) -> Question:
        """The question as it is."""
        return question

    def annotate_response(self, response: Response, question: Question) -> Response:
        """Add the number of words and, where the question has a key, of right lines held."""
        derived: dict[str, int] = {"words": len(response.text.split())}
        lines = key.must_hold(question)
        if lines:
            derived |= {"held": key.count_held(question, response.text), "of": len(lines)}
        return response.with_fields(task={**response.task, **derived})

    def response_outcome(self, response: Response) -> ResponseOutcome:
        """Parsed where it is complete and not empty; faulty where it holds less than it must.

        Without a key no fault is known: set `responses.dry_run.limits` so that none is asked for.
        """
        whole = response.finish is Finish.STOP and bool(response.text.strip())
        return ResponseOutcome(
            whole, whole and response.task.get("held") != response.task.get("of")
        )

    def simulated_model(
        self, spec: Mapping[str, Any], questions: Mapping[str, Question], seed: int
    ) -> Model:
        """A simulated responder; see `judgesmith.tasks.general.responders`."""
        return simulated_responder(spec, questions, seed)

    def responder_prompt(self, question: Question) -> str:
        """The question as a responding model is asked it."""
        parts = (question.context, question.grounding, question.text)
        return "\n\n".join(part for part in parts if part)

    def judge_by_key(
        self,
        question: Question,
        responses: Sequence[Response],
        policy: str,
        scale: Scale = PAIR_SCALE,
    ) -> KeyJudgment | None:
        """The answer key's verdict; see `judgesmith.tasks.general.key`."""
        return key.judge_by_key(question, responses, policy, scale)

    def write_reference(self, question: Question) -> str | None:
        """The lines that a right answer holds."""
        return "\n".join(key.must_hold(question)) or None

    def mistaken_judgments(
        self, question: Question, responses: Sequence[Response], policy: str
    ) -> Sequence[Mistake]:
        """None: mistakes of a general judge are written by a teacher."""
        return ()

    def right_choice(self, question: Question, response: Response) -> bool | None:
        """Not the question here."""
        return None

    def baselines(self) -> Mapping[str, BaselineRule]:
        """No rules of its own."""
        return {}


TASK = GeneralTask()
