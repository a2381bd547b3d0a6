"""200 damaged copies of real files: each is read, or refused with the file and the place."""

import gzip
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from judgesmith.errors import DataError
from judgesmith.records import Status, keyed_rng
from judgesmith.sources.benchmarks import load_shipped
from judgesmith.sources.mapped import read_mapped
from judgesmith.sources.mapping import Mapping
from judgesmith.sources.plain import choose_plain

FILES = {
    "pandalm": ["data/testset-v1.json", "data/gpt-3.5-turbo-testset-v1.json"],
    "auto_j": ["data/test/testdata_pairwise.jsonl", "data/outputs/pairwise_example_output.jsonl"],
    "judge_from_scratch": [
        "data/pairs/eval_set_unlabeled.jsonl",
        "eval/results/stage8_final_20260508T121153.json",
    ],
    "llmbar": [
        "Dataset/LLMBar/Natural/dataset.json",
        "Dataset/LLMBar/Natural/evaluators/GPT-4/CoT/result.json",
        "Dataset/LLMBar/Natural/evaluators/GPT-4/Rating/result.json",
    ],
    "triviaqa_judges": ["results/TriviaQA_Judges_w_HumanJudgement_V1.csv"],
    "halueval": ["data/general_data.json"],
}  # fmt: skip
COPIES = 3000
SEED = 77
MOST_BYTES = 150_000
PLACE = re.compile(
    r":\d+: |: row \d+: |the gzip archive is broken|expected rows, found none"
    r"|expected a list of rows|`rows: "
)


def cases() -> list[tuple[str, str]]:
    named = [(name, path) for name, paths in FILES.items() for path in paths]
    return [named[number % len(named)] for number in range(COPIES)]


def cut_out(data: bytearray, draw: Random) -> None:
    start = draw.randrange(len(data))
    del data[start : start + draw.choice([1, 2, 30, 1000])]


def flip(data: bytearray, draw: Random) -> None:
    for _ in range(draw.choice([1, 5, 50])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def cut_off(data: bytearray, draw: Random) -> None:
    del data[draw.randrange(len(data)) :]


def repeat_line(data: bytearray, draw: Random) -> None:
    lines = bytes(data).splitlines(keepends=True)
    lines.insert(draw.randrange(len(lines)), draw.choice(lines))
    data[:] = b"".join(lines)


def swap_signs(data: bytearray, draw: Random) -> None:
    old, new = draw.choice([b",;", b",\t", b"\"'", b":=", b"\n\r"])
    start = draw.randrange(len(data))
    stop = start + draw.choice([100, 10_000])
    data[start:stop] = bytes(data[start:stop]).replace(bytes([old]), bytes([new]))


def insert(data: bytearray, draw: Random) -> None:
    at = draw.randrange(len(data))
    data[at:at] = draw.choice(
        [
            b"\x00",
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"NaN",
            b"1e999",
            b'"',
            b"\n",
            b"{",
            b"\\ud800",
            b"]",
        ]
    )


def change_value(data: bytearray, draw: Random) -> None:
    """Another number or word where a value stood, well formed: only the mapping can object."""
    found = [*re.finditer(rb"(?<=[:,] )(?:\d+|\"\w{1,3}\"|true|null)(?=[,}\]\s])", bytes(data))]
    for match in draw.sample(found, min(len(found), 3))[:1]:
        new = draw.choice([b"7", b"-1", b"null", b'"x"', b"[]", b"{}", b"1.5", b"false"])
        data[match.start() : match.end()] = new


def recode(data: bytearray, draw: Random) -> None:
    text = bytes(data).decode("utf-8", "replace")
    data[:] = text.encode(draw.choice(["utf-16", "cp1252", "utf-8-sig"]), "replace")


MUTATIONS: list[Callable[[bytearray, Random], None]] = [
    cut_out, flip, cut_off, repeat_line, swap_signs, insert, change_value, recode,
]  # fmt: skip


def content_of(path: Path) -> bytes:
    packed = path.with_name(path.name + ".gz")
    return path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())


def shortened(content: bytes) -> bytes:
    """The first rows of a long JSON Lines file; any other stays whole."""
    if content[:2] != b'{"':
        return content
    return content[: content.rfind(b"\n", 0, MOST_BYTES) + 1]


def read(mapping: Mapping, path: Path) -> str:
    """What became of reading: how many rows, or the refusal."""
    count = 0
    try:
        for row in read_mapped(mapping, [path]):
            count += 1
            assert row.item.id
            for vote in row.judgments:
                assert vote.by
                assert (vote.verdict is None) == (vote.status is not Status.PARSED)
    except DataError as error:
        message = str(error)
        assert message.startswith(str(path))
        assert PLACE.search(message), message
        assert len(message) < 6000
        return "refused"
    assert count > 0
    return "read"


@pytest.fixture(scope="module")
def outcomes(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    folder = tmp_path_factory.mktemp("mutated")
    found: Counter[str] = Counter()
    for number, (name, relative) in enumerate(cases()):
        draw = keyed_rng(SEED, "mutation", number)
        data = bytearray(shortened(content_of(shared_data / name / relative)))
        mutation = MUTATIONS[number % len(MUTATIONS)]
        packed = draw.random() < 0.4
        if packed and draw.random() < 0.5:
            data = bytearray(gzip.compress(bytes(data), mtime=0))
            mutation(data, draw) if mutation is not recode else flip(data, draw)
        else:
            mutation(data, draw)
            data = bytearray(gzip.compress(bytes(data), mtime=0)) if packed else data
        path = folder / str(number) / (relative + ".gz" * packed)
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        found[read(load_shipped(name), path)] += 1
        try:
            choose_plain([path])
        except DataError as error:
            assert str(error).startswith(str(path)), error  # noqa: PT017
    return found


def test_every_damaged_copy_is_read_or_refused_with_its_place(outcomes: Counter[str]) -> None:
    assert sum(outcomes.values()) == COPIES


def test_the_damage_is_neither_harmless_nor_always_fatal(outcomes: Counter[str]) -> None:
    """Else the test above would say little: many copies must fail and many must pass."""
    assert outcomes["refused"] >= 6
    assert outcomes["read"] >= 30


@pytest.mark.parametrize("name", FILES)
def test_the_undamaged_files_are_read(name: str, shared_data: Path, tmp_path: Path) -> None:
    for relative in FILES[name]:
        path = tmp_path / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shortened(content_of(shared_data / name / relative)))
        assert read(load_shipped(name), path) == "read"
