"""Parquet files and Hugging Face data sets saved on disk, row by row.

Both need pyarrow, which the extra `tables` brings. It is loaded when the first such file is read.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from judgesmith.errors import DataError

_BATCH = 1024


def is_dataset(folder: Path) -> bool:
    """Whether a folder holds a saved data set, or Parquet files of one."""
    if any((folder / name).is_file() for name in ("state.json", "dataset_dict.json")):
        return True
    return bool(_data_files(folder))


def read_parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number, from 1, and values of each row of a Parquet file."""
    require_pyarrow(path)
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        with ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except FileNotFoundError:
        raise DataError(f"{path}: expected a Parquet file, found no file there.") from None
    except (ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path}: after row {number}: not readable as Parquet: {error}") from None


def read_dataset(folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number, from 1, and values of each row of a data set that was saved to a folder."""
    splits = _read_json(folder / "dataset_dict.json").get("splits")
    if isinstance(splits, list) and splits:
        if len(splits) > 1:
            raise DataError(
                f"{folder}: holds the splits {', '.join(map(str, splits))}; name the folder of "
                f"one of them, for example {folder / str(splits[0])}."
            )
        folder = folder / str(splits[0])
    state = _read_json(folder / "state.json")
    if state.get("_indices_data_files"):
        raise DataError(f"{folder}: holds a selection of rows; save `dataset.flatten_indices()`.")
    named = [folder / str(entry["filename"]) for entry in state.get("_data_files") or ()]
    number = 0
    for path in named or _data_files(folder):
        rows = read_parquet(path) if path.suffix == ".parquet" else _read_arrow(path)
        for _, row in rows:
            number += 1
            yield number, row


def _data_files(folder: Path) -> list[Path]:
    for pattern in ("*.arrow", "*.parquet", "data/*.parquet"):
        found = sorted(folder.glob(pattern))
        if found:
            return found
    return []


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno}: not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected an object, found {value!r}.")
    return value


def _read_arrow(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    require_pyarrow(path)
    from pyarrow import ArrowException, ArrowInvalid, ipc, memory_map

    number = 0
    try:
        with memory_map(str(path)) as source:
            try:
                batches: Any = ipc.open_stream(source)
            except ArrowInvalid:
                whole = ipc.open_file(source)
                batches = (whole.get_batch(i) for i in range(whole.num_record_batches))
            for batch in batches:
                for start in range(0, batch.num_rows, _BATCH):
                    for row in batch.slice(start, _BATCH).to_pylist():
                        number += 1
                        yield number, row
    except FileNotFoundError:
        raise DataError(f"{path}: expected an Arrow file, found none there.") from None
    except (ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path}: after row {number}: not readable as Arrow: {error}") from None


def require_pyarrow(path: Path) -> None:
    """Refuse a file of Parquet where nothing is installed that reads and writes it."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise DataError(
            f"{path}: Parquet and saved data sets need pyarrow: pip install 'judgesmith[tables]'"
        ) from None
