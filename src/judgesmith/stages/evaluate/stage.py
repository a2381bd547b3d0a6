"""The evaluate stage: judge the test items, score every judge, write the results."""

from collections.abc import Sequence
from pathlib import Path

from judgesmith.inference.students import check_dialect
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Judgment, content_id
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.looks import record_look
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.students import student_folder
from judgesmith.stages.evaluate.asking import JUDGMENTS, Asker, check_students
from judgesmith.stages.evaluate.config import Config, Part
from judgesmith.stages.evaluate.cut_replies import cut_findings
from judgesmith.stages.evaluate.labelled_side import NobodyLabelled, read_labelled_side
from judgesmith.stages.evaluate.measuring import Asked, Setting, measure, roles
from judgesmith.stages.evaluate.together import consistency, kept, pairs_to_score
from judgesmith.tasks import Task, load_dialect, task_of

__all__ = ["OUTPUTS", "VERSION", "Config", "inputs", "outside", "roles", "run"]

VERSION = 8
OUTPUTS = (JUDGMENTS, "evaluate/results.json")


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return (
        "questions/questions.jsonl",
        "responses/responses.jsonl",
        "split/items.jsonl",
        "labels/judgments.jsonl",
        "labels/labels.jsonl",
        "rows/sft.jsonl",
        *(student_folder(name) for name in config.everybody),
    )


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Judge, score, compare, and write the results."""
    task = task_of(run_dir.header)
    asker = Asker(run_dir, models)
    asked, missing = _ask_everything(config, run_dir, task, asker)
    main = asked[0]
    alone = pairs_to_score(asked, asker)
    setting = Setting(config, run_dir, task, record_look(run_dir, _look(asker.judgments, asked)))
    measured = [measure(one, setting) for one in asked]
    results = measured[0].evaluation.model_copy(
        update={
            "also": tuple(one.evaluation for one in measured[1:]),
            "consistency": consistency(measured, alone),
            "kept": kept(measured, config.merge),
            "missing": missing,
        }
    )
    run_dir.write(OUTPUTS[0], asker.judgments)
    write_json(run_dir.file(OUTPUTS[1]), results.model_dump(mode="json"))
    asker.forget_partials()
    lost = main.found.unlabelled
    cut = cut_findings(asked, run_dir)
    return StageReport(
        taken=len(main.found.items) + lost,
        made=len(main.found.items),
        dropped={f"no label of kind {config.labels.value}": lost} if lost else {},
        tables={"unparsed": _status_counts(asker.judgments)}
        | ({"findings": [one.to_dict() for one in cut]} if cut else {}),
        **asker.usage.as_fields(),
    )


def _ask_everything(
    config: Config, run_dir: RunDir, task: Task, asker: Asker
) -> tuple[list[Asked], dict[str, str]]:
    """What every part's students say; and the further parts that nobody labelled, with why.

    Everything that can be refused is refused before the first student is asked.
    """
    sides, missing = [], {}
    for number, part in enumerate(config.parts):
        dialect = load_dialect(task, part.dialect)
        if number == 0:
            check_dialect(run_dir, dialect)
        check_students(run_dir, part, dialect, deciding=number == 0)
        try:
            sides.append((part, dialect, read_labelled_side(run_dir, part.labels, dialect)))
        except NobodyLabelled as error:
            if number == 0:
                raise
            missing[_title(part)] = str(error)
    asked = [
        Asked(part, dialect, found, asker.ask(part, dialect, found.items, found))
        for part, dialect, found in sides
    ]
    return asked, missing


def _title(part: Part) -> str:
    return f"{part.dialect}, labels of kind {part.labels.value}"


def _look(judgments: Sequence[Judgment], asked: Sequence[Asked]) -> str:
    """What was looked at: these replies against these labels."""
    said = [(judgment.id, judgment.reply) for judgment in judgments]
    return content_id("look", said, *(one.found.labels for one in asked))


def _status_counts(judgments: Sequence[Judgment]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for judgment in judgments:
        counts = table.setdefault(judgment.judge, {})
        counts[judgment.status.value] = counts.get(judgment.status.value, 0) + 1
    return table
