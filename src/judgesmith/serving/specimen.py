"""A first row for a judge, so that whatever happens once has happened before a client comes."""

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.render import render_prompt, render_reference_prompt
from judgesmith.judging.templates import fields_in
from judgesmith.records import JsonScalar, Kind, TaskFields
from judgesmith.sources.own_files import OwnPair, PairRow, entry_of

_TEXTS = ("Yes, at the station.", "Nobody knows.", "No.")


def specimen_entry(dialect: Dialect) -> OwnPair | None:
    """A small row that the dialect can be asked about; None where its fields cannot be guessed."""
    five: list[JsonScalar] = ["1", "2", "3", "4", "5"]
    for value in ("Is it clear?", five):
        entry = entry_of(_row(dialect, value), dialect.kind, name="first", source="", where="first")
        try:
            render_reference_prompt(dialect, entry.question)
            render_prompt(dialect, entry.question, _shown(dialect))
        except DataError:
            continue
        return entry
    return None


def _shown(dialect: Dialect) -> tuple[str, ...]:
    return _TEXTS[: {Kind.SINGLE: 1, Kind.PAIR: 2, Kind.LIST: 3}[dialect.kind]]


def _row(dialect: Dialect, levels: str | list[JsonScalar]) -> PairRow:
    shown = _shown(dialect)
    fields: TaskFields = dict.fromkeys(fields_in(dialect.user), "Is it clear?")
    if "levels" in fields:
        fields["levels"] = levels
    if dialect.by_criterion and not dialect.criteria:
        fields["criteria"] = ["clear"]
    keys: dict[Kind, dict[str, object]] = {
        Kind.SINGLE: {"response": shown[0]},
        Kind.PAIR: dict(zip(("response_a", "response_b"), shown, strict=False)),
        Kind.LIST: {"responses": shown},
    }
    return PairRow.model_validate({
        "context": "Two people met at the station.", "question": "Did they meet?",
        "choices": ["Yes", "No", "Not known"], "reference": "Yes.",
        "grounding": "They met at the station.", "fields": fields, **keys[dialect.kind],
    })  # fmt: skip
