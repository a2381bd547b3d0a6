"""Lists of responses in files: read from every form, judged in two orders, written as rows."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from judgesmith.cli.judging import _about_lists
from judgesmith.errors import DataError
from judgesmith.inference.judge import Judge
from judgesmith.inference.lacking import look_at
from judgesmith.inference.rows.stream import judge_file
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.models.protocol import Completion, Request
from judgesmith.pipeline.measure_pairs import check_labels
from judgesmith.records import Finish

LISTS = LIBRARY["judgelm-list"]
BEST = Dialect.model_validate({
    "name": "best", "kind": "list", "scale": ["A", "B", "C"], "direction": "better",
    "user": "{% for r in responses %}[{{ r.text }}]{% endfor %}",
    "reply": "{rationale} Best: {verdict}",
})  # fmt: skip
ROWS = [
    {"id": "r1", "question": "When?", "responses": ["nine", "no", "at ten"]},
    {"id": "r2", "question": "Where?", "responses": ["a", "bcde", "f", "gh, \"ij\""]},
]  # fmt: skip


class ByLength:
    """Marks each response by its length, up to 10; or chooses the longest."""

    name = "by length"

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            prompt = request.messages[-1].content
            found = re.findall(r"Answer\]\n(.*)\n\n\[The End", prompt)
            marks = " ".join(str(len(text)) for text in found) + "\nSo."
            listed = re.findall(r"\[(.*?)\]", prompt)
            best = f"So. Best: {'ABC'[max(range(len(listed)), key=lambda i: len(listed[i]))]}"
            said = marks if self.dialect is LISTS else best
            yield Completion(text=said, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)


def judge(dialect: Dialect) -> Judge:
    return Judge("run/student", "v1", dialect, ByLength(dialect), 60)


def lines(path: Path, found: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


def table(path: Path, found: Sequence[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows({**row, "responses": json.dumps(row["responses"])} for row in found)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_every_response_of_a_list_gets_a_mark_in_the_order_of_the_row(
    tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"rows.{form}"
    if form == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    else:
        (table if form == "csv" else lines)(path, ROWS)
    tally = judge_file(judge(LISTS), path, tmp_path / "out.jsonl")
    first, second = read(tmp_path / "out.jsonl")
    assert (first["scores"], second["scores"]) == ([4, 2, 6], [1, 4, 1, 8])
    assert (first["responses"], first["names"], first["status"]) == (3, "better", "parsed")
    assert [one["shown"] for one in first["orders"]] == ["abc", "cba"]
    assert [one["scores"] for one in first["orders"]] == [[4, 2, 6]] * 2
    assert (tally.lists, tally.lists_parsed, tally.pairs, tally.alone) == (2, 2, 0, 0)
    assert _about_lists(judge(LISTS), tally).endswith("2 with scores. A higher score is better.")


def test_lists_are_written_as_a_table_with_a_column_for_each_response(tmp_path: Path) -> None:
    path, out = lines(tmp_path / "rows.jsonl", ROWS), tmp_path / "out.csv"
    judge_file(judge(LISTS), path, out)
    with out.open(newline="") as file:
        first, second = csv.DictReader(file)
    assert [first[f"scores.{letter}"] for letter in "abcd"] == ["4.0", "2.0", "6.0", ""]
    assert second["scores.d"] == "8.0"
    assert first["orders.cba.scores.c"] == "6.0"


def test_a_choice_among_several_has_a_letter_of_the_row(tmp_path: Path) -> None:
    path = lines(tmp_path / "rows.jsonl", [ROWS[0]])
    tally = judge_file(judge(BEST), path, tmp_path / "out.jsonl")
    (row,) = read(tmp_path / "out.jsonl")
    assert (row["verdict"], row["consistent"], "scores" in row) == ("C", True, False)
    assert [one["verdict"] for one in row["orders"]] == ["C", "C"]
    assert _about_lists(judge(BEST), tally).endswith("A verdict names the better response.")


def test_a_judge_of_lists_takes_pairs_too_and_no_other_judge_takes_lists(tmp_path: Path) -> None:
    pair = {"id": "p", "question": "When?", "response_a": "nine", "response_b": "no"}
    path = lines(tmp_path / "rows.jsonl", [ROWS[0], pair])
    tally = judge_file(judge(LISTS), path, tmp_path / "out.jsonl")
    assert (tally.lists, tally.pairs) == (1, 1)
    assert read(tmp_path / "out.jsonl")[1]["verdict"] == "A"
    other = replace(judge(LISTS), dialect=LIBRARY["judgelm"])
    with pytest.raises(DataError, match=r"rows\.jsonl:1: field 'responses': this judge takes no"):
        judge_file(other, path, tmp_path / "o.jsonl")
    with pytest.raises(DataError, match=r"1: field 'responses': .* 2 to 26 responses, found 1\."):
        judge_file(
            judge(LISTS), lines(path, [{**ROWS[0], "responses": ["x"]}]), tmp_path / "o.jsonl"
        )
    with pytest.raises(DataError, match="labels of lists are not read"):
        check_labels(judge(LISTS), lines(path, ROWS))


def test_an_empty_response_in_a_list_is_noticed() -> None:
    found = look_at([("f:1", {"question": "Why?", "responses": ["x", " "]})], [])
    assert found.lacking["empty response"].first == "f:1"
