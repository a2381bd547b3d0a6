"""A judge whose weights are behind a URL: any server that speaks OpenAI's chat completions."""

import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import ProxyHandler, build_opener, getproxies
from urllib.request import Request as Call

import orjson
from pydantic import ValidationError

from judgesmith.errors import ModelError, RecipeError, nearest
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.client import Books, HttpModel
from judgesmith.models.http.keys import find_key
from judgesmith.models.http.ledger import Ledger
from judgesmith.models.protocol import Completion, Request
from judgesmith.runs.endpoint import Endpoint

KEY = "JUDGESMITH_ENGINE_KEY"
"""Environment variable with the server's key, where it asks for one."""
WITH_PENALTY = ("me", "llamacpp")
"""Owners of models at llama.cpp's servers. One of them makes repeated words less likely unless told
otherwise, which is no greedy reply of the judge."""
_WAIT_S = 10.0


def is_url(engine: str) -> bool:
    """Whether an engine is a server.

    >>> is_url("http://127.0.0.1:8000/v1"), is_url("llama.cpp:q8_0")
    (True, False)
    """
    return engine.startswith(("http://", "https://"))


def endpoint_of(engine: str, name: str) -> Endpoint:
    """The endpoint of `URL` or `URL#MODEL`; without a model, that of the judge's name.

    Raises RecipeError for what is no address of a server.

    >>> endpoint_of("http://127.0.0.1:8000/v1#mine", "quickstart/student").model
    'mine'
    """
    parts = urlsplit(engine)
    url = urlunsplit(parts._replace(fragment="")).rstrip("/").removesuffix("/chat/completions")
    try:
        return Endpoint(
            protocol="openai", url=url, model=parts.fragment or name, price="free",
            key_env=KEY if os.environ.get(KEY) else None, in_flight=16,
        )  # fmt: skip
    except ValidationError as error:
        found = "; ".join(str(one["ctx"]["error"]) for one in error.errors() if "ctx" in one)
        raise RecipeError(
            f"--engine {engine}: expected the address of a server, such as "
            f"http://127.0.0.1:8000/v1#MODEL: {found or error.errors()[0]['msg']}"
        ) from None


class Served:
    """A model behind a URL, whose replies are kept nowhere beyond this process.

    A server may hold other weights under the same name tomorrow, so no reply of it is reused; what
    a killed `judge` had written is kept in its own file.
    """

    independent = True

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        self.name = name
        folder = tempfile.TemporaryDirectory(prefix="judgesmith-")
        at = Path(folder.name)
        cache, ledger = ReplyCache(at / "replies.sqlite"), Ledger(at / "ledger.sqlite", None)
        weakref.finalize(self, _end, cache, ledger, folder)
        key = find_key(endpoint)
        found = _listed(endpoint, key)
        if found is not None and found.get("owned_by") in WITH_PENALTY:
            endpoint = endpoint.model_copy(update={"options": {"repeat_penalty": 1.0}})
        self._model = HttpModel(name, endpoint, key=key, books=Books(cache, ledger, "judge"))

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """Answer in order; see `HttpModel`."""
        return self._model.complete(requests)


def _listed(endpoint: Endpoint, key: str | None) -> dict[str, Any] | None:
    """What a server says of its model; None where it keeps no list.

    Some servers answer for any name with the model that they have, so it is looked up first. Raises
    ModelError where nobody answers or the model is not there.
    """
    call = Call(f"{endpoint.url}/models")
    if key is not None:
        call.add_header("Authorization", f"Bearer {key}")
    direct = build_opener(ProxyHandler({} if endpoint.is_local else getproxies()))
    try:
        with direct.open(call, timeout=_WAIT_S) as reply:
            models = {one["id"]: one for one in orjson.loads(reply.read())["data"]}
    except HTTPError as error:
        if error.code in (401, 403):
            raise ModelError(
                f"{endpoint.url}: the server asks for a key ({error.code}). Give it in the "
                f"environment variable {KEY}."
            ) from None
        return None
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise ModelError(f"{endpoint.url}: no server answers there: {reason}.") from None
    except (ValueError, KeyError, TypeError):
        return None
    if endpoint.model not in models:
        raise ModelError(
            f"{endpoint.url}: no model {endpoint.model!r}; {nearest(endpoint.model, models)}. Name "
            f"the judge's as {endpoint.url}#MODEL."
        )
    found: dict[str, Any] = models[endpoint.model]
    return found


def _end(cache: ReplyCache, ledger: Ledger, folder: "tempfile.TemporaryDirectory[str]") -> None:
    cache.close()
    ledger.close()
    folder.cleanup()
