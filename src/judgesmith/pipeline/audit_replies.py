"""Audits that read texts: replies, rationales, and the style of responses, in one pass.

Texts are looked at in batches and let go; only tables and places stay.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from judgesmith.audits.confound import ConfoundItem, StyledResponse, confound_table
from judgesmith.audits.confound_findings import confound_findings
from judgesmith.audits.instruction_leak import (
    GeneratedText,
    InstructionLeakTable,
    instruction_leak_findings,
    instruction_leak_table,
)
from judgesmith.audits.inversion import (
    RationaleRow,
    RationaleTable,
    contradiction_findings,
    rationale_table,
)
from judgesmith.audits.parsing import (
    Misreading,
    MisreadingCount,
    ParsedReply,
    ParsingTable,
    parsing_findings,
    parsing_table,
)
from judgesmith.metrics.interval import wilson
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_inputs import AuditSet
from judgesmith.pipeline.audit_labels import NO_LABELS
from judgesmith.records import TIE, Direction
from judgesmith.runs.progress import progress_bar
from judgesmith.sources.imported import ImportedItem, ImportedJudgment, ImportedRow
from judgesmith.tasks.bias.wording import HEDGES

Row = TypeVar("Row")
Table = TypeVar("Table")

BATCH = 2_000
_SLOTS = ("A", "B")
_MIRROR = {"A": "B", "B": "A"}
TIE_MARKS = ("3", "C")
"""How pair judges write a tie beside the word: MT-bench's and FastChat's "3" and "[[C]]"."""

LETTERS_STATED = 0.5
"""Share of replies with the stored letter alone, from where on a judge is said to write letters."""


class Tally(Generic[Row, Table]):
    """A table over any number of rows, made batch by batch."""

    def __init__(self, make: Callable[[list[Row]], Table], join: Callable[[Table, Table], Table]):
        self._make, self._join = make, join
        self._rows: list[Row] = []
        self._table: Table | None = None

    def put(self, row: Row) -> None:
        """Count one row."""
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        made = self._make(self._rows)
        self._table = made if self._table is None else self._join(self._table, made)
        self._rows = []

    def table(self) -> Table:
        """The table over all rows."""
        if self._rows or self._table is None:
            self._flush()
        assert self._table is not None
        return self._table


def join_rationales(one: RationaleTable, other: RationaleTable) -> RationaleTable:
    """The table over the rows of both."""
    against, read = one.against + other.against, one.read + other.read
    return replace(
        one, n=one.n + other.n, decided=one.decided + other.decided, read=read, against=against,
        share=wilson(against, read), where=one.where + other.where,
    )  # fmt: skip


def join_leaks(one: InstructionLeakTable, other: InstructionLeakTable) -> InstructionLeakTable:
    """The table over the texts of both."""
    leaks, n = one.leaks + other.leaks, one.n + other.n
    kinds = [
        (name, count + more)
        for (name, count), (_, more) in zip(one.by_kind, other.by_kind, strict=True)
    ]
    return InstructionLeakTable(n, leaks, wilson(len(leaks), n), tuple(kinds))


def join_parsing(one: ParsingTable, other: ParsingTable) -> ParsingTable:
    """The table over the replies of both."""
    counts = tuple(
        MisreadingCount(
            a.kind, a.count + b.count, a.of + b.of, wilson(a.count + b.count, a.of + b.of),
            a.where + b.where,
        )
        for a, b in zip(one.counts, other.counts, strict=True)
    )  # fmt: skip
    return ParsingTable(one.n + other.n, one.stored + other.stored, counts)


class JudgeTexts:
    """What one judge wrote."""

    def __init__(self, direction: Direction | None, tie: str) -> None:
        self.letters = self.alone = 0
        self.parsing = Tally[ParsedReply, ParsingTable](
            partial(parsing_table, tie=tie, tie_marks=TIE_MARKS), join_parsing
        )
        self.leaks = Tally[GeneratedText, InstructionLeakTable](instruction_leak_table, join_leaks)
        self.rationales = (
            None
            if direction is None
            else Tally[RationaleRow, RationaleTable](
                partial(rationale_table, direction=direction), join_rationales
            )
        )
        self.replies = self.written = 0

    def put(self, judgment: ImportedJudgment, judged: tuple[str, ...]) -> None:
        """Take in a judgment; its letter is turned to the order that was shown."""
        shown = judgment.verdict
        if judgment.swapped and shown is not None:
            shown = _MIRROR.get(shown, shown)
        if judgment.reply is not None:
            self.replies += 1
            self.parsing.put(ParsedReply(judgment.reply, shown, judgment.where, judged))
            if shown in _SLOTS:
                self.letters += 1
                self.alone += re.search(rf"(?<!\w){shown}(?!\w)", judgment.reply) is not None
        text = judgment.rationale or judgment.reply
        if not text:
            return
        self.written += 1
        self.leaks.put(GeneratedText(text, judgment.where))
        if self.rationales is not None and shown is not None:
            self.rationales.put(RationaleRow(text, shown, judgment.where))

    @property
    def states_letters(self) -> bool:
        """Whether its replies name A and B at all."""
        return not self.letters or self.alone > LETTERS_STATED * self.letters


def audit_texts(given: AuditSet, into: Audited) -> None:
    """Read the set again for its texts, if it has any, and run the audits on them."""
    judges: dict[str, JudgeTexts] = {}
    styled: dict[int, ConfoundItem] = {}
    if given.columns & {"responses", "reply", "rationale"}:
        chosen = frozenset(given.chosen)
        criteria = list(dict.fromkeys(criterion for _, criterion in given.found.names))
        with progress_bar(f"read texts of {given.name}", None) as bar:
            for count, row in enumerate(given.read(), start=1):
                _judged_texts(given, row, judges)
                _styles(given, row.item, criteria, chosen, styled)
                if count % 1_000 == 0:
                    bar.advance(1_000)
    _say_judges(given, judges, into)
    _say_style(given, list(styled.values()), into)


def _judged_texts(given: AuditSet, row: ImportedRow, judges: dict[str, JudgeTexts]) -> None:
    for judgment in row.judgments:
        if judgment.role != "judge" or (judgment.reply is None and not judgment.rationale):
            continue
        held = judges.get(judgment.by)
        if held is None:
            tie = given.subject.tie or TIE
            held = judges[judgment.by] = JudgeTexts(given.subject.names, tie)
        held.put(judgment, row.item.responses or ())


def _styles(
    given: AuditSet, item: ImportedItem, criteria: list[str | None], chosen: frozenset[int],
    styled: dict[int, ConfoundItem],
) -> None:  # fmt: skip
    if not item.responses or len(item.responses) != 2:
        return
    for criterion in criteria:
        position = given.found.positions.get((item.id, criterion))
        if position is None or position in styled or position not in chosen:
            continue
        label = given.labels.verdicts.get(position)
        if label is not None:
            models = item.models or ("not named", "not named")
            styled[position] = ConfoundItem(
                given.where(position),
                given.buckets[position],
                tuple(
                    StyledResponse(label == letter, model, text)
                    for letter, model, text in zip(_SLOTS, models, item.responses, strict=True)
                ),
            )


def _say_judges(given: AuditSet, judges: dict[str, JudgeTexts], into: Audited) -> None:
    replied = {name: held for name, held in judges.items() if held.replies}
    if not replied:
        into.skip("parsing", "the files hold no raw replies", of=given.name)
    wordless = [name for name, held in replied.items() if not held.states_letters]
    if wordless:
        reason = f"replies that do not name the responses A and B, of {', '.join(wordless)}"
        into.skip("parsing of letters and copies", reason, of=given.name)
    for name, held in replied.items():
        table = held.parsing.table()
        if name in wordless:
            kept = tuple(c for c in table.counts if c.kind is Misreading.TIE_UNSAID)
            table = replace(table, counts=kept)
        misread = parsing_findings(table)
        into.add(f"parsing, {name}, {given.name}", table.to_dict(), misread, of=name)
    if not judges:
        for audit in ("contradiction", "instruction_leak"):
            into.skip(audit, "the files hold no rationales and no replies", of=given.name)
    for name, held in judges.items():
        leaks = held.leaks.table()
        leaking = instruction_leak_findings(leaks)
        into.add(f"instruction_leak, {name}, {given.name}", leaks.to_dict(), leaking, of=name)
        if held.rationales is None:
            continue
        read = held.rationales.table()
        key = f"contradiction, {name}, {given.name}"
        into.add(key, read.to_dict(), contradiction_findings(read), of=name)
    if judges and given.subject.names is None:
        reason = "nothing says whether a verdict names the better or the worse response"
        into.skip("contradiction", reason, of=given.name)


def _say_style(given: AuditSet, items: list[ConfoundItem], into: Audited) -> None:
    if not given.subject.pairs:
        into.skip("confound", "single responses: there is no pair to compare", of=given.name)
    elif not items:
        reason = NO_LABELS if "responses" in given.columns else "the files hold no responses"
        into.skip("confound", reason, of=given.name)
    else:
        table = confound_table(items, hedge_phrases=HEDGES)
        into.add(f"confound, {given.name}", table.to_dict(), confound_findings(table))
        into.confounds = into.confounds or table.to_dict()
