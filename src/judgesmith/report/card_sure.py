"""How sure a judge is, and what its confidence promises, as a card says it."""

from judgesmith.report.markdown import plain
from judgesmith.report.numbers import denominator, estimate, plural
from judgesmith.report.result_base import Number, Result

NOT_CALIBRATED = (
    "Its `confidence` is what the model states. It was not calibrated, so nothing says how often a "
    "verdict of a confidence of 90% is right. `judgesmith calibrate RUN`, then export again."
)


class Sureness(Result):
    """What a calibration rests on and did; errors are expected calibration errors, 0 to 1.

    `promises` are sentences, one for each risk; `without_verdict` counts the items without one.
    All items are of one `kind`; `mapped` is False where the stated confidence was left as it is.
    """

    what: str
    kind: str
    mapped: bool
    labels: str
    items: int
    without_verdict: int
    also_chose: bool
    before: Number
    after: Number
    promises: tuple[str, ...]


def sureness_texts(found: Sureness | None, stamp: str) -> list[str]:
    """Markdown: what was calibrated on what, before and after, and a line for each risk.

    `stamp` is the word that a rehearsal's numbers carry, if any.
    """
    if found is None:
        return [NOT_CALIBRATED]
    chose = (
        " They also chose the checkpoint or the tie margin, so this is somewhat too good."
        if found.also_chose else ""
    )  # fmt: skip
    done = "is calibrated" if found.mapped else "was checked, and left as the model states it,"
    told = [
        "Its `confidence` (the chance that the verdict is what the label says) "
        f"{done} on {plural(found.items, f'{found.kind} item')} from {plain(found.what)} "
        f"(labels: {plain(found.labels)}; "
        f"{found.without_verdict:,} without a verdict).{chose} The gap between confidence and how "
        "often it is right (expected calibration error, 95% interval), on questions that the "
        f"calibration was not fitted on: {_of(found.before)} before, {_of(found.after)} after.",
        "\n".join(f"- {text}" for text in map(_code, found.promises)),
    ]
    return [f"[{stamp}]", *told] if stamp else told


def _of(number: Number) -> str:
    return f"{estimate(number)} ({denominator(number)})"


def _code(text: str) -> str:
    option, _, told = text.partition(": ")
    return f"`{option}`: {plain(told)}"
