"""A chat template as texts around texts: the prompt that they make is the prompt of training."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from judgesmith.backends.chat_form import chat_form
from judgesmith.backends.encode import encode_prompt
from judgesmith.backends.student import open_tokenizer
from judgesmith.errors import DataError, ModelError
from judgesmith.records import Message
from judgesmith.report.deployment import Around, compose, modelfile

USER = "Which is worse?\n\n A: x {{ y }}\nB: 'z' \"w\"  "


def as_ollama(text: str, system: str | None, user: str) -> str:
    """The prompt that a Modelfile's template makes: Go's text/template, as far as we write it."""
    (template,) = re.findall(r'^TEMPLATE """(.*?)"""', text, re.MULTILINE | re.DOTALL)
    found = re.fullmatch(
        r"\{\{ if \.System \}\}(.*?)\{\{ else \}\}(.*?)\{\{ end \}\}(.*)\{\{ \.Response \}\}(.*)",
        template, re.DOTALL,
    )  # fmt: skip
    assert found is not None
    inner = (found[1] if system else found[2]) + found[3]
    values = {"{{ .System }}": system or "", "{{ .Prompt }}": user, '{{ "{{" }}': "{{"}
    return re.sub("|".join(map(re.escape, values)), lambda hit: values[hit[0]], inner)


@pytest.mark.parametrize("architecture", ["llama", "gemma3"])
@pytest.mark.parametrize("system", ["Judge the responses.\n\nSay A or B.", None])
def test_ollama_gets_the_prompt_of_training(
    architecture: str, system: str | None, bases: Callable[[str], Path]
) -> None:
    """Gemma's template has no system role: ours heads the user's turn with its text."""
    folder = bases(architecture)
    form, tokenizer = chat_form(folder), open_tokenizer(str(folder))
    turns = [Message(role="user", content=USER)]
    if system is not None:
        turns.insert(0, Message(role="system", content=system))
    wanted = encode_prompt(tokenizer, turns)
    text = modelfile("j.gguf", Around(*form[:5]), system=system, context=256, reply_tokens=9)
    prompt = as_ollama(text, system, USER)
    assert tokenizer(prompt, add_special_tokens=False)["input_ids"] == wanted
    bare = modelfile(
        "j.gguf", Around(*form.without_bos()[:5]), system=system, context=256, reply_tokens=9
    )
    begun = tokenizer.bos_token + as_ollama(bare, system, USER)
    assert tokenizer(begun, add_special_tokens=False)["input_ids"] == wanted
    assert ('SYSTEM """' in text) == (system is not None)
    assert "PARAMETER repeat_penalty 1.0" in text


def test_a_template_that_does_more_has_no_modelfile(student_folder: Path, tmp_path: Path) -> None:
    tokenizer = open_tokenizer(str(student_folder))
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['content'] }}{% endfor %}"
        "{% if messages | length == 1 %}!{% endif %}"
    )
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="does more than put texts around"):
        chat_form(tmp_path)


def test_a_system_text_that_a_modelfile_cannot_hold_is_refused() -> None:
    around = Around("", "", "", "", "")
    with pytest.raises(DataError, match="cannot hold"):
        modelfile("j.gguf", around, system='say """so"""', context=1, reply_tokens=1)
    with pytest.raises(DataError, match=r"with '\\xa0', '\\u200b' in it, which Ollama drops"):
        modelfile("j.gguf", around, system="a\xa0b\u200bc\n", context=1, reply_tokens=1)


def test_the_end_of_a_turn_is_written_as_ollama_reads_it() -> None:
    """Its parser takes quotes off, and reads no escapes."""
    around = Around("", "", "", "", '"end"\\of\nturn')
    text = modelfile("j.gguf", around, system=None, context=1, reply_tokens=1)
    assert text.endswith('PARAMETER stop """"end"\\of\nturn"""\n')


@pytest.mark.parametrize("base", [None, "someone/base"])
def test_compose_is_yaml_with_a_pinned_image_on_loopback(base: str | None) -> None:
    (service,) = yaml.safe_load(
        compose("sft", base=base, context=640, reply_tokens=48)
    )["services"].values()  # fmt: skip
    assert service["image"].startswith("vllm/vllm-openai:v")
    assert service["ports"] == ["127.0.0.1:8000:8000"]
    model = "--model=/judge" if base is None else "--model=someone/base"
    assert model in service["command"]
    assert "--chat-template=/judge/chat_template.jinja" in service["command"]
    assert service["environment"] == {"HF_HUB_OFFLINE": "1" if base is None else "0"}
