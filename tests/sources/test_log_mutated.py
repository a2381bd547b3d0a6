"""Damaged logs: each is read, or refused with the file and the place; never a traceback."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.records import Question, Response, index_by_id, keyed_rng
from judgesmith.sources import Dropped
from judgesmith.sources.log import read_questions, read_responses
from judgesmith.sources.log_mapping import LogMapping

MAPPING = LogMapping.model_validate(
    {
        "question": {
            "text": "{prompt}", "context": "{system?}", "group": "{chat}", "choices": "{options?}",
            "key": "{right?}", "fields": {"day": "{meta.day}"}, "id": "{prompt_id}",
        },
        "responses": [
            {
                "each": {"c": "{choices}"}, "model": "{model}", "text": "{c.value.text}",
                "finish": "{c.value.end?}", "sampling": {"t": "{meta.t?}"}, "id": "{id}/{c.index}",
            }
        ],
        "unless": {"{status}": ["500"]},
    }
)  # fmt: skip
FLAT = LogMapping.model_validate(
    {
        "question": {"text": "{prompt}", "context": "{system}", "group": "{chat}"},
        "responses": [{"model": "{model}", "text": "{text}", "finish": "{end}"}],
        "unless": {"{status}": ["500"]},
    }
)
PLACE = re.compile(
    r":\d+: |: row \d+: |expected rows, found none|expected (questions|responses)|is in no row"
)
COPIES = 160
SEED = 5


def row(number: int) -> dict[str, Any]:
    question = number % 7
    return {
        "id": f"r{number}", "prompt_id": question, "chat": f"c{question % 3}", "status": 200,
        "prompt": f"What is {question} and \"{question}\"?", "system": "Be brief." * (question > 2),
        "options": ["one", "two"] if question > 3 else None, "right": 1 if question > 3 else None,
        "model": f"m{number % 2}", "meta": {"day": question, "t": 0.5},
        "choices": [{"text": f"It is {number}.", "end": "stop"}, {"text": "", "end": "length"}],
    }  # fmt: skip


ROWS = [row(number) for number in range(30)]
LINES = "".join(json.dumps(one) + "\n" for one in ROWS).encode()
CELLS = "\n".join(
    ["chat,status,prompt,system,model,text,end"]
    + [f'c{n % 3},200,"What, is {n % 7}?",,m{n % 2},"It\nis {n}.",stop' for n in range(30)]
).encode()


def read(path: Path, mapping: LogMapping) -> str:
    """What became of reading: records that a run can hold, or the refusal."""
    try:
        asked = list(read_questions(path, mapping))
        run = index_by_id([q for q in asked if isinstance(q, Question)])
        written = list(read_responses(path, run, mapping))
    except DataError as error:
        message = str(error)
        assert message.startswith(str(path)), message
        assert PLACE.search(message), message
        assert len(message) < 3000
        return "refused"
    for record in asked + written:
        if isinstance(record, Dropped):
            assert record.reason
        else:
            assert type(record).model_validate_json(record.model_dump_json()) == record
    assert all(r.question_id in run for r in written if isinstance(r, Response))
    return "read"


def cut_out(data: bytearray, draw: Any) -> None:
    start = draw.randrange(len(data))
    del data[start : start + draw.choice([1, 2, 30])]


def flip(data: bytearray, draw: Any) -> None:
    for _ in range(draw.choice([1, 5])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def cut_off(data: bytearray, draw: Any) -> None:
    del data[draw.randrange(len(data)) :]


def repeat_line(data: bytearray, draw: Any) -> None:
    lines = bytes(data).splitlines(keepends=True)
    lines.insert(draw.randrange(len(lines)), draw.choice(lines))
    data[:] = b"".join(lines)


def insert(data: bytearray, draw: Any) -> None:
    at = draw.randrange(len(data))
    odd = [b"\x00", b"\xff\xfe", b"\\ud800", b'"', b"\n", b"{", b",", b"NaN", b"9" * 40]
    data[at:at] = draw.choice(odd)


def recode(data: bytearray, draw: Any) -> None:
    text = bytes(data).decode("utf-8", "replace")
    data[:] = text.encode(draw.choice(["utf-16", "utf-8-sig"]), "replace")


MUTATIONS: list[Callable[[bytearray, Any], None]] = [
    cut_out, flip, cut_off, repeat_line, insert, recode,
]  # fmt: skip


def test_damaged_bytes_are_read_or_refused_with_their_place(tmp_path: Path) -> None:
    outcomes = []
    for number in range(COPIES):
        draw = keyed_rng(SEED, "log", number)
        name, whole, mapping = (
            ("log.jsonl", LINES, MAPPING) if number % 2 else ("log.csv", CELLS, FLAT)
        )
        data = bytearray(whole)
        MUTATIONS[number // 2 % len(MUTATIONS)](data, draw)
        path = tmp_path / name
        path.write_bytes(data)
        outcomes.append(read(path, mapping))
    assert outcomes.count("refused") >= 40, "harmless damage would say little"
    assert outcomes.count("read") >= 40, "fatal damage would say little"


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a row, the row's own columns included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[tuple[Any, ...]] = []
    for key, element in inner:
        found.append((*at, key))
        if isinstance(element, dict | list):
            found += places(element, (*at, key))
    return found


PLACES = places(row(5))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9)
    | st.sampled_from(["stop", "tool_calls", "", " ", "500", "c1", "one", 0, 1, 200]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 29), st.sampled_from(PLACES), ANYTHING | st.just(...)), max_size=4
    )
)
def test_whatever_a_place_of_a_row_holds(changes: list[Any], tmp_path: Path) -> None:
    """`...` takes the place away. JSON has no NaN and no lone surrogate: they are left to bytes."""
    rows = json.loads(json.dumps(ROWS))
    for number, at, value in changes:
        holder = rows[number]
        try:
            for key in at[:-1]:
                holder = holder[key]
            if value is ...:
                del holder[at[-1]]
            else:
                holder[at[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    outcome = read(path, MAPPING)
    assert changes or outcome == "read"


def test_the_undamaged_logs_are_read(tmp_path: Path) -> None:
    for name, whole, mapping in (("log.jsonl", LINES, MAPPING), ("log.csv", CELLS, FLAT)):
        (tmp_path / name).write_bytes(whole)
        assert read(tmp_path / name, mapping) == "read"


def test_values_that_only_parquet_can_hold(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from datetime import UTC, datetime
    from decimal import Decimal

    from pyarrow import parquet

    base = {"chat": "c", "status": 200, "prompt": "q", "system": None, "model": "m", "text": "r",
            "end": "stop"}  # fmt: skip
    odd = [float("nan"), b"\xff", datetime(2026, 3, 1, tzinfo=UTC), Decimal("1.10"), [1], {"a": 1}]
    outcomes = []
    for value in odd:
        for column in base:
            path = tmp_path / "log.parquet"
            parquet.write_table(pyarrow.Table.from_pylist([{**base, column: value}]), path)
            outcomes.append(read(path, FLAT))
    assert {*outcomes} == {"read", "refused"}
