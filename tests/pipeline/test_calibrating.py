"""Which labels a calibration may rest on, with a run's records and a scripted judge."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError, RunError
from judgesmith.inference.abstaining import promise
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import JudgeFile, write_judge_file
from judgesmith.judging.dialect import Dialect
from judgesmith.models.protocol import Completion, Request
from judgesmith.pipeline import read_recipe, start_run
from judgesmith.pipeline.calibrating import calibrate
from judgesmith.records import (
    AnnotatorKind,
    Direction,
    Finish,
    Item,
    Kind,
    Label,
    Question,
    Response,
    Split,
    choice,
)
from judgesmith.runs.layout import RunDir
from judgesmith.tasks import load_dialect, load_task

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
PAIR = load_dialect(load_task("bias"), "bias-pair-compact")
ABC = Dialect.model_validate({
    "name": "abc", "kind": "single", "user": "{{ question }} {{ responses[0].text }}",
    "scale": ["A", "B", "C"], "reply": "{rationale} Grade: {verdict}",
})  # fmt: skip


class SureOfFirst:
    """Says with probability .8 the response that reads `first`; of one response it says A."""

    name = "sure"

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            prompt = request.messages[-1].content
            swapped = -1 < prompt.find("other") < prompt.find("first")
            last = "TIE" if self.dialect is PAIR else "C"
            slots = ("B", "A", last) if swapped else ("A", "B", last)
            said = dict(zip(slots, (0.8, 0.1, 0.1), strict=True))
            of = self.dialect.wording.of
            yield Completion(
                text=self.dialect.write_reply("So.", slots[0]), finish=Finish.STOP,
                prompt_tokens=1, completion_tokens=1, covered=1.0,
                probabilities={of.get(value, value): p for value, p in said.items()},
            )  # fmt: skip


def judge_in(monkeypatch: pytest.MonkeyPatch, dialect: Dialect = PAIR) -> None:
    judge = Judge("tiny/student", "v1", dialect, SureOfFirst(dialect), 60)
    monkeypatch.setattr("judgesmith.pipeline.calibrating.judge_of_run", lambda *_, **__: judge)


def question(n: int) -> Question:
    return Question.make(
        source="t", licence="n", group_id=f"g{n}", template_id=f"t{n % 3}", category=None,
        context="C.", text=f"Who, {n}?", choices=("Ann", "Bob"), key=None, reference=None,
        grounding=None, task={},
    )  # fmt: skip


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    """Twelve questions of three templates on dev, labelled by a person, and one on train."""
    made = start_run(tmp_path / "run", read_recipe(TINY))
    questions = [question(n) for n in range(13)]
    responses, items, labels = [], [], []
    for n, asked in enumerate(questions):
        pair = [
            Response.make(
                source="t", licence="n", question_id=asked.id, model=text, sampling={}, text=text,
                finish=Finish.STOP, task={},
            )
            for text in ("first", "other")
        ]  # fmt: skip
        item = Item.make(
            source="t", licence="n", kind=Kind.PAIR, question_id=asked.id,
            response_ids=tuple(one.id for one in pair), bucket="b", subtype=None,
            split=Split.TRAIN if n == 12 else Split.DEV,
        )  # fmt: skip
        labels.append(
            Label.make(
                source="t",
                licence="n",
                item_id=item.id,
                verdict=choice("A"),
                direction=Direction.WORSE,
                confidence=None,
                policy="p",
                judgment_ids=(),
                annotator_kind=AnnotatorKind.PERSON,
                annotator="a",
            )
        )
        responses += pair
        items.append(item)
    made.write("questions/questions.jsonl", questions)
    made.write("responses/responses.jsonl", responses)
    made.write("split/items.jsonl", items)
    made.write("labels/labels.jsonl", labels)
    return made


def rows_in(folder: Path, asked: Sequence[str], **fields: Any) -> Path:
    path = folder / "labelled.jsonl"
    rows = [{"question": text, "context": "C.", **fields} for text in asked]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


TWO = {"response_a": "first", "response_b": "other", "verdict": "A", "names": "worse"}
NEW = [f"New, {n}?" for n in range(6)]


def test_questions_of_the_train_side_are_refused(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_in(monkeypatch)
    with pytest.raises(DataError, match=r"labelled\.jsonl:7: .* not trained on"):
        calibrate(run_dir.path, rows_in(tmp_path, [*NEW, "who,  12?"], **TWO))
    assert not run_dir.file("calibration.json").exists()


def test_questions_of_the_dev_side_are_said_to_have_chosen(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_in(monkeypatch)
    new = calibrate(run_dir.path, rows_in(tmp_path, NEW, **TWO)).calibration
    assert not new.fitted_on.also_chose
    known = calibrate(run_dir.path, rows_in(tmp_path, [*NEW, "Who, 3?"], **TWO)).calibration
    assert known.fitted_on.also_chose
    assert "somewhat too good" in promise(known, known.abstention(0.9, 0.5))


def test_labels_of_single_responses_are_taken_as_they_are(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A is a grade here, not the first of two: there is nothing to turn."""
    judge_in(monkeypatch, ABC)
    found = calibrate(
        run_dir.path, rows_in(tmp_path, NEW, response="first", verdict="A")
    ).calibration
    assert found.fitted_on.kind is Kind.SINGLE
    assert found.evidence.right == (True,) * 6


def test_labels_of_pairs_are_turned_into_the_judges_direction(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_in(monkeypatch)
    better = {**TWO, "names": "better"}
    found = calibrate(run_dir.path, rows_in(tmp_path, NEW, **better)).calibration
    assert found.evidence.right == (False,) * 6


def test_the_dev_side_says_who_labelled_it_and_how_many_templates_it_has(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_in(monkeypatch)
    found = calibrate(run_dir.path, None).calibration
    fitted = found.fitted_on
    assert (fitted.labels, fitted.items, fitted.templates) == ("person", 12, 3)
    told = promise(found, found.abstention(0.9, 0.5))
    assert "(labels: person)" in told
    assert "made from 3 templates: nothing is promised of questions from other" in told
    assert "one item drawn of each" in told
    run_dir.write("labels/labels.jsonl", list[Label]())
    with pytest.raises(DataError, match="no dev item has a label"):
        calibrate(run_dir.path, None)


class Struck(BaseException):
    """What stands for the end of a process: nothing may catch it."""


class Struckable(SureOfFirst):
    """It is struck down at the chunk `strike_at`; its chunks have four rows."""

    lot = 4

    def __init__(self, strike_at: int | None = None) -> None:
        super().__init__(PAIR)
        self.chunks, self.strike_at = 0, strike_at

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        if self.chunks == self.strike_at:
            raise Struck
        self.chunks += 1
        yield from super().complete(requests)


def strike_in(monkeypatch: pytest.MonkeyPatch, strike_at: int | None) -> Struckable:
    model = Struckable(strike_at)
    judge = Judge("tiny/student", "v1", PAIR, model, 60)
    monkeypatch.setattr("judgesmith.pipeline.calibrating.judge_of_run", lambda *_, **__: judge)
    return model


@pytest.mark.parametrize("labelled", [True, False])
def test_a_call_that_was_killed_goes_on_and_comes_to_the_same(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labelled: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("judgesmith.pipeline.calibrating.CHUNK", 4)
    path = rows_in(tmp_path, [f"New, {n}?" for n in range(12)], **TWO) if labelled else None
    strike_in(monkeypatch, None)
    whole = calibrate(run_dir.path, path).calibration
    strike_in(monkeypatch, 2)
    with pytest.raises(Struck):
        calibrate(run_dir.path, path)
    (partial,) = run_dir.path.glob(".calibrating.*")
    partial.write_bytes(partial.read_bytes()[:-9])
    capsys.readouterr()
    again = strike_in(monkeypatch, None)
    assert calibrate(run_dir.path, path).calibration == whole
    assert "calibrate: going on after 4 of 12 items" in " ".join(capsys.readouterr().err.split())
    assert again.chunks == 2, "of three chunks, one was torn and one not begun"
    assert not list(run_dir.path.glob(".calibrating.*"))


def test_few_labels_do_not_replace_a_calibration_on_more(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve questions of dev are kept; with --replace six are taken, and are not judged again."""
    model = strike_in(monkeypatch, None)
    dev = calibrate(run_dir.path, None).calibration
    path = rows_in(tmp_path, NEW, **TWO)
    with pytest.raises(DataError, match=rf"at least 12 .*{dev.id}, which rests on 12 .*found 6\."):
        calibrate(run_dir.path, path)
    kept = run_dir.file("calibration.json").read_text()
    assert dev.id in kept
    asked = model.chunks
    found = calibrate(run_dir.path, path, replace=True)
    assert model.chunks == asked
    assert (found.replaced, found.calibration.fitted_on.items) == (dev, 6)
    assert dev.id not in run_dir.file("calibration.json").read_text()
    calibrate(run_dir.path, None)
    judge = Judge("tiny/student", "v2", PAIR, model, 60)
    monkeypatch.setattr("judgesmith.pipeline.calibrating.judge_of_run", lambda *_, **__: judge)
    assert calibrate(run_dir.path, path).replaced is None, "that of a former version is of no use"


def test_labels_that_are_turned_about_are_refused_unless_insisted_on(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All labels name the first response, as in a file of chosen and rejected ones: no kappa."""
    strike_in(monkeypatch, None)
    asked = [f"New, {n}?" for n in range(12)]
    turned = rows_in(tmp_path, asked, **{**TWO, "names": "better"})
    with pytest.raises(DataError, match=r"found the other on 12 of 12 questions .*--replace"):
        calibrate(run_dir.path, turned)
    assert not run_dir.file("calibration.json").exists()
    assert calibrate(run_dir.path, turned, replace=True).replaced is None
    mixed = [{**TWO, "verdict": "A" if n % 2 else "B"} for n in range(12)]
    turned.write_text(
        "".join(
            json.dumps({"question": text, "context": "C.", **fields}) + "\n"
            for text, fields in zip(asked, mixed, strict=True)
        )
    )
    assert calibrate(run_dir.path, turned).calibration.fitted_on.items == 12


def test_too_few_labels_are_named_with_their_file_and_leave_nothing(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike_in(monkeypatch, None)
    with pytest.raises(DataError, match=r"^labelled\.jsonl: expected at least 5 questions .*3\."):
        calibrate(run_dir.path, rows_in(tmp_path, NEW[:3], **TWO))
    assert not list(run_dir.path.glob(".calibrating.*"))
    judge = Judge("tiny/student", "v1", PAIR, SureOfFirst(PAIR), 60)
    write_judge_file(run_dir.path, JudgeFile.of(judge, "bias"))
    with pytest.raises(RunError, match="expected a run, found an exported judge"):
        calibrate(run_dir.path, rows_in(tmp_path, NEW, **TWO))


def test_choices_that_agree_less_than_by_chance_are_refused(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Alternating(SureOfFirst):
        def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
            for request in requests:
                said = "AB"["even" in request.messages[-1].content]
                yield Completion(
                    text=ABC.write_reply("So.", said), finish=Finish.STOP, prompt_tokens=1,
                    completion_tokens=1, probabilities={"A": 0.1, "B": 0.1, "C": 0.1, said: 0.8},
                )  # fmt: skip

    judge = Judge("tiny/student", "v1", ABC, Alternating(ABC), 60)
    monkeypatch.setattr("judgesmith.pipeline.calibrating.judge_of_run", lambda *_, **__: judge)
    path = tmp_path / "labelled.jsonl"
    rows = [
        {"question": f"New, {n}?", "response": "even" if n % 2 else "odd",
         "verdict": "A" if (n % 2) == (n > 1) else "B"}
        for n in range(20)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=r"by chance, found kappa -0\.8\d, at most -0\."):
        calibrate(run_dir.path, path)
