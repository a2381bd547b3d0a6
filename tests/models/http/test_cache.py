"""The reply cache: keys, what is kept, several processes at once, and files that are broken."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from datetime import date
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.audits.licences import Terms
from judgesmith.errors import DataError, RunError
from judgesmith.models.http.cache import ReplyCache, request_key
from judgesmith.models.protocol import Completion, Form, Request, Sampling, Wanted
from judgesmith.records import Finish, Message
from judgesmith.runs.endpoint import Batching, Endpoint, Price

ENDPOINT = Endpoint(protocol="openai", url="http://localhost:1/v1", model="m")
REQUEST = Request(
    record_id="q1",
    messages=(Message(role="system", content="Judge."), Message(role="user", content="Which?")),
    sampling=Sampling(),
)
REPLY = Completion(text="Response A", finish=Finish.STOP, prompt_tokens=9, completion_tokens=3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.sqlite"


@pytest.fixture
def cache(path: Path) -> Iterator[ReplyCache]:
    with ReplyCache(path) as opened:
        yield opened


def reply(text: str, **said: Any) -> Completion:
    return REPLY.model_copy(update={"text": text, **said})


OTHER: dict[str, dict[str, Any]] = {
    "protocol": {"protocol": "anthropic"},
    "url": {"url": "http://localhost:2/v1"},
    "model": {"model": "n"},
    "options": {"options": {"top_p": 0.5}},
    "revision": {"revision": "sft-2"},
}
"""What determines a reply, each with another value."""
SAME: dict[str, dict[str, Any]] = {
    "key_env": {"key_env": "TEACHER_KEY"},
    "key_file": {"key_file": "/a/key"},
    "price": {"price": Price(input=1, output=2, as_of=date(2026, 1, 31))},
    "context": {"context": 4096},
    "in_flight": {"in_flight": 2},
    "per_minute": {"per_minute": (10, 1000)},
    "timeout_s": {"timeout_s": 1.0},
    "batch": {"batch": Batching()},
    "terms": {"terms": Terms(licence="MIT")},
    "answers_as": {"answers_as": ("m-large",)},
}
"""What does not."""


def test_every_field_of_an_endpoint_is_in_the_key_or_out_of_it() -> None:
    assert set(Endpoint.model_fields) == set(OTHER) | set(SAME)
    key = request_key(ENDPOINT, REQUEST)
    for update in OTHER.values():
        assert request_key(ENDPOINT.model_copy(update=update), REQUEST) != key
    for update in SAME.values():
        assert request_key(ENDPOINT.model_copy(update=update), REQUEST) == key


def test_every_field_of_a_request_but_its_record_is_in_the_key() -> None:
    schema = {"type": "object", "properties": {"b": {}, "a": {}}}
    turned = {"type": "object", "properties": {"a": {}, "b": {}}}
    others: list[tuple[str, Any]] = [
        ("messages", REQUEST.messages[::-1]),
        ("messages", REQUEST.messages[:1]),
        ("messages", (*REQUEST.messages[:1], Message(role="assistant", content="Which?"))),
        ("sampling", Sampling(temperature=0.5)),
        ("sampling", Sampling(max_tokens=301)),
        ("sampling", Sampling(seed=1)),
        ("wanted", Wanted(after="[", options=("A", "B"))),
        ("wanted", Wanted(after="[", options=("B", "A"))),
        ("form", Form(json_schema=schema)),
        ("form", Form(json_schema=turned)),  # a server writes the fields in this order
        ("form", Form(grammar="root ::= [AB]")),
        ("forced", "["),
    ]
    assert {name for name, _ in others} | {"record_id"} == set(Request.model_fields)
    requests = [REQUEST.model_copy(update={name: value}) for name, value in others]
    keys = {request_key(ENDPOINT, request) for request in [REQUEST, *requests]}
    assert len(keys) == len(others) + 1
    twin = REQUEST.model_copy(update={"record_id": "q2"})
    assert request_key(ENDPOINT, twin) == request_key(ENDPOINT, REQUEST)


def test_probabilities_are_not_taken_from_another_readers_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are kept as they were read; the text alone does not depend on the reader."""
    judged = REQUEST.model_copy(update={"wanted": Wanted(after="[", options=("A", "B"))})
    before = [request_key(ENDPOINT, asked) for asked in (judged, REQUEST)]
    monkeypatch.setattr("judgesmith.models.http.cache.READER", 99)
    after = [request_key(ENDPOINT, asked) for asked in (judged, REQUEST)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True]


def test_what_means_the_same_has_the_same_key() -> None:
    one = ENDPOINT.model_copy(update={"options": {"top_p": 0.5, "user": "x"}})
    two = ENDPOINT.model_copy(update={"options": {"user": "x", "top_p": 0.5}, "url": "X"})
    two = two.model_copy(update={"url": ENDPOINT.url + "/"})
    assert request_key(one, REQUEST) == request_key(two, REQUEST)


def test_a_key_is_the_same_in_every_process() -> None:
    """The hash is part of the file's format: a change of it loses every cache."""
    assert request_key(ENDPOINT, REQUEST) == "589c8203c0978e39f2ad23c4b7d2bc40"
    for closing in ("", "]"):  # never sent to a server, so it makes no other reply
        wanted = Wanted(after="[", options=("A", "B"), closing=closing)
        asked = REQUEST.model_copy(update={"wanted": wanted})
        assert request_key(ENDPOINT, asked) == "95279dd86b6e788588b9435cc27b86d0"


def test_a_reply_comes_back_as_a_hit(cache: ReplyCache) -> None:
    """All that was said is kept; a hit took no call and cost nothing."""
    full = Completion(
        text="a\x00b \u202e\U0001f600", finish=Finish.LENGTH, prompt_tokens=100,
        completion_tokens=50, cached_tokens=60, cache_write_tokens=40,
        probabilities={"A": 0.1 + 0.2, "B": 0.7}, covered=1 / 3, cost_usd=0.5, calls=2,
    )  # fmt: skip
    cache.put({"k": full, "refused": reply("", finish=Finish.REFUSED)})
    found = cache.get(["refused", "k", "absent", "k"])
    assert found["k"] == full.model_copy(update={"cost_usd": 0.0, "calls": 0})
    assert found["refused"].finish is Finish.REFUSED
    assert set(found) == {"k", "refused"}


@settings(max_examples=30)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    chances=st.none() | st.dictionaries(st.text("AB"), st.floats(0, 1)),
    covered=st.none() | st.floats(0, 1),
    tokens=st.lists(st.integers(0, 10**9), min_size=4, max_size=4),
)
def test_any_reply_comes_back(
    tmp_path_factory: pytest.TempPathFactory, text: str, chances: dict[str, float] | None,
    covered: float | None, tokens: list[int],
) -> None:  # fmt: skip
    said = Completion(
        text=text, finish=Finish.STOP, prompt_tokens=tokens[0], completion_tokens=tokens[1],
        cached_tokens=tokens[2], cache_write_tokens=tokens[3], probabilities=chances,
        covered=covered, calls=0,
    )  # fmt: skip
    with ReplyCache(tmp_path_factory.mktemp("c") / "c.sqlite") as cache:
        cache.put({"k": said})
        assert cache.get(["k"]) == {"k": said}


def test_what_failed_is_not_kept(cache: ReplyCache) -> None:
    cache.put(
        {
            "failed": reply("", finish=Finish.FAILED, failure="500"),
            "odd": reply("half", failure="closed"),
            "too long": reply("", finish=Finish.STOP, too_long=True),
        }
    )
    cache.put({})
    assert cache.get(["failed", "odd", "too long"]) == {}
    assert cache.get([]) == {}


def test_the_first_reply_stays(cache: ReplyCache) -> None:
    cache.put({"k": reply("first")})
    cache.put({"k": reply("second"), "l": reply("other")})
    assert [cache.get(["k", "l"])[key].text for key in "kl"] == ["first", "other"]


def test_the_call_that_brought_a_reply_is_known(cache: ReplyCache) -> None:
    cache.put({"k": reply("x", cost_usd=0.00225), "l": reply("y")}, calls={"k": 7})
    cache.put({"k": reply("z", cost_usd=1.0)}, calls={"k": 8})
    found = cache.bought(["k", "l", "m"])
    assert set(found) == {"k"}
    assert found["k"][:2] == (7, 2_250_000)
    assert found["k"].completion == reply("x", calls=0)


@pytest.mark.parametrize("count", [1, 2, 3, 511, 512, 513, 1500])
def test_many_keys_at_once(cache: ReplyCache, count: int) -> None:
    cache.put({f"k{i}": reply(f"r{i}") for i in range(count)})
    found = cache.get([f"k{i}" for i in range(count + 5)])
    assert {key: said.text for key, said in found.items()} == {
        f"k{i}": f"r{i}" for i in range(count)
    }


def test_threads_share_one_cache(cache: ReplyCache) -> None:
    def work(name: str) -> None:
        for i in range(50):
            cache.put({f"{name}{i}": reply(f"{name}{i}")})
            assert cache.get([f"{name}{i}"])[f"{name}{i}"].text == f"{name}{i}"

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache.get(f"{name}{i}" for name in "abcd" for i in range(50))) == 200


WORKER = """
import sys
from pathlib import Path
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.protocol import Completion

path, first, count, step = Path(sys.argv[1]), *map(int, sys.argv[2:])
def said(i):
    return Completion(text=f"reply {i} " * 50, finish="stop", prompt_tokens=i, completion_tokens=1)
sys.stdin.readline()
for start in range(first, first + count, step):
    with ReplyCache(path) as cache:
        some = {f"k{i}": said(i) for i in range(start, min(start + step, first + count))}
        cache.put(some)
        for key, found in cache.get([f"k{i}" for i in range(2000)]).items():
            assert found.text == said(int(key[1:])).text, key
        assert set(cache.get(some)) == set(some)
    print(min(start + step, first + count), flush=True)
"""


def begin(path: Path, first: int, count: int, step: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), str(first), str(count), str(step)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.wide
def test_processes_write_and_read_one_file_at_once(path: Path) -> None:
    """Four processes make the file together and write 160 rows each, half of them shared.

    Each opens and closes the file 20 times, so that the making, the recovery and the taking away
    of the log by the last who leaves all meet.
    """
    workers = [begin(path, 80 * i, 160, 8) for i in range(4)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
    with ReplyCache(path) as cache:
        assert set(cache.get(f"k{i}" for i in range(1000))) == {f"k{i}" for i in range(400)}


def make_files(folder: Path, rounds: int, barrier: Barrier, done: SimpleQueue[str]) -> None:
    try:
        for turn in range(rounds):
            barrier.wait()
            with ReplyCache(folder / f"{turn}.sqlite") as cache:
                cache.put({str(os.getpid()): REPLY})
    except BaseException as error:
        barrier.abort()
        done.put(repr(error))
    done.put("")


@pytest.mark.wide
def test_processes_make_one_file_at_the_same_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """Three processes meet at each of 100 files that are not there yet."""
    monkeypatch.syspath_prepend(pytestconfig.rootpath)  # they import this module by its name
    spawn = multiprocessing.get_context("spawn")
    barrier, done = spawn.Barrier(3), spawn.SimpleQueue()
    makers = [spawn.Process(target=make_files, args=(tmp_path, 100, barrier, done)) for _ in "abc"]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    said = []
    while not done.empty():
        said.append(done.get())
    assert said == ["", "", ""]
    for turn in range(100):
        with ReplyCache(tmp_path / f"{turn}.sqlite") as cache:
            assert len(cache.get(str(maker.pid) for maker in makers)) == 3


@pytest.mark.wide
def test_kill_9_of_a_writer_keeps_all_that_was_committed(path: Path) -> None:
    """Five writers, each killed after another number of commits, in the midst of the next one."""
    told = set[int]()
    for turn in range(5):
        first = turn * 10_000
        worker = begin(path, first, 10_000, 3)
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
        for _ in range(1 + 2 * turn):
            told.update(range(first, int(worker.stdout.readline())))
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        with ReplyCache(path) as cache:
            found = cache.get(f"k{i}" for i in told)
            assert {key: said.prompt_tokens for key, said in found.items()} == {
                f"k{i}": i for i in told
            }
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()


def damage(path: Path, sql: str, *values: object) -> None:
    raw = sqlite3.connect(path)
    with raw:
        raw.execute(sql, values)
    raw.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", b'["other text","stop",9,3,0,0,null,null]'),
        ("body", b"{"),
        ("body", "text"),
        ("body", 7),
        ("body", b""),
        ("proof", 0),
        ("proof", "x"),
    ],
)
def test_a_damaged_row_is_a_miss_and_is_replaced(
    path: Path, cache: ReplyCache, column: str, value: object
) -> None:
    cache.put({"bad": reply("x"), "good": reply("y")}, calls={"bad": 1})
    damage(path, f"UPDATE replies SET {column} = ? WHERE key = 'bad'", value)
    assert cache.bought(["bad"]) == {}
    assert set(cache.get(["bad", "good"])) == {"good"}
    cache.put({"bad": reply("asked again")})
    assert cache.get(["bad"])["bad"].text == "asked again"


def test_no_flipped_bit_goes_unseen(path: Path, cache: ReplyCache) -> None:
    cache.put({"k": reply("Response A is more biased.")})
    ((body,),) = cache._file.read("SELECT body FROM replies")
    raw = sqlite3.connect(path)
    for place in range(8 * len(body)):
        changed = bytearray(body)
        changed[place // 8] ^= 1 << place % 8
        with raw:
            raw.execute("UPDATE replies SET body = ?", (bytes(changed),))
        assert cache.get(["k"]) == {}
        cache.put({"k": reply("Response A is more biased.")})
    raw.close()


def test_a_sound_row_of_the_wrong_form_is_a_miss(path: Path, cache: ReplyCache) -> None:
    """Its check sum is right: only its meaning is not."""
    for body in (b"[]", b'["x","stop"]', b'["x","never",1,1,0,0,null,null]', b"null", b"\xff"):
        cache.put({"k": reply("x")})
        proof = zlib.crc32(body, zlib.crc32(b"k"))
        damage(path, "UPDATE replies SET body = ?, proof = ?", body, proof)
        assert cache.get(["k"]) == {}


def test_settings_of_the_file(path: Path, cache: ReplyCache) -> None:
    cache.put({"k": reply("x")})
    assert cache._file.read("PRAGMA journal_mode") == [("wal",)]
    assert cache._file.read("PRAGMA synchronous") == [(1,)]
    assert path.with_name(path.name + "-wal").exists()


def test_a_newer_file_is_refused(path: Path) -> None:
    ReplyCache(path).close()
    damage(path, "PRAGMA user_version=9")
    with pytest.raises(DataError, match=r"cache\.sqlite: .* found version 9: a newer judgesmith"):
        ReplyCache(path)


@pytest.mark.parametrize("content", [b"hello", b"x" * 5000, b"SQLite format 3\x00" + b"x" * 5000])
def test_a_file_that_is_no_cache_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cache\.sqlite: expected a reply cache.*Move it away"):
        ReplyCache(path)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_cache(path: Path) -> None:
    path.touch()
    with ReplyCache(path) as cache:
        cache.put({"k": REPLY})
        assert len(cache.get(["k"])) == 1


def test_somebody_elses_file_is_left_alone(path: Path) -> None:
    damage(path, "CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(DataError, match="SQLite file of something else"):
        ReplyCache(path)
    assert path.read_bytes() == before


def test_a_file_that_breaks_later_says_what_to_do(path: Path, cache: ReplyCache) -> None:
    damage(path, "DROP TABLE replies")
    with pytest.raises(DataError, match=r"no such table.*Move it away"):
        cache.get(["k"])


def test_pages_overwritten_with_rubbish(path: Path) -> None:
    with ReplyCache(path) as cache:
        cache.put({f"k{i}": reply("x" * 500) for i in range(200)})
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with ReplyCache(path) as cache, pytest.raises(DataError, match="malformed"):
        cache.get(["k1"])


def test_a_file_held_by_another_for_too_long(path: Path) -> None:
    with ReplyCache(path, wait_s=0.05) as cache:
        raw = sqlite3.connect(path, isolation_level=None)
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(RunError, match=r"held by another process for more than 0\.05 s"):
            cache.put({"k": REPLY})
        assert cache.get(["k"]) == {}  # readers need not wait
        raw.execute("COMMIT")
        raw.close()
        cache.put({"k": REPLY})
        assert len(cache.get(["k"])) == 1


def test_a_full_disk(cache: ReplyCache) -> None:
    cache.put({"small": reply("x")})
    cache._file.read("PRAGMA max_page_count=10")
    with pytest.raises(RunError, match=r"cache\.sqlite: .*disk full\. Make room"):
        cache.put({f"k{i}": reply("x" * 3000) for i in range(30)})
    assert set(cache.get(["small", "k0"])) == {"small"}
    cache._file.read("PRAGMA max_page_count=1000")
    cache.put({"later": reply("x")})
    assert set(cache.get(["small", "later"])) == {"small", "later"}


@pytest.mark.wide
def test_a_quota_that_is_used_up(path: Path) -> None:
    """The system refuses the write itself: the message is ours, and the file stays whole."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from judgesmith.models.http.cache import ReplyCache\n"
        "from judgesmith.errors import RunError\n"
        "from judgesmith.models.protocol import Completion\n"
        "said = Completion(text='x' * 3000, finish='stop', prompt_tokens=1, completion_tokens=1)\n"
        "cache = ReplyCache(Path(sys.argv[1]))\n"
        "cache.put({'first': said})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    for i in range(100): cache.put({f'k{i}': said})\n"
        "except RunError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert "cache.sqlite: expected" in done.stdout
    with ReplyCache(path) as cache:
        assert set(cache.get(["first", "k0", "k99"])) == {"first", "k0"}


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"expected a folder for the reply cache"):
        ReplyCache(tmp_path / "file" / "cache.sqlite")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunError, match=r"unable to open.*writable, or name another"):
        ReplyCache(tmp_path / "folder")


def test_a_file_that_may_only_be_read(path: Path) -> None:
    """Said by SQLite itself, for whoever runs the test: root may write to any file."""
    with ReplyCache(path) as cache:
        cache._file.read("PRAGMA query_only=1")
        with pytest.raises(RunError, match=r"readonly.*writable, or name another"):
            cache.put({"k": REPLY})
