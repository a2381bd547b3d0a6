"""What carries loss is the reply and nothing else, and the first batch shows it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends import sft_data
from judgesmith.backends.lessons import Lesson
from judgesmith.backends.packing import PackedCollator
from judgesmith.backends.sft_data import Collator, MaskCheck, encode_rows, places
from judgesmith.backends.sft_trl import Training, train_sft
from judgesmith.errors import TrainingError


@pytest.fixture
def encoded(student: Any, train_rows: Any) -> list[Lesson]:
    return encode_rows(student[1], train_rows, 500).rows


def require(student: Any, rows: Any, lessons: list[Lesson], **planted: Any) -> None:
    """The check on a packed batch of three lessons, the second with planted fields."""
    fields = [lesson.fields() for lesson in lessons[:3]]
    fields[1].update(planted)
    batch = PackedCollator(0, flat=False)(fields)
    check = MaskCheck(student[1], {row.id: row for row in rows}, lessons)
    check.require(batch, lessons[:3])


def test_replies_pass(student: Any, train_rows: Any, encoded: list[Lesson]) -> None:
    require(student, train_rows, encoded)


@pytest.mark.parametrize(
    ("shift", "told"), [(-1, "tokens of its prompt"), (1, "of the .* tokens of its reply")]
)
def test_a_shifted_mask_is_caught(
    student: Any, train_rows: Any, encoded: list[Lesson], shift: int, told: str
) -> None:
    lesson = encoded[1]
    ids, first = lesson.prompt + lesson.reply, len(lesson.prompt) + shift
    planted = [-100] * first + ids[first:]
    with pytest.raises(TrainingError, match=rf"row {lesson.row_id} its reply: \d+ {told}"):
        require(student, train_rows, encoded, labels=planted)


def test_a_reply_that_does_not_end_is_caught(
    student: Any, train_rows: Any, encoded: list[Lesson]
) -> None:
    endless = encoded[1]._replace(reply=encoded[1].reply[:-1])
    lessons = [encoded[0], endless, encoded[2]]
    with pytest.raises(TrainingError, match="does not end the turn"):
        require(student, train_rows, lessons)


def test_another_rows_reply_is_caught(student: Any, train_rows: Any, encoded: list[Lesson]) -> None:
    swapped = encoded[1]._replace(reply=encoded[5].reply)
    lessons = [encoded[0], swapped, encoded[2]]
    with pytest.raises(TrainingError, match=r"its labels read .*its reply is"):
        require(student, train_rows, lessons)


@pytest.mark.slow
@pytest.mark.parametrize("packing", ["none", "bfd"])
def test_a_shifted_mask_stops_a_training(
    packing: str, bases: Any, training: Callable[..., Training], train_rows: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Planted where labels are made; the first batch is held against the rows themselves."""
    made = Lesson.fields

    def shifted(lesson: Lesson) -> dict[str, list[int]]:
        fields = made(lesson)
        return fields | {"labels": [*fields["labels"][1:], -100]}

    monkeypatch.setattr(sft_data.Lesson, "fields", shifted)
    job = training(bases("gemma3"), tmp_path, packing=packing)
    with pytest.raises(TrainingError, match="the first batch would not teach row"):
        train_sft(job, train_rows, [], lambda model: None)
    assert not (tmp_path / "student").exists()


def test_a_batch_holds_the_rows_at_its_places(
    student: Any, train_rows: Any, encoded: list[Lesson]
) -> None:
    """Each batch by its places; only the first is checked, as it costs time."""
    shown = [encoded[2], encoded[0], encoded[2]]
    checked: list[Any] = []

    class Counted(MaskCheck):
        def require(self, batch: Any, lessons: Any) -> None:
            checked.append([lesson.row_id for lesson in lessons])
            super().require(batch, lessons)

    check = Counted(student[1], {row.id: row for row in train_rows}, encoded)
    collate = Collator(PackedCollator(0, flat=True), shown, check, {})
    held = list(places(shown))
    batch = collate(held[:1])
    assert batch["input_ids"].tolist() == [encoded[2].prompt + encoded[2].reply]
    assert collate(held[1:])["labels"].shape[0] == 1
    assert checked == [[encoded[2].row_id]]
