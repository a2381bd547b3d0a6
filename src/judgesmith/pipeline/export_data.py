"""The data that a judge was made from, as a folder that others can load, with its card."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from judgesmith.records import Split
from judgesmith.report.data_card import DataCard, DataFile, render_data_card
from judgesmith.report.document import Document
from judgesmith.report.licences import Licences
from judgesmith.runs.jsonl import read_rows, write_bytes
from judgesmith.runs.layout import RunDir

DATASET = "export/dataset"
_WHOLE = {
    "questions": "questions/questions.jsonl", "responses": "responses/responses.jsonl",
    "items": "split/items.jsonl", "judgments": "labels/judgments.jsonl",
    "labels": "labels/labels.jsonl",
}  # fmt: skip
"""Files that are copied as they are, by the name of their configuration; items hold the split."""
_SPLIT = {"sft": "rows/sft.jsonl", "preferences": "preferences/preferences.jsonl"}
"""Files of training rows, which are parted by their side."""


def write_dataset(run_dir: RunDir, document: Document, licences: Licences) -> Path:
    """Write the folder anew: rows, labels and splits as JSON Lines, and the card."""
    folder = run_dir.file(DATASET)
    temporary = folder.with_name(".dataset.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    files = [*_copied(run_dir, temporary), *_parted(run_dir, temporary)]
    card = DataCard(document=document, licences=licences, files=tuple(files))
    write_bytes(temporary / "README.md", render_data_card(card).encode())
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    return folder


def _copied(run_dir: RunDir, folder: Path) -> Iterator[DataFile]:
    for name, source in _WHOLE.items():
        if run_dir.file(source).is_file():
            shutil.copyfile(run_dir.file(source), folder / f"{name}.jsonl")
            rows = sum(1 for _ in read_rows(run_dir.file(source)))
            yield DataFile(config=name, split="all", path=f"{name}.jsonl", rows=rows)


def _parted(run_dir: RunDir, folder: Path) -> Iterator[DataFile]:
    for name, source in _SPLIT.items():
        if not run_dir.file(source).is_file():
            continue
        sides: dict[str, list[bytes]] = {}
        lines = run_dir.file(source).read_bytes().splitlines(keepends=True)
        for (_, row), line in zip(read_rows(run_dir.file(source)), lines, strict=True):
            sides.setdefault(str(row.get("split") or Split.TRAIN), []).append(line)
        for side, kept in sorted(sides.items()):
            path = f"{name}/{side}.jsonl"
            (folder / name).mkdir(exist_ok=True)
            write_bytes(folder / path, b"".join(kept))
            yield DataFile(config=name, split=side, path=path, rows=len(kept))
