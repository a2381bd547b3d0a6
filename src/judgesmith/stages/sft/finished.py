"""Students of a stage that a kill cut off: those that were trained to the end are kept."""

from collections.abc import Sequence
from typing import Any

import orjson

from judgesmith.backends.launch import as_plain, from_plain
from judgesmith.backends.sft_trl import Trained
from judgesmith.judging.dialect import Dialect
from judgesmith.records import SftRow, content_id
from judgesmith.runs.jsonl import write_json
from judgesmith.stages.sft.config import Config
from judgesmith.stages.sft.training import Place

FILE = "finished.json"


def basis_of(
    config: Config, rows: Sequence[SftRow], dialects: Sequence[Dialect], seed: int
) -> str:  # fmt: skip
    """What a student was made from: its settings, rows, dialects and the seed, as one hash."""
    told = config.model_dump(mode="json")
    return content_id("sft", told, [d.hash for d in dialects], [row.id for row in rows], seed)


def read_finished(place: Place, basis: str) -> Trained | None:
    """What came of a student that was made from this basis; None where it is to be trained.

    A note of another basis, or of a student that is gone, is taken away.
    """
    file = place.folder / FILE
    if not file.is_file():
        return None
    found: dict[str, Any] = orjson.loads(file.read_bytes())
    if found["basis"] == basis and (place.folder / "student").is_dir():
        return from_plain(found["trained"])
    file.unlink()
    return None


def write_finished(place: Place, basis: str, trained: Trained) -> None:
    """Note that the student lies there whole; it was put there by one rename."""
    write_json(place.folder / FILE, {"basis": basis, "trained": as_plain(trained)})
