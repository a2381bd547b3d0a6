"""The one parser: a judge's reply -> verdict, rationale and status.

Each form of reply has one ordered grammar (`judging.forms`) that is never "match anywhere". An
unread reply gets a status; it is never a tie and never guessed.
"""

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.reading import Reading
from judgesmith.records import Finish

__all__ = ["Reading", "parse_reply"]


def parse_reply(
    dialect: Dialect, text: str, finish: Finish = Finish.STOP, responses: int | None = None,
    criteria: tuple[str, ...] | None = None,
) -> Reading:  # fmt: skip
    """Read a reply in a dialect, about so many responses.

    `responses` is 1 of a dialect for single responses and 2 of one for pairs where it is not given;
    of a list it is then as many as there are scores. `criteria` are those that a reply must hold,
    where the dialect leaves them to the question (`Dialect.criteria_for`).

    Of a reply that was cut a verdict counts only where nothing that followed could have changed it:
    one that comes first, stands alone, or in a whole JSON object. "1" may have been "10", and what
    stands behind a rationale may be a quotation in it: such a reply is truncated.

    Letter case and white space around a verdict do not matter; any other words there are off the
    scale.

    >>> from judgesmith.judging.dialect import PAIR_SCALE
    >>> d = Dialect(name="d", kind="pair", user="", scale=PAIR_SCALE, direction="worse")
    >>> parse_reply(d, "<reasoning>It says <verdict>A</verdict>.</reasoning><verdict>B</verdict>")
    Reading(status=<Status.PARSED: 'parsed'>, verdict=Choice(kind='choice', value='B'),
            rationale='It says <verdict>A</verdict>.')
    >>> parse_reply(d, "Response A is worse.").status.value
    'no_verdict'
    """
    return dialect.read(text, finish, dialect.expected(responses, criteria))
