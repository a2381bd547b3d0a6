"""A few judged items that a person can read: right and wrong verdicts, evenly."""

from collections.abc import Mapping, Sequence

from judgesmith.records import Question, Response, keyed_rng
from judgesmith.report.results import Example
from judgesmith.stages.evaluate.judges import Judge
from judgesmith.stages.evaluate.scoring import Scored


def pick_examples(
    judge: Judge, rows: Sequence[Scored], questions: Mapping[str, Question],
    responses: Mapping[str, Response], *, count: int, seed: int,
) -> tuple[Example, ...]:  # fmt: skip
    """Up to `count` examples, half of them wrong verdicts where there are enough, drawn by seed."""
    order = sorted(rows, key=lambda row: keyed_rng(seed, "example", row.item.id).random())
    wrong = [row for row in order if judge.verdicts[row.item.id].averaged != row.label]
    right = [row for row in order if judge.verdicts[row.item.id].averaged == row.label]
    chosen = wrong[: count // 2]
    chosen += right[: count - len(chosen)]
    return tuple(_example(judge, row, questions, responses) for row in chosen)


def _example(
    judge: Judge, row: Scored, questions: Mapping[str, Question], responses: Mapping[str, Response]
) -> Example:
    question = questions[row.item.question_id]
    shown = [responses[i] for i in row.item.response_ids]
    read = judge.verdicts[row.item.id]
    return Example(
        item_id=row.item.id,
        slice="in_domain" if row.item.split == "test" else "out_of_domain",
        bucket=row.item.bucket,
        category=question.category,
        context=question.context,
        question=question.text,
        choices=question.choices or (),
        responses=tuple(response.text for response in shown),
        generators=tuple(response.model for response in shown),
        label=row.label,
        verdict=None if read.averaged is None else str(read.averaged),
        right=read.averaged == row.label,
        rationale=read.rationale,
        probability=read.probability,
    )
