"""A judgment's reply as a student is to learn it: in the student's own dialect."""

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.scale import number_text
from judgesmith.records import Choice, Judgment, Kind, Ranking, Scores, Verdict

__all__ = ["can_be_said", "fits", "reply_in", "verdict_text"]


def reply_in(dialect: Dialect, judgment: Judgment) -> str | None:
    """The reply in a dialect; None for a judgment without verdict, or without what it is to hold.

    A dialect whose replies hold a rationale asks for a judgment with one and with its reply; in any
    other the verdict is all there is to say. None, too, for several scores where the dialect's
    reply holds others, or one, and for a rationale that no reply of the dialect can hold
    (`can_be_said`).

    A judgment made in another dialect is written again in this one, so that a row's prompt and
    reply are always of one dialect. Raises DataError where this one's scale has no such verdict: a
    verdict on a pair is no score of one response.
    """
    if judgment.verdict is None:
        return None
    without = judgment.reply is None or judgment.rationale is None
    if without and dialect.reply.has_rationale:
        return None
    if judgment.reply is not None and judgment.dialect == dialect.hash:
        return judgment.reply
    if not fits(dialect, judgment.verdict):
        if verdict_text(judgment.verdict) is None:
            return None  # a reply of this dialect holds one verdict, and this is several
        raise DataError(
            f"item {judgment.item_id}: expected a verdict among {', '.join(dialect.scale.values)} "
            f"to learn dialect {dialect.name!r} from, found "
            f"{verdict_text(judgment.verdict)!r}. Label in that dialect too (labels.dialect)."
        )
    try:
        return dialect.write_reply(judgment.rationale or "", judgment.verdict)
    except ValueError:
        return None


def can_be_said(dialect: Dialect, judgment: Judgment) -> bool:
    """Whether a reply of the dialect can hold the judgment's rationale.

    A teacher may quote a response that holds a tag: written in another dialect than it was said in,
    such a reply could not be read back. A judgment that has no reply for another reason is none of
    this.
    """
    if judgment.reply is None or judgment.rationale is None or judgment.verdict is None:
        return True
    return not fits(dialect, judgment.verdict) or reply_in(dialect, judgment) is not None


def fits(dialect: Dialect, verdict: Verdict) -> bool:
    """Whether a reply of the dialect can hold a verdict of this shape and these values."""
    values = dialect.scale.values
    if isinstance(verdict, Choice):
        single = dialect.kind is Kind.SINGLE and not dialect.by_criterion
        return (single or not dialect.scored) and verdict.value in values
    if not isinstance(verdict, Scores) or not dialect.scored:
        return False
    if dialect.by_criterion != (verdict.criteria is not None):
        return False
    if dialect.criteria and set(dialect.criteria) != set(verdict.criteria or ()):
        return False
    if dialect.kind is not Kind.LIST and dialect.expected().responses != len(verdict.values):
        return False
    found = [verdict.values] if verdict.criteria is None else list(verdict.criteria.values())
    return all(number_text(value) in values for scores in found for value in scores)


def verdict_text(verdict: Choice | Scores | Ranking | None) -> str | None:
    """A verdict that is one value of a scale, as text; None for any other.

    >>> verdict_text(Choice(kind="choice", value="TIE"))
    'TIE'
    >>> verdict_text(Scores(kind="scores", values=(1.0,), criteria=None))
    '1'
    """
    if isinstance(verdict, Choice):
        return verdict.value
    if isinstance(verdict, Scores) and len(verdict.values) == 1 and verdict.criteria is None:
        return number_text(verdict.values[0])
    return None
