"""What an audit says: one defect, how much of it, what it does to a result, what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from judgesmith.errors import AuditError, DataError

MAX_EXAMPLES = 5
"""Examples kept per finding: enough to look one up, few enough to print."""


class Severity(StrEnum):
    """How much a finding matters: a figure to know, a doubt about a result, a reason to stop."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing an audit found.

    Attributes:
        audit: The audit that found it: `leak`, `confound`, `supply`, `labels` and so on.
        severity: `error` must stop the run, `warning` belongs beside every result, `info` is a
            figure to know.
        message: What was found, in one sentence that carries its numbers.
        count: How many show it, 0 <= count <= of.
        of: How many were looked at.
        examples: Ids, or pairs of ids, to look up. At most `MAX_EXAMPLES`.
        effect: What it does to a result.
        remedy: What to do about it.

    Raises:
        DataError: If count is negative or larger than of, or there are too many examples.

    >>> found = Finding(
    ...     audit="labels", severity=Severity.WARNING, message="24 of 25 items are a TIE",
    ...     count=24, of=25, examples=(), effect="kappa is undefined", remedy="add items",
    ... )
    >>> found.to_dict()["severity"]
    'warning'
    """

    audit: str
    severity: Severity
    message: str
    count: int
    of: int
    examples: tuple[str, ...]
    effect: str
    remedy: str

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.of:
            raise DataError(
                f"finding of audit {self.audit!r}: expected 0 <= count <= of, found "
                f"count={self.count!r}, of={self.of!r}; count what shows the defect, not examples"
            )
        if len(self.examples) > MAX_EXAMPLES:
            raise DataError(
                f"finding of audit {self.audit!r}: expected at most {MAX_EXAMPLES} examples, "
                f"found {len(self.examples)}; cut the list and let count say how many there are"
            )

    def to_dict(self) -> dict[str, str | int | list[str]]:
        """Give the finding as plain JSON values, in the order of its fields."""
        return {
            "audit": self.audit,
            "severity": self.severity.value,
            "message": self.message,
            "count": self.count,
            "of": self.of,
            "examples": list(self.examples),
            "effect": self.effect,
            "remedy": self.remedy,
        }


def stop_on_errors(findings: Iterable[Finding]) -> None:
    """Stop when any finding is an error; say all of them at once.

    Args:
        findings: What the audits found, of any severity.

    Raises:
        AuditError: If at least one finding is an error. The message holds, for each, what was
            found, examples, its effect and the remedy.

    >>> stop_on_errors([])
    """
    everything = list(findings)
    errors = [found for found in everything if found.severity is Severity.ERROR]
    if not errors:
        return
    parts = []
    for found in errors:
        shown = f" (for example {', '.join(found.examples)})" if found.examples else ""
        parts.append(
            f"{found.audit}: {found.message}{shown}\n"
            f"  effect: {found.effect}\n  what to do: {found.remedy}"
        )
    raise AuditError("\n".join(parts), [dict(found.to_dict()) for found in everything])
