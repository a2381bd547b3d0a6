"""The audits that preference rows must pass before anything is trained on them.

Words alone must not tell chosen from rejected; verdict and rationale must agree on both sides; no
text may speak of an instruction. What fails is an error and stops the stage. Modes that are not
even, and rows too few to bound the probe, are warnings beside the result.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from judgesmith.audits import (
    ContrastRow,
    Finding,
    GeneratedText,
    MadeItem,
    RationaleRow,
    Severity,
    bag_findings,
    bag_table,
    contradiction_findings,
    instruction_leak_findings,
    instruction_leak_table,
    inversion_findings,
    mode_findings,
    mode_table,
    rationale_table,
    read_rationale,
    separability_findings,
    separability_table,
)
from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.audits.inversion import LEAST_READ
from judgesmith.audits.rationale import Rule
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.reply import verdict_text
from judgesmith.records import TIE, Direction, Kind, PreferenceRow

_BARE = re.compile(r"(?<![Rr]esponse )\b([AB])(?= (?:is|follows)\b)")
"""A response that a rationale calls by its letter alone, where the letter is no choice's."""

_LEAST_SHARE_READ = 0.5
RANKS = (Rule.VERDICT, Rule.COMPARISON)
"""Rules of reading by which a rationale sets one response above the other."""


class _Said(NamedTuple):
    """One side of a row, read back: where it stands, its rationale and its verdict."""

    where: str
    rationale: str
    verdict: str


def quality(
    rows: Sequence[PreferenceRow], groups: Mapping[str, str], dialect: Dialect, *,
    modes: Iterable[str] = (), ceiling: float = 0.6,
) -> tuple[dict[str, Any], list[Finding]]:  # fmt: skip
    """Tables and findings of all audits; nothing may be written if a finding is an error.

    Args:
        rows: The rows, all of one dialect.
        groups: The question group of each item, by item id.
        dialect: In which the replies are read back.
        modes: The failure modes that should occur.
        ceiling: Where the upper 95% bound of the probe's accuracy must lie or below.
    """
    contrasts = [ContrastRow(groups[r.item_id], r.chosen, r.rejected, r.id) for r in rows]
    bag, keyword = bag_table(contrasts), separability_table(contrasts)
    tables: dict[str, Any] = {
        "bag of words": bag.to_dict(),
        "one keyword": keyword.to_dict(),
        "words": {side: _lengths(rows, side) for side in ("chosen", "rejected")},
    }
    found = [*bag_findings(bag, ceiling=ceiling), *separability_findings(keyword)]
    sides: dict[str, list[_Said]] = {}
    for side in ("chosen", "rejected"):
        leaks = instruction_leak_table([GeneratedText(getattr(r, side), r.id) for r in rows])
        found += _strictly(instruction_leak_findings(leaks))
        sides[side], unread = _read(rows, side, dialect)
        found += unread
        checked, table = _agreement(sides[side], side, dialect.direction)
        found += checked
        tables[f"verdict and rationale, {side}"] = table
    if dialect.kind is Kind.PAIR:
        found += _two_verdicts([*sides["chosen"], *sides["rejected"]])
    verdict = {said.where: said.verdict for said in sides["rejected"]}
    made = [MadeItem(row.id, row.how_made, verdict.get(row.id, "none")) for row in rows]
    found += mode_findings(mode_table(made, planned=modes))
    return tables, found


def named_in_full(rationale: str) -> str:
    """The rationale with "Response" before a response that it calls by its letter alone."""
    return _BARE.sub(r"Response \1", rationale)


def _strictly(findings: Iterable[Finding]) -> Iterator[Finding]:
    """What other data sets are only warned of stops a set of preference rows."""
    for one in findings:
        warned = one.severity is Severity.WARNING
        yield replace(one, severity=Severity.ERROR) if warned else one


def _lengths(rows: Sequence[PreferenceRow], side: str) -> dict[str, float]:
    """Words per text: least, quartiles, most and mean."""
    words = sorted(len(getattr(row, side).split()) for row in rows) or [0]
    places = {
        "least": 0.0,
        "lower quartile": 0.25,
        "median": 0.5,
        "upper quartile": 0.75,
        "most": 1,
    }
    found: dict[str, float] = {
        name: words[round(place * (len(words) - 1))] for name, place in places.items()
    }
    return found | {"mean": round(sum(words) / len(words), 3)}


def _read(
    rows: Sequence[PreferenceRow], side: str, dialect: Dialect
) -> tuple[list[_Said], list[Finding]]:
    """Every text read back as a judge's reply; those that cannot be are an error."""
    said, unread = [], []
    for row in rows:
        reading = parse_reply(dialect, getattr(row, side))
        verdict = verdict_text(reading.verdict)
        if verdict is None:
            unread.append(row.id)
        else:
            said.append(_Said(row.id, reading.rationale or "", verdict))
    if not unread:
        return said, []
    return said, [
        _error(
            "parsing", f"{len(unread)} of {len(rows)} {side} replies cannot be read back", unread,
            of=len(rows), effect="a student learns a form of reply that has no verdict",
            remedy="write every reply with the dialect's own `write_reply`",
        )
    ]  # fmt: skip


def _agreement(
    said: Sequence[_Said], side: str, direction: Direction | None
) -> tuple[list[Finding], dict[str, Any]]:
    """Whether rationales argue for their verdict, as far as it names one of two responses."""
    if direction is None:
        return [], {"not applicable": "the dialect's verdict names no response"}
    full = [RationaleRow(named_in_full(one.rationale), one.verdict, one.where)
            for one in said]  # fmt: skip
    table = rationale_table(full, direction)
    judge = inversion_findings if side == "rejected" else contradiction_findings
    found = list(_strictly(judge(table)))
    ties = [row for row in full if row.verdict == TIE]
    ranked = [row.where for row in ties if read_rationale(row.rationale).rule in RANKS]
    if ranked:
        found.append(
            _error(
                "contradiction",
                f"{len(ranked)} of {len(ties)} {side} rationales with a tie name one response",
                ranked, of=len(ties), effect="the rationale does not explain the verdict",
                remedy="write these texts again from the facts that give a tie",
            )
        )  # fmt: skip
    if table.decided and table.read < max(LEAST_READ, _LEAST_SHARE_READ * table.decided):
        found.append(_hardly_read(side, table.read, table.decided))
    return found, table.to_dict() | {"ties": len(ties), "ties that name one": len(ranked)}


def _hardly_read(side: str, read: int, decided: int) -> Finding:
    return Finding(
        audit="inversion",
        severity=Severity.WARNING,
        message=(
            f"not enough evidence that {side} rationales argue for their verdict: {read} of "
            f"{decided} could be read"
        ),
        count=decided - read,
        of=decided,
        examples=(),
        effect="texts that argue for another verdict would not be noticed",
        remedy="name the responses in full (Response A), or make more rows",
    )


def _two_verdicts(said: Sequence[_Said]) -> list[Finding]:
    """The same rationale of a pair with two verdicts: at least one of them does not follow.

    The rationale of a single response may end before its verdict is settled, and leave the last
    step to the verdict.
    """
    verdicts: dict[str, set[str]] = defaultdict(set)
    for one in said:
        verdicts[one.rationale].add(one.verdict)
    torn = [one.where for one in said if len(verdicts[one.rationale]) > 1]
    if not torn:
        return []
    return [
        _error(
            "contradiction", f"{len(torn)} of {len(said)} texts share their rationale with a text "
            "of another verdict", torn, of=len(said),
            effect="the verdict does not follow from the words, so it can only be guessed",
            remedy="let the verdict follow from the facts that the rationale states",
        )
    ]  # fmt: skip


def _error(
    audit: str, message: str, where: Sequence[str], *, of: int, effect: str, remedy: str
) -> Finding:
    examples = tuple(dict.fromkeys(where))[:MAX_EXAMPLES]
    return Finding(audit, Severity.ERROR, message, len(where), of, examples, effect, remedy)
