"""Simulated questions: what a right answer holds is right, and the same on every machine."""

from pathlib import Path

import pytest

from judgesmith.errors import DataError
from judgesmith.records import Question, index_by_id
from judgesmith.sources.simulated import LEVELS, PARTS, read_questions

QUESTIONS = list(read_questions(None))


def right(line: str) -> bool:
    """Worked out by another road than the one that wrote the line."""
    asked, _, answer = line.rpartition(" = ")
    if " + " in asked or " - " in asked:
        first, sign, second = asked.split()
        return int(first) + (int(second) if sign == "+" else -int(second)) == int(answer)
    if asked.endswith(" backwards"):
        return list(asked.removesuffix(" backwards")) == list(reversed(answer))
    return sum(1 for _ in asked.removeprefix("letters in ")) == int(answer)


def lines(question: Question) -> list[str]:
    held = question.task["must_hold"]
    assert isinstance(held, list)
    return [str(line) for line in held]


def test_every_part_is_right_and_asked_for() -> None:
    for question in QUESTIONS:
        held = lines(question)
        assert len(set(held)) == PARTS
        assert all(right(line) for line in held), held
        assert all(line.rpartition(" = ")[0] in question.text for line in held)
        assert question.reference == "\n".join(held)


def test_the_rubric_has_a_level_for_every_number_of_right_parts() -> None:
    assert len(LEVELS) == PARTS + 1
    assert all(question.task["levels"] == list(LEVELS) for question in QUESTIONS)


def test_ids_are_their_own_and_stay() -> None:
    assert len(index_by_id(QUESTIONS)) == len(QUESTIONS) == 1200
    assert [q.id for q in read_questions(None)] == [q.id for q in QUESTIONS]


def test_a_path_is_refused() -> None:
    with pytest.raises(DataError, match="reads no file, found path"):
        next(iter(read_questions(Path("x.jsonl"))))
