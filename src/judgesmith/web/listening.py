"""Where a server listens."""

import ipaddress
import socket
from typing import NamedTuple

from judgesmith.errors import RecipeError
from judgesmith.runs.endpoint import LOOPBACK

__all__ = ["LOOPBACK", "Address", "address_of", "is_loopback", "listen", "url_of"]

_BACKLOG = 2048


class Address(NamedTuple):
    """Where to listen; port 0 is any that is free."""

    host: str
    port: int


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(address: Address) -> socket.socket:
    """A socket that listens there; raises RecipeError where that cannot be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise RecipeError(
            f"--host {address.host} --port {address.port}: cannot listen there: {said}. Take "
            "another port (0 is any that is free)."
        ) from None


def address_of(held: socket.socket) -> Address:
    """Where a socket listens, with the port that it was given."""
    host, port = held.getsockname()[:2]
    return Address(host, port)


def url_of(address: Address) -> str:
    """The address as a browser takes it.

    >>> url_of(Address("::1", 8000)), url_of(Address("127.0.0.1", 80))
    ('http://[::1]:8000', 'http://127.0.0.1:80')
    """
    host, port = address
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
