"""Items, answers and outcomes as they are kept."""

from typing import Any

import orjson
from pydantic import TypeAdapter

from judgesmith.review.types import About, Answer, Outcome, Plan, ReviewItem

WITHHELD = ("bucket", "category", "split", "generators", "said", "gold", "stratum", "size")
"""Fields of an item that nobody is shown before the own answer."""

_ITEM = TypeAdapter(ReviewItem)
_ANSWER = TypeAdapter(Answer)
_OUTCOME = TypeAdapter(Outcome)
_ABOUT = TypeAdapter(About)
_PLAN = TypeAdapter(Plan)


def parts_of(item: ReviewItem) -> tuple[bytes, bytes]:
    """What of an item anybody may see, and what is withheld; each as JSON."""
    fields = _ITEM.dump_python(item, mode="json")
    withheld = {name: fields.pop(name) for name in WITHHELD}
    return orjson.dumps(fields), orjson.dumps(withheld)


def item_of(shown: bytes, withheld: bytes | None = None) -> ReviewItem:
    """The item of its parts; without the second, nothing withheld is in it."""
    fields: dict[str, Any] = orjson.loads(shown)
    if withheld is not None:
        fields |= orjson.loads(withheld)
    return _ITEM.validate_python(_as_tuples(fields))


def _as_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}


def answer_bytes(answer: Answer) -> bytes:
    """An answer as JSON."""
    return _ANSWER.dump_json(answer)


def answer_of(body: bytes) -> Answer:
    """The answer of its JSON."""
    return _ANSWER.validate_json(body)


def outcome_bytes(outcome: Outcome) -> bytes:
    """An outcome as JSON."""
    return _OUTCOME.dump_json(outcome)


def outcome_of(body: bytes) -> Outcome:
    """The outcome of its JSON."""
    return _OUTCOME.validate_json(body)


def about_json(about: About, plan: Plan) -> dict[str, str]:
    """What the table `about` holds of a review."""
    return {"about": _ABOUT.dump_json(about).decode(), "plan": _PLAN.dump_json(plan).decode()}


def about_of(held: dict[str, str]) -> tuple[About, Plan]:
    """A review's about and plan, out of the table `about`."""
    return _ABOUT.validate_json(held["about"]), _PLAN.validate_json(held["plan"])
