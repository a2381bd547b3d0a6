"""How often a judge that answers first answers as the key does: what its verdicts rest on."""

from collections.abc import Iterable

from judgesmith.judging.dialect import Dialect
from judgesmith.records import Judgment
from judgesmith.stages.evaluate.labelled_side import LabelledSide
from judgesmith.tasks import Task


def own_answers(
    judgments: Iterable[Judgment], found: LabelledSide, task: Task, dialect: Dialect
) -> str:
    """A note on a judge's own references; empty where it was not asked for any.

    Each question counts once; one without an answer is not answered as the key does.
    """
    asked_about = {item.id: found.questions[item.question_id] for item in found.items}
    questions = {question.id: question for question in asked_about.values()}
    asked = {name for name, question in questions.items() if dialect.answers_first(question)}
    if not asked:
        return ""
    given = {asked_about[judgment.item_id].id: judgment.reference for judgment in judgments}
    right = sum(
        given.get(name) is not None and given[name] == task.write_reference(questions[name])
        for name in asked
    )
    return f"answers {right:,} of {len(asked):,} questions as the key does"
