"""The responses stage: who answers, resumed by record id."""

from typing import Any

import pytest

from judgesmith.errors import RecipeError
from judgesmith.records import Response
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
