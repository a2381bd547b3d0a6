"""How an answer goes onto the socket: whole, or broken in one of the ways a plan can ask for."""

import asyncio
import math
import random
from email.utils import formatdate
from http import HTTPStatus
from time import time
from typing import NamedTuple

from aiohttp.web import BaseRequest
from faults_plan import Hit

JSON = b"application/json"
PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
)
GATEWAY = (
    b"upstream connect error or disconnect/reset before headers. reset reason: connection "
    b"termination"
)
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


class Written:
    """Tells aiohttp's server loop that the answer is on the socket already."""

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive

    async def prepare(self, request: BaseRequest) -> None:
        """Nothing is left to prepare."""

    async def write_eof(self) -> None:
        """Nothing is left to write."""


KEEP = Written(keep_alive=True)
CLOSE = Written(keep_alive=False)


class Answer(NamedTuple):
    """An answer before it is sent."""

    status: int
    payload: bytes
    content_type: bytes = JSON
    more: tuple[tuple[str, str], ...] = ()


def head(answer: Answer, length: int) -> bytes:
    """The status line and the headers."""
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Overloaded"
    lines = [f"HTTP/1.1 {answer.status} {reason}", f"Content-Length: {length}"]
    lines += [f"Content-Type: {answer.content_type.decode()}"]
    lines += [f"{name}: {value}" for name, value in answer.more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def retry_after(hit: Hit) -> tuple[tuple[str, str], ...]:
    """The header of a rate limit: seconds, or a date in the future."""
    wait = hit.rule.retry_after
    if hit.rule.date:
        return (("Retry-After", formatdate(math.ceil(time() + wait), usegmt=True)),)
    return (("Retry-After", f"{wait:g}"),)


def write(request: BaseRequest, content: bytes) -> None:
    """Put bytes on the socket, if it is still there."""
    if request.transport is not None:
        request.transport.write(content)


def close(request: BaseRequest) -> Written:
    """Close the connection after what was written."""
    if request.transport is not None:
        request.transport.close()
    return CLOSE


def send(request: BaseRequest, answer: Answer) -> Written:
    """Send an answer as it should be."""
    if answer.status == 200 and answer.content_type is JSON:
        write(request, WHOLE % (len(answer.payload), answer.payload))
    else:
        write(request, head(answer, len(answer.payload)) + answer.payload)
    return KEEP


async def deliver(request: BaseRequest, answer: Answer, hit: Hit) -> Written:
    """Send an answer with a fault."""
    fault, payload = hit.fault, answer.payload
    if fault == "hang":
        await asyncio.get_running_loop().create_future()
    if fault in ("close_mid_body", "half_results"):
        write(request, head(answer, len(payload)) + payload[: len(payload) // 2])
    if fault in ("hang", "close_after_accept", "close_mid_body", "half_results"):
        return close(request)
    if fault == "not_http":
        write(request, random.Random(payload).randbytes(200))
        return close(request)
    if fault == "gateway_503":
        return send(request, Answer(503, GATEWAY, content_type=b"text/plain"))
    if fault == "slow_drip":
        await drip(request, answer, hit.rule.drip_ms / 1000)
        return KEEP
    if fault == "half_json":
        return send(request, answer._replace(payload=payload[: len(payload) // 2]))
    if fault == "garbage_bytes":
        return send(
            request, answer._replace(payload=random.Random(payload).randbytes(len(payload)))
        )
    assert fault == "wrong_content_type", fault
    return send(request, answer._replace(payload=PAGE, content_type=b"text/html; charset=utf-8"))


async def drip(request: BaseRequest, answer: Answer, wait: float) -> None:
    """Send the headers, and then the body byte by byte."""
    write(request, head(answer, len(answer.payload)))
    for place in range(len(answer.payload)):
        await asyncio.sleep(wait)
        write(request, answer.payload[place : place + 1])
