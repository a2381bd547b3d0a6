"""Files with which other programs serve an exported judge. Pure: facts in, text out."""

import json
from dataclasses import dataclass

from judgesmith.errors import DataError

_KEPT = "\n\r\t"
VLLM = "vllm/vllm-openai:v0.33.0"


@dataclass(frozen=True)
class Around:
    """The texts around a system text and a user's text, as `backends.chat_form` finds them."""

    before_system: str
    between: str
    before_user: str
    after: str
    end: str


def modelfile(
    file: str, around: Around, *, system: str | None, context: int, reply_tokens: int
) -> str:
    """The Modelfile of a GGUF file for Ollama: the prompt of training, and greedy replies.

    >>> around = Around("<s>", "|", "<s>", "<judge>", "<end>")
    >>> text = modelfile("j.gguf", around, system=None, context=64, reply_tokens=8)
    >>> "{{ if .System }}<s>{{ .System }}|{{ else }}<s>{{ end }}{{ .Prompt }}<judge>" in text
    True
    """
    template = (
        "{{ if .System }}" + _go(around.before_system) + "{{ .System }}" + _go(around.between)
        + "{{ else }}" + _go(around.before_user) + "{{ end }}{{ .Prompt }}" + _go(around.after)
        + "{{ .Response }}" + _go(around.end)
    )  # fmt: skip
    lines = [
        "# Ollama was not run on this file: it could not be installed where it was written. The",
        "# GGUF file was asked in llama.cpp, see README.md. The user's turn is the prompt that",
        "# judge.json's dialect makes of question and responses; Ollama makes none. The",
        "# template is for one user's turn, with or without a system text: a judge has no other.",
        f"FROM ./{file}",
        f"TEMPLATE {_quoted(template)}",
        *([] if system is None else [f"SYSTEM {_quoted(system)}"]),
        "# The likeliest reply, and no punishment of repetition: as the judge was measured.",
        "PARAMETER temperature 0",
        "PARAMETER repeat_penalty 1.0",
        f"PARAMETER num_ctx {context}",
        f"PARAMETER num_predict {reply_tokens}",
        f"PARAMETER stop {_quoted(around.end)}",
    ]
    return "\n".join(lines) + "\n"


def _go(text: str) -> str:
    """A text as it stands in a template of Go."""
    return text.replace("{{", '{{ "{{" }}')


def _quoted(text: str) -> str:
    """A text as Ollama reads it: nothing in it is escaped, and what is not printable is dropped."""
    if '"""' in text:
        raise DataError('a Modelfile cannot hold a text with """ in it; leave `ollama` out.')
    lost = sorted({c for c in text if not c.isprintable() and c not in _KEPT})
    if lost:
        raise DataError(
            f"a Modelfile cannot hold a text with {', '.join(map(ascii, lost))} in it, which "
            "Ollama drops; leave `ollama` out."
        )
    return f'"""{text}"""'


def compose(
    name: str, *, base: str | None, context: int, reply_tokens: int, image: str = VLLM
) -> str:
    """`docker-compose.yaml` for vLLM, beside the judge's folder; of an adapter over its base.

    >>> "--lora-modules" in compose("j", base="o/base", context=64, reply_tokens=8)
    True
    """
    whole = [
        "--model=/judge", f"--served-model-name={name}",
    ]  # fmt: skip
    adapter = [
        f"--model={base}", "--enable-lora", f"--lora-modules={name}=/judge",
        "--tokenizer=/judge",
    ]  # fmt: skip
    options = [
        *(whole if base is None else adapter),
        "--chat-template=/judge/chat_template.jinja",
        "--generation-config=/judge",
        f"--max-model-len={context}",
        "--max-logprobs=20",
        "--seed=0",
    ]
    listed = "\n".join(f"      - {json.dumps(option)}" for option in options)
    offline = '"1"' if base is None else '"0"'
    return f"""\
# vLLM with this judge: `docker compose up`, then the OpenAI protocol on 127.0.0.1:8000. Not run
# where it was written, for want of a GPU. Replies are read as judge.json says, of at most
# {reply_tokens} tokens at temperature 0. vLLM does not break up chat tags inside judged texts.
services:
  judge:
    image: {image}
    command:
{listed}
    environment:
      HF_HUB_OFFLINE: {offline}
    volumes:
      - ./:/judge:ro
    ports:
      - "127.0.0.1:8000:8000"
    ipc: host
    deploy:
      resources:
        reservations:
          devices:
            - {{driver: nvidia, count: 1, capabilities: [gpu]}}
    healthcheck:
      test: ["CMD", "curl", "--fail", "http://127.0.0.1:8000/health"]
      interval: 30s
      start_period: 10m
"""
