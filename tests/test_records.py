"""Records: ids by content, strict reading, and verdicts in the order shown."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from judgesmith.errors import DataError
from judgesmith.records import (
    LETTERS,
    TIE,
    AnnotatorKind,
    Choice,
    Direction,
    Finish,
    Item,
    Judgment,
    Kind,
    Label,
    Message,
    PreferenceRow,
    Question,
    Ranking,
    Record,
    Response,
    Scores,
    SftRow,
    Split,
    Status,
    choice,
    criterion_template,
    index_by_id,
    keyed_rng,
    reorder,
)
from judgesmith.runs.jsonl import encode, read_records, write_records

ORIGIN = {"source": "test", "licence": "none"}


def make_question(**changes: Any) -> Question:
    fields: dict[str, Any] = {
        "group_id": "g1", "template_id": None, "category": "age", "context": "Two people met.",
        "text": "Who forgot?", "choices": ("The old man", "Unknown", "The boy"), "key": 1,
        "reference": None, "grounding": None, "task": {"groups": ["old", "x"]},
    }  # fmt: skip
    return Question.make(**ORIGIN, **{**fields, **changes})


def make_response(text: str = "B", **changes: Any) -> Response:
    fields: dict[str, Any] = {
        "question_id": "q", "model": "m", "sampling": {"temperature": 0.7}, "finish": Finish.STOP,
        "task": {"letter": "B", "hedged": False, "words": 1},
    }  # fmt: skip
    return Response.make(**ORIGIN, text=text, **{**fields, **changes})


def make_item(*response_ids: str, kind: Kind = Kind.PAIR, **changes: Any) -> Item:
    fields: dict[str, Any] = {"bucket": "b", "subtype": None, "split": Split.TEST}
    return Item.make(
        **ORIGIN, kind=kind, question_id="q", response_ids=response_ids, **{**fields, **changes}
    )


def make_judgment(verdict: Choice | Scores | Ranking | None, **changes: Any) -> Judgment:
    fields: dict[str, Any] = {
        "item_id": "i", "judge": "j", "dialect": "d", "order": (1, 0), "sample": 0, "reply": "r",
        "rationale": None, "distribution": None,
        "status": Status.NO_VERDICT if verdict is None else Status.PARSED, "reference": None,
    }  # fmt: skip
    return Judgment.make(**ORIGIN, verdict=verdict, **{**fields, **changes})


SCORES = Scores(kind="scores", values=(7.0, 3.5), criteria={"clarity": (8.0, 2.0)})
RANKING = Ranking(kind="ranking", groups=((2,), (0, 1)))
PROMPT = (Message(role="system", content="s"), Message(role="user", content="ü {{ x }}"))
LABEL = Label.make(
    **ORIGIN, item_id="i", verdict=choice("A"), direction=Direction.WORSE, confidence=0.5,
    policy="majority", judgment_ids=("a", "b"), annotator_kind=AnnotatorKind.PERSON, annotator="p",
)  # fmt: skip
SFT = SftRow.make(
    **ORIGIN, item_id="i", order=(0, 1), split=Split.TRAIN, dialect="d", prompt=PROMPT,
    completion="<verdict>A</verdict>",
)  # fmt: skip
PREFERENCE = PreferenceRow.make(
    **ORIGIN, item_id="i", order=(0, 1), split=Split.DEV, dialect="d", prompt=PROMPT, chosen="A",
    rejected="B", how_made="swap",
)  # fmt: skip
EVERY_KIND: list[Record] = [
    make_question(),
    make_question(choices=None, key=None, category=None, context=None, task={}),
    make_response('line\nbreak  \u2028 and \U0001f600 \\ " \t'),
    make_item("r1", kind=Kind.SINGLE, split=None),
    make_item("r1", "r2"),
    make_item("r3", "r1", "r2", kind=Kind.LIST),
    make_judgment(choice(TIE)),
    make_judgment(SCORES, distribution={"1/clarity": {"7": 0.25, "8": 0.75}}),
    make_judgment(RANKING, order=(2, 0, 1)),
    make_judgment(None, reply=None, status=Status.TOO_LONG),
    LABEL,
    SFT,
    PREFERENCE,
]


@pytest.mark.parametrize("record", EVERY_KIND, ids=lambda r: f"{type(r).__name__}")
def test_every_kind_of_record_survives_a_file(record: Record, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    write_records(path, [record, record])
    assert list(read_records(path, type(record))) == [record, record]
    assert record.id == record.computed_id()
    assert path.read_bytes().count(b"\n") == 2


def hash_by_hand(*parts: object) -> str:
    """The id's definition, with the standard library alone: canonical JSON, SHA-256, 16 digits."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_ids_are_what_their_definition_says() -> None:
    content = {
        "source": "test", "group_id": "g1", "context": "Two people met.", "text": "Who forgot?",
        "choices": ["The old man", "Unknown", "The boy"], "reference": None, "grounding": None,
    }  # fmt: skip
    assert make_question().id == hash_by_hand("Question", content)
    assert make_item("r2", "r1").id == hash_by_hand("Item", "pair", "q", ["r1", "r2"])
    assert make_question().id == "d78c2eb28b58c296"  # ids are in published files


def test_an_item_has_one_id_in_both_slot_orders() -> None:
    assert make_item("r1", "r2").id == make_item("r2", "r1").id
    assert make_item("r1", "r2") != make_item("r2", "r1")
    assert make_item("r1", "r2").id != make_item("r1", "r3").id
    assert make_item("r1", "r2").id != make_item("r1", "r2", kind=Kind.LIST).id


def test_an_item_id_does_not_know_bucket_split_or_source() -> None:
    assert make_item("r1", "r2", bucket="other", split=None).id == make_item("r1", "r2").id


@pytest.mark.parametrize("field", ["group_id", "context", "text", "reference", "grounding"])
def test_a_question_id_follows_its_content(field: str) -> None:
    assert make_question(**{field: "other"}).id != make_question().id


@pytest.mark.parametrize(
    "change", [{"key": 0}, {"task": {}}, {"category": "race"}, {"template_id": "t"}]
)
def test_a_question_id_does_not_follow_what_is_derived_or_known_about_it(
    change: dict[str, Any],
) -> None:
    assert make_question(**change).id == make_question().id


def test_records_of_two_types_never_share_an_id() -> None:
    types = {record.id: type(record) for record in EVERY_KIND}
    assert all(types[record.id] is type(record) for record in EVERY_KIND)
    assert len(set(types.values())) == 7


def test_with_fields_keeps_the_id_and_checks_the_value() -> None:
    item = make_item("r1", "r2")
    moved = item.with_fields(split=Split.TRAIN)
    assert (moved.split, moved.id, item.split) == (Split.TRAIN, item.id, Split.TEST)
    with pytest.raises(ValidationError):
        item.with_fields(split="nowhere")
    with pytest.raises(ValidationError):
        item.with_fields(spilt=Split.TRAIN)


@pytest.mark.parametrize("fields", [{"response_ids": ("x",)}, {"id": "x"}, {"kind": Kind.LIST}])
def test_with_fields_refuses_what_belongs_to_the_id(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="make a new record"):
        make_item("r1", "r2").with_fields(**fields)


def test_records_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_item("r1", "r2").bucket = "other"  # type: ignore[misc]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_not_values(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Scores(kind="scores", values=(value,), criteria=None)
    with pytest.raises(ValidationError, match="finite"):
        make_judgment(choice("A"), distribution={"verdict": {"A": value}})
    with pytest.raises(ValidationError, match="finite"):
        make_response(task={"share": value})


def change_line(record: Record, path: Path, **changes: Any) -> None:
    row = {**orjson.loads(encode(record)), **changes}
    row = {name: value for name, value in row.items() if value != "REMOVED"}
    path.write_bytes(encode(record) + orjson.dumps(row) + b"\n")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"buckt": "x"}, "field 'buckt' is unknown; did you mean 'bucket'?"),
        ({"subtype": "REMOVED"}, "field 'subtype' is missing (unknown values are written as null)"),
        ({"split": "nowhere"}, "field 'split': Input should be 'train', 'dev', 'test'"),
        ({"kind": None}, "field 'kind'"),
        ({"bucket": 3}, "field 'bucket': Input should be a valid string, found 3"),
        ({"response_ids": "r1"}, "field 'response_ids'"),
    ],
)
def test_reading_is_strict_and_names_file_line_and_field(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "items.jsonl"
    change_line(make_item("r1", "r2"), path, **changes)
    with pytest.raises(DataError) as caught:
        list(read_records(path, Item))
    assert str(caught.value).startswith(f"{path}:2: not a valid Item:")
    assert said in str(caught.value)


def test_numbers_in_quotes_are_not_numbers(tmp_path: Path) -> None:
    path = tmp_path / "judgments.jsonl"
    change_line(make_judgment(choice("A")), path, sample="0")
    with pytest.raises(DataError, match="field 'sample': Input should be a valid integer"):
        list(read_records(path, Judgment))


def test_all_defects_of_a_row_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    change_line(make_item("r1", "r2"), path, subtype="REMOVED", extra=1, bucket=None)
    with pytest.raises(DataError) as caught:
        list(read_records(path, Item))
    assert all(f"field {name!r}" in str(caught.value) for name in ("subtype", "extra", "bucket"))


def test_a_verdict_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "judgments.jsonl"
    change_line(make_judgment(choice("A")), path, verdict={"kind": "stars", "value": 5})
    with pytest.raises(DataError, match="field 'verdict'"):
        list(read_records(path, Judgment))


finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def verdicts(draw: st.DrawFn, size: int = 2) -> Choice | Scores | Ranking:
    values = st.tuples(*[finite] * size)
    order = draw(st.permutations(range(size)))
    cut = draw(st.integers(1, size))
    groups = tuple(group for group in (tuple(order[:cut]), tuple(order[cut:])) if group)
    return draw(
        st.one_of(
            st.sampled_from([*LETTERS[:size], TIE, "BOTH"]).map(choice),
            st.builds(
                Scores,
                kind=st.just("scores"),
                values=values,
                criteria=st.none() | st.dictionaries(st.text(max_size=3), values, max_size=2),
            ),
            st.just(Ranking(kind="ranking", groups=groups)),
        )
    )


@given(verdicts(), st.sampled_from([(0, 1), (1, 0)]))
def test_reordering_a_pair_twice_changes_nothing(
    verdict: Choice | Scores | Ranking, order: tuple[int, int]
) -> None:
    assert reorder(reorder(verdict, order), order) == verdict
    assert reorder(verdict, (0, 1)) == verdict


@given(verdicts(4), st.permutations(range(4)))
def test_reordering_and_back_changes_nothing_for_lists(
    verdict: Choice | Scores | Ranking, order: list[int]
) -> None:
    back = tuple(order.index(position) for position in range(4))
    assert reorder(reorder(verdict, tuple(order)), back) == verdict


def test_a_list_is_reordered_as_worked_by_hand() -> None:
    """Shown order (2, 0, 1): position 0 shows response 2, position 1 shows 0, position 2 shows 1.

    "A" names position 0, which is response 2, so "C" in item order. Scores (9, 5, 1) belong to
    responses 2, 0, 1, so (5, 1, 9) in item order. Ranking ((1,), (0, 2)) puts response 0 first and
    ties 2 and 1.
    """
    order = (2, 0, 1)
    assert reorder(choice("A"), order) == choice("C")
    scores = Scores(kind="scores", values=(9, 5, 1), criteria={"c": (3, 2, 1)})
    found = reorder(scores, order)
    assert isinstance(found, Scores)
    assert (found.values, found.criteria) == ((5, 1, 9), {"c": (2, 1, 3)})
    ranking = Ranking(kind="ranking", groups=((1,), (0, 2)))
    assert reorder(ranking, order) == Ranking(kind="ranking", groups=((0,), (2, 1)))


def test_a_letter_beyond_the_responses_stays_as_it_is() -> None:
    assert reorder(choice("C"), (1, 0)) == choice("C")


def test_a_judgment_speaks_in_item_order() -> None:
    swapped = make_judgment(choice("A"), distribution={"verdict": {"A": 0.7, "B": 0.2, TIE: 0.1}})
    assert swapped.in_item_order() == choice("B")
    assert swapped.distribution_in_item_order() == {"B": 0.7, "A": 0.2, TIE: 0.1}
    assert make_judgment(None).in_item_order() is None
    assert make_judgment(SCORES).distribution_in_item_order() is None


def test_judgments_differ_by_order_and_sample_but_not_by_reply() -> None:
    first = make_judgment(choice("A"))
    assert make_judgment(choice("A"), order=(0, 1)).id != first.id
    assert make_judgment(choice("A"), sample=1).id != first.id
    assert make_judgment(choice("B"), reply="other").id == first.id


def test_a_keyed_draw_depends_on_nothing_but_its_key() -> None:
    alone = keyed_rng(3, "slot", "q9").random()
    others = [keyed_rng(3, "slot", f"q{i}").random() for i in range(20)]
    assert others[9] == alone
    assert len(set(others)) == 20


def test_index_by_id() -> None:
    items = [make_item("r1", "r2"), make_item("r1", "r3")]
    assert index_by_id(items) == {items[0].id: items[0], items[1].id: items[1]}


def test_a_rubric_that_is_the_template_is_part_of_the_question() -> None:
    """Elsewhere `criterion` is a task field like any other, and no id hangs on it."""
    rubric = {"criterion": "Is it true?", "levels": ["no", "yes"]}
    plain = make_question(template_id=criterion_template("Is it true?"), task={})
    judged = make_question(template_id=plain.template_id, task=rubric | {"other": 1})
    assert judged.id == judged.computed_id() == hash_by_hand(plain.id, rubric)
    shorter = make_question(template_id=plain.template_id, task={"criterion": "is it  true?"})
    assert len({plain.id, judged.id, shorter.id}) == 3
    assert make_question(task=rubric).id == make_question(task={}).id == plain.id
