"""The stage: write each checkpoint's folder and files, check them, and say what was found."""

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from judgesmith.backends.adapters import base_of, is_adapter
from judgesmith.backends.encode import encode_prompt
from judgesmith.backends.gguf.convert import Kind, describe, fallen_back, write_gguf
from judgesmith.backends.judge_folder import count_numbers, require_same_ids, write_judge_folder
from judgesmith.backends.llama_cpp import AWKWARD, SPOKEN, LlamaCpp, NotThisJudge
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.merging.folders import find_folder
from judgesmith.backends.merging.folding import fold_adapter
from judgesmith.backends.origin import (
    Origin,
    model_path,
    read_origin,
    reply_budget,
    require_trained_in,
)
from judgesmith.backends.student import open_tokenizer
from judgesmith.backends.threads import choose_threads
from judgesmith.errors import DataError, RunError
from judgesmith.inference.calibration import CALIBRATION_FILE, calibration_for
from judgesmith.inference.judge_file import JudgeFile, write_judge_file
from judgesmith.inference.opening import (
    identity_of,
    judge_of_student,
    made_of,
)
from judgesmith.judging.dialect import Dialect
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Message
from judgesmith.report.exports import Exported, Exports, Gguf, Parity
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.students import student_folder, student_stage
from judgesmith.stages.export.checking import Checker, Said
from judgesmith.stages.export.config import Config, student_of
from judgesmith.stages.export.deploying import write_deployment
from judgesmith.stages.export.served import (
    WithoutSystem,
    require_same_prompts,
    require_same_replies,
    served,
)
from judgesmith.tasks import load_dialect, task_of

VERSION = 1
OUTPUTS = ("export/export.json",)
HUGGING_FACE = "Hugging Face folder"
JUDGMENTS, CHATS = "served, /v1/judgments", "served, /v1/chat/completions"
NO_GRADES = "it gives expected scores, and the labels are grades, which its chats give"
NO_CHECK = "left out (export.check, --no-check)"
NO_DEV = "no dev item of this dialect has a label by the answer key or a teacher"
_REPLY_TOKENS = 300
_COMPARED = 40
"""Dev items whose prompts are compared token by token."""


class Source(NamedTuple):
    """A checkpoint of the run: its student, where it lies, and how it is asked."""

    checkpoint: str
    student: str
    path: str
    dialect: Dialect
    reply_tokens: int


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Export every checkpoint, and check what was made of it."""
    choose_threads(run_dir.file("machine.json"))
    sources = [_source(name, config, run_dir) for name in config.checkpoints]
    found = Exports(
        exported=tuple(_export(source, config, run_dir, models) for source in sources),
        max_kappa_loss=config.max_kappa_loss,
        dataset=config.dataset,
    )
    write_json(run_dir.file(OUTPUTS[0]), found.model_dump(mode="json"))
    for left in run_dir.file("export").glob("*.partial"):
        left.unlink()
    return StageReport(
        taken=len(sources), made=len(sources), tables={"outcome": found.outcome or "not checked"}
    )


def _source(checkpoint: str, config: Config, run_dir: RunDir) -> Source:
    student = student_of(checkpoint)
    folder = run_dir.file(student_folder(student))
    if not folder.is_dir():
        raise RunError(
            f"{folder}: there is no checkpoint {checkpoint!r} yet; run the recipe up to --until "
            f"{student_stage(student)} first, or name one that the recipe trains."
        )
    path = model_path(folder)
    origin = read_origin(path)
    dialect = _dialect(origin, folder, config, run_dir)
    require_trained_in(origin, dialect, student=student)
    known = None if origin is None else reply_budget(origin)
    return Source(checkpoint, student, path, dialect, config.reply_tokens or known or _REPLY_TOKENS)


def _dialect(origin: Origin | None, folder: Path, config: Config, run_dir: RunDir) -> Dialect:
    names = list(origin.dialects) if origin is not None else []
    if config.dialect is None and not names:
        raise DataError(
            f"{folder}: it does not say in which dialect it was trained; name it (export.dialect)."
        )
    return load_dialect(task_of(run_dir.header), config.dialect or names[0])


def _export(source: Source, config: Config, run_dir: RunDir, models: ModelOpener) -> Exported:
    folder = run_dir.file(f"export/{source.checkpoint}")
    shutil.rmtree(folder, ignore_errors=True)
    written = write_judge_folder(
        source.path, folder, merged=config.merged, dtype=config.dtype,
        reply_tokens=source.reply_tokens,
    )  # fmt: skip
    _write_judge_file(source, folder, run_dir)
    files = _write_gguf(source, config, folder)
    gguf = _describe(files)
    parity, missing = list[Parity](), {HUGGING_FACE: NO_CHECK} | {g.kind: NO_CHECK for g in gguf}
    if config.check:
        checker = Checker.of_run(
            run_dir, source.student, source.dialect, source.reply_tokens, config
        )
        gguf, parity, missing = _check(source, checker, models, folder, gguf)
    write_deployment(folder, source.dialect, written, gguf, config, source.reply_tokens)
    return Exported(
        checkpoint=source.checkpoint, student=source.student, folder=folder.name,
        form=written.form, base=written.base, quantize=written.quantize,
        dtype=config.dtype if written.form == "model" else None,
        dialect=source.dialect.name, dialect_hash=source.dialect.hash,
        reply_tokens=source.reply_tokens, parameters=count_numbers(folder),
        gguf=tuple(gguf), parity=tuple(parity), not_measured=missing,
    )  # fmt: skip


def _write_judge_file(source: Source, folder: Path, run_dir: RunDir) -> None:
    """What makes the folder the judge; a calibration of the student goes with it."""
    judge = judge_of_student(
        run_dir, source.student, source.dialect, reply_tokens=source.reply_tokens
    )
    fitted = calibration_for(run_dir.file(CALIBRATION_FILE), **identity_of(judge))
    copy = made_of(folder, source.dialect, judge.margin)
    calibration = None if fitted is None else fitted.carried_to(copy)
    copied = replace(judge, made_of=copy, calibration=calibration)
    write_judge_file(
        folder, JudgeFile.of(copied, run_dir.header.task, rehearsed=run_dir.header.rehearsed)
    )


def _write_gguf(source: Source, config: Config, folder: Path) -> dict[Kind, Path]:
    """The GGUF files, out of weights as precise as they are at hand."""
    if not config.gguf:
        return {}
    stem = f"judge-{source.checkpoint}".replace("/", "-")
    if not is_adapter(source.path):
        return write_gguf(Path(source.path), config.gguf, folder, stem)
    whole = folder.with_name(f".{folder.name}.whole")
    shutil.rmtree(whole, ignore_errors=True)
    fold_adapter(source.path, find_folder(base_of(source.path)), whole, dtype=None)
    try:
        return write_gguf(whole, config.gguf, folder, stem)
    finally:
        shutil.rmtree(whole, ignore_errors=True)


def _describe(files: dict[Kind, Path]) -> list[Gguf]:
    return [
        Gguf(
            kind=kind.upper(), file=file.name, tensors=found.tensors, adds_bos=found.adds_bos,
            fallen_back=fallen_back(found.tensors, kind), size=file.stat().st_size,
        )
        for (kind, file), found in zip(files.items(), describe([*files.values()]), strict=True)
    ]  # fmt: skip


def _check(
    source: Source, checker: Checker, models: ModelOpener, folder: Path, gguf: list[Gguf]
) -> tuple[list[Gguf], list[Parity], dict[str, str]]:
    """Token ids of every form, its verdicts where there are labelled items, and what was left out.

    A GGUF file that is not this judge, or loses too much, is deleted.
    """
    prompts = checker.prompts(_COMPARED)
    same = require_same_ids(source.path, folder, prompts)
    if not checker.dev.items:
        missing = dict.fromkeys((HUGGING_FACE, *(one.kind for one in gguf)), NO_DEV)
        return (
            [_refused_if(one, _opened(one, folder, prompts), folder) for one in gguf],
            [],
            missing,
        )
    judge = checker.ask(source.student, lambda: models(source.student))
    name = f"{source.checkpoint}, exported"
    whole = checker.ask(name, lambda: LocalModel(name, str(folder)))
    parity, missing = [checker.parity(HUGGING_FACE, judge, whole, same)], dict[str, str]()
    if checker.served:
        found, missing = _check_served(source, checker, folder, judge, whole)
        parity += found
    kept = []
    for one in gguf:
        opened = _opened(one, folder, prompts)
        if isinstance(opened, LlamaCpp):
            said = _ask(checker, opened)
            compared = len(AWKWARD) + len(SPOKEN) + len(prompts)
            parity.append(checker.parity(one.kind, judge, said, compared))
            lost = parity[-1]
            kept.append(_refused_if(one, lost.reason if lost.outcome == "fail" else None, folder))
        else:
            kept.append(_refused_if(one, opened, folder))
    return kept, parity, missing


def _check_served(
    source: Source, checker: Checker, folder: Path, judge: Said, whole: Said
) -> tuple[list[Parity], dict[str, str]]:
    """The folder behind the real server, by both of its APIs; the chats send no system text."""
    prompts, name = checker.prompts(_COMPARED), f"{source.checkpoint}, served"
    tokenizer = open_tokenizer(source.path)
    lengths = [len(encode_prompt(tokenizer, turns)) for turns in prompts]
    with served(folder) as server, server.chats() as chats:
        same = require_same_prompts(server, chats, source.dialect, prompts, lengths)
        said = checker.ask(name, lambda: WithoutSystem(name, chats, source.dialect))
        require_same_replies(whole.replies, said.replies)
        found = [checker.parity(CHATS, judge, said, same)]
        rows = checker.rows()
        if rows is None:
            return found, {JUDGMENTS: NO_GRADES}
        verdicts = Said(server.verdicts(rows), judge.labels)
    return [checker.parity(JUDGMENTS, judge, verdicts, same), *found], {}


def _ask(checker: Checker, model: LlamaCpp) -> Said:
    with closing(model):
        return checker.ask(model.name, lambda: model)


def _opened(one: Gguf, folder: Path, prompts: list[tuple[Message, ...]]) -> LlamaCpp | str:
    """The file in llama.cpp, or why it is not this judge."""
    try:
        model = LlamaCpp(f"{folder.name}, {one.kind}", folder / one.file, str(folder))
        model.require_same_prompts(prompts)
    except NotThisJudge as error:
        return str(error)
    return model


def _refused_if(one: Gguf, model: LlamaCpp | str | None, folder: Path) -> Gguf:
    if not isinstance(model, str):
        return one
    (folder / one.file).unlink()
    return one.model_copy(update={"refused": model})
