"""Rows without their reason: they teach a student to give its verdict at once (mode: fast)."""

from collections.abc import Iterable, Sequence

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.frame import bare_frame
from judgesmith.judging.parse import parse_reply
from judgesmith.records import SftRow, Split, keyed_rng


def without_reasons(
    rows: Iterable[SftRow], dialects: Sequence[Dialect], share: float, seed: int
) -> tuple[list[SftRow], dict[str, str]]:
    """The rows, and by id of each that lost its reason the id that it had with one.

    Of the training rows that show responses such a share is written with the verdict alone, drawn
    by seed and the row's id.
    """
    by_hash = {dialect.hash: dialect for dialect in dialects}
    made: list[SftRow] = []
    before: dict[str, str] = {}
    for row in rows:
        told = row.split is Split.TRAIN and bool(row.order)
        if told and keyed_rng(seed, "without reason", row.id).random() < share:
            bare = _bare(row, by_hash[row.dialect])
            before[bare.id] = row.id
            made.append(bare)
        else:
            made.append(row)
    return made, before


def _bare(row: SftRow, dialect: Dialect) -> SftRow:
    """The row with the reply that states the same verdict and no reason."""
    verdict = parse_reply(dialect, row.completion).verdict
    assert verdict is not None  # a row is made from a reply that can be read
    kept = row.model_dump(exclude={"id", "completion"})
    return SftRow.make(**kept, completion=dialect.write_reply("", verdict))


def require_bare(dialects: Iterable[Dialect]) -> None:
    """Raise RecipeError for a dialect whose replies hold no reason, or cannot be without."""
    for dialect in dialects:
        why = "" if dialect.reply.has_rationale else "its replies hold no reason."
        try:
            bare_frame(dialect)
        except DataError as error:
            why = str(error)
        if why:
            raise RecipeError(
                "rows.without_reason: expected a dialect whose reply can be written with a reason "
                f"and without, found {dialect.name!r}: {why} Leave the setting out."
            )
