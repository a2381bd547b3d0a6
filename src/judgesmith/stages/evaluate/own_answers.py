"""How often a judge that answers first answers as the key does: what its verdicts rest on."""

from collections.abc import Iterable

from judgesmith.records import Judgment
from judgesmith.stages.evaluate.labelled_side import LabelledSide
from judgesmith.tasks import Task


def own_answers(judgments: Iterable[Judgment], found: LabelledSide, task: Task) -> str:
    """A note on a judge's own references, each question counted once; empty without any."""
    asked_about = {item.id: item.question_id for item in found.items}
    given = {
        asked_about[judgment.item_id]: judgment.reference
        for judgment in judgments
        if judgment.reference is not None
    }
    if not given:
        return ""
    right = sum(
        reference == task.write_reference(found.questions[question_id])
        for question_id, reference in given.items()
    )
    return f"answers {right:,} of {len(given):,} questions as the key does"
