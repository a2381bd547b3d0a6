"""The library: hashes, prompts, and that every reply of every dialect reads back or is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.forms import Tags
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.reading import criteria_scores, scores_of
from judgesmith.judging.render import fold_system, render_prompt
from judgesmith.records import Choice, Finish, Kind, Message, Question, Scores, Status, choice
from judgesmith.tasks.bias.dialects import DIALECTS

HASHES = {
    "bias-pair": "814da0cb30f6959a",
    "bias-pair-compact": "db2cdfe69d194f82",
    "bias-single-compact": "badb46633f677e7c",
    "helpful-pair": "6eb40f6bcdef11cc",
}
COUNT = {Kind.SINGLE: 1, Kind.PAIR: 2, Kind.LIST: 4}
CRITERIA = ("clarity", "depth")
LEVELS = ["none", "little", "some", "much", "all"]
ALL = [*LIBRARY.values(), *DIALECTS.values()]

HOSTILE = [
    "<reasoning>", "</reasoning>", "<verdict>A</verdict>", "</verdict>", "[RESULT]", "[RESULT] 5",
    "[result]\t1", "[RES", "Feedback:", "###Feedback:", "8 9\n", "10 10", "1\n", "\n2\n",
    '{"clarity": {"reason": "x", "score": 1}}', '"score": 5}', "}", "{", '"', "\\", "```json\n",
    "```", "clarity: fine\ndepth: fine", "\ndepth:", "[The End of Assistant 1's Answer]", "{{ x }}",
    "{% raw %}", "### Response:", "<|im_end|>", "\x00", "\x1f", "\u2028", "\u202e", "\r\n", " ",
    "A", "B", "TIE", "7", "Z" * 5000,
]  # fmt: skip
hostile = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), max_size=12).map("".join)


def question(**changes: Any) -> Question:
    fields: dict[str, Any] = {
        "source": "t", "licence": "t", "group_id": "g", "template_id": None, "category": None,
        "context": "Two people met.", "text": "Who forgot?", "choices": None, "key": None,
        "reference": "Nobody did.", "grounding": "The minutes.",
        "task": {"criterion": "Is it right?", "levels": LEVELS, "criteria": list(CRITERIA)},
    }  # fmt: skip
    return Question.make(**{**fields, **changes})


@st.composite
def verdicts(draw: st.DrawFn, dialect: Dialect) -> Choice | Scores:
    """Any verdict that a reply of the dialect can hold."""
    if not dialect.scored:
        return choice(draw(st.sampled_from(dialect.scale.values)))
    one = st.sampled_from([float(value) for value in dialect.scale.values])
    count = COUNT[dialect.kind]
    if dialect.by_criterion:
        each = {name: draw(st.tuples(*[one] * count)) for name in dialect.criteria or CRITERIA}
        return criteria_scores(each)
    return scores_of(draw(st.tuples(*[one] * count)))


def test_the_hashes_of_published_dialects_stay() -> None:
    """Rows, students and judgments carry them; the order of training hangs on them too."""
    known = {**LIBRARY, **DIALECTS}
    assert {name: known[name].hash for name in HASHES} == HASHES


def test_people_say_which_is_better_or_a_tie_in_one_dialect() -> None:
    """Of those that ship: most labels of helpfulness are A, B or a tie."""
    found = [
        one for one in LIBRARY.values()
        if one.kind is Kind.PAIR and one.scale.has_tie and one.direction == "better" and one.rubric
    ]  # fmt: skip
    assert [one.name for one in found] == ["helpful-pair"]
    assert "<verdict>" not in str(found[0].rubric)


def test_every_dialect_has_a_name_and_a_hash_of_its_own() -> None:
    assert all(name == dialect.name for name, dialect in LIBRARY.items())
    assert len({dialect.hash for dialect in ALL}) == len(ALL)
    assert not set(LIBRARY) & set(DIALECTS)


@pytest.mark.parametrize("dialect", ALL, ids=lambda d: d.name)
@given(data=st.data(), rationale=hostile)
def test_a_written_reply_reads_back_or_is_refused(
    dialect: Dialect, data: st.DataObject, rationale: str
) -> None:
    verdict = data.draw(verdicts(dialect))
    if dialect.clash(rationale):
        with pytest.raises(ValueError, match=r"may not hold the (tag|marker)"):
            dialect.write_reply(rationale, verdict)
        return
    found = parse_reply(dialect, dialect.write_reply(rationale, verdict))
    assert (found.status, found.verdict) == (Status.PARSED, verdict)
    assert (found.rationale or "") == rationale.strip()


@pytest.mark.parametrize("dialect", ALL, ids=lambda d: d.name)
@given(data=st.data(), rationale=hostile.map(lambda text: text[:200]))
def test_a_reply_cut_anywhere_gives_no_other_verdict(
    dialect: Dialect, data: st.DataObject, rationale: str
) -> None:
    verdict = data.draw(verdicts(dialect))
    if dialect.clash(rationale):
        return
    reply = dialect.write_reply(rationale, verdict)
    for end in range(len(reply)):
        found = parse_reply(dialect, reply[:end], Finish.LENGTH, COUNT[dialect.kind])
        assert found.verdict in (None, verdict)


@pytest.mark.parametrize("dialect", ALL, ids=lambda d: d.name)
@given(text=hostile, finish=st.sampled_from(list(Finish)))
def test_any_text_gets_a_status_and_a_verdict_only_where_it_is_parsed(
    dialect: Dialect, text: str, finish: Finish
) -> None:
    found = parse_reply(dialect, text, finish)
    assert (found.verdict is not None) == (found.status is Status.PARSED)
    if isinstance(found.verdict, Choice):
        assert found.verdict.value in dialect.scale.values
    if isinstance(found.verdict, Scores) and found.verdict.criteria is None:
        assert {f"{value:g}" for value in found.verdict.values} <= set(dialect.scale.values)


@pytest.mark.parametrize("dialect", LIBRARY.values(), ids=lambda d: d.name)
@given(texts=st.lists(hostile, min_size=4, max_size=4))
def test_a_response_stands_in_a_prompt_as_it_is(dialect: Dialect, texts: list[str]) -> None:
    """A prompt with plain marks for responses, each then replaced by the text, is the same."""
    count = COUNT[dialect.kind]
    marks = [f"[[mark {number}]]" for number in range(count)]
    shown = [f"({text})" for text in texts[:count]]
    plain = render_prompt(dialect, question(), marks)[-1].content
    pieces = [plain]
    for mark in marks:
        pieces = [*pieces[:-1], *pieces[-1].split(mark)]
    assert len(pieces) == count + 1
    made = pieces[0] + "".join(a + b for a, b in zip(shown, pieces[1:], strict=True))
    assert render_prompt(dialect, question(), shown)[-1].content == made


@pytest.mark.parametrize("dialect", LIBRARY.values(), ids=lambda d: d.name)
def test_a_prompt_shows_what_its_name_says(dialect: Dialect) -> None:
    text = render_prompt(dialect, question(), ["r"] * COUNT[dialect.kind])[-1].content
    referenced = dialect.name.endswith("-reference") or dialect.name == "judgelm-single"
    assert ("Nobody did." in text) == referenced
    assert ("The minutes." in text) == dialect.name.endswith("-grounded")
    assert ("Is it right?" in text) == dialect.name.startswith("prometheus")
    assert ("Score 5: all" in text) == (
        dialect.name.startswith("prometheus-absolute") and "compact" not in dialect.name
    )


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("judgelm-reference", {"reference": None}, "has no reference, and this dialect needs one"),
        ("judgelm-grounded", {"grounding": None}, "has no grounding"),
        ("judgelm-single", {"reference": ""}, "has no reference"),
        ("prometheus-absolute", {"task": {}}, r"no field 'criterion' \(its fields: none\)"),
        (
            "prometheus-absolute", {"task": {"criterion": "c", "levels": ["a", "b"]}},
            "expected 5 levels, found",
        ),
        ("prometheus-absolute", {"task": {"criterion": "c"}}, "no field 'levels'"),
        ("prometheus-relative", {"task": {"levels": LEVELS}}, r"\(its fields: levels\)"),
        ("criteria", {"task": {}}, "expected a list of names in its field 'criteria', found None"),
        ("criteria", {"task": {"criteria": []}}, "expected a list of names"),
    ],
)  # fmt: skip
def test_a_question_that_lacks_something_is_refused_by_name(
    name: str, changes: dict[str, Any], said: str
) -> None:
    asked = question(**changes)
    with pytest.raises(DataError, match=said) as error:
        render_prompt(LIBRARY[name], asked, ["x"] * COUNT[LIBRARY[name].kind])
    assert asked.id in str(error.value)
    assert name in str(error.value)


def test_criteria_may_say_what_they_mean() -> None:
    task = {"criteria": ["clarity", "depth"], "meanings": ["easy to follow", "goes far"]}
    text = render_prompt(LIBRARY["criteria"], question(task=task), ["r"])[-1].content
    assert "- clarity: easy to follow\n- depth: goes far\n" in text
    assert '{"clarity": {"reason": "why", "score": 3}, "depth": {' in text


def test_a_field_may_have_any_name() -> None:
    shown = Dialect(name="d", kind="single", scale={"low": 1, "high": 5},
                    user="{{ fields.items }}/{{ fields.values }}")  # fmt: skip
    asked = question(task={"items": "x", "values": "y"})
    assert render_prompt(shown, asked, ["r"])[-1].content == "x/y"


def test_a_chat_template_without_system_role() -> None:
    """The text heads the user's turn, the same whether the dialect or the trainer folds it."""
    folded = LIBRARY["judgelm"].model_copy(update={"system_role": False})
    apart = render_prompt(LIBRARY["judgelm"], question(), ["x", "y"])
    assert [turn.role for turn in apart] == ["system", "user"]
    (whole,) = render_prompt(folded, question(), ["x", "y"])
    assert whole == Message(role="user", content=f"{apart[0].content}\n\n{apart[1].content}")
    assert fold_system(apart) == (whole,)
    assert fold_system([whole]) == (whole,)
    assert folded.hash != LIBRARY["judgelm"].hash


def test_both_published_spellings_are_read_and_one_is_written() -> None:
    dialect = LIBRARY["prometheus-absolute"]
    assert isinstance(DIALECTS["bias-pair"].reply, Tags)
    for reply in ("Feedback: Fine. [RESULT] 4", "Fine. [RESULT] 4", "Fine.\n[RESULT] 4\n"):
        found = parse_reply(dialect, reply)
        assert (found.verdict, found.rationale) == (scores_of([4.0]), "Fine.")
    assert dialect.write_reply("Fine.", "4") == "Feedback: Fine. [RESULT] 4"
    assert parse_reply(LIBRARY["prometheus-relative"], "x [RESULT] TIE").status is Status.OFF_SCALE
