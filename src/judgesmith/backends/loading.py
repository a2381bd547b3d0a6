"""Import the heavy libraries, once and quietly, with a helpful error where they are missing."""

import os
from types import ModuleType

from judgesmith.errors import TrainingError


def load(name: str) -> ModuleType:
    """Import a heavy library by name."""
    from importlib import import_module

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        return import_module(name)
    except ImportError as error:
        raise TrainingError(
            f"{name} is needed for training and judging and is not installed ({error}). Install it "
            "with: pip install torch==2.13.0 && pip install 'judgesmith[train]'"
        ) from None
