"""`audit`: what files or a run give away, on a terminal, as JSON and as a page."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from judgesmith.audits.finding import Finding
from judgesmith.cli import show
from judgesmith.cli.show_files import licences as show_licences
from judgesmith.errors import DataError
from judgesmith.pipeline.audit_files import audit_targets, write_audit
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_sources import Reading
from judgesmith.records import Direction

MOST_ALIKE = 5
"""Findings of one audit and severity that a terminal shows; all are in audit.json."""


def audit_command(
    targets: Sequence[str], train: Sequence[str], reading: Reading, out: Path | None
) -> int:
    """Audit, show, write; the exit code by the worst finding."""
    if out is not None and out.exists() and not out.is_dir():
        raise DataError(f"--out {out}: expected a folder's name, found a file.")
    found = audit_targets(targets, train=train, reading=reading)
    show.rehearsal(found.rehearsed)
    show.supply(found.tables.get("supply", ()))
    show.confounds(found.confounds)
    show_licences(found.tables)
    _show(found, out)
    if out is not None:
        name = ", ".join(found.sets)
        show.line(f"Report: {write_audit(found, name, out)}")
    return found.code


def direction(names: str | None) -> Direction | None:
    """What --names says.

    Raises:
        DataError: it is neither better nor worse.
    """
    if names is None or names in set(Direction):
        return None if names is None else Direction(names)
    raise DataError(f"--names {names!r}: expected better or worse.")


def _show(found: Audited, out: Path | None) -> None:
    everything = found.worst_first()
    show.findings([_row(one) for one in _cut(everything)])
    counts = Counter((one.audit, one.severity) for one in everything)
    hidden = {key: n - MOST_ALIKE for key, n in counts.items() if n > MOST_ALIKE}
    where = "in audit.json" if out is not None else "with --out FOLDER"
    for (audit, severity), more in hidden.items():
        show.line(f"{more} more of severity {severity} by {audit}: {where}.")
    if found.not_checked:
        show.line("\nNot checked:")
    for what, why in found.not_checked.items():
        show.line(f"  {what}: {why}")
    for name, numbers in found.sets.items():
        show.line(f"Read {name}: {', '.join(f'{what} {n:,}' for what, n in numbers.items())}.")
    severities = Counter(one.severity.value for one in everything)
    show.line(
        f"{len(everything)} findings, {severities['error']} of them errors, "
        f"{severities['warning']} warnings."
    )


def _cut(everything: Sequence[Finding]) -> list[Finding]:
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for one in everything:
        seen[one.audit, one.severity] += 1
        if seen[one.audit, one.severity] <= MOST_ALIKE:
            kept.append(one)
    return kept


def _row(one: Finding) -> dict[str, object]:
    """A finding as shown: its places stand below the message."""
    examples = f"\n        see {', '.join(map(_near, one.examples[:2]))}" if one.examples else ""
    return {**one.to_dict(), "message": one.message + examples}


def _near(place: str) -> str:
    """A place as the user would type it: without the folder that the command runs in."""
    return place.removeprefix(f"{Path.cwd()}/")
