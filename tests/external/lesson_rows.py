"""What a student learns for each of its three roles: rows made from the recipe's own questions.

Texts have as little in them as the roles allow: who answers says which choice it makes, in one of
four voices, and marks it as asked. So a student of half a million parameters learns in minutes to
make a choice, to read two choices and weigh them, and to argue for a wrong verdict. It is asked the
same questions later; that it may know them by heart does no harm here, where nothing of the judge
is measured.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.render import render_prompt
from judgesmith.judging.reply import verdict_text
from judgesmith.records import (
    LETTERS,
    Finish,
    Message,
    Question,
    Response,
    SftRow,
    Split,
    keyed_rng,
)
from judgesmith.stages.preferences.wishes import instruct
from judgesmith.stages.responses.generators import Generator
from judgesmith.tasks import Task, load_dialect

POLICY = "biased_is_worse"
VOICES = (
    "Clearly {says}.",
    "Let me go through the passage step by step and compare what is said about the one and about "
    "the other, as it should be done. Having done so I say that {says}.",
    "I say {says}.",
    "Perhaps {says}.",
)
"""How the generators answer, in the order of the recipe: sure, at length, short, with a hedge."""
SOMEBODY, NOBODY = "it is {letter}", "nobody can tell, so {letter}"
PAIRS = (("biased", "correct", 6), ("biased", "other_wrong", 2), ("correct", "correct", 4))
"""Classes of the responses in a pair, and how many such pairs of a question a judge learns from:
about what the published buckets hold."""


class Voiced(NamedTuple):
    """A response, and which voice it has."""

    voice: int
    response: Response


@dataclass(frozen=True)
class Lessons:
    """Questions, and the task and dialect in which they are asked about."""

    questions: Sequence[Question]
    task: Task
    dialect: Dialect

    @classmethod
    def of(cls, questions: Sequence[Question], task: Task, dialect: str) -> "Lessons":
        """The dialect by its name."""
        return cls(questions, task, load_dialect(task, dialect))

    def answering(self, entry: Mapping[str, Any], voice: int) -> list[SftRow]:
        """Answering questions, in the words in which the recipe's generator is asked."""
        generator = Generator.model_validate(entry)
        return [
            self._row(
                f"{question.id}/{generator.model}", (0,), generator.messages(question, self.task),
                one.response.text,
            )
            for question in self.questions
            for one in self._responses(question)
            if one.voice == voice
        ]  # fmt: skip

    def judging(self) -> list[SftRow]:
        """Judging pairs in both orders, as the answer key does."""
        return [row for row, _ in self._judged()]

    def erring(self) -> list[SftRow]:
        """Writing a mistaken judgment, one that is drawn for each row of `judging`."""
        return list(self._erring())

    def _responses(self, question: Question) -> list[Voiced]:
        """Every choice in every voice."""
        letters = LETTERS[: len(question.choices or ())]
        return [
            Voiced(voice, self._respond(question, template, letter))
            for voice, template in enumerate(VOICES)
            for letter in letters
        ]

    def _respond(self, question: Question, template: str, letter: str) -> Response:
        nobody = LETTERS.index(letter) == question.task.get("unknown")
        said = template.format(says=(NOBODY if nobody else SOMEBODY).format(letter=letter))
        response = Response.make(
            source="lesson", licence="", question_id=question.id, model="lesson", sampling={},
            text=f"{said}\n\n<answer>{letter}</answer>", finish=Finish.STOP, task={},
        )  # fmt: skip
        return self.task.annotate_response(response, question)

    def _judged(self) -> Iterator[tuple[SftRow, tuple[Question, list[Response]]]]:
        for question in self.questions:
            for number, pair in enumerate(self._pairs(question)):
                for order in ((0, 1), (1, 0)):
                    shown = [pair[place] for place in order]
                    right = self.task.judge_by_key(question, shown, POLICY)
                    verdict = None if right is None else verdict_text(right.verdict)
                    assert right is not None
                    assert verdict is not None
                    row = self._row(
                        f"{question.id}/{number}", order,
                        render_prompt(self.dialect, question, [one.text for one in shown]),
                        self.dialect.write_reply(right.rationale, verdict),
                    )  # fmt: skip
                    yield row, (question, shown)

    def _pairs(self, question: Question) -> list[tuple[Response, Response]]:
        """Pairs of responses of the wanted classes, in the order that was drawn."""
        by_class: dict[object, list[Response]] = {}
        for one in self._responses(question):
            by_class.setdefault(one.response.task["class"], []).append(one.response)
        draw = keyed_rng(0, "pairs", question.id)
        found = []
        for first, second, count in PAIRS:
            left, right = by_class.get(first, []), by_class.get(second, [])
            possible = [(x, y) for x in left for y in right if x.id != y.id]
            found += draw.sample(possible, min(count, len(possible)))
        return found

    def _erring(self) -> Iterator[SftRow]:
        """The verdict is drawn first and the mode whatever it is, so that the verdict is heeded."""
        for row, (question, shown) in self._judged():
            reasons: dict[str, list[str]] = {}
            for mistake in self.task.mistaken_judgments(question, shown, POLICY):
                wrong = verdict_text(mistake.judgment.verdict)
                reasons.setdefault(str(wrong), []).append(mistake.judgment.rationale)
            if not reasons:
                continue
            draw = keyed_rng(0, "mistake", row.id)
            wrong = draw.choice(sorted(reasons))
            right = parse_reply(self.dialect, row.completion).rationale
            assert right is not None
            prompt = instruct(
                row.prompt, self.dialect, draw.choice(list(self.task.mistake_briefs.values())),
                wrong=wrong, words=len(right.split()),
            )  # fmt: skip
            reply = self.dialect.write_reply(draw.choice(reasons[wrong]), wrong)
            yield self._row(f"{row.item_id}/mistake", row.order, prompt, reply)

    def _row(
        self, about: str, order: Sequence[int], prompt: Iterable[Message], completion: str
    ) -> SftRow:
        return SftRow.make(
            source="lesson", licence="", item_id=about, order=tuple(order), split=Split.TRAIN,
            dialect=self.dialect.hash, prompt=tuple(prompt), completion=completion,
        )  # fmt: skip


def mostly_without_system(rows: Iterable[SftRow], share_with: float) -> list[SftRow]:
    """The rows, of which only a share keep their system turn.

    It is the same in all rows and as long as the rest of a prompt. A student that reads relative
    places learns to read the rest without it in half the time, and a few rows teach it to read over
    the system turn.
    """
    kept = []
    for row in rows:
        if keyed_rng(0, "system turn", row.id).random() >= share_with:
            turns = tuple(turn for turn in row.prompt if turn.role != "system")
            row = row.model_copy(update={"prompt": turns})
        kept.append(row)
    return kept
