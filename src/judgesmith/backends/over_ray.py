"""A function over items in several processes, on one machine or many, by Ray Data.

Ray reads, hands out, keeps the order, starts again what died, and reads no faster than is worked.
"""

import logging
import os
import pickle
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from judgesmith.errors import JudgesmithError, RunError

T = TypeVar("T")
R = TypeVar("R")
_COLUMN = "item"
_STORE = 256 << 20
"""Bytes of memory that items wait in; Ray would take a third of the machine's."""


class _Refused(NamedTuple):
    error: JudgesmithError


def require_ray() -> None:
    """Refuse where Ray is not installed."""
    _load("ray.data")


def map_over_ray(
    make: Callable[[], Callable[[T], R]], items: Iterable[T], workers: int | None = None
) -> Iterator[R]:
    """What the functions that `make` gives, one in each worker, say of each item, in order.

    `items` are read in a process of their own, from the first again where that one dies. `workers`
    are as many as the GPUs, or else the CPUs, unless said. The environment's RAY_ADDRESS names the
    cluster; without one Ray is started here, and ended with the last item or the iterator.

    Raises RunError where Ray is not installed or fails, and what a function raises where that is an
    error of ours.
    """
    data = _load("ray.data")
    with _started(workers) as ray:
        has = ray.cluster_resources()
        gpus = has.get("GPU", 0.0)
        count = workers or int(gpus or has["CPU"] - 1) or 1
        if count + 1 > has["CPU"]:  # they would wait for each other for ever
            raise RunError(
                f"--engine ray: expected {count + 1} processors, one for each worker and one that "
                f"reads, found {has['CPU']:g} in the cluster. Name fewer workers: ray:N."
            )
        rows = data.read_datasource(_source(data, items), num_cpus=1).map_batches(
            _mapper(make), batch_size=1, num_cpus=1, num_gpus=min(1.0, gpus / count) or None,
            compute=data.ActorPoolStrategy(size=count),
        )  # fmt: skip
        try:
            for batch in rows.iter_batches(batch_size=1, prefetch_batches=0):
                answer = pickle.loads(batch[_COLUMN][0])
                if isinstance(answer, _Refused):
                    raise answer.error
                yield answer
        except ray.exceptions.RayError as error:
            raise RunError(f"--engine ray: a worker failed, or Ray itself: {error}") from None


def _load(name: str) -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Below that it prints an error of its own making whenever workers are started.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        return import_module(name)
    except ImportError as error:
        raise RunError(
            f"--engine ray needs Ray, which is not installed ({error}). Install it with: pip "
            "install 'judgesmith[ray]'"
        ) from None


@contextmanager
def _started(workers: int | None) -> Iterator[Any]:
    """Ray, with a context of Ray Data that keeps order and makes each item a block of its own."""
    ray, data = _load("ray"), _load("ray.data")
    here: dict[str, Any] = {}
    if "RAY_ADDRESS" not in os.environ:
        # One more than workers: the reader's, without which all would wait for each other.
        count = (workers or os.cpu_count() or 1) + 1
        here = {
            "address": "local",  # one that runs, or left its address, is not joined unasked
            "num_cpus": count, "include_dashboard": False, "object_store_memory": _STORE,
        }  # fmt: skip
    # That there are fewer items than workers.
    warnings.filterwarnings("ignore", "The minimum number of concurrent actors", UserWarning)
    ray.init(logging_level=logging.ERROR, log_to_driver=False, **here)
    try:
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        context.target_max_block_size = context.target_min_block_size = 1
        yield ray
    finally:
        ray.shutdown()


def _source(data: Any, items: Iterable[Any]) -> Any:
    block = import_module("ray.data.block")
    table = import_module("pyarrow").table

    def read() -> Iterator[Any]:
        for item in items:
            yield table({_COLUMN: [pickle.dumps(item)]})

    class Source(data.Datasource):  # type: ignore[misc]
        def estimate_inmemory_data_size(self) -> None:
            """Nobody knows."""

        def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[Any]:
            """One: rows follow each other."""
            about = block.BlockMetadata(
                num_rows=None, size_bytes=None, input_files=None, exec_stats=None
            )
            return [data.ReadTask(read, about)]

    return Source()


def _mapper(make: Callable[[], Callable[[Any], Any]]) -> type:
    class Mapper:
        """Made in each worker; what it needs is opened with the first item, so errors are told."""

        def __init__(self) -> None:
            self._work: Callable[[Any], Any] | None = None

        def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
            return {_COLUMN: [pickle.dumps(self._answer(one)) for one in batch[_COLUMN]]}

        def _answer(self, item: bytes) -> Any:
            try:
                self._work = self._work or make()
                return self._work(pickle.loads(item))
            except JudgesmithError as error:
                return _Refused(error)  # raised here, Ray would bury it in its own

    return Mapper
