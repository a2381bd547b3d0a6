"""Every mistake of one misread fact about an item, and the rows of what is used."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.render import render_prompt
from judgesmith.judging.reply import reply_in, verdict_text
from judgesmith.records import (
    Item,
    Judgment,
    Kind,
    Label,
    Message,
    PreferenceRow,
    Question,
    Response,
    keyed_rng,
)
from judgesmith.stages.preferences.selection import Candidate, Contrast
from judgesmith.tasks import Task, key_reference


@dataclass(frozen=True)
class Materials:
    """What mistakes are made from.

    `writer` is the model that writes the rejected replies, None where facts are misread.
    `unsayable` counts, by mode, mistakes whose reason no reply of the dialect can hold.
    """

    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    task: Task
    dialect: Dialect
    modes: Sequence[str]
    seed: int
    writer: str | None = None
    unsayable: Counter[str] = field(default_factory=Counter)

    def candidates(
        self, item: Item, label: Label, judgments: Iterable[Judgment]
    ) -> list[Candidate]:
        """Every mistake about an item: of a pair in all its orders, or of each response alone.

        A mistake about a pair that one of the orders lacks is left out, so that twins stay
        together.
        """
        alone = self.dialect.kind is Kind.SINGLE
        found: dict[tuple[str, str, tuple[int, ...]], list[Contrast]] = defaultdict(list)
        orders = 0
        for judgment in judgments:
            chosen = reply_in(self.dialect, judgment)
            if chosen is None:
                continue
            orders += 1
            shown = judgment.order if alone else ()
            for mode, fact, contrast in self._contrasts(item, label.policy, judgment, chosen):
                found[mode, fact, shown].append(contrast)
        return [
            Candidate(item.id, mode, fact, self.draw(item, mode, fact, shown), tuple(contrasts))
            for (mode, fact, shown), contrasts in found.items()
            if len(contrasts) == (1 if alone else orders)
        ]

    def _contrasts(
        self, item: Item, policy: str, judgment: Judgment, chosen: str
    ) -> Iterator[tuple[str, str, Contrast]]:
        shown = [self.responses[item.response_ids[p]] for p in judgment.order]
        ids = tuple(response.id for response in shown)
        question = self.questions[item.question_id]
        right = verdict_text(judgment.verdict)
        assert right is not None
        for mode, fact, mistaken in self.task.mistaken_judgments(question, shown, policy):
            wrong = verdict_text(mistaken.verdict)
            if mode in self.modes and wrong is not None and wrong != right:
                try:
                    rejected = self.dialect.write_reply(mistaken.rationale, wrong)
                except ValueError:  # its rationale holds what the dialect's grammar reads
                    self.unsayable[mode] += 1
                    continue
                yield mode, fact, Contrast(judgment.order, ids, chosen, rejected, right, wrong)

    def draw(self, item: Item, mode: str, fact: str, shown: tuple[int, ...]) -> float:
        """A number that settles which of equal candidates comes first."""
        return keyed_rng(self.seed, "preference", item.id, mode, fact, shown).random()

    def prompt(self, question: Question, shown: Sequence[Response]) -> tuple[Message, ...]:
        """What a student is asked about responses in the order shown, as in the rows."""
        reference = key_reference(self.task, self.dialect, question)
        return render_prompt(self.dialect, question, [one.text for one in shown], reference)

    def rows(self, item: Item, candidate: Candidate) -> list[PreferenceRow]:
        """The rows of one candidate, on the item's side of the split."""
        question = self.questions[item.question_id]
        assert item.split is not None
        made_by = "answer key and a mistake"
        if self.writer is not None:
            made_by = f"a label and a mistake written by {self.writer}"
        return [
            PreferenceRow.make(
                source=f"{self.task.name}: {made_by}",
                licence=item.licence,
                item_id=item.id,
                order=one.order,
                split=item.split,
                dialect=self.dialect.hash,
                prompt=self.prompt(question, [self.responses[i] for i in one.shown]),
                chosen=one.chosen,
                rejected=one.rejected,
                how_made=candidate.mode,
            )
            for one in candidate.contrasts
        ]
