"""How fast an endpoint is asked: a window of calls in flight, and rates per minute.

The window grows by one for each answer until the server first objects, then by one for each window
of answers; an objection halves it (additive increase, multiplicative decrease, as in TCP: Chiu and
Jain 1989). Calls that began before the last fault do not count again: they met the same jam.
Nothing here reads a clock; times are seconds of the caller's.
"""


class Window:
    """How many calls may be in flight. It starts with one, so that a wrong key costs one call.

    >>> window = Window(most=4)
    >>> for _ in range(5): window.answered()
    >>> window.size
    4
    >>> window.failed(window.epoch, "a prompt", busy=True), window.size
    (True, 2)
    >>> window.answered(); window.size
    2
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = 1.0
        self._ramp = True
        self.epoch, self.faults = 0, 0
        """`faults`: those that say anything new, since the last answer."""
        self._prompts = set[str]()

    @property
    def size(self) -> int:
        """Calls that may be in flight now; at least one."""
        return int(self._limit)

    @property
    def silent(self) -> int:
        """The same, but a prompt that fails again and again counts once."""
        return min(self.faults, len(self._prompts))

    def answered(self) -> None:
        """A call was answered."""
        self.faults = 0
        self._prompts.clear()
        step = 1.0 if self._ramp else 1.0 / self._limit
        self._limit = min(self._most, self._limit + step)

    def failed(self, epoch: int, prompt: str, *, busy: bool) -> bool:
        """A call of a prompt that began in `epoch` met a fault; whether that says anything new.

        `busy`: the server has too much to do, which makes the window smaller.
        """
        self._prompts.add(prompt)
        if epoch != self.epoch:
            return False
        self.epoch, self.faults = self.epoch + 1, self.faults + 1
        if busy:
            self._ramp = False
            self._limit = max(1.0, self._limit / 2)
        return True


class Rates:
    """Calls and tokens per minute, each a bucket that holds what `burst_s` seconds allow.

    >>> rates = Rates(calls=60, tokens=6000, burst_s=1.0)
    >>> rates.wait_s(0.0, tokens=100)
    0.0
    >>> rates.take(0.0, tokens=100); rates.wait_s(0.0, tokens=50)
    1.0
    >>> rates.wait_s(1.0, tokens=50)
    0.0
    """

    def __init__(self, calls: int, tokens: int, *, burst_s: float = 2.0) -> None:
        self._per_s = (calls / 60, tokens / 60)
        self._most = tuple(max(1.0, rate * burst_s) for rate in self._per_s)
        self._left = list(self._most)
        self._at: float | None = None

    def wait_s(self, now: float, *, tokens: int) -> float:
        """Seconds until a call of so many tokens may go out; a call above the burst may at full."""
        self._fill(now)
        return max(
            max(0.0, min(need, most) - left) / rate
            for need, most, left, rate in zip(
                (1, tokens), self._most, self._left, self._per_s, strict=True
            )
        )

    def take(self, now: float, *, tokens: int) -> None:
        """Book a call that goes out now."""
        self._fill(now)
        self._left[0] -= 1
        self._left[1] -= tokens

    def _fill(self, now: float) -> None:
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self._left = [
            min(most, left + rate * passed)
            for most, left, rate in zip(self._most, self._left, self._per_s, strict=True)
        ]


def backoff_s(attempt: int, draw: float, *, first_s: float = 0.5, most_s: float = 30.0) -> float:
    """Seconds before attempt number `attempt` + 1: drawn evenly up to a bound that doubles.

    `draw` is from 0 to 1. Even draws over the whole range spread out calls that failed together.

    >>> backoff_s(1, 1.0), backoff_s(3, 0.5), backoff_s(20, 1.0)
    (0.5, 1.0, 30.0)
    """
    return draw * min(most_s, first_s * 2.0 ** (attempt - 1))
