"""Replies whose first line holds one score per response, and then the reason."""

import re
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from judgesmith.judging.forms.found import Found, Written
from judgesmith.judging.forms.pattern import find_first_line

_APART = re.compile(r"[\s,]+")


class ScoresFirst(BaseModel):
    """`8 9`, a line break, and the reason, which may be missing.

    The first line that is not blank holds exactly one number per response. Between two numbers
    stands white space (blanks, tabs), a comma, or both; any other word makes it no line of scores.
    With `out_of: 10`, "8/10 9/10" is read as well; without it, it is off the scale. What stands in
    the reason never matters.
    """

    VERSION: ClassVar[int] = 2
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["scores_first"] = "scores_first"
    out_of: int | None = Field(None, gt=0)

    @property
    def opening(self) -> str:
        """Nothing stands before the scores."""
        return ""

    @property
    def has_rationale(self) -> bool:
        """Whether a reply holds a rationale."""
        return True

    @property
    def reserved(self) -> tuple[str, ...]:
        """A reason may hold anything."""
        return ()

    def clash(self, rationale: str) -> str | None:
        """Nothing that a reason holds is taken for the scores."""
        return None

    def write(self, rationale: str, written: Written) -> str:
        """The reply with these parts."""
        said = " ".join(written) if isinstance(written, list) else str(written)
        return f"{said}\n{rationale}"

    def find(self, text: str, criteria: tuple[str, ...] = ()) -> tuple[Found, ...]:
        """The parts of a reply."""
        found = find_first_line(text)
        line = str(found.written or "")
        if self.out_of is not None:
            line = re.sub(rf"(?<=\d)[ \t]*/[ \t]*{self.out_of}(?![\d.]|[ \t]*/)", "", line)
        return (found._replace(written=[word for word in _APART.split(line) if word]),)
