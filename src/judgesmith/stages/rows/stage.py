"""The stage: the rows of the training and dev sides."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from judgesmith.errors import DataError
from judgesmith.evaluation.final_label import why_no_reason
from judgesmith.evaluation.learnt import learnt_labels, require_distinct
from judgesmith.evaluation.soft_targets import SOFT_ROWS, Targets
from judgesmith.judging.augment import Meant, parted
from judgesmith.judging.dialect import Dialect, require_direction
from judgesmith.judging.reply import can_be_said
from judgesmith.judging.taken_over import dialects_told
from judgesmith.models.origins import Origins
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    AnnotatorKind,
    Item,
    Judgment,
    Label,
    Question,
    Response,
    SftRow,
    Split,
    index_by_id,
)
from judgesmith.runs.endpoint import model_terms
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.stages.rows.bare import without_reasons
from judgesmith.stages.rows.by_people import OFF_SCALE, said_by_people
from judgesmith.stages.rows.conditions import OTHER_ORDER, Conditions
from judgesmith.stages.rows.config import (
    HOLDS_A_TAG,
    ON_TEST_SIDE,
    Config,
    nothing_sayable,
    nothing_to_learn,
    require_kinds,
)
from judgesmith.stages.rows.select import (
    capped,
    chose_rightly,
    evened,
    without_repeats,
)
from judgesmith.stages.rows.soft import made_from, soft_labels
from judgesmith.stages.rows.write import build_rows, reference_row
from judgesmith.tasks import Task, key_reference, known_dialects, load_dialect, task_of

VERSION = 4
ROWS = "rows/sft.jsonl"
OUTPUTS = (ROWS,)
WITHOUT_REASON = "rows without their reason"
LEARNING = (Split.TRAIN, Split.DEV)


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return (
        "questions/questions.jsonl",
        "responses/responses.jsonl",
        "split/items.jsonl",
        "labels/judgments.jsonl",
        "labels/labels.jsonl",
    )


def outputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage makes."""
    return (ROWS, SOFT_ROWS) if config.soft else OUTPUTS


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Build the rows of the training and dev sides."""
    task = task_of(run_dir.header)
    dialects = [load_dialect(task, name) for name in config.dialects]
    require_kinds(config, dialects)
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    items = run_dir.read("split/items.jsonl", Item)
    judgments = index_by_id(run_dir.read("labels/judgments.jsonl", Judgment))
    everyone = run_dir.read("labels/labels.jsonl", Label)
    require_distinct(everyone, path=str(run_dir.file("labels/labels.jsonl")))
    labels = learnt_labels(everyone, config.labels)
    cited = cited_judgments(everyone, labels, judgments)
    conditions = _conditions(config, dialects, task, cited, run_dir.seed)
    learning = [item for item in items if item.split in LEARNING]
    judged = {item_id for item_id, found in cited.items() if found}
    by_people, conditions.counts[OFF_SCALE] = said_by_people(labels, learning, dialects, judged)
    cited |= by_people
    require_sayable(conditions, [one for found in cited.values() for one in found])
    if len(dialects) == 1:
        require_direction(labels.values(), dialects[0], setting="rows.dialect")
    build = _Build(conditions, task, questions, responses, cited)
    rows, with_rows, dropped = _all_rows(build, items, labels)
    if not rows:
        raise nothing_to_learn(config, everyone, dropped)
    by_id = index_by_id(items)
    origins = Origins(questions, responses, model_terms(run_dir.header.models))
    rows = origins.licensed(rows, by_id, labels, judgments.values())
    kept, left_out = _select(rows, by_id, task, questions, responses, config, run_dir.seed)
    kept, bare = build.without_reasons(kept, config.without_reason, run_dir.seed)
    run_dir.write(ROWS, kept)
    soft: dict[str, Any] = {}
    if config.soft:
        targets = Targets(judgments.values(), labels, [item.id for item in learning])
        soft_rows, soft["soft labels"] = soft_labels(kept, targets, build.sources, dialects)
        run_dir.write(SOFT_ROWS, soft_rows)
    return StageReport(
        taken=len(items),
        made=with_rows,
        dropped={reason: n for reason, n in dropped.items() if n},
        tables={
            "rows by side": dict(Counter(row.split.value for row in kept)),
            OTHER_ORDER: conditions.counts.pop(OTHER_ORDER, 0),
            "judgments whose reason holds a tag": build.with_tags,
            **(left_out | bare),
            **+conditions.counts,
            **_dialects(dialects, kept),
            **soft,
        },
    )


def _all_rows(
    build: "_Build", items: Sequence[Item], labels: Mapping[str, Label]
) -> tuple[list[SftRow], int, Counter[str]]:
    """The rows of every item that is learned from, how many have some, and why others have none."""
    rows: list[SftRow] = []
    dropped: Counter[str] = Counter()
    with_rows = 0
    for item in items:
        if item.split not in LEARNING:
            dropped[ON_TEST_SIDE] += 1
            continue
        label, with_tags = labels.get(item.id), build.with_tags
        made = build.rows_of(item, label)
        with_rows += bool(made)
        dropped[HOLDS_A_TAG if build.with_tags > with_tags else why_no_reason(label)] += not made
        rows += made
    return rows, with_rows, dropped


@dataclass
class _Build:
    """Builds the rows of items; `sources` is the judgment that each row was made from."""

    conditions: Conditions
    task: Task
    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    cited: Mapping[str, Sequence[Judgment]]
    sources: dict[str, Judgment] = field(default_factory=dict)
    with_tags: int = 0

    def rows_of(self, item: Item, label: Label | None) -> list[SftRow]:
        """The rows of one item, in every dialect that it is shown in."""
        question, cited = self.questions[item.question_id], self.cited.get(item.id, [])
        made: list[SftRow] = []
        for dialect, chosen in self.conditions.shown(item, question, cited):
            if chosen and label is not None and len(self.conditions.dialects) > 1:
                require_direction([label], dialect, setting="rows.dialects")
            sayable = [one for one in chosen if can_be_said(dialect, one)]
            self.with_tags += len(chosen) - len(sayable)
            built = _rows(item, question, self.responses, sayable, dialect, self.task)
            self.sources |= made_from(built, sayable, dialect)
            if built and not dialect.answers_first(question):
                texts = [self.responses[i].text for i in item.response_ids]
                given = [one for one in cited if self.conditions.may_teach(dialect, one)]
                refuse_parted(built, dialect, Meant(question, texts, given))
            made += built
        return made

    def without_reasons(
        self, rows: Sequence[SftRow], share: float, seed: int
    ) -> tuple[list[SftRow], dict[str, int]]:
        """The rows, a share of them without their reason, and how many those are."""
        made, before = without_reasons(rows, self.conditions.dialects, share, seed)
        known = self.sources
        known |= {bare: known[told] for bare, told in before.items() if told in known}
        return made, {WITHOUT_REASON: len(before)} if share else {}


def _conditions(
    config: Config, dialects: Sequence[Dialect], task: Task,
    cited: Mapping[str, Sequence[Judgment]], seed: int,
) -> Conditions:  # fmt: skip
    return Conditions(
        dialects,
        known=known_dialects(task),
        spoken={one.dialect for found in cited.values() for one in found},
        orders=config.orders,
        augment=config.augment,
        seed=seed,
        by_key=config.labels is AnnotatorKind.KEY,
    )


def require_sayable(conditions: Conditions, cited: Sequence[Judgment]) -> None:
    """Refuse judgments of which none can be learnt in any dialect of the rows, and say in which."""
    dialects = conditions.dialects
    if cited and not any(conditions.may_teach(d, one) for d in dialects for one in cited):
        raise nothing_sayable(dialects, dialects_told(cited, conditions.known))


def refuse_parted(rows: Iterable[SftRow], dialect: Dialect, meant: Meant) -> None:
    """Raise DataError for a row whose verdict was not given for the texts that it shows."""
    for row in rows:
        wrong = parted(row, dialect, meant) if row.order else None
        if wrong is not None:
            raise DataError(
                f"rows: {wrong}. Text and verdict have parted company, and no such row may be "
                "trained on. This is an error of judgesmith: please report it with the recipe."
            )


def cited_judgments(
    everyone: Iterable[Label], learnt: Mapping[str, Label], judgments: Mapping[str, Judgment]
) -> dict[str, list[Judgment]]:
    """By item, the judgments of the label that is learnt, and of others by the same annotator.

    One annotator may have several labels of an item, such as a verdict on the pair and a score for
    each of its responses.
    """
    found: dict[str, dict[str, Judgment]] = {}
    for label in [*learnt.values(), *everyone]:
        chosen = learnt.get(label.item_id)
        same = chosen is not None and (label.annotator_kind, label.annotator) == (
            chosen.annotator_kind, chosen.annotator,
        )  # fmt: skip
        if same:
            cited = found.setdefault(label.item_id, {})
            cited.update({i: judgments[i] for i in label.judgment_ids if i not in cited})
    return {item: list(cited.values()) for item, cited in found.items()}


def _dialects(dialects: Sequence[Dialect], rows: Sequence[SftRow]) -> dict[str, Any]:
    """The dialect of the rows, or how many rows each of several has."""
    if len(dialects) == 1:
        return {"dialect": dialects[0].name}
    counts = Counter(row.dialect for row in rows)
    return {"rows by dialect": {dialect.name: counts[dialect.hash] for dialect in dialects}}


def _rows(
    item: Item, question: Question, responses: Mapping[str, Response],
    judgments: Sequence[Judgment], dialect: Dialect, task: Task,
) -> list[SftRow]:  # fmt: skip
    """The rows of an item's judgments, and the one with the answer that the judge gives first."""
    if not judgments:
        return []
    first = dialect.answers_first(question)
    own = next((one.reference for one in judgments if one.reference is not None), None)
    told = own if first and own is not None else key_reference(task, dialect, question)
    rows = [
        row
        for one in judgments
        for row in build_rows(
            item, question, responses, [one], dialect, (one.reference if first else None) or told
        )
    ]
    answer = reference_row(item, question, dialect, told) if rows else []
    if told == own:
        answer = [row.with_fields(source=rows[0].source) for row in answer]
    return rows + answer


def _select(
    rows: Sequence[SftRow], items: Mapping[str, Item], task: Task,
    questions: Mapping[str, Question], responses: Mapping[str, Response], config: Config, seed: int,
) -> tuple[list[SftRow], dict[str, int]]:  # fmt: skip
    """The rows that are kept, and how many are not for which reason."""
    unique = without_repeats(rows)
    few = unique
    if config.per_question is not None:
        few = capped(unique, items, config.per_question, seed)
    even = few
    if config.even:
        right = {r.id: chose_rightly(r, items[r.item_id], task, questions, responses) for r in few}
        even = evened(few, right, seed)
    return even, {
        "examples that another item has too": len(rows) - len(unique),
        "left out over per_question": len(unique) - len(few),
        "left out to be even": len(few) - len(even),
    }
