"""Items put into the database of a review, and into its queue."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from sqlite3 import Connection, IntegrityError

import orjson

from judgesmith.errors import DataError
from judgesmith.review.assigning import places
from judgesmith.review.encoding import parts_of
from judgesmith.review.said import is_split
from judgesmith.review.types import Plan, ReviewItem

_AT_ONCE = 5_000


def check(plan: Plan) -> None:
    """Raises DataError for a plan that cannot be."""
    wrong = [
        (not plan.overlap >= 1, "overlap", "1 or more", plan.overlap),
        (not 0 <= plan.repeats <= 1, "repeats", "a share from 0 to 1", plan.repeats),
        (not plan.calibration >= 0, "calibration", "0 or more", plan.calibration),
        (plan.queue not in ("stratified", "active"), "queue", "stratified or active", plan.queue),
        (not 0 < plan.half_width < 1, "half width", "above 0 and below 1", plan.half_width),
    ]
    for bad, name, expected, found in wrong:
        if bad:
            raise DataError(f"{name}: expected {expected}, found {found!r}.")


def fill(
    at: Connection, items: Iterable[ReviewItem], told: Callable[[int], None], begun: int = 0
) -> int:
    """Put items in the database; how many they are. `told` is called with how many more are in."""
    count, rest = 0, iter(items)
    while some := list(islice(rest, _AT_ONCE)):
        rows = [
            (one.id, begun + count + place, one.stratum, one.size, None, 0, 1, None,
             int(is_split(one)), *parts_of(one))
            for place, one in enumerate(some)
        ]  # fmt: skip
        try:
            at.executemany(f"INSERT INTO items VALUES ({', '.join('?' * 11)})", rows)
        except IntegrityError:
            raise DataError(
                "items: one comes twice: expected each question with its responses once."
            ) from None
        count += len(rows)
        told(len(rows))
    if count == 0:
        raise DataError("items: expected one or more to review, found none.")
    return count


def queue(at: Connection, plan: Plan) -> None:
    """Put items in order; some of those with a gold verdict are for calibration alone.

    They are drawn apart from the queue, so that its beginning stands for the items that are left.
    """
    rows = at.execute("SELECT id, stratum, size, withheld FROM items ORDER BY position").fetchall()
    drawn = places(
        [(row["id"], row["stratum"], row["size"]) for row in rows], plan.queue, plan.seed
    )
    at.executemany(
        "UPDATE items SET place = ? WHERE id = ?",
        [(place, row["id"]) for place, row in zip(drawn, rows, strict=True)],
    )
    known = [row for row in rows if orjson.loads(row["withheld"])["gold"] is not None]
    apart = places(
        [(f"calibration {row['id']}", row["stratum"], 1.0) for row in known], "stratified",
        plan.seed,
    )  # fmt: skip
    ordered = sorted((place, row["id"]) for place, row in zip(apart, known, strict=True))
    golds = [one for _, one in ordered[: plan.calibration]]
    if len(golds) < plan.calibration:
        raise DataError(
            f"calibration: expected {plan.calibration} items with a gold verdict, found "
            f"{len(golds)}. Give them one, or ask for fewer."
        )
    at.executemany(
        "UPDATE items SET gold = ?, place = NULL, open = 0 WHERE id = ?", list(enumerate(golds))
    )


def append(at: Connection, items: Sequence[ReviewItem], plan: Plan) -> None:
    """Put more items behind all that are in the queue, so that nobody has passed them."""
    row = at.execute("SELECT MAX(position) + 1, COALESCE(MAX(place), 0) + 1 FROM items").fetchone()
    fill(at, items, lambda _: None, begun=row[0])
    drawn = places([(one.id, one.stratum, one.size) for one in items], plan.queue, plan.seed)
    at.executemany(
        "UPDATE items SET place = ? WHERE id = ?",
        [(row[1] + place, one.id) for place, one in zip(drawn, items, strict=True)],
    )
    at.execute("UPDATE about SET value = value + ? WHERE name = 'open'", (len(items),))


def count_open(at: Connection) -> int:
    """How many items more people may be given."""
    return int(at.execute("SELECT COUNT(*) FROM items WHERE open = 1").fetchone()[0])
