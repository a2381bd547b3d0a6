"""A server that speaks OpenAI's and Anthropic's protocols, and breaks them on command.

    python fault_server.py --port 0 --port-file F [--seed N] [--latency-ms 20] [--capacity N] ...

It writes its port to the port file once it listens, and stops on SIGTERM. Faults are set by
`POST /control/plan`, counts are read by `GET /control/counts`. See `running.py` for its use.
"""

import argparse
import asyncio
import gc
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from asked import Malformed, read_call
from batch_store import BatchStore
from delivery import Answer, Written, close, deliver, retry_after, send
from desk import Desk, Refused, key_of
from endpoints import Ask, Endpoints, route
from faults_plan import DELIVERIES, REFUSALS, RESULTS, SPOILT, BadPlan, Hit, Plan
from replies import TEMPLATE, Author, read_tape
from tallies import Tally
from vendor_errors import ANTHROPIC, OPENAI, error

CALLS = {"/v1/chat/completions": ("chat", OPENAI), "/v1/messages": ("messages", ANTHROPIC)}
ON_CALLS = REFUSALS | SPOILT | DELIVERIES
ELSEWHERE = REFUSALS | DELIVERIES
MOST_BYTES = 512 * 2**20


class FaultServer:
    """The state of the server, and its handler."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.latency = options.latency_ms / 1000
        self.in_calls = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything but the options."""
        options = self.options
        self.plan = Plan(seed=options.seed)
        self.tally = Tally(history=options.history)
        author = Author(
            options.seed, options.template, options.verdicts, options.echo, options.straddle,
            {} if options.tape is None else read_tape(options.tape), options.marks,
        )  # fmt: skip
        self.desk = Desk(author, self.tally, options.keys, options.models, options.context)
        self.store = BatchStore(self.desk, options.batch_polls, options.enqueued)
        self.endpoints = Endpoints(self.desk, self.store)

    async def handle(self, request: web.BaseRequest) -> Written:
        """Answer any request."""
        path = request.path
        if path.startswith("/control/"):
            return await self.control(request, path)
        tally = self.tally
        tally.open += 1
        tally.peak = max(tally.peak, tally.open)
        try:
            call = CALLS.get(path) if request.method == "POST" else None
            if call is not None:
                return await self.call(request, *call)
            return await self.elsewhere(request, path)
        finally:
            tally.open -= 1

    async def call(self, request: web.BaseRequest, place: str, vendor: str) -> Written:
        """Answer a prompt."""
        raw = await request.read()
        self.tally.calls[place] += 1
        capacity = self.options.capacity
        if capacity is not None and self.in_calls >= capacity:
            return self.refuse(request, *error(vendor, "overloaded_503"), (("Retry-After", "1"),))
        self.in_calls += 1
        try:
            return await self.answer(request, raw, place, vendor)
        except Refused as no:
            return self.refuse(request, no.status, no.body)
        except (Malformed, orjson.JSONDecodeError) as problem:
            return self.refuse(request, *error(vendor, "malformed", what=str(problem)))
        finally:
            self.in_calls -= 1

    async def answer(
        self, request: web.BaseRequest, raw: bytes, place: str, vendor: str
    ) -> Written:
        """Answer a prompt, once there is room. What is billed is billed before the wait."""
        desk, tally = self.desk, self.tally
        if vendor == ANTHROPIC and "anthropic-version" not in request.headers:
            raise Malformed("anthropic-version: header is required")
        if desk.keys:
            desk.check_key(vendor, request.headers)
        asked = read_call(vendor, orjson.loads(raw))
        tally.seen(asked.key)
        desk.check(asked)
        hit = self.plan.of(place, asked.key, asked.text, ON_CALLS) if self.plan.rules else None
        fault = self.noted(hit)
        if hit is not None and fault in REFUSALS:
            return self.refuse_by(request, vendor, hit, asked.model)
        body, bill = desk.answer(asked, fault if fault in SPOILT else "")
        tally.bill(asked.key, bill)
        if self.latency:
            await asyncio.sleep(self.latency)
        answer = Answer(200, orjson.dumps(body))
        if hit is not None and fault in DELIVERIES:
            return await self.deliver(request, answer, hit)
        tally.statuses["200"] += 1
        return send(request, answer)

    async def elsewhere(self, request: web.BaseRequest, path: str) -> Written:
        """Answer a request for models, files or batches."""
        found = route(request.method, path)
        vendor = ANTHROPIC if "anthropic-version" in request.headers else OPENAI
        try:
            if found is None:
                raise Refused(vendor, "bad_path", what=f"{request.method} {path}")
            place, name = found
            self.tally.calls[place] += 1
            if path.startswith("/v1/messages") and vendor != ANTHROPIC:
                raise Malformed("anthropic-version: header is required")
            self.desk.check_key(vendor, request.headers)
            ask = Ask(vendor, name, request.query, f"http://{request.host}", self.plan)
            await read_into(ask, request)
            hit = self.plan.of(
                place, f"{request.method} {path}", lambda: path + ask.raw.decode(), ELSEWHERE
            )
            if hit is not None and self.noted(hit) in REFUSALS:
                return self.refuse_by(request, vendor, hit, "the model")
            served = self.endpoints.serve(place, ask)
        except Refused as no:
            return self.refuse(request, no.status, no.body)
        except Malformed as problem:
            return self.refuse(request, *error(vendor, "malformed", what=str(problem)))
        answer = Answer(200, served if isinstance(served, bytes) else orjson.dumps(served))
        if place in RESULTS:
            answer = answer._replace(content_type=b"application/x-jsonl")
        if hit is not None:
            return await self.deliver(request, answer, hit)
        self.tally.statuses["200"] += 1
        return send(request, answer)

    def noted(self, hit: Hit | None) -> str:
        """The name of a fault, which is counted."""
        if hit is None:
            return ""
        self.tally.faults[hit.fault] += 1
        return hit.fault

    async def deliver(self, request: web.BaseRequest, answer: Answer, hit: Hit) -> Written:
        """Send an answer with a fault, under the fault's name in the statuses."""
        self.tally.statuses[hit.fault] += 1
        return await deliver(request, answer, hit)

    def refuse_by(self, request: web.BaseRequest, vendor: str, hit: Hit, model: str) -> Written:
        """Refuse a request because a plan says so."""
        if hit.fault == "close_before":
            self.tally.statuses["close_before"] += 1
            return close(request)
        kind = "rate_limit" if hit.fault == "rate_limit_after" else hit.fault
        more = retry_after(hit) if hit.fault == "rate_limit_after" else ()
        key = key_of(request.headers)
        return self.refuse(request, *error(vendor, kind, model=model, key=key), more)

    def refuse(
        self,
        request: web.BaseRequest,
        status: int,
        body: dict[str, Any],
        more: tuple[tuple[str, str], ...] = (),
    ) -> Written:
        """Send an error."""
        self.tally.statuses[str(status)] += 1
        return send(request, Answer(status, orjson.dumps(body), more=more))

    async def control(self, request: web.BaseRequest, path: str) -> Written:
        """Set the plan, read the counts, start anew."""
        raw = await request.read()
        told: Any = {"done": True}
        try:
            if (request.method, path) == ("GET", "/control/counts"):
                told = self.tally.as_json()
            elif (request.method, path) == ("GET", "/control/sums"):
                told = self.tally.sums()
            elif (request.method, path) == ("GET", "/control/plan"):
                told = self.plan.given
            elif (request.method, path) == ("POST", "/control/plan"):
                self.plan = Plan(orjson.loads(raw), seed=self.options.seed)
            elif (request.method, path) == ("POST", "/control/reset"):
                self.reset()
            else:
                return send(request, Answer(404, b'{"error": "no such control"}'))
        except (BadPlan, TypeError, orjson.JSONDecodeError) as problem:
            return send(request, Answer(400, orjson.dumps({"error": str(problem)})))
        return send(request, Answer(200, orjson.dumps(told)))


async def read_into(ask: Ask, request: web.BaseRequest) -> None:
    """Read the body: a form, or bytes."""
    if not request.content_type.startswith("multipart/"):
        ask.raw = await request.read()
        return
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            ask.form[name] = (value.filename, value.file.read())
            value.file.close()
        else:
            ask.form[name] = value


def build_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> Any:
    """A request whose body may be large."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=MOST_BYTES
    )


def names(given: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(name for name in given.split(",") if name)


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="A model server that fails on command.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="of each answered call")
    parser.add_argument("--capacity", type=int, help="calls at a time; above it 503")
    parser.add_argument("--keys", type=names, default=(), help="any other key gets 401")
    parser.add_argument("--models", type=names, default=(), help="any other model gets 404")
    parser.add_argument("--context", type=int, help="tokens of prompt and reply")
    parser.add_argument(
        "--template", default=TEMPLATE, help="with {number}, {verdict}, {key}, {quote}"
    )
    parser.add_argument("--verdicts", type=names, default=("A", "B", "TIE"))
    parser.add_argument("--echo", help="marker of a reply in the last user message, as REPLY:")
    parser.add_argument("--marks", type=names, default=(), help="two, around what is quoted")
    parser.add_argument("--tape", type=Path, help="JSON Lines: model, texts, text, finish")
    parser.add_argument("--straddle", action="store_true", help="verdict tokens begin with >")
    parser.add_argument("--batch-polls", type=int, default=1, help="a batch ends at look N")
    parser.add_argument("--enqueued", type=int, help="prompt tokens in open batches, per vendor")
    parser.add_argument("--no-history", dest="history", action="store_false")
    parser.add_argument("--with-parent", action="store_true", help="stop when the parent is gone")
    options = parser.parse_args(arguments)
    options.keys = frozenset(options.keys)
    return options


def say_port(port_file: Path, port: int) -> None:
    """Write the port file in one step."""
    partial = port_file.with_name(f"{port_file.name}.{os.getpid()}.part")
    partial.write_text(f"{port}\n")
    partial.replace(port_file)


async def parent_gone(parent: int) -> None:
    """Return when this process has been orphaned."""
    while os.getppid() == parent:
        await asyncio.sleep(1)


async def main(options: argparse.Namespace) -> None:
    """Serve until SIGTERM."""
    parent = os.getppid()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    handler: Any = FaultServer(options).handle
    factory: Any = build_request
    server = web.Server(
        handler, request_factory=factory, handler_cancellation=True, access_log=None
    )
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port, backlog=1024)
    await site.start()
    gc.freeze()
    say_port(options.port_file, runner.addresses[0][1])
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(stopped.wait())]
    if options.with_parent:
        waits.append(asyncio.ensure_future(parent_gone(parent)))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(read_options()))
