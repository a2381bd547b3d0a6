"""Which call is hit by which fault: rules, drawn from a seed, the prompt and the attempt."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from vendor_errors import KINDS

CALLS = frozenset({"chat", "messages"})
CREATES = frozenset({"batches_create", "message_batches_create"})
RESULTS = frozenset({"files_content", "message_batches_results"})
ENDPOINTS = (
    CALLS
    | CREATES
    | RESULTS
    | {
        "models", "files_create", "files_list", "files_get", "files_delete",
        "batches_list", "batches_get", "batches_cancel",
        "message_batches_list", "message_batches_get", "message_batches_cancel",
    }
)  # fmt: skip

REFUSALS = frozenset(
    {
        "rate_limit", "rate_limit_after", "no_quota", "no_credit_402", "error_500",
        "overloaded_503", "overloaded_529", "leak_key", "bad_schema", "close_before",
        "not_there_404",
    }
)  # fmt: skip
"""The model never runs: nothing is billed."""
SPOILT = frozenset(
    {
        "wrong_model", "no_usage", "empty_choices", "null_content", "refusal", "content_filter",
        "truncated",
    }
)  # fmt: skip
"""A whole answer with an odd content. Calls and lines of batches."""
DELIVERIES = frozenset(
    {
        "hang", "close_after_accept", "close_mid_body", "half_results", "half_json",
        "wrong_content_type", "slow_drip", "garbage_bytes", "not_http", "gateway_503",
    }
)  # fmt: skip
"""The server did its work, and the answer does not arrive as it should."""
LINES = frozenset({"lines_duplicated", "lines_missing", "line_errored", "line_expired"})
"""Drawn for each request of a batch."""
BATCHES = frozenset({"batch_polls", "batch_invalid", "lines_reordered", "empty_file_ids"})
"""Drawn for each batch. `empty_file_ids`: "" for a file that is not there, as some servers say."""
FAULTS = REFUSALS | SPOILT | DELIVERIES | LINES | BATCHES
assert (REFUSALS - {"close_before", "rate_limit_after"}) <= KINDS.keys()


class BadPlan(ValueError):
    """A plan that cannot be read."""


@dataclass(frozen=True)
class Rule:
    """One rule of a plan.

    `fault` holds one name or several, of which each hit draws one. `on` are the endpoints that it
    is for: the two calls, unless the fault belongs to batches. `times` bounds the hits per prompt.
    """

    fault: tuple[str, ...]
    share: float = 1.0
    match: re.Pattern[str] | None = None
    times: int | None = None
    seed: int = 0
    on: frozenset[str] = CALLS
    retry_after: float = 1.0
    date: bool = False
    drip_ms: float = 20.0
    polls: int = 3


@dataclass(frozen=True)
class Hit:
    """A fault that a call is hit by, with the rule that holds its options."""

    fault: str
    rule: Rule


def default_places(names: tuple[str, ...]) -> frozenset[str]:
    """Where faults strike if a rule does not say."""
    if set(names) <= LINES | BATCHES:
        return CREATES
    return RESULTS if set(names) == {"half_results"} else CALLS


def read_rule(given: object, seed: int) -> Rule:
    """A rule from its JSON object."""
    if not isinstance(given, dict):
        raise BadPlan(f"expected an object per rule, found {given!r}")
    fields: dict[str, Any] = dict(given)
    unknown = fields.keys() - Rule.__dataclass_fields__.keys()
    if unknown:
        raise BadPlan(f"unknown field of a rule: {sorted(unknown)}")
    named = fields.pop("fault", None)
    names = (named,) if isinstance(named, str) else tuple(named or ())
    wrong = [name for name in names if name not in FAULTS]
    if wrong or not names:
        raise BadPlan(f"expected faults of {sorted(FAULTS)}, found {named!r}")
    places = fields.pop("on", None) or default_places(names)
    on = frozenset([places] if isinstance(places, str) else places)
    if not on <= ENDPOINTS:
        raise BadPlan(f"expected endpoints of {sorted(ENDPOINTS)}, found {sorted(on)}")
    pattern = fields.pop("match", None)
    fields.setdefault("seed", seed)
    return Rule(names, match=re.compile(pattern) if pattern else None, on=on, **fields)


def draw(*parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the parts."""
    digest = blake2b("|".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class Plan:
    """The rules in force, and how often each prompt came by and was hit."""

    def __init__(self, given: object = (), seed: int = 0) -> None:
        if not isinstance(given, (list, tuple)):
            raise BadPlan(f"expected a list of rules, found {given!r}")
        self.given = given
        self.rules = [read_rule(one, seed) for one in given]
        self.attempts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.hits: defaultdict[tuple[int, str], int] = defaultdict(int)

    def of(
        self, place: str, key: str, text: Callable[[], str], kinds: frozenset[str]
    ) -> Hit | None:
        """The fault of the given kinds that strikes this attempt, by the first rule that does."""
        rules = [
            (number, rule)
            for number, rule in enumerate(self.rules)
            if place in rule.on and not kinds.isdisjoint(rule.fault)
        ]
        if not rules:
            return None
        self.attempts[place, key] += 1
        attempt = self.attempts[place, key]
        for number, rule in rules:
            if rule.times is not None and self.hits[number, key] >= rule.times:
                continue
            if draw(rule.seed, number, key, attempt) >= rule.share:
                continue
            if rule.match is None or rule.match.search(text()):
                self.hits[number, key] += 1
                names = [name for name in rule.fault if name in kinds]
                which = int(draw(rule.seed, number, key, attempt, "which") * len(names))
                return Hit(names[which], rule)
        return None
