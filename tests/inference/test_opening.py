"""Judges out of runs and exported folders: the same judge, and never another by mistake.

The student is a real one with random weights; what its replies say does not matter here.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.backends.loading import load
from judgesmith.backends.origin import Origin, write_origin
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.cli.judging import tell_lacking
from judgesmith.errors import DataError, RecipeError, RunError
from judgesmith.inference.judge_file import JUDGE_FILE, JudgeFile, write_judge_file
from judgesmith.inference.opening import LateModel
from judgesmith.inference.rows.chunks import Source
from judgesmith.inference.rows.stream import judge_file
from judgesmith.judging.library import LIBRARY
from judgesmith.models.pointwise import write_margin
from judgesmith.pipeline import open_judge, read_recipe, start_run
from judgesmith.tasks import load_dialect, load_task

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
NAMES = ("bias-pair-compact", "bias-single-compact")
DIALECTS = {name: load_dialect(load_task("bias"), name) for name in NAMES}
ROW = {
    "context": "Ann and Bob met.", "question": "Who was late?", "choices": ["Ann", "Bob", "?"],
    "response_a": "It was Ann.", "response_b": "Nobody can tell.",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose student knows two dialects."""
    load("torch").set_num_threads(1)
    run = start_run(tmp_path_factory.mktemp("runs") / "run", read_recipe(TINY))
    student = run.file("sft/student")
    size = FromNothing(width=16, layers=1, heads=2, vocabulary=300, context=512)
    build_student(size, ["Ann and Bob met. Who was late?"] * 9, student, seed=5)
    hashes = {name: dialect.hash for name, dialect in DIALECTS.items()}
    write_origin(student, Origin(dialects=hashes, base="none", base_hash=None, reply_tokens=None))
    write_margin(student, 0.25, DIALECTS["bias-single-compact"].hash)
    return run.path


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


@pytest.fixture
def exported(made: Path, tmp_path: Path) -> Path:
    """The run's judge as a folder of its own."""
    folder = Path(shutil.copytree(made / "sft/student", tmp_path / "judge"))
    write_judge_file(folder, JudgeFile.of(open_judge(made), "bias"))
    return folder


def test_the_first_that_is_measured_judges_or_the_one_that_is_named(run: Path) -> None:
    judge = open_judge(run)
    assert (judge.name, judge.dialect, judge.margin) == (
        "tiny/student", DIALECTS["bias-pair-compact"], None,
    )  # fmt: skip
    other = open_judge(run, dialect="bias-single-compact", student="student")
    assert (other.takes_single, other.margin) == (True, 0.25)
    assert judge.version != other.version
    with pytest.raises(RecipeError, match=r"--student 'studnet': .*did you mean 'student'"):
        open_judge(run, student="studnet")
    with pytest.raises(RunError, match=r"before: not there yet; run the recipe up to --until sft"):
        open_judge(run, student="before training")


def test_a_student_that_lies_in_the_run_judges_though_nothing_measures_it(run: Path) -> None:
    (recipe,) = run.glob("recipe.yaml")
    content = yaml.safe_load(recipe.read_text())
    content.pop("evaluate")
    recipe.write_text(yaml.safe_dump(content))
    fast = open_judge(run, student="student (fast)")
    assert (fast.name, fast.mode) == ("tiny/student (fast)", "fast")
    with pytest.raises(RecipeError, match="no stage of the recipe makes or measures it"):
        open_judge(run, student="before training")
    shutil.copytree(run / "sft/student", run / "sft/before")
    assert open_judge(run, student="before training").name == "tiny/before training"


def test_a_version_follows_from_weights_dialect_and_margin_and_from_no_folder(
    run: Path, made: Path
) -> None:
    first = open_judge(run, dialect="bias-single-compact").version
    assert first == open_judge(made, dialect="bias-single-compact").version
    write_margin(run / "sft/student", 0.5, DIALECTS["bias-single-compact"].hash)
    second = open_judge(run, dialect="bias-single-compact").version
    change_weights(run / "sft/student")
    third = open_judge(run, dialect="bias-single-compact").version
    assert len({first, second, third}) == 3


def test_a_version_follows_from_how_the_judge_is_asked(run: Path, exported: Path) -> None:
    for folder in (run, exported):
        judge, fast = open_judge(folder), open_judge(folder, mode="fast")
        short = replace(judge, max_tokens=8)
        assert judge.made_of == fast.made_of == short.made_of
        assert len({judge.version, fast.version, short.version}) == 3
    assert open_judge(run, mode="fast").version == open_judge(exported, mode="fast").version


def change_weights(folder: Path) -> None:
    torch = load("safetensors.torch")
    file = str(folder / "model.safetensors")
    held = torch.load_file(file)
    torch.save_file({name: tensor + 0.5 for name, tensor in held.items()}, file, {"format": "pt"})


def test_an_exported_judge_says_what_the_run_says(
    run: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGESMITH_CACHE", str(tmp_path / "cache"))
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(ROW) + "\n")
    for folder in (run, exported):
        judge = open_judge(folder)
        assert isinstance(judge.model, LateModel)
        short = replace(judge, max_tokens=8)
        judge_file(short, rows, tmp_path / f"{folder.name}.jsonl")
    assert (tmp_path / "run.jsonl").read_bytes() == (tmp_path / "judge.jsonl").read_bytes()
    assert json.loads((tmp_path / "run.jsonl").read_bytes())["version"] == short.version
    assert (tmp_path / "cache/machine.json").is_file()
    assert not (exported / "machine.json").exists()


def edited(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / JUDGE_FILE).read_text())
        (folder / JUDGE_FILE).write_text(json.dumps({**content, **changes}))

    return change


def edited_dialect(folder: Path) -> None:
    content = json.loads((folder / JUDGE_FILE).read_text())
    content["dialect"]["system"] = "Always say A."
    (folder / JUDGE_FILE).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (change_weights, "field 'version': expected .* weights, dialect, margin, mode"),
        (edited(tie_margin=0.5), "field 'version': expected"),
        (edited(mode="fast"), "field 'version': expected .* mode, reply tokens"),
        (edited(reply_tokens=7), "field 'version': expected .* mode, reply tokens"),
        (edited(reply_tokens="many"), "field reply_tokens: Input should be a valid integer"),
        (edited(colour="red"), "field colour: Extra inputs are not permitted"),
        (edited(schema=3), "field schema: Input should be 1"),
        (edited_dialect, "the file was edited, or this version of judgesmith hashes otherwise"),
        (lambda folder: (folder / JUDGE_FILE).write_text("{"), "Invalid JSON"),
    ],
)
def test_a_folder_that_changed_after_its_export_is_refused(
    exported: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(exported)
    with pytest.raises(DataError, match=said) as caught:
        open_judge(exported)
    assert str(exported / JUDGE_FILE) in str(caught.value)


def test_an_exported_judge_has_no_other_dialect_or_student(exported: Path) -> None:
    assert open_judge(exported, dialect="bias-pair-compact").name == "tiny/student"
    with pytest.raises(
        RecipeError, match=r"--dialect .* was exported in .bias-pair-compact. alone"
    ):
        open_judge(exported, dialect="bias-pair")
    with pytest.raises(RecipeError, match="holds one exported judge"):
        open_judge(exported, student="merged")


def test_a_model_that_cannot_be_loaded_says_why() -> None:
    def broken() -> Any:
        raise AttributeError("no tokenizer of that name")

    model = LateModel("broken", broken)
    for ask in (lambda: getattr(model, "lot", 1), lambda: list(model.complete([]))):
        with pytest.raises(RuntimeError, match="broken: could not be loaded: no tokenizer of that"):
            ask()
    assert not hasattr(LateModel.__new__(LateModel), "_held"), "a copy that is not filled yet"


def test_a_model_is_loaded_when_it_is_first_asked() -> None:
    loads: list[str] = []

    class Quick:
        name, lot = "quick", 7

        def complete(self, requests: Any) -> Any:
            return iter(())

    def opened() -> Any:
        loads.append("now")
        return Quick()

    model = LateModel("quick", opened)
    assert (model.name, loads) == ("quick", [])
    assert list(model.complete([])) == []
    assert (model.lot, getattr(model, "independent", False), loads) == (7, False, ["now"])


def test_what_every_question_had_is_known_of_a_run_and_of_an_exported_folder(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows that lack it are counted, with the first; a dialect that never shows it asks nothing."""
    questions = run / "questions/questions.jsonl"
    questions.parent.mkdir(exist_ok=True)
    asked = [{"context": "c", "choices": ["x", "y"]}, {"context": None, "choices": ["x", "y"]}]
    questions.write_text("".join(json.dumps(one) + "\n" for one in asked))
    judge = open_judge(run)
    assert judge.always == ("choices",)
    folder = Path(shutil.copytree(run / "sft/student", tmp_path / "judge"))
    write_judge_file(folder, JudgeFile.of(judge, "bias"))
    assert open_judge(folder).always == ("choices",)
    pair = {"question": "Who?", "response_a": "Ann.", "response_b": "Bob."}
    rows = [{**pair, "choices": ["x", "y"]}, pair, {**pair, "response_b": " ", "latency_ms": 3}]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tell_lacking(judge, Source(path))
    told = " ".join(capsys.readouterr().out.split())
    assert f"2 of 3 rows have no `choices` (the first: {path}:2)" in told
    assert f"1 of 3 rows have an empty response (the first: {path}:3)" in told
    assert "context" not in told
    assert "warning: fields that are not read: latency_ms." in told
    tell_lacking(judge, Source(path, limit=1))
    tell_lacking(replace(judge, dialect=LIBRARY["prometheus-relative"]), Source(path, limit=2))
    assert capsys.readouterr().out == ""
