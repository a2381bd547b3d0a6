"""What a reply tells browsers, and what a request says of the name that it was sent to."""

import re

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
}
"""Of every reply: its pages load only what their own server gives, and stand in no other page."""


def host_in(header: str) -> str:
    """The name in a `Host` header, in small letters, without a port or a user.

    >>> host_in("[::1]:8080"), host_in("LocalHost"), host_in("me@127.0.0.1:80")
    ('::1', 'localhost', '127.0.0.1')
    """
    return re.sub(r":\d+$", "", header.rpartition("@")[2]).strip("[]").lower()
