"""The same judge on another engine: a GGUF file of its folder in llama.cpp, or a server."""

import os
from dataclasses import replace
from pathlib import Path

from judgesmith.errors import RecipeError
from judgesmith.inference.http_engine import Served, endpoint_of, is_url
from judgesmith.inference.judge import Judge
from judgesmith.inference.opening import LateModel
from judgesmith.models.protocol import Model
from judgesmith.records import content_id
from judgesmith.runs.jsonl import file_sha256

TRANSFORMERS, LLAMA_CPP, RAY = "transformers", "llama.cpp", "ray"


def on_engine(judge: Judge, folder: Path, engine: str) -> Judge:
    """A judge on an engine: `transformers`, `llama.cpp`, `llama.cpp:q8_0`, or a server's URL.

    A quantised file may give other verdicts, and nobody can prove which weights a server holds, so
    the judge has a version of its own there; and no calibration, as that was fitted on the
    probabilities of the weights themselves.

    Raises RecipeError for an engine or a file that is not there.
    """
    check_engine(engine)
    if same_judge(engine):
        return judge
    if is_url(engine):
        endpoint = endpoint_of(engine, judge.name)
        return replace(
            judge, model=LateModel(judge.name, lambda: Served(judge.name, endpoint)),
            made_of=content_id("server", judge.made_of, endpoint.identity), calibration=None,
        )  # fmt: skip
    file = find_gguf(folder, engine.partition(":")[2])
    return replace(
        judge, model=LateModel(judge.name, lambda: _opened(judge.name, file, folder)),
        made_of=content_id(LLAMA_CPP, judge.made_of, file_sha256(file)), calibration=None,
    )  # fmt: skip


def same_judge(engine: str | None) -> bool:
    """Whether it is the judge as it was made, with its weights, its version and calibration."""
    return engine in (None, TRANSFORMERS) or is_ray(engine)


def is_ray(engine: str | None) -> bool:
    """Whether several processes judge, each with the weights.

    >>> [is_ray(one) for one in ("ray", "ray:4", "llama.cpp", None)]
    [True, True, False, False]
    """
    return engine is not None and engine.partition(":")[0] == RAY


def workers_in(engine: str) -> int | None:
    """How many workers `ray:N` names; None where there are as many as the machines have room for.

    Raises RecipeError where N is no number above 0.
    """
    _, colon, count = engine.partition(":")
    if colon and not (count.isdecimal() and int(count)):
        raise RecipeError(
            f"--engine {engine!r}: expected {RAY}, or {RAY}:N with a number of workers from 1, "
            f"such as {RAY}:2"
        )
    return int(count) if colon else None


def check_engine(engine: str) -> None:
    """Refuse what names no engine, listing those that there are."""
    if is_url(engine):
        endpoint_of(engine, "judge")
    elif is_ray(engine):
        workers_in(engine)
    elif engine != TRANSFORMERS and engine.partition(":")[0] != LLAMA_CPP:
        raise RecipeError(
            f"--engine {engine!r}: expected {TRANSFORMERS}, {LLAMA_CPP}, {LLAMA_CPP}:KIND such "
            f"as {LLAMA_CPP}:q8_0, {RAY}, {RAY}:N, or a server such as http://127.0.0.1:8000/v1#MODEL"
        )


def find_gguf(folder: Path, kind: str) -> Path:
    """The GGUF file of a kind in a folder, or the only one where no kind is said."""
    found = sorted(folder.glob("*.gguf"))
    fitting = [one for one in found if one.stem.casefold().endswith(kind.casefold())]
    if len(fitting) != 1:
        there = ", ".join(one.name for one in found) or "none"
        raise RecipeError(
            f"--engine {LLAMA_CPP}{f':{kind}' if kind else ''}: expected one GGUF file in "
            f"{folder}, found {there}. Name a kind, such as {LLAMA_CPP}:q8_0, or export it with "
            "--gguf."
        )
    return fitting[0]


def _opened(name: str, file: Path, folder: Path) -> Model:
    from judgesmith.backends.llama_cpp import LlamaCpp

    return LlamaCpp(name, file, str(folder), threads=os.cpu_count() or 1)
