"""No stage goes on from a student whose dialect has changed since it was trained."""

from pathlib import Path

import pytest

from judgesmith.backends.origin import Origin, write_origin
from judgesmith.errors import DataError
from judgesmith.judging.library import LIBRARY
from judgesmith.models.protocol import Model
from judgesmith.records import Message, PreferenceRow, Split
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.students import student_folder
from judgesmith.stages import dpo, merge

NAME, OTHER = "prometheus-relative", "prometheus-absolute"
CHANGED = "0" * 16


def no_models(name: str) -> Model:
    raise AssertionError(f"{name!r} was opened")


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "run", Header(name="t", task="general", seed=7))


def trained(run_dir: RunDir, student: str, dialects: dict[str, str]) -> None:
    folder = run_dir.file(student_folder(student))
    folder.mkdir(parents=True)
    write_origin(folder, Origin(dialects=dialects, base="b", base_hash=None, reply_tokens=None))


def test_preferences_are_not_learned_in_a_changed_dialect(run_dir: RunDir) -> None:
    prompt = (Message(role="user", content="Which?"),)
    row = PreferenceRow.make(
        source="t", licence="n", item_id="i", order=(0, 1), split=Split.TRAIN, prompt=prompt,
        dialect=LIBRARY[NAME].hash, chosen="A", rejected="B", how_made="swap",
    )  # fmt: skip
    run_dir.write("preferences/preferences.jsonl", [row])
    trained(run_dir, "student", {NAME: CHANGED})
    config = dpo.Config(dialect=NAME, steps=1, learning_rate=0.001)
    with pytest.raises(DataError, match=rf"student 'student' was trained in dialect '{NAME}' \(00"):
        dpo.run(config, run_dir, no_models)
    assert not run_dir.file("dpo").exists()


@pytest.mark.parametrize("search", [None, {"shares": [0.3]}])
def test_judges_of_a_changed_dialect_are_not_merged(
    run_dir: RunDir, search: dict[str, object] | None
) -> None:
    trained(run_dir, "pairwise", {NAME: LIBRARY[NAME].hash})
    trained(run_dir, "absolute", {OTHER: CHANGED})
    config = merge.Config.model_validate(
        {
            "judges": ["pairwise", "absolute"],
            "method": {"kind": "nuslerp", "weights": [0.5, 0.5]},
            "search": search,
        }
    )
    with pytest.raises(DataError, match=rf"student 'absolute' was trained in dialect '{OTHER}'"):
        merge.run(config, run_dir, no_models)
    assert not run_dir.file("merge").exists()
