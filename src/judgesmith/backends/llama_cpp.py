"""A GGUF file behind the seam: llama.cpp in a worker process, our own prompts and token ids.

Messages become token ids as in training: by our renderer and the judge's own tokenizer. A file
whose llama.cpp tokenizer gives other ids, or whose chat template writes another prompt, was made
from something else than this judge, and is refused.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from judgesmith.backends.encode import encode_prompt, openings, shown_turns, turn_end
from judgesmith.backends.gguf.worker import Worker, WorkerEnded
from judgesmith.backends.judge_folder import context_of
from judgesmith.backends.weights import load_tokenizer
from judgesmith.errors import ModelError
from judgesmith.models.protocol import Completion, Request, Wanted
from judgesmith.records import Finish, Message

AWKWARD = (
    "Ünï çödé 🚀 don't I've 3.14  \t\n\n x…  “quotes” 中文 \u200b \u202e !!!",
    "  leading, trailing  ",
    "\n\n\nA: 10/10; [RESULT] 5\r\n",
)
"""Texts that tokenizers split differently."""
SPOKEN = (
    (Message(role="system", content="Judge it."), Message(role="user", content="Was it A or B?")),
    (Message(role="user", content=AWKWARD[0]),),
)
_MOST_CRASHES = 3


class NotThisJudge(ModelError):
    """A GGUF file that llama.cpp cannot open, or that is not the judge whose tokenizer it gets."""


class LlamaCpp:
    """Answers by llama.cpp, one request after the other; what prompts share is read once.

    A request that ends the worker process gets a failed completion, and the next one another
    process; after `_MOST_CRASHES` in a row there is a ModelError.
    """

    def __init__(
        self, name: str, file: Path, tokenizer: str, *, threads: int = 1,
        python: str | None = None, context: int | None = None,
    ) -> None:  # fmt: skip
        """Open a file.

        Args:
            name: of the model, as its judgments name it.
            file: the GGUF file.
            tokenizer: the folder of the judge's tokenizer with its chat template.
            threads: how many llama.cpp computes with.
            python: of the worker; None: see `gguf.worker.llama_python`.
            context: tokens of prompt and reply together; None: see `judge_folder.context_of`.

        Raises:
            NotThisJudge: the file is not this judge's, or cannot be read.
        """
        self.name = name
        self._file, self._threads = file, threads
        self._tokenizer = load_tokenizer(tokenizer)
        self._context = context or context_of(Path(tokenizer))
        self._worker = Worker(python)
        self._crashes = 0
        self._ends = [turn_end(self._tokenizer), int(self._tokenizer.eos_token_id)]
        if not file.is_file():
            raise ModelError(f"{file}: expected a GGUF file, found none there.")
        try:
            self.about: dict[str, Any] = self._open()
            self._require_same_judge()
        except WorkerEnded as error:
            raise NotThisJudge(f"{file}: cannot be opened; {error}") from None

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer all requests; prompts that leave no room for a reply are `too_long`."""
        for request in requests:
            try:
                yield self._answer(request)
                self._crashes = 0
            except WorkerEnded as error:
                self._crashes += 1
                if self._crashes >= _MOST_CRASHES:
                    raise ModelError(
                        f"{self._file}: {self._crashes} times in a row {error}"
                    ) from None
                yield _nothing(failure=str(error))
                self._open()

    def close(self) -> None:
        """End the worker process."""
        self._worker.close()

    def _open(self) -> dict[str, Any]:
        found: dict[str, Any] = self._worker.ask(
            "open", file=str(self._file), context=self._context, threads=self._threads
        )
        return found

    def _require_same_judge(self) -> None:
        """Refuse a file with other tokens or another chat template than the judge was trained on.

        A template may fail on a turn that ours folds into another (Gemma has no system role), so
        what our renderer gives it is compared.
        """
        held = len(self._tokenizer)
        if self.about["vocabulary"] < held:
            raise self._stranger(f"{held} tokens", f"{self.about['vocabulary']}")
        for text in AWKWARD:
            ours = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
            theirs = self._worker.ask("tokenize", text=text)
            if ours != theirs:
                raise self._stranger(f"token ids {ours} of {text!r}", f"{theirs}")
        if self.about["template"] is None:
            raise self._stranger("a chat template", "none")
        self.require_same_prompts(SPOKEN)

    def require_same_prompts(self, prompts: Iterable[Sequence[Message]]) -> int:
        """How many prompts were compared, all with equal token ids.

        Raises:
            NotThisJudge: the file's chat template or tokenizer makes something else of one.
        """
        count = 0
        for count, turns in enumerate(prompts, start=1):  # noqa: B007 (it is the result)
            ours = encode_prompt(self._tokenizer, turns)
            theirs = self._rendered(turns)
            if ours != theirs:
                told = [self._tokenizer.decode(ids) for ids in _apart(ours, theirs)]
                raise self._stranger(f"...{told[0]!r} in a prompt", f"...{told[1]!r}")
        return count

    def _rendered(self, turns: Sequence[Message]) -> list[int]:
        messages = shown_turns(self._tokenizer, turns)
        found: list[int] = self._worker.ask("render", messages=messages)
        return found

    def _stranger(self, expected: str, found: str) -> NotThisJudge:
        return NotThisJudge(
            f"{self._file}: this file is not the judge of {self._tokenizer.name_or_path}: expected "
            f"{expected}, found {found}. Export it again from the judge's folder."
        )

    def _answer(self, request: Request) -> Completion:
        prompt = encode_prompt(self._tokenizer, request.messages)
        sampling = request.sampling
        if len(prompt) + sampling.max_tokens > self._context:
            return _nothing(too_long=True)
        found = self._worker.ask(
            "reply", prompt=prompt, most=sampling.max_tokens, ends=self._ends,
            temperature=sampling.temperature, seed=sampling.seed,
        )  # fmt: skip
        text = self._tokenizer.decode(found["ids"], skip_special_tokens=True)
        chances = covered = None
        if request.wanted is not None and request.wanted.after in text:
            chances, covered = self._read_out(prompt, text, request.wanted)
        return Completion(
            text=text, finish=Finish.STOP if found["ended"] else Finish.LENGTH,
            prompt_tokens=len(prompt), completion_tokens=len(found["ids"]),
            probabilities=chances, covered=covered,
        )  # fmt: skip

    def _read_out(
        self, prompt: list[int], text: str, wanted: Wanted
    ) -> tuple[dict[str, float] | None, float | None]:
        """The chance of each option, scored whole, among the options; and what they had in all.

        None where the tokenizer joins the text before with the options in a way that training
        never saw.
        """
        for upto, white in openings(wanted.after):
            before = text[: text.rfind(wanted.after) + len(upto)]
            head = self._ids(before)
            whole = [self._ids(before + white + option) for option in wanted.options]
            if all(ids[: len(head)] == head and len(ids) > len(head) for ids in whole):
                logs = self._worker.ask(
                    "score", prompt=[*prompt, *head], options=[ids[len(head) :] for ids in whole]
                )
                masses = [math.exp(log) for log in logs]
                covered = sum(masses)
                if covered > 0:
                    return dict(zip(wanted.options, (m / covered for m in masses), strict=True)), (
                        min(1.0, covered)
                    )
        return None, None

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _apart(one: list[int], other: list[int], most: int = 40) -> tuple[list[int], list[int]]:
    """Both from where they begin to differ.

    >>> _apart([1, 2, 3], [1, 9])
    ([2, 3], [9])
    """
    pairs = zip(one, other, strict=False)
    differ = (place for place, (a, b) in enumerate(pairs) if a != b)
    start = next(differ, min(len(one), len(other)))
    return one[start : start + most], other[start : start + most]


def _nothing(*, too_long: bool = False, failure: str | None = None) -> Completion:
    return Completion(
        text="", finish=Finish.FAILED, prompt_tokens=0, completion_tokens=0, too_long=too_long,
        failure=failure, calls=0 if too_long else 1,
    )  # fmt: skip
