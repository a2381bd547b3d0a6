"""Simulated teachers among a run's models."""

from collections.abc import Sequence

from judgesmith.models.protocol import Model, ModelOpener
from judgesmith.models.simulated_teacher import Known, SimulatedTeacher, TeacherSpec
from judgesmith.records import Question, Response, Verdict
from judgesmith.stages.labels.label_inputs import LabelInputs
from judgesmith.tasks import key_judgment


def with_simulated(
    specs: Sequence[TeacherSpec], given: LabelInputs, models: ModelOpener
) -> ModelOpener:
    """The same opener with simulated teachers added.

    They hold right what the answer key says by the policy of the run's labels, or else by the
    task's first one. Where the key says nothing they have a truth of their own.
    """
    by_name = {spec.name: spec for spec in specs}
    policies = (*filter(None, (given.key_policy,)), *given.task.key_policies)

    def right(question: Question, shown: Sequence[Response]) -> tuple[Verdict, str] | None:
        if not policies:
            return None
        found = key_judgment(given.task, question, shown, policies[0], given.dialect)
        return None if found is None else (found.verdict, found.rationale)

    known = Known(
        items={item.id: item for item in given.items},
        questions=given.questions,
        responses=given.responses,
        dialect=given.dialect,
        right=right,
        reference=given.task.write_reference,
        seed=given.seed,
    )

    def opener(name: str) -> Model:
        return SimulatedTeacher(by_name[name], known) if name in by_name else models(name)

    return opener
