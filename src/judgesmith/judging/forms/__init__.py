"""How a reply is written and read: the forms that a dialect may ask for, as data."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from judgesmith.judging.forms.found import Found, Written
from judgesmith.judging.forms.json_reply import Json
from judgesmith.judging.forms.pattern import Pattern
from judgesmith.judging.forms.scores_first import ScoresFirst
from judgesmith.judging.forms.tags import Tags

__all__ = ["Found", "Json", "Pattern", "ReplyForm", "ScoresFirst", "Tags", "Written"]


def _short(given: Any) -> Any:
    return {"kind": "pattern", "text": given} if isinstance(given, str) else given


ReplyForm = Annotated[
    Annotated[Tags | Pattern | ScoresFirst | Json, Field(discriminator="kind")],
    BeforeValidator(_short),
]
"""One of the forms; a plain text is short for a pattern."""
