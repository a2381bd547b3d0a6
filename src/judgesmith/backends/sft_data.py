"""Encoded rows as a trainer takes them, and the check of what its first batch learns from."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from judgesmith.backends.encode import encode_prompt, encode_reply, neutralise, turn_end
from judgesmith.backends.lengths import RowLength
from judgesmith.backends.lessons import NO_LOSS, Lesson
from judgesmith.backends.loading import load
from judgesmith.backends.packing import Batch
from judgesmith.backends.soft_labels import Soft, soft_tensors
from judgesmith.errors import TrainingError
from judgesmith.records import SftRow


class Encoded(NamedTuple):
    """Rows as token ids, how many did not fit, and how long all of them are."""

    rows: list[Lesson]
    too_long: int
    lengths: list[RowLength]


def encode_rows(tokenizer: Any, rows: Sequence[SftRow], max_length: int) -> Encoded:
    """Prompt and reply of every row that fits into `max_length` tokens."""
    encoded: list[Lesson] = []
    lengths: list[RowLength] = []
    known: dict[int, int] = {}

    def shared(ids: list[int]) -> list[int]:
        """One number for all tokens of a kind: a fifth of the memory of a number for each."""
        return [known.setdefault(token, token) for token in ids]

    for row in rows:
        # Far longer text cannot fit, and tokenizing a megabyte to find that out takes seconds.
        if sum(len(turn.content) for turn in row.prompt) > 64 * max_length:
            lengths.append(RowLength(row.id, None, None))
            continue
        prompt = shared(encode_prompt(tokenizer, row.prompt))
        lesson = Lesson(row.id, prompt, shared(encode_reply(tokenizer, row.completion)))
        lengths.append(RowLength(row.id, len(prompt), len(lesson.reply)))
        if lesson.length <= max_length:
            encoded.append(lesson)
    return Encoded(encoded, len(rows) - len(encoded), lengths)


def places(lessons: Sequence[Lesson]) -> Any:
    """A dataset of places in the order of training; the collator knows what stands at each.

    Held as token ids, rows that are seen in several passes would be kept several times.
    """
    return load("datasets").Dataset.from_dict({"row": list(range(len(lessons)))})


class Collator:
    """Places of rows -> tensors; the first batch of a run is held against its rows."""

    def __init__(
        self, make: Callable[[Sequence[Mapping[str, Any]]], Batch], shown: Sequence[Lesson],
        check: "MaskCheck", soft: Mapping[str, Soft],
    ) -> None:  # fmt: skip
        self._make, self._shown, self._soft = make, shown, soft
        self._check: MaskCheck | None = check

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """One batch, with the soft labels of its rows."""
        lessons = [self._shown[int(example["row"])] for example in examples]
        batch = self._make([lesson.fields() for lesson in lessons])
        if self._check is not None:
            self._check.require(batch, lessons)
            self._check = None
        soft = [
            (self._soft[lesson.row_id], place, len(lesson.prompt))
            for lesson, place in zip(lessons, batch.places, strict=True)
            if lesson.row_id in self._soft
        ]
        return batch.tensors | (soft_tensors(soft) if soft else {})


class MaskCheck:
    """What carries loss must be a row's reply, from its first token to the end of the turn.

    `rows` are all rows by id and `encoded` the same as token ids, before any renaming.
    """

    def __init__(
        self, tokenizer: Any, rows: Mapping[str, SftRow], encoded: Sequence[Lesson]
    ) -> None:
        self._tokenizer, self._rows = tokenizer, rows
        self._encoded = {lesson.row_id: lesson for lesson in encoded}
        self._end = turn_end(tokenizer)

    def require(self, batch: Batch, lessons: Sequence[Lesson]) -> None:
        """Raise TrainingError naming the first row whose labels are not its reply."""
        for lesson, (line, start) in zip(lessons, batch.places, strict=True):
            span = slice(start, start + lesson.length)
            ids = batch.tensors["input_ids"][line, span].tolist()
            labels = batch.tensors["labels"][line, span].tolist()
            wrong = self._wrong(lesson, ids, labels)
            if wrong is not None:
                raise TrainingError(
                    f"sft: the first batch would not teach row {lesson.row_id} its reply: {wrong}. "
                    "Loss must fall on the reply alone, up to the end of the turn; the tokenizer, "
                    "its chat template or the batching of this training is wrong."
                )

    def _wrong(self, lesson: Lesson, ids: list[int], labels: list[int]) -> str | None:
        tokenizer, first = self._tokenizer, len(lesson.prompt)
        learned = [place for place, label in enumerate(labels) if label != NO_LOSS]
        in_prompt = [place for place in learned if place < first]
        if set(in_prompt) != set(lesson.read):
            return f"{len(in_prompt)} tokens of its prompt of {first} carry loss"
        expected = list(range(first, len(ids)))
        if learned[len(in_prompt) :] != expected:
            shown = tokenizer.decode([ids[place] for place in learned][:12])
            return (
                f"{len(learned) - len(in_prompt)} of the {len(expected)} tokens of its reply carry "
                f"loss, from {shown!r} on"
            )
        if [labels[place] for place in learned] != [ids[place] for place in learned]:
            return "its labels are other tokens than those it is shown"
        if ids[-1] != self._end:
            return f"it ends in {tokenizer.decode(ids[-1:])!r}, which does not end the turn"
        if (lesson.prompt, lesson.reply) != self._encoded[lesson.row_id][1:3]:
            return None  # rare words were renamed: its text is another one on purpose
        told = tokenizer.decode(ids[first:-1])
        wanted = neutralise(tokenizer, self._rows[lesson.row_id].completion)
        if _plain(told) != _plain(wanted):
            return f"its labels read {told[:80]!r}, its reply is {wanted[:80]!r}"
        return None


def _plain(text: str) -> str:
    """Without what tokenizers may change: white space, and forms of the same character."""
    return "".join(unicodedata.normalize("NFKC", text).split())
