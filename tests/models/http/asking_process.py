"""Processes that ask, to be killed: each is forked from this one, so that it starts at once.

Reads a job as JSON per line of its input, forks a process for it, and answers with its number. The
process asks all prompts of the job and writes the replies to the job's `out`, in one step.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp  # noqa: F401 - imported here so that no forked process has to

from judgesmith.models.http import batches, worker  # noqa: F401
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.client import Books, HttpModel
from judgesmith.models.http.ledger import Ledger
from judgesmith.models.protocol import Request, Sampling
from judgesmith.records import Message
from judgesmith.runs.endpoint import Endpoint


def requests(job: dict[str, Any]) -> list[Request]:
    """The prompts of a job."""
    return [
        Request(
            record_id=str(n),
            messages=(Message(role="user", content=job["text"].format(n)),),
            sampling=Sampling(max_tokens=64),
        )
        for n in range(job["prompts"])
    ]


def ask(job: dict[str, Any]) -> list[tuple[str, str]]:
    """Ask all prompts, as a run does that goes on where an earlier one stopped."""
    folder = Path(job["folder"])
    with (
        ReplyCache(folder / "replies.sqlite") as cache,
        Ledger(folder / "ledger.sqlite", 100.0) as ledger,
    ):
        ledger.reconcile(cache)
        books = Books(cache, ledger, "labels")
        model = HttpModel("teacher", Endpoint(**job["endpoint"]), key=None, books=books)
        return [(reply.text, reply.finish) for reply in model.complete(requests(job))]


def main() -> None:
    """Fork a process per line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system clears away who has ended
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            partial = Path(job["out"] + ".part")
            partial.write_text(json.dumps(ask(job)))
            partial.replace(job["out"])
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
