"""Messages: the official client's own types are the oracle of what is sent and read."""

from datetime import date
from typing import Any

import orjson
import pytest
from anthropic.types import Message as TheirMessage
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

from judgesmith.errors import ModelError
from judgesmith.models.http.wires import Reply, Unreadable, load_wire
from judgesmith.models.protocol import Form, Request, Sampling, Wanted
from judgesmith.records import Finish, Message
from judgesmith.runs.endpoint import Endpoint, Price

WIRE = load_wire("anthropic")
PARAMS = TypeAdapter(MessageCreateParamsNonStreaming)
SCHEMA = {"type": "object", "properties": {"verdict": {"enum": ["A", "B"]}}}
TODAY = date(2026, 1, 1)


def endpoint(price: Price | None = None, **options: Any) -> Endpoint:
    return Endpoint(
        protocol="anthropic", url="http://localhost:8000/v1", model="m", price=price,
        options=options,
    )  # fmt: skip


def says(*turns: tuple[str, str]) -> tuple[Message, ...]:
    return tuple(Message.model_validate({"role": r, "content": text}) for r, text in turns)


def request(**changes: Any) -> Request:
    messages = says(("system", "Rubric."), ("user", "Item."))
    return Request(
        **{"record_id": "r", "messages": messages, "sampling": Sampling(max_tokens=7), **changes}
    )


def sent(asked: Request, price: Price | None = None, **options: Any) -> dict[str, Any]:
    found = orjson.loads(WIRE.body(endpoint(price, **options), asked))
    assert isinstance(found, dict)
    return found


def answer(**changes: Any) -> dict[str, Any]:
    """A reply as the vendor documents it."""
    usage = {"input_tokens": 10, "cache_read_input_tokens": 700, "output_tokens": 50,
             "cache_creation_input_tokens": 30}  # fmt: skip
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "B"}], "stop_reason": "end_turn",
        "stop_sequence": None, "usage": usage, **changes,
    }  # fmt: skip


def read(found: object, asked: Request | None = None) -> Reply:
    return WIRE.read(orjson.dumps(found), asked or request(), asked="m")


def test_the_body_of_a_plain_request() -> None:
    cached = {"type": "text", "text": "Rubric.", "cache_control": {"type": "ephemeral"}}
    assert sent(request()) == {
        "model": "m", "max_tokens": 7, "temperature": 0.0, "system": [cached],
        "messages": [{"role": "user", "content": "Item."}],
    }  # fmt: skip


def test_only_the_last_system_block_is_marked_and_empty_ones_are_left_out() -> None:
    messages = says(("system", "One."), ("system", "Two."), ("system", " "), ("user", "Item."))
    first, second = sent(request(messages=messages))["system"]
    assert first == {"type": "text", "text": "One."}
    assert second["cache_control"] == {"type": "ephemeral"}


def test_without_a_system_message_there_is_no_such_field() -> None:
    assert "system" not in sent(request(messages=says(("user", "Item."))))
    assert "system" not in sent(request(messages=says(("system", ""), ("user", "Item."))))


def test_turns_of_one_role_in_a_row_are_joined() -> None:
    messages = says(("user", "1"), ("user", "2"), ("assistant", "3"), ("user", "4"))
    assert sent(request(messages=messages))["messages"] == [
        {"role": "user", "content": "1\n\n2"},
        {"role": "assistant", "content": "3"},
        {"role": "user", "content": "4"},
    ]


def test_a_cache_of_ones_own_needs_its_price() -> None:
    """What is written for an hour costs twice the input: more than is booked unless it is said."""
    hour = {"type": "ephemeral", "ttl": "1h"}
    price = Price(input=3.0, output=15.0, as_of=TODAY)
    with pytest.raises(ModelError, match="Write `cache_write` in its `price`"):
        sent(request(), price, cache_control=hour)
    priced = price.model_copy(update={"cache_write": 6.0})
    assert sent(request(), priced, cache_control=hour)["cache_control"] == hour


def test_a_schema_goes_into_the_output_format() -> None:
    form = {"type": "json_schema", "schema": SCHEMA}
    asked = request(form=Form(json_schema=SCHEMA))
    assert sent(asked)["output_config"] == {"format": form}
    both = sent(asked, output_config={"effort": "low"})["output_config"]
    assert both == {"format": form, "effort": "low"}
    assert "output_config" not in sent(asked, output_config=None)
    assert "output_config" not in sent(request())


def test_options_win_and_null_removes() -> None:
    found = sent(request(), temperature=None, thinking={"type": "disabled"})
    assert "temperature" not in found
    assert found["thinking"] == {"type": "disabled"}


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request(form=Form(json_schema=SCHEMA)),
        request(messages=says(("user", "1"), ("assistant", "2"), ("user", "3"))),
    ],
)
def test_the_official_client_would_send_the_same(asked: Request) -> None:
    """Its type of the body takes ours and keeps all of it.

    Only the temperature is no longer in it: models from 4.7 on take none.
    """
    found = sent(asked)
    kept = PARAMS.dump_python(PARAMS.validate_python(found), mode="json")
    assert {**kept, "temperature": 0.0} == found


@pytest.mark.parametrize(
    ("asked", "options", "said"),
    [
        (request(form=Form(grammar="root ::= x")), {}, "found a grammar"),
        (request(messages=says(("user", "1"), ("system", "2"))), {}, "(user, system)"),
        (request(), {"max_tokens": 9}, "the stage's `max_tokens`"),
        (request(), {"stream": True}, "whole replies"),
        (request(), {"max_completion_tokens": True}, "the stage's `max_tokens`"),
    ],
)
def test_what_the_protocol_cannot_say_is_refused(
    asked: Request, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModelError) as caught:
        WIRE.body(endpoint(**options), asked)
    assert said in str(caught.value)
    assert said in str(WIRE.refuses(endpoint(**options), asked))


def test_wanted_probabilities_are_none_and_no_error() -> None:
    asked = request(wanted=Wanted(after="<v>", options=("A", "B")))
    assert WIRE.refuses(endpoint(), asked) is None
    assert sent(asked) == sent(request())
    assert read(answer(), asked).completion.probabilities is None


def test_headers() -> None:
    assert WIRE.headers("k") == {"anthropic-version": "2023-06-01", "x-api-key": "k"}
    assert WIRE.headers(None) == {"anthropic-version": "2023-06-01"}


def test_a_reply_reads_as_the_official_client_reads_it() -> None:
    """All tokens of the prompt: 10 new ones, 700 read from the cache, 30 written to it."""
    theirs, ours = TheirMessage.model_validate(answer()), read(answer())
    done = ours.completion
    assert done.text == theirs.content[0].text  # type: ignore[union-attr]
    assert done.prompt_tokens == 740
    assert done.cached_tokens == theirs.usage.cache_read_input_tokens == 700
    assert done.cache_write_tokens == theirs.usage.cache_creation_input_tokens == 30
    assert done.completion_tokens == theirs.usage.output_tokens == 50
    assert (ours.usage_known, ours.model_said) == (True, theirs.model)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", Finish.STOP),
        ("stop_sequence", Finish.STOP),
        ("tool_use", Finish.STOP),
        ("max_tokens", Finish.LENGTH),
        ("model_context_window_exceeded", Finish.LENGTH),
        ("pause_turn", Finish.LENGTH),
        ("refusal", Finish.REFUSED),
    ],
)
def test_each_way_to_end_that_the_official_client_knows(reason: str, finish: Finish) -> None:
    assert TheirMessage.model_validate(answer(stop_reason=reason)).stop_reason == reason
    assert read(answer(stop_reason=reason)).completion.finish is finish


def test_text_blocks_are_joined_and_thoughts_left_out() -> None:
    blocks = [
        {"type": "thinking", "thinking": "<verdict>A</verdict>", "signature": "s"},
        {"type": "text", "text": "It is "},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "B"},
    ]
    assert read(answer(content=blocks)).completion.text == "It is B"
    assert read(answer(content=[], stop_reason="refusal")).completion.text == ""


def test_a_server_without_a_cache() -> None:
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": None}
    done = read(answer(usage=usage))
    assert (done.completion.prompt_tokens, done.completion.cached_tokens) == (10, 0)
    assert done.usage_known


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"input_tokens": 1}, {"output_tokens": 1}, {"input_tokens": 1, "output_tokens": "1"},
     {"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": -1}],
)  # fmt: skip
def test_usage_that_is_not_known_is_not_free(usage: object) -> None:
    reply = read(answer(usage=usage))
    assert not reply.usage_known
    assert reply.completion.text == "B"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (answer(content=None), "expected `content` to be a list, found None"),
        (answer(content=["B"]), "expected blocks in `content`, found 'B'"),
        (answer(content=[{"type": "text"}]), "expected `text` to be a str, found no such field"),
        (answer(stop_reason=None), "expected a known `stop_reason`, found None"),
        (answer(stop_reason="gone"), "expected a known `stop_reason`, found 'gone'"),
        (answer(model="other"), "the server answered as 'other'"),
        ({"type": "error", "error": {"type": "overloaded_error"}}, "an error as its reply"),
        ([], "expected a JSON object, found []"),
    ],
)
def test_what_is_not_of_the_form_is_unreadable(found: object, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(found)
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"", b'{"content": [', b"<html>"])
def test_what_is_not_json_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable, match="expected JSON"):
        WIRE.read(content, request(), asked="m")
