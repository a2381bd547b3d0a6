"""Chat completions: the official client's own types are the oracle of what is sent and read."""

from math import log
from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from judgesmith.errors import DataError, ModelError
from judgesmith.models.http.openai_wire import OpenAIWire
from judgesmith.models.http.wires import (
    OtherModel,
    Reply,
    Unreadable,
    load_wire,
    same_model,
    shortened,
)
from judgesmith.models.protocol import Form, Request, Sampling, Wanted
from judgesmith.records import Finish, Message
from judgesmith.runs.endpoint import Endpoint

WIRE = load_wire("openai")
PARAMS = TypeAdapter(CompletionCreateParamsNonStreaming)
SCHEMA = {"type": "object", "properties": {"verdict": {"enum": ["A", "B"]}}}
WANTED = Wanted(after="<verdict>", options=("A", "B"))


def endpoint(**options: Any) -> Endpoint:
    return Endpoint(protocol="openai", url="http://localhost:8000/v1", model="m", options=options)


def request(**changes: Any) -> Request:
    messages = (Message(role="system", content="Rubric."), Message(role="user", content="Äh\n🙂"))
    return Request(
        **{"record_id": "r", "messages": messages, "sampling": Sampling(max_tokens=7), **changes}
    )


def sent(asked: Request, **options: Any) -> dict[str, Any]:
    found = orjson.loads(WIRE.body(endpoint(**options), asked))
    assert isinstance(found, dict)
    return found


def answer(**changes: Any) -> dict[str, Any]:
    """A reply as the vendor documents it."""
    message = {"role": "assistant", "content": "B", "refusal": None}
    usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050,
             "prompt_tokens_details": {"cached_tokens": 640}}  # fmt: skip
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}],
        "usage": usage, **changes,
    }  # fmt: skip


def choice(reason: object = "stop", **message: Any) -> dict[str, Any]:
    whole = {"role": "assistant", "content": "B", **message}
    return {"index": 0, "finish_reason": reason, "message": whole}


def read(found: object, asked: Request | None = None) -> Reply:
    return WIRE.read(orjson.dumps(found), asked or request(), asked="m")


def test_the_body_of_a_plain_request() -> None:
    assert sent(request()) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Rubric."},
            {"role": "user", "content": "Äh\n🙂"},
        ],
        "temperature": 0.0,
        "max_tokens": 7,
    }


def test_the_seed_is_sent_above_temperature_0() -> None:
    found = sent(request(sampling=Sampling(temperature=0.7, seed=5)))
    assert (found["temperature"], found["seed"], found["max_tokens"]) == (0.7, 5, 300)


def test_probabilities_are_asked_for_where_they_are_wanted() -> None:
    found = sent(request(wanted=WANTED))
    assert (found["logprobs"], found["top_logprobs"]) == (True, 20)


def test_a_schema_and_a_grammar() -> None:
    found = sent(request(form=Form(json_schema=SCHEMA)))
    assert found["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True},
    }
    assert sent(request(form=Form(grammar='root ::= "A"')))["grammar"] == 'root ::= "A"'


def test_a_schema_in_the_older_type_that_llama_cpp_python_knows() -> None:
    """The word alone chooses the type; without a schema it is sent to nobody."""
    older = {"response_format": "json_object"}
    found = sent(request(form=Form(json_schema=SCHEMA)), **older)
    assert found["response_format"] == {"type": "json_object", "schema": SCHEMA}
    assert "response_format" not in sent(request(), **older)
    assert "response_format" not in sent(request(form=Form(grammar='root ::= "A"')), **older)
    given = {"type": "json_object"}
    assert sent(request(), response_format=given)["response_format"] == given


def test_options_win_and_null_removes() -> None:
    found = sent(request(wanted=WANTED), temperature=None, top_logprobs=5, reasoning_effort="low")
    assert "temperature" not in found
    assert (found["top_logprobs"], found["reasoning_effort"]) == (5, "low")


def test_the_limit_under_its_newer_name() -> None:
    found = sent(request(), max_completion_tokens=True)
    assert found["max_completion_tokens"] == 7
    assert "max_tokens" not in found


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request(sampling=Sampling(temperature=0.5, seed=1), wanted=WANTED),
        request(form=Form(json_schema=SCHEMA)),
    ],
)
def test_the_official_client_would_send_the_same(asked: Request) -> None:
    """Its type of the body takes ours and keeps all of it."""
    for options in ({}, {"max_completion_tokens": True}):
        found = sent(asked, **options)
        assert PARAMS.dump_python(PARAMS.validate_python(found), mode="json") == found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_tokens": 900}, "the stage's `max_tokens`"),
        ({"max_completion_tokens": 900}, "expected true"),
        ({"model": "other"}, "the endpoint's `model`"),
        ({"stream": True}, "whole replies"),
        ({"n": 5}, "one reply per call"),
        ({"messages": []}, "the dialect"),
        ({"best_of": 4}, "one reply per call"),
        ({"max_output_tokens": 900}, "the stage's `max_tokens`"),
        ({"models": ["a", "b"]}, "another model"),
        ({"route": "fallback"}, "another model"),
        ({"plugins": [{"id": "web"}]}, "beside the tokens"),
        ({"web_search_options": {}}, "beside the tokens"),
        ({"prediction": {"type": "content"}}, "beside the tokens"),
    ],
)
def test_options_that_break_the_bookkeeping_are_refused(options: dict[str, Any], said: str) -> None:
    """Five replies, or a longer one, would cost more than the bound that is held back for them."""
    with pytest.raises(ModelError, match="option") as caught:
        WIRE.body(endpoint(**options), request())
    assert said in str(caught.value)


def test_half_a_character_is_named_with_its_record() -> None:
    broken = request(messages=(Message(role="user", content="a\ud800b"),))
    with pytest.raises(DataError, match="record r: "):
        WIRE.body(endpoint(), broken)


def test_headers_name_the_key_only_where_there_is_one() -> None:
    assert WIRE.headers("k") == {"Authorization": "Bearer k"}
    assert WIRE.headers(None) == {}


def test_a_reply_reads_as_the_official_client_reads_it() -> None:
    theirs = ChatCompletion.model_validate(answer())
    ours = read(answer())
    assert theirs.usage is not None
    assert theirs.usage.prompt_tokens_details is not None
    assert ours.completion.text == theirs.choices[0].message.content
    assert ours.completion.prompt_tokens == theirs.usage.prompt_tokens == 1000
    assert ours.completion.completion_tokens == theirs.usage.completion_tokens == 50
    assert ours.completion.cached_tokens == theirs.usage.prompt_tokens_details.cached_tokens == 640
    assert ours.completion.finish is Finish.STOP
    assert (ours.usage_known, ours.model_said) == (True, theirs.model)


@pytest.mark.parametrize(
    ("found", "text", "finish"),
    [
        (choice("length"), "B", Finish.LENGTH),
        (choice("content_filter", content=None), "", Finish.REFUSED),
        (choice(content=None, refusal="I can't."), "I can't.", Finish.REFUSED),
        (choice(content=None), "", Finish.STOP),
        (choice("length", content=None, reasoning_content="<verdict>A"), "", Finish.LENGTH),
        (choice(content="B", reasoning_content="A?"), "B", Finish.STOP),
        (choice("tool_calls", content=None, tool_calls=[{}]), "", Finish.STOP),
        (choice(content=[{"type": "thinking", "thinking": []}, {"type": "text", "text": "B"}]),
         "B", Finish.STOP),
    ],
)  # fmt: skip
def test_how_a_reply_ends(found: dict[str, Any], text: str, finish: Finish) -> None:
    completion = read(answer(choices=[found])).completion
    assert (completion.text, completion.finish) == (text, finish)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 10},
        {"prompt_tokens": 10, "completion_tokens": None},
        {"prompt_tokens": "10", "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": []},
        {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": [1]},
        {"prompt_tokens": 10, "completion_tokens": 1,
         "prompt_tokens_details": {"cached_tokens": 11}},
    ],
)  # fmt: skip
def test_usage_that_is_not_known_is_not_free(usage: object) -> None:
    """Empty details are no details; anything else of this leaves the usage unknown."""
    reply = read(answer(usage=usage))
    empty_details = isinstance(usage, dict) and usage.get("prompt_tokens_details") == []
    assert reply.usage_known is empty_details
    if not reply.usage_known:
        assert (reply.completion.prompt_tokens, reply.completion.completion_tokens) == (0, 0)


def test_tokens_of_thought_that_only_the_total_holds_are_counted() -> None:
    """10 + 1 of 61: the 50 that are left were thought, and are billed as reply."""
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 61}
    assert read(answer(usage=usage)).completion.completion_tokens == 51


def test_written_to_the_cache() -> None:
    details = {"cached_tokens": 4, "cache_write_tokens": 5}
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": details}
    completion = read(answer(usage=usage)).completion
    assert (completion.cached_tokens, completion.cache_write_tokens) == (4, 5)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (answer(choices=[]), "expected one reply in `choices`, found []"),
        (answer(choices=None), "expected `choices` to be a list, found None"),
        (answer(choices={}), "expected `choices` to be a list, found {}"),
        (answer(choices=["B"]), "expected one reply in `choices`, found ['B']"),
        ({"model": "m"}, "expected `choices` to be a list, found no such field"),
        (answer(choices=[{"finish_reason": "stop"}]), "expected `message` to be a dict"),
        (answer(choices=[choice(content=5)]), "expected `content` to be a text, found 5"),
        (answer(choices=[choice(None)]), "expected a known `finish_reason`, found None"),
        (answer(choices=[choice(["stop"])]), "expected a known `finish_reason`, found ['stop']"),
        (answer(choices=[{**choice("error"), "error": {"code": 502}}]), "an error as its reply"),
        ({"error": {"message": "overloaded"}}, "an error as its reply: {'message': 'overloaded'}"),
        (answer(model="other"), "model 'm' was asked, and the server answered as 'other'"),
        (answer(model=5), "expected the name of a model, found 5"),
        ([answer()], "expected a JSON object"),
        ("<html>", "expected a JSON object"),
    ],
)
def test_what_is_not_of_the_form_is_unreadable(found: object, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(found)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"<html>\n<b>Bad</b></html>", b'{"choices": [{', b"\xff\xfe", b"[" * 5000]
)
def test_what_is_not_json_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable, match="expected JSON, found ") as caught:
        WIRE.read(content, request(), asked="m")
    assert len(str(caught.value)) < 200


def test_a_server_that_names_no_model_is_believed() -> None:
    found = answer()
    del found["model"]
    assert read(found).model_said is None


def logprobs(*tokens: tuple[str, dict[str, float]]) -> dict[str, Any]:
    """Tokens as the vendor gives them; `bytes` is null as local servers leave it."""

    def one(text: str, p: float) -> dict[str, Any]:
        return {"token": text, "logprob": log(p), "bytes": None}

    return {"refusal": None, "content": [
        {**one(text, there.get(text, 1.0)), "top_logprobs": [one(t, p) for t, p in there.items()]}
        for text, there in tokens
    ]}  # fmt: skip


def judged(found: object) -> dict[str, float] | None:
    whole = {**choice(content="Hm. " * 500 + "<verdict>A</verdict>"), "logprobs": found}
    return read(answer(choices=[whole]), request(wanted=WANTED)).completion.probabilities


LAST = [("<verdict>", {}), ("A", {"A": 0.75, "B": 0.25}), ("</verdict>", {})]


def test_chances_are_read_from_the_end_of_a_long_reply() -> None:
    found = logprobs(*[("Hm. ", {})] * 500, *LAST)
    checked = ChatCompletion.model_validate(answer(choices=[{**choice(), "logprobs": found}]))
    assert checked.choices[0].logprobs is not None
    assert judged(found) == pytest.approx({"A": 0.75, "B": 0.25})
    # The last tokens are enough, so a mangled one long before them does no harm.
    found["content"][3] = None
    assert judged(found) == pytest.approx({"A": 0.75, "B": 0.25})


def test_an_end_of_turn_token_does_not_hide_the_opening() -> None:
    cut = [("<", {}), ("verdict", {}), (">", {}), *LAST[1:], ("<|end_of_turn|>", {})]
    assert judged(logprobs(*[("Hm. ", {})] * 500, *cut)) == pytest.approx({"A": 0.75, "B": 0.25})


@pytest.mark.parametrize(
    "found",
    [
        None, [], {"content": None}, {"content": "A"}, {"content": []}, {"content": [None]},
        {"tokens": ["A"], "token_logprobs": [0.0], "top_logprobs": [{"A": 0.0}]},
        {"content": [{"token": "<verdict>A</verdict>", "logprob": None, "top_logprobs": []}]},
        {"content": [{"token": None, "logprob": 0.0, "top_logprobs": []}]},
        {"content": [{"token": "<verdict>A</verdict>", "logprob": 0.0, "top_logprobs": [["A"]]}]},
    ],
)  # fmt: skip
def test_without_usable_logprobs_the_reply_is_kept(found: object) -> None:
    assert judged(found) is None


def test_chances_are_not_read_where_none_are_wanted_or_the_model_refused() -> None:
    whole = {**choice(content="<verdict>A</verdict>"), "logprobs": logprobs(*LAST)}
    assert read(answer(choices=[whole])).completion.probabilities is None
    refused = {**whole, "finish_reason": "content_filter"}
    found = read(answer(choices=[refused]), request(wanted=WANTED))
    assert found.completion.probabilities is None


def test_a_line_of_a_batch_is_read_alike() -> None:
    assert OpenAIWire().read_fields(answer(), request(), asked="m") == read(answer())


@pytest.mark.parametrize(
    ("asked", "said", "same"),
    [
        ("m", "m", True),
        ("GPT-5.4", "gpt-5.4", True),
        ("gpt-4-0613", "gpt-4", True),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", True),
        ("gemini-pro", "gemini-pro-002", True),
        ("openai/gpt-5.4:free", "openai/gpt-5.4", True),
        ("student", "C:\\models\\student.gguf", True),
        ("student.gguf", "student", True),
        ("gpt-4-0613", "gpt-4-1106", False),
        ("gpt-5.4-2026-03-05", "gpt-5.4-20260305", True),
        ("gpt-5", "gpt-5.4", False),
        ("opus-4", "opus-4-1", False),
        ("llama3.2:1b", "llama3.2:latest", False),
        ("student", "student-q4_k_m.gguf", False),
        ("student", "", False),
        ("deepseek/deepseek-chat-v3-0324:nitro", "deepseek/deepseek-chat-v3-0324", True),
        ("meta-llama/llama-3.3-70b-instruct:groq", "meta-llama/Llama-3.3-70B-Instruct", True),
        ("openai/gpt-4o:online", "openai/gpt-4o-2024-08-06", True),
        ("gemini-2.5-flash-preview", "gemini-2.5-flash-preview-09-2025", True),
        ("grok-4-latest", "grok-4-0709", True),
        ("qwen3-235b", "qwen3-235b-2507", True),
        ("kimi-k2", "kimi-k2-250711", True),
        ("org/m:groq", "org/m:nebius", False),
        ("llama3.1", "llama3.1:70b", False),
        ("mistral-7b", "mistral-7b-128", False),
        ("qwen3-8b", "qwen3-8b-1234567", False),
        ("gemini-flash-latest", "gemini-2.5-flash-preview-09-2025", False),
    ],
)
def test_same_model(asked: str, said: str, same: bool) -> None:
    assert same_model(asked, said) is same
    assert same_model(said, asked) is same


def test_a_name_that_no_rule_knows_is_taken_where_the_recipe_says_it() -> None:
    body = orjson.dumps(answer(model="gpt-4-0125-preview"))
    with pytest.raises(OtherModel, match=r"answers_as: \['gpt-4-0125-preview'\]"):
        WIRE.read(body, request(), asked="gpt-4-turbo-preview")
    found = WIRE.read(body, request(), asked="gpt-4-turbo-preview", also=("gpt-4-0125-preview",))
    assert found.model_said == "gpt-4-0125-preview"


def test_a_count_that_no_reply_has_is_no_count() -> None:
    """A database cannot hold it, and a price would be absurd: the call is booked at its bound."""
    usage = {"prompt_tokens": 20, "completion_tokens": 10**17, "total_tokens": 10**17 + 20}
    assert not read(answer(usage=usage)).usage_known


@pytest.mark.parametrize("padding", range(60, 140))
def test_a_key_is_shown_whole_or_not_at_all(padding: int) -> None:
    """Only what is whole can be redacted afterwards."""
    shown = shortened("x" * padding + " sk-" + "secret" * 9 + " " + "y " * 99)
    assert "sk-" not in shown or "sk-" + "secret" * 9 + " " in shown
    assert len(shown) < 160


def test_no_control_or_bidi_character_is_shown() -> None:
    assert shortened("a\x1b[31mb\u202ec\x00\n\td") == "a [31mb c d"
