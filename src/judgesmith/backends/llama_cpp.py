"""A GGUF file behind the seam: llama.cpp in a worker process, our own prompts and token ids.

Messages become token ids as in training: by our renderer and the judge's own tokenizer. A file
whose llama.cpp tokenizer gives other ids, or whose chat template writes another prompt, was made
from something else than this judge, and is refused.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from judgesmith.backends.encode import encode_prompt, shown_turns, turn_end
from judgesmith.backends.gguf.worker import Worker, WorkerEnded
from judgesmith.backends.judge_folder import context_of
from judgesmith.backends.read_out import Chances, Options, options_after
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
_SHOWN = 40
"""Tokens of two prompts that a message shows from where they differ."""


class NotThisJudge(ModelError):
    """A GGUF file that llama.cpp cannot open, or that is not the judge whose tokenizer it gets."""


class LlamaCpp:
    """Answers by llama.cpp, one request after the other; what prompts share is read once.

    A request that ends the worker process gets a failed completion, and the next one another
    process; after `_MOST_CRASHES` in a row there is a ModelError.
    """

    takes_forced = True

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
                start = len(_shared([ours, theirs]))
                told = [self._tokenizer.decode(ids[start:][:_SHOWN]) for ids in (ours, theirs)]
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
        if request.forced is not None and request.wanted is not None:
            return self._begun(prompt, request.forced, request.wanted)
        sampling = request.sampling
        if len(prompt) + sampling.max_tokens > self._context:
            return _nothing(too_long=True)
        found = self._worker.ask(
            "reply", prompt=prompt, most=sampling.max_tokens, ends=self._ends,
            temperature=sampling.temperature, seed=sampling.seed,
        )  # fmt: skip
        text = self._tokenizer.decode(found["ids"], skip_special_tokens=True)
        chances: Chances | None = None
        wanted = request.wanted
        if wanted is not None and wanted.after in text:
            before = text[: text.rfind(wanted.after) + len(wanted.after)]
            options = options_after(self._tokenizer, before, wanted)
            chances = None if options is None else self._chances(prompt, options, wanted)
        return Completion(
            text=text, finish=Finish.STOP if found["ended"] else Finish.LENGTH,
            prompt_tokens=len(prompt), completion_tokens=len(found["ids"]),
            probabilities=chances.of if chances else None,
            covered=chances.covered if chances else None,
        )  # fmt: skip

    def _begun(self, prompt: list[int], forced: str, wanted: Wanted) -> Completion:
        """A whole reply, of which only the verdict is the model's: the likeliest."""
        options = options_after(self._tokenizer, forced, wanted)
        if options is None:
            raise ModelError(
                f"{self.name}: expected verdicts that its tokenizer tells apart, found two of "
                f"{', '.join(wanted.options)} with the same tokens. Write them otherwise (the "
                "dialect's `say`)."
            )
        if len(prompt) + options.longest > self._context:
            return _nothing(too_long=True)
        found = self._chances(prompt, options, wanted)
        likeliest = max(found.of, key=found.of.__getitem__)
        return Completion(
            text=f"{forced}{likeliest}{wanted.closing}", finish=Finish.STOP,
            prompt_tokens=len(prompt), completion_tokens=0, probabilities=found.of,
            covered=found.covered,
        )  # fmt: skip

    def _chances(self, prompt: list[int], options: Options, wanted: Wanted) -> Chances:
        """The chance of each option, scored whole by its own tokens after what all begin with."""
        tokens = [[token for _, token in steps] for steps in options.follow.steps]
        logs = self._worker.ask("score", prompt=[*prompt, *options.stem], options=tokens)
        masses = [math.exp(log) for log in logs]
        covered = sum(masses)
        return Chances(
            dict(zip(wanted.options, (mass / covered for mass in masses), strict=True)),
            min(1.0, covered),
        )


def _shared(rows: Sequence[list[int]]) -> list[int]:
    """What all rows begin with.

    >>> _shared([[1, 2, 3], [1, 9]])
    [1]
    """
    alike = takewhile(lambda ids: len(set(ids)) == 1, zip(*rows, strict=False))
    return [ids[0] for ids in alike]


def _nothing(*, too_long: bool = False, failure: str | None = None) -> Completion:
    return Completion(
        text="", finish=Finish.FAILED, prompt_tokens=0, completion_tokens=0, too_long=too_long,
        failure=failure, calls=0 if too_long else 1,
    )  # fmt: skip
