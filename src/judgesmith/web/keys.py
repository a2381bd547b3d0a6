"""Keys that let a client in: made at random, kept as a hash, compared in constant time.

A key is 32 random bytes, so that no hash of it can be guessed back and a slow hash would add
nothing (a password would need one).
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable


def make_key(prefix: str) -> str:
    """A new key, in letters that need no quoting anywhere; the prefix says what it is for."""
    return prefix + secrets.token_urlsafe(32)


def hash_key(key: str) -> str:
    """What is kept of a key: 64 hex digits.

    >>> hash_key("jsk_example")[:13]
    '17af4276a8c65'
    """
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def is_known(key: str, hashes: Iterable[str]) -> bool:
    """Whether a key has one of these hashes; every one is compared, each in constant time.

    >>> is_known("mine", [hash_key("yours"), hash_key("mine")]), is_known("mine", [])
    (True, False)
    """
    given = hash_key(key)
    same = [hmac.compare_digest(given, one) for one in hashes]
    return any(same)


def bearer_in(header: str | None) -> str | None:
    """The key that an `Authorization` header brings as a bearer; None where it brings none.

    >>> bearer_in("Bearer jsk_example"), bearer_in("Basic bWU6"), bearer_in(None)
    ('jsk_example', None, None)
    """
    scheme, _, key = (header or "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None
