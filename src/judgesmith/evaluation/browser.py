"""The items that the disagreement browser shows, drawn by seed, with texts from a second reading.

The first reading keeps no texts, so that a million judgments fit; the second keeps only those of
the items that were drawn.
"""

from collections.abc import Iterable, Sequence

from judgesmith.evaluation.measure import Measured
from judgesmith.evaluation.scoring import Scored
from judgesmith.records import content_id
from judgesmith.report.evidence import BrowserRow
from judgesmith.sources.imported import ImportedItem, ImportedRow

LONGEST = 4_000
"""Characters kept of one text: the page must open on a phone."""


def draw(measured: Measured, *, most: int) -> list[Scored]:
    """Items with a wrong or missing verdict first (four of five), then others, in a keyed order."""
    names = measured.found.names
    seed = measured.plan.seed
    rows = sorted(
        measured.rows, key=lambda row: content_id(seed, "browser", *names[int(row.item_id)])
    )
    telling = [row for row in rows if _is_telling(measured, row)]
    plain = [row for row in rows if not _is_telling(measured, row)]
    kept = telling[: max(most - len(plain), most * 4 // 5)]
    return kept + plain[: most - len(kept)]


def _is_telling(measured: Measured, row: Scored) -> bool:
    reads = [judge.verdicts.get(row.item_id) for judge in measured.judges]
    return any(read is not None and read.averaged != row.label for read in reads)


def browser_rows(
    measured: Measured, rows: Iterable[ImportedRow], *, most: int
) -> tuple[BrowserRow, ...]:
    """Up to `most` items with texts, labels, verdicts and rationales."""
    drawn = draw(measured, most=most)
    names = measured.found.names
    wanted = {names[int(row.item_id)][0] for row in drawn}
    items: dict[str, ImportedItem] = {}
    said: dict[tuple[str, str | None], dict[str, str]] = {}
    for row in rows if wanted else ():
        if row.item.id not in wanted:
            continue
        known = items.get(row.item.id)
        if known is None or (known.responses is None and row.item.responses):
            items[row.item.id] = row.item
        for judgment in row.judgments:
            if judgment.rationale and not judgment.swapped and judgment.role == "judge":
                key = (judgment.item, judgment.criterion)
                said.setdefault(key, {}).setdefault(judgment.by, _cut(judgment.rationale))
    return tuple(_row(measured, row, items.get(names[int(row.item_id)][0]), said) for row in drawn)


def _row(
    measured: Measured, row: Scored, item: ImportedItem | None,
    said: dict[tuple[str, str | None], dict[str, str]],
) -> BrowserRow:  # fmt: skip
    position = int(row.item_id)
    name = measured.found.names[position]
    verdicts = {
        judge.name: judge.verdicts[position].averaged
        for judge in measured.judges
        if position in judge.verdicts
    }
    return BrowserRow(
        item_id=name[0] if name[1] is None else f"{name[0]} ({name[1]})",
        where=place(measured.found.where[position]),
        question=_cut((item and item.question) or ""),
        responses=_texts(item and item.responses),
        models=(item and item.models) or (),
        fields=dict(row.fields),
        label=row.label,
        verdicts=verdicts,
        rationales=said.get(name, {}),
    )


def place(where: str) -> str:
    """File and line without the folders of the machine that measured.

    >>> place("/home/ann/data/set/labels.csv:12")
    'set/labels.csv:12'
    """
    return "/".join(where.replace("\\", "/").split("/")[-2:])


def _texts(texts: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(_cut(text) for text in texts or ())


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + " […]"
