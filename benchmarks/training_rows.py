"""How long real judge rows are, and rows of those lengths to train on.

    python -m benchmarks.training_rows --data FOLDER --run RUN

Prints the table of `LENGTHS` anew: FOLDER holds vicuna_blog_eval, prometheus_eval and auto_j, RUN
is a run of bias-judge-real or quickstart. Tokens are those of a byte-level BPE of 16,000 trained on
these texts, 4.7 characters each, about as many as a pretrained model's.
"""

import argparse
import gzip
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from judgesmith.judging.library import LIBRARY
from judgesmith.judging.render import render_prompt
from judgesmith.records import Message, SftRow, Split
from judgesmith.sources import About
from judgesmith.sources.bank import read_questions
from judgesmith.sources.published import feedback
from judgesmith.sources.published.readers import PublishedRow, make_question

SHARES = (0, 5, 25, 50, 75, 95, 100)
LENGTHS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "bias pair": ((60, 90, 115, 139, 168, 214, 309), (46, 46, 48, 48, 50, 50, 51)),
    "judgelm": ((195, 357, 529, 632, 765, 996, 1564), (43, 78, 98, 110, 129, 291, 536)),
    "prometheus": ((477, 612, 864, 1019, 1293, 1886, 2602), (42, 79, 105, 124, 143, 175, 243)),
    "auto-j": ((96, 133, 212, 355, 519, 806, 1642), (60, 159, 259, 319, 380, 486, 749)),
}
"""Tokens of prompts and of replies by kind of row, at the percentiles of `SHARES`."""

MIXES = {"several dialects": tuple(LENGTHS), **{kind: (kind,) for kind in LENGTHS}}
"""Kinds of rows in equal parts: of one judge that learns several dialects, and of one each."""

Pair = tuple[str, str]


def draw_lengths(kind: str, draw: random.Random) -> tuple[int, int]:
    """Tokens of a prompt and of its reply, each between two percentiles of its kind.

    >>> 0 < draw_lengths("auto-j", random.Random(1))[1] <= LENGTHS["auto-j"][1][-1]
    True
    """
    prompt, reply = (_at(table, draw.uniform(0, 100)) for table in LENGTHS[kind])
    return prompt, reply


def _at(table: Sequence[int], share: float) -> int:
    place = max(i for i, low in enumerate(SHARES[:-1]) if share >= low)
    part = (share - SHARES[place]) / (SHARES[place + 1] - SHARES[place])
    return round(table[place] + part * (table[place + 1] - table[place]))


def bank_texts() -> list[str]:
    """Questions of the bank, which the rows' texts are cut from."""
    return [f"{question.context} {question.text}" for question in read_questions(None)]


def make_rows(tokenizer: Any, mix: str, count: int, most: int) -> list[SftRow]:
    """Rows of about the drawn lengths; none is longer than `most` tokens."""
    draw = random.Random(f"{mix} {count}")
    texts = bank_texts()
    draw.shuffle(texts)
    stream = tokenizer(" ".join(texts[:4000]), add_special_tokens=False)["input_ids"]
    kinds = MIXES[mix]
    return [_row(tokenizer, stream, kinds[n % len(kinds)], draw, most, n) for n in range(count)]


def _row(
    tokenizer: Any, stream: Sequence[int], kind: str, draw: random.Random, most: int, number: int
) -> SftRow:  # fmt: skip
    prompt, reply = draw_lengths(kind, draw)
    prompt = min(prompt, most - reply - 32)  # what the chat template adds
    start = draw.randrange(len(stream) - prompt - reply)
    said = tokenizer.decode(stream[start : start + prompt])
    told = tokenizer.decode(stream[start + prompt : start + prompt + reply])
    return SftRow.make(
        source="benchmark", licence="CC0-1.0", item_id=f"{kind}/{number}", order=(0,),
        split=Split.TRAIN, dialect="d", prompt=(Message(role="user", content=said),),
        completion=told,
    )  # fmt: skip


def judgelm_rows(folder: Path) -> Iterator[Pair]:
    """GPT-4's reviews of pairs, asked for in the dialect `judgelm`."""
    table = folder / "eval/table"
    questions = {row["question_id"]: row["text"] for row in _lines(table / "question.jsonl")}
    files = table.glob("answer/*.jsonl")
    answers = {row["answer_id"]: row["text"] for file in files for row in _lines(file)}
    for file in sorted(table.glob("review/*/*.jsonl")):
        for row in _lines(file):
            ids = (row["answer1_id"], row["answer2_id"])
            if answers.keys() >= set(ids):
                question = make_question("vicuna", "n", questions[row["question_id"]])
                turns = render_prompt(LIBRARY["judgelm"], question, [answers[i] for i in ids])
                yield _text(turns), row["text"]


def prometheus_rows(folder: Path) -> Iterator[Pair]:
    """GPT-4's feedback on one response with a reference, asked for in the Prometheus dialect."""
    for name in ("vicuna_eval", "mt_bench_eval"):
        path = folder / f"eval/benchmark/data/{name}.json.gz"
        for row in feedback.read_published(path, About()):
            if isinstance(row, PublishedRow):
                given: Any = row.given[0]
                dialect = LIBRARY[given.dialect]
                turns = render_prompt(dialect, row.question, [row.responses[0].text])
                yield _text(turns), dialect.write_reply(given.rationale, given.verdict)


def auto_j_rows(folder: Path) -> Iterator[Pair]:
    """Auto-J's own training rows: critiques by GPT-4."""
    with gzip.open(folder / "data/training/single_traindata.jsonl.gz", "rt") as file:
        for line in file:
            row = json.loads(line)
            yield row["usrmsg"], row["target_output"]


def bias_rows(run: Path) -> Iterator[Pair]:
    """The rows of a run of the bias judge, in its compact dialect."""
    for row in _lines(run / "rows/sft.jsonl"):
        yield "".join(turn["content"] for turn in row["prompt"]), row["completion"]


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open() as lines:
        yield from map(json.loads, lines)


def _text(turns: Sequence[Message]) -> str:
    return "".join(turn.content for turn in turns)


def main() -> None:
    import numpy as np
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    given = parser.parse_args()
    kinds = {
        "bias pair": list(bias_rows(given.run)),
        "judgelm": list(judgelm_rows(given.data / "vicuna_blog_eval")),
        "prometheus": list(prometheus_rows(given.data / "prometheus_eval")),
        "auto-j": list(auto_j_rows(given.data / "auto_j")),
    }
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    texts = [text for rows in kinds.values() for pair in rows for text in pair]
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=16000, initial_alphabet=alphabet)
    )
    for kind, rows in kinds.items():
        sides = [[len(tokenizer.encode(text).ids) for text in side] for side in zip(*rows)]  # noqa: B905
        tables = [tuple(int(n) for n in np.percentile(side, SHARES).round()) for side in sides]
        mean = sum(map(sum, sides)) / len(rows)
        print(f"    {kind!r}: ({tables[0]}, {tables[1]}),  # {len(rows):,} rows, mean {mean:.0f}")


if __name__ == "__main__":
    main()
