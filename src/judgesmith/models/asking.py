"""Ask models about items, in lots that survive a kill."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from judgesmith.judging.dialect import Dialect
from judgesmith.models.judge import Shown, judge, requests_about, shown_at_once
from judgesmith.models.protocol import Completion, Model, ModelOpener, Request, Sampling
from judgesmith.records import Judgment, Question, Response, Status
from judgesmith.runs.jsonl import PartialFile
from judgesmith.runs.progress import progress_bar, say
from judgesmith.runs.students import is_fast

_Key = tuple[str, str, tuple[int, ...]]

LOT = 256
"""Items in one order given to a model at once, where the model names no other number."""


class About(NamedTuple):
    """What is judged, and how: the orders to show, what they are about, the dialect."""

    shown: Sequence[Shown]
    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    dialect: Dialect
    max_tokens: int


class Usage(Counter[str]):
    """What the calls of this process took; the ledger knows those of all processes."""

    def add(self, completion: Completion) -> None:
        """Count a completion. One that took no call was counted when it was asked for."""
        if completion.calls:
            for name in ("calls", "prompt_tokens", "completion_tokens", "cost_usd"):
                self[name] += getattr(completion, name)

    def as_fields(self) -> dict[str, Any]:
        """The same for a stage report."""
        return {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0, **self}


def judge_items(
    about: About, names: Sequence[str], partial: PartialFile, models: ModelOpener, *, stage: str
) -> tuple[list[Judgment], Usage]:
    """Judgments of each model on all items in every order shown, resumed after a kill.

    A student whose name says so is asked in fast mode (`runs.students.is_fast`).

    A lot that a kill tore is judged again, because the other prompts of a batch can move a reply
    in its last bits; replies over HTTP then come out of the cache. Of a model that says it is
    `independent`, whose replies follow from their own prompts only, just what is missing is asked.
    A call that failed is tried again.
    """
    done = {
        _key(j.judge, j): j for j in partial.load(Judgment) if j.status is not Status.CALL_FAILED
    }
    usage = Usage()
    wanted = {_key(name, entry) for name in names for entry in about.shown}
    with (
        partial as file,
        progress_bar(stage, len(wanted), done=len(wanted & done.keys())) as bar,
    ):
        for name in names:
            if all(_key(name, entry) in done for entry in about.shown):
                continue
            model = models(name)
            missing = [entry for entry in about.shown if _key(name, entry) not in done]
            _foresee_judging(model, missing, about, stage)
            for lot in _lots(model, name, about.shown, done):
                for judgment, completion in _judge_lot(model, lot, about):
                    key = _key(name, judgment)
                    usage.add(completion)
                    bar.advance(int(key not in done), cost_usd=completion.cost_usd)
                    file.append([judgment])
                    done[key] = judgment
    return [done[_key(name, entry)] for name in names for entry in about.shown], usage


def foresee(model: Model, some: Sequence[Request], count: int, purpose: str) -> None:
    """Have a model that costs money say what `count` requests like these will cost, once."""
    told = getattr(model, "foresee", None)
    line = told(some, count, purpose) if told is not None and some else None
    if line is not None:
        say(line)


def _foresee_judging(model: Model, missing: Sequence[Shown], about: About, purpose: str) -> None:
    """Judges' own answers are left out; they are few beside the judgments."""
    some = requests_about(
        missing[:: max(1, len(missing) // LOT)], about.questions, about.responses,
        dialect=about.dialect, sampling=Sampling(max_tokens=about.max_tokens),
    )  # fmt: skip
    count = sum(len(shown_at_once(entry, about.dialect)) for entry in missing)
    foresee(model, some, count, purpose)


def _lots(
    model: Model, name: str, shown: Sequence[Shown], done: Container[_Key]
) -> list[list[Shown]]:
    """What is still to be asked of a model, lot by lot."""
    size = getattr(model, "lot", LOT)
    missing = [entry for entry in shown if _key(name, entry) not in done]
    if getattr(model, "independent", False):
        return whole_questions(missing, size)
    wanted = {_key(name, entry) for entry in missing}
    return [
        lot
        for lot in whole_questions(shown, size)
        if any(_key(name, entry) in wanted for entry in lot)
    ]


def _judge_lot(
    model: Model, lot: Sequence[Shown], about: About
) -> Iterator[tuple[Judgment, Completion]]:
    return judge(
        model, lot, about.questions, about.responses,
        dialect=about.dialect, max_tokens=about.max_tokens,
        mode="fast" if is_fast(model.name) else "rationale",
    )  # fmt: skip


def whole_questions(shown: Iterable[Shown], lot: int = LOT) -> list[list[Shown]]:
    """Lots of at least so many but for the last; none cuts a question, which is asked once."""
    by_question: dict[str, list[Shown]] = {}
    for entry in shown:
        by_question.setdefault(entry.item.question_id, []).append(entry)
    lots: list[list[Shown]] = []
    for entries in by_question.values():
        if not lots or len(lots[-1]) >= lot:
            lots.append([])
        lots[-1] += entries
    return lots


def _key(name: str, of: Shown | Judgment) -> _Key:
    item_id = of.item_id if isinstance(of, Judgment) else of.item.id
    return name, item_id, of.order
