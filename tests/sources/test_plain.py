"""Files in our own columns need no mapping; others get the columns found and a draft that loads."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.sources.draft import draft_mapping
from judgesmith.sources.imported import ImportedJudgment
from judgesmith.sources.load_mapping import load_mapping
from judgesmith.sources.mapped import read_mapped
from judgesmith.sources.plain import choose_plain

Row = dict[str, Any]


def write(path: Path, rows: list[Row]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
            table.writeheader()
            table.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def votes_of(*paths: Path) -> list[ImportedJudgment]:
    mapping, files = choose_plain(paths)
    assert mapping.name == "plain"
    return [vote for row in read_mapped(mapping, files) for vote in row.judgments]


def short(*paths: Path) -> list[tuple[str, str, str, str | None]]:
    return [(v.item, v.by, v.role, v.verdict or v.status.value) for v in votes_of(*paths)]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_one_row_a_judgment_and_labels_in_another_file(suffix: str, tmp_path: Path) -> None:
    judged = write(
        tmp_path / f"out{suffix}",
        [
            {"item": "1", "judge": "m", "verdict": "A", "order": "stored", "sample": 1},
            {"item": "1", "judge": "m", "verdict": "TIE", "order": "swapped", "sample": 0},
            {"item": "2", "judge": "m", "verdict": "", "order": "", "sample": 0},
            {"item": "3", "judge": "m", "verdict": "truncated", "order": "", "sample": 0},
        ],
    )
    labels = write(
        tmp_path / f"labels{suffix}",
        [
            {"item": "1", "annotator": "p", "label": "B"},
            {"item": "2", "annotator": "p", "label": "tie"},
        ],
    )
    assert short(judged, labels) == [
        ("1", "m", "judge", "A"),
        ("1", "m", "judge", "TIE"),
        ("2", "m", "judge", "no_verdict"),
        ("3", "m", "judge", "truncated"),
        ("1", "p", "person", "B"),
        ("2", "p", "person", "TIE"),
    ]
    votes = votes_of(judged)
    assert [(vote.swapped, vote.sample) for vote in votes[:2]] == [(False, 1), (True, 0)]
    assert short(tmp_path) == short(labels, judged)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_one_file_with_judgments_and_labels_in_rows_of_their_own(
    suffix: str, tmp_path: Path
) -> None:
    """In a CSV the columns of the other kind are there and empty."""
    rows = [
        {"item": "1", "judge": "m", "verdict": "A"},
        {"item": "1", "annotator": "p", "label": "B"},
    ]
    path = write(tmp_path / f"all{suffix}", rows)
    assert short(path) == [("1", "m", "judge", "A"), ("1", "p", "person", "B")]


def test_one_row_an_item_takes_the_judge_from_the_file_s_name(tmp_path: Path) -> None:
    rows = [{"id": 7, "verdict": "A", "label": "B", "bucket": "x"}]
    one = write(tmp_path / "gpt-3.5-turbo.jsonl", rows)
    other = write(tmp_path / "m.v2.csv", [{"id": 7, "verdict": "B"}])
    assert short(one, other) == [
        ("7", "gpt-3.5-turbo", "judge", "A"),
        ("7", "label", "person", "B"),
        ("7", "m.v2", "judge", "B"),
    ]


def test_without_an_id_the_texts_are_the_item(tmp_path: Path) -> None:
    row = {"question": "Why?", "response_a": "x", "response_b": "y"}
    path = write(tmp_path / "t.jsonl", [{**row, "verdict": "A"}, {**row, "label": "A"}])
    first, second = votes_of(path)
    assert first.item == second.item
    assert len(first.item) == 16


def test_a_column_says_that_the_verdict_names_the_worse(tmp_path: Path) -> None:
    rows = [{"id": n, "verdict": "A", "label": "A", "names": names} for n, names in
            enumerate(["worse", "better", None])]  # fmt: skip
    path = write(tmp_path / "t.jsonl", rows)
    assert [vote.verdict for vote in votes_of(path)] == ["B", "B", "A", "A", "A", "A"]
    write(path, [*rows, {"id": 9, "verdict": "A", "names": "wrose"}])
    with pytest.raises(DataError, match=r"t\.jsonl:4: \{names\?\}: expected one of"):
        votes_of(path)


def test_scores_are_scores(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv",
        [{"item": 1, "judge": "m", "score": 4.5}, {"item": 2, "judge": "m", "score": ""}],
    )
    labels = write(tmp_path / "l.csv", [{"item": 1, "label": 3}, {"item": 2, "label": "2.5"}])
    assert short(path, labels) == [
        ("1", "m", "judge", "4.5"),
        ("2", "m", "judge", "no_verdict"),
        ("1", "label", "person", "3"),
        ("2", "label", "person", "2.5"),
    ]


def judged_row(names: str) -> Row:
    shown = [
        {"shown": "ab", "verdict": "A", "status": "parsed", "rationale": "because"},
        {"shown": "ba", "verdict": None, "status": "truncated", "rationale": None},
    ]
    return {
        "id": "p1", "verdict": "A", "names": names, "probability": 0.7, "consistent": None,
        "orders": shown, "judge": "run/student", "dialect": "0",
    }  # fmt: skip


def test_what_our_own_judge_wrote_is_read_with_labels_beside_it(tmp_path: Path) -> None:
    judged = write(tmp_path / "p.judged.jsonl", [judged_row("worse")])
    labels = write(tmp_path / "labels.csv", [{"id": "p1", "label": "B", "names": "better"}])
    assert short(judged, labels) == [
        ("p1", "run/student", "judge", "B"),
        ("p1", "run/student", "judge", "truncated"),
        ("p1", "label", "person", "B"),
    ]
    votes = votes_of(judged)
    assert [(vote.swapped, vote.rationale) for vote in votes] == [(False, "because"), (True, None)]


def test_rows_of_a_judge_that_sees_no_order_beside_the_pairs_it_was_given(tmp_path: Path) -> None:
    """The labels stand in the field `verdict` there; a row without `id` goes by its place."""
    pair = {"question": "Why?", "response_a": "x", "response_b": "y", "names": "worse"}
    given = write(tmp_path / "mine.jsonl", [{**pair, "verdict": "A"}, {**pair, "verdict": "TIE"}])
    alone = {
        "names": "worse", "confidence": 0.75, "consistent": None, "scores": [0.5, 0.5],
        "judge": "run/student", "version": "1", "dialect": "0", "calibration": None,
    }  # fmt: skip
    rows = [
        {"id": 1, "verdict": "B", "status": "parsed", **alone},
        {"id": 2, "verdict": None, "status": "truncated", **alone, "confidence": None},
    ]
    judged = write(tmp_path / "mine.judged.jsonl", rows)
    assert short(given, judged) == [
        ("1", "verdict", "person", "A"),
        ("2", "verdict", "person", "TIE"),
        ("1", "run/student", "judge", "B"),
        ("2", "run/student", "judge", "truncated"),
    ]
    mapping, _ = choose_plain([given, judged])
    assert mapping.names == "worse"
    assert mapping.order_proof == ("run/student",)
    assert [vote.confidence for vote in votes_of(judged)] == [0.75, None]
    apart, _ = choose_plain([given], beside=[judged])
    assert [vote.role for vote in votes_of(given)] == ["judge", "judge"]  # alone, it is a judge's
    roles = {vote.role for row in read_mapped(apart, [given]) for vote in row.judgments}
    assert roles == {"person"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"n": 1, "verdict": "A"}, "expected a column `item` (or `id`)"),
        ({"id": 1, "winner": "A"}, "expected a column `verdict`, `label` or `score`"),
        ({"id": 1, "verdict": 1}, "expected verdicts and labels A, B or TIE and not '1'"),
        ({"id": 1, "annotator": "p", "score": 1}, "the people's scores in a column `label`"),
    ],
)
def test_other_columns_are_listed_with_a_draft_that_loads(
    row: Row, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        choose_plain([write(tmp_path / "t.jsonl", [row])])
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/t.jsonl: {said}") or said in message
    assert f"found the columns {', '.join(row)}" in message
    draft = tmp_path / "mapping.yaml"
    draft.write_text(message.split("\n\n", 1)[1], encoding="utf-8")
    assert load_mapping(draft).files


def test_files_of_two_kinds_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", [{"id": 1, "verdict": "A"}])
    two = write(tmp_path / "b.jsonl", [{"id": 1, "score": 3}])
    with pytest.raises(DataError, match=r"a\.jsonl \(plain\), b\.jsonl \(plain_scores\)"):
        choose_plain([one, two])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="expected a run, or a folder with"):
        choose_plain([tmp_path / "empty"])


AB = {"model_a": "x", "model_b": "y"}
OUTPUTS = {"instruction": "q", "output_1": "a", "output_2": "b"}
DRAFTS: list[tuple[Row, str, list[Any], list[str]]] = [
    (OUTPUTS, "winner", [1, 2, 0, -1], ["A", "B", "TIE", "no_verdict"]),
    ({"question_id": 1, **AB}, "winner", ["y", "x", "tie"], ["B", "A", "TIE"]),
    (AB, "winner", ["model_b", "tie (bothbad)"], ["B", "TIE"]),
    ({"prompt": "q", "response": "r"}, "rating", [3, "4.5", None], ["3", "4.5", "no_verdict"]),
    ({"idx": 1, "output": "r"}, "label", ["yes", "no", ""], ["yes", "no", "no_verdict"]),
    ({"prompt": "q", "response 1": "a", "response 2": "b"}, "label", [0, 1], ["A", "B"]),
]


@pytest.mark.parametrize(("row", "column", "raw", "meant"), DRAFTS)
def test_a_draft_reads_the_rows_it_was_made_from(
    row: Row, column: str, raw: list[Any], meant: list[str], tmp_path: Path
) -> None:
    rows = [{**row, column: value} for value in raw]
    path = write(tmp_path / "t.jsonl", rows)
    draft = tmp_path / "mapping.yaml"
    draft.write_text(draft_mapping(list(rows[0]), rows), encoding="utf-8")
    votes = [vote for row in read_mapped(load_mapping(draft), [path]) for vote in row.judgments]
    assert [vote.verdict or vote.status.value for vote in votes] == meant


def test_what_a_number_means_is_marked_as_a_guess() -> None:
    """With 0, 1 and 2 the tie may be 0 (PandaLM) or 2 (Auto-J): the values cannot tell."""
    text = draft_mapping(["id", "winner"], [{"id": 1, "winner": value} for value in (0, 1, 2)])
    assert text.count("# CHECK: a guess") == 3


def test_a_draft_of_anything_loads(tmp_path: Path) -> None:
    strange = ["a b", "c:d", "é'\"", "{x}", "", "a|b", "why?", "$row", "#"]
    for columns in ([], ["x"], ["winner"], ["label", "label2"], ["score"], ["response"], strange):
        draft = tmp_path / "mapping.yaml"
        draft.write_text(draft_mapping(columns, [dict.fromkeys(columns, "v")]), encoding="utf-8")
        assert load_mapping(draft).files


def test_files_of_one_name_in_two_folders_are_two_judges(tmp_path: Path) -> None:
    for folder, verdict in (("one", "A"), ("two", "B")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "out.jsonl", [{"item": "i", "verdict": verdict}])
    labels = write(tmp_path / "labels.csv", [{"item": "i", "label": "B"}])
    assert short(tmp_path / "one" / "out.jsonl", labels, tmp_path / "two" / "out.jsonl") == [
        ("i", "one/out", "judge", "A"), ("i", "label", "person", "B"),
        ("i", "two/out", "judge", "B"),
    ]  # fmt: skip
    scores = [write(tmp_path / name / "s.csv", [{"item": "i", "score": 3}])
              for name in ("one", "two")]  # fmt: skip
    assert [by for _, by, _, _ in short(*scores)] == ["one/s", "two/s"]


def test_a_draft_takes_spaces_off_and_numbers_between_as_preferences() -> None:
    rows: list[Row] = [{"item": str(i), "verdict": (" A", "B ")[i % 2]} for i in range(4)]
    text = draft_mapping(["item", "verdict"], rows)
    assert '" A": A' in text
    assert '"B ": B' in text
    rows = [{"item": str(i), "preference": 1 + i / 10, "human": 1 + i % 2} for i in range(9)]
    text = draft_mapping(["item", "preference", "human"], rows)
    assert 'between: {value: "{preference}", first: 1, second: 2}' in text
    texts = {"output_1": "x", "output_2": "y"}
    rows = [{"item": str(i), "winner": (1, 2, 1.5)[i % 3], **texts} for i in range(9)]
    assert '"1.5": TIE' in draft_mapping(list(rows[0]), rows)
