"""Dev items with their labels, on which a student is measured while it learns.

By Cohen's kappa where labels are verdicts; by quadratic weighted kappa where they are scores of
single responses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.taken_over import taken_over
from judgesmith.metrics import cohen_kappa
from judgesmith.metrics.weighted import weighted_kappa
from judgesmith.models.about import form_of, kinds_about, letter_of, score_units, scores_alone
from judgesmith.models.judge import Shown, judge
from judgesmith.models.pointwise import (
    ScoredPair,
    choose_margin,
    expected_scores,
    pair_verdict,
    write_margin,
)
from judgesmith.models.protocol import Model
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
    keyed_rng,
)
from judgesmith.runs.layout import RunDir

UNPARSED = "unparsed"
PLACES = 6


class Asking(NamedTuple):
    """How the student is asked: the dialect, the length of a reply, and how many items."""

    dialect: Dialect
    max_tokens: int
    limit: int
    seed: int


class DevSet:
    """Items of the dev side that have a label, at most `asking.limit` of them.

    Labels are those that no person gave; where there are none on this side, those by people, of
    several people the last one's. Where scores are compared, `on_scale` picks the labels whose
    scores mean the same in the asking's dialect. Which items is drawn from the seed and their ids.
    """

    def __init__(
        self, items: Iterable[Item], labels: Iterable[Label], *,
        questions: Iterable[Question], responses: Iterable[Response], asking: Asking,
        on_scale: Callable[[list[Label]], list[Label]] = list,
    ) -> None:  # fmt: skip
        self.questions, self.responses = index_by_id(questions), index_by_id(responses)
        self.asking = asking
        on_dev = {item.id: item for item in items if item.split is Split.DEV}
        said_there = [label for label in labels if label.item_id in on_dev]
        others = [one for one in said_there if one.annotator_kind is not AnnotatorKind.PERSON]
        given = others or said_there
        self.form = form_of(asking.dialect, given, on_dev)
        if self.form == "scores":
            given = on_scale(given)
        kinds = kinds_about(asking.dialect, self.form)
        said = {
            label.item_id: label
            for label in given
            if on_dev[label.item_id].kind in kinds and self._says(label, on_dev[label.item_id])
        }
        found = [on_dev[item_id] for item_id in on_dev if item_id in said]
        found.sort(key=lambda item: keyed_rng(asking.seed, "dev", item.id).random())
        self.items = found[: asking.limit]
        self._labels = [said[item.id] for item in self.items]
        self.labels = [
            letter_of(label, item) or ""
            for label, item in zip(self._labels, self.items, strict=True)
        ]

    def _says(self, label: Label, item: Item) -> bool:
        """Whether a label says something of an item in the form in which students are measured."""
        if self.form == "scores":
            return scores_alone(label, item)
        return letter_of(label, item) is not None

    def kappa(self, model: Model) -> float | None:
        """Cohen's kappa in stored order; an unparsed reply counts as wrong. None if undefined.

        A judge that scores each response alone is measured with the tie margin that it would keep.
        Where labels are scores, it is quadratic weighted kappa over all scores, and an unparsed
        reply counts as the end of the scale that is farther from the label.
        """
        return self.kappa_of(self._judge(model))

    def kappa_of(self, judgments: Sequence[Judgment]) -> float | None:
        """The same of judgments at hand, one for each of the items, in their stored order."""
        if self.form == "scores":
            verdicts, labels = self.places_of(judgments)
            levels = range(len(self.asking.dialect.scale.values))
            found = weighted_kappa(verdicts, labels, labels=levels)
        else:
            margin = self.best_margin(judgments)
            letters = [pair_verdict(judgment, margin) or UNPARSED for judgment in judgments]
            found = cohen_kappa(letters, self.labels)
        return None if found.value is None else round(found.value, PLACES)

    def keep_margin(self, open_model: Callable[[], Model], folder: Path) -> float | None:
        """Keep in the student's folder the tie margin that these items call for.

        None, and nothing is opened or kept, for a judge that is shown pairs: it says by itself
        what is a tie. The same where labels are scores, so that there is no tie to make.
        """
        if not self.needs_margin:
            return None
        margin = self.best_margin(self._judge(open_model()))
        if margin is not None:
            write_margin(folder, margin, self.asking.dialect.hash)
        return margin

    @property
    def needs_margin(self) -> bool:
        """Whether scores of single responses are made into verdicts on pairs here."""
        return self.asking.dialect.scores_alone and self.form != "scores"

    def _judge(self, model: Model) -> list[Judgment]:
        shown = [Shown(item, tuple(range(len(item.response_ids)))) for item in self.items]
        judged = judge(
            model, shown, self.questions, self.responses,
            dialect=self.asking.dialect, max_tokens=self.asking.max_tokens,
        )  # fmt: skip
        return [judgment for judgment, _ in judged]

    def places_of(self, judgments: Sequence[Judgment]) -> tuple[list[int], list[int]]:
        """Scores and labels as places on the scale; labels between two grades count as the nearest.

        A score that is unread is the end of the scale that is farther from its label.
        """
        scale = [float(value) for value in self.asking.dialect.scale.values]
        verdicts: list[int] = []
        labels: list[int] = []
        for judgment, label, item in zip(judgments, self._labels, self.items, strict=True):
            scores = score_units(judgment.in_item_order(), item)
            for key, wanted in score_units(label.verdict, item).items():
                place = _nearest(scale, wanted)
                farthest = 0 if 2 * place >= len(scale) - 1 else len(scale) - 1
                labels.append(place)
                verdicts.append(_nearest(scale, scores[key]) if key in scores else farthest)
        return verdicts, labels

    @property
    def clusters(self) -> list[str]:
        """The question of every item; where labels are scores, of every score of `places_of`."""
        if self.form != "scores":
            return [item.question_id for item in self.items]
        return [
            item.question_id
            for label, item in zip(self._labels, self.items, strict=True)
            for _ in score_units(label.verdict, item)
        ]

    @property
    def labelled_by(self) -> set[AnnotatorKind]:
        """Who labelled the items; people where nobody else did."""
        return {label.annotator_kind for label in self._labels}

    def best_margin(self, judgments: Iterable[Judgment]) -> float | None:
        """The margin that these items call for; None for a judge that says itself what ties."""
        if self.asking.dialect.kind is not Kind.SINGLE:
            return None
        scored = [
            ScoredPair(scores[0], scores[1], label)
            for judgment, label in zip(judgments, self.labels, strict=True)
            if (scores := expected_scores(judgment)) is not None
        ]
        return choose_margin(scored)


class DevSets(NamedTuple):
    """The dev items of a student that is asked in several dialects, one set for each."""

    sets: tuple[DevSet, ...]

    @classmethod
    def of_run(
        cls, run_dir: RunDir, askings: Iterable[Asking], known: Mapping[str, Dialect]
    ) -> "DevSets":
        """A set for each asking; what the dev items are about is read once.

        `known` are the recipe's dialects by hash: a score that was given on another scale than
        that of an asking's dialect is no label there.
        """
        items = run_dir.read("split/items.jsonl", Item)
        labels = run_dir.read("labels/labels.jsonl", Label)
        questions = run_dir.read("questions/questions.jsonl", Question)
        responses = run_dir.read("responses/responses.jsonl", Response)
        judgments = index_by_id(run_dir.read_if_made("labels/judgments.jsonl", Judgment))
        return cls(
            tuple(
                DevSet(
                    items,
                    labels,
                    questions=questions,
                    responses=responses,
                    asking=asking,
                    on_scale=partial(
                        taken_over, judgments=judgments, known=known, dialect=asking.dialect
                    ),
                )
                for asking in askings
            )
        )

    @property
    def first(self) -> DevSet:
        """That of the first dialect, which a part that knows one only is given."""
        return self.sets[0]

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        """The dialects that the student is asked in."""
        return tuple(one.asking.dialect for one in self.sets)

    def keep_margins(self, open_model: Callable[[], Model], folder: Path) -> dict[str, float]:
        """Keep the tie margin for each dialect that needs one; what was kept, by its name.

        The model is opened once at most.
        """
        opened = cache(open_model)
        found = {one.asking.dialect.name: one.keep_margin(opened, folder) for one in self.sets}
        return {name: margin for name, margin in found.items() if margin is not None}

    def kappa(self, model: Model) -> float | None:
        """The mean of the sets' kappas; None where one of them is undefined."""
        found = [one.kappa(model) for one in self.sets]
        known = [kappa for kappa in found if kappa is not None]
        if len(known) < len(found):
            return None
        return round(sum(known) / len(known), PLACES)


def _nearest(scale: Sequence[float], score: float) -> int:
    """The place on the scale that is nearest, the lower of two.

    >>> _nearest([1.0, 2.0, 3.0], 2.4), _nearest([1.0, 2.0], 1.5)
    (1, 0)
    """
    return min(range(len(scale)), key=lambda place: abs(scale[place] - score))
