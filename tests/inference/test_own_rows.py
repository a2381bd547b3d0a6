"""What a run's judge makes of the user's own rows; the model itself is tested in tests/cli.

The scripted judge writes replies by a rule that is visible here, so that every number follows.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.origin import Origin, write_origin
from judgesmith.errors import DataError, RecipeError, RunError
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.stream import judge_file
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.models.protocol import Completion, Request
from judgesmith.pipeline import open_judge, open_run, read_recipe, start_run
from judgesmith.pipeline.measure_pairs import check_labels, judged_pairs
from judgesmith.pipeline.recipes import MODEL_FILES
from judgesmith.records import Finish, Kind
from judgesmith.runs.layout import RunDir
from judgesmith.tasks import load_dialect, load_task

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"

FIELDS = {"criterion": "Does it say when?", "levels": ["1", "2", "3", "4", "5"]}
ROW = {"question": "Where is it?", "fields": FIELDS}
PAIR = {**ROW, "response_a": "splendid", "response_b": "awful"}
ALONE = {**ROW, "response": "splendid"}


class Scripted:
    """Writes what its dialect wants: "splendid" is a 5, or the better of two."""

    name = "scripted"

    def __init__(self, dialect: Dialect) -> None:
        self.dialect, self.prompts = dialect, list[str]()

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            prompt = request.messages[-1].content
            self.prompts.append(prompt)
            good, bad = prompt.find("splendid"), prompt.find("awful")
            letter = "A" if good < bad else "B"
            verdict = ("5" if good >= 0 else "2") if self.dialect.scored else letter
            if self.dialect.scale.choices == ("yes", "no"):
                verdict = "yes" if good >= 0 else "no"
            yield Completion(
                text=self.dialect.write_reply("So.", verdict), finish=Finish.STOP,
                prompt_tokens=1, completion_tokens=1, probabilities=None, cost_usd=0.0,
            )  # fmt: skip


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    """The folder of a run whose student knows two dialects, without its weights."""
    made = start_run(tmp_path / "run", read_recipe(TINY))
    student = made.file("sft/student")
    student.mkdir(parents=True)
    dialects = {
        name: load_dialect(load_task("bias"), name).hash
        for name in ("bias-pair-compact", "bias-single-compact")
    }
    write_origin(student, Origin(dialects=dialects, base="none", base_hash=None, reply_tokens=None))
    return made


def judge_of(dialect: Dialect) -> tuple[Judge, Scripted]:
    model = Scripted(dialect)
    margin = 0.0 if dialect.kind is Kind.SINGLE and dialect.scored else None
    return Judge("tiny/student", "v1", dialect, model, 60, margin), model


def judged(judge: Judge, folder: Path, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    judge_file(judge, path, folder / "out.jsonl")
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_a_dialect_is_shown_the_fields_of_the_row(tmp_path: Path) -> None:
    own, model = judge_of(LIBRARY["prometheus-relative"])
    (row,) = judged(own, tmp_path, PAIR)
    assert (row["verdict"], row["consistent"]) == ("A", True)
    assert all("Does it say when?" in prompt for prompt in model.prompts)


@pytest.mark.parametrize("field", ["reference", "grounding"])
def test_a_dialect_is_shown_the_reference_or_document_of_the_row(
    field: str, tmp_path: Path
) -> None:
    name = "prometheus-relative-reference" if field == "reference" else (
        "prometheus-relative-grounded"
    )  # fmt: skip
    own, model = judge_of(LIBRARY[name])
    judged(own, tmp_path, {**PAIR, field: "It comes on Monday."})
    assert all("It comes on Monday." in prompt for prompt in model.prompts)
    with pytest.raises(DataError, match=rf"rows\.jsonl:2: .* no {field}, and this dialect needs"):
        judged(own, tmp_path, {**PAIR, field: "It comes on Monday."}, PAIR)


def test_a_missing_field_is_named_with_its_line_before_anything_is_asked(tmp_path: Path) -> None:
    own, model = judge_of(LIBRARY["prometheus-absolute"])
    for lost in FIELDS:
        short = {**ALONE, "fields": {k: v for k, v in FIELDS.items() if k != lost}}
        with pytest.raises(DataError) as caught:
            judged(own, tmp_path, ALONE, short)
        told = str(caught.value)
        assert told.startswith(f"{tmp_path / 'rows.jsonl'}:2: dialect 'prometheus-absolute': ")
        assert lost in told
        assert '"fields": {"criterion": "..."}' in told
    assert not model.prompts


def test_a_judge_of_single_responses_scores_pairs_and_responses_alone(tmp_path: Path) -> None:
    """`splendid` is a 5, `awful` a 2; of the pair the first is named, in either form it is a 5."""
    own, model = judge_of(LIBRARY["prometheus-absolute"])
    bad = {**ROW, "id": "x", "response": "awful"}
    first, pair, second = judged(own, tmp_path, ALONE, PAIR, bad)
    assert (first["id"], first["score"], first["status"]) == (1, 5.0, "parsed")
    assert (first["rationale"], second["id"], second["score"]) == ("So.", "x", 2.0)
    assert not {"verdict", "scores", "names", "orders"} & set(first)
    assert (pair["verdict"], pair["scores"], pair["names"]) == ("A", [5.0, 2.0], "better")
    assert len(model.prompts) == 4


def yes_or_no() -> Dialect:
    return Dialect.model_validate({
        "name": "is-polite", "kind": "single", "user": "{{ question }} {{ responses[0].text }}",
        "scale": ["yes", "no"], "reply": "{rationale} Polite: {verdict}",
    })  # fmt: skip


def test_a_judge_that_chooses_a_word_takes_single_responses_only(tmp_path: Path) -> None:
    own, _ = judge_of(yes_or_no())
    (row,) = judged(own, tmp_path, ALONE)
    assert (row["verdict"], "score" in row) == ("yes", False)
    with pytest.raises(DataError, match=r"rows\.jsonl:2: .* expected a scale from"):
        judged(own, tmp_path, ALONE, PAIR)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**ALONE, "score": 6}], "1: field 'score': expected a number from 1 to 5 .* found 6"),
        ([{**ALONE, "score": 3}, ALONE], "2: field 'score': expected a number .* found None"),
        ([{**ALONE, "score": 3}, PAIR], "2: expected one response as in .*1, found two"),
        ([PAIR], "1: field 'verdict': expected one of A, B, TIE to measure against, found None"),
        ([{**PAIR, "verdict": "A"}], "1: field 'names' is missing"),
    ],
)
def test_labels_that_nothing_can_be_measured_against_are_named(
    rows: list[dict[str, Any]], said: str, tmp_path: Path
) -> None:  # fmt: skip
    own, _ = judge_of(LIBRARY["prometheus-absolute"])
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(DataError, match=rf"rows\.jsonl:{said}"):
        check_labels(own, path)


def test_single_responses_are_measured_against_their_scores(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own, _ = judge_of(LIBRARY["prometheus-absolute"])
    monkeypatch.setattr("judgesmith.pipeline.measure_pairs.open_judge", lambda *_: own)
    path = tmp_path / "rows.jsonl"
    rows = [{**ALONE, "score": 4.5}, {**ROW, "response": "awful", "score": 1}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    source = judged_pairs(run_dir.path, path)
    assert (source.subject.kind, source.subject.limits) == ("single", (1.0, 5.0))
    found = [[(one.role, one.scores) for one in row.judgments] for row in source.read()]
    assert found == [
        [("person", (4.5,)), ("judge", (5.0,))], [("person", (1.0,)), ("judge", (2.0,))],
    ]  # fmt: skip


def test_a_student_of_two_dialects_judges_in_either(run_dir: RunDir) -> None:
    assert open_judge(run_dir.path).dialect.name == "bias-pair-compact"
    other = open_judge(run_dir.path, dialect="bias-single-compact")
    assert (other.dialect.kind, other.margin) == (Kind.SINGLE, 0.0)
    with pytest.raises(RecipeError) as caught:
        open_judge(run_dir.path, dialect="bias-pair")
    told = str(caught.value)
    assert told.startswith("--dialect 'bias-pair': tiny/student was trained in ")
    assert "bias-pair-compact, bias-single-compact; " in told


@pytest.mark.parametrize("held", MODEL_FILES)
def test_the_folder_of_a_model_is_told_from_a_run(held: str, tmp_path: Path) -> None:
    folder = tmp_path / "merged"
    folder.mkdir()
    (folder / held).write_text("{}")
    for call in (lambda: open_run(folder), lambda: start_run(folder, read_recipe(TINY))):
        with pytest.raises(RunError) as caught:
            call()
        assert f"`sft.student: {folder}`" in str(caught.value)
        assert "judgesmith run RECIPE" not in str(caught.value)
    with pytest.raises(RunError, match="judgesmith run RECIPE"):
        open_run(tmp_path)
