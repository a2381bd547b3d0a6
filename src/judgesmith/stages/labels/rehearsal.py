"""Simulated teachers among a run's models."""

from collections.abc import Sequence

from judgesmith.errors import DataError
from judgesmith.models.protocol import Model, ModelOpener
from judgesmith.models.simulated_teacher import Known, RightVerdict, SimulatedTeacher, TeacherSpec
from judgesmith.records import Question, Response, Verdict
from judgesmith.stages.labels.key import orders_of
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
    known = Known(
        items={item.id: item for item in given.items},
        questions=given.questions,
        responses=given.responses,
        dialect=given.dialect,
        right=right_verdict(given),
        reference=given.task.write_reference,
        seed=given.seed,
    )

    def opener(name: str) -> Model:
        return SimulatedTeacher(by_name[name], known) if name in by_name else models(name)

    return opener


def right_verdict(given: LabelInputs) -> RightVerdict:
    """What the answer key says of responses in the order shown; None where it says nothing."""
    policies = (*filter(None, (given.key_policy,)), *given.task.key_policies)

    def right(question: Question, shown: Sequence[Response]) -> tuple[Verdict, str] | None:
        if not policies:
            return None
        found = key_judgment(given.task, question, shown, policies[0], given.dialect)
        return None if found is None else (found.verdict, found.rationale)

    return right


def require_key(names: Sequence[str], given: LabelInputs) -> None:
    """Refuse simulated teachers, by name, where the answer key decides nothing they could know.

    Raises:
        DataError: their labels would be drawn at random, whatever `accuracy` says.
    """
    right = right_verdict(given)
    if (
        not names
        or not given.items
        or any(
            right(
                given.questions[item.question_id],
                [given.responses[item.response_ids[i]] for i in of],
            )
            for item in given.items
            for of in orders_of(item, given.dialect)
        )
    ):
        return
    raise DataError(
        f"labels.teachers.simulated: expected questions with a key, as a simulated teacher knows "
        f"what is right by the answer key alone; it decides none of the {len(given.items)} items "
        f"in dialect {given.dialect.name!r}, so every label of {names[0]!r} would be drawn at "
        "random. Bring keys, name real models (models, labels.teachers.primary), or try the recipe "
        "with --rehearse."
    )
