"""Requests that wait for a batch, and how many of them one batch takes."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from judgesmith.models.protocol import Request

MOST_BYTES = 100_000_000
"""Bytes of one batch: vendors take 200 MB and more."""
BYTES_PER_TOKEN = 4


@dataclass
class Asked:
    """A prompt that waits for its reply: who waits for it, and what it may cost in a batch."""

    request: Request
    key: str
    body: bytes
    bound: int
    positions: list[int]
    tries: int = 0

    @property
    def tokens(self) -> int:
        """The prompt's tokens, estimated."""
        return -(-len(self.body) // BYTES_PER_TOKEN)


class Queue:
    """Waiting requests, in order. `requests` and `tokens` are the most that one batch takes.

    >>> some = [Asked(None, str(n), b"x" * 40, 5, [n]) for n in range(7)]  # 10 tokens each
    >>> queue = Queue(requests=4, tokens=35, size=1000)
    >>> for asked in some[:3]: queue.add(asked)
    >>> queue.is_full, len(queue.head())
    (False, 3)
    >>> for asked in some[3:]: queue.add(asked)
    >>> queue.is_full, len(queue.head()), len(queue.head(lambda bound: bound <= 10))
    (True, 3, 2)
    """

    def __init__(self, *, requests: int, tokens: int | None, size: int = MOST_BYTES) -> None:
        self.requests, self._tokens, self._size = requests, tokens, size
        self._waiting: deque[Asked] = deque()
        self._sums = (0, 0)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, asked: Asked) -> None:
        """Put a request at the end."""
        self._waiting.append(asked)
        self._count(asked, 1)

    def put_back(self, some: list[Asked]) -> None:
        """Put requests at the beginning, in their order."""
        self._waiting.extendleft(reversed(some))
        for asked in some:
            self._count(asked, 1)

    @property
    def is_full(self) -> bool:
        """Whether a batch would not get larger by waiting for more."""
        tokens, size = self._sums
        full_of_tokens = self._tokens is not None and tokens >= self._tokens
        return len(self._waiting) >= self.requests or full_of_tokens or size >= self._size

    def head(self, fits: Callable[[int], bool] = lambda _: True) -> list[Asked]:
        """What goes into the next batch: at least one request that is waiting.

        `fits` says of the sum of their bounds whether there is money for it; where that is only
        for none of them the result is empty.
        """
        some = [asked for asked, _ in zip(self._waiting, range(self.requests), strict=False)]
        tokens = accumulate(asked.tokens for asked in some)
        sizes = accumulate(len(asked.body) for asked in some)
        bounds = accumulate(asked.bound for asked in some)
        taken: list[Asked] = []
        for asked, n_tokens, size, bound in zip(some, tokens, sizes, bounds, strict=True):
            above = (self._tokens is not None and n_tokens > self._tokens) or size > self._size
            if (taken and above) or not fits(bound):
                break
            taken.append(asked)
        return taken

    def drop(self, count: int) -> None:
        """Take so many out at the beginning."""
        for _ in range(count):
            self._count(self._waiting.popleft(), -1)

    def _count(self, asked: Asked, sign: int) -> None:
        tokens, size = self._sums
        self._sums = (tokens + sign * asked.tokens, size + sign * len(asked.body))
