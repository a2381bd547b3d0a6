"""From the body of a request to the rows that a judge is asked about, or to what is wrong there."""

import re
from collections.abc import Sequence

from judgesmith.errors import DataError, JudgesmithError
from judgesmith.inference.abstaining import Abstaining
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.checking import check_prompt
from judgesmith.serving.refusals import Refusal, invalid
from judgesmith.serving.schemas import ManyRows, OneRow
from judgesmith.sources.own_files import OwnPair, PairRow, entry_of

_FIELD = re.compile(r"\bfield '(\w+)'|\bno (reference|grounding)\b")


def rows_of(body: OneRow | ManyRows) -> Sequence[PairRow]:
    """The rows of a body, one or many."""
    return body.items if isinstance(body, ManyRows) else [body]


def entries_of(
    judge: Judge, body: OneRow | ManyRows, request_id: str, abstaining: Abstaining | None = None
) -> list[OwnPair]:
    """The rows as records, all of which this judge can be asked about, and its promise is about.

    Raises Refusal 422, with the field, for the first that it cannot.
    """
    many = isinstance(body, ManyRows)
    return [
        _entry(
            judge,
            row,
            f"items.{place}" if many else "",
            f"{request_id}/{place}",
            abstaining,
        )
        for place, row in enumerate(rows_of(body))
    ]


def _entry(
    judge: Judge, row: PairRow, where: str, name: str, abstaining: Abstaining | None
) -> OwnPair:
    dialect = judge.dialect
    try:
        entry = entry_of(row, dialect.kind, name=name, source="request", where=where)
        check_prompt(judge, entry)
        if abstaining is not None:
            abstaining.check(entry)
    except DataError as error:
        raise _about(error, where) from None
    return entry


def _about(error: JudgesmithError, where: str) -> Refusal:
    """The same as a refusal; its `param` is the field that the message names."""
    told = str(error).removeprefix(f"{where}: ").replace("not a valid PairRow:\n  ", "")
    found = _FIELD.search(told)
    field = next(filter(None, found.groups()), "") if found else ""
    if field and field not in PairRow.model_fields:
        field = f"fields.{field}"
    return invalid(".".join(filter(None, (where, field))), told)
