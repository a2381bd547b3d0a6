"""A small run to look at."""

from collections.abc import Sequence
from pathlib import Path

from judgesmith.judging.dialect import Dialect
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Direction,
    Finish,
    Item,
    Judgment,
    Kind,
    Label,
    Question,
    Response,
    Scores,
    Split,
    Status,
    choice,
)
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.manifest import StageReport, make_manifest, write_manifest
from judgesmith.tasks import load_task

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }}"
SECRETS = ("clear_bias", "gen-one", "because of age", "teacher", "is_ambiguous")


def made(folder: Path, second: str = HOSTILE) -> RunDir:
    """Two questions with a pair each; a teacher flips on the first and reads the second.

    `second` is what begins the second response of each.
    """
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
            for model, said in (("gen-one", "The old man"), ("gen-two", second))
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


BIAS = load_task("bias").dialects
PAIR, ALONE = BIAS["bias-pair"], BIAS["bias-single-compact"]
ROWS = {"source": "s", "licence": "l"}


def a_judgment(
    item: Item, judge: str, dialect: Dialect, order: tuple[int, ...],
    verdict: Choice | Scores | None,
    chances: dict[str, dict[str, float]] | None = None,
) -> Judgment:  # fmt: skip
    """What a judge says of an item."""
    return Judgment.make(
        **ROWS, item_id=item.id, judge=judge, dialect=dialect.hash, order=order, sample=0,
        reply="r", rationale=None, verdict=verdict, distribution=chances, reference=None,
        status=Status.NO_VERDICT if verdict is None else Status.PARSED,
    )  # fmt: skip


def evaluated(
    run_dir: RunDir, labels: Sequence[str], judgments: Sequence[Judgment], dialect: Dialect,
    students: Sequence[str],
) -> None:  # fmt: skip
    """Labels by the answer key, and what students were found to say of the items."""
    items = run_dir.read("split/items.jsonl", Item)
    run_dir.write(
        "labels/labels.jsonl",
        [
            Label.make(
                **ROWS, item_id=item.id, verdict=choice(label), direction=Direction.WORSE,
                confidence=None, policy="p", judgment_ids=(), annotator="key",
                annotator_kind=AnnotatorKind.KEY,
            )
            for item, label in zip(items, labels, strict=True)
        ],
    )  # fmt: skip
    run_dir.write("evaluate/judgments.jsonl", judgments)
    report = StageReport(taken=len(items), made=len(items))
    config = {"dialect": dialect.name, "students": list(students)}
    write_manifest(
        run_dir.file("evaluate"),
        make_manifest(
            "evaluate", 1, determined_by={"config": config}, inputs={}, outputs={}, wall_s=0.0,
            report=report,
        ),
    )  # fmt: skip
