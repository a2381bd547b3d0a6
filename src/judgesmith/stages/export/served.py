"""The exported folder behind the real server, in a process of its own: is it still this judge?

It is started and spoken to as a user does: by the command line, and over HTTP.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from judgesmith.errors import ModelError, RunError
from judgesmith.judging.dialect import Dialect
from judgesmith.metrics import Verdict
from judgesmith.models import protocol
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.client import Books, HttpModel
from judgesmith.models.http.ledger import Ledger
from judgesmith.models.protocol import Completion, Model, Sampling
from judgesmith.records import Message
from judgesmith.runs.endpoint import Endpoint
from judgesmith.runs.progress import progress_bar
from judgesmith.sources.own_files import PairRow

_IN_FLIGHT = 32
_ROWS = 16
_FOREVER_S = 86_400.0
"""A slow judge is no fault here; a server that died is noticed, as its connections break."""
_DIRECT = build_opener(ProxyHandler({}))


class Served(NamedTuple):
    """A server that is ready, and the name of the one judge that it has."""

    url: str
    name: str

    def call(self, path: str, body: object = None) -> Any:
        """The reply to a body as JSON; raises ModelError with what the server says against it."""
        data = None if body is None else json.dumps(body).encode()
        asked = Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})
        try:
            with _DIRECT.open(asked) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            told = error.read().decode(errors="replace")
            raise ModelError(
                f"the served judge answered {path} with {error.code}: {told}"
            ) from None
        except OSError as error:
            raise ModelError(f"the served judge stopped answering {path}: {error}") from None

    def verdicts(self, rows: Sequence[PairRow]) -> list[Verdict]:
        """What `/v1/judgments` says of each row."""
        found: list[Verdict] = []
        with progress_bar("check served, /v1/judgments", len(rows)) as bar:
            for start in range(0, len(rows), _ROWS):
                items = [
                    row.model_dump(mode="json", exclude_none=True)
                    for row in rows[start : start + _ROWS]
                ]
                said = self.call("/v1/judgments", {"items": items})["judgments"]
                found += [one["verdict"] for one in said]
                bar.advance(len(said))
        return found

    @contextmanager
    def chats(self) -> Iterator[HttpModel]:
        """`/v1/chat/completions`, asked by our client of OpenAI's API."""
        endpoint = Endpoint(
            protocol="openai", url=f"{self.url}/v1", model=self.name, in_flight=_IN_FLIGHT,
            timeout_s=_FOREVER_S,
        )  # fmt: skip
        with ExitStack() as held:
            books = Path(held.enter_context(TemporaryDirectory()))
            cache = held.enter_context(ReplyCache(books / "replies.sqlite"))
            ledger = Ledger(books / "ledger.sqlite", None)
            held.callback(ledger.close)
            yield HttpModel("served", endpoint, key=None, books=Books(cache, ledger, "export"))


@dataclass
class WithoutSystem:
    """A model that is not told the dialect's system text: the server has to put it in."""

    name: str
    model: Model
    dialect: Dialect
    independent: bool = True

    def complete(self, requests: Sequence[protocol.Request]) -> Iterator[Completion]:
        """Answer in order."""
        yield from self.model.complete([
            one.model_copy(update={"messages": without_system(one.messages, self.dialect)})
            for one in requests
        ])  # fmt: skip


def without_system(turns: Sequence[Message], dialect: Dialect) -> tuple[Message, ...]:
    """The turns of a prompt without the dialect's system text, wherever that stands."""
    begun = f"{dialect.system}\n\n"
    return tuple(
        turn.model_copy(update={"content": turn.content.removeprefix(begun)})
        for turn in turns
        if turn.role != "system"
    )


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """`judgesmith serve` on an exported folder, on any free port of this machine, until the end.

    Raises RunError where it does not get ready.
    """
    serve = [sys.executable, "-m", "judgesmith", "serve", str(folder)]
    with subprocess.Popen(
        [*serve, "--port", "0", "--attached"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            url = _url_once_ready(process)
            yield Served(url, Served(url, "").call("/v1/judge")["name"])
        finally:
            _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()


def _url_once_ready(process: "subprocess.Popen[str]") -> str:
    """Where the server listens; what it says later is taken off the pipe and dropped."""
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ready: "):
            threading.Thread(target=process.stdout.read, daemon=True).start()
            (url,) = (one.split()[2].rstrip(";") for one in said if one.startswith("Serving on "))
            return url
    raise RunError(
        f"`judgesmith serve` ended before it was ready (exit code {process.wait()}): "
        f"{''.join(said).strip()}"
    )


def require_same_prompts(
    server: Served, chats: Model, dialect: Dialect, prompts: Sequence[tuple[Message, ...]],
    lengths: Sequence[int],
) -> int:  # fmt: skip
    """How many prompts the server makes as long, in tokens, as training did, whoever says what.

    Each is sent with the dialect's system text and without.

    Raises:
        ModelError: the server judges in another dialect, or makes another prompt.
    """
    about = server.call("/v1/judge")
    if about["dialect_hash"] != dialect.hash:
        raise ModelError(
            f"the served judge is not this one: expected the dialect {dialect.name} "
            f"({dialect.hash}), found {about['dialect']} ({about['dialect_hash']})"
        )
    for told, model in ("with", chats), ("without", WithoutSystem("", chats, dialect)):
        asked = [
            protocol.Request(record_id=str(place), messages=turns, sampling=Sampling(max_tokens=1))
            for place, turns in enumerate(prompts)
        ]
        for completion, wanted in zip(model.complete(asked), lengths, strict=True):
            if completion.prompt_tokens != wanted:
                raise ModelError(
                    f"the served judge is not this one: its chat template or system text is not "
                    f"that of training: expected a prompt of {wanted} tokens, found "
                    f"{completion.failure or completion.prompt_tokens}, for a chat {told} a system "
                    "turn"
                )
    return len(prompts)


def require_same_replies(ours: Sequence[str | None], theirs: Sequence[str | None]) -> None:
    """Refuse a server whose replies are not those of the same folder, but for a few.

    Another batch can move a number in its last bits, and so a reply where two words are as likely.

    Raises:
        ModelError: more than one reply in ten is another.
    """
    other = sum(one != found for one, found in zip(ours, theirs, strict=True))
    if 10 * other > len(ours):
        first = next(pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1])
        raise ModelError(
            f"the served judge is not this one: {other} of {len(ours)} replies are not those of "
            f"the same folder without a server; the first: expected {first[0]!r}, found "
            f"{first[1]!r}"
        )
