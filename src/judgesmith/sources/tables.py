"""Files of rows in any common form, each row with the place it came from.

JSON Lines, CSV and TSV are read line by line, so that memory does not grow with the file. JSON is
read whole. Whatever cannot be read is a DataError that names file and place.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import orjson

from judgesmith.errors import DataError
from judgesmith.runs.jsonl import bad_encoding, not_a_number_hint, open_bytes, read_rows
from judgesmith.sources.arrow_tables import is_dataset, read_dataset, read_parquet

Format = Literal["jsonl", "json", "csv", "tsv", "parquet", "hf"]
Located = tuple[str, str | None, dict[str, Any]]

SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_LONGEST_CELL = 1 << 26


def read_table(
    path: Path, *, format: Format | None = None, rows: str | None = None
) -> Iterator[Located]:
    """Where each row is ("file:line", for JSON and Parquet "file: row N"), its key, and the row.

    `format` is found from the suffix when it is not given; a `.gz` at the end is read compressed.
    `rows` is the path to the rows inside a JSON object; `*` at its end takes the values of an
    object, and only then a row has a key. A folder is read as a saved Hugging Face data set.

    Raises DataError for a file that cannot be read, a row that is no object, and no rows at all.
    """
    form = format or find_format(path)
    if rows is not None and form != "json":
        raise DataError(f"{path}: `rows` names a place inside a JSON object; this is {form}.")
    found = _read(path, form, rows)
    first = next(found, None)
    if first is None:
        raise DataError(f"{path}: expected rows, found none: it is empty, or names columns only.")
    yield from chain((first,), found)


def _read(path: Path, form: Format, rows: str | None) -> Iterator[Located]:
    if form == "jsonl":
        return _json_lines(path)
    if form == "json":
        return _json(path, rows)
    if form in ("csv", "tsv"):
        return _cells(path, "\t" if form == "tsv" else ",")
    found = read_parquet(path) if form == "parquet" else read_dataset(path)
    return ((f"{path}: row {number}", None, row) for number, row in found)


def stem(path: Path) -> str:
    """The file's name without `.gz` and the suffix of its format.

    >>> stem(Path("judges/gpt-3.5-turbo.jsonl.gz")), stem(Path("gpt-3.5"))
    ('gpt-3.5-turbo', 'gpt-3.5')
    """
    name = path.name.removesuffix(".gz")
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in SUFFIXES else name


def find_format(path: Path) -> Format:
    """The format that a file's suffix, or a folder's content, stands for."""
    if path.is_dir():
        if is_dataset(path):
            return "hf"
        raise DataError(
            f"{path}: expected a file or a saved Hugging Face data set, found a folder without one."
        )
    packed = path.suffix == ".gz"
    suffix = (path.with_suffix("") if packed else path).suffix.lower()
    form = SUFFIXES.get(suffix)
    if form is None or (packed and form == "parquet"):
        raise DataError(
            f"{path}: expected a name that ends in {', '.join(SUFFIXES)} (all but Parquet also "
            f"with .gz), found {path.name!r}. Rename the file, or give `format` in the mapping."
        )
    return form


def _json_lines(path: Path) -> Iterator[Located]:
    name = str(path)
    for number, row in read_rows(path):
        yield f"{name}:{number}", None, row


def _json(path: Path, rows: str | None) -> Iterator[Located]:
    if rows is None and _is_json_lines(path):
        yield from _json_lines(path)
        return
    with open_bytes(path, expected="a JSON file") as file:
        content = file.read().removeprefix(codecs.BOM_UTF8)
    value = _parse(path, content)
    del content
    keyed = _rows_of(path, value, rows)
    for number, (key, row) in enumerate(keyed, start=1):
        where = f"{path}: row {number}"
        if not isinstance(row, dict):
            raise DataError(f"{where}: expected an object, found {_shorten(row)}.")
        yield where, key, row


def _is_json_lines(path: Path) -> bool:
    """Whether the first line that is not blank is a whole JSON object."""
    with open_bytes(path, expected="a JSON file") as file:
        for number, line in enumerate(file):
            line = line.removeprefix(codecs.BOM_UTF8) if number == 0 else line
            if line.isspace():
                continue
            try:
                return line.lstrip()[:1] == b"{" and isinstance(orjson.loads(line), dict)
            except orjson.JSONDecodeError:
                # `{"id": 1,` begins an object over several lines, `{"id": 1, oops}` a broken row.
                return line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}"
    return False


def _parse(path: Path, content: bytes) -> Any:
    if not content.strip():
        return []
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        problem = error
    try:
        content.decode()
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise DataError(bad_encoding(f"{path}:{line}", wrong)) from None
    hint = not_a_number_hint(content, problem.pos)
    raise DataError(f"{path}:{problem.lineno}: not valid JSON: {problem}.{hint}") from None


def _rows_of(path: Path, value: Any, rows: str | None) -> Iterator[tuple[str | None, Any]]:
    for step in rows.split(".") if rows else ():
        if step == "*":
            break
        if not isinstance(value, dict) or step not in value:
            held = f"the keys {', '.join(value)}" if isinstance(value, dict) else _shorten(value)
            raise DataError(f"{path}: `rows: {rows}`: expected {step!r}, found {held}.")
        value = value[step]
    if rows is not None and rows.split(".")[-1] == "*":
        if not isinstance(value, dict):
            raise DataError(
                f"{path}: `rows: {rows}`: expected an object of rows, found {_shorten(value)}."
            )
        return iter(value.items())
    if isinstance(value, list):
        return ((None, row) for row in value)
    held = f"an object with the keys {', '.join(value)}" if isinstance(value, dict) else ""
    raise DataError(
        f"{path}: expected a list of rows, found {held or _shorten(value)}. Name the place of the "
        "rows in the mapping: `rows: KEY`, or `rows: '*'` where every value is a row."
    )


def _cells(path: Path, delimiter: str) -> Iterator[Located]:
    name = str(path)
    for line, row in read_delimited(path, delimiter):
        yield f"{name}:{line}", None, row


def read_delimited(
    path: Path, delimiter: str = ",", *, columns: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The line on which each row begins, and its cells by the names in the header.

    Raises DataError when one of `columns` is not in the header, for a row with more or fewer cells
    than the header, for quotes that do not match, and for bytes that are not UTF-8.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    form = "TSV" if delimiter == "\t" else "CSV"
    with open_bytes(path, expected=f"a {form} file") as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        line = 1
        try:
            header = next((cells for cells in reader if cells), [])
            _check_header(header, f"{path}:{max(reader.line_num, 1)}", delimiter, columns)
            width = len(header)
            line = reader.line_num + 1
            for cells in reader:
                if len(cells) == width:
                    yield line, dict(zip(header, cells, strict=True))
                elif cells:
                    raise DataError(
                        f"{path}:{line}: expected {width} cells, found {len(cells)}. A cell that "
                        "holds the separator or a line break needs quotes."
                    )
                line = reader.line_num + 1
        except UnicodeDecodeError:
            raise DataError(_locate_bad_byte(path)) from None
        except csv.Error as error:
            raise DataError(
                f"{path}:{line}: the row that begins here is not valid {form}: {error}. Inside a "
                "quoted cell a quote is written twice."
            ) from None
        finally:
            text.detach()


def _check_header(header: list[str], where: str, delimiter: str, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in header]
    if missing:
        raise DataError(
            f"{where}: expected the columns {', '.join(columns)}; missing: {', '.join(missing)}."
        )
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise DataError(f"{where}: two columns have the name {sorted(twice)[0]!r}; rename one.")
    others = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
    for other, word in others.items():
        if other != delimiter and len(header) == 1 and other in header[0]:
            raise DataError(
                f"{where}: expected columns separated by {others[delimiter]}, found one column "
                f"{header[0]!r} that holds {word}. Save it with {others[delimiter]}, or name it "
                ".tsv where it is separated by tabs."
            )


def _locate_bad_byte(path: Path) -> str:
    offset = 0
    with open_bytes(path, expected="a table") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return bad_encoding(f"{path}:{number}", error, offset)
            offset += len(line)
    return f"{path}: not UTF-8."


def _shorten(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."
