"""Replies in two tags: the rationale, then the verdict, and nothing after it."""

import re
from functools import lru_cache
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from judgesmith.judging.forms.found import Found, Written, trimmed
from judgesmith.records import Status

_TAG = re.compile(r"\w[\w-]*")


@lru_cache(maxsize=256)
def _spellings(tag: str) -> re.Pattern[str]:
    """The tag, opening or closing, in any letter case and with any white space."""
    return re.compile(rf"<\s*(?:/\s*)?{re.escape(tag)}\s*>", re.IGNORECASE)


class Tags(BaseModel):
    """`<rationale>why</rationale><verdict>A</verdict>`, with tags of the dialect's own names.

    The rationale ends at its last closing tag, so a verdict quoted inside it does not count; one
    that was opened and never closed goes on to the end. After it exactly one verdict must follow,
    and nothing but white space after that: a verdict in the middle of a sentence is a quotation.
    Another spelling of its tag beside it ("<Verdict>") makes several verdicts. A reply that was
    cut has none: as long as it could go on, a verdict may still stand in a quotation.
    """

    VERSION: ClassVar[int] = 2
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["tags"] = "tags"
    rationale: str = "reasoning"
    verdict: str = "verdict"

    @model_validator(mode="after")
    def _can_be_read(self) -> "Tags":
        tags = (self.rationale, self.verdict)
        if tags[0] == tags[1] or not all(_TAG.fullmatch(tag) for tag in tags):
            raise ValueError(f"expected two different words as tags, found {tags}")
        return self

    @property
    def opening(self) -> str:
        """The text right before the verdict."""
        return f"<{self.verdict}>"

    @property
    def has_rationale(self) -> bool:
        """Whether a reply holds a rationale."""
        return True

    @property
    def reserved(self) -> tuple[str, ...]:
        """What a rationale may not hold."""
        return tuple(
            f"<{slash}{tag}>" for tag in (self.rationale, self.verdict) for slash in ("", "/")
        )

    def clash(self, rationale: str) -> str | None:
        """The tag that a rationale holds."""
        return next((f"tag {tag}" for tag in self.reserved if tag in rationale), None)

    def write(self, rationale: str, written: Written) -> str:
        """The reply with these parts."""
        said = " ".join(written) if isinstance(written, list) else written
        why = f"<{self.rationale}>{rationale}</{self.rationale}>"
        return f"{why}<{self.verdict}>{said}</{self.verdict}>"

    def find(self, text: str, criteria: tuple[str, ...] = ()) -> tuple[Found, ...]:
        """The parts of a reply."""
        return (self._parts(text),)

    def _parts(self, text: str) -> Found:
        rationale, inside, start = self._split(text)
        rest = text[start:] if start is not None else ""
        if self._states_several(rest):
            return Found(Status.SEVERAL_VERDICTS, rationale)
        before, opening, tail = rest.partition(f"<{self.verdict}>")
        written, closing, after = tail.partition(f"</{self.verdict}>")
        if not opening or not closing or after.strip() or start is None:
            return Found(Status.NO_VERDICT, rationale)
        begins = start + len(before) + len(opening)
        if rationale is None:
            rationale, inside = before.strip() or None, (start, start + len(before))
        return Found(
            None, rationale, written, closed=True, strict=True, last=False,
            rationale_at=trimmed(text, *(inside or (0, 0))),
            written_at=(begins, begins + len(written)),
        )  # fmt: skip

    def _states_several(self, rest: str) -> bool:
        """Whether a verdict is closed twice, or its tag stands beside another spelling of it."""
        exact = rest.count(f"</{self.verdict}>")
        opened = rest.count(f"<{self.verdict}>")
        spelled = sum(1 for _ in _spellings(self.verdict).finditer(rest))
        return exact > 1 or (exact == 1 and spelled > exact + opened)

    def _split(self, text: str) -> tuple[str | None, tuple[int, int] | None, int | None]:
        """The rationale, where it stands, and where the rest begins; None where none is left."""
        opening, closing = f"<{self.rationale}>", f"</{self.rationale}>"
        start, end = text.find(opening), text.rfind(closing)
        if end < 0:
            if start < 0:
                return None, None, 0
            return text[start + len(opening) :].strip(), None, None
        start = start + len(opening) if 0 <= start < end else 0
        return text[start:end].strip(), (start, end), end + len(closing)
