"""The template of a Modelfile, by Go's text/template: the prompt of the tokenizer's chat template.

Ollama renders it with that library, and stops where the reply begins.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from judgesmith.backends.chat_form import chat_form
from judgesmith.backends.student import FromNothing, build_student, open_tokenizer
from judgesmith.report.deployment import Around, modelfile

PROGRAM = Path(__file__).with_name("render_template.go")
TEMPLATES = {
    "own": None,
    "ChatML": (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "system text in the user's turn": (
        "{{ '<s>' }}{% set first = messages[0]['content'] + '\n\n' "
        "if messages[0]['role'] == 'system' else '' %}"
        "[INST] {{ first }}{{ messages[-1]['content'] }} [/INST]"
    ),
    "braces": (
        "{% for m in messages %}{{ '{{' }}{{ m['role'] }}{{ '}}' }} {{ m['content'] }} -"
        "{% endfor %}"
        "{% if add_generation_prompt %}\n {{ '{{-' }}J:{% endif %}"
    ),
}
SYSTEMS = (None, "Judge it.", 'Two\nlines {{ x }} "q" \\n ')
USERS = (
    "Was it A or B?",
    "a {{ .System }} \"quoted\" `tick` <b>&amp;</b> 'x' \\ \n\n  x ",
    '{% if %} é 中 \u200b {{- "x" -}}',
    "  lead\n",
)


@pytest.fixture(scope="module")
def go() -> str:
    found = shutil.which("go")
    if found is None:
        pytest.skip("NOT TESTED: there is no Go here to render Ollama's templates (golang-go)")
    return found


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    size = FromNothing(width=32, layers=1, heads=2, vocabulary=400, context=64)
    build_student(size, [" ".join(USERS)] * 20, folder, seed=2)
    return folder


def block(text: str, name: str) -> str | None:
    """A value of a Modelfile as Ollama reads it: what stands between three quotes, as it is."""
    found = re.search(rf'^{name} """(.*?)"""$', text, re.MULTILINE | re.DOTALL)
    return None if found is None else found[1]


@pytest.mark.parametrize("name", TEMPLATES)
def test_go_renders_the_prompt_of_the_chat_template(
    name: str, go: str, student: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(student, tmp_path / "judge"))
    template = TEMPLATES[name]
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    around, tokenizer = Around(*chat_form(folder)[:5]), open_tokenizer(str(folder))
    asked, wanted = [], []
    for system in SYSTEMS:
        text = modelfile("j.gguf", around, system=system, context=64, reply_tokens=8)
        assert block(text, "SYSTEM") == system
        for user in USERS:
            asked.append(
                {"Template": block(text, "TEMPLATE"), "System": system or "", "Prompt": user}
            )
            turns = [] if system is None else [{"role": "system", "content": system}]
            wanted.append(
                tokenizer.apply_chat_template(
                    [*turns, {"role": "user", "content": user}], tokenize=False,
                    add_generation_prompt=True,
                )
            )  # fmt: skip
    done = subprocess.run(
        [go, "run", str(PROGRAM)], input=json.dumps(asked), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == wanted
