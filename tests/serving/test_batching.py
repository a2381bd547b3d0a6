"""The queue and its thread: what shares a batch, what is refused, what is let go."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import pytest

from judgesmith.serving.batching import Batcher, QueueFullError, Room


class Watched:
    """Doubles numbers, notes what it was given at once, and can be held."""

    def __init__(self) -> None:
        self.batches: list[tuple[Hashable, list[Any]]] = []
        self.told: list[tuple[int, int]] = []
        self.held = threading.Event()
        self.held.set()
        self.at_work = threading.Event()

    def answer(self, kind: Hashable, payloads: list[Any]) -> Sequence[Any]:
        self.batches.append((kind, payloads))
        self.at_work.set()
        assert self.held.wait(10)
        return [2 * payload for payload in payloads]

    def batch(self, items: int, waited_s: Sequence[float], took_s: float) -> None:
        self.told.append((items, len(waited_s)))
        assert took_s >= 0
        assert min(waited_s) >= 0


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def batcher(watched: Watched) -> Iterator[Callable[..., Batcher]]:
    made: list[Batcher] = []

    def start(waiting: int = 16, batch: int = 4, window_s: float = 0.0) -> Batcher:
        made.append(Batcher(watched.answer, Room(waiting, batch, window_s), watched))
        made[-1].start(lambda: None)
        return made[-1]

    yield start
    watched.held.set()
    for one in made:
        one.close()
        one.join(10)


def occupied(one: Batcher, watched: Watched) -> Any:
    """A job at work that holds the thread; what follows then waits in the queue."""
    watched.held.clear()
    (future,) = one.offer("first", [0])
    assert watched.at_work.wait(10)
    return future


def test_what_waits_shares_batches_with_its_like_in_order(
    batcher: Callable[..., Batcher], watched: Watched
) -> None:
    one = batcher()
    occupied(one, watched)
    futures = [*one.offer("x", [1, 2]), *one.offer("y", [3]), *one.offer("x", [4, 5, 6])]
    watched.held.set()
    assert [future.result(10) for future in futures] == [2, 4, 6, 8, 10, 12]
    assert watched.batches[1:] == [("x", [1, 2, 4, 5]), ("y", [3]), ("x", [6])]
    assert [items for items, _ in watched.told] == [1, 4, 1, 1]


def test_a_batch_gathers_for_a_moment(batcher: Callable[..., Batcher], watched: Watched) -> None:
    one = batcher(window_s=0.25)
    first = one.offer("x", [1])
    time.sleep(0.02)
    second = one.offer("x", [2])
    assert [future.result(10) for future in (*first, *second)] == [2, 4]
    assert watched.batches == [("x", [1, 2])]


def test_a_full_batch_does_not_wait_for_its_moment(
    batcher: Callable[..., Batcher], watched: Watched
) -> None:
    one = batcher(batch=2, window_s=60.0)
    assert [future.result(10) for future in one.offer("x", [1, 2])] == [2, 4]


def test_a_request_is_accepted_whole_or_not_at_all(
    batcher: Callable[..., Batcher], watched: Watched
) -> None:
    one = batcher(waiting=3)
    occupied(one, watched)
    kept = one.offer("x", [1, 2])
    with pytest.raises(QueueFullError) as caught:
        one.offer("x", [3, 4])
    assert 1 <= caught.value.retry_after_s <= 60
    assert one.waiting == 2
    kept += one.offer("x", [5])
    watched.held.set()
    assert [future.result(10) for future in kept] == [2, 4, 10]


def test_what_is_cancelled_is_not_answered_and_its_room_is_free(
    batcher: Callable[..., Batcher], watched: Watched
) -> None:
    one = batcher(waiting=2)
    occupied(one, watched)
    gone, kept = one.offer("x", [1, 2])
    assert gone.cancel()
    assert one.waiting == 1
    more = one.offer("x", [3])
    watched.held.set()
    assert [kept.result(10), more[0].result(10)] == [4, 6]
    assert watched.batches[1:] == [("x", [2, 3])]


def test_what_is_at_work_cannot_be_cancelled(
    batcher: Callable[..., Batcher], watched: Watched
) -> None:
    first = occupied(batcher(), watched)
    assert not first.cancel()
    watched.held.set()
    assert first.result(10) == 0


def test_one_that_cannot_be_answered_spoils_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def answer(_: Hashable, payloads: list[Any]) -> list[Any]:
        return [1 // payload for payload in payloads]

    one = Batcher(answer, Room(8, 8, 0.05))
    one.start(lambda: None)
    futures = one.offer("x", [1, 0, -1])
    assert futures[0].result(10) == 1
    assert futures[2].result(10) == -1
    with pytest.raises(ZeroDivisionError):
        futures[1].result(10)
    assert "ZeroDivisionError" in caplog.text
    assert one.offer("x", [1])[0].result(10) == 1
    one.close()
    one.join(10)


def test_too_few_answers_are_an_error_and_no_answer_is_passed_on() -> None:
    one = Batcher(lambda kind, payloads: payloads[:1], Room(8, 8, 0.05))
    one.start(lambda: None)
    first, second = one.offer("x", [1, 2])
    assert [first.result(10), second.result(10)] == [1, 2]  # asked again, each by itself
    one.close()
    one.join(10)


def test_at_the_end_all_that_was_accepted_is_answered(
    batcher: Callable[..., Batcher], watched: Watched
) -> None:
    one = batcher(window_s=0.2)
    occupied_by = occupied(one, watched)
    kept = one.offer("x", list(range(10)))
    one.close()
    with pytest.raises(QueueFullError):
        one.offer("x", [1])
    watched.held.set()
    one.join(10)
    assert [future.result(0) for future in (occupied_by, *kept)] == [0, *range(0, 20, 2)]
