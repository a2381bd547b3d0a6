"""Rows to train on: preference rows and supervised rows, recognised by their columns."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from judgesmith.audits.instruction_leak import (
    GeneratedText,
    instruction_leak_findings,
    instruction_leak_table,
)
from judgesmith.audits.inversion import (
    RationaleRow,
    contradiction_findings,
    inversion_findings,
    rationale_table,
)
from judgesmith.audits.modes import MadeItem, mode_findings, mode_table
from judgesmith.audits.separability import ContrastRow, separability_findings, separability_table
from judgesmith.errors import DataError
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_inputs import short_name
from judgesmith.pipeline.audit_labels import MODES
from judgesmith.records import Direction
from judgesmith.sources.tables import read_table

Form = Literal["preference", "supervised"]
PEEKED = 20
GROUPS = ("group_id", "question_id", "group", "item_id", "item", "pair_id", "id")
"""Columns that say which rows belong together, the coarsest first; else the prompt does."""

_VERDICT = re.compile(
    r"<verdict>\s*(?P<tag>\w+)\s*</verdict>|\[\[(?P<brackets>[ABC])\]\]|"
    r"verdict\W{1,6}(?P<word>A|B|TIE)\b(?=\W*$)"
)
_TIE_LETTER = {"C": "TIE"}


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A row to train on. A supervised row has no rejected text; either side may be missing.

    `verdict` is the rejected text's own, where the file says it; `names` what a verdict names.
    """

    where: str
    group: str
    prompt: str
    chosen: str | None
    rejected: str | None
    verdict: str | None
    mode: str | None
    names: str | None


def form_of(path: Path) -> Form | None:
    """What kind of training rows a file holds; None if it holds none."""
    columns = {name for _, _, row in islice(read_table(path), PEEKED) for name in row}
    if {"chosen", "rejected"} <= columns:
        return "preference"
    if {"prompt", "completion"} <= columns or "messages" in columns:
        return "supervised"
    return None


def read_training(path: Path) -> Iterator[TrainingRow]:
    """The rows of a file, in its order.

    Raises:
        DataError: a row lacks the columns that the first rows have, or holds no text.
    """
    form = form_of(path)
    for where, _, row in read_table(path):
        yield _preference(row, where) if form == "preference" else _supervised(row, where)


def _preference(row: Mapping[str, Any], where: str) -> TrainingRow:
    for name in ("chosen", "rejected"):
        if name not in row:
            raise DataError(f"{where}: expected the columns chosen and rejected, {name} is missing")
    prompt, chosen = _conversation(row["chosen"], f"{where}, chosen")
    other, rejected = _conversation(row["rejected"], f"{where}, rejected")
    if chosen is None and rejected is None:
        raise DataError(f"{where}: expected a text in chosen or rejected, found none in either")
    asked = _plain(row.get("prompt"), f"{where}, prompt") or prompt or other
    return TrainingRow(
        where=where,
        group=_group(row, asked, where),
        prompt=asked,
        chosen=chosen,
        rejected=rejected,
        verdict=_text(row.get("rejected_verdict", row.get("verdict"))),
        mode=next((str(row[name]) for name in MODES if row.get(name) not in (None, "")), None),
        names=_text(row.get("names")),
    )


def _supervised(row: Mapping[str, Any], where: str) -> TrainingRow:
    if "messages" in row:
        prompt, completion = _conversation(row["messages"], f"{where}, messages")
    else:
        prompt = _plain(row.get("prompt"), f"{where}, prompt")
        _, completion = _conversation(row.get("completion"), f"{where}, completion")
    group = _group(row, prompt, where)
    return TrainingRow(where, group, prompt, completion, None, None, None, None)


def _group(row: Mapping[str, Any], prompt: str, where: str) -> str:
    named = next((row[name] for name in GROUPS if row.get(name) not in (None, "")), None)
    return str(named) if named is not None else short_name(prompt) or where


def _text(value: object) -> str | None:
    return None if value in (None, "") else str(value)


def _conversation(value: object, where: str) -> tuple[str, str | None]:
    """The prompt and the last turn: of a text, of message lists, of a cell that holds such JSON."""
    turns = _turns(value, where)
    if isinstance(turns, str) or turns is None:
        return "", turns or None
    if not turns:
        return "", None
    *before, last = turns
    return "\n".join(before), last or None


def _plain(value: object, where: str) -> str:
    turns = _turns(value, where)
    return "" if turns is None else turns if isinstance(turns, str) else "\n".join(turns)


def _turns(value: object, where: str) -> str | list[str] | None:
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(
        isinstance(turn, dict) and isinstance(turn.get("content"), str) for turn in value
    ):
        return [turn["content"] for turn in value]
    raise DataError(
        f"{where}: expected a text, or a list of messages with role and content, found "
        f"{str(value)[:80]!r}"
    )


def verdict_of(text: str) -> tuple[str, str | None]:
    """A text without its verdict, and the last verdict that it states (A, B, TIE).

    >>> verdict_of("Response A guesses. <verdict>A</verdict>")
    ('Response A guesses. ', 'A')
    >>> verdict_of("No verdict here.")
    ('No verdict here.', None)
    """
    stated = list(_VERDICT.finditer(text))
    if not stated:
        return text, None
    last = stated[-1]
    found = (last["tag"] or last["brackets"] or last["word"]).upper()
    return text[: last.start()] + text[last.end() :], _TIE_LETTER.get(found, found)


def audit_preferences(
    name: str, rows: list[TrainingRow], direction: Direction | None, into: Audited
) -> None:
    """Run the audits on preference rows: what tells chosen from rejected, and what gives it away.

    `direction` is what a verdict names; the rows' own column `names` says it where it is None.
    """
    separable = separability_table(
        [ContrastRow(row.group, row.chosen, row.rejected, row.where) for row in rows]
    )
    if separable.accuracy.value is None:
        into.skip("separability", str(separable.accuracy.undefined), of=name)
    into.add(f"separability, {name}", separable.to_dict(), separability_findings(separable))
    for side in ("rejected", "chosen"):
        texts = [
            GeneratedText(text, row.where)
            for row in rows
            if (text := row.rejected if side == "rejected" else row.chosen)
        ]
        leaks = instruction_leak_table(texts)
        found = instruction_leak_findings(leaks)
        into.add(f"instruction_leak, {side}, {name}", leaks.to_dict(), found, of=f"{side} texts")
    _verdicts(name, rows, direction, into)
    modes = [
        MadeItem(row.where, row.mode, row.verdict or verdict_of(row.rejected or "")[1] or "none")
        for row in rows
        if row.mode
    ]
    if modes:
        table = mode_table(modes)
        into.add(f"modes, {name}", table.to_dict(), mode_findings(table))
    else:
        into.skip("modes", f"no column says how rows were made ({', '.join(MODES)})", of=name)


def direction_of(name: str, rows: list[TrainingRow], asked: Direction | None) -> Direction | None:
    """What verdicts name: as asked, else as every row says; None where nothing says it.

    Raises:
        DataError: the rows name something else, or both.
    """
    if asked is not None:
        return asked
    said = {row.names: row.where for row in rows if row.names}
    if len(said) > 1 or said.keys() - set(Direction):
        raise DataError(
            f"{name}: column names: expected better or worse, the same in every row, found "
            f"{', '.join(f'{value!r} ({where})' for value, where in sorted(said.items()))}"
        )
    return Direction(next(iter(said))) if said else None


def _verdicts(name: str, rows: list[TrainingRow], asked: Direction | None, into: Audited) -> None:
    direction = direction_of(name, rows, asked)
    if direction is None:
        reason = "nothing says what a verdict names: give --names better or --names worse"
        into.skip("inversion", reason, of=name)
        return
    rejected, chosen = [], []
    for row in rows:
        if row.rejected:
            text, verdict = verdict_of(row.rejected)
            if row.verdict or verdict:
                rejected.append(RationaleRow(text, row.verdict or str(verdict), row.where))
        if row.chosen:
            text, verdict = verdict_of(row.chosen)
            if verdict:
                chosen.append(RationaleRow(text, verdict, row.where))
    if not rejected:
        reason = "the rejected texts state no verdict (<verdict>A</verdict>), nor does a column"
        into.skip("inversion", reason, of=name)
    else:
        table = rationale_table(rejected, direction)
        into.add(f"inversion, {name}", table.to_dict(), inversion_findings(table))
    if chosen:
        table = rationale_table(chosen, direction)
        found = contradiction_findings(table)
        into.add(f"contradiction, {name}", table.to_dict(), found, of="chosen texts")
