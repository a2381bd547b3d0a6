"""Forms of replies besides tags: every status, and that a quotation is never the verdict."""

import time
from typing import Any

import pytest

from judgesmith.judging.dialect import Dialect, Scale
from judgesmith.judging.forms import Json, Pattern, ScoresFirst
from judgesmith.judging.parse import parse_reply
from judgesmith.records import Choice, Finish, Scores

POINTS = {"low": 1, "high": 10}
HALVES = {"low": 1, "high": 10, "step": 0.5}


def dialect(**changes: Any) -> Dialect:
    return Dialect(**{"name": "d", "kind": "single", "user": "", "scale": POINTS, **changes})


MARKED = dialect(reply="{rationale} [RESULT] {score}")
FEEDBACK = dialect(
    reply=Pattern(
        text="Feedback: {rationale} [RESULT] {score}", read=("{rationale} [RESULT] {score}",)
    )
)
SAID = dialect(
    kind="pair", scale=["A", "B", "TIE"], reply="{rationale} My final decision is {verdict}.",
    say={"A": "Response 1", "B": "Response 2", "TIE": "a tie"},
)  # fmt: skip
TUPLE = dialect(kind="pair", reply="{rationale} Output: ({scores})")
LINE = dialect(
    kind="pair", scale=["A", "B"], say={"A": "1", "B": "2"}, reply="{rationale}\n{verdict}"
)
FIRST = dialect(reply="Score: {score}\n{rationale}")
DASH = dialect(reply="{score} -- {rationale}")
EITHER = dialect(
    kind="pair", scale=["A", "B"],
    reply=Pattern(text="{rationale} So {verdict} is better.", read=("Choice: {verdict}",)),
)  # fmt: skip
EITHER_FIRST = dialect(
    reply=Pattern(text="Score: {score}\n{rationale}", read=("{score}\n{rationale}",))
)
ALONE = dialect(kind="pair", scale=["A", "B"], say={"A": "m", "B": "M"}, reply="{verdict}")
NUMBER = dialect(reply="{score}")
SPELLED = dialect(
    reply=Pattern(text="{rationale} [RESULT] {score}", read=("{rationale} Score: {score}",))
)
WITHIN = dialect(
    reply=Pattern(text="{rationale} Final grade: {score}", read=("{rationale} Grade: {score}",))
)
ENDS = dialect(reply=Pattern(text="{rationale}\n{score}", read=("{score}\n{rationale}",)))
GRADE = dialect(reply="{rationale}\nGrade: {score}")
POINT = dialect(reply="{score}. {rationale}")
OUT = dialect(reply="{score}/10 {rationale}")
OUT_LAST = dialect(reply="{rationale} Score {score}/10")
BOLD = dialect(reply="{rationale}\n**{score}**")
SO = dialect(kind="pair", scale=["A", "B"], reply="{rationale} So {verdict}")
CHINESE = dialect(reply="{rationale}评分: {score}")
PAIR = dialect(kind="pair", scale=HALVES, reply=ScoresFirst())
WHOLE = dialect(kind="pair", reply=ScoresFirst())
OUT_OF = dialect(kind="pair", reply=ScoresFirst(out_of=10))
LIST = dialect(kind="list", reply=ScoresFirst())
MARK = dialect(reply=ScoresFirst())
FIELDS = dialect(kind="pair", scale=["A", "B"], reply=Json())
LISTED = dialect(kind="pair", reply=Json(verdict="scores"))
MARK_IN_JSON = dialect(reply=Json())
CRITERIA = dialect(reply=Json(by_criterion=True), criteria=("clarity", "depth"))
ANY_CRITERIA = dialect(reply=Json(by_criterion=True))

L, S = Finish.LENGTH, Finish.STOP


def told(dialect: Dialect, reply: str, finish: Finish = S, **more: Any) -> Any:
    """The verdict in plain values; its status where there is none."""
    found = parse_reply(dialect, reply, finish, **more)
    if isinstance(found.verdict, Choice):
        return found.verdict.value
    if isinstance(found.verdict, Scores):
        return found.verdict.criteria or list(found.verdict.values)
    return found.status.value


@pytest.mark.parametrize(
    ("dialect", "reply", "expected"),
    [
        (MARKED, "why [RESULT] 7", [7]),
        (MARKED, "why\n\n[result]\t7\n", [7]),
        (MARKED, "why[RESULT]7", [7]),
        (MARKED, "[RESULT] 7", [7]),
        (MARKED, "7", "no_verdict"),
        (MARKED, "why [RESULT] 7 because", "no_verdict"),
        (MARKED, "why [RESULT]", "no_verdict"),
        (MARKED, "why [RESULT] 11", "off_scale"),
        (MARKED, "why [RESULT] 7/10", "off_scale"),
        (MARKED, "why [RESULT] 7.5", "off_scale"),
        (MARKED, 'It says "[RESULT] 9". [RESULT] 3', "several_verdicts"),
        (MARKED, 'It says "[RESULT] 9" and no more', "no_verdict"),
        (MARKED, 'It says "[RESULT] 9"', "off_scale"),
        (FEEDBACK, "Feedback: why [RESULT] 7", [7]),
        (FEEDBACK, "why [RESULT] 7", [7]),
        (FEEDBACK, "why [RESULT] 70", "off_scale"),
        (FEEDBACK, "feedback: [RESULT] 1 or [RESULT] 2", "several_verdicts"),
        (SAID, "Well. my  FINAL decision is\nresponse 1.", "A"),
        (SAID, "Well. My final decision is a tie.", "TIE"),
        (SAID, "Well. My final decision is Response 3.", "off_scale"),
        (SAID, "Well. My final decision is A.", "off_scale"),
        (SAID, "Well. My final decision is Response 1. Or is it?", "no_verdict"),
        (SAID, "Well. My final decision is Response 1", "no_verdict"),
        (TUPLE, "why. Output: (1, 10)", [1, 10]),
        (TUPLE, "why. Output: (1 10)", [1, 10]),
        (TUPLE, "why. Output: (1)", "no_verdict"),
        (TUPLE, "why. Output: (1, 2, 3)", "several_verdicts"),
        (TUPLE, "why. Output: (1, 99)", "off_scale"),
        (TUPLE, "why. Output: (one, two)", "no_verdict"),
        (LINE, "why\n2", "B"),
        (LINE, "1\nwhy\n\n2\n", "B"),
        (LINE, "1", "A"),
        (LINE, "2\nwhy", "off_scale"),
        (LINE, "2\nwhy not this", "no_verdict"),
        (FIRST, "Score: 7\nIt says Score: 9", [7]),
        (FIRST, "\n score:7 \n", [7]),
        (FIRST, "Score: 7", [7]),
        (FIRST, "Score: 70\nwhy", "off_scale"),
        (FIRST, "Score: 7 of 10\nwhy", "no_verdict"),
        (FIRST, "why\nScore: 7", "no_verdict"),
        (DASH, "7 -- why -- 9 -- so", [7]),
        (DASH, "7", "no_verdict"),
        (EITHER, "Choice: A", "A"),
        (EITHER, "Choice: A is mine. So B is better.", "B"),
        (EITHER, "why. So B is better. So A is better.", "several_verdicts"),
        (EITHER_FIRST, "7\nScore: 9", [7]),
        (ALONE, "m", "A"),
        (ALONE, " M\n", "B"),
        (ALONE, "mm", "off_scale"),
        (ALONE, "", "no_verdict"),
    ],
)
def test_patterns(dialect: Dialect, reply: str, expected: Any) -> None:
    assert told(dialect, reply) == expected


@pytest.mark.parametrize(
    ("dialect", "reply", "expected"),
    [
        (GRADE, "Worth an upgrade: 5", "no_verdict"),
        (GRADE, "Worth an upgrade: 5\nGrade: 3", [3]),
        (GRADE, "(grade: 3", [3]),
        (GRADE, "why\nGrade: 4.5.", "off_scale"),
        (GRADE, "why\nGrade: 8/100", "off_scale"),
        (SO, "Some are. So A", "A"),
        (SO, "why Sober", "no_verdict"),
        (CHINESE, "很好评分: 7", [7]),
        (POINT, "4. why", [4]),
        (POINT, "4.5. why", "off_scale"),
        (POINT, "4.5", "no_verdict"),
        (OUT, "8/10 why", [8]),
        (OUT, "8/10. why", [8]),
        (OUT, "8/100 why", "no_verdict"),
        (OUT, "8/10.5 why", "no_verdict"),
        (OUT, "8/10/2 why", "no_verdict"),
        (OUT, "1/8/10 why", "off_scale"),
        (OUT_LAST, "why Score 8/10", [8]),
        (OUT_LAST, "why Score 8/100", "no_verdict"),
        (OUT_LAST, "why underscore 8/10", "no_verdict"),
        (OUT_LAST, "why Score 0.8/10", "off_scale"),
        (OUT_OF, "8/10/10 9/10\nwhy", "off_scale"),
        (BOLD, "why\n**7**", [7]),
    ],
)
def test_a_marker_is_a_word_and_a_score_a_whole_number(
    dialect: Dialect, reply: str, expected: Any
) -> None:
    assert told(dialect, reply) == expected


@pytest.mark.parametrize(
    ("dialect", "reply", "expected"),
    [
        (SPELLED, "Fine. Score: 3", [3]),
        (SPELLED, "Fine. Score: 3. But [RESULT] 5", "several_verdicts"),
        (SPELLED, "Fine. [RESULT] 5 Score: 3", "several_verdicts"),
        (SPELLED, "Fine. [RESULT] 5 or 4. Score: 3", "several_verdicts"),
        (WITHIN, "Fine. Final grade: 5", [5]),
        (WITHIN, "Fine. Grade: 5", [5]),
        (WITHIN, "Fine. Grade: 4. Final grade: 5", "several_verdicts"),
        (ENDS, "why\n5", [5]),
        (ENDS, "5\nwhy", [5]),
        (ENDS, "5\nwhy\n5", [5]),
        (ENDS, "3\nwhy\n5", "several_verdicts"),
    ],
)
def test_two_spellings_in_one_reply_are_two_verdicts(
    dialect: Dialect, reply: str, expected: Any
) -> None:
    assert told(dialect, reply) == expected


@pytest.mark.parametrize("depth", [100, 900, 990, 1_000, 10_000, 200_000])
@pytest.mark.parametrize("dialect", [MARK_IN_JSON, FIELDS, CRITERIA, ANY_CRITERIA])
def test_json_of_any_depth_has_a_status(dialect: Dialect, depth: int) -> None:
    """Python's decoder bears more depth than its encoder; neither may end the run."""
    for opening, closing in (("[", "]"), ('{"verdict":', "}"), ('{"clarity":', "}")):
        inner = opening * depth + "1" + closing * depth
        for reply in (inner, f'{{"verdict": {inner}}}', f'{{"x": {inner}, "verdict": "A"}}'):
            assert told(dialect, reply) in {"no_verdict", "off_scale", "A"}
            if not dialect.by_criterion:
                dialect.rewritten(reply, "so", "A" if dialect is FIELDS else "3")


@pytest.mark.parametrize(
    "value",
    ['["8", ""]', '[""]', "[]", '""', "NaN", "Infinity", "1e999", "9" * 5000, "-0", "[[8]]"],
)
def test_json_of_no_score_is_unread(value: str) -> None:
    for one in (MARK_IN_JSON, LISTED):
        reply = f'{{"verdict": {value}, "scores": {value}}}'
        assert told(one, reply) in {"no_verdict", "off_scale", "several_verdicts"}


def test_half_a_character_is_kept_out() -> None:
    """A lone surrogate, which JSON can spell, could not be written to a file."""
    found = parse_reply(FIELDS, r'{"rationale": "so \ud83d", "verdict": "A"}')
    assert (found.status.value, found.rationale) == ("parsed", "so \ufffd")
    assert told(FIELDS, r'{"verdict": "\ud83d"}') == "off_scale"
    named = r'{"\ud83d": {"verdict": 3}}'
    assert told(ANY_CRITERIA, named) == "no_verdict"


@pytest.mark.parametrize(
    ("dialect", "reply", "expected"),
    [
        (PAIR, "8 9\nwhy", [8, 9]),
        (PAIR, "8 9", [8, 9]),
        (PAIR, "\n  8\t9 \r\n\r\nwhy", [8, 9]),
        (PAIR, "8, 9\nwhy", [8, 9]),
        (PAIR, "8,9\nwhy", [8, 9]),
        (PAIR, "8.5 9\nwhy", [8.5, 9]),
        (PAIR, "8 9\n1 1", [8, 9]),
        (PAIR, "8 9 because\nwhy", "no_verdict"),
        (PAIR, "Scores: 8 9\nwhy", "no_verdict"),
        (PAIR, "Assistant 1: 8\nAssistant 2: 9", "no_verdict"),
        (PAIR, "First, I will solve it.\n8 9", "no_verdict"),
        (PAIR, "8\n9\nwhy", "no_verdict"),
        (PAIR, "8 9 7\nwhy", "several_verdicts"),
        (PAIR, "10 999\nwhy", "off_scale"),
        (PAIR, "0 9\nwhy", "off_scale"),
        (PAIR, "8/10 9/10\nwhy", "off_scale"),
        (PAIR, "8.3 9\nwhy", "off_scale"),
        (PAIR, "-8 9\nwhy", "off_scale"),
        (PAIR, "\uff18 9\nwhy", "off_scale"),
        (PAIR, "", "no_verdict"),
        (WHOLE, "8.5 9\nwhy", "off_scale"),
        (OUT_OF, "8/10 9 / 10\nwhy", [8, 9]),
        (OUT_OF, "8 9\nwhy", [8, 9]),
        (OUT_OF, "8/100 9/10\nwhy", "off_scale"),
        (OUT_OF, "8/5 9/5\nwhy", "off_scale"),
        (LIST, "8 9 7 1\nwhy", [8, 9, 7, 1]),
        (MARK, "8\nwhy", [8]),
        (MARK, "8 9\nwhy", "several_verdicts"),
    ],
)
def test_scores_first(dialect: Dialect, reply: str, expected: Any) -> None:
    """Defect 13: "8/10 9/10" is either declared and read, or has a status; never a tie."""
    assert told(dialect, reply) == expected


def test_a_list_holds_one_score_per_response() -> None:
    assert told(LIST, "8 9 7\nwhy", responses=3) == [8, 9, 7]
    assert told(LIST, "8 9 7\nwhy", responses=4) == "no_verdict"
    assert told(LIST, "8 9 7\nwhy", responses=2) == "several_verdicts"


BOTH = '{"clarity": {"rationale": "c", "verdict": 7}, "depth": {"rationale": "d", "verdict": "4"}}'


@pytest.mark.parametrize(
    ("dialect", "reply", "expected"),
    [
        (FIELDS, '{"rationale": "why", "verdict": "A"}', "A"),
        (FIELDS, ' {"verdict": "b", "rationale": "why", "confidence": 3} ', "B"),
        (FIELDS, '```json\n{"rationale": "why", "verdict": "A"}\n```', "A"),
        (FIELDS, '```\n{"verdict": "A"}\n```', "A"),
        (FIELDS, 'Here: {"rationale": "why", "verdict": "A"}', "no_verdict"),
        (FIELDS, '{"rationale": "why", "verdict": "A"} So.', "no_verdict"),
        (FIELDS, '{"verdict": "A"} {"verdict": "B"}', "several_verdicts"),
        (FIELDS, '{"verdict": "A", "verdict": "A"}', "several_verdicts"),
        (FIELDS, '{"rationale": "why"}', "no_verdict"),
        (FIELDS, '{"verdict": null}', "no_verdict"),
        (FIELDS, '{"verdict": "C"}', "off_scale"),
        (FIELDS, '{"verdict": ["A"]}', "off_scale"),
        (FIELDS, '{"verdict": "A"', "no_verdict"),
        (FIELDS, '["A"]', "no_verdict"),
        (FIELDS, "[" * 100_000, "no_verdict"),
        (LISTED, '{"scores": [8, "9"]}', [8, 9]),
        (LISTED, '{"scores": [8, 9, 7]}', "several_verdicts"),
        (LISTED, '{"scores": [8]}', "no_verdict"),
        (LISTED, '{"scores": [8, 99]}', "off_scale"),
        (LISTED, '{"scores": [8, NaN]}', "no_verdict"),
        (LISTED, '{"scores": [8, true]}', "off_scale"),
        (CRITERIA, BOTH, {"clarity": (7,), "depth": (4,)}),
        (CRITERIA, BOTH.replace("depth", "width"), "no_verdict"),
        (CRITERIA, BOTH.replace("7", "11"), "off_scale"),
        (CRITERIA, BOTH.replace("7", '"N/A"'), "off_scale"),
        (CRITERIA, BOTH.replace("depth", "clarity"), "several_verdicts"),
        (CRITERIA, '{"clarity": 7, "depth": 4}', "no_verdict"),
        (ANY_CRITERIA, BOTH, {"clarity": (7,), "depth": (4,)}),
        (ANY_CRITERIA, "{}", "no_verdict"),
    ],
)
def test_json(dialect: Dialect, reply: str, expected: Any) -> None:
    assert told(dialect, reply) == expected


def test_criteria_of_the_question_must_all_be_there() -> None:
    assert told(ANY_CRITERIA, BOTH, criteria=("depth",)) == {"depth": (4,)}
    assert told(ANY_CRITERIA, BOTH, criteria=("depth", "tone")) == "no_verdict"


@pytest.mark.parametrize(
    ("dialect", "reply", "expected"),
    [
        (MARKED, "why [RESULT] 7", "truncated"),  # it may quote a response, and say more
        (MARKED, "why [RESULT] 1", "truncated"),  # it may have been 10
        (MARKED, "why", "truncated"),
        (TUPLE, "why. Output: (1, 1)", "truncated"),
        (NUMBER, "7", [7]),
        (NUMBER, "1", "truncated"),
        (NUMBER, "10", [10]),
        (ALONE, "m", "A"),
        (TUPLE, "why. Output: (1, 1", "truncated"),
        (LINE, "why\n1", "truncated"),  # a line may have followed
        (EITHER, "Choice: A", "truncated"),  # "Choice: A is mine. So B is better."
        (EITHER, "why So B is better.", "truncated"),
        (EITHER_FIRST, "7\nwhy", [7]),
        (EITHER_FIRST, "Score: 7\n", [7]),
        (EITHER_FIRST, "7", "truncated"),
        (FEEDBACK, "why [RESULT] 7", "truncated"),
        (PAIR, "8 9\n", [8, 9]),
        (PAIR, "8 9", "truncated"),  # it may have been 9.5
        (PAIR, "8", "truncated"),
        (WHOLE, "8 9", [8, 9]),
        (LIST, "8 9", "truncated"),
        (FIELDS, '{"verdict": "A"', "truncated"),
        (FIELDS, '{"verdict": "A"}', "A"),
        (FIELDS, '{"verdict": "C"}', "off_scale"),
    ],
)
def test_cut_off(dialect: Dialect, reply: str, expected: Any) -> None:
    assert told(dialect, reply, L) == expected


@pytest.mark.parametrize(
    ("dialect", "reply", "rationale"),
    [
        (MARKED, " why \n[RESULT] 7", "why"),
        (FEEDBACK, "Feedback: why [RESULT] 7", "why"),
        (FEEDBACK, "why [RESULT] 7", "why"),
        (FIRST, "Score: 7\n\n why\nso ", "why\nso"),
        (PAIR, "8 9\n\nwhy", "why"),
        (PAIR, "8 9", None),
        (FIELDS, '{"rationale": " why ", "verdict": "A"}', "why"),
        (CRITERIA, BOTH, "clarity: c\ndepth: d"),
    ],
)
def test_the_rationale(dialect: Dialect, reply: str, rationale: str | None) -> None:
    assert parse_reply(dialect, reply).rationale == rationale


def test_reasons_by_criterion_are_written_where_they_belong() -> None:
    verdict = parse_reply(CRITERIA, BOTH).verdict
    assert verdict is not None
    apart = CRITERIA.write_reply("clarity: c\ndepth: d", verdict)
    assert apart == BOTH.replace('"4"', "4")
    whole = CRITERIA.write_reply("Quite good.", verdict)
    assert whole.startswith('{"rationale": "Quite good.", "clarity": {"verdict": 7}')
    assert parse_reply(CRITERIA, whole).rationale == "Quite good."


def test_openings_and_slots() -> None:
    assert (MARKED.verdict_opening, SAID.verdict_opening) == ("[RESULT] ", "My final decision is ")
    assert (LINE.verdict_opening, FIRST.verdict_opening) == ("", "Score: ")
    assert PAIR.verdict_opening == ""
    assert MARK.slots(1) == ("1",)
    assert PAIR.slots(2) == ("1", "2")
    assert FIELDS.slots(2) == ("verdict",)
    assert CRITERIA.slots(1) == ("1/clarity", "1/depth")


@pytest.mark.parametrize(
    ("dialect", "verdict", "opening"),
    [
        (FIELDS, "A", '"verdict": "'),
        (dialect(reply=Json(verdict='the "best"'), scale=["A", "B"]), "A", r'"the \"best\"": "'),
        (MARK_IN_JSON, "7", '"verdict": '),
        (dialect(scale=["A", "B"], say={"A": 1, "B": 2}, reply=Json()), "B", '"verdict": '),
        (
            dialect(scale={"low": 1, "high": 2}, say={1: "bad", 2: "good"}, reply=Json()), "2",
            '"verdict": "',
        ),
        (dialect(scale=["A", "B"], say={"A": "01", "B": "02"}, reply=Json()), "B", '"verdict": "'),
    ],
)  # fmt: skip
def test_the_opening_of_json_stands_right_before_the_verdict(
    dialect: Dialect, verdict: str, opening: str
) -> None:
    assert dialect.verdict_opening == opening
    reply = dialect.write_reply('It says "verdict": "A".', verdict)
    said = reply[reply.rfind(opening) + len(opening) :]
    assert said.startswith(dialect.wording.of[verdict])


def test_json_without_one_place_for_the_verdict_has_no_opening() -> None:
    mixed = dialect(scale=["A", "B"], say={"A": 1, "B": "two"}, reply=Json())
    listed = dialect(scale=["A", "B"], say={"A": "[1,2]", "B": "[2,1]"}, reply=Json())
    quoting = dialect(scale=["A", "B"], say={"A": 'so "a"', "B": 'so "b"'}, reply=Json())
    for one in (mixed, listed, quoting, LISTED, CRITERIA, ANY_CRITERIA):
        assert one.verdict_opening == ""


def test_what_a_rationale_may_not_hold() -> None:
    assert FEEDBACK.reserved == ("[RESULT]",)
    assert SAID.reserved == ("My final decision is",)
    assert (PAIR.reserved, FIELDS.reserved, LINE.reserved, FIRST.reserved) == ((), (), (), ())
    for held in ("so [RESULT] 3", "so [result]3"):
        assert FEEDBACK.clash(held) == "marker '[RESULT]'"
        with pytest.raises(ValueError, match=r"may not hold the marker '\[RESULT\]'"):
            FEEDBACK.write_reply(held, "7")
    assert FEEDBACK.clash("so [RESULT") is None
    assert GRADE.clash("Worth an upgrade: 5") is None
    assert SPELLED.clash("so Score: 3") == "marker 'Score:'"
    assert CHINESE.clash("so [评分]") is None
    colons = dialect(reply="{rationale}::{score}")
    with pytest.raises(ValueError, match="marker"):
        colons.write_reply("why:", "7")


@pytest.mark.parametrize(
    ("dialect", "reply", "made"),
    [
        (MARKED, "why\n\n[result]  7\n", "so\n\n[result]  3\n"),
        (FIRST, "Score:  7 \n\nwhy\n", "Score:  3 \n\nso\n"),
        (MARK, "7\n\nwhy", "3\n\nso"),
        (LINE, "why\n\n1\n", "so\n\n2\n"),
        (FIELDS, '{"verdict": "A", "rationale": "why"}', '{"verdict": "B", "rationale": "so"}'),
        (
            FIELDS,
            '{\n  "rationale": "why",\n  "verdict": "A"\n}',
            '{\n  "rationale": "so",\n  "verdict": "B"\n}',
        ),
        (FIELDS, '{"verdict":"A"}', None),
        (MARKED, "why", None),
    ],
)
def test_a_reply_rewritten_keeps_its_form(dialect: Dialect, reply: str, made: str | None) -> None:
    assert dialect.rewritten(reply, "so", "3" if dialect.scored else "B") == made


MILLION = 1_000_000


@pytest.mark.parametrize(
    "piece", ["[RESULT]", "[", "{", '{"a":', " ", "\n", "8 ", "1\n", "```\n", "("]
)
def test_reading_takes_as_long_as_the_reply_is(piece: str) -> None:
    """Ten times the text takes some ten times as long; a grammar that tries again takes 100."""

    def seconds(one: Dialect, length: int) -> float:
        reply = piece * (length // len(piece))
        start = time.process_time()
        parse_reply(one, reply)
        parse_reply(one, reply + "x")
        return time.process_time() - start

    for one in (
        MARKED,
        FEEDBACK,
        SPELLED,
        SAID,
        TUPLE,
        OUT,
        LINE,
        FIRST,
        DASH,
        PAIR,
        OUT_OF,
        FIELDS,
        CRITERIA,
    ):
        assert seconds(one, MILLION) < 50 * max(0.01, seconds(one, MILLION // 10)), one.reply


def test_scales_with_steps() -> None:
    halves = Scale(**HALVES)
    assert halves.values[:3] == ("1", "1.5", "2")
    assert len(halves.values) == 19
    with pytest.raises(ValueError, match="steps"):
        Scale(low=1, high=2, step=0.3)
    with pytest.raises(ValueError, match="`step` belongs to"):
        Scale(choices=("A", "B"), step=0.5)
    with pytest.raises(ValueError, match="less than or equal"):
        Scale(low=1, high=10**400)
