"""Rows of the disagreement browser, as data for a page's script and as text."""

from typing import Any

import orjson

from judgesmith.report.blocks import Browser
from judgesmith.report.evidence import BrowserRow
from judgesmith.report.examples import Part
from judgesmith.report.excerpt import cut, visible
from judgesmith.report.numbers import plural

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_AS_TEXT = 20
"""Rows that a page without a script shows."""


def state_of(row: BrowserRow, judge: str) -> str:
    """Say whether a judge is right, wrong, unparsed or absent on an item; given without a label.

    Verdicts and labels that are numbers are compared as numbers.

    >>> row = BrowserRow(
    ...     item_id="i", where="", question="", responses=(), models=(), fields={}, label="4",
    ...     verdicts={"a": "4.0", "b": None}, rationales={},
    ... )
    >>> [state_of(row, judge) for judge in "abc"]
    ['right', 'unparsed', 'absent']
    """
    if judge not in row.verdicts:
        return "absent"
    verdict = row.verdicts[judge]
    if verdict is None:
        return "unparsed"
    if not row.label:
        return "given"
    return "right" if _same(verdict, row.label) else "wrong"


def _same(verdict: str, label: str) -> bool:
    if verdict == label:
        return True
    try:
        return float(verdict) == float(label)
    except ValueError:
        return False


def response_names(row: BrowserRow) -> list[str]:
    """Name the responses of a row: their slot, and the model that wrote them if it is known."""
    single = len(row.responses) == 1
    names = []
    for place, _ in enumerate(row.responses):
        name = "Response" if single else f"Response {LETTERS[place % 26]}"
        by = row.models[place] if place < len(row.models) else ""
        names.append(f"{name}, by {by}" if by else name)
    return names


def browser_json(browser: Browser) -> str:
    """Write the rows as JSON that can stand inside a page's script element.

    Every `<`, `>`, `&` and both Unicode line separators are written as escapes, so no text can
    close the element or open a comment. Odd characters are made visible and long texts are cut,
    with a note.

    Args:
        browser: The rows.

    Returns:
        JSON: `judges`, `labels`, `of`, and `rows`; a verdict is a pair of its text and its state.
    """
    found = {
        "judges": [visible(judge) for judge in browser.judges],
        "of": browser.of,
        "rows": [_row(row, browser.judges) for row in browser.rows],
    }
    written = orjson.dumps(found).decode()
    for sign in "<>&\u2028\u2029":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return written


def _row(row: BrowserRow, judges: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": visible(row.item_id),
        "where": visible(row.where),
        "question": _text(row.question),
        "responses": [
            [visible(name), *_text(text)]
            for name, text in zip(response_names(row), row.responses, strict=True)
        ],
        "fields": {visible(name): visible(value) for name, value in row.fields.items()},
        "label": visible(row.label),
        "verdicts": [[visible(row.verdicts.get(one) or ""), state_of(row, one)] for one in judges],
        "rationales": [
            [visible(judge), *_text(text)] for judge, text in row.rationales.items() if text
        ],
    }


def _text(text: str) -> list[str]:
    kept, note = cut(text)
    return [visible(kept), note or ""]


def shown_words(browser: Browser) -> str:
    """Say how many items there are and how many they were drawn from."""
    rows = len(browser.rows)
    noun = "labelled item" if any(row.label for row in browser.rows) else "item"
    if rows == browser.of:
        return f"All {plural(rows, noun)}."
    return f"{rows:,} of {plural(browser.of, noun)}; the numbers above rest on all."


def row_title(row: BrowserRow, judges: tuple[str, ...]) -> str:
    """Say label and every judge's verdict in one line."""
    told = []
    for judge in judges:
        state = state_of(row, judge)
        if state == "unparsed":
            told.append(f"{judge} not parsed")
        elif state != "absent":
            told.append(
                f"{judge} {row.verdicts[judge]}" + ("" if state == "given" else f" ({state})")
            )
    return f"Label {row.label or 'none'}: {', '.join(told) or 'no verdicts'}"


def row_parts(row: BrowserRow) -> list[Part]:
    """Give question, responses, rationales and place of a row as named texts."""
    fields = ", ".join(f"{name} {value}" for name, value in row.fields.items())
    found = [("Question", row.question)]
    found += list(zip(response_names(row), row.responses, strict=True))
    found += [(f"Rationale of {judge}", text) for judge, text in row.rationales.items()]
    found += [("Fields", fields), ("Item", row.item_id), ("Where", row.where)]
    parts = []
    for name, text in found:
        if text:
            kept, note = cut(text)
            parts.append(Part(name, kept, note or ""))
    return parts
