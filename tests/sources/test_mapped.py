"""Mapped reading: every published convention of verdicts, orders, scores and files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.records import Direction, Status
from judgesmith.sources.imported import ImportedJudgment, ImportedRow
from judgesmith.sources.mapped import RowReader, read_mapped
from judgesmith.sources.mapping import Mapping
from judgesmith.sources.templates import RowProblem

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


CONVENTIONS: dict[str, tuple[dict[str, str], list[Any], list[str]]] = {
    "1, 2, tie 0": ({"1": "A", "2": "B", "0": "TIE"}, [1, 2, 0], ["A", "B", "TIE"]),
    "0, 1, tie 2": ({"0": "A", "1": "B", "2": "TIE"}, ["0", "1", "2"], ["A", "B", "TIE"]),
    "tie 3, -1": (
        {"1": "A", "2": "B", "3": "TIE", "-1": "no_verdict"},
        [1, 2, 3, -1],
        ["A", "B", "TIE", "no_verdict"],
    ),
    "float from a table": (
        {"1": "A", "2": "B", "1.5": "TIE", "null": "no_verdict"},
        [1.0, 2.0, 1.5, None],
        ["A", "B", "TIE", "no_verdict"],
    ),
    "letters": (
        {"A": "A", "B": "B", "TIE": "TIE", "PARSE_FAIL": "no_verdict"},
        ["A", "B", "TIE", "PARSE_FAIL"],
        ["A", "B", "TIE", "no_verdict"],
    ),
    "garbage": (
        {"1": "A", "2": "B", "Tie": "TIE", "garbage": "several_verdicts"},
        ["1", "2", "Tie", "garbage"],
        ["A", "B", "TIE", "several_verdicts"],
    ),
    "truth values": (
        {"true": "A", "false": "B", "": "refused"},
        [True, False, ""],
        ["A", "B", "refused"],
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_every_convention_of_a_winner_is_read(name: str, tmp_path: Path) -> None:
    read, raw, meant = CONVENTIONS[name]
    mapping = pair({"verdict": "{w}", "read": read})
    votes = votes_of(tmp_path, mapping, [{"w": value} for value in raw])
    assert [short(vote) for vote in votes] == meant
    assert all((vote.verdict is None) == (vote.status is not Status.PARSED) for vote in votes)


def test_a_winner_is_read_by_its_model_name(tmp_path: Path) -> None:
    read = {"{model_a}": "A", "{model_b}": "B", "tie": "TIE", "tie (bothbad)": "TIE"}
    mapping = pair({"verdict": "{winner}", "read": read})
    ab = {"model_a": "llama", "model_b": "alpaca"}
    rows = [{**ab, "winner": name} for name in ("llama", "alpaca", "tie", "tie (bothbad)")]
    assert [vote.verdict for vote in votes_of(tmp_path, mapping, rows)] == ["A", "B", "TIE", "TIE"]
    same = [{"model_a": "x", "model_b": "x", "winner": "x"}]
    assert ":1: {winner}: 'x' names both A and B" in said(tmp_path, mapping, same)


def test_a_value_that_is_not_listed_is_never_guessed(tmp_path: Path) -> None:
    mapping = pair({"verdict": "{w}", "read": {"1": "A", "2": "B"}})
    message = said(tmp_path, mapping, [{"w": 1}, {"w": "A"}])
    assert message.startswith("/t.jsonl:2: {w}: 'A' is not among the values the mapping knows")
    plain = pair({"verdict": "{w}"})
    rows = [{"w": "A"}, {"w": "TIE"}]
    assert [vote.verdict for vote in votes_of(tmp_path, plain, rows)] == ["A", "TIE"]
    assert "{w}: None is not among" in said(tmp_path, plain, [{"w": None}])


def test_a_misspelled_column_names_the_nearest(tmp_path: Path) -> None:
    mapping = pair({"verdict": "{winer}"})
    assert "/t.jsonl:1: column 'winer' is not in the row; did you mean 'winner'?" in said(
        tmp_path, mapping, [{"winner": "A"}]
    )


def test_a_verdict_that_names_the_worse_is_turned_to_the_mapping_s_direction(
    tmp_path: Path,
) -> None:
    rows = [{"w": "A"}, {"w": "B"}, {"w": "TIE"}]
    worse = pair({"verdict": "{w}", "names": "worse"})
    assert [vote.verdict for vote in votes_of(tmp_path, worse, rows)] == ["B", "A", "TIE"]
    kept = pair({"verdict": "{w}"}, names="worse")
    assert kept.names is Direction.WORSE
    assert [vote.verdict for vote in votes_of(tmp_path, kept, rows)] == ["A", "B", "TIE"]


def test_preferences_as_numbers(tmp_path: Path) -> None:
    """AlpacaEval: 1 to 2; 1.25 is a quarter of the way to B, so A with 3/4."""
    between = {"value": "{p}", "first": 1, "second": 2, "ties": [0]}
    mapping = pair({"between": between, "unscored": ["null"], "read": {"NA": "refused"}})
    raw = [1, 2, 1.25, 1.5, 0, None, 2.5, "1.75", "NA"]
    votes = votes_of(tmp_path, mapping, [{"p": value} for value in raw])
    assert [short(vote) for vote in votes] == [
        "A", "B", "A", "TIE", "TIE", "no_verdict", "off_scale", "B", "refused",
    ]  # fmt: skip
    found = [vote.distribution and vote.distribution["B"] for vote in votes]
    assert found == [0, 1, 0.25, 0.5, 0.5, None, None, 0.75, None]
    down = pair({"between": {"value": "{p}", "first": 1, "second": -1}})
    numbers = [{"p": 0.5}, {"p": -0.5}, {"p": 0}]
    assert [vote.verdict for vote in votes_of(tmp_path, down, numbers)] == ["A", "B", "TIE"]
    assert "1.5 is a tie, and the mapping has no `tie`" in said(
        tmp_path, pair({"between": between}, tie=None), [{"p": 1.5}]
    )


@pytest.mark.parametrize(
    ("score", "status"),
    [(3, "parsed"), ("4.5", "parsed"), (0, "off_scale"), (11, "off_scale"), ("", "no_verdict")],
)
def test_scores_of_a_single_response(score: Any, status: str, tmp_path: Path) -> None:
    mapping = single({"scores": ["{s}"], "unscored": ["", "nan"]}, range=[1, 10])
    (vote,) = votes_of(tmp_path, mapping, [{"s": score}])
    assert vote.status == status
    assert vote.scores == ((float(score),) if status == "parsed" else None)
    assert vote.verdict == (str(score) if status == "parsed" else None)


@pytest.mark.parametrize("score", [None, "high", "nan", "NaN", "inf", "1_0", True, [1], {}, "٣"])
def test_what_is_no_finite_number_is_no_score(score: Any, tmp_path: Path) -> None:
    mapping = single({"scores": ["{s}"]})
    message = said(tmp_path, mapping, [{"s": 1}, {"s": score}])
    assert message.startswith("/t.jsonl:2: {s}: expected a number, found ")
    assert "list it under `unscored`" in message


def test_not_a_number_in_a_table_is_an_error_or_unscored() -> None:
    """Parquet and CSV can hold what JSON cannot: a NaN is never a score, and never a tie."""
    for value in (float("nan"), float("inf"), "nan"):
        row = {"id": 1, "$row": 1, "s": value}
        mapping = single({"scores": ["{s}"]})
        with pytest.raises(RowProblem, match="expected a number"):
            RowReader(mapping.files[0], mapping, Path()).read(row, "t:1")
        allowed = single({"scores": ["{s}"], "unscored": ["NaN", "nan", "Infinity"]})
        (read,) = RowReader(allowed.files[0], allowed, Path()).read(row, "t:1")
        assert read.judgments[0].status is Status.NO_VERDICT


def test_scores_of_a_pair_give_its_verdict(tmp_path: Path) -> None:
    votes = {"scores": ["{a}", "{b}"], "unscored": ["null"]}
    rows = [{"a": 8, "b": 3}, {"a": 1, "b": "2"}, {"a": 5, "b": 5.0}, {"a": None, "b": 1}]
    found = votes_of(tmp_path, pair(votes), rows)
    assert [short(vote) for vote in found] == ["A", "B", "TIE", "no_verdict"]
    assert [vote.scores for vote in found] == [(8, 3), (1, 2), (5, 5), None]
    worse = votes_of(tmp_path, pair(votes, names="worse"), rows)
    assert [short(vote) for vote in worse] == ["B", "A", "TIE", "no_verdict"]
    assert [vote.scores for vote in worse] == [vote.scores for vote in found]
    assert "both scores are 5, and the mapping has no `tie`" in said(
        tmp_path, pair(votes, tie=None), rows
    )


def test_raw_scores_can_be_spelled_out(tmp_path: Path) -> None:
    read = {"4 - good": "4", "1 - bad": "1", "n/a": "abstained"}
    mapping = single({"scores": ["{s}"], "read": read}, range=[1, 5])
    rows = [{"s": "4 - good"}, {"s": "1 - bad"}, {"s": "n/a"}, {"s": 2}]
    assert [short(v) for v in votes_of(tmp_path, mapping, rows)] == ["4", "1", "abstained", "2"]


ORDER = {"order": "{o}", "orders": {"ab": "stored", "ba": "swapped"}}


def test_letters_of_the_position_shown_become_those_of_the_item(tmp_path: Path) -> None:
    rows = [{"w": w, "o": o, "a": 1, "b": 2} for o in ("ab", "ba") for w in ("A", "B", "TIE")]
    shown = votes_of(tmp_path, pair({"verdict": "{w}", "letters": "shown", **ORDER}), rows)
    assert [vote.verdict for vote in shown] == ["A", "B", "TIE", "B", "A", "TIE"]
    item = votes_of(tmp_path, pair({"verdict": "{w}", **ORDER}), rows)
    assert [vote.verdict for vote in item] == ["A", "B", "TIE", "A", "B", "TIE"]
    assert (
        [vote.swapped for vote in shown]
        == [vote.swapped for vote in item]
        == [False] * 3 + [True] * 3
    )
    scored = votes_of(
        tmp_path, pair({"scores": ["{a}", "{b}"], "letters": "shown", **ORDER}), rows[2:4]
    )
    assert [(vote.verdict, vote.scores) for vote in scored] == [("B", (1, 2)), ("A", (2, 1))]
    between = {"value": "{b}", "first": 0, "second": 2, "ties": []}
    sure = votes_of(tmp_path, pair({"between": between, "letters": "shown", **ORDER}), rows[2:4])
    assert [vote.distribution for vote in sure] == [{"A": 0, "B": 1}, {"B": 0, "A": 1}]
    assert "{o}: expected an order among 'ab', 'ba', found 'xx'" in said(
        tmp_path, pair({"verdict": "{w}", **ORDER}), [{"w": "A", "o": "xx"}]
    )


def test_sides_make_one_item_of_both_orders(tmp_path: Path) -> None:
    """The same preference for `ant`, listed in both orders, is one verdict on one item."""
    mapping = pair(
        {"verdict": "{w}"},
        item="{q}/{$first}/{$second}", sides=["{m1}", "{m2}"], models=["{m1}", "{m2}"],
        responses=["{r1}", "{r2}"],
    )  # fmt: skip
    rows = [
        {"q": 1, "m1": "ant", "m2": "bee", "r1": "x", "r2": "y", "w": "A"},
        {"q": 1, "m1": "bee", "m2": "ant", "r1": "y", "r2": "x", "w": "B"},
    ]
    first, second = rows_of(tmp_path, mapping, rows)
    assert first.item.id == second.item.id == "1/ant/bee"
    assert first.item.models == second.item.models == ("ant", "bee")
    assert first.item.responses == second.item.responses == ("x", "y")
    assert [row.judgments[0].verdict for row in (first, second)] == ["A", "A"]
    assert [row.judgments[0].swapped for row in (first, second)] == [False, True]


@given(
    st.sampled_from(["A", "B", "TIE"]), st.booleans(), st.booleans(), st.booleans(), st.booleans()
)
def test_turning_twice_is_not_turning(
    verdict: str, listed_back: bool, shown_back: bool, worse: bool, letters_shown: bool
) -> None:
    """The letter flips once for each of: listed against order, shown swapped, other direction."""
    votes = {
        "verdict": "{w}", "letters": "shown" if letters_shown else "item",
        "names": "worse" if worse else "better", **ORDER,
    }  # fmt: skip
    mapping = pair(votes, item="1", sides=["{m1}", "{m2}"])
    m1, m2 = ("b", "a") if listed_back else ("a", "b")
    row = {"w": verdict, "o": "ba" if shown_back else "ab", "m1": m1, "m2": m2}
    (read,) = RowReader(mapping.files[0], mapping, Path()).read(row, "t:1")
    flips = listed_back + (shown_back and letters_shown) + worse
    expected = {"A": "B", "B": "A"}.get(verdict, verdict) if flips % 2 else verdict
    assert read.judgments[0].verdict == expected
    assert read.judgments[0].swapped == (listed_back != shown_back)


def test_confidence_sample_criterion_and_texts(tmp_path: Path) -> None:
    mapping = pair(
        {
            "verdict": "{w}", "confidence": "{c}", "confidence_range": [1, 5], "sample": "{run}",
            "samples": {"original": 0, "again": 3}, "criterion": "{aspect?}", "rationale": "{why?}",
            "reply": "raw {w}",
        }
    )  # fmt: skip
    rows = [
        {"w": "A", "c": 4, "run": "again", "aspect": "depth", "why": ["x", 1]},
        {"w": "B", "c": "", "run": "original"},
    ]
    first, second = votes_of(tmp_path, mapping, rows)
    assert (first.confidence, first.sample, first.criterion) == (0.75, 3, "depth")
    assert (first.rationale, first.reply) == ('["x",1]', "raw A")
    assert (second.confidence, second.sample, second.criterion) == (None, 0, None)
    assert "expected a confidence from 1 to 5, found 6" in said(
        tmp_path, mapping, [{"w": "A", "c": 6, "run": "again"}]
    )
    assert "expected one of the values under `samples`" in said(
        tmp_path, mapping, [{"w": "A", "c": 1, "run": "third"}]
    )
    numbered = pair({"verdict": "{w}", "sample": "{n}"})
    assert [v.sample for v in votes_of(tmp_path, numbered, [{"w": "A", "n": "2"}])] == [2]
    for bad in (-1, 1.5, "x"):
        assert "expected a sample number" in said(tmp_path, numbered, [{"w": "A", "n": bad}])
