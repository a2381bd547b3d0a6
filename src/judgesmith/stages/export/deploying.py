"""Files for other servers, beside the weights."""

from collections.abc import Sequence
from pathlib import Path

from judgesmith.backends.chat_form import chat_form
from judgesmith.backends.judge_folder import JudgeFolder, context_of
from judgesmith.judging.dialect import Dialect
from judgesmith.report.deployment import Around, compose, modelfile
from judgesmith.report.exports import Gguf
from judgesmith.runs.jsonl import write_bytes
from judgesmith.stages.export.config import Config


def write_deployment(
    folder: Path, dialect: Dialect, written: JudgeFolder, gguf: Sequence[Gguf], config: Config,
    reply_tokens: int,
) -> None:  # fmt: skip
    """A Modelfile for each GGUF file that was kept, and docker-compose.yaml for vLLM."""
    context = context_of(folder)
    for one in gguf if config.ollama else ():
        if one.refused is None:
            form = chat_form(folder)
            around = Around(*(form.without_bos() if one.adds_bos else form)[:5])
            text = modelfile(
                one.file, around, system=dialect.system, context=context,
                reply_tokens=reply_tokens,
            )  # fmt: skip
            write_bytes(folder / f"Modelfile.{one.kind}", text.encode())
    if config.vllm:
        text = compose(folder.name, base=written.base if written.form == "adapter" else None,
                       context=context, reply_tokens=reply_tokens)  # fmt: skip
        write_bytes(folder / "docker-compose.yaml", text.encode())
