"""A sample of a large source is drawn while it is read, and is the same as of the whole."""

from typing import Any

import pytest

from judgesmith.records import Question, index_by_id
from judgesmith.stages.questions import collect
from judgesmith.tasks.strata import sample_evenly


@pytest.fixture
def many(make: Any) -> list[Question]:
    sizes = {"age": 6000, "sex": 40, "faith": 900}
    return [make.question(f"{c}{n}", category=c) for c, size in sizes.items() for n in range(size)]


@pytest.mark.parametrize("strata", [(), ("category",)])
@pytest.mark.parametrize("count", [1, 60, 300, 8000])
def test_the_sample_is_that_of_the_whole(
    many: list[Question], strata: tuple[str, ...], count: int
) -> None:
    found = collect(iter(many), (), strata, count, 7)
    assert found.questions == sample_evenly(many, strata, count, 7)
    assert (found.read, found.fresh, found.unique) == (6940, 6940, 6940)
    backwards = collect(reversed(many), (), strata, count, 7)
    assert index_by_id(backwards.questions) == index_by_id(found.questions)


def test_what_was_read_before_or_twice_is_counted(many: list[Question]) -> None:
    known = {many[0].id: many[0]}
    found = collect(many[:10] + many[5:10], known, (), None, 7)
    assert (found.read, found.fresh, found.unique) == (15, 14, 9)
    assert found.questions == many[1:10]
    sampled = collect(many * 2, known, ("category",), 50, 7)
    assert sampled.questions == sample_evenly(many[1:], ("category",), 50, 7)
    assert (sampled.read, sampled.fresh, sampled.unique) == (13880, 13878, 6939)
