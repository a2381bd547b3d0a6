"""The test items of one dialect with their labels: verdicts, or scores of single responses."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from judgesmith.audits.ties import majority
from judgesmith.errors import DataError
from judgesmith.evaluation.learnt import LEAST_VOTERS
from judgesmith.judging.dialect import Dialect, require_direction
from judgesmith.judging.taken_over import taken_over
from judgesmith.models.about import Form, form_of, kinds_about, letter_of, score_units, scores_alone
from judgesmith.records import (
    AnnotatorKind,
    Item,
    Judgment,
    Kind,
    Label,
    Question,
    Response,
    Split,
    index_by_id,
)
from judgesmith.runs.layout import RunDir
from judgesmith.stages.evaluate.no_labels import what_to_do
from judgesmith.tasks import known_dialects, task_of


class NobodyLabelled(DataError):
    """No test item that a dialect is about has a label of the kind that was asked for."""


TEST = (Split.TEST, Split.HELD_OUT)


@dataclass(frozen=True)
class LabelledSide:
    """Labelled test items. `labels` are one annotator's, or the majority's of three people or more.

    `said` is what each annotator says, `annotator` the one whose labels they are; None where it is
    the majority.
    Labels are letters by item id, and `scores` is empty; or, in the form "scores", both are by the
    key of a score (`models.about.score_key`), once as text and once as number.
    """

    questions: dict[str, Question]
    responses: dict[str, Response]
    items: tuple[Item, ...]
    labels: Mapping[str, str]
    annotator: str | None
    said: Mapping[str, Mapping[str, str]]
    title: str
    training: tuple[Item, ...]
    training_labels: Mapping[str, str]
    unlabelled: int
    form: Form = "pairs"
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def others(self) -> dict[str, Mapping[str, str]]:
        """What annotators say whose labels these are not, or not alone.

        People who shared the items out have nothing to be compared on: there is nobody then.
        """
        if self.annotator is None and sum(map(len, self.said.values())) == len(self.labels):
            return {}
        return {name: told for name, told in self.said.items() if name != self.annotator}

    @property
    def beside(self) -> str:
        """What one of the others is, measured against these labels."""
        return "voted for these labels" if self.annotator is None else "the human ceiling"


def read_labelled_side(run_dir: RunDir, kind: AnnotatorKind, dialect: Dialect) -> LabelledSide:
    """The run's test side, with the labels of one kind of annotator, and its training side.

    Raises NobodyLabelled where no test item has such a label, and DataError where labels and
    dialect disagree on what a letter names, or where the dialect is shown lists.
    """
    if dialect.kind is Kind.LIST:
        raise DataError(
            f"evaluate: dialect {dialect.name!r} is shown lists of responses, which are not "
            "measured: labels and figures are of single responses and of pairs. Evaluate in a "
            "dialect for either (the same student may be asked in it)."
        )
    items = run_dir.read("split/items.jsonl", Item)
    by_id = index_by_id(items)
    labels = run_dir.read("labels/labels.jsonl", Label)
    form = form_of(dialect, labels, by_id)
    if form == "scores":
        judgments = index_by_id(run_dir.read_if_made("labels/judgments.jsonl", Judgment))
        labels = taken_over(labels, judgments, known_dialects(task_of(run_dir.header)), dialect)
    kinds = kinds_about(dialect, form)
    labels = [
        label
        for label in labels
        if label.item_id not in by_id or _is_about(label, by_id[label.item_id], form, kinds)
    ]
    require_direction(_directed(labels), dialect, setting="evaluate.dialect")
    on_test = [item for item in items if item.split in TEST and item.kind in kinds]
    found = said_by_annotator(labels, kind, on_test, form)
    if not found:
        none = _none_labelled(on_test, kind, dialect, form)
        raise NobodyLabelled(f"{none} {what_to_do(run_dir, kind)}")
    annotator, chosen = _counting(found, kind, form)
    train = {item.id: item for item in items if item.split is Split.TRAIN and item.kind in kinds}
    by = {
        label.item_id
        for label in labels
        if (label.annotator, label.annotator_kind) == (annotator, kind)
    }
    labelled = [item for item in on_test if item.id in (by if form == "scores" else chosen)]
    return LabelledSide(
        questions=index_by_id(run_dir.read("questions/questions.jsonl", Question)),
        responses=index_by_id(run_dir.read("responses/responses.jsonl", Response)),
        items=tuple(labelled),
        labels=chosen,
        annotator=annotator,
        said=found,
        title=_by_people(found, chosen)
        if annotator is None
        else labels_title(
            kind, labels, {item.id: "" for item in labelled}, annotator, of=len(chosen)
        ),
        training=tuple(train.values()),
        training_labels=_all_said(labels, train, form),
        unlabelled=len(on_test) - len(labelled),
        form=form,
        scores={key: float(value) for key, value in chosen.items()} if form == "scores" else {},
    )


def _is_about(label: Label, item: Item, form: Form, kinds: Sequence[object]) -> bool:
    """Whether a label says something in this form of an item of these kinds."""
    return item.kind in kinds and scores_alone(label, item) is (form == "scores")


def _directed(labels: Iterable[Label]) -> list[Label]:
    """Labels that say what a letter or a higher score names; a score alone may leave it open."""
    return [
        label for label in labels if label.direction is not None or label.verdict.kind != "scores"
    ]


def _none_labelled(
    on_test: Sequence[Item], kind: AnnotatorKind, dialect: Dialect, form: Form
) -> str:
    what = "a score" if form == "scores" else "a label"
    return (
        f"evaluate: none of the {len(on_test)} test items of dialect {dialect.name!r} has {what} "
        f"of kind {kind.value!r}."
    )


def said(label: Label, item: Item, form: Form) -> dict[str, str]:
    """What a label says, by item id or by the key of a score."""
    if form == "scores":
        return {key: f"{value:g}" for key, value in score_units(label.verdict, item).items()}
    letter = letter_of(label, item)
    return {} if letter is None else {item.id: letter}


def said_by_annotator(
    labels: Iterable[Label], kind: AnnotatorKind, items: Iterable[Item], form: Form = "pairs"
) -> dict[str, dict[str, str]]:
    """What each annotator of one kind says of the given items.

    Where one annotator says something twice, the last verdict on an item counts, and the first
    score of a response: it may lie in several items, and is read as it was judged first.
    """
    wanted = index_by_id(items)
    found: dict[str, dict[str, str]] = {}
    for label in labels:
        if label.annotator_kind is kind and label.item_id in wanted:
            told = said(label, wanted[label.item_id], form)
            if told:
                own = found.setdefault(label.annotator, {})
                found[label.annotator] = told | own if form == "scores" else own | told
    return found


def _counting(
    found: Mapping[str, Mapping[str, str]], kind: AnnotatorKind, form: Form
) -> tuple[str | None, Mapping[str, str]]:
    """Whose labels count: on pairs the majority's of people of whom three judged one item or more.

    So do those of people who shared the items out among them. Else it is the annotator with the
    most labels. An item without a majority has no label.
    """
    votes = Counter(item_id for told in found.values() for item_id in told)
    most = max(votes.values())
    shared = most == 1 or most >= LEAST_VOTERS
    if kind is not AnnotatorKind.PERSON or form == "scores" or len(found) == 1 or not shared:
        annotator = max(sorted(found), key=lambda name: len(found[name]))
        return annotator, found[annotator]
    decided = {one: majority(told.get(one) for told in found.values()) for one in votes}
    return None, {item_id: verdict for item_id, verdict in decided.items() if verdict is not None}


def _by_people(found: Mapping[str, Mapping[str, str]], chosen: Mapping[str, str]) -> str:
    """Whose verdicts they are, and on how many items most people say nothing in common."""
    who, given = ", ".join(sorted(found)), {item_id for told in found.values() for item_id in told}
    if sum(map(len, found.values())) == len(given):
        return f"labels: {len(chosen)} verdicts by {who}, one person each"
    torn = len(given) - len(chosen)
    left = f"; no majority on {torn}" if torn else ""
    return f"labels: {len(chosen)} verdicts by majority of {who}{left}"


def _all_said(
    labels: Iterable[Label], train: Mapping[str, Item], form: Form
) -> dict[str, str]:  # fmt: skip
    """What any annotator says of training items; the last one counts."""
    found: dict[str, str] = {}
    for label in labels:
        if label.item_id in train:
            found |= said(label, train[label.item_id], form)
    return found


def labels_title(
    kind: AnnotatorKind, labels: Sequence[Label], on: Mapping[str, str], annotator: str, *,
    of: int | None = None,
) -> str:  # fmt: skip
    """Whose labels they are, in words that go into the title of every table.

    `on` are the labelled items; `of` is how many labels there are, where an item has several.
    """
    count = len(on) if of is None else of
    used = [label for label in labels if label.annotator_kind is kind and label.item_id in on]
    scored = any(label.verdict.kind == "scores" for label in used)
    if kind is AnnotatorKind.PERSON:
        return f"labels: {count} {'scores' if scored else 'verdicts'} by one person ({annotator})"
    if kind is AnnotatorKind.KEY:
        policies = ", ".join(sorted({label.policy for label in used}))
        return f"labels: answer key ({policies}), not people; n = {count}"
    who = "a simulated teacher" if kind is AnnotatorKind.SIMULATED else "another judge"
    return f"labels: {who} ({annotator}), not people; n = {count}"
