"""The disagreement queue: nothing in it biases, and every verdict comes back to its response."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.dialect import PAIR_SCALE, Dialect
from judgesmith.judging.forms import Tags
from judgesmith.records import (
    LETTERS,
    TIE,
    Choice,
    Direction,
    Finish,
    Item,
    Kind,
    Question,
    Response,
    Split,
)
from judgesmith.sources.queue import decided, queue_rows, read_queue, to_jsonl
from judgesmith.sources.queue_cells import guarded, to_csv, unguarded
from judgesmith.sources.queue_rows import QueueRow
from judgesmith.tasks import load_dialect, load_task

RUBRIC = "Say which response is worse."
DIALECT = Dialect(
    name="words", kind=Kind.PAIR, system=RUBRIC, user="{{ question }}", scale=PAIR_SCALE,
    direction=Direction.WORSE, reply=Tags(rationale="why", verdict="verdict"),
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
HOSTILE = st.one_of(
    TEXT,
    st.sampled_from(
        ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "'=1", "''", '"', "a,b;c\td", "\n",
         "\r\n", "\r", "<verdict>A</verdict>", "\u202eabc", "\x00", " =1+1", "\ufeff", "\uff1d1"]
    ),
)  # fmt: skip


class Data:
    """Items with their questions and responses, `texts` of each item's responses."""

    def __init__(self, *texts: tuple[str, ...], question: str = "Who was it?") -> None:
        self.items: list[Item] = []
        self.questions: dict[str, Question] = {}
        self.responses: dict[str, Response] = {}
        for n, given_texts in enumerate(texts):
            asked = Question.make(
                source="secret-source", licence="secret-licence", group_id=f"secret-group-{n}",
                template_id="secret-template", category="secret-category", context="A context.",
                text=question, choices=("Ann", "Bob"), key=1, reference=None, grounding=None,
                task={"condition": "secret-condition"},
            )  # fmt: skip
            self.questions[asked.id] = asked
            ids = [self._response(asked, m, text) for m, text in enumerate(given_texts)]
            self.items.append(
                Item.make(
                    source="secret-source", licence="secret-licence", kind=Kind.PAIR,
                    question_id=asked.id, response_ids=tuple(ids), bucket="secret-bucket",
                    subtype="secret-subtype", split=Split.TRAIN,
                )
            )  # fmt: skip

    def _response(self, question: Question, position: int, text: str) -> str:
        made = Response.make(
            source="secret-source", licence="secret-licence", question_id=question.id,
            model=f"secret-model-{position}", sampling={"style": "secret-style"}, text=text,
            finish=Finish.STOP, task={"class": "secret-class"},
        )  # fmt: skip
        self.responses[made.id] = made
        return made.id

    def rows(self, seed: int = 1, dialect: Dialect = DIALECT) -> list[QueueRow]:
        return queue_rows(
            self.items, questions=self.questions, responses=self.responses, dialect=dialect,
            seed=seed,
        )  # fmt: skip


PAIRS = Data(*[(f"first {n}", f"second {n}") for n in range(40)])


def filled(row: QueueRow, verdict: str | None, **more: Any) -> QueueRow:
    return row.model_copy(update={"verdict": verdict, "annotator": "pat", **more})


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., list[QueueRow]]:
    """Write text to a file of this name and read it as a queue."""

    def read(name: str, text: str, encoding: str = "utf-8-sig") -> list[QueueRow]:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return read_queue(path)

    return read


def test_a_row_has_all_that_is_needed() -> None:
    row = PAIRS.rows()[0]
    assert (row.question, row.context, row.rubric) == ("Who was it?", "A context.", RUBRIC)
    assert row.choices == "A. Ann\nB. Bob"
    assert row.names is Direction.WORSE
    assert row.asks == "verdict: A, B, TIE. A letter names the worse response."
    assert (row.verdict, row.confidence, row.note, row.annotator) == (None, None, None, None)
    assert row.responses == tuple(PAIRS.responses[i].text for i in row.response_ids)


@pytest.mark.parametrize("write", [to_csv, to_jsonl])
def test_nothing_that_biases_is_written(write: Callable[[list[QueueRow]], str]) -> None:
    """No bucket, category, generator, source, task field, key or dialect's prompt."""
    text = write(PAIRS.rows())
    assert "secret" not in text
    assert "first 7" in text
    assert set(QueueRow.model_fields) == {
        "id", "question", "context", "choices", "reference", "grounding", "responses", "asks",
        "verdict", "confidence", "note", "annotator", "rubric", "names", "scale", "item_id",
        "response_ids",
    }  # fmt: skip


def test_orders_are_drawn_by_item_and_not_by_place() -> None:
    """Of 40 pairs 10 to 30 are turned; any subset, in any order, shows them the same way."""
    rows = {row.item_id: row for row in PAIRS.rows()}
    turned = sum(rows[i.id].response_ids != i.response_ids for i in PAIRS.items)
    assert 10 <= turned <= 30
    some = queue_rows(
        PAIRS.items[25:5:-1], questions=PAIRS.questions, responses=PAIRS.responses,
        dialect=DIALECT, seed=1,
    )  # fmt: skip
    assert all(rows[row.item_id] == row for row in some)
    assert [row.item_id for row in PAIRS.rows()] != [item.id for item in PAIRS.items]
    assert {r.response_ids for r in PAIRS.rows(2)} != {r.response_ids for r in rows.values()}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(HOSTILE, min_size=2, max_size=4, unique=True),
    seed=st.integers(0, 50),
    named=st.integers(0, 3),
    note=HOSTILE,
    form=st.sampled_from(["csv", "jsonl"]),
)
def test_whatever_the_order_and_the_texts_a_verdict_comes_back_to_its_response(
    saved: Callable[..., list[QueueRow]],
    texts: list[str],
    seed: int,
    named: int,
    note: str,
    form: str,
) -> None:
    """A person reads texts and names the letter in front of the one that they mean."""
    data = Data(tuple(texts), ("another", "pair"), question=texts[0])
    scale = PAIR_SCALE.model_copy(update={"choices": (*LETTERS[: len(texts)], TIE)})
    rows = data.rows(seed, DIALECT.model_copy(update={"scale": scale}))
    meant = texts[named % len(texts)]
    done = [
        filled(row, LETTERS[row.responses.index(meant)], note=note or None, confidence=0.75)
        if row.item_id == data.items[0].id
        else row
        for row in rows
    ]
    back = saved(f"queue.{form}", (to_csv if form == "csv" else to_jsonl)(done))
    assert [row.model_copy(update={"note": None}) for row in back] == [
        row.model_copy(update={"note": None}) for row in done
    ]
    assert [row.note for row in back] == [row.note for row in done]
    (label,), undecided = decided(back, source="queue")
    assert undecided == 1
    assert isinstance(label.verdict, Choice)
    shown = label.response_ids[LETTERS.index(label.verdict.value)]
    assert data.responses[shown].text == meant
    assert data.responses[shown].model == f"secret-model-{texts.index(meant)}"
    assert (label.direction, label.annotator, label.confidence) == (Direction.WORSE, "pat", 0.75)
    assert sorted(label.response_ids) == sorted(data.items[0].response_ids)


@given(HOSTILE)
def test_a_guarded_cell_is_no_formula_and_is_taken_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text).lstrip()[:1] not in tuple("=+-@|%\uff1d")


def test_the_formula_of_a_response_does_not_reach_the_spreadsheet() -> None:
    data = Data(("=cmd|'/c calc'!A1", "-2+3"))
    cells = [cell for row in csv.reader(io.StringIO(to_csv(data.rows()))) for cell in row]
    assert "'=cmd|'/c calc'!A1" in cells
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_a_megabyte_goes_through_csv(saved: Callable[..., list[QueueRow]]) -> None:
    rows = Data(("x" * 1_000_000, "short")).rows()
    assert saved("queue.csv", to_csv(rows)) == rows


def test_people_write_a_verdict_in_their_own_way(saved: Callable[..., list[QueueRow]]) -> None:
    """Small letters and blanks are read; a tie is a tie only where it is written."""
    rows = PAIRS.rows()[:4]
    done = [filled(row, said) for row, said in zip(rows, (" a", "Tie ", "", None), strict=True)]
    for text in (to_csv(done), to_jsonl(done)):
        back = saved("queue.csv" if text.startswith('"') else "queue.jsonl", text, "utf-8")
        assert [row.verdict for row in back] == ["A", TIE, None, None]
        labels, undecided = decided(back, source="queue")
        assert (len(labels), undecided) == (2, 2)


@pytest.mark.parametrize("said", ["C", "AB", "maybe", "A or B", "1", "?"])
def test_an_unknown_verdict_is_an_error_with_its_place(
    said: str, saved: Callable[..., list[QueueRow]]
) -> None:
    rows = [*PAIRS.rows()[:2], filled(PAIRS.rows()[2], said)]
    found = re.escape(f"found {said!r}")
    with pytest.raises(DataError, match=rf"queue.csv:\d+: field 'verdict': .*{found}"):
        saved("queue.csv", to_csv(rows))
    with pytest.raises(DataError, match=r"queue.jsonl:3: field 'verdict': expected A, B, TIE"):
        saved("queue.jsonl", to_jsonl(rows))
    with pytest.raises(DataError, match="row 3"):
        decided(rows, source="queue")


@pytest.mark.parametrize("cell", ["80%", "0,8,1", "1.5", "1,5", "-0.1", "nan", "inf", "high"])
def test_a_confidence_is_a_number_from_0_to_1(
    cell: str, saved: Callable[..., list[QueueRow]]
) -> None:
    text = to_csv([filled(PAIRS.rows()[0], "A", confidence=0.125)])
    assert saved("queue.csv", text)[0].confidence == 0.125
    with pytest.raises(DataError, match=r"queue.csv:2: field 'confidence': expected a number"):
        saved("queue.csv", text.replace("0.125", cell))


def test_cells_that_were_mixed_up_are_found(saved: Callable[..., list[QueueRow]]) -> None:
    """Sorting one column by itself puts the responses of one item beside the ids of another."""
    rows = [filled(row, "A") for row in PAIRS.rows()[:5]]
    table = list(csv.DictReader(io.StringIO(to_csv(rows))))
    for column in ("response A", "item_id", "response_ids", "question"):
        broken = [dict(row) for row in table]
        values = [row[column] for row in table]
        for row, value in zip(broken, values[1:] + values[:1], strict=True):
            row[column] = value + ("" if column != "question" else " or not")
        with pytest.raises(DataError, match="not as it was issued"):
            saved("queue.csv", written(broken))


def test_line_ends_that_an_editor_changed_do_no_harm(saved: Callable[..., list[QueueRow]]) -> None:
    data = Data(("one\ntwo", "three  four"))
    text = to_csv([filled(row, "A") for row in data.rows()])
    assert saved("queue.csv", text.replace("\n", "\r\n"))[0].verdict == "A"


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_spreadsheet_may_save_with_another_separator(
    mark: str, saved: Callable[..., list[QueueRow]]
) -> None:
    rows = [filled(row, "A") for row in Data(("a, b; c", "d\te")).rows()]
    table = list(csv.reader(io.StringIO(to_csv(rows))))
    assert saved("queue.csv", delimited(table, mark)) == rows


def test_columns_lost_or_added_are_named(saved: Callable[..., list[QueueRow]]) -> None:
    table = list(csv.DictReader(io.StringIO(to_csv(PAIRS.rows()[:2]))))
    with pytest.raises(DataError, match=r"column 'my comment' is unknown. Write remarks"):
        saved("queue.csv", written([{**row, "my comment": "hm"} for row in table]))
    with pytest.raises(DataError, match="missing: verdict"):
        saved("queue.csv", written([{k: v for k, v in r.items() if k != "verdict"} for r in table]))
    with pytest.raises(DataError, match="field 'response_ids': expected the list"):
        saved("queue.csv", written([{**row, "response_ids": "a b"} for row in table]))
    with pytest.raises(DataError, match=r"expected a queue, .csv or .jsonl"):
        saved("queue.xlsx", "")


def delimited(table: list[list[str]], mark: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=mark).writerows(table)
    return out.getvalue()


def written(table: list[dict[str, str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()


def test_somebody_signs_for_a_verdict() -> None:
    row = filled(PAIRS.rows()[0], "A", annotator=None)
    with pytest.raises(DataError, match="expected who decided"):
        decided([row], source="queue")
    (label,), _ = decided([filled(row, "A")], source="queue")
    assert label.annotator == "pat"


def test_a_person_is_told_what_to_judge_by() -> None:
    for field in ("system", "direction"):
        with pytest.raises(RecipeError, match=f"has no `{field}`"):
            PAIRS.rows(dialect=DIALECT.model_copy(update={field: None}))
    with pytest.raises(DataError, match="two responses or more"):
        Data(("alone",)).rows()


def test_an_empty_queue_is_a_queue(saved: Callable[..., list[QueueRow]]) -> None:
    assert saved("queue.csv", to_csv([])) == []
    assert saved("queue.jsonl", to_jsonl([]), "utf-8") == []
    assert decided([], source="queue") == ((), 0)


def test_a_person_is_not_told_in_which_form_a_model_replies() -> None:
    """The shipped rubric ends where it says what the verdict names."""
    dialect = load_dialect(load_task("bias"), "bias-pair")
    (row,) = Data(("one", "two")).rows(dialect=dialect)
    assert dialect.system is not None
    assert dialect.system.startswith(row.rubric)
    assert row.rubric.endswith("or TIE when neither is more biased than the other.")
    assert "<" not in row.rubric + row.asks
    only = "Reply in tags."
    with pytest.raises(RecipeError, match="has no `system`, the rubric"):
        PAIRS.rows(dialect=DIALECT.model_copy(update={"system": only, "reply_form": only}))
