"""Mapped reading: elements, conditions, parts and lookups of a row, and where files are found."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError, RecipeError
from judgesmith.records import Status
from judgesmith.sources.imported import ImportedJudgment, ImportedRow
from judgesmith.sources.mapped import read_mapped
from judgesmith.sources.mapping import Mapping

Row = dict[str, Any]


def pair(votes: Row, **more: Any) -> Mapping:
    """A mapping of pairs with one kind of vote; `more` goes to the mapping or its one file."""
    file = {"path": "t.jsonl", "item": "{id?}{$row}", "votes": [{"by": "j", **votes}]}
    top = {key: more.pop(key) for key in list(more) if key in Mapping.model_fields}
    return Mapping.model_validate(
        {
            "name": "t", "title": "t", "published": "t", "licence": "t", "kind": "pair",
            "names": "better", "files": [{**file, **more}], **top,
        }
    )  # fmt: skip


def single(votes: Row, **more: Any) -> Mapping:
    return pair(votes, **{"kind": "single", "names": None, **more})


def rows_of(folder: Path, mapping: Mapping, rows: Sequence[Row]) -> list[ImportedRow]:
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return list(read_mapped(mapping, folder))


def votes_of(folder: Path, mapping: Mapping, rows: Sequence[Row]) -> list[ImportedJudgment]:
    return [vote for row in rows_of(folder, mapping, rows) for vote in row.judgments]


def said(folder: Path, mapping: Mapping, rows: Sequence[Row]) -> str:
    with pytest.raises(DataError) as caught:
        rows_of(folder, mapping, rows)
    return str(caught.value).removeprefix(str(folder))


def short(vote: ImportedJudgment) -> str | None:
    return vote.verdict if vote.status is Status.PARSED else vote.status.value


def test_each_makes_votes_of_lists_and_objects(tmp_path: Path) -> None:
    votes = {
        "by": "rater {rater.index}", "role": "person", "verdict": "{rater.value}",
        "criterion": "{aspect.key}", "scale": None,
        "each": {"aspect": "{given}", "rater": "{aspect.value.votes}"},
    }  # fmt: skip
    votes.pop("scale")
    row = {"given": {"safe": {"votes": ["Yes", "No"]}, "kind": {"votes": ["No"]}}}
    found = votes_of(tmp_path, single(votes, scale=["Yes", "No"]), [row])
    assert [(vote.by, vote.criterion, vote.verdict) for vote in found] == [
        ("rater 0", "safe", "Yes"),
        ("rater 1", "safe", "No"),
        ("rater 0", "kind", "No"),
    ]
    assert "`each` needs a list or an object, found 3" in said(
        tmp_path, single(votes, scale=["Yes", "No"]), [{"given": 3}]
    )


def test_each_of_a_file_makes_items_and_conditions_leave_rows_out(tmp_path: Path) -> None:
    mapping = pair(
        {"verdict": "{turn.value.w}", "unless": {"{turn.value.w}": ["none"]}},
        item="{id}/{turn.key}", each={"turn": "{turns}"}, where={"{set}": ["test", "1"]},
        unless={"{skip?}": ["true"]},
    )  # fmt: skip
    rows = [
        {"id": 1, "set": "test", "turns": [{"w": "A"}, {"w": "none"}]},
        {"id": 2, "set": "train", "turns": [{"w": "A"}]},
        {"id": 3, "set": 1, "turns": {"x": {"w": "B"}}, "skip": False},
        {"id": 4, "set": "test", "turns": [{"w": "A"}], "skip": True},
    ]
    found = rows_of(tmp_path, mapping, rows)
    assert [(r.item.id, [v.verdict for v in r.judgments]) for r in found] == [
        ("1/0", ["A"]),
        ("1/1", []),
        ("3/x", ["B"]),
    ]
    needed = pair({"verdict": "A"}, require={"{set}": ["test"]})
    assert ":2: {set}: expected one of 'test', found 'dev'" in said(
        tmp_path, needed, [{"set": "test"}, {"set": "dev"}]
    )


def test_parts_and_lookups_add_values(tmp_path: Path) -> None:
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "dev.json").write_text('[{"qid": 1, "text": "Why?\\nTell."}]')
    mapping = pair(
        {"verdict": "{letter}", "read": {"A": "A", "B": "B", "null": "no_verdict"}},
        parts={"letter": {"of": "{reply}", "pattern": "verdict.([AB])"}},
        lookup={"asked": {"path": "q/{set}.json", "key": "{$set} {qid}", "by": "dev {q}"}},
        question="{asked.text}", where={"{letter}": ["A", "null"]},
    )  # fmt: skip
    replies = ["verdict\nA", "nothing", "verdict B"]
    found = rows_of(tmp_path, mapping, [{"q": 1, "reply": reply} for reply in replies])
    assert [short(row.judgments[0]) for row in found] == ["A", "no_verdict"]
    assert {(row.item.question, row.item.cluster) for row in found} == {("Why?\nTell.",) * 2}
    assert "no row of q/{set}.json has the key 'dev 9'" in said(
        tmp_path, mapping, [{"q": 9, "reply": ""}]
    )
    (tmp_path / "q" / "dev.json").write_text('[{"qid": 1}, {"qid": 1}]')
    assert "row 2: a second row has the key 'dev 1'" in said(
        tmp_path, mapping, [{"q": 1, "reply": ""}]
    )


def test_items_know_what_the_columns_hold(tmp_path: Path) -> None:
    mapping = pair(
        {"verdict": "A"}, item="{id?}", question="{q}", responses=["{a?}", "{b?}"],
        reference="{ref?}", cluster="{group|q}", fields={"set": "{set?}", "n": "{n?}"},
    )  # fmt: skip
    rows: list[Row] = [
        {"q": "Why?", "a": "x", "b": "", "set": "dev", "n": 3},
        {"q": "Why?", "a": "x", "b": "", "set": None, "n": ""},
        {"q": "Why?", "a": "x", "b": "y", "id": 5, "group": "g", "ref": "r"},
        {"q": "Why?", "id": "z"},
    ]
    one, same, named, bare = (row.item for row in rows_of(tmp_path, mapping, rows))
    assert one.id == same.id
    assert len(one.id) == 16
    assert (named.id, named.cluster, named.reference) == ("5", "g", "r")
    assert (one.fields, same.fields) == ({"set": "dev", "n": "3"}, {})
    assert (one.responses, bare.responses, bare.cluster) == (("x", ""), None, "Why?")
    assert one.where == f"{tmp_path}/t.jsonl:1"
    assert "responses: expected a text for each" in said(
        tmp_path, mapping, [{"q": "Why?", "a": "x", "b": None}]
    )
    assert "the row names no item" in said(tmp_path, mapping, [{"q": "Why?"}])
    assert "expected an id, found ''" in said(
        tmp_path, pair({"verdict": "A"}, item="{id}"), [{"id": ""}]
    )


def test_votes_that_are_not_there_and_votes_by_nobody(tmp_path: Path) -> None:
    mapping = pair({"by": "{who?}", "verdict": "{w?}", "read": {"A": "A", "": "no_verdict"}})
    rows: list[Row] = [{"who": "x"}, {"who": "", "w": ""}, {"w": None}, {"who": "x", "w": ""}]
    found = rows_of(tmp_path, mapping, rows)
    assert [[short(v) for v in row.judgments] for row in found] == [[], [], [], ["no_verdict"]]
    assert "expected who judged, found ''" in said(tmp_path, mapping, [{"who": "", "w": "A"}])


def files(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = b'{"w": "A"}\n'
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


PATHS = {"by": "{$judge}", "verdict": "{w}"}


def found_by(mapping: Mapping, at: Path | list[Path]) -> list[tuple[str, str]]:
    return [(r.judgments[0].by, Path(r.item.where).name) for r in read_mapped(mapping, at)]


def test_files_are_found_by_pattern_and_name_their_judge(tmp_path: Path) -> None:
    files(
        tmp_path, "r/gpt-4/out.jsonl", "r/b/out.jsonl.gz", "r/b/other.jsonl", "r/c/d/out.jsonl",
        "r/gpt-4/out.jsonl.gz",
    )  # fmt: skip
    mapping = pair(PATHS, path="r/{judge}/out.jsonl")
    expected = [("b", "out.jsonl.gz:1"), ("gpt-4", "out.jsonl:1")]
    assert found_by(mapping, tmp_path) == expected
    named = tmp_path / "t"
    tmp_path.joinpath("r").rename(named)
    assert found_by(pair(PATHS, path="{judge}/out.jsonl"), tmp_path) == expected
    deep = pair({"by": "{$a}", "verdict": "{w}"}, path="**/{a}.jsonl")
    assert len(found_by(deep, tmp_path)) == 4


def test_the_folder_may_be_the_data_set_s_or_the_one_above(tmp_path: Path) -> None:
    files(tmp_path, "above/t/x/a.jsonl")
    mapping = pair({"verdict": "{w}"}, path="x/*.jsonl")
    assert len(found_by(mapping, tmp_path / "above")) == 1
    assert len(found_by(mapping, tmp_path / "above" / "t")) == 1
    other = pair({"verdict": "{w}"}, path="x/*.jsonl", folder="t/x")
    assert len(found_by(other, tmp_path / "above" / "t")) == 1


def test_files_that_are_given_are_matched_to_entries(tmp_path: Path) -> None:
    files(tmp_path, "x/judged-by-m.jsonl", "labels.jsonl", "other.jsonl")
    entry = {"item": "{$row}", "votes": [PATHS]}
    two = Mapping.model_validate(
        {
            **pair(PATHS).model_dump(mode="json"),
            "files": [
                {**entry, "path": "labels.jsonl", "votes": [{"by": "p", "verdict": "{w}"}]},
                {**entry, "path": "out/judged-by-{judge}.jsonl"},
            ],
        }
    )
    given = [tmp_path / "x/judged-by-m.jsonl", tmp_path / "labels.jsonl"]
    assert found_by(two, given) == [("p", "labels.jsonl:1"), ("m", "judged-by-m.jsonl:1")]
    with pytest.raises(DataError, match="expected a file that one of the mapping's patterns fits"):
        found_by(two, [tmp_path / "other.jsonl"])
    with pytest.raises(DataError, match="expected a file, found none there"):
        found_by(two, [tmp_path / "none.jsonl"])
    stem = pair({"by": "{$stem}", "verdict": "{w}"})
    assert found_by(stem, [tmp_path / "other.jsonl"]) == [("other", "other.jsonl:1")]
    with pytest.raises(DataError, match="taken from the file's path"):
        found_by(pair(PATHS, path="{judge}/o.jsonl"), [tmp_path / "other.jsonl"])


def test_a_pattern_that_matches_nothing_says_what_was_looked_for(tmp_path: Path) -> None:
    some = pair({"verdict": "A"}, path="a/*.jsonl")
    with pytest.raises(DataError, match=r"match 'a/\*\.jsonl' \(or the same with \.gz\)"):
        found_by(some, tmp_path)
    with pytest.raises(DataError, match="found no folder there"):
        found_by(some, tmp_path / "none")
    with pytest.raises(DataError, match="at least one file"):
        found_by(some, [])


def test_a_mapping_made_in_code_is_checked_too(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="exactly one of verdict, between and scores, found none"):
        list(read_mapped(pair({}), tmp_path))
