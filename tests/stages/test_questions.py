"""The questions stage: even samples, keyed by record id."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from judgesmith.errors import DataError
from judgesmith.records import Question
from judgesmith.runs.layout import RunDir
from judgesmith.sources.bank import read_questions, shipped_bank
from judgesmith.stages import questions
from judgesmith.stages.questions import Config, Source, composition, sample_evenly, surfaces

STRATA = ("category", "condition", "polarity")


@pytest.fixture(scope="module")
def bank() -> list[Question]:
    return list(read_questions(None))


def test_condition_and_polarity_come_out_at_half(bank: list[Question]) -> None:
    """The bank has 20 or more questions in each of its cells, so 120 can be even.

    Cells are filled round by round, and every category has four of them (2 conditions times
    2 polarities), so the two halves differ by less than one round.
    """
    chosen = sample_evenly(bank, STRATA, 120, seed=7)
    assert len({question.id for question in chosen}) == 120
    table = composition(chosen, STRATA)
    cells = len({tuple(str(c) for c in cell(q)) for q in bank})
    assert abs(table["condition"]["ambig"] - table["condition"]["disambig"]) <= cells // 2
    if 120 % cells == 0:
        assert table["condition"] == {"ambig": 60, "disambig": 60}
    counts = Counter(cell(question) for question in chosen)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len(counts) == cells


def cell(question: Question) -> tuple[Any, ...]:
    return question.category, question.task["condition"], question.task["polarity"]


def test_four_rounds_of_whole_cells_are_exactly_half(make: Any) -> None:
    """Two conditions times two polarities, 10 questions each: 16 of 40 take 4 of every cell."""
    found = [
        make.question(f"q{c}{p}{i}", condition=c, polarity=p)
        for c in ("ambig", "disambig")
        for p in ("neg", "nonneg")
        for i in range(10)
    ]
    chosen = sample_evenly(found, STRATA, 16, seed=1)
    assert composition(chosen, STRATA) == {
        "category": {"age": 16},
        "condition": {"ambig": 8, "disambig": 8},
        "polarity": {"neg": 8, "nonneg": 8},
    }


def test_a_short_cell_gives_all_and_others_make_up(make: Any) -> None:
    """Cells of 2, 10 and 10; 12 wanted: 2, then 5 and 5."""
    found = [make.question(f"short{i}", category="short") for i in range(2)]
    found += [make.question(f"{c}{i}", category=c) for c in ("x", "y") for i in range(10)]
    chosen = sample_evenly(found, ("category",), 12, seed=3)
    assert composition(chosen, ("category",))["category"] == {"short": 2, "x": 5, "y": 5}


def test_more_than_there_are_gives_all(make: Any) -> None:
    found = [make.question(f"q{i}") for i in range(5)]
    assert {q.id for q in sample_evenly(found, STRATA, 99, seed=1)} == {q.id for q in found}


@cache
def some_of_the_bank() -> list[Question]:
    return list(read_questions(None))[:400:10]


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(40)), seed=st.integers(0, 3))
def test_the_sample_does_not_depend_on_the_order_read(order: list[int], seed: int) -> None:
    found = some_of_the_bank()
    once = sample_evenly(found, STRATA, 13, seed)
    again = sample_evenly([found[i] for i in order], STRATA, 13, seed)
    assert [q.id for q in once] == [q.id for q in again]


def test_another_seed_gives_another_sample(bank: list[Question]) -> None:
    one, other = (
        {q.id for q in sample_evenly(bank, STRATA, 120, seed)} for seed in (7, 8)
    )  # fmt: skip
    assert one != other


def test_a_question_listed_twice_does_not_use_up_the_count(
    make: Any, empty_run: RunDir, no_models: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three different questions, one of them listed three times; 3 wanted: all 3 are taken."""
    one, two, three = (
        make.question(f"q{i}", slots=["Ann", "Bob", "Unknown"], groups=["f", "m", "unknown"],
                      stereotyped_groups=["f"])
        for i in range(3)
    )  # fmt: skip
    listed = [one, one, one, two, three]
    monkeypatch.setattr(questions, "reader", lambda table, kind: lambda path: iter(listed))
    config = Config(sources=(Source(kind="bank", count=3),))
    report = questions.run(config, empty_run, no_models)
    assert report.made == 3
    assert report.dropped == {"the same question twice": 2}


def test_a_later_source_gives_no_question_again(empty_run: RunDir, no_models: Any) -> None:
    config = Config(sources=(Source(kind="bank", count=10), Source(kind="bank", count=10)))
    report = questions.run(config, empty_run, no_models)
    assert report.made == 20
    assert report.dropped["read from an earlier source"] == 10
    ids = [q.id for q in empty_run.read("questions/questions.jsonl", Question)]
    assert len(set(ids)) == 20


@pytest.mark.parametrize("count", [0, -5])
def test_a_count_below_one_is_refused(count: int) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        Source(kind="bank", count=count)


def test_a_source_outside_the_run_is_hashed_by_the_name_in_the_recipe(tmp_path: Path) -> None:
    folder = tmp_path / "bank"
    folder.mkdir()
    config = Config(sources=(Source(kind="bank", path=str(folder)), Source(kind="bank")))
    assert questions.outside(config) == {str(folder): folder, "the shipped bank": shipped_bank()}


def test_question_and_choices_of_the_bank_do_not_tell_the_key(
    empty_run: RunDir, no_models: Any
) -> None:
    report = questions.run(Config(sources=(Source(kind="bank"),)), empty_run, no_models)
    surface = report.tables["surface"]
    assert surface["questions"] == report.made
    assert [probe["accuracy"]["undefined"] for probe in surface["probes"]] == [None] * 4
    assert report.tables["findings"] == []


def test_a_key_that_is_always_the_first_name_is_warned_of_and_does_not_stop(
    make: Any, empty_run: RunDir, no_models: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ann is right in every question of 20 templates; without template, the group is held out."""
    listed = [
        make.question(f"q{i}", template=None if i < 5 else f"t{i}", condition="disambig",
                      slots=["Ann", "Bob", "Unknown"], groups=["f", "m", "unknown"],
                      stereotyped_groups=["f"]).model_copy(update={"key": 0})
        for i in range(20)
    ]  # fmt: skip
    monkeypatch.setattr(questions, "reader", lambda table, kind: lambda path: iter(listed))
    report = questions.run(Config(sources=(Source(kind="bank"),)), empty_run, no_models)
    assert report.made == 20
    assert report.tables["surface"]["templates"] == 20
    assert {f["audit"] for f in report.tables["findings"]} == {"surface"}
    assert {f["severity"] for f in report.tables["findings"]} == {"warning"}
    assert empty_run.file("questions/questions.jsonl").exists()


def test_a_question_without_key_or_choices_has_no_surface(make: Any) -> None:
    one = make.question("q")
    without = [one.model_copy(update={"key": None}), one.model_copy(update={"choices": None})]
    found = surfaces([one, *without])
    assert [(q.question_id, q.template_id, q.key, q.unknown) for q in found] == [
        (one.id, "q", 2, 2)
    ]
    assert surfaces([one.model_copy(update={"task": {}})])[0].unknown is None


def log_of(folder: Path, rows: str, **question: Any) -> Source:
    """A source that reads a CSV with the columns q, ok and those that `question` names."""
    (folder / "log.csv").write_text(rows, encoding="utf-8")
    columns = {"question": {"text": "{q}", **question}, "unless": {"{ok}": ["no"]}}
    given = {"kind": "log", "path": str(folder / "log.csv"), "columns": columns}
    return Source.model_validate(given)


SLOTS = ["Ann", "Bob", "Unknown"]
BIAS = {
    "choices": SLOTS, "key": "2", "fields": {
        "slots": SLOTS, "groups": ["f", "m", "unknown"], "stereotyped_groups": ["f"],
        "polarity": "neg", "condition": "ambig",
    },
}  # fmt: skip


def test_rows_of_a_log_are_counted_in_and_out(
    tmp_path: Path, empty_run: RunDir, no_models: Any
) -> None:
    """Seven rows: one left out, one empty, two questions twice, and one of three not sampled."""
    rows = "q,ok\nwho?,yes\nwhat?,yes\nwho?,yes\nwhy?,no\n,yes\nwhat?,yes\nhow?,yes\n"
    source = log_of(tmp_path, rows, **BIAS).model_copy(update={"count": 2})
    report = questions.run(Config(sources=(source,)), empty_run, no_models)
    assert (report.taken, report.made) == (7, 2)
    assert report.dropped == {
        "left out by `where` or `unless`": 1, "the row has no question": 1,
        "the same question twice": 2, "not sampled": 1,
    }  # fmt: skip
    found = empty_run.read("questions/questions.jsonl", Question)
    assert [(q.task["target"], q.key) for q in found] == [(0, 2)] * 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "task 'bias' needs the field 'slots', found []. In a log, name the columns"),
        ({**BIAS["fields"], "groups": ["f", "m"]}, "task 'bias' cannot use the fields"),
    ],
)
def test_a_log_without_what_the_task_needs(
    fields: Any, said: str, tmp_path: Path, empty_run: RunDir, no_models: Any
) -> None:
    source = log_of(tmp_path, "q,ok\nwho?,yes\n", **{**BIAS, "fields": fields})
    with pytest.raises(DataError) as caught:
        questions.run(Config(sources=(source,)), empty_run, no_models)
    assert "(log log.csv, 'who?')" in str(caught.value)
    assert said in str(caught.value)


def test_a_kind_without_a_reader_is_an_error_of_the_recipe() -> None:
    with pytest.raises(ValidationError, match=r"kind 'bonk' cannot be read here; did you mean 'b"):
        Config.model_validate({"sources": [{"kind": "bonk"}]})
