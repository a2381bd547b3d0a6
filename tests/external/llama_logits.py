"""What llama.cpp makes of texts: token ids and logits. Run by the Python of the server.

    python llama_logits.py FILE.gguf TEXTS.json OUT.npz '{"type_k": 0}'

TEXTS.json is a list; OUT.npz has `ids0`, `logits0` and so on. The last argument are settings of
the model, as in the server's configuration.
"""

import json
import sys
from pathlib import Path
from typing import Any


def read(file: str, texts: list[str], settings: dict[str, Any]) -> dict[str, Any]:
    """Token ids and logits of each text, read as a chat template's output is."""
    import llama_cpp
    import numpy

    model = llama_cpp.Llama(file, logits_all=True, verbose=False, **settings)
    found = {}
    for number, text in enumerate(texts):
        ids = model.tokenize(text.encode(), add_bos=False, special=True)
        model.reset()
        model.eval(ids)
        found[f"ids{number}"] = numpy.array(ids)
        found[f"logits{number}"] = numpy.array(model.scores[: len(ids)])
    return found


if __name__ == "__main__":
    import numpy

    _, file, texts, out, settings = sys.argv
    numpy.savez(out, **read(file, json.loads(Path(texts).read_text()), json.loads(settings)))
