"""CSV files with a fixed header, read strictly."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from judgesmith.errors import DataError


def read_csv(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row; every named column must be in the header.

    Raises DataError naming file, line and what is wrong.
    """
    try:
        file = path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError:
        raise DataError(f"{path}: expected a CSV file, found no file there.") from None
    except IsADirectoryError:
        raise DataError(f"{path}: expected a CSV file, found a folder.") from None
    with file:
        rows = csv.DictReader(file, strict=True)
        try:
            missing = [name for name in columns if name not in (rows.fieldnames or ())]
            if missing:
                raise DataError(
                    f"{path}:1: expected the columns {', '.join(columns)}; missing: "
                    f"{', '.join(missing)}."
                )
            for row in rows:
                if None in row or None in row.values():
                    raise DataError(
                        f"{path}:{rows.line_num}: expected {len(rows.fieldnames or ())} cells; "
                        "found more or fewer. A cell that holds a comma needs quotes."
                    )
                yield rows.line_num, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"{path}:{rows.line_num}: not readable as UTF-8 CSV: {error}") from None
