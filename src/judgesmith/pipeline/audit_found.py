"""What an audit of files gives: findings, tables, and what was not checked, with the reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from judgesmith.audits.finding import Finding, Severity

CODES = {Severity.INFO: 0, Severity.WARNING: 3, Severity.ERROR: 1}
"""Exit code by the worst finding: a doubt is 3, as an undecided gate is."""

_WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclass
class Audited:
    """Findings in the order found, tables by name, and audits that could not run.

    `sets` says of each set what was read: rows, items, judgments, or texts. `not_checked` maps
    what was not checked to the reason. `confounds` and `leaks` are the tables that a page draws.
    `rehearsed` says that a rehearsal is among what was read.
    """

    sets: dict[str, dict[str, int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    not_checked: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    confounds: dict[str, Any] | None = None
    leaks: dict[str, Any] | None = None
    rehearsed: bool = False

    def add(
        self, name: str, table: Mapping[str, Any], findings: Iterable[Finding], *, of: str = ""
    ) -> None:
        """Keep a table under a name, and its findings; `of` is put before their messages."""
        self.tables[name] = table
        self.say(findings, of=of)

    def say(self, findings: Iterable[Finding], *, of: str = "") -> None:
        """Keep findings; `of` is put before their messages."""
        for found in findings:
            same = not of or found.message.startswith(of)
            self.findings.append(
                found if same else replace(found, message=f"{of}: {found.message}")
            )

    def skip(self, audit: str, reason: str, *, of: str = "") -> None:
        """Record that an audit could not run."""
        self.not_checked[f"{audit}, {of}" if of else audit] = reason

    def worst_first(self) -> list[Finding]:
        """The findings, errors first, else in the order found."""
        rank = {severity: place for place, severity in enumerate(_WORST_FIRST)}
        return sorted(self.findings, key=lambda found: rank[found.severity])

    @property
    def code(self) -> int:
        """The exit code: 1 with an error, 3 with warnings only, else 0."""
        found = {finding.severity for finding in self.findings}
        worst = next((severity for severity in _WORST_FIRST if severity in found), Severity.INFO)
        return CODES[worst]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain JSON values."""
        counts = {s.value: sum(f.severity is s for f in self.findings) for s in _WORST_FIRST}
        return {
            "exit_code": self.code,
            "counts": counts,
            "findings": [found.to_dict() for found in self.worst_first()],
            "not_checked": dict(self.not_checked),
            "sets": {name: dict(counts) for name, counts in self.sets.items()},
            "notes": list(self.notes),
            "tables": self.tables,
        }
