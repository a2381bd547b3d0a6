"""Work on blocks in a few threads of one core each.

torch would split each small operation over all cores, and on a shared machine its threads then
wait for each other most of the time; whole blocks side by side never do.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from judgesmith.backends.loading import load

T = TypeVar("T")
R = TypeVar("R")
_MOST = 8
"""Workers; beyond, memory is the limit and not the cores."""


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """As many threads as torch would use, each computing on one core; torch's setting is kept."""
    torch = load("torch")
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(min(before, _MOST), initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)


def in_turn(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T]
) -> Iterator[R]:  # fmt: skip
    """Results in the order of the items, with only a few done ahead of their use.

    >>> with workers() as pool:
    ...     list(in_turn(pool, abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    ahead: deque[Future[R]] = deque()
    for item in items:
        ahead.append(pool.submit(work, item))
        if len(ahead) > 2 * _MOST:
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()
