"""Labelled items as rows for scoring, with what slices need to know of them."""

from collections.abc import Iterable, Mapping, Sequence

from judgesmith.evaluation.scoring import Scored
from judgesmith.models.about import CRITERION, score_key
from judgesmith.records import Item, Question, Response


def scored(
    item: Item, label: str, question: Question, responses: Mapping[str, Response],
    slices: Sequence[str],
) -> Scored:  # fmt: skip
    """An item ready for scoring; `slices` names task fields to break results down by."""
    lengths = [len(responses[i].text.split()) for i in item.response_ids]
    words = (lengths[0], lengths[1]) if len(lengths) == 2 else None
    fields = _fields(item, question, slices)
    return Scored(item.id, label, question.group_id, words, fields)


def score_rows_of(
    items: Iterable[Item], scores: Mapping[str, float], questions: Mapping[str, Question],
    slices: Sequence[str],
) -> list[tuple[Item, Scored]]:  # fmt: skip
    """One row for each label that is a score, with the first item that its response lies in."""
    rows: dict[str, tuple[Item, Scored]] = {}
    criteria = list(dict.fromkeys(key.partition(CRITERION)[2] or None for key in scores))
    for item in items:
        question = questions[item.question_id]
        for criterion in criteria:
            fields = _fields(item, question, slices)
            if criterion is not None:
                fields["criterion"] = criterion
            for position in range(len(item.response_ids)):
                key = score_key(item, position, criterion)
                if key in scores and key not in rows:
                    label = f"{scores[key]:g}"
                    row = Scored(key, label, question.group_id, None, fields, scores[key])
                    rows[key] = item, row
    return list(rows.values())


def _fields(item: Item, question: Question, slices: Sequence[str]) -> dict[str, str]:
    fields = {"bucket": item.bucket, "category": question.category or "none"}
    return fields | {name: str(question.task.get(name)) for name in slices}


def item_rows(
    items: Iterable[Item], questions: Mapping[str, Question]
) -> list[tuple[Item, Scored]]:  # fmt: skip
    """One row for each item, without a label: what replies are counted by."""
    return [
        (item, Scored(item.id, "", questions[item.question_id].group_id, None,
                      {"bucket": item.bucket}))
        for item in items
    ]  # fmt: skip
