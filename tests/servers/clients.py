"""The official clients against the fault server, and what the tests ask through them."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from running import Server, fault_server

ASK = [{"role": "system", "content": "You judge."}, {"role": "user", "content": "A or B?"}]


@pytest.fixture(name="shared", scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with fault_server(tmp_path_factory.mktemp("server"), echo="REPLY:") as server:
        yield server


@pytest.fixture(name="server")
def reset_server(shared: Server) -> Server:
    shared.reset()
    return shared


@pytest.fixture(name="ours")
def our_client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="k", max_retries=0, timeout=5) as client:
        yield client


@pytest.fixture(name="theirs")
def their_client(server: Server) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.root, api_key="k", max_retries=0, timeout=5) as client:
        yield client


def chat(client: openai.OpenAI, text: str = "A or B?", **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="m", messages=messages, **more)


def message(client: anthropic.Anthropic, text: str = "A or B?", **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": text}]
    return client.messages.create(**{"model": "m", "max_tokens": 99, "messages": messages, **more})


def rows(count: int) -> bytes:
    """An input file of a batch, one question per line."""
    body = {"model": "m", "max_tokens": 50}
    lines = [
        {
            "custom_id": f"item-{n}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {**body, "messages": [{"role": "user", "content": f"question {n}"}]},
        }
        for n in range(count)
    ]
    return "\n".join(map(json.dumps, lines)).encode()


def start_batch(client: openai.OpenAI, content: bytes, **metadata: str) -> Any:
    file = client.files.create(file=("rows.jsonl", content), purpose="batch")
    return client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata=metadata,
    )


def lines_of(client: openai.OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    assert file_id is not None
    return [json.loads(line) for line in client.files.content(file_id).text.splitlines()]


def requests(count: int) -> Any:
    """The requests of a message batch."""
    return [
        {
            "custom_id": f"item-{n}",
            "params": {
                "model": "m",
                "max_tokens": 50,
                "messages": [{"role": "user", "content": f"question {n}"}],
            },
        }
        for n in range(count)
    ]


def fails(client: openai.OpenAI, text: str) -> bool:
    try:
        chat(client, text)
    except openai.APIStatusError:
        return True
    return False
