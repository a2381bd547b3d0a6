"""Who works on a review, and how they are known: a token each, of which only a hash is kept."""

from collections.abc import Collection

from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind
from judgesmith.review.store import Store
from judgesmith.review.types import ROLES, Annotator
from judgesmith.web.keys import hash_key, is_known, make_key

LONGEST = 60
PREFIX = "jsr_"
_KINDS = (AnnotatorKind.PERSON, AnnotatorKind.SIMULATED)


def add(
    store: Store, name: str, roles: Collection[str], kind: AnnotatorKind | str, *,
    first: bool = False,
) -> str:  # fmt: skip
    """Add somebody; returns the token, which is shown this once.

    Raises DataError for a name that is taken, empty or too long, for an unknown role or kind, and
    for the `first` of all where somebody is there.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST or not name.isprintable():
        raise DataError(f"annotator: expected a name of 1 to {LONGEST} characters, found {name!r}.")
    strangers = set(roles) - set(ROLES)
    if strangers or not roles:
        raise DataError(
            f"annotator {name!r}: expected roles among {', '.join(ROLES)}, found "
            f"{', '.join(sorted(strangers)) or 'none'}."
        )
    if kind not in _KINDS:
        raise DataError(f"annotator {name!r}: expected person or simulated, found {kind!r}.")
    token = make_key(PREFIX)
    with store.writing() as at:
        if first and at.execute("SELECT 1 FROM annotators").fetchone() is not None:
            raise DataError("This review has annotators already: open your personal link.")
        taken = at.execute("SELECT 1 FROM annotators WHERE name = ?", (name,)).fetchone()
        if taken is not None:
            raise DataError(
                f"annotator {name!r} is there already; give another name, or make a new link."
            )
        at.execute(
            "INSERT INTO annotators VALUES (?, ?, ?, ?, -1, 0)",
            (name, AnnotatorKind(kind).value, " ".join(sorted(roles)), hash_key(token)),
        )
    return token


def renew(store: Store, name: str) -> str:
    """A new token in place of somebody's, which lets nobody in from now on."""
    token = make_key(PREFIX)
    with store.writing() as at:
        done = at.execute("UPDATE annotators SET token = ? WHERE name = ?", (hash_key(token), name))
        if done.rowcount == 0:
            known = [row["name"] for row in at.execute("SELECT name FROM annotators ORDER BY name")]
            raise DataError(
                f"annotator {name!r}: there is nobody of this name; there are "
                f"{', '.join(known) or 'none'}."
            )
    return token


def who(store: Store, token: str) -> Annotator | None:
    """Whose token it is; all are compared, each in constant time."""
    rows = store.rows("SELECT name, kind, roles, token FROM annotators")
    found = [row for row in rows if is_known(token, [row["token"]])]
    return _annotator(*(found[0][name] for name in ("name", "kind", "roles"))) if found else None


def everybody(store: Store) -> list[Annotator]:
    """All, by name."""
    found = store.rows("SELECT name, kind, roles FROM annotators ORDER BY name")
    return [_annotator(row["name"], row["kind"], row["roles"]) for row in found]


def _annotator(name: str, kind: str, roles: str) -> Annotator:
    return Annotator(name, AnnotatorKind(kind), frozenset(roles.split()))
