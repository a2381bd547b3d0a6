"""Files in our own columns, which need no mapping: which of the shipped ones reads them."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from judgesmith.errors import DataError
from judgesmith.records import Direction
from judgesmith.sources.arrow_tables import is_dataset
from judgesmith.sources.benchmarks import load_shipped
from judgesmith.sources.decisions import as_number
from judgesmith.sources.draft import draft_mapping
from judgesmith.sources.mapping import Mapping, TableFile
from judgesmith.sources.tables import SUFFIXES, read_table, stem
from judgesmith.sources.templates import shorten, spell

PLAIN = "plain"
PEEKED = 100
"""Rows by which the form of a file is told."""

Form = Literal["plain", "plain_scores", "judged", "labelled"]
_IDS = frozenset({"item", "id"})
_RESPONSES = (frozenset({"response_a", "response_b"}), frozenset({"response"}))
_JUDGED = frozenset({"id", "judge", "names", "orders"})
_JUDGED_ALONE = frozenset({"id", "judge", "version", "dialect", "names", "verdict", "status"})
_LABELLED = frozenset({"question", "response_a", "response_b", "verdict", "names"})
_BY = frozenset({"judge", "annotator", "label"})
_KNOWN = (
    "item", "id", "judge", "verdict", "score", "annotator", "label", "order", "sample", "question",
    "response_a", "response_b", "response", "names", "bucket", "category",
)  # fmt: skip


class Peek(NamedTuple):
    """The first rows of a file."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


def choose_plain(paths: Sequence[Path], beside: Sequence[Path] = ()) -> tuple[Mapping, list[Path]]:
    """The shipped mapping that reads these files, and the files; folders give what they hold.

    Pairs (`verdict`, `label`), scores (`score`), or what `judgesmith judge` wrote; pairs and judged
    pairs may come together, and the `verdict` of pairs that name no judge is then their label. The
    mapping names the worse response where all rows do. `beside` are files that are read apart.

    Raises DataError listing the columns found, with a mapping to start from, where none fits.
    """
    files = [file for path in paths for file in tables_in(path)]
    peeks = [_peek(path) for path in files]
    scored = any("score" in peek.columns for peek in peeks)
    forms = [_form(peek, scored=scored) for peek in peeks]
    if "judged" in forms or any(_is_judged(_peek(path)) for path in beside):
        forms = [
            "labelled" if form == "plain" and _is_labelled(peek) else form
            for form, peek in zip(forms, peeks, strict=True)
        ]
    said: dict[str, Any] = {
        "name": PLAIN,
        "names": _direction(forms, peeks),
        "order_proof": _order_proof(peeks),
    }
    names = _judge_names([p for p, f in zip(peeks, forms, strict=True) if f != "labelled"])
    if len(set(forms)) == 1 and not names:
        return load_shipped(forms[0]).model_copy(update=said), files
    if "plain_scores" in forms and len(set(forms)) > 1:
        listed = ", ".join(f"{p.path.name} ({f})" for p, f in zip(peeks, forms, strict=True))
        raise DataError(f"expected files of one kind, pairs or scores, found {listed}.")
    entries = tuple(_entry(path, form, names) for path, form in zip(files, forms, strict=True))
    whole = forms[0] if len(set(forms)) == 1 else PLAIN
    if set(forms) == {"labelled", "judged"}:
        said["notes"] = load_shipped("labelled").notes + load_shipped("judged").notes
    return load_shipped(whole).model_copy(update={**said, "files": entries}), files


def _is_judged(peek: Peek) -> bool:
    """Whether `judgesmith judge` wrote it."""
    in_orders = any(isinstance(row.get("orders"), list) for row in peek.rows)
    return (in_orders and {*peek.columns} >= _JUDGED) or {*peek.columns} >= _JUDGED_ALONE


def _is_labelled(peek: Peek) -> bool:
    """Whether a file is what a judge was given, with labels, and not what one wrote."""
    return {*peek.columns} >= _LABELLED and not _BY & {*peek.columns}


def _direction(forms: Sequence[Form], peeks: Sequence[Peek]) -> Direction | None:
    if "plain_scores" in forms:
        return load_shipped("plain_scores").names
    said = {row.get("names") or Direction.BETTER for peek in peeks for row in peek.rows}
    return Direction.WORSE if said == {Direction.WORSE} else Direction.BETTER


def _order_proof(peeks: Sequence[Peek]) -> tuple[str, ...]:
    """Judges of judged rows in which no order was shown."""
    return tuple(
        dict.fromkeys(
            spell(row["judge"])
            for peek in peeks
            for row in peek.rows
            if row.keys() >= _JUDGED_ALONE and not row.get("orders")
        )
    )


def _judge_names(peeks: Sequence[Peek]) -> dict[Path, str]:
    """Names for the judges of files that share a name and have no `judge`: with the folder's."""
    paths = [
        peek.path
        for peek in peeks
        if "judge" not in peek.columns and {"verdict", "score"} & {*peek.columns}
    ]
    stems = [stem(path) for path in paths]
    return {
        path: f"{path.resolve().parent.name}/{name}"
        for path, name in zip(paths, stems, strict=True)
        if stems.count(name) > 1
    }


def _entry(path: Path, form: Form, names: dict[Path, str]) -> TableFile:
    """The entry of a shipped mapping for one file."""
    entry = load_shipped(form).files[0]
    votes = entry.votes
    if path in names:
        judge = re.sub(r"[{}|]", "-", names[path])
        votes = tuple(
            one.model_copy(update={"by": f"{{judge|'{judge}'}}"}) if one.role == "judge" else one
            for one in votes
        )
    place = path.resolve().as_posix().lstrip("/")
    return entry.model_copy(update={"path": place, "votes": votes})


def tables_in(path: Path) -> list[Path]:
    """The file itself, or the tables of a folder and its folders, by name."""
    if not path.is_dir() or is_dataset(path):
        return [path]
    found = sorted(
        inner
        for inner in path.rglob("*")
        if inner.is_file() and Path(inner.name.removesuffix(".gz")).suffix.lower() in SUFFIXES
    )
    if not found:
        raise DataError(
            f"{path}: expected a run, or a folder with {', '.join(SUFFIXES)} files, found neither."
        )
    return found


def _peek(path: Path) -> Peek:
    rows = tuple(row for _, _, row in islice(read_table(path), PEEKED))
    columns = dict.fromkeys(column for row in rows for column in row)
    return Peek(path, tuple(columns), rows)


def _form(peek: Peek, *, scored: bool) -> Form:
    """Which shipped mapping reads a file; `scored` when one of the files has scores."""
    columns = frozenset(peek.columns)
    if _is_judged(peek):
        return "judged"
    if not columns & _IDS and not ("question" in columns and any(r <= columns for r in _RESPONSES)):
        raise _misfit(peek, "a column `item` (or `id`), or `question` with the responses")
    if not columns & {"verdict", "label", "score"}:
        raise _misfit(peek, "a column `verdict`, `label` or `score`")
    if "score" in columns and "annotator" in columns and not columns & {"judge", "label"}:
        raise _misfit(peek, "the people's scores in a column `label`, the judges' in `score`")
    if "score" in columns and "verdict" not in columns:
        return "plain_scores"
    letters = load_shipped(PLAIN).files[0].votes[0].read
    named = [name for name in ("verdict", "label") if name in columns]
    odd = [(v, name) for name in named for v in _spelled(peek.rows, name) if v not in letters]
    strange = [value for value, _ in odd]
    if not strange:
        return "plain"
    if scored and "verdict" not in columns and all(as_number(v) is not None for v in strange):
        return "plain_scores"
    found = f"{shorten(strange[0])} in the column `{odd[0][1]}`"
    raise _misfit(peek, f"verdicts and labels A, B or TIE and not {found}")


def _spelled(rows: Iterable[dict[str, Any]], name: str) -> list[str]:
    return list(dict.fromkeys(spell(row[name]) for row in rows if name in row))


def _misfit(peek: Peek, expected: str) -> DataError:
    return DataError(
        f"{peek.path}: expected {expected}; found the columns {', '.join(peek.columns)}. Rename "
        f"columns (known are {', '.join(_KNOWN)}), or say in a mapping what they hold: save this "
        "draft as mapping.yaml, check every line, and give it with --mapping mapping.yaml.\n\n"
        + draft_mapping(peek.columns, peek.rows)
    )
