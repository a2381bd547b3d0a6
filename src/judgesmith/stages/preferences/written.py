"""Mistakes written by a model that is told which one to make, and for which verdict to argue."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from judgesmith.judging.reply import verdict_text
from judgesmith.models.asking import Usage
from judgesmith.models.protocol import Model, ModelOpener, Request, Sampling
from judgesmith.models.simulated_writer import SimulatedWriter, Told, WriterKnown, WriterSpec
from judgesmith.records import Item, Kind, Question, Response
from judgesmith.runs.progress import Progress, progress_bar
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.stages.preferences.checks import check
from judgesmith.stages.preferences.contrasts import Materials
from judgesmith.stages.preferences.selection import Candidate, Contrast
from judgesmith.stages.preferences.wishes import (
    Case,
    Key,
    Wish,
    affordable,
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
    requests of the stage: items beyond it are left out, and what is left of it goes to replies
    that are asked for again.
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


class _Ask(NamedTuple):
    """One reply that is wanted: a wish, and which of its orders."""

    wish: Wish
    place: int

    @property
    def key(self) -> Key:
        return self.wish.case.item.id, self.wish.case.chosen[self.place].shown


class Writer:
    """Asks for mistakes, checks the replies, and asks again; counts everything."""

    def __init__(self, config: WrittenBy, materials: Materials, model: Model) -> None:
        self._config, self._materials, self._model = config, materials, model
        self.usage = Usage()
        self._wished: list[Wish] = []
        self._rounds = [Counter[str]() for _ in range(config.tries)]
        self._reasons: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._not_asked = self._made = 0

    def write(self, sides: Sequence[Sequence[Case]]) -> list[Written]:
        """The candidates of each side of the split; verdicts and modes are even on each."""
        kept, left = affordable(
            [case for side in sides for case in side],
            self._config.most_asked, self._materials.seed,
        )  # fmt: skip
        afforded = {case.key for case in kept}
        self._not_asked = len(left)
        m = self._materials
        planned = [
            plan([c for c in side if c.key in afforded], m.modes, m.dialect.scale.values, m.seed)
            for side in sides
        ]
        self._wished = [wish for wishes in planned for wish in wishes]
        replies, failed = self._ask_all()
        failed |= {case.key: NOT_ASKED for case in left}
        return [self._written(wishes, replies, failed) for wishes in planned]

    def _ask_all(
        self,
    ) -> tuple[dict[Key, str], dict[Key, str]]:
        """Good replies by item and order shown, and the last fault of every other."""
        asks = [_Ask(wish, i) for wish in self._wished for i in range(len(wish.case.chosen))]
        good: dict[Key, str] = {}
        faults: dict[Key, str] = {}
        with progress_bar("preferences", len(asks)) as bar:
            for attempt, counts in enumerate(self._rounds):
                waiting = [ask for ask in asks if ask.key not in good]
                if self._config.most_asked is not None:
                    asked = sum(one["asked"] for one in self._rounds)
                    waiting = waiting[: max(0, self._config.most_asked - asked)]
                self._ask(waiting, attempt, good=good, faults=faults, bar=bar)
                counts["accepted"] = sum(ask.key in good for ask in waiting)
        return good, {key: fault for key, fault in faults.items() if key not in good}

    def _ask(
        self, asks: Sequence[_Ask], attempt: int, *, good: dict[Key, str],
        faults: dict[Key, str], bar: Progress,
    ) -> None:  # fmt: skip
        """One round; what is good and what is wrong with the others is added."""
        if not asks:
            return
        requests = [self.request(ask.wish, ask.place, attempt) for ask in asks]
        for ask, completion in zip(asks, self._model.complete(requests), strict=True):
            self.usage.add(completion)
            self._rounds[attempt]["asked"] += 1
            chosen = ask.wish.case.chosen[ask.place]
            found = check(self._materials.dialect, completion, chosen, ask.wish.wrong[ask.place])
            if found.reply is not None:
                good[ask.key] = found.reply
            else:
                faults[ask.key] = str(found.reason)
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

    def _written(
        self, wishes: Sequence[Wish], replies: Mapping[Key, str],
        failed: Mapping[Key, str],
    ) -> Written:  # fmt: skip
        """A case has a candidate where all its orders have a good reply: twins stay together."""
        made: list[Candidate] = []
        dropped = {key: reason for key, reason in failed.items() if reason == NOT_ASKED}
        for wish in wishes:
            keys = [_Ask(wish, i).key for i in range(len(wish.case.chosen))]
            reason = next((failed[key] for key in keys if key in failed), None)
            if reason is None:
                made.append(self._candidate(wish, [replies[key] for key in keys]))
            else:
                dropped[wish.case.key] = NO_GOOD_REPLY + reason
                self._failed[reason] += 1
        self._made += len(made)
        return Written(made, dropped)

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
        rounds = [{"asked": one["asked"], "accepted": one["accepted"]} for one in self._rounds]
        return {
            "model": self._model.name,
            "requests": sum(one["asked"] for one in rounds),
            "accepted": sum(one["accepted"] for one in rounds),
            "rejected by reason": dict(sorted(self._reasons.items())),
            "by attempt": rounds,
            "wishes": len(self._wished),
            "wishes by mode": dict(sorted(Counter(w.mode for w in self._wished).items())),
            "wished replies by right and wrong verdict": flows_of(self._wished),
            "candidates": self._made,
            "without a good reply, by last reason": dict(sorted(self._failed.items())),
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
