"""Bodies are read strictly: UTF-8, no NaN, no half of a surrogate pair, no bottomless nesting.

Python's own reader takes all of these, and each fails only deep inside, where it is no longer the
client's fault.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute


class _StrictRequest(Request):
    async def json(self) -> Any:
        """The body; a json.JSONDecodeError is told as 422."""
        return orjson.loads(await self.body())


class JsonRoute(APIRoute):
    """A route whose body is read by orjson."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the stricter request."""
        handle = super().get_route_handler()

        async def handling(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handling
