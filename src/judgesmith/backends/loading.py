"""Import the heavy libraries, once and quietly, with a helpful error where they are missing."""

import logging
import os
import warnings
from types import ModuleType

from judgesmith.errors import TrainingError

_SHAPES = "64"
"""How many compiled matrix products torch keeps, each for one shape: enough for a training step.

It would keep 1024 in each of two caches. Batches differ in length, so nearly every step brings new
shapes: the caches fill to half a gigabyte, spread over the heap, and the memory of large tensors
between their entries is lost too. A training process then grows to 3 GB and more.
"""


_EXTRAS = {"bitsandbytes": "train,qlora"}


def load(name: str) -> ModuleType:
    """Import a heavy library by name."""
    from importlib import import_module

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _SHAPES)
    os.environ.setdefault("LRU_CACHE_CAPACITY", _SHAPES)
    # It asks for a package of faster kernels whenever anything imports it.
    asks = logging.getLogger("bitsandbytes")
    if asks.level != logging.ERROR:  # setting it empties the caches of every logger
        asks.setLevel(logging.ERROR)
    # PEFT asks transformers by a name that transformers has since deprecated.
    warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
    extra = _EXTRAS.get(name, "train")
    try:
        return import_module(name)
    except ImportError as error:
        raise TrainingError(
            f"{name} is needed for training and judging and is not installed ({error}). Install it "
            f"with: pip install torch==2.13.0 && pip install 'judgesmith[{extra}]'"
        ) from None
