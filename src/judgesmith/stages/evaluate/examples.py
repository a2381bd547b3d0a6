"""A few judged items that a person can read: right and wrong verdicts, evenly."""

from collections.abc import Mapping, Sequence

from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.score_judges import UNREAD, ScoreJudge
from judgesmith.evaluation.scoring import Scored
from judgesmith.models.about import score_key
from judgesmith.records import Item, Question, Response, keyed_rng
from judgesmith.report.results import Example


def pick_examples(
    judge: Judge, items: Sequence[Item], labels: Mapping[str, str],
    questions: Mapping[str, Question], responses: Mapping[str, Response], *, count: int, seed: int,
) -> tuple[Example, ...]:  # fmt: skip
    """Up to `count` examples, half of them wrong verdicts where there are enough, drawn by seed."""
    order = sorted(items, key=lambda item: keyed_rng(seed, "example", item.id).random())
    wrong = [item for item in order if judge.verdicts[item.id].averaged != labels[item.id]]
    right = [item for item in order if judge.verdicts[item.id].averaged == labels[item.id]]
    chosen = wrong[: count // 2]
    chosen += right[: count - len(chosen)]
    return tuple(_example(judge, item, labels[item.id], questions, responses) for item in chosen)


def pick_score_examples(
    judge: ScoreJudge, rows: Sequence[tuple[Item, Scored]], questions: Mapping[str, Question],
    responses: Mapping[str, Response], *, count: int, seed: int,
) -> tuple[Example, ...]:  # fmt: skip
    """The same of scores; right is a score that equals the label."""
    order = sorted(rows, key=lambda row: keyed_rng(seed, "example", row[1].item_id).random())
    made = [_scored_example(judge, item, row, questions, responses) for item, row in order]
    chosen = [one for one in made if not one.right][: count // 2]
    chosen += [one for one in made if one.right][: count - len(chosen)]
    return tuple(chosen)


def _scored_example(
    judge: ScoreJudge, item: Item, row: Scored, questions: Mapping[str, Question],
    responses: Mapping[str, Response],
) -> Example:  # fmt: skip
    read = judge.reads.get(row.item_id, UNREAD)
    positions = range(len(item.response_ids))
    criterion = row.fields.get("criterion")
    (shown,) = [
        responses[item.response_ids[p]]
        for p in positions
        if score_key(item, p, criterion) == row.item_id
    ][:1]
    question = questions[item.question_id]
    return Example(
        item_id=item.id,
        slice="in_domain" if item.split == "test" else "out_of_domain",
        bucket=item.bucket,
        category=question.category,
        context=question.context,
        question=question.text,
        choices=question.choices or (),
        responses=(shown.text,),
        generators=(shown.model,),
        label=row.label,
        verdict=None if read.score is None else f"{read.score:g}",
        right=read.score == row.score,
        rationale=read.rationale,
        probability=None,
    )


def _example(
    judge: Judge, item: Item, label: str, questions: Mapping[str, Question],
    responses: Mapping[str, Response],
) -> Example:  # fmt: skip
    question = questions[item.question_id]
    shown = [responses[i] for i in item.response_ids]
    read = judge.verdicts[item.id]
    return Example(
        item_id=item.id,
        slice="in_domain" if item.split == "test" else "out_of_domain",
        bucket=item.bucket,
        category=question.category,
        context=question.context,
        question=question.text,
        choices=question.choices or (),
        responses=tuple(response.text for response in shown),
        generators=tuple(response.model for response in shown),
        label=label,
        verdict=None if read.averaged is None else str(read.averaged),
        right=read.averaged == label,
        rationale=read.rationale,
        probability=read.probability,
    )
