"""A judgment's reply as a student is to learn it: in the student's own dialect."""

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.records import Choice, Judgment, Ranking, Scores

__all__ = ["reply_in", "verdict_text"]


def reply_in(dialect: Dialect, judgment: Judgment) -> str | None:
    """The reply in a dialect; None for a judgment without reply, rationale or verdict.

    A judgment made in another dialect is written again in this one, so that a row's prompt and
    reply are always of one dialect. Raises DataError where this one's scale has no such verdict: a
    verdict on a pair is no score of one response.
    """
    text = verdict_text(judgment.verdict)
    if judgment.reply is None or judgment.rationale is None or text is None:
        return None
    if judgment.dialect == dialect.hash:
        return judgment.reply
    if text not in dialect.scale.values:
        raise DataError(
            f"item {judgment.item_id}: expected a verdict among {', '.join(dialect.scale.values)} "
            f"to learn dialect {dialect.name!r} from, found {text!r}. Label in that dialect too "
            "(labels.dialect)."
        )
    return dialect.write_reply(judgment.rationale, text)


def verdict_text(verdict: Choice | Scores | Ranking | None) -> str | None:
    """A verdict as a reply states it; None for what one tag cannot hold.

    >>> verdict_text(Choice(kind="choice", value="TIE"))
    'TIE'
    >>> verdict_text(Scores(kind="scores", values=(1.0,), criteria=None))
    '1'
    """
    if isinstance(verdict, Choice):
        return verdict.value
    if isinstance(verdict, Scores) and len(verdict.values) == 1:
        return f"{verdict.values[0]:g}"
    return None
