"""llama.cpp in a process of its own: one JSON object a line in, one out.

    python llama_worker.py

Run as a script by any Python that has llama_cpp, which may be another environment than ours: it
imports nothing of judgesmith. A fault of llama.cpp ends this process and no other.
"""

import json
import os
import sys
from typing import Any


class Engine:
    """A GGUF file, and what was read into its cache of keys and values last."""

    def __init__(self, file: str, context: int, threads: int) -> None:
        import llama_cpp

        self.lib = llama_cpp
        # With sliding windows the cache could not be cut back to a common beginning; the full one
        # can.
        self.model = llama_cpp.Llama(
            file, n_ctx=context, n_threads=threads, n_threads_batch=threads, swa_full=True,
            verbose=False,
        )  # fmt: skip
        self.held: list[int] = []

    def about(self) -> dict[str, Any]:
        """What the file says of itself."""
        held = dict(self.model.metadata)
        return {
            "vocabulary": self.model.n_vocab(),
            "template": held.get("tokenizer.chat_template"),
            "adds_bos": held.get("tokenizer.ggml.add_bos_token") == "true",
            "trained_context": self.model._model.n_ctx_train(),
        }

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a text, in which tags act."""
        return [int(i) for i in self.model.tokenize(text.encode(), add_bos=False, special=True)]

    def render(self, messages: list[dict[str, str]]) -> list[int]:
        """Token ids of a conversation as the file's own chat template writes it."""
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        inner = self.model._model
        formatter = Jinja2ChatFormatter(
            template=self.model.metadata["tokenizer.chat_template"],
            eos_token=inner.token_get_text(self.model.token_eos()),
            bos_token=inner.token_get_text(self.model.token_bos()),
        )
        return self.tokenize(formatter(messages=messages).prompt)

    def read(self, ids: list[int]) -> Any:
        """Log-probabilities of what follows these tokens; what they share with the last is kept."""
        shared = 0
        for mine, theirs in zip(self.held, ids[:-1], strict=False):
            if mine != theirs:
                break
            shared += 1
        if not self.model._ctx.kv_cache_seq_rm(-1, shared, -1):
            self.model._ctx.kv_cache_clear()
            shared = 0
        self.model.n_tokens = shared
        self.held = ids[:shared]
        self.model.eval(ids[shared:])
        self.held = list(ids)
        return self._logs()

    def _logs(self) -> Any:
        import numpy

        size = self.model.n_vocab()
        row = numpy.ctypeslib.as_array(self.model._ctx.get_logits(), shape=(size,))
        logits = row.astype(numpy.float64)
        logits -= logits.max()
        return logits - numpy.log(numpy.exp(logits).sum())

    def reply(
        self, prompt: list[int], most: int, ends: list[int], temperature: float, seed: int
    ) -> dict[str, Any]:
        """Tokens after a prompt, the likeliest ones at temperature 0, up to an end."""
        import numpy

        draw = numpy.random.default_rng(seed)
        found: list[int] = []
        logs = self.read(prompt)
        while len(found) < most:
            if temperature > 0:
                warmed = numpy.exp((logs - logs.max()) / temperature)
                token = int(draw.choice(len(logs), p=warmed / warmed.sum()))
            else:
                token = int(logs.argmax())
            if token in ends:
                return {"ids": found, "ended": True}
            found.append(token)
            if len(found) < most:
                logs = self.read([*prompt, *found])
        return {"ids": found, "ended": False}

    def score(self, prompt: list[int], options: list[list[int]]) -> list[float]:
        """Log-probability of each continuation, token by token, after a prompt."""
        totals = []
        for option in options:
            total = 0.0
            for place, token in enumerate(option):
                total += float(self.read([*prompt, *option[:place]])[token])
            totals.append(total)
        return totals


def quantise(source: str, target: str, kind: str, threads: int) -> int:
    """Write a file in another precision; 0 where that went well."""
    import llama_cpp

    kinds = {
        "q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, "q4_k_m": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M
    }  # fmt: skip
    settings = llama_cpp.llama_model_quantize_default_params()
    settings.nthread, settings.ftype = threads, kinds[kind]
    return int(llama_cpp.llama_model_quantize(source.encode(), target.encode(), settings))


def answer(asked: dict[str, Any], engines: list[Engine]) -> Any:
    """What a line asks for; the engine that it opens stays."""
    do = asked.pop("do")
    if do == "open":
        engines[:] = [Engine(**asked)]
        return engines[0].about()
    if do == "quantise":
        return quantise(**asked)
    if do == "abort":  # as a fault of llama.cpp's does
        os.abort()
    return getattr(engines[0], do)(**asked)


def main() -> None:
    """Answer lines until there are no more."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the library prints is no answer
    engines: list[Engine] = []
    for line in sys.stdin:
        try:
            found: dict[str, Any] = {"answer": answer(json.loads(line), engines)}
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(found), file=out, flush=True)


if __name__ == "__main__":
    main()
