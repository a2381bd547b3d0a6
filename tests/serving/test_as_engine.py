"""A server as the engine of `judge`: the same verdicts and chances, and no other model's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from judges import PAIR, Scripted
from served import Server

from judgesmith.errors import DataError, ModelError, RecipeError
from judgesmith.inference.engines import check_engine, on_engine
from judgesmith.inference.judge import Judge
from judgesmith.serving.keys import Keys
from judgesmith.sources.own_files import as_entry
from judgesmith.web.keys import hash_key

Serve = Callable[..., Server]
Made = Callable[..., tuple[Judge, Scripted]]
ROWS = [
    as_entry({**PAIR, "response_a": f"{said} {row}"}, "rows", f"row {row}")
    for row, said in enumerate(["splendid", "awful", "splendid awful"])
]


def test_a_server_of_the_judge_says_what_the_judge_says(serve: Serve, scripted: Made) -> None:
    judge, model = scripted()
    server = serve(judge)
    there = on_engine(judge, Path("runs/none"), f"{server.url}/v1")
    own, found = judge.judge(ROWS), there.judge(ROWS)
    assert sum("awful 1" in prompt for prompt in model.prompts) == 4
    for one, other in zip(own, found, strict=True):
        assert other.verdict == one.verdict
        assert [told.rationale for told in other.judgments] == [
            told.rationale for told in one.judgments
        ]
        assert other.distribution == pytest.approx(one.distribution, abs=1e-6)
        assert other.covered == pytest.approx(one.covered, abs=1e-6)
    assert there.version != judge.version
    assert there.calibration is None


def test_another_model_or_nobody_is_told_before_a_row_is_judged(
    serve: Serve, scripted: Made
) -> None:
    judge, model = scripted()
    url = f"{serve(judge).url}/v1"
    with pytest.raises(ModelError, match="no model 'other'; valid: scripted"):
        on_engine(judge, Path("x"), f"{url}#other").judge(ROWS)
    with pytest.raises(ModelError, match="no server answers there"):
        on_engine(judge, Path("x"), "http://127.0.0.1:9/v1").judge(ROWS)
    with pytest.raises(DataError, match="can be given the beginning of its reply"):
        on_engine(replace(judge, mode="fast"), Path("x"), url).judge(ROWS)
    assert not any("awful 1" in prompt for prompt in model.prompts)


def test_a_key_comes_from_the_environment(
    serve: Serve, scripted: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, _ = scripted()
    url = f"{serve(judge, keys=Keys((hash_key('jsk_engine'),))).url}/v1"
    with pytest.raises(ModelError, match="JUDGESMITH_ENGINE_KEY"):
        on_engine(judge, Path("x"), url).judge(ROWS)
    monkeypatch.setenv("JUDGESMITH_ENGINE_KEY", "jsk_engine")
    assert [one.verdict for one in on_engine(judge, Path("x"), url).judge(ROWS)] == [
        one.verdict for one in judge.judge(ROWS)
    ]


@pytest.mark.parametrize("engine", ["http://", "https://user:secret@host/v1", "ftp://host"])
def test_what_is_no_server_is_refused(engine: str) -> None:
    with pytest.raises(RecipeError, match=r"--engine .*expected"):
        check_engine(engine)
