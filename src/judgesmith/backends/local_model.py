"""A Hugging Face model behind the seam: batched replies, and verdict probabilities on request."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, cast

from judgesmith.backends.adapters import is_adapter
from judgesmith.backends.encode import encode_prompt, openings
from judgesmith.backends.loading import load
from judgesmith.backends.origin import read_origin
from judgesmith.backends.student import load_student
from judgesmith.backends.weights import Quantize, require_finite
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
"""Parameters below which wide batches fit anywhere, and cost less for each reply."""


class LocalModel:
    """Answers by generation, in batches of prompts of like settings and similar length.

    Batches are formed inside the requests of one `complete` call; the caller's chunks therefore
    decide how much is lost at a kill.
    """

    def __init__(
        self, name: str, path: str | None = None, *, loaded: tuple[Any, Any] | None = None,
        batch: int | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._model, self._tokenizer = loaded or _sound(path or name)
        self._batch = batch or (128 if self._model.num_parameters() < _SMALL else 32)
        limits = (
            # A model that reads images too keeps the limits of its text in a part of its config.
            getattr(self._model.config.get_text_config(), "max_position_embeddings", None),
            self._tokenizer.model_max_length,
        )
        self._context = min(int(limit) for limit in limits if limit)

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer all requests; prompts that leave no room for a reply are `too_long`."""
        prompts = [self._encode(request) for request in requests]
        answers: dict[int, Completion] = {}
        fits: list[int] = []
        for i, (request, ids) in enumerate(zip(requests, prompts, strict=True)):
            if ids is None or len(ids) + request.sampling.max_tokens > self._context:
                answers[i] = _TOO_LONG
            else:
                fits.append(i)
        settings = {i: repr((requests[i].sampling, requests[i].wanted)) for i in fits}
        fits.sort(key=lambda i: (settings[i], len(prompts[i] or ())))
        for _, alike in groupby(fits, key=lambda i: settings[i]):
            for chunk in _cut_up(list(alike), self._batch):
                batch = [(requests[i], prompts[i] or []) for i in chunk]
                answers.update(zip(chunk, self._answer(batch), strict=True))
        yield from (answers[i] for i in range(len(requests)))

    def _encode(self, request: Request) -> list[int] | None:
        # No token is longer than a few dozen characters: far longer text cannot fit, and
        # tokenizing a megabyte to find that out would take seconds.
        if sum(len(turn.content) for turn in request.messages) > 64 * self._context:
            return None
        return encode_prompt(self._tokenizer, request.messages)

    def _answer(self, batch: Sequence[tuple[Request, list[int]]]) -> list[Completion]:
        torch = load("torch")
        sampling = batch[0][0].sampling
        self._model.eval()
        ids, mask = self._pad([prompt for _, prompt in batch])
        options: dict[str, Any] = {"do_sample": False}
        if sampling.temperature > 0:
            torch.manual_seed(sampling.seed)
            options = {"do_sample": True, "temperature": sampling.temperature}
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=sampling.max_tokens,
                pad_token_id=self._tokenizer.pad_token_id, **options,
            )  # fmt: skip
        replies = [self._cut(row) for row in out[:, ids.shape[1] :].tolist()]
        texts = [self._tokenizer.decode(ids, skip_special_tokens=True) for ids, _ in replies]
        wanted = batch[0][0].wanted
        chances: Sequence[dict[str, float] | None] = [None] * len(batch)
        if wanted is not None:
            chances = self._probabilities([prompt for _, prompt in batch], texts, wanted)
        return [
            Completion(
                text=text,
                finish=Finish.STOP if ended else Finish.LENGTH,
                prompt_tokens=len(prompt),
                completion_tokens=len(tokens),
                probabilities=chance,
            )
            for (_, prompt), (tokens, ended), text, chance in zip(
                batch, replies, texts, chances, strict=True
            )
        ]

    def _cut(self, ids: list[int]) -> tuple[list[int], bool]:
        """The reply up to its end, and whether it ended by itself."""
        ends = self._model.generation_config.eos_token_id
        ends = set(ends) if isinstance(ends, list) else {ends, self._tokenizer.eos_token_id}
        for position, token in enumerate(ids):
            if token in ends:
                return ids[:position], True
        return ids, False

    def _pad(self, rows: Sequence[list[int]]) -> tuple[Any, Any]:
        torch = load("torch")
        width = max(map(len, rows))
        pad = self._tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        return ids.to(self._model.device), mask.to(self._model.device)

    def _first_tokens(self, wanted: Wanted) -> tuple[str, list[int]] | None:
        """The text up to which a reply is read, and the token that begins each option after it.

        The text is `after`, or `after` without the white space that it ends in where the tokenizer
        joins that with the options. None where it joins more than that, or begins two options
        alike: the chance of a token that training never produced there would mean nothing.
        """
        for upto, white in openings(wanted.after):
            firsts = [self._first_token(upto, white + option) for option in wanted.options]
            known = [token for token in firsts if token is not None]
            if len(known) == len(set(known)) == len(firsts):
                return upto, known
        return None

    def _first_token(self, upto: str, option: str) -> int | None:
        """The token that begins an option after a text; None where the text ends inside of it."""
        opening = self._tokenizer(upto, add_special_tokens=False)["input_ids"]
        joint = self._tokenizer(upto + option, add_special_tokens=False)["input_ids"]
        whole = joint[: len(opening)] == opening and len(joint) > len(opening)
        return int(joint[len(opening)]) if whole else None

    def _probabilities(
        self, prompts: Sequence[list[int]], texts: Sequence[str], wanted: Wanted
    ) -> list[dict[str, float] | None]:
        """Chance of each option right after the last `after` of a reply, among the options."""
        torch = load("torch")
        chances: list[dict[str, float] | None] = [None] * len(prompts)
        read = self._first_tokens(wanted)
        found = [i for i, text in enumerate(texts) if wanted.after in text]
        if read is None or not found:
            return chances
        upto, firsts = read
        rows = []
        for i in found:
            before = texts[i][: texts[i].rfind(wanted.after) + len(upto)]
            ids = self._tokenizer(before, add_special_tokens=False)["input_ids"]
            rows.append(prompts[i] + list(ids))
        ids, mask = self._pad(rows)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        with torch.inference_mode():
            logits = self._model(
                input_ids=ids, attention_mask=mask, position_ids=positions, logits_to_keep=1,
                use_cache=False,
            ).logits[:, -1, firsts]  # fmt: skip
        for i, row in zip(found, torch.softmax(logits.float(), -1).tolist(), strict=True):
            chances[i] = dict(zip(wanted.options, row, strict=True))
        return chances


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


def _cut_up(places: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(places), size):
        yield places[start : start + size]
