"""Opens the models that stages and commands ask for: the run's own, and those behind HTTP."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import orjson

from judgesmith.errors import RecipeError
from judgesmith.inference.students import own_model
from judgesmith.models.http.batch_book import check_left_open
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.client import Books, HttpModel
from judgesmith.models.http.estimates import Estimate
from judgesmith.models.http.keys import find_key
from judgesmith.models.http.ledger import Ledger
from judgesmith.models.protocol import Model, ModelOpener
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.outside import cache_folder

LEDGER = "ledger.sqlite"
ESTIMATES = "estimates.json"
NOTHING = Estimate(0, 0, 0, 0, 0)


class Models:
    """What a run's stages may ask, with the books of what it costs. Nothing is opened unasked.

    `budget_usd` is the most that all calls of the run may cost together, those of earlier
    commands included; calls that may have been paid count as paid.
    """

    def __init__(self, run_dir: RunDir, budget_usd: float | None = None) -> None:
        self._run_dir, self._budget_usd = run_dir, budget_usd

    def opener(self, stage: str) -> ModelOpener:
        """Gives a stage its models by name; the recipe's come before the run's own."""

        def opener(name: str) -> Model:
            endpoint = self._run_dir.header.models.get(name)
            if endpoint is None:
                return own_model(self._run_dir, name)
            books = Books(self._cache, self.ledger, stage, self._note_estimate)
            return HttpModel(
                name, endpoint, key=find_key(endpoint, self._run_dir.path), books=books
            )

        return opener

    def _note_estimate(self, stage: str, model: str, purpose: str, found: Estimate) -> None:
        """Keep the largest estimate of each purpose: after a kill, less is left to ask."""
        path = self._run_dir.file(ESTIMATES)
        about = {"stage": stage, "model": model, "purpose": purpose}
        rows = orjson.loads(path.read_bytes()) if path.exists() else []
        before = next((row for row in rows if about.items() <= row.items()), None)
        if before is None or before["requests"] < found.requests:
            others = [row for row in rows if row is not before]
            write_json(path, [*others, {**about, **found._asdict()}])

    def close(self) -> None:
        """Let go of the books; what is still in flight is possibly paid from now on."""
        for name in ("ledger", "_cache"):
            if name in vars(self):
                vars(self).pop(name).close()

    def check(self, names: Iterable[str]) -> None:
        """Refuse, before anything is asked, models without a key or a bound to their cost.

        A recipe that no longer batches where batches of this run are open is refused, too.
        """
        check_left_open(self._run_dir.file(LEDGER), self._run_dir.header.models)
        for name in names:
            endpoint = self._run_dir.header.models[name]
            find_key(endpoint, self._run_dir.path)
            if endpoint.is_paid and self._budget_usd is None:
                raise RecipeError(
                    f"model {name!r} costs money and the run has no bound. Give one, for example "
                    "--budget-usd 5: no call goes out that could pass it."
                )

    @cached_property
    def ledger(self) -> Ledger:
        """The run's ledger; calls of a process that was killed have become possibly paid."""
        ledger = Ledger(self._run_dir.file(LEDGER), self._budget_usd)
        ledger.reconcile(self._cache)
        return ledger

    @cached_property
    def _cache(self) -> ReplyCache:
        return ReplyCache(cache_file())


def read_estimates(path: Path) -> dict[tuple[str, str], Estimate]:
    """What was expected before calls, by stage and model, all purposes together."""
    sums: dict[tuple[str, str], Estimate] = {}
    for row in orjson.loads(path.read_bytes()) if path.exists() else []:
        found = (row[field] for field in Estimate._fields)
        key = row["stage"], row["model"]
        sums[key] = Estimate(*map(sum, zip(found, sums.get(key, NOTHING), strict=True)))
    return sums


def cache_file() -> Path:
    """Where replies are kept for all runs of this user."""
    return cache_folder() / "replies.sqlite"
