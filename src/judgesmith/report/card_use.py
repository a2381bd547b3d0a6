"""How to use a judge: what it reads and what it writes, with a row of the run's own."""

import json
from typing import TYPE_CHECKING

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.templates import names_in
from judgesmith.records import Kind
from judgesmith.report.blocks import Cell, Table, columns
from judgesmith.report.card_weak import judge_in
from judgesmith.report.markdown import fenced, plain, render_block
from judgesmith.report.results import Evaluation, Example

if TYPE_CHECKING:
    from judgesmith.report.card import Card

_LONGEST = 1500
"""Characters of a row that a card shows; it shows none rather than part of one."""
_BESIDES = ("context", "choices", "grounding", "reference", "fields")
_RESPONSES = {
    Kind.SINGLE: "`response_a` and `response_b`, each scored alone, or one `response`",
    Kind.PAIR: "`response_a` and `response_b`",
    Kind.LIST: "`responses`, a list",
}


def use_texts(card: "Card") -> list[str]:
    """Markdown: the fields of a row, a row, and the fields of what is written."""
    texts = [_reads(card.dialect), *_example(card)]
    return [*texts, *render_block(_writes(card.dialect), "")]


def _reads(dialect: Dialect) -> str:
    named = names_in(dialect.user) | names_in(dialect.system or "")
    named |= names_in(dialect.reference_user or "")
    besides = [f"`{name}`" for name in _BESIDES if name in named]
    if dialect.reference_user is not None and "`reference`" in besides:
        besides.remove("`reference`")
    told = (
        f" Its prompt shows {' and '.join(besides)} as well: give each row those that the rows of "
        "the run had, as nothing else was measured." if besides else ""
    )  # fmt: skip
    own = (
        " A `reference` in the row takes the place of the judge's own answer."
        if dialect.reference_user is not None else ""
    )  # fmt: skip
    return (
        f"It reads one JSON object a line: `question` and {_RESPONSES[dialect.kind]}.{told}{own} "
        "An `id` is carried over."
    )


def _example(card: "Card") -> list[str]:
    """A test row of the run and, where it is known whose it is, the verdict on it."""
    found = judge_in(card.document.evaluation, card.exported.student)
    if found is None:
        return []
    evaluation, judge = found
    rows = {_row(one, card.dialect): one for one in evaluation.examples}
    row = min((row for row in rows if len(row) <= _LONGEST), key=len, default=None)
    if row is None:
        return []
    texts = ["A row of the run's test side:", fenced(row)]
    of_this_judge = judge == evaluation.judges[0] and evaluation.form == "pairs"
    return [*texts, *(_said(rows[row], evaluation) if of_this_judge else [])]


def _said(one: Example, evaluation: Evaluation) -> list[str]:
    """What the judge said of a row, with its reason."""
    if one.verdict is None:
        return []
    reason = one.rationale is not None and len(one.rationale) <= _LONGEST
    told = (
        f"On it this judge said {plain(one.verdict)}; the label is {plain(one.label)} "
        f"({plain(evaluation.labels_title.partition('; n = ')[0])})."
    )
    return [f"{told} Its reason:", fenced(one.rationale or "")] if reason else [told]


def _row(one: Example, dialect: Dialect) -> str:
    asked: dict[str, object] = {
        "context": one.context, "question": one.question, "choices": one.choices or None,
    }  # fmt: skip
    if dialect.kind is Kind.LIST:
        given: dict[str, object] = {"responses": one.responses}
    else:
        names = ("response",) if len(one.responses) == 1 else ("response_a", "response_b")
        given = dict(zip(names, one.responses, strict=True))
    held = {name: value for name, value in (asked | given).items() if value is not None}
    return json.dumps(held, ensure_ascii=False)


def _writes(dialect: Dialect) -> Table:
    """The fields of a judged row that a reader needs first."""
    direction = None if dialect.direction is None else dialect.direction.value
    rows = [
        _verdict(dialect, direction),
        ("confidence", "the chance of the verdict, 0 to 1; see How sure it is"),
        ("distribution", "the chance of each verdict"),
    ]
    if direction is not None:
        rows.insert(1, ("names", f"what the letter names: {direction}"))
    if dialect.kind is Kind.SINGLE and dialect.scored:
        rows += [
            ("scores", "the expected score of each response; close ones are a TIE"),
            ("rationales", "the judge's reason for each"),
            ("score", "of one response alone: its expected score"),
        ]
    else:
        rows += [
            ("consistent", "whether both orders gave the same verdict"),
            ("orders", "verdict, status and reason in each order"),
        ]
    if dialect.reference_user is not None:
        rows.append(("own_reference", "its own answer to the question"))
    rows.append(("judge, version, dialect, calibration", "who judged"))
    return Table(
        "It writes one JSON object for each row", columns("field", "meaning"),
        tuple((Cell(name, tone="strong"), Cell(meaning)) for name, meaning in rows),
    )  # fmt: skip


def _verdict(dialect: Dialect, direction: str | None) -> tuple[str, str]:
    if dialect.kind is Kind.LIST:
        meaning = "the letter of the response that is named; none where it gives scores"
    else:
        whose = "" if direction is None else f"; a letter is that of the {direction} response"
        meaning = f"one of {', '.join(dialect.pair_scale.values)}{whose}"
    return "verdict", f"{meaning}; null when a reply could not be read"
