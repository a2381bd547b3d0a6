"""Mistakes of a recipe, and servers that say no: one message with what to do, and no money spent.

And a key is in no file of the run, the cache or the report, and in nothing that is said.
"""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from labelling import KEYED, Run, requests
from running import Server

VARIABLE = "TEACHER_KEY"
RIGHT, WRONG = "sk-test-R1ght+Key/0123456789", "sk-test-Wr0ng+Key/9876543210"
BUDGET = ("--budget-usd", 5)
DOWN = "http://127.0.0.1:9/v1"
BATCH = {"poll_s": 0.05}


class Bad(NamedTuple):
    """What is wrong, what is said of it, and how many requests a server gets until then."""

    endpoint: dict[str, Any]
    said: tuple[str, ...]
    requests: int = 0
    server: dict[str, Any] = {}  # noqa: RUF012
    budget: tuple[object, ...] = BUDGET
    variable: str | None = None
    fault: str | None = None


AT = "model 'big' at http"
BATCHES_AT = "batches of model 'big' at http"
ASKS = {"keys": [RIGHT]}
KEYED_BY = {"key_env": VARIABLE}
NO_MONEY = ("has no money or quota left: add some, then run the same command again",)
GONE = (AT, "Check the address and the server, then run the same command again")
CASES = {
    "wrong key": Bad(
        KEYED_BY, (AT, "status 401", f"into the variable {VARIABLE}"), 1, ASKS, variable=WRONG
    ),
    "wrong key, anthropic": Bad(
        {**KEYED_BY, "protocol": "anthropic"},
        (AT, "status 401: invalid x-api-key", f"into the variable {VARIABLE}"), 1, ASKS,
        variable=WRONG,
    ),
    "wrong key, batch": Bad(
        {**KEYED_BY, "batch": BATCH},
        (BATCHES_AT, "status 401", f"into the variable {VARIABLE}. What was answered is kept"), 1,
        ASKS, variable=WRONG,
    ),
    "no key": Bad({}, (AT, "No key was sent to http", "`key_env` or `key_file`"), 1, ASKS),
    "key absent": Bad(KEYED_BY, (f"`key_env` '{VARIABLE}'", "found none of that name", "export")),
    "key empty": Bad(KEYED_BY, ("expected a key, found it empty",), variable=""),
    "key in the recipe": Bad({"key_env": RIGHT}, ("may be the key itself",)),
    "no key file": Bad({"key_file": "no/such/file"}, ("found none there. Put the key alone",)),
    "unknown model": Bad(
        {}, (AT, "status 404", "Expected a model 'judge'", "check `model`"), 1, {"models": ["big"]}
    ),
    "unknown model, anthropic": Bad(
        {"protocol": "anthropic"}, (AT, "model: judge", "check `model`"), 1, {"models": ["big"]}
    ),
    "wrong path": Bad(
        {"url": "{root}/v2"}, (AT, "`url` ends right before /chat/completions or /messages"), 0
    ),
    "endpoint down": Bad({"url": DOWN}, (*GONE, "no connection")),
    "endpoint down, batch": Bad(
        {"url": DOWN, "batch": BATCH}, (BATCHES_AT, "no connection", "run the same command again")
    ),
    "no such host": Bad(
        {"url": "http://no.such.host.invalid/v1"}, (*GONE, "Cannot connect to host no.such.host")
    ),
    "price missing": Bad(
        {"url": "https://api.example.com/v1", "price": None},
        ("'models.big'", "needs a `price` ({input, output, as_of} in US dollars", '"free"'),
    ),
    "budget missing": Bad(
        {}, ("model 'big' costs money and the run has no bound", "--budget-usd 5"), budget=()
    ),
    "budget not a number": Bad(
        {}, ("Invalid value for '--budget-usd'",), budget=("--budget-usd", "five")
    ),
    "budget too small": Bad(
        {}, ("The budget is spent: of $0.0001, $0.00 are paid", "run the same command with"),
        budget=("--budget-usd", "0.0001"),
    ),
    "no room in the context": Bad(
        {"context": 60}, ("expected a `context` with room", "reply of up to 60 tokens", "Correct")
    ),
    "no room in the context, batch": Bad(
        {"context": 60, "batch": BATCH}, ("expected a `context` with room",)
    ),
    "form rejected": Bad(
        {}, (AT, "The server cannot hold a reply to this form; change its schema"), 1,
        fault="bad_schema",
    ),
    "form rejected, anthropic": Bad(
        {"protocol": "anthropic"}, (AT, "The server cannot hold a reply to this form"), 1,
        fault="bad_schema",
    ),
    "no quota": Bad({}, (AT, "status 429", *NO_MONEY), 1, fault="no_quota"),
    "no credit": Bad(
        {"protocol": "anthropic"}, (AT, "status 402", *NO_MONEY), 1, fault="no_credit_402"
    ),
    "another model answers": Bad({}, (AT, "'another-model'", "answers_as"), 1, fault="wrong_model"),
    "no batches there": Bad(
        {"url": "{root}/v2", "batch": BATCH}, (BATCHES_AT, "leave `batch` out of the endpoint"), 0
    ),
    "an option of ours": Bad(
        {"options": {"max_tokens": 5}}, ("expected no 'max_tokens' in `options`", "Remove it")
    ),
    "mistyped": Bad({"in_fligth": 5}, ("'models.big.in_fligth'", "did you mean 'in_flight'")),
}  # fmt: skip
"""Where the count is 0 although a server is asked in vain, the path is none that it counts."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One server per set of options."""
    from contextlib import ExitStack

    from running import fault_server

    made: dict[str, Server] = {}
    with ExitStack() as open_ones:

        def server(options: dict[str, Any]) -> Server:
            name = str(options)
            if name not in made:
                folder = tmp_path_factory.mktemp("server")
                made[name] = open_ones.enter_context(fault_server(folder, **options))
            made[name].reset()
            return made[name]

        yield server


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_said_with_what_to_do(
    labelling: Any, servers: Callable[[dict[str, Any]], Server], name: str
) -> None:
    case = CASES[name]
    server = servers(case.server)
    if case.fault:
        server.plan({"fault": case.fault})
    endpoint = {"url": "{root}/v1", **case.endpoint}
    endpoint["url"] = endpoint["url"].replace("{root}", server.root)
    run = labelling("run", endpoint, *case.budget)
    if case.variable is not None:
        run.environment[VARIABLE] = case.variable
    words = " ".join(run.end(2).split())
    for phrase in case.said:
        assert phrase in words
    assert requests(server) == case.requests
    assert not (run.folder / "labels/manifest.json").exists()
    # One sentence ends with one full stop.
    assert not re.search(r"(?<!\.)\.\.(?!\.)", words[words.rfind("error:") :])


def test_a_key_file_in_the_run_is_refused(labelling: Any, tmp_path: Path) -> None:
    run = labelling("run", {"url": DOWN, "key_file": str(tmp_path / "run/key.txt")}, *BUDGET)
    (run.folder / "key.txt").write_text(RIGHT)
    words = run.end(2)
    assert "expected a file outside the run folder" in words
    assert "move the key elsewhere" in words
    assert RIGHT not in words


def test_the_key_is_nowhere(labelling: Any, fault_server: Any, tmp_path: Path) -> None:
    """Not after a wrong key that the server quotes, a kill, faults and a whole run; nor a piece."""
    server = fault_server(keys=[RIGHT], latency_ms=10, template=KEYED)
    leaky = fault_server()
    leaky.plan({"fault": "leak_key", "on": ["chat", "files_create", "batches_create"]})
    said = ""
    for name, more in (("leaky", {}), ("leaky-batch", {"batch": BATCH})):
        said += with_key(
            labelling(name, {"url": leaky.url, **KEYED_BY, **more}, *BUDGET), WRONG
        ).end(2)
    run = with_key(labelling("killed", {"url": server.url, **KEYED_BY}, *BUDGET), RIGHT)
    process = run.begin()
    while not requests(server):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    said += process.communicate()[0]
    server.plan({"fault": ["half_json", "wrong_content_type", "error_500"], "share": 0.05})
    said += run.end()
    batched = labelling("batched", {"url": server.url, **KEYED_BY, "batch": BATCH}, *BUDGET)
    said += with_key(batched, RIGHT).end()
    assert not pieces(said.encode())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"ledger.sqlite", "replies.sqlite", "index.html", "judgments.jsonl"} <= {
        path.name for path in files
    }
    for path in files:
        assert not pieces(path.read_bytes()), path


def with_key(run: Run, key: str) -> Run:
    run.environment[VARIABLE] = key
    return run


def pieces(content: bytes) -> list[bytes]:
    """What of the keys is there: any eight characters of them in a row but for "sk-test-"."""
    keys = [key.encode() for key in (RIGHT, WRONG)]
    windows = {key[n : n + 8] for key in keys for n in range(len(key) - 7)} - {b"sk-test-"}
    return [window for window in windows if window in content]
