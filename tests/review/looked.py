"""A small run to look at."""

from pathlib import Path

from judgesmith.records import (
    Finish,
    Item,
    Judgment,
    Kind,
    Question,
    Response,
    Split,
    Status,
    choice,
)
from judgesmith.runs.layout import Header, RunDir

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }}"
SECRETS = ("clear_bias", "gen-one", "because of age", "teacher", "is_ambiguous")


def made(folder: Path) -> RunDir:
    """Two questions with a pair each; a teacher flips on the first and reads the second."""
    run_dir = RunDir(folder, Header(name="tiny", task="bias", seed=1))
    common = {"source": "s", "licence": "l"}
    questions, responses, items, judgments = [], [], [], []
    for n, text in enumerate(("Who tripped?", "Who sang?")):
        question = Question.make(
            **common, group_id=str(n), template_id=None, category="age", context=None, text=text,
            choices=None, key=None, reference=None, grounding=None,
            task={"condition": "is_ambiguous"},
        )  # fmt: skip
        both = [
            Response.make(
                **common, question_id=question.id, model=model, sampling={}, finish=Finish.STOP,
                text=f"{said} {n}", task={},
            )
            for model, said in (("gen-one", "The old man"), ("gen-two", HOSTILE))
        ]  # fmt: skip
        item = Item.make(
            **common, kind=Kind.PAIR, question_id=question.id, subtype=None, split=Split.TEST,
            response_ids=tuple(one.id for one in both), bucket="clear_bias",
        )  # fmt: skip
        for order, verdict in (((0, 1), "A"), ((1, 0), "A" if n == 0 else "B")):
            judgments.append(
                Judgment.make(
                    **common, item_id=item.id, judge="teacher", dialect="d", order=order, sample=0,
                    reply="r", rationale="because of age", verdict=choice(verdict),
                    distribution=None, status=Status.PARSED, reference=None,
                )
            )  # fmt: skip
        questions.append(question)
        responses += both
        items.append(item)
    run_dir.write("questions/questions.jsonl", questions)
    run_dir.write("responses/responses.jsonl", responses)
    run_dir.write("items/items.jsonl", items)
    run_dir.write("split/items.jsonl", items)
    run_dir.write("labels/judgments.jsonl", judgments)
    return run_dir
