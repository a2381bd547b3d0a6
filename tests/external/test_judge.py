"""`judge` with llama.cpp's server as its engine: the verdicts and chances of the weights here."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from lesson_rows import VOICES
from llama_server import LlamaServer
from server_recipes import cast, shipped
from students import Lessons

from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.inference.engines import on_engine
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.stream import judge_file

ROWS = 40


def test_a_file_is_judged_as_by_the_weights_themselves(
    server: LlamaServer, students: Mapping[str, Path], lessons: Lessons, tmp_path: Path,
    measured: Callable[[str, str], None],
) -> None:  # fmt: skip
    load("torch").set_num_threads(1)
    name = cast(shipped()).teacher
    rows = tmp_path / "pairs.jsonl"
    rows.write_text("".join(
        json.dumps({
            "question": question.text, "context": question.context, "choices": question.choices,
            "response_a": first.response.text, "response_b": second.response.text,
        }) + "\n"
        for question in lessons.questions[:ROWS]
        for first, second, *_ in [lessons._responses(question)[:: len(VOICES)]]
    ))  # fmt: skip
    judge = Judge(name, "made", lessons.dialect, LocalModel(name, str(students[name])), 120)
    found = {}
    for engine in ("transformers", f"{server.url}#{name}"):
        out = tmp_path / f"{len(found)}.jsonl"
        judge_file(on_engine(judge, tmp_path, engine), rows, out)
        found[engine] = [json.loads(line) for line in out.read_text().splitlines()]
    here, there = found.values()
    same = sum(a["verdict"] == b["verdict"] for a, b in zip(here, there, strict=True))
    read = [(a, b) for a, b in zip(here, there, strict=True) if a["distribution"]]
    apart = max(abs(a["distribution"][k] - b["distribution"][k]) for a, b in read for k in "AB")
    measured("judge --engine SERVER", f"{same} of {ROWS} verdicts the same, {apart:.4f} apart")
    assert len(read) > ROWS / 2
    assert same >= ROWS - 2
