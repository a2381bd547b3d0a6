"""Verdicts per second: read out at once, with a reason, and as people usually do it.

    python -m benchmarks.inference [--run runs/quickstart] [--pairs 40] [--loops 10] [--batch 32]

Both sides get the same prompts, in both orders, from the same model on the same machine:

- fast: the verdict read out at once, prompts that begin alike computed once;
- fast in bf16: the same in half precision, as training multiplies where the processor gains by it;
- rationale: a reason of up to `--tokens` tokens and the verdict's chances, in batches;
- one by one: the obvious loop, `generate` for one prompt at a time, `--tokens` tokens;
- batched: the same in padded batches of `--batch`, as transformers' own examples do;
- regex: sampled replies in such batches, read by a regular expression and asked again where it
  does not match, up to ten times: the way in which prometheus-eval is used.

Models are the student of a finished run (with `--run`), whose replies end by themselves, and a
Llama of 20M random weights with prompts of some 700 tokens, whose replies go on to the end. A
verdict is that of one prompt: a pair in both orders is two. The judge's own answers, where its
dialect asks for them, are there before the clock runs, on every side. Seconds are of CPU on a CPU,
which others may share. The slow sides judge `--loops` pairs only.
Prints a table by model, at one and at `--batch` prompts at once; exits 1 where fast is less than
three times the loop, or not ahead at equal batch sizes. The aim is 12 times; what decides is how
much of the prompts is shared, and how long the loop writes.
"""

import argparse
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.encode import encode_prompt
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.student import FromNothing, build_student, load_student
from judgesmith.judging.dialect import Dialect
from judgesmith.models.judge import requests_about, showings
from judgesmith.models.own_reference import OwnReferences
from judgesmith.models.protocol import Mode, Request, Sampling
from judgesmith.pipeline import open_run
from judgesmith.records import Finish, Item, Kind, Question, Response, index_by_id
from judgesmith.tasks import load_dialect, task_of
from judgesmith.tasks.bias.dialects import BIAS_PAIR

AIM, LEAST = 12.0, 3.0
TRIES = 10
ORIGIN = {"source": "benchmark", "licence": "none"}


class Subject(NamedTuple):
    """A model, and requests for each mode, those of a pair side by side."""

    name: str
    model: Any
    tokenizer: Any
    requests: dict[Mode, list[Request]]
    tokens: int


def student_of(folder: Path, pairs: int, tokens: int) -> Subject:
    """The student of a run with pairs of its test side."""
    run_dir, recipe = open_run(folder)
    measured: Any = recipe.sections["evaluate"]
    dialect = load_dialect(task_of(run_dir.header), measured.dialect)
    model, tokenizer = load_student(str(run_dir.file("sft/student")))
    items = [
        i for i in run_dir.read("split/items.jsonl", Item) if i.split and i.split.value == "test"
    ]
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    random.Random(0).shuffle(items)
    asked = requests_of(
        LocalModel("m", loaded=(model, tokenizer)),
        dialect,
        items[:pairs],
        questions,
        responses,
        tokens,
    )
    return Subject(f"student of {folder.name}", model, tokenizer, asked, tokens)


def requests_of(
    model: LocalModel, dialect: Dialect, items: Sequence[Item], questions: dict[str, Question],
    responses: dict[str, Response], tokens: int,
) -> dict[Mode, list[Request]]:  # fmt: skip
    """What is asked about items, in each mode, with the judge's own answers."""
    sampling = Sampling(max_tokens=tokens)
    own = OwnReferences(model, [questions[i.question_id] for i in items], dialect, sampling)
    modes: tuple[Mode, ...] = ("rationale", "fast")
    return {
        mode: requests_about(
            showings(items, dialect), questions, responses,
            dialect=dialect, sampling=sampling, own=own.text, mode=mode,
        )
        for mode in modes
    }  # fmt: skip


def random_llama(folder: Path, pairs: int, tokens: int) -> Subject:
    """About 20M weights, a tokenizer of 8,000, and pairs whose prompts have some 700 tokens."""
    draw = random.Random(0)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el")]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(4000)]

    def text(count: int) -> str:
        return " ".join(draw.choices(words, k=count))

    size = FromNothing(width=384, layers=9, heads=6, vocabulary=8000, context=2048)
    told = f"{BIAS_PAIR.system}\n{BIAS_PAIR.user}"
    build_student(size, [told] * 20 + [text(200) for _ in range(400)], folder, seed=1)
    model, tokenizer = load_student(str(folder))
    model.generation_config.eos_token_id = None  # nothing ends a reply before its time
    questions, responses, items = {}, {}, []
    each = 130
    for _ in range(pairs):
        question = Question.make(
            **ORIGIN, group_id="g", template_id=None, category=None, context=text(60),
            text=text(12), choices=tuple(text(2) for _ in range(3)), key=None, reference=None,
            grounding=None, task={},
        )  # fmt: skip
        two = [
            Response.make(
                **ORIGIN, question_id=question.id, model="m", sampling={}, text=text(each),
                finish=Finish.STOP, task={},
            )
            for _ in range(2)
        ]  # fmt: skip
        questions[question.id] = question
        responses |= index_by_id(two)
        items.append(
            Item.make(
                **ORIGIN, kind=Kind.PAIR, question_id=question.id, split=None, bucket="b",
                response_ids=tuple(r.id for r in two), subtype=None,
            )
        )  # fmt: skip
    asked = requests_of(
        LocalModel("m", loaded=(model, tokenizer)), BIAS_PAIR, items, questions, responses, tokens
    )
    return Subject("random Llama", model, tokenizer, asked, tokens)


def ours(
    subject: Subject, mode: Mode, batch: int | None, *, bf16: bool = False
) -> Callable[[int], int]:
    """Our model on the first so many prompts; gives how many verdicts it read."""
    model = LocalModel("m", loaded=(subject.model, subject.tokenizer), batch=batch, bf16=bf16)

    def run(count: int) -> int:
        return sum(
            c.probabilities is not None for c in model.complete(subject.requests[mode][:count])
        )

    return run


def generated(subject: Subject, batch: int, **sampled: Any) -> Callable[[int], int]:
    """Replies by `generate` in padded batches, read by a regular expression."""
    torch = load("torch")
    model, tokenizer = subject.model, subject.tokenizer
    tokenizer.padding_side = "left"
    wanted = subject.requests["rationale"][0].wanted
    assert wanted is not None
    verdict = re.compile(
        re.escape(wanted.after) + "(" + "|".join(wanted.options) + ")" + re.escape(wanted.closing)
    )

    def once(requests: Sequence[Request]) -> list[bool]:
        found = []
        for start in range(0, len(requests), batch):
            prompts = [
                encode_prompt(tokenizer, r.messages) for r in requests[start : start + batch]
            ]
            given = tokenizer.pad({"input_ids": prompts}, return_tensors="pt")
            with torch.inference_mode():
                out = model.generate(
                    **given, max_new_tokens=subject.tokens, pad_token_id=tokenizer.pad_token_id,
                    **{"do_sample": False, **sampled},
                )  # fmt: skip
            replies = tokenizer.batch_decode(
                out[:, given["input_ids"].shape[1] :], skip_special_tokens=True
            )
            found += [verdict.search(reply) is not None for reply in replies]
        return found

    def run(count: int) -> int:
        left = subject.requests["rationale"][:count]
        read = 0
        for _ in range(TRIES if sampled else 1):
            found = once(left)
            read += sum(found)
            left = [r for r, ok in zip(left, found, strict=True) if not ok]
            if not left or model.generation_config.eos_token_id is None:
                break
        return read

    return run


def rate(run: Callable[[int], int], count: int) -> float:
    """Prompts judged per second: of CPU on a CPU, which others may share, else by the clock."""
    clock = time.perf_counter if load("torch").cuda.is_available() else time.process_time
    run(1)
    start = clock()
    run(count)
    return count / (clock() - start)


def table(subject: Subject, loops: int, batch: int) -> dict[str, float]:
    """Print every side's rate, and its ratio to the loop."""
    some, every = 2 * loops, len(subject.requests["fast"])
    sampled = {"do_sample": True, "temperature": 1.0, "top_p": 0.9}
    sides: dict[str, tuple[Callable[[int], int], int]] = {
        "fast": (ours(subject, "fast", None), every),
        f"fast, {batch} at once": (ours(subject, "fast", batch), every),
        "fast, a pair at once": (ours(subject, "fast", 2), some),
        "fast in bf16": (ours(subject, "fast", None, bf16=True), every),
        "rationale": (ours(subject, "rationale", batch), every),
        "one by one": (generated(subject, 1), some),
        "batched": (generated(subject, batch), max(some, min(every, 2 * batch))),
        "regex": (generated(subject, batch, **sampled), max(some, min(every, 2 * batch))),
    }
    rates = {}
    for name, (run, count) in sides.items():
        rates[name] = rate(run, count)
        print(f"{name}: {count} prompts", file=sys.stderr)
    lengths = [len(encode_prompt(subject.tokenizer, r.messages)) for r in subject.requests["fast"]]
    millions = subject.model.num_parameters() / 1e6
    print(f"\n{subject.name}: {millions:.1f}M weights, {len(lengths)} prompts of {min(lengths)} to "
          f"{max(lengths)} tokens (mean {sum(lengths) / len(lengths):.0f}), replies of up to "
          f"{subject.tokens}\n")  # fmt: skip
    print("| side | verdicts/s | times the loop |\n|---|---|---|")
    for name, found in rates.items():
        print(f"| {name} | {found:.2f} | {found / rates['one by one']:.1f} |", flush=True)
    return rates


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--loops", type=int, default=10)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64)
    asked = parser.parse_args()
    print(f"torch with {load('torch').get_num_threads()} threads")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        subjects = [random_llama(Path(folder), asked.pairs, asked.tokens)]
        if asked.run:
            subjects.append(student_of(asked.run, asked.pairs, asked.tokens))
        for subject in subjects:
            rates = table(subject, asked.loops, asked.batch)
            ahead = rates[f"fast, {asked.batch} at once"] > rates["batched"]
            good &= rates["fast"] >= LEAST * rates["one by one"] and ahead
    print(
        f"\nAim: {AIM:g} times the loop. {'Ahead.' if good else f'Less than {LEAST:g}, or behind.'}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
