"""Judges for tests: one that replies by a rule, slowly if it is told to, and a real student."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from judgesmith.inference.judge import Judge
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish, Kind, Scores

PAIR = {
    "question": "Where is it?", "fields": {"criterion": "Does it say when?"},
    "response_a": "splendid", "response_b": "awful",
}  # fmt: skip
FAULT = "make it fail"


class Scripted:
    """Writes what its dialect wants: "splendid" is good, "awful" is bad; and notes all batches.

    `held` stops it before it answers, until it is set again; `second_s` is its time per prompt.
    A prompt with FAULT in it is more than it can bear.
    """

    name = "scripted"
    takes_forced = True

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.batches: list[list[str]] = []
        self.asked: list[list[Request]] = []
        self.held = threading.Event()
        self.held.set()
        self.batch_s = self.prompt_s = 0.0

    @property
    def prompts(self) -> list[str]:
        return [prompt for batch in self.batches for prompt in batch]

    @property
    def requests(self) -> list[Request]:
        return [request for batch in self.asked for request in batch]

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        prompts = [request.messages[-1].content for request in requests]
        self.batches.append(prompts)
        self.asked.append(list(requests))
        self.held.wait(30)
        time.sleep(self.batch_s + self.prompt_s * len(prompts))
        if any(FAULT in prompt for prompt in prompts):
            raise RuntimeError("the model is at its end")
        yield from (self._reply(request) for request in requests)

    def _reply(self, request: Request) -> Completion:
        prompt = request.messages[-1].content
        dialect = self.dialect
        good, bad = prompt.find("splendid"), prompt.find("awful")
        if dialect.kind is Kind.LIST:
            text = dialect.write_reply(
                "So.", Scores(kind="scores", values=(9.0, 5.0, 1.0), criteria=None)
            )
            return Completion(text=text, finish=Finish.STOP, prompt_tokens=9, completion_tokens=3)
        verdict = "A" if good < bad else "B"
        if dialect.scored:
            verdict = "5" if good >= 0 else "2"
        words = dialect.wording.of
        rest = 0.2 / (len(words) - 1)
        return Completion(
            text=dialect.write_reply("So.", verdict), finish=Finish.STOP, prompt_tokens=9,
            completion_tokens=3, covered=0.9,
            probabilities={
                said: 0.8 if value == verdict else rest for value, said in words.items()
            },
        )  # fmt: skip


def scripted_judge(dialect: str | Dialect = "prometheus-relative") -> tuple[Judge, Scripted]:
    """A judge of a dialect, by name or whole, and the model behind it."""
    found = LIBRARY[dialect] if isinstance(dialect, str) else dialect
    model = Scripted(found)
    margin = 0.5 if found.kind is Kind.SINGLE and found.scored else None
    judge = Judge(
        name="scripted", made_of="v1", dialect=found, model=model, max_tokens=60, margin=margin
    )
    return judge, model


def judge_of_student(folder: Path, dialect: str = "bias-pair-compact", tokens: int = 8) -> Judge:
    """A student on disk as a judge of the bias task."""
    from judgesmith.backends.local_model import LocalModel
    from judgesmith.tasks import load_dialect, load_task

    return Judge(
        name="tiny", made_of="v1", dialect=load_dialect(load_task("bias"), dialect),
        model=LocalModel("tiny", str(folder)), max_tokens=tokens,
    )  # fmt: skip
