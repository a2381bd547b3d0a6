"""The audit of questions with two tracked stereotypes, from the records of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.audits.finding import Finding
from judgesmith.audits.two_stereotypes import TwoItem, TwoPick, two_stereotypes_table
from judgesmith.audits.two_stereotypes_findings import two_stereotypes_findings
from judgesmith.judging.reply import verdict_text
from judgesmith.records import LETTERS, Item, Question, Response
from judgesmith.tasks.bias import teacher
from judgesmith.tasks.bias.classify import BiasClass
from judgesmith.tasks.bias.target import Form

TABLE = "two stereotypes"


def audit_items(
    questions: Mapping[str, Question], responses: Mapping[str, Response], items: Sequence[Item]
) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """The audit's table by its name, and its findings; both empty without such questions.

    Labels are the answer key's under its first policy: on biased and correct responses, of which
    the buckets are made, all policies agree.

    Args:
        questions: The annotated questions of the run, by id.
        responses: The annotated responses of the run, by id.
        items: The items. Only buckets whose items are all on such questions are looked at: of a
            mixed one the label audit tells the labels of the whole.
    """
    asked = {i: q for i, q in questions.items() if q.task.get("form") == Form.TWO}
    if not asked:
        return {}, ()
    mixed = {item.bucket for item in items if item.question_id not in asked}
    table = two_stereotypes_table(
        [
            _pick(response, asked[response.question_id])
            for response in responses.values()
            if response.question_id in asked and _is_free_pick(response, asked)
        ],
        [
            _item(item, asked[item.question_id], [responses[i] for i in item.response_ids])
            for item in items
            if item.bucket not in mixed
        ],
        places=max(len(question.choices or ()) for question in asked.values()),
    )
    return {TABLE: table.to_dict()}, two_stereotypes_findings(table)


def _is_free_pick(response: Response, asked: Mapping[str, Question]) -> bool:
    """Whether it is biased and either of the two people would have been."""
    is_open = asked[response.question_id].task["condition"] == "ambig"
    return is_open and response.task["class"] == BiasClass.BIASED


def _pick(response: Response, question: Question) -> TwoPick:
    index = LETTERS.index(str(response.task["letter"]))
    return TwoPick(response.id, _template(question), _stereotype(question, index))


def _item(item: Item, question: Question, shown: Sequence[Response]) -> TwoItem:
    assert question.key is not None
    is_open = question.task["condition"] == "ambig"
    judged = teacher.judge_by_key(question, shown, next(iter(teacher.SEVERITY)))
    return TwoItem(
        item_id=item.id,
        bucket=item.bucket,
        template=_template(question),
        settled=None if is_open else _stereotype(question, question.key),
        place=question.key,
        verdict=None if judged is None else verdict_text(judged.verdict),
    )


def _stereotype(question: Question, index: int) -> int:
    """1 or 2: whose stereotype it is that would pick a choice."""
    groups, tracked = question.task["groups"], question.task["stereotyped_groups"]
    assert isinstance(groups, list)
    assert isinstance(tracked, list)
    return 1 + tracked.index(groups[index])


def _template(question: Question) -> str:
    return question.template_id or question.group_id
