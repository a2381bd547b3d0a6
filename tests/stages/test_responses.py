"""The responses stage: who answers, resumed by record id."""

from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import RecipeError
from judgesmith.records import Question, Response
from judgesmith.runs.layout import RunDir
from judgesmith.stages import questions, responses
from judgesmith.stages.responses import Config

TWO = ({"name": "one", "style": "terse"}, {"name": "two", "style": "hedged"})


@pytest.fixture
def asked(empty_run: RunDir, no_models: Any) -> RunDir:
    source = questions.Source(kind="bank", count=300)
    questions.run(questions.Config(sources=(source,)), empty_run, no_models)
    return empty_run


def test_every_responder_answers_every_question(asked: RunDir, no_models: Any) -> None:
    report = responses.run(Config(simulated=TWO), asked, no_models)
    found = asked.read("responses/responses.jsonl", Response)
    assert len({(r.model, r.question_id) for r in found}) == 600
    assert (report.taken, report.calls) == (600, 600)
    assert not list(asked.file("responses").glob("*.partial"))


def test_what_was_written_is_not_asked_again(asked: RunDir, no_models: Any) -> None:
    """300 questions are asked in chunks of 256. A kill leaves the first chunk and half a line."""
    responses.run(Config(simulated=TWO), asked, no_models)
    path = asked.file("responses/responses.jsonl")
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    asked.partial("responses/responses.jsonl").path.write_bytes(
        b"".join(lines[:256]) + lines[256][:40]
    )
    path.unlink()
    report = responses.run(Config(simulated=TWO), asked, no_models)
    assert path.read_bytes() == whole
    assert report.calls == 600 - 256


def test_two_responders_of_one_name_are_refused(asked: RunDir, no_models: Any) -> None:
    """Told apart by nothing, the second would take over the first one's responses in silence."""
    twice = ({"name": "one", "style": "terse"}, {"name": "one", "style": "hedged"})
    with pytest.raises(RecipeError, match="its own name"):
        responses.run(Config(simulated=twice), asked, no_models)


def test_an_unknown_field_of_a_responder_names_the_nearest(asked: RunDir, no_models: Any) -> None:
    with pytest.raises(RecipeError, match="did you mean 'bias_rate'"):
        responses.run(
            Config(simulated=({"name": "x", "style": "terse", "bias_rte": 0.1},)), asked, no_models
        )


def test_an_imported_log_is_counted_and_its_questions_are_not_asked_again(
    asked: RunDir, no_models: Any, tmp_path: Path
) -> None:
    """Five rows: two responses, one of them twice, one without text, one to no known question."""
    one, two, *_ = asked.read("questions/questions.jsonl", Question)
    rows = [f"{one.id},x", f"{two.id},y", f"{one.id},x", f"{two.id},", "nobody,z"]
    (tmp_path / "log.csv").write_text("\n".join(["id,text", *rows]), encoding="utf-8")
    columns = {"question": {"known": "{id}"}, "responses": [{"model": "m", "text": "{text}"}]}
    given = {"kind": "log", "path": str(tmp_path / "log.csv"), "columns": columns}
    config = Config.model_validate({"imports": [given], "simulated": TWO[:1]})
    report = responses.run(config, asked, no_models)
    assert (report.taken, report.made, report.calls) == (5 + 298, 2 + 298, 298)
    assert report.dropped == {
        "the row has no response": 1, "its question is not in the run": 1, "the same text twice": 1
    }  # fmt: skip
    found = asked.read("responses/responses.jsonl", Response)
    assert [(r.question_id, r.text) for r in found if r.model == "m"] == [
        (one.id, "x"), (two.id, "y")
    ]  # fmt: skip
