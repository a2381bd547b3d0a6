"""Ask the students about the test items, in chunks that survive a kill."""

from collections.abc import Iterable, Sequence
from typing import Any

from judgesmith.judging.dialect import Dialect
from judgesmith.models.judge import Shown, judge, showings
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Judgment
from judgesmith.runs.jsonl import PartialFile
from judgesmith.runs.progress import progress_bar
from judgesmith.stages.evaluate.labelled_side import LabelledSide

CHUNK = 256


def judge_items(
    found: LabelledSide, partial: PartialFile, models: ModelOpener, *, students: Sequence[str],
    dialect: Dialect, max_tokens: int,
) -> tuple[list[Judgment], dict[str, Any]]:  # fmt: skip
    """Judgments of each student on all items in every order it is shown, resumed after a kill.

    Replies are kept in whole chunks: a chunk that a kill tore is judged again, because the other
    prompts of a batch can move a reply in its last bits.
    """
    done = {(j.judge, j.item_id, j.order): j for j in partial.load(Judgment)}
    shown = showings(found.items, dialect)
    chunks = whole_questions(shown)
    usage = {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0}
    total = len(students) * len(shown)
    with partial as file, progress_bar("evaluate", total, done=len(done)) as bar:
        for name in students:
            waiting = [c for c in chunks if any(_key(name, entry) not in done for entry in c)]
            model = models(name) if waiting else None
            for chunk in waiting:
                assert model is not None
                replies = list(
                    judge(
                        model, chunk, found.questions, found.responses,
                        dialect=dialect, max_tokens=max_tokens,
                    )
                )  # fmt: skip
                file.append(judgment for judgment, _ in replies)
                for judgment, completion in replies:
                    done[judgment.judge, judgment.item_id, judgment.order] = judgment
                    usage["calls"] += completion.calls
                    usage["prompt_tokens"] += completion.prompt_tokens
                    usage["completion_tokens"] += completion.completion_tokens
                    usage["cost_usd"] += completion.cost_usd
                    bar.advance(cost_usd=completion.cost_usd)
    return [done[_key(name, entry)] for name in students for entry in shown], usage


def whole_questions(shown: Iterable[Shown]) -> list[list[Shown]]:
    """Chunks of at least `CHUNK` but for the last; none cuts a question, which is asked once."""
    by_question: dict[str, list[Shown]] = {}
    for entry in shown:
        by_question.setdefault(entry.item.question_id, []).append(entry)
    chunks: list[list[Shown]] = []
    for entries in by_question.values():
        if not chunks or len(chunks[-1]) >= CHUNK:
            chunks.append([])
        chunks[-1] += entries
    return chunks


def _key(name: str, entry: Shown) -> tuple[str, str, tuple[int, ...]]:
    return name, entry.item.id, entry.order
