"""Logs: what a row becomes, what is one and what is two, and what is said of the rest."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError, RecipeError
from judgesmith.records import Finish, Question, Response, index_by_id
from judgesmith.sources import Dropped
from judgesmith.sources.log import NOT_IN_RUN, NOT_KEPT, read_questions, read_responses
from judgesmith.sources.log_mapping import FINISHES, LogMapping

Row = dict[str, Any]
ROW: Row = {"q": "why?", "m": "one", "r": "because"}


def mapping(question: Row | None = None, response: Row | None = None, **top: Any) -> LogMapping:
    written = {"model": "{m}", "text": "{r}", **(response or {})}
    asked = {"text": "{q}", **(question or {})}
    return LogMapping.model_validate({"question": asked, "responses": [written], **top})


class Log:
    """A log file, read as both stages read it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, *rows: Row) -> None:
        self.path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def questions(self, columns: LogMapping, *rows: Row) -> list[Question]:
        self.write(*rows)
        return kept(read_questions(self.path, columns))

    def responses(self, columns: LogMapping, *rows: Row) -> list[Response]:
        return kept(self.both(columns, *rows))

    def both(self, columns: LogMapping, *rows: Row) -> list[Response | Dropped]:
        asked = index_by_id(self.questions(columns, *rows))
        return list(read_responses(self.path, asked, columns))

    def said(self, columns: LogMapping, *rows: Row) -> str:
        with pytest.raises(DataError) as caught:
            self.both(columns, *rows)
        return str(caught.value).removeprefix(str(self.path))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log.jsonl")


def kept(found: Iterable[Any]) -> list[Any]:
    return [record for record in found if not isinstance(record, Dropped)]


def reasons(found: Iterable[Any]) -> list[str]:
    return [record.reason for record in found if isinstance(record, Dropped)]


def test_a_row_becomes_a_question_and_its_response(log: Log) -> None:
    columns = mapping(
        {"context": "{sys?}", "category": "{cat}", "template": "{t}", "reference": "{ref}",
         "grounding": "{doc}", "fields": {"n": "{n}", "xs": "{xs}", "none": "{none?}"}},
        {"sampling": {"temperature": "{T}", "top_p": "{p?}"}, "licence": "theirs"},
        licence="{terms}",
    )  # fmt: skip
    row = {**ROW, "sys": "c", "cat": "k", "t": 7, "ref": "f", "doc": "d", "n": 2, "xs": [1, None],
           "T": 0.5, "terms": "ours"}  # fmt: skip
    (question,) = log.questions(columns, row)
    assert question == Question.make(
        source="log log.jsonl", licence="ours", group_id=question.group_id, template_id="7",
        category="k", context="c", text="why?", choices=None, key=None, reference="f",
        grounding="d", task={"n": 2, "xs": [1, None]},
    )  # fmt: skip
    (response,) = log.responses(columns, row)
    assert response == Response.make(
        source="log log.jsonl", licence="theirs", question_id=question.id, model="one",
        sampling={"temperature": 0.5}, text="because", finish=Finish.STOP, task={},
    )  # fmt: skip


def test_the_same_question_is_one_and_an_empty_context_is_none(log: Log) -> None:
    columns = mapping({"context": "{c?}"})
    rows = [ROW, {**ROW, "c": "", "r": "x"}, {**ROW, "c": None, "r": "y"}, {**ROW, "c": "other"}]
    found = log.questions(columns, *rows)
    assert [q.id for q in found] == [found[0].id] * 3 + [found[3].id]
    assert found[3].id != found[0].id
    assert [r.question_id for r in log.responses(columns, *rows)] == [q.id for q in found]


def test_identical_response_rows_are_one_and_another_setting_makes_two(log: Log) -> None:
    columns = mapping(response={"sampling": {"T": "{T?}"}})
    found = log.responses(columns, ROW, ROW, {**ROW, "T": 1}, {**ROW, "m": "two"})
    assert [r.id == found[0].id for r in found] == [True, True, False, False]
    assert len({r.id for r in found}) == 3


def test_groups_that_share_a_question_are_one(log: Log) -> None:
    """why? is asked in c2 and in c3, so these two stay together; c1 has a question of its own."""
    rows = [
        {**ROW, "g": "c3"}, {**ROW, "g": "c2"}, {**ROW, "q": "who?", "g": "c3"},
        {**ROW, "q": "how?", "g": "c1"},
    ]  # fmt: skip
    found = log.questions(mapping({"group": "{g}"}), *rows)
    assert [q.group_id for q in found] == ["c2", "c2", "c2", "c1"]
    assert len(log.responses(mapping({"group": "{g}"}), *rows)) == 4


def test_without_a_group_each_question_is_its_own(log: Log) -> None:
    found = log.questions(mapping({"group": "{g?}"}), ROW, {**ROW, "q": "who?"})
    assert len({q.group_id for q in found}) == 2


@pytest.mark.parametrize(("word", "finish"), [*FINISHES.items(), ("STOP", Finish.STOP)])
def test_the_words_of_servers_for_an_end(word: str, finish: Finish, log: Log) -> None:
    (found,) = log.responses(mapping(response={"finish": "{f}"}), {**ROW, "f": word})
    assert found.finish is finish


@pytest.mark.parametrize(
    ("raw", "name"), [("tool_calls", '"tool_calls"'), (None, '"null"'), ("", '""')]
)
def test_an_unknown_end_lists_the_known_and_the_way_to_map_it(
    raw: str | None, name: str, log: Log
) -> None:
    rows = (ROW | {"f": "stop"}, ROW | {"f": raw})
    said = log.said(mapping(response={"finish": "{f}"}), *rows)
    assert said.startswith(f":2: {{f}}: expected why the response ended, found {raw!r}. Known are ")
    assert "end_turn, eos" in said
    assert f"`read: {{{name}: stop}}`" in said
    read = {json.loads(name): "length"}
    _, found = log.responses(mapping(response={"finish": "{f}", "read": read}), *rows)
    assert found.finish is Finish.LENGTH


def test_an_absent_end_is_a_stop_and_read_comes_before_the_known_words(log: Log) -> None:
    columns = mapping(response={"finish": "{f?}", "read": {"stop": "failed"}})
    found = log.responses(columns, ROW, {**ROW, "f": "stop"})
    assert [r.finish for r in found] == [Finish.STOP, Finish.FAILED]


@pytest.mark.parametrize(
    ("text", "finish", "outcome"),
    [
        (None, None, "the row has no response"),
        ("", "", "the row has no response"),
        (" \n", "stop", "the response ended by itself and has no text"),
        ("", "end_turn", "the response ended by itself and has no text"),
        (None, "content_filter", Finish.REFUSED),
        ("", "error", Finish.FAILED),
        ("", "length", Finish.LENGTH),
    ],
)
def test_no_text_is_a_response_only_where_something_ended_it(
    text: str | None, finish: str | None, outcome: str, log: Log
) -> None:
    columns = mapping(response={"finish": "{f}"})
    _, found = log.both(columns, {**ROW, "f": "stop"}, {**ROW, "r": text, "f": finish})
    if isinstance(found, Dropped):
        assert found.reason == outcome
    else:
        assert (found.finish, found.text) == (outcome, "")


def test_without_text_and_without_a_word_for_the_end_there_is_no_response(log: Log) -> None:
    assert reasons(log.both(mapping(), ROW, {**ROW, "r": "", "m": None})) == [
        "the row has no response"
    ]


def test_a_list_in_a_row_gives_a_response_for_each_element_and_none_for_no_element(
    log: Log,
) -> None:
    columns = mapping(
        response={"each": {"c": "{cs?}"}, "text": "{c.value.t}", "id": "{$row}/{c.index}"}
    )
    rows = [{**ROW, "cs": [{"t": "x"}, {"t": "y"}]}, {**ROW, "cs": []}, ROW]
    found = log.both(columns, *rows)
    assert [r.text for r in kept(found)] == ["x", "y"]
    assert reasons(found) == ["the row has no response"] * 2


def test_the_name_of_an_element_hides_a_column_only_where_it_is_given(log: Log) -> None:
    one = {"model": "{m}", "text": "{r.value}", "each": {"r": "{rs}"}}
    columns = LogMapping.model_validate(
        {"question": {"text": "{q}"}, "responses": [one, {"model": "{m}", "text": "{r}"}]}
    )
    found = log.responses(columns, {**ROW, "rs": ["x"]})
    assert [r.text for r in found] == ["x", "because"]


def test_columns_side_by_side_are_several_responses(log: Log) -> None:
    sides = [{"model": side, "text": f"{{{side}}}"} for side in ("a", "b")]
    columns = LogMapping.model_validate({"question": {"text": "{q}"}, "responses": sides})
    found = log.both(columns, {"q": "why?", "a": "x", "b": "y"}, {"q": "why?", "a": "z", "b": ""})
    assert [(r.model, r.text) for r in kept(found)] == [("a", "x"), ("b", "y"), ("a", "z")]
    assert reasons(found) == ["the row has no response"]


def test_rows_left_out_are_counted_in_both_stages(log: Log) -> None:
    columns = mapping(where={"{ok}": ["true"]}, unless={"{m}": ["test"]})
    rows = [{**ROW, "ok": True}, {**ROW, "ok": False}, {**ROW, "ok": True, "m": "test"}]
    log.write(*rows)
    assert reasons(read_questions(log.path, columns)) == [NOT_KEPT] * 2
    assert reasons(log.both(columns, *rows)) == [NOT_KEPT] * 2


def test_a_row_without_a_question_is_counted_in_both_stages(log: Log) -> None:
    found = log.both(mapping(), {**ROW, "q": " "}, {**ROW, "q": None}, ROW)
    assert reasons(found) == ["the row has no question"] * 2
    log.write({**ROW, "q": ""}, ROW)
    assert reasons(read_questions(log.path, mapping())) == ["the row has no question"]


def test_a_question_that_was_not_sampled_takes_its_responses_with_it(log: Log) -> None:
    one, _ = log.questions(mapping(), ROW, {**ROW, "q": "who?"})
    found = list(read_responses(log.path, {one.id: one}, mapping()))
    assert len(kept(found)) == 1
    assert reasons(found) == [NOT_IN_RUN]


def test_of_two_questions_of_one_content_the_row_s_own_group_is_taken(log: Log) -> None:
    columns = mapping({"group": "{g}"})
    (first,) = log.questions(columns, {**ROW, "g": "c1"})
    (second,) = log.questions(columns, {**ROW, "g": "c2"})
    run = index_by_id([first, second])
    assert [r.question_id for r in kept(read_responses(log.path, run, columns))] == [second.id]


def test_a_piece_of_a_longer_text(log: Log) -> None:
    parts = {"c": {"of": "{q}", "pattern": "C: (.*)\nQ:"}, "t": {"of": "{q}", "pattern": "Q: (.*)"}}
    columns = mapping({"text": "{t}", "context": "{c}"}, parts=parts)
    (found,) = log.questions(columns, {**ROW, "q": "C: here\nand there\nQ: why?"})
    assert (found.context, found.text) == ("here\nand there", "why?")


def test_a_folder_is_one_log(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    Log(folder / "a.jsonl").write({**ROW, "g": "c1"})
    (folder / "b.csv").write_text("q,m,r,g\nwhy?,two,so,c2\n", encoding="utf-8")
    columns = mapping({"group": "{g}"}, {"model": "{m} of {$stem}"})
    asked = kept(read_questions(folder, columns))
    assert [q.group_id for q in asked] == ["c1", "c1"]
    found = kept(read_responses(folder, index_by_id(asked), columns))
    assert [(r.model, r.source) for r in found] == [
        ("one of a", "log a.jsonl"), ("two of b", "log b.csv")
    ]  # fmt: skip


def test_json_with_rows_inside_and_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    inside = Log(tmp_path / "log.json")
    inside.path.write_text(json.dumps({"data": {"rows": [ROW]}}), encoding="utf-8")
    packed = Log(tmp_path / "log.parquet")
    parquet.write_table(pyarrow.table({name: [value] for name, value in ROW.items()}), packed.path)
    for path, columns in ((inside.path, mapping(rows="data.rows")), (packed.path, mapping())):
        asked = kept(read_questions(path, columns))
        found = kept(read_responses(path, index_by_id(asked), columns))
        assert [(q.text, r.text) for q, r in zip(asked, found, strict=True)] == [
            ("why?", "because")
        ]


def test_choices_in_columns_of_their_own(log: Log) -> None:
    columns = mapping({"choices": ["{a?}", "{b?}"], "key": "{k?}"})
    found = log.questions(columns, {**ROW, "a": "x", "b": 3, "k": "3"}, {**ROW, "q": "who?"})
    assert [(q.choices, q.key) for q in found] == [(("x", "3"), 1), (None, None)]


@pytest.mark.parametrize("column", ["category", "template", "licence", "key", "fields"])
def test_rows_that_contradict_each_other_about_a_question(column: str, log: Log) -> None:
    question: Row = {"choices": ["x", "y"], "category": "{v}", "template": "{v}", "key": "{v}"}
    columns = mapping(
        {"choices": ["0", "1"]}
        | ({column: question[column]} if column in question else {})
        | ({"fields": {"n": "{v}"}} if column == "fields" else {}),
        licence="{v}" if column == "licence" else "ours",
    )
    said = log.said(columns, {**ROW, "v": 0}, {**ROW, "v": 1})
    assert said.startswith(f":2: `{column}`: expected ")
    assert f"as for the same question at {log.path}:1, found" in said


@pytest.mark.parametrize("other", [{"q": "who?"}, {"r": "so"}, {"m": "two"}])
def test_one_id_with_two_contents_names_both_rows(other: Row, log: Log) -> None:
    columns = mapping({"id": "{i}"} if "q" in other else None, {"id": "{i}"})
    row = {**ROW, "i": 7}
    assert len(log.responses(columns, row, row)) == 2
    said = log.said(columns, row, {**row, **other})
    what = "question" if "q" in other else "response"
    assert said.startswith(
        f":2: {{i}}: expected one {what} for an id, found another one for '7' at {log.path}:1."
    )


@pytest.mark.parametrize(
    ("columns", "row", "said"),
    [
        (mapping({"text": "{qq}"}), {}, ":1: column 'qq' is not in the row; did you mean 'q'?"),
        (mapping(response={"text": "{rr}"}), {}, ":1: column 'rr' is not in the row; did you"),
        (mapping({"text": "{q.t}"}), {"q": {"x": "y"}}, "there is no 't' in 'q'; it has: x"),
        (mapping(), {"q": [{"role": "user"}]}, "{q}: expected text, found [{'role': 'user'}]."),
        (mapping(), {"r": {"t": 1}}, "{r}: expected text, found {'t': 1}"),
        (mapping(), {"m": ""}, "{m}: expected the name of the model that wrote the response"),
        (mapping(), {"m": " "}, "that wrote the response, found ' '"),
        (mapping(), {"m": None}, "write it into the mapping: `model: my-model`"),
        (mapping(licence="{l?}"), {}, "{l?}: expected the terms of use, found None"),
        (mapping(response={"licence": "{l?}"}), {}, "{l?}: expected the terms of use, found None"),
        (mapping(response={"sampling": {"T": "{m}"}}), {"m": [1]}, "text or a number, found [1]"),
        (mapping({"fields": {"x": "{m}"}}), {"m": {"a": 1}}, "text or a number, found {'a': 1}"),
        (mapping(response={"each": {"c": "{q}"}}), {}, "`each` needs a list or an object, found"),
        (mapping({"context": "{contxt?}"}), {"context": "c"}, ": column 'contxt' is in no row"),
        (mapping(response={"finish": "{finsh?}"}), {"finish": "c"}, "did you mean 'finish'?"),
    ],
)  # fmt: skip
def test_what_does_not_fit_names_file_row_and_column(
    columns: LogMapping, row: Row, said: str, log: Log
) -> None:
    assert said in log.said(columns, {**ROW, **row})


def test_an_optional_column_that_no_row_has_is_fine_where_nothing_is_near(log: Log) -> None:
    columns = mapping({"context": "{system?}", "reference": "{a.b?}"}, {"finish": "{q.x?}"})
    assert len(log.responses(columns, {**ROW, "a.c": 1, "other": 2})) == 1


def test_a_column_that_is_read_is_no_misspelled_one(log: Log) -> None:
    """`prompts` is near `prompt`, which is read; a path into `messages` finds `messages.0`."""
    columns = mapping({"text": "{prompt}", "context": "{prompts?}", "reference": "{messages.0?}"})
    (found,) = log.questions(columns, {**ROW, "prompt": "why?", "messages.0": "x"})
    assert (found.context, found.reference) == (None, "x")


def test_one_row_with_the_optional_column_is_enough(log: Log) -> None:
    columns = mapping({"context": "{context?}"})
    assert len(log.responses(columns, {**ROW, "contexts": 1}, {**ROW, "context": "c"})) == 2


def test_a_log_of_which_nothing_is_left_says_why(log: Log) -> None:
    empty = mapping(where={"{m}": ["two"]})
    log.write(ROW, {**ROW, "q": "who?"})
    with pytest.raises(DataError, match="expected questions, found none: 2 times: left out by"):
        list(read_questions(log.path, empty))
    with pytest.raises(DataError, match="found none: 2 times: its question is not in the run"):
        list(read_responses(log.path, {}, mapping()))


KNOWN = LogMapping.model_validate(
    {"question": {"known": "{q}"}, "responses": [{"model": "{m}", "text": "{r}"}]}
)


def test_known_questions_are_found_by_id_or_by_the_group_of_one(log: Log) -> None:
    columns = mapping({"group": "{g}"})
    asked = [
        {**ROW, "g": "one"},
        {**ROW, "q": "who?", "g": "two"},
        {**ROW, "q": "how?", "g": "two"},
    ]
    first, second, _ = log.questions(columns, *asked)
    run = index_by_id(log.questions(columns, *asked))
    log.write({**ROW, "q": "one"}, {**ROW, "q": second.id}, {**ROW, "q": "?"}, {**ROW, "q": None})
    found = list(read_responses(log.path, run, KNOWN))
    assert [r.question_id for r in kept(found)] == [first.id, second.id]
    assert reasons(found) == [NOT_IN_RUN, "the row has no question"]
    log.write({**ROW, "q": "two"})
    with pytest.raises(DataError, match=r":1: .* found 'two', the group_id of 2"):
        list(read_responses(log.path, run, KNOWN))


def test_known_questions_are_not_questions_of_the_log(log: Log) -> None:
    with pytest.raises(RecipeError, match="names questions of the run"):
        list(read_questions(log.path, KNOWN))
    with pytest.raises(RecipeError, match="has no `responses`"):
        list(read_responses(log.path, {}, KNOWN.model_copy(update={"responses": ()})))
    with pytest.raises(RecipeError, match="needs a `path`"):
        list(read_questions(None, mapping()))
