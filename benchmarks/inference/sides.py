"""Ways to get verdicts from one model: ours, and those that people usually take."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.inference.subjects import Subject

from judgesmith.backends.encode import encode_prompt
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.models.protocol import Completion, Mode, Request

TRIES = 10
AS_PROMETHEUS = {
    "do_sample": True, "temperature": 1.0, "top_p": 0.9, "top_k": 0, "repetition_penalty": 1.03,
}  # fmt: skip
"""Defaults of prometheus-eval 0.1.20, whose 1,024 tokens are cut to those of the other sides."""

Side = Callable[[int], object]
"""Judges the first so many prompts."""


def ours(subject: Subject, mode: Mode, batch: int | None = None, *, bf16: bool = False) -> Side:
    """Our model; gives its completions."""
    model = LocalModel("m", loaded=(subject.model, subject.tokenizer), batch=batch, bf16=bf16)

    def run(count: int) -> list[Completion]:
        return list(model.complete(subject.requests[mode][:count]))

    return run


def reader(subject: Subject) -> re.Pattern[str]:
    """The regular expression that finds a verdict in a reply."""
    wanted = subject.requests["rationale"][0].wanted
    assert wanted is not None
    return re.compile(
        re.escape(wanted.after) + "(" + "|".join(wanted.options) + ")" + re.escape(wanted.closing)
    )


def generated(subject: Subject, batch: int, **options: Any) -> Side:
    """Replies by transformers' `generate` in padded batches, read by a regular expression.

    Sampled ones are asked again where it does not match, up to ten times.
    """
    torch = load("torch")
    model, tokenizer, verdict = subject.model, subject.tokenizer, reader(subject)
    tokenizer.padding_side = "left"
    tries = TRIES if options.get("do_sample") and subject.ends else 1

    def once(requests: Sequence[Request]) -> list[bool]:
        prompts = [encode_prompt(tokenizer, request.messages) for request in requests]
        given = tokenizer.pad({"input_ids": prompts}, return_tensors="pt")
        with torch.inference_mode():
            out = model.generate(
                **given, max_new_tokens=subject.tokens, pad_token_id=tokenizer.pad_token_id,
                **{"do_sample": False, **options},
            )  # fmt: skip
        new = out[:, given["input_ids"].shape[1] :]
        replies = tokenizer.batch_decode(new, skip_special_tokens=True)
        return [verdict.search(reply) is not None for reply in replies]

    def run(count: int) -> None:
        left = subject.requests["rationale"][:count]
        for _ in range(tries):
            found: list[bool] = []
            for start in range(0, len(left), batch):
                found += once(left[start : start + batch])
            left = [request for request, ok in zip(left, found, strict=True) if not ok]
            if not left:
                break

    return run
