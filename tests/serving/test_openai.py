"""The official client of OpenAI, and our own for such servers, against the real server."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from judges import PAIR, Scripted, scripted_judge
from served import CHAT, Server

from judgesmith.inference.judge import Judge
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.render import render_prompt
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.client import Books, HttpModel
from judgesmith.models.http.ledger import Ledger
from judgesmith.models.protocol import Mode, Request, Sampling, Wanted
from judgesmith.records import Message
from judgesmith.runs.endpoint import Endpoint
from judgesmith.serving.keys import Keys
from judgesmith.web.keys import hash_key

Serve = Callable[..., Server]
Made = Callable[..., tuple[Judge, Scripted]]
DIALECT = LIBRARY["prometheus-relative"]
USER = "A: splendid, B: awful"
FORM = "Feedback: So. [RESULT] A"


@pytest.fixture
def judge(scripted: Made) -> tuple[Judge, Scripted]:
    return scripted()


@pytest.fixture
def client(serve: Serve, judge: tuple[Judge, Scripted]) -> openai.OpenAI:
    return client_of(serve(judge[0]))


def client_of(server: Server, key: str = "none") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0, timeout=20)


def ask(client: openai.OpenAI, *turns: tuple[str, Any], **options: Any) -> Any:
    messages: Any = [{"role": role, "content": content} for role, content in turns]
    return client.chat.completions.create(model="scripted", messages=messages, **options)


def test_the_judge_is_the_one_model(client: openai.OpenAI) -> None:
    (found,) = client.models.list().data
    assert (found.id, found.owned_by) == ("scripted", "judgesmith")
    assert client.models.retrieve("scripted").id == "scripted"
    with pytest.raises(openai.NotFoundError, match="expected 'scripted'"):
        client.models.retrieve("gpt-4")


def test_a_judge_whose_name_has_a_slash_is_found(serve: Serve, scripted: Made) -> None:
    from dataclasses import replace

    client = client_of(serve(replace(scripted()[0], name="run/student")))
    assert client.models.retrieve("run/student").id == "run/student"


def test_a_reply_and_what_it_means(client: openai.OpenAI) -> None:
    found = ask(client, ("user", USER))
    assert found.choices[0].message.content == FORM
    assert found.choices[0].finish_reason == "stop"
    usage = found.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (9, 3, 12)
    assert found.model_extra["judgment"] == {
        "verdict": "A", "distribution": {"A": 0.8, "B": pytest.approx(0.2)}, "covered": 0.9,
        "status": "parsed", "judge": "scripted",
        "version": scripted_judge()[0].version, "dialect_hash": DIALECT.hash,
    }  # fmt: skip


@pytest.mark.parametrize(
    "turns",
    [
        [("user", USER)],
        [("system", DIALECT.system), ("user", USER)],
        [("developer", DIALECT.system), ("user", USER)],
        [("system", f" {DIALECT.system}\n"), ("user", [{"type": "text", "text": USER}])],
    ],
)
def test_the_system_text_is_the_judges_own(
    turns: list[tuple[str, Any]], client: openai.OpenAI, judge: tuple[Judge, Scripted]
) -> None:
    ask(client, *turns)
    assert judge[1].requests[-1].messages == (
        Message(role="system", content=DIALECT.system or ""), Message(role="user", content=USER),
    )  # fmt: skip


@pytest.mark.parametrize("already", [False, True])
def test_a_dialect_without_system_role_has_its_text_once(
    already: bool, serve: Serve, scripted: Made
) -> None:
    folded = DIALECT.model_copy(update={"system_role": False})
    made, model = scripted(folded)
    whole = f"{folded.system}\n\n{USER}"
    ask(client_of(serve(made)), ("user", whole if already else USER))
    assert model.requests[-1].messages == (Message(role="user", content=whole),)


def test_what_is_asked_is_what_a_judgment_asks(serve: Serve, scripted: Made) -> None:
    """The prompt of a row, sent as a chat, is the request that the row makes."""
    made, model = scripted()
    server = serve(made)
    server.judge(PAIR)
    ours = next(r for r in model.requests if "Where is it?" in r.messages[-1].content)
    ask(client_of(server), ("user", ours.messages[-1].content))
    theirs = model.requests[-1]
    assert theirs.model_copy(update={"record_id": ours.record_id}) == ours


@pytest.mark.parametrize(
    ("options", "turns", "param", "told"),
    [
        ({}, [("system", "Be nice."), ("user", USER)], "messages", "not the judge that was"),
        ({}, [("user", "a"), ("assistant", "b"), ("user", "c")], "messages", "one message"),
        ({}, [("system", DIALECT.system)], "messages", "one message"),
        ({"n": 2}, [("user", USER)], "n", "1"),
        ({"stop": ["x"]}, [("user", USER)], "stop", "cannot be set"),
        ({"top_p": 0.5}, [("user", USER)], "top_p", "cannot be set"),
        ({"temperature": 3}, [("user", USER)], "temperature", "less than or equal to 2"),
        ({"response_format": {"type": "json_object"}}, [("user", USER)], "response_format", "form"),
    ],
)  # fmt: skip
def test_what_a_judge_cannot_follow_is_refused_by_name(
    options: dict[str, Any], turns: list[tuple[str, Any]], param: str, told: str,
    client: openai.OpenAI,
) -> None:  # fmt: skip
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        ask(client, *turns, **options)
    assert caught.value.param == param
    assert told in caught.value.message


def test_what_changes_no_reply_is_passed_over(client: openai.OpenAI) -> None:
    found = ask(client, ("user", USER), top_p=1, user="me", metadata={"a": "b"}, stop=None)
    assert found.choices[0].message.content == FORM


def test_limits_and_sampling_are_followed(
    client: openai.OpenAI, judge: tuple[Judge, Scripted]
) -> None:
    for options, wanted in (
        ({}, Sampling(max_tokens=60)),
        ({"max_tokens": 7}, Sampling(max_tokens=7)),
        ({"max_completion_tokens": 5_000}, Sampling(max_tokens=60)),
        ({"temperature": 0.5, "seed": 3}, Sampling(temperature=0.5, seed=3, max_tokens=60)),
    ):
        ask(client, ("user", USER), **options)
        assert judge[1].requests[-1].sampling == wanted


def test_a_stream_is_one_piece_and_its_end(client: openai.OpenAI) -> None:
    pieces = list(ask(client, ("user", USER), stream=True, stream_options={"include_usage": True}))
    said = "".join(one.choices[0].delta.content or "" for one in pieces if one.choices)
    assert said == FORM
    assert [one.choices[0].finish_reason for one in pieces if one.choices] == [None, "stop"]
    assert pieces[-1].usage.total_tokens == 12


def test_log_probabilities_are_of_the_verdict(client: openai.OpenAI) -> None:
    found = ask(client, ("user", USER), logprobs=True, top_logprobs=2).choices[0].logprobs.content
    assert "".join(piece.token for piece in found) == FORM
    assert [piece.token for piece in found] == ["Feedback: So. [RESULT] ", "A"]
    assert {one.token: round(math.exp(one.logprob), 6) for one in found[1].top_logprobs} == {
        "A": 0.72, "B": 0.18,
    }  # fmt: skip
    assert round(math.exp(found[1].logprob), 6) == 0.72


def test_our_own_client_reads_the_same_probabilities(
    serve: Serve, scripted: Made, tmp_path: Path
) -> None:
    server = serve(scripted()[0])
    books = Books(ReplyCache(tmp_path / "r.sqlite"), Ledger(tmp_path / "l.sqlite", None), "labels")
    endpoint = Endpoint.model_validate(
        {"protocol": "openai", "url": f"{server.url}/v1", "model": "scripted"}
    )
    model = HttpModel("served", endpoint, key=None, books=books)
    wanted = Wanted(after=DIALECT.verdict_opening, options=("A", "B"))
    prompt = (Message(role="user", content=USER),)
    asked = Request(record_id="r", messages=prompt, sampling=Sampling(), wanted=wanted)
    (found,) = model.complete([asked])
    books.ledger.close()
    books.cache.close()
    assert found.text == FORM
    assert found.probabilities == {"A": pytest.approx(0.8), "B": pytest.approx(0.2)}
    assert found.covered == pytest.approx(0.9)


def test_a_wrong_name_and_a_wrong_key_are_told_as_the_client_expects(
    serve: Serve, scripted: Made
) -> None:
    keys = Keys((hash_key("mine"),))
    server = serve(scripted()[0], keys=keys)
    with pytest.raises(openai.AuthenticationError):
        ask(client_of(server, "yours"), ("user", USER))
    assert ask(client_of(server, "mine"), ("user", USER)).choices[0].message.content == FORM
    with pytest.raises(openai.NotFoundError) as caught:
        client_of(server, "mine").chat.completions.create(
            model="gpt-4", messages=[{"role": "user", "content": USER}]
        )
    assert caught.value.code == "model_not_found"


def test_a_real_student_answers_and_says_what_does_not_fit(
    serve: Serve, student_judge: Judge
) -> None:
    server = serve(student_judge)
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    prompt = render_prompt(student_judge.dialect, _question(), ["He did.", "She did."])[-1].content
    found = client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": prompt}]
    )
    assert 0 < found.usage.completion_tokens <= 8  # type: ignore[union-attr]
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "very long " * 600}]
        )
    assert caught.value.code == "context_length_exceeded"
    long = {"question": "q " * 600, "response_a": "a", "response_b": "b"}
    said = server.judge({**long, "context": "c", "choices": ["x", "y", "z"]}).json
    assert (said["status"], said["verdict"]) == ("too_long", None)
    assert server.call(CHAT, b"{}").status == 422


@pytest.mark.parametrize("mode", ["rationale", "fast"])
def test_a_real_student_is_asked_in_the_mode_that_it_is_served_in(
    mode: Mode, serve: Serve, student_judge: Judge
) -> None:
    """A chat with a row's prompt says what the row's first order says, to the last place."""
    from dataclasses import replace

    server = serve(replace(student_judge, mode=mode))
    row = {
        "question": "Who paid?", "context": "They met.", "choices": ["he", "she", "nobody"],
        "response_a": "He did.", "response_b": "She did.",
    }  # fmt: skip
    ours = server.judge({**row, "rationale": True}).json["orders"][0]
    prompt = render_prompt(student_judge.dialect, _question(), ["He did.", "She did."])[-1].content
    found = client_of(server).chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": prompt}]
    )
    said = found.model_extra["judgment"]  # type: ignore[index]
    assert (said["verdict"], said["status"]) == (ours["verdict"], ours["status"])
    if mode == "fast":
        assert ours["status"] == "parsed"
        assert said["distribution"] == pytest.approx(ours["distribution"], abs=1e-5)


def _question() -> Any:
    from judgesmith.records import Question

    return Question.make(
        source="s", licence="l", group_id="g", template_id=None, category=None,
        context="They met.", text="Who paid?", choices=("he", "she", "nobody"), key=None,
        reference=None, grounding=None, task={},
    )  # fmt: skip
