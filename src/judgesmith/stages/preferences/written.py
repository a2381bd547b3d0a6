"""Mistakes written by a model that is told which one to make, and for which verdict to argue."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from judgesmith.judging.reply import verdict_text
from judgesmith.models.asking import LOT, Usage, foresee
from judgesmith.models.protocol import Model, ModelOpener, Request, Sampling
from judgesmith.models.simulated_writer import SimulatedWriter, Told, WriterKnown, WriterSpec
from judgesmith.records import Item, Kind, Question, Response
from judgesmith.runs.progress import Progress, progress_bar
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.stages.preferences.checks import check
from judgesmith.stages.preferences.contrasts import Materials
from judgesmith.stages.preferences.rounds import Ask, Begun, Rounds, faults_of, in_even_shares
from judgesmith.stages.preferences.selection import Candidate, Contrast
from judgesmith.stages.preferences.wishes import (
    Case,
    Key,
    Wish,
    flows_of,
    instruct,
    plan,
    read_instruction,
)

NOT_ASKED = "over preferences.teacher.most_asked"
NO_GOOD_REPLY = "no good reply: "


class WrittenBy(Section):
    """Who writes mistaken judgments, and how often it is asked.

    `model` is a name of the recipe's `models`, or of a `simulated` one. A reply that fails a check
    is asked for again with the next sampling seed, `tries` times in all. `most_asked` is the most
    requests of the stage: items are drawn, each is finished before it is spent on more of them, and
    those beyond it are left out.
    """

    model: str = Field(min_length=1)
    simulated: tuple[WriterSpec, ...] = ()
    tries: int = Field(3, ge=1)
    temperature: float = Field(0.7, ge=0, le=2)
    reply_tokens: int = Field(512, ge=1)
    most_asked: int | None = Field(None, ge=1)

    @property
    def asks(self) -> tuple[str, ...]:
        """The writer, if it is a model of the recipe."""
        return () if self.model in {spec.name for spec in self.simulated} else (self.model,)

    def rehearsed(self, rates: Rates) -> Self:
        """The writer simulated."""
        added = tuple(rates.spec(name, WriterSpec) for name in self.asks)
        return self.model_copy(update={"simulated": (*self.simulated, *added)})

    @model_validator(mode="after")
    def _another_try_differs(self) -> "WrittenBy":
        if self.tries > 1 and not self.temperature:
            raise ValueError("at temperature 0 another try gives the same reply; use `tries: 1`")
        return self


class Written(NamedTuple):
    """Candidates in the order of the wishes, and why every other case has none."""

    candidates: list[Candidate]
    failed: dict[Key, str]


class Writer:
    """Asks for mistakes, checks the replies, and asks again; counts everything."""

    def __init__(self, config: WrittenBy, materials: Materials, model: Model) -> None:
        self._config, self._materials, self._model = config, materials, model
        self.usage = Usage()
        self._attempts = [Counter[str]() for _ in range(config.tries)]
        self._reasons: Counter[str] = Counter()
        self._begun: list[Begun] = []
        self._not_asked = 0

    def write(self, sides: Sequence[Sequence[Case]]) -> list[Written]:
        """The candidates of each side of the split; verdicts and modes are even on each.

        What is wished does not depend on replies: under a cap these only say how far it goes.
        """
        m, config = self._materials, self._config
        planned = [plan(side, m.modes, m.dialect.scale.values, m.seed) for side in sides]
        capped = config.most_asked is not None
        wishes = in_even_shares(planned, m.seed) if capped else list(chain.from_iterable(planned))
        rounds = Rounds(wishes, tries=config.tries, most_asked=config.most_asked)
        replies = sum(len(wish.case.chosen) for wish in wishes)
        replies = min(replies, config.most_asked or replies)
        foresee(
            self._model, [self.request(wish, 0, 0) for wish in wishes[:LOT]], replies, "preferences"
        )
        with progress_bar("preferences", replies) as bar:
            while asks := rounds.next_round():
                self._ask(asks, rounds.begun, bar)
        self._begun = list(rounds.begun.values())
        self._not_asked = len(wishes) - len(self._begun)
        return [self._written(side, rounds.begun) for side in planned]

    def _ask(self, asks: Sequence[Ask], begun: Mapping[Key, Begun], bar: Progress) -> None:
        """One round; what is good and what is wrong with the others is added."""
        requests = [self.request(*ask) for ask in asks]
        for ask, completion in zip(asks, self._model.complete(requests), strict=True):
            self.usage.add(completion)
            case, one = ask.wish.case, begun[ask.wish.case.key]
            found = check(
                self._materials.dialect, completion, case.chosen[ask.place],
                ask.wish.wrong[ask.place],
            )  # fmt: skip
            counts = self._attempts[ask.attempt]
            counts["asked"] += 1
            if found.reply is not None:
                counts["accepted"] += 1
                one.good[ask.place] = found.reply
            else:
                one.faults[ask.place] = str(found.reason)
                self._reasons[str(found.reason)] += 1
            bar.advance(int(found.reply is not None), cost_usd=completion.cost_usd)

    def request(self, wish: Wish, place: int, attempt: int) -> Request:
        """What the writer is asked for one order of a wish; attempts count from 0."""
        m, chosen = self._materials, wish.case.chosen[place]
        question = m.questions[wish.case.item.question_id]
        shown = [m.responses[i] for i in chosen.shown]
        alone = m.dialect.kind is Kind.SINGLE
        return Request(
            record_id=chosen.shown[0] if alone else wish.case.item.id,
            messages=instruct(
                m.prompt(question, shown), m.dialect, m.task.mistake_briefs[wish.mode],
                wrong=wish.wrong[place], words=chosen.words,
            ),
            sampling=Sampling(
                temperature=self._config.temperature, max_tokens=self._config.reply_tokens,
                seed=m.seed + attempt,
            ),
        )  # fmt: skip

    def _written(self, wishes: Sequence[Wish], begun: Mapping[Key, Begun]) -> Written:
        """A case has a candidate where all its orders have a good reply: twins stay together."""
        made: list[Candidate] = []
        failed: dict[Key, str] = {}
        for wish in wishes:
            one = begun.get(wish.case.key)
            if one is None:
                failed[wish.case.key] = NOT_ASKED
            elif one.missing:
                failed[wish.case.key] = NO_GOOD_REPLY + one.faults[one.missing[0]]
            else:
                replies = [one.good[place] for place in range(len(wish.case.chosen))]
                made.append(self._candidate(wish, replies))
        return Written(made, failed)

    def _candidate(self, wish: Wish, replies: Sequence[str]) -> Candidate:
        item, chosen = wish.case.item, wish.case.chosen
        fact = f"written by {self._model.name} for {wish.wrong[0]}"
        shown = chosen[0].order if self._materials.dialect.kind is Kind.SINGLE else ()
        draw = self._materials.draw(item, wish.mode, fact, shown)
        contrasts = tuple(
            Contrast(one.order, one.shown, one.reply, reply, one.right, wrong)
            for one, reply, wrong in zip(chosen, replies, wish.wrong, strict=True)
        )
        return Candidate(item.id, wish.mode, fact, draw, contrasts)

    def tables(self) -> dict[str, Any]:
        """Requests = accepted + rejected; wishes = candidates + those without a good reply."""
        attempts = [{"asked": n["asked"], "accepted": n["accepted"]} for n in self._attempts]
        wished = [one.wish for one in self._begun]
        failed = faults_of(self._begun)
        return {
            "model": self._model.name,
            "requests": sum(one["asked"] for one in attempts),
            "accepted": sum(one["accepted"] for one in attempts),
            "rejected by reason": dict(sorted(self._reasons.items())),
            "by attempt": attempts,
            "wishes": len(wished),
            "wishes by mode": dict(sorted(Counter(wish.mode for wish in wished).items())),
            "wished replies by right and wrong verdict": flows_of(wished),
            "candidates": len(wished) - failed.total(),
            "without a good reply, by last reason": dict(sorted(failed.items())),
            NOT_ASKED: self._not_asked,
        }


def open_writer(
    config: WrittenBy, materials: Materials, items: Mapping[str, Item], models: ModelOpener
) -> Model:
    """The model that writes; a simulated one makes the task's own mistakes."""
    spec = next((one for one in config.simulated if one.name == config.model), None)
    if spec is None:
        return models(config.model)
    task, policy = materials.task, materials.task.key_policies[0]

    def argue(question: Question, shown: Sequence[Response], told: Told) -> str | None:
        found = task.judge_by_key(question, shown, policy)
        if found is not None and verdict_text(found.verdict) == told.verdict:
            return found.rationale
        mistakes = [
            one
            for one in task.mistaken_judgments(question, shown, policy)
            if verdict_text(one.judgment.verdict) == told.verdict
        ]
        mistakes.sort(key=lambda one: (one.mode != told.mode, one.fact))
        return mistakes[0].judgment.rationale if mistakes else None

    return SimulatedWriter(
        spec,
        WriterKnown(
            items=items, questions=materials.questions, responses=materials.responses,
            dialect=materials.dialect, prompt=materials.prompt,
            told=lambda text: read_instruction(text, materials.dialect, task.mistake_briefs),
            argue=argue, seed=materials.seed,
        ),
    )  # fmt: skip
