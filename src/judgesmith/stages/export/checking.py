"""The same dev items to the student and to every form that was exported of it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from judgesmith.evaluation.judges import read_judgments, read_single
from judgesmith.evaluation.parity import Asked, measure_parity
from judgesmith.inference.students import margin_in, weights_folder
from judgesmith.judging.dialect import Dialect
from judgesmith.metrics import Verdict
from judgesmith.models.asking import About, judge_items
from judgesmith.models.dev import Asking, DevSet, DevSets
from judgesmith.models.judge import requests_about, showings
from judgesmith.models.protocol import Model, Sampling
from judgesmith.records import TIE, AnnotatorKind, Judgment, Kind, Message
from judgesmith.report.exports import Parity
from judgesmith.runs.layout import RunDir
from judgesmith.sources.own_files import PairRow, row_of
from judgesmith.stages.export.config import Config
from judgesmith.tasks import known_dialects, task_of


class Said(NamedTuple):
    """Verdicts in the order of the items, or of their scores; and the labels in the same order.

    `replies` are what was read, one for each item and order.
    """

    verdicts: Sequence[Any]
    labels: Sequence[Any]
    replies: Sequence[str | None] = ()


class Checker(NamedTuple):
    """The dev items of a run in one dialect, and what the student says of them."""

    run_dir: RunDir
    dev: DevSet
    margin: float | None
    limit: float
    served: bool

    @classmethod
    def of_run(
        cls, run_dir: RunDir, student: str, dialect: Dialect, reply_tokens: int, config: Config
    ) -> "Checker":
        """The labelled dev items; there may be none."""
        asking = Asking(dialect, reply_tokens, config.items, run_dir.seed)
        dev = DevSets.of_run(run_dir, [asking], known_dialects(task_of(run_dir.header))).first
        margin = margin_in(weights_folder(run_dir, student), dialect) if dev.needs_margin else None
        return cls(run_dir, dev, margin, config.max_kappa_loss, config.check == "served")

    def ask(self, name: str, opened: Callable[[], Model]) -> Said:
        """What a model says of every item; resumed after a kill."""
        dev, dialect = self.dev, self.dev.asking.dialect
        about = About(
            showings(dev.items, dialect), dev.questions, dev.responses, dialect,
            dev.asking.max_tokens,
        )  # fmt: skip
        partial = self.run_dir.partial(f"export/{name.replace('/', '-')}.jsonl")
        judgments, _ = judge_items(
            about, [name], partial, lambda _: opened(), stage=f"check {name}"
        )
        replies = [judgment.reply for judgment in judgments]
        if dev.form == "scores":
            return Said(*dev.places_of(judgments), replies)
        return Said(self._read(judgments), dev.labels, replies)

    def _read(self, judgments: Sequence[Judgment]) -> list[Verdict]:
        dialect = self.dev.asking.dialect
        if dialect.kind is Kind.SINGLE and not dialect.scored:
            found = read_single("judge", "student", judgments)
        else:
            tie = TIE if dialect.pair_scale.has_tie else None
            found = read_judgments("judge", "student", judgments, tie=tie, margin=self.margin)
        return [found.verdicts[item.id].averaged for item in self.dev.items]

    def parity(self, form: str, judge: Said, export: Said, tokens_checked: int = 0) -> Parity:
        """How far a form is from the student."""
        scores = self.dev.form == "scores"
        levels = len(self.dev.asking.dialect.scale.values) if scores else None
        by_key = self.dev.labelled_by <= {AnnotatorKind.KEY}
        title = f"dev labels by {'the answer key' if by_key else 'another judge'}, not people"
        return measure_parity(
            form, judge.verdicts, export.verdicts,
            Asked(judge.labels, self.dev.clusters, title, levels),
            limit=self.limit, seed=self.run_dir.seed, tokens_checked=tokens_checked,
        )  # fmt: skip

    def rows(self) -> list[PairRow] | None:
        """The items as rows of a file; None where labels are grades, which no row is given back."""
        dev = self.dev
        if dev.form == "scores":
            return None
        return [
            row_of(
                dev.questions[item.question_id], [dev.responses[one] for one in item.response_ids],
                item.kind,
            )
            for item in dev.items
        ]  # fmt: skip

    def prompts(self, most: int) -> list[tuple[Message, ...]]:
        """Some of the very prompts that are asked, to compare token ids on."""
        dialect = self.dev.asking.dialect
        asked = requests_about(
            showings(self.dev.items[:most], dialect), self.dev.questions, self.dev.responses,
            dialect=dialect, sampling=Sampling(), own=lambda _: "...",
        )  # fmt: skip
        return [request.messages for request in asked]
