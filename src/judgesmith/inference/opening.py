"""Open a judge: a student of a run, or a folder that was exported."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.adapters import is_adapter
from judgesmith.backends.base_weights import weights_hash
from judgesmith.backends.origin import base_hash, read_origin, require_trained_in
from judgesmith.errors import DataError, JudgesmithError, RecipeError, nearest
from judgesmith.inference.calibration import CALIBRATION_FILE, calibration_for
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import JUDGE_FILE, JudgeFile, read_judge_file
from judgesmith.inference.lacking import always_in
from judgesmith.inference.students import (
    MACHINE,
    check_dialect,
    local_model,
    margin_in,
    origin_of,
    own_model,
    weights_folder,
)
from judgesmith.judging.dialect import Dialect
from judgesmith.models.protocol import Completion, Mode, Model, Request
from judgesmith.records import content_id
from judgesmith.runs.layout import RunDir
from judgesmith.runs.outside import cache_folder
from judgesmith.runs.recipe import Recipe
from judgesmith.runs.students import is_fast, made_as, student_folder
from judgesmith.tasks import load_dialect, task_of


class LateModel:
    """A model that is loaded when it is first asked: a bad row is told before weights are read."""

    def __init__(self, name: str, load: Callable[[], Model]) -> None:
        self.name, self._load = name, load
        self._held: Model | None = None

    def loaded(self) -> Model:
        """The model itself, loaded now if it was not."""
        if self._held is None:
            try:
                self._held = self._load()
            except AttributeError as error:  # getattr with a default would swallow it
                raise RuntimeError(f"{self.name}: could not be loaded: {error}") from error
        return self._held

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer the requests in order."""
        return self.loaded().complete(requests)

    def __getattr__(self, name: str) -> Any:
        """What else it says of itself: `lot`, `independent`, `takes_forced`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.loaded(), name)


class _Chosen(NamedTuple):
    dialect: str
    student: str


def judge_of_run(
    run_dir: RunDir, recipe: Recipe, *, dialect: str | None = None, student: str | None = None,
    mode: Mode | None = None, calibrated: bool = True,
) -> Judge:  # fmt: skip
    """The judge that a run made: the student and dialect that it measures first, or those named.

    Where the run keeps a calibration of it in its mode, it has that, unless `calibrated` is false.

    Raises RecipeError where the student was not trained in the dialect that is asked for.
    """
    sft: Any = recipe.sections.get("sft")
    if sft is None:
        raise JudgesmithError(f"{run_dir.path}: the recipe trains no student (no `sft` section).")
    chosen = _choose(run_dir, recipe, dialect, student)
    if dialect is not None:
        _check_known(run_dir, chosen)
    named = load_dialect(task_of(run_dir.header), chosen.dialect)
    check_dialect(run_dir, named)
    require_trained_in(origin_of(run_dir, chosen.student), named, student=chosen.student)
    judge = judge_of_student(run_dir, chosen.student, named, reply_tokens=sft.reply_tokens)
    judge = judge if mode is None else replace(judge, mode=mode)
    if not calibrated:
        return judge
    path = run_dir.file(CALIBRATION_FILE)
    return replace(judge, calibration=calibration_for(path, **identity_of(judge)))


def judge_of_student(
    run_dir: RunDir, student: str, dialect: Dialect, *, reply_tokens: int
) -> Judge:
    """A student of a run as a judge, in a dialect; its model is loaded when it is first asked."""
    weights = weights_folder(run_dir, student)
    margin = margin_in(weights, dialect)
    return Judge(
        name=f"{run_dir.header.name}/{student}",
        made_of=made_of(weights, dialect, margin),
        dialect=dialect,
        model=LateModel(student, lambda: own_model(run_dir, student)),
        max_tokens=reply_tokens,
        margin=margin,
        mode="fast" if is_fast(student) else "rationale",
        always=always_in(run_dir.file("questions/questions.jsonl")),
    )


def judge_of_folder(folder: Path, *, dialect: str | None = None, mode: Mode | None = None) -> Judge:
    """The judge of an exported folder, which is what its `judge.json` says.

    In another mode than it says it has no calibration: that belongs to the mode.

    Raises DataError where anything of it is other than when it was exported, and RecipeError for
    another dialect than its own.
    """
    held = read_judge_file(folder)
    if dialect not in (None, held.dialect.name):
        raise RecipeError(
            f"--dialect {dialect!r}: the judge of {folder} was exported in {held.dialect.name!r} "
            "alone. Leave the option out, or export it again in the other."
        )
    judge = Judge(
        name=held.name,
        made_of=made_of(folder, held.dialect, held.tie_margin),
        dialect=held.dialect,
        model=LateModel(
            held.name, lambda: local_model(held.name, folder, cache_folder() / MACHINE)
        ),
        max_tokens=held.reply_tokens,
        margin=held.tie_margin,
        mode=held.mode,
        calibration=held.calibration,
        always=held.always,
    )
    _require_unchanged(folder, judge, held)
    return judge if mode in (None, held.mode) else replace(judge, mode=mode, calibration=None)


def _require_unchanged(folder: Path, judge: Judge, held: JudgeFile) -> None:
    """Refuse a folder whose version, or whose calibration, is that of another judge."""
    if judge.version != held.version:
        raise DataError(
            f"{folder / JUDGE_FILE}: field 'version': expected {judge.version}, which follows from "
            f"this file and the weights beside it, found {held.version}: weights, dialect, margin, "
            "mode, reply tokens or calibration were changed after the export. Export the judge "
            "again."
        )
    found, expected = held.calibration, identity_of(judge)
    if found is not None and any(getattr(found, key) != expected[key] for key in expected):
        told = ", ".join(f"{key} {getattr(found, key)!r}" for key in expected)
        raise DataError(
            f"{folder / JUDGE_FILE}: field 'calibration': expected that of this judge, "
            f"{', '.join(f'{key} {value!r}' for key, value in expected.items())}, found {told}. "
            "Export the judge again."
        )


def made_of(weights: Path, dialect: Dialect, margin: float | None) -> str:
    """What a judge is made of, however it is asked: a hash; a calibration is kept under it.

    It covers the weights and the tokenizer, of an adapter also those of its base, the dialect and
    the tie margin.
    """
    return content_id("Judge", _weights_id(weights), dialect.hash, margin)


def identity_of(judge: Judge) -> dict[str, str]:
    """What a calibration is kept under: what the judge is made of, its dialect and mode."""
    return {
        "judge": judge.name, "version": judge.made_of, "dialect": judge.dialect.hash,
        "mode": judge.mode,
    }  # fmt: skip


def _weights_id(folder: Path) -> list[str | None]:
    """Hashes of a folder's weights and of the base under an adapter; the name of one on the hub."""
    if not folder.is_dir():
        return [str(folder)]
    origin = read_origin(folder) if is_adapter(str(folder)) else None
    base = None if origin is None else origin.base_weights or origin.base_hash or origin.base
    return [weights_hash(folder), base_hash(folder), base]


def _choose(run_dir: RunDir, recipe: Recipe, dialect: str | None, student: str | None) -> _Chosen:
    """The student and dialect that are measured first; of those named, the first that fit.

    A student that the recipe does not measure, but that lies in the run, has the others' dialects.
    """
    sft: Any = recipe.sections["sft"]
    evaluate: Any = recipe.sections.get("evaluate")
    parts = evaluate.parts if evaluate is not None else ()
    known = [_Chosen(one, name) for name, own in sft.students.items() for one in own.dialect]
    if student is None:
        known = [_Chosen(part.dialect, part.students[0]) for part in parts] or known[:1]
    else:
        measured = [_Chosen(part.dialect, name) for part in parts for name in part.students]
        everyone = (*measured, *known)
        known = (
            [one for one in everyone if one.student == student]
            or [one for one in everyone if made_as(one.student) == made_as(student)]
            or [one for one in everyone if run_dir.file(student_folder(student)).exists()]
        )
        if not known:
            raise RecipeError(
                f"--student {student!r}: no stage of the recipe makes or measures it; "
                f"{nearest(student, {one.student for one in everyone})}"
            )
        known = [one._replace(student=student) for one in known]
    found = next((one for one in known if one.dialect == dialect), known[0])
    return found if dialect is None else found._replace(dialect=dialect)


def _check_known(run_dir: RunDir, chosen: _Chosen) -> None:
    origin = origin_of(run_dir, chosen.student)
    if origin is not None and origin.dialects and chosen.dialect not in origin.dialects:
        raise RecipeError(
            f"--dialect {chosen.dialect!r}: {run_dir.header.name}/{chosen.student} was trained in "
            f"{', '.join(origin.dialects)}; {nearest(chosen.dialect, origin.dialects)}"
        )
