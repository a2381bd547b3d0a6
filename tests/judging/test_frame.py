"""What stands around a verdict: enough to read it out without a reason, and nothing guessed."""

import pytest

from judgesmith.errors import DataError
from judgesmith.judging.dialect import PAIR_SCALE, Dialect, Scale
from judgesmith.judging.forms import Json, Pattern, ReplyForm, ScoresFirst, Tags
from judgesmith.judging.frame import bare_frame, closing
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.scale import PAIR_SCALE as PAIR
from judgesmith.records import Kind
from judgesmith.tasks.bias.dialects import DIALECTS

SCORES = Scale(low=1, high=10)


def single(reply: ReplyForm, scale: Scale = SCORES, **said: object) -> Dialect:
    return Dialect(name="d", kind=Kind.SINGLE, user="", scale=scale, reply=reply, **said)


@pytest.mark.parametrize("dialect", [*LIBRARY.values(), *DIALECTS.values()], ids=lambda d: d.name)
def test_a_frame_with_a_verdict_in_it_is_the_reply_that_would_be_written(dialect: Dialect) -> None:
    if dialect.by_criterion or (dialect.scored and dialect.kind is not Kind.SINGLE):
        with pytest.raises(DataError, match="several scores"):
            bare_frame(dialect)
        return
    frame = bare_frame(dialect)
    for value, words in zip(dialect.scale.values, frame.options, strict=True):
        reply = frame.opening + words + frame.closing
        assert reply == dialect.write_reply("", value)
        assert (parse_reply(dialect, reply).rationale or "") == ""


@pytest.mark.parametrize(
    ("dialect", "opening", "after", "with_reason"),
    [
        (single(Tags(), PAIR_SCALE), "<reasoning></reasoning><verdict>", "</verdict>", None),
        (single(ScoresFirst()), "", "\n", None),
        (single(Json(verdict="score")), '{"rationale": "", "score": ', "}", None),
        (single(Json(), PAIR), '{"rationale": "", "verdict": "', '"}', None),
        (single(Pattern(text="{score}. Why: {rationale}!")), "", ". Why: !", ". Why: "),
        (single(Pattern(text="It is {verdict}, as {rationale}")), "It is ", ", as ", None),
        (single(Pattern(text="{rationale} So: {verdict}")), " So: ", "", None),
    ],
)  # fmt: skip
def test_opening_and_closing(
    dialect: Dialect, opening: str, after: str, with_reason: str | None
) -> None:
    frame = bare_frame(dialect)
    assert (frame.opening, frame.closing) == (opening, after)
    assert closing(dialect) == (after if with_reason is None else with_reason)


def test_words_that_begin_or_end_alike_stay_whole() -> None:
    said = {"A": "Response 1 it is", "B": "Response 2 it is", "TIE": "Response none it is"}
    frame = bare_frame(single(Tags(), PAIR_SCALE, say=said))
    assert frame.options == tuple(said.values())
    assert frame.opening.endswith("<verdict>")
    assert frame.closing == "</verdict>"


def test_verdicts_that_are_written_differently_have_no_frame() -> None:
    """In JSON a number stands bare and a text in quotes: no one text opens both."""
    mixed = single(Json(), Scale(choices=("1", "none")))
    with pytest.raises(DataError, match="one text before every verdict"):
        bare_frame(mixed)
    assert closing(mixed) == ""


def test_a_reply_that_cannot_be_without_a_reason_has_no_frame() -> None:
    """Without a reason the two words run together, and no parser finds the second."""
    joined = single(Pattern(text="Because{rationale}verdict {verdict}"))
    with pytest.raises(DataError, match="can be read without a reason"):
        bare_frame(joined)
    assert closing(joined) == ""
