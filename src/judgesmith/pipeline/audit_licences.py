"""The terms of a run's records: each followed back to its questions, responses and judges."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from judgesmith.audits.licence_findings import AUDIT, licence_findings
from judgesmith.audits.licence_table import Carried, LicenceTable, licence_table
from judgesmith.audits.licences import Part, terms_of
from judgesmith.errors import JudgesmithError
from judgesmith.evaluation.learnt import learnt_labels
from judgesmith.models.origins import (
    Origins,
    by_item,
    given_behind,
    judges_behind,
    people_behind,
)
from judgesmith.pipeline.audit_found import Audited
from judgesmith.records import (
    Item,
    Judgment,
    Label,
    PreferenceRow,
    Question,
    Record,
    Response,
    SftRow,
    index_by_id,
)
from judgesmith.runs.endpoint import model_terms
from judgesmith.runs.layout import RunDir
from judgesmith.runs.recipe import Recipe
from judgesmith.stages import preferences, rows

QUESTIONS, RESPONSES = "questions/questions.jsonl", "responses/responses.jsonl"
JUDGMENTS, LABELS = "labels/judgments.jsonl", "labels/labels.jsonl"
ITEMS = "split/items.jsonl"
SFT, PREFERENCES = "rows/sft.jsonl", "preferences/preferences.jsonl"
TRAINING = (SFT, PREFERENCES)

R = TypeVar("R", bound=Record)


def audit_licences(name: str, run_dir: RunDir, recipe: Recipe, into: Audited) -> None:
    """Say of every record file which terms it stands under, and what may be published."""
    if recipe.header.rehearsed:
        into.skip(AUDIT, "a rehearsal: no model of the recipe wrote any of it", of=name)
        return
    if not run_dir.file(QUESTIONS).exists():
        into.skip(AUDIT, f"{QUESTIONS} is not there yet", of=name)
        return
    try:
        made = _Made(run_dir, recipe)
        outputs = made.outputs()
    except JudgesmithError as error:
        into.skip(AUDIT, str(error), of=name)
        return
    for output, n in made.strays.items():
        why = f"{n} records cite what the run does not hold any more: run the recipe again"
        into.skip(f"{AUDIT} of {output}", why, of=name)
    table = licence_table(outputs, training=TRAINING)
    into.add(f"{AUDIT}, {name}", table.to_dict(), licence_findings(table))


def licences_of(run_dir: RunDir, recipe: Recipe) -> LicenceTable | None:
    """The terms of a run's records; None of a rehearsal, and of a run whose parts do not join."""
    if recipe.header.rehearsed:
        return None
    try:
        return licence_table(_Made(run_dir, recipe).outputs(), training=TRAINING)
    except JudgesmithError:
        return None


class _Made:
    """What a run has made so far, joined by ids; `strays` counts what nothing joins, by file."""

    def __init__(self, run_dir: RunDir, recipe: Recipe) -> None:
        read = self._read = run_dir.read_if_made
        questions = index_by_id(read(QUESTIONS, Question))
        responses = index_by_id(read(RESPONSES, Response))
        self._origins = Origins(questions, responses, model_terms(run_dir.header.models))
        self._items = index_by_id(read(ITEMS, Item))
        self._labels = read(LABELS, Label)
        self._judged = by_item(read(JUDGMENTS, Judgment))
        self._learned: dict[str, dict[str, Label]] = {}
        self._writers: dict[str, tuple[str, ...]] = {}
        for stage, output in (("rows", SFT), ("preferences", PREFERENCES)):
            section = recipe.sections.get(stage)
            if isinstance(section, rows.Config | preferences.Config):
                self._writers[output] = section.asks
                self._learned[output] = learnt_labels(self._labels, section.labels)
        self.strays: Counter[str] = Counter()

    def outputs(self) -> dict[str, list[Carried]]:
        """The records of each file, with their parts."""
        judgments = (one for found in self._judged.values() for one in found)
        contrasts = self._read(PREFERENCES, PreferenceRow)
        return {
            QUESTIONS: self._all(QUESTIONS, self._origins.questions.values(), self._of_question),
            RESPONSES: self._all(RESPONSES, self._origins.responses.values(), self._of_response),
            JUDGMENTS: self._all(JUDGMENTS, judgments, self._of_judgment),
            LABELS: self._all(LABELS, self._labels, self._of_label),
            SFT: self._all(SFT, self._read(SFT, SftRow), partial(self._of_row, SFT)),
            PREFERENCES: self._all(PREFERENCES, contrasts, partial(self._of_row, PREFERENCES)),
        }

    def _all(
        self, output: str, records: Iterable[R], parts: Callable[[R], tuple[Part, ...]]
    ) -> list[Carried]:
        found = []
        for record in records:
            try:
                found.append(Carried(record.id, parts(record)))
            except KeyError:  # an earlier stage was run again since
                self.strays[output] += 1
        return found

    def _of_question(self, question: Question) -> tuple[Part, ...]:
        return terms_of(question.licence, models=self._origins.models)

    def _of_response(self, response: Response) -> tuple[Part, ...]:
        question = self._origins.questions[response.question_id]
        author = (response.licence, response.model)
        return terms_of(question.licence, [author], models=self._origins.models)

    def _of_judgment(self, judgment: Judgment) -> tuple[Part, ...]:
        item = self._items[judgment.item_id]
        given = [(judgment.judge, judgment.licence)]
        return self._origins.parts(item, judgment.order, [judgment.judge], given=given)

    def _of_label(self, label: Label) -> tuple[Part, ...]:
        item = self._items[label.item_id]
        return self._resting(item, range(len(item.response_ids)), label)

    def _of_row(self, output: str, row: SftRow | PreferenceRow) -> tuple[Part, ...]:
        label = self._learned[output][row.item_id]
        return self._resting(self._items[row.item_id], row.order, label, self._writers[output])

    def _resting(
        self, item: Item, order: Iterable[int], label: Label, writers: Iterable[str] = ()
    ) -> tuple[Part, ...]:
        """The parts of what shows responses of an item and rests on its label."""
        judged = self._judged[item.id]
        return self._origins.parts(
            item, order, [*judges_behind(label, judged), *writers],
            people=people_behind(label), given=given_behind(label, judged),
        )  # fmt: skip
