"""A Hugging Face model behind the seam: batched replies, and verdict probabilities on request."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, cast

from judgesmith.backends.adapters import is_adapter
from judgesmith.backends.encode import encode_prompt
from judgesmith.backends.lines import Prompt
from judgesmith.backends.loading import load
from judgesmith.backends.origin import read_origin
from judgesmith.backends.read_out import Chances, Options, Seen, options_after, read_on, read_out
from judgesmith.backends.replies import Written, written
from judgesmith.backends.student import load_student
from judgesmith.backends.weights import Quantize, require_finite
from judgesmith.errors import ModelError
from judgesmith.models.protocol import Completion, Request, Wanted
from judgesmith.records import Finish

_TOO_LONG = Completion(
    text="",
    finish=Finish.FAILED,
    prompt_tokens=0,
    completion_tokens=0,
    too_long=True,
    calls=0,
)

_SMALL = 50_000_000
"""Parameters below which wide batches fit on any accelerator, and cost less for each reply.

On a CPU replies in batches of 32 are written 1.1 to 1.2 times as fast as in batches of 128.
"""


class LocalModel:
    """Answers by generation, or reads a verdict out after a beginning that it is given.

    Batches are of prompts of like settings and similar length, formed inside the requests of one
    `complete` call; the caller's chunks therefore decide how much is lost at a kill.

    `bf16` multiplies in half precision, as training does where the processor gains by it. Chances
    then move by some hundredths, with the batch as well.
    """

    takes_forced = True

    def __init__(
        self, name: str, path: str | None = None, *, loaded: tuple[Any, Any] | None = None,
        batch: int | None = None, bf16: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self._model, self._tokenizer = loaded or _sound(path or name)
        self._most, self._bf16 = batch, bf16
        wide = self._model.device.type != "cpu" and self._model.num_parameters() < _SMALL
        self._batch = batch or (128 if wide else 32)
        limits = (
            # A model that reads images too keeps the limits of its text in a part of its config.
            getattr(self._model.config.get_text_config(), "max_position_embeddings", None),
            self._tokenizer.model_max_length,
        )
        self._context = min(int(limit) for limit in limits if limit)

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer all requests; prompts that leave no room for a reply are `too_long`."""
        self._model.eval()
        torch = load("torch")
        with torch.autocast(self._model.device.type, torch.bfloat16, enabled=self._bf16):
            answers = self._answered(requests)
        yield from (answers[i] for i in range(len(requests)))

    def _answered(self, requests: Sequence[Request]) -> dict[int, Completion]:
        prompts = [self._encode(request) for request in requests]
        answers: dict[int, Completion] = {}
        alike: dict[str, list[int]] = defaultdict(list)
        for i, request in enumerate(requests):
            alike[repr((request.sampling, request.wanted, request.forced))].append(i)
        for chosen in alike.values():
            asked = requests[chosen[0]]
            begun = self._begun(asked)
            needed = asked.sampling.max_tokens if begun is None else begun.longest
            fits = [i for i in chosen if len(prompts[i] or self._none) + needed <= self._context]
            answers |= dict.fromkeys(chosen, _TOO_LONG)
            given = [prompts[i] or [] for i in fits]
            found = (
                self._written(asked, given) if begun is None else self._read(asked, given, begun)
            )
            answers |= dict(zip(fits, found, strict=True))
        return answers

    @property
    def _none(self) -> range:
        """As many tokens as fit, in place of a prompt that does not: one more is too many."""
        return range(self._context + 1)

    def _encode(self, request: Request) -> list[int] | None:
        # No token is longer than a few dozen characters: far longer text cannot fit, and
        # tokenizing a megabyte to find that out would take seconds.
        if sum(len(turn.content) for turn in request.messages) > 64 * self._context:
            return None
        return encode_prompt(self._tokenizer, request.messages)

    def _begun(self, asked: Request) -> Options | None:
        """The options after the beginning of a reply that is given; None where none is given."""
        if asked.forced is None or asked.wanted is None:
            return None
        options = options_after(self._tokenizer, asked.forced, asked.wanted)
        if options is None:
            raise ModelError(
                f"{self.name}: expected verdicts that its tokenizer tells apart, found two of "
                f"{', '.join(asked.wanted.options)} with the same tokens. Write them otherwise "
                "(the dialect's `say`)."
            )
        return options

    def _read(
        self, asked: Request, prompts: Sequence[list[int]], begun: Options
    ) -> list[Completion]:
        """Whole replies, of which only the verdict is the model's: the likeliest."""
        wanted, forced = asked.wanted, asked.forced
        assert wanted is not None
        whole = [Prompt([*prompt, *begun.stem], begun.follow) for prompt in prompts]
        found = read_out(self._model, self._tokenizer, whole, wanted.options, self._most)
        return [
            Completion(
                text=f"{forced}{max(one.of, key=one.of.__getitem__)}{wanted.closing}",
                finish=Finish.STOP,
                prompt_tokens=len(prompt),
                completion_tokens=0,
                probabilities=one.of,
                covered=one.covered,
            )
            for prompt, one in zip(prompts, found, strict=True)
        ]

    def _written(self, asked: Request, prompts: Sequence[list[int]]) -> list[Completion]:
        """Replies that the model writes, and the chances of a verdict in them where wanted."""
        found: dict[int, Completion] = {}
        for done in written(
            self._model, self._tokenizer, prompts, asked.sampling, batch=self._batch,
            keep=asked.wanted is not None,
        ):  # fmt: skip
            texts = [self._tokenizer.decode(one, skip_special_tokens=True) for one in done.replies]
            chances = self._chances(asked.wanted, prompts, done, texts)
            for member, text, tokens, ended, chance in zip(
                done.members, texts, done.replies, done.ended, chances, strict=True
            ):
                found[member] = Completion(
                    text=text,
                    finish=Finish.STOP if ended else Finish.LENGTH,
                    prompt_tokens=len(prompts[member]),
                    completion_tokens=len(tokens),
                    probabilities=chance.of if chance else None,
                    covered=chance.covered if chance else None,
                )
        return [found[i] for i in range(len(prompts))]

    def _chances(
        self, wanted: Wanted | None, prompts: Sequence[list[int]], done: Written,
        texts: Sequence[str],
    ) -> list[Chances | None]:  # fmt: skip
        """The chances of a verdict after the last `after` of each reply; None where it has none."""
        found: list[Chances | None] = [None] * len(texts)
        asked: dict[int, Prompt] = {}
        for i, text in enumerate(texts):
            if wanted is None or wanted.after not in text:
                continue
            before = text[: text.rfind(wanted.after) + len(wanted.after)]
            options = options_after(self._tokenizer, before, wanted)
            if options is not None:
                whole = [*prompts[done.members[i]], *options.stem]
                asked[i] = Prompt(whole, options.follow)
        if asked and wanted is not None:
            known = [[*prompts[done.members[i]], *done.replies[i]] for i in asked]
            past = None if done.past is None else Seen(done.past, list(asked), known)
            chances = read_on(self._model, self._tokenizer, list(asked.values()), wanted, past)
            for i, chance in zip(asked, chances, strict=True):
                found[i] = chance
        return found


def _sound(path: str) -> tuple[Any, Any]:
    """The student, whose weights are all finite: from others each reply would be noise.

    An adapter that was trained over a base in four bits is asked over the same: over the base as it
    was published it is another judge than the one that was chosen on dev.
    """
    origin = read_origin(path) if is_adapter(path) else None
    quantize = None if origin is None else origin.quantize
    model, tokenizer = load_student(path, quantize=cast(Quantize | None, quantize))
    require_finite(model, path, stored=False)
    return model, tokenizer
