"""What a training leaves on disk: checkpoints that a kill cannot tear, and a whole student."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

COMPLETE = "complete"
"""A file in a checkpoint that is written last: a checkpoint without it was torn by a kill."""


def mark_whole(checkpoints: Path, step: int) -> None:
    """Say that the checkpoint of a step was written to its end."""
    (checkpoints / f"checkpoint-{step}" / COMPLETE).write_text("whole\n")


def last_whole(checkpoints: Path) -> str | None:
    """The newest checkpoint that was written to its end; torn ones are removed."""
    found: list[tuple[int, Path]] = []
    for folder in checkpoints.glob("checkpoint-*"):
        if (folder / COMPLETE).exists():
            found.append((int(folder.name.split("-")[1]), folder))
        else:
            shutil.rmtree(folder)
    return str(max(found)[1]) if found else None


def save_whole(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save a model folder that appears whole or not at all."""
    temporary = folder.with_name(folder.name + ".tmp")
    for old in (temporary, folder):
        with suppress(FileNotFoundError):
            shutil.rmtree(old)
    model.save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    temporary.rename(folder)


def log_every(eval_every: int) -> int:
    """Steps between two log lines: about a fifth of `eval_every`, and a divisor of it.

    Checkpoints then fall on log lines, and a resumed training forgets no loss between two.

    >>> log_every(200), log_every(12), log_every(13)
    (40, 2, 1)
    """
    most = max(1, eval_every // 5)
    return max(steps for steps in range(1, most + 1) if eval_every % steps == 0)
