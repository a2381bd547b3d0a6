"""Dev items with their labels, on which a student is measured while it learns."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from judgesmith.judging.dialect import Dialect
from judgesmith.metrics import cohen_kappa
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
    Choice,
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
    """Items of the dev side that have a label no person gave, at most `asking.limit` of them.

    Which items is drawn from the seed and their ids. Verdicts by people are kept for the
    evaluation: a student that was chosen on them could not be measured on them.
    """

    def __init__(
        self, items: Iterable[Item], labels: Iterable[Label], *,
        questions: Iterable[Question], responses: Iterable[Response], asking: Asking,
    ) -> None:  # fmt: skip
        self.questions, self.responses = index_by_id(questions), index_by_id(responses)
        self.asking = asking
        verdicts = {
            label.item_id: label.verdict.value
            for label in labels
            if isinstance(label.verdict, Choice)
            and label.annotator_kind is not AnnotatorKind.PERSON
        }
        found = [item for item in items if item.split is Split.DEV and item.id in verdicts]
        found.sort(key=lambda item: keyed_rng(asking.seed, "dev", item.id).random())
        self.items = found[: asking.limit]
        self.labels = [verdicts[item.id] for item in self.items]

    @classmethod
    def of_run(cls, run_dir: RunDir, asking: Asking) -> "DevSet":
        """The dev items of a run, with what they are about and their labels."""
        return cls(
            run_dir.read("split/items.jsonl", Item), run_dir.read("labels/labels.jsonl", Label),
            questions=run_dir.read("questions/questions.jsonl", Question),
            responses=run_dir.read("responses/responses.jsonl", Response), asking=asking,
        )  # fmt: skip

    def kappa(self, model: Model) -> float | None:
        """Cohen's kappa in stored order; an unparsed reply counts as wrong. None if undefined.

        A judge that scores each response alone is measured with the tie margin that it would keep.
        """
        judgments = self._judge(model)
        margin = self._best_margin(judgments)
        verdicts = [pair_verdict(judgment, margin) or UNPARSED for judgment in judgments]
        found = cohen_kappa(verdicts, self.labels)
        return None if found.value is None else round(found.value, PLACES)

    def keep_margin(self, open_model: Callable[[], Model], folder: Path) -> float | None:
        """Keep in the student's folder the tie margin that these items call for.

        None, and nothing is opened or kept, for a judge that is shown pairs: it says by itself
        what is a tie.
        """
        if self.asking.dialect.kind is not Kind.SINGLE:
            return None
        margin = self._best_margin(self._judge(open_model()))
        write_margin(folder, margin)
        return margin

    def _judge(self, model: Model) -> list[Judgment]:
        shown = [Shown(item, (0, 1)) for item in self.items]
        judged = judge(
            model, shown, self.questions, self.responses,
            dialect=self.asking.dialect, max_tokens=self.asking.max_tokens,
        )  # fmt: skip
        return [judgment for judgment, _ in judged]

    def _best_margin(self, judgments: Iterable[Judgment]) -> float:
        scored = [
            ScoredPair(scores[0], scores[1], label)
            for judgment, label in zip(judgments, self.labels, strict=True)
            if (scores := expected_scores(judgment)) is not None
        ]
        return choose_margin(scored)
