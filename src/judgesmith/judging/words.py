"""What a verdict says, in words: for whoever is to argue for it."""

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.prompt_names import called
from judgesmith.records import LETTERS, TIE, Direction


def verdict_in_words(dialect: Dialect, verdict: str) -> str:
    """What a verdict says, with the direction spelled out, for a writer that must not reverse it.

    Raises DataError for a dialect without direction and for a verdict that is not on its scale.

    >>> from judgesmith.judging.scale import PAIR_SCALE
    >>> d = Dialect(name="d", kind="pair", system=None, user="", scale=PAIR_SCALE,
    ...             direction="worse")
    >>> verdict_in_words(d, "B")
    'B: Response B is the WORSE one (a letter names the worse response, not the better one)'
    """
    if dialect.direction is None or verdict not in dialect.scale.values:
        raise DataError(
            f"dialect {dialect.name!r}: expected a direction and a verdict among "
            f"{', '.join(dialect.scale.values)}, found direction {dialect.direction!r} and "
            f"verdict {verdict!r}. Name what a letter stands for (`direction`)."
        )
    named = dialect.direction.value
    other = (Direction.BETTER if dialect.direction is Direction.WORSE else Direction.WORSE).value
    if dialect.scale.choices is None:
        ends = f"from {dialect.scale.low} to {dialect.scale.high}"
        return f"{verdict} {ends}, where a higher score is {named.upper()}, not {other}"
    meant = f"what it names is the {named.upper()} one"
    if verdict == TIE:
        meant = f"neither response is {named.upper()} than the other"
    elif len(verdict) == 1 and verdict in LETTERS:
        meant = f"{called(dialect).name(LETTERS.index(verdict))} is the {named.upper()} one"
    return f"{verdict}: {meant} (a letter names the {named} response, not the {other} one)"
