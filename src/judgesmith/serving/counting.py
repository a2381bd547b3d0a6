"""What Prometheus is told: requests, queue, batches, time, verdicts."""

from collections.abc import Callable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Counts:
    """The numbers of one server, in a registry of its own."""

    def __init__(self, waiting: Callable[[], int], ready: Callable[[], bool]) -> None:
        self.registry = CollectorRegistry()
        kept: dict[str, Any] = {"namespace": "judgesmith", "registry": self.registry}
        self._requests = Counter(
            "requests", "Requests by path and by how they ended.", ("path", "outcome"), **kept
        )
        self._seconds = Histogram(
            "request_seconds", "From request to reply, of requests that were answered.",
            ("path",), buckets=SECONDS, **kept,
        )  # fmt: skip
        self._batch = Histogram("batch_items", "Items judged at once.", buckets=BATCHES, **kept)
        self._batch_seconds = Histogram(
            "batch_seconds", "Time of the model for a batch.", buckets=SECONDS, **kept
        )
        self._waited = Histogram(
            "queue_seconds", "Time that an item waited for its batch.", buckets=SECONDS, **kept
        )
        self._judgments = Counter(
            "judgments", "Items judged by verdict and status.", ("verdict", "status"), **kept
        )
        self._abstained = Counter("abstentions", "Items of which the judge abstained.", **kept)
        self._warned = Counter("warnings", "Rows that lack what the judge expects.", **kept)
        self._unlogged = Counter("log_failures", "Judgments that could not be logged.", **kept)
        self._judge = Info("judge", "The judge that is served.", **kept)
        Gauge("queue_items", "Items that wait.", **kept).set_function(waiting)
        Gauge("ready", "1 when requests are judged.", **kept).set_function(ready)

    def request(self, path: str, outcome: str, seconds: float) -> None:
        """A request ended; of those that were answered the time counts."""
        self._requests.labels(path, outcome).inc()
        if outcome == "answered":
            self._seconds.labels(path).observe(seconds)

    def batch(self, items: int, waited_s: Sequence[float], took_s: float) -> None:
        """A batch was answered."""
        self._batch.observe(items)
        self._batch_seconds.observe(took_s)
        for seconds in waited_s:
            self._waited.observe(seconds)

    def judged(self, verdict: str, status: str) -> None:
        """An item was judged; `verdict` is one of a closed set."""
        self._judgments.labels(verdict, status).inc()
        if status == "abstained":
            self._abstained.inc()

    def warned(self) -> None:
        """A row was judged that lacks what the judge expects."""
        self._warned.inc()

    def unlogged(self) -> None:
        """A judgment could not be written to the log."""
        self._unlogged.inc()

    def judge(self, about: dict[str, str]) -> None:
        """Which judge is served."""
        self._judge.info(about)

    def page(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
