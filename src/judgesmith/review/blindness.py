"""What tells of many items at once, and to whom it may be shown; what they answered then stays."""

from collections.abc import Collection

from judgesmith.errors import DataError
from judgesmith.review.adjudicating import disagreements
from judgesmith.review.answering import note_seen, unseen
from judgesmith.review.handing import awaited
from judgesmith.review.people import everybody
from judgesmith.review.store import Store
from judgesmith.review.types import ADJUDICATE, LABEL, Plan, WithheldError


def answered(store: Store, annotator: str) -> set[str]:
    """Items that somebody answered and is not asked about again."""
    rows = store.rows(
        "SELECT c.item FROM current c JOIN events e ON e.seq = c.seq WHERE c.annotator = ?"
        " AND json_extract(CAST(e.body AS TEXT), '$.outcome') <> 'skip'"
        " EXCEPT SELECT item FROM given WHERE annotator = ? AND waits > 0",
        annotator, annotator,
    )  # fmt: skip
    return {row["item"] for row in rows}


def see(store: Store, annotator: str, items: Collection[str]) -> None:
    """Note that somebody sees more of some items: what they answered of these stays."""
    if unseen(store.connection, annotator, items):
        with store.writing() as at:
            for item in unseen(at, annotator, items):
                note_seen(at, annotator, item)


def listed(store: Store, plan: Plan, annotator: str, items: Collection[str]) -> set[str]:
    """Those of some items that a list may name to somebody, who then sees them.

    Left out are items that they may still be asked about as a labeller.
    """
    found = set(items) - _awaited(store, plan, annotator)
    see(store, annotator, found & answered(store, annotator))
    return found


def open_files(store: Store, plan: Plan, annotator: str) -> None:
    """Have somebody see what the files hold.

    Raises WithheldError where these tell of an item that they have yet to answer blind.
    """
    rows = store.rows(
        "SELECT DISTINCT item FROM events WHERE what = 'answer'"
        " AND json_extract(CAST(body AS TEXT), '$.outcome') <> 'skip'"
    )
    items, own = {row["item"] for row in rows}, answered(store, annotator)
    back = items & _awaited(store, plan, annotator)
    if ADJUDICATE in _roles(store, annotator):
        back |= {one.item_id for one in disagreements(store) if not one.settled} - own
    if back:
        raise WithheldError(
            f"The files tell what others say of {len(back):,} items that you may still be asked "
            "about, to label or to adjudicate. Answer these first. The files are written in the "
            "review's folder all the same, for somebody who does not judge its items."
        )
    see(store, annotator, items & own)


def _awaited(store: Store, plan: Plan, annotator: str) -> set[str]:
    labels = LABEL in _roles(store, annotator)
    return awaited(store.connection, plan, annotator) if labels else set()


def _roles(store: Store, annotator: str) -> frozenset[str]:
    for one in everybody(store):
        if one.name == annotator:
            return one.roles
    raise DataError(f"annotator {annotator!r}: there is nobody of this name.")
