"""What a training leaves on disk: checkpoints that a kill cannot tear, and a whole student."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.loading import load
from judgesmith.backends.origin import Origin, write_origin

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


class Saved(NamedTuple):
    """What a student is saved with: its origin, and its weights where no process holds them all."""

    origin: Origin
    state: dict[str, Any] | None = None


def save_whole(model: Any, tokenizer: Any, folder: Path, saved: "Saved | None" = None) -> None:
    """Save a model or adapter folder that appears whole or not at all.

    An adapter is saved alone, and names the base that it belongs to.
    """
    temporary = folder.with_name(folder.name + ".tmp")
    for old in (temporary, folder):
        with suppress(FileNotFoundError):
            shutil.rmtree(old)
    gathered = {} if saved is None or saved.state is None else {"state_dict": saved.state}
    if isinstance(model, load("peft").PeftModel):
        save_adapter(model, temporary, **gathered)
    else:
        model.save_pretrained(temporary, **gathered)
    tokenizer.save_pretrained(temporary)
    if saved is not None:
        write_origin(temporary, saved.origin)
    temporary.rename(folder)


def save_adapter(model: Any, folder: Path, **gathered: Any) -> None:
    """Save what is trained beside a base, and the name or full path of the base."""
    for config in model.peft_config.values():
        base = config.base_model_name_or_path or model.get_base_model().config.name_or_path
        config.base_model_name_or_path = str(Path(base).resolve()) if Path(base).is_dir() else base
    model.save_pretrained(folder, save_embedding_layers=False, **gathered)
    (folder / "README.md").unlink(missing_ok=True)  # a card with nothing filled in


def log_every(eval_every: int) -> int:
    """Steps between two log lines: about a fifth of `eval_every`, and a divisor of it.

    Checkpoints then fall on log lines, and a resumed training forgets no loss between two.

    >>> log_every(200), log_every(12), log_every(13)
    (40, 2, 1)
    """
    most = max(1, eval_every // 5)
    return max(steps for steps in range(1, most + 1) if eval_every % steps == 0)
