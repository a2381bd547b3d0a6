"""What a student answers on dev items while it is being made."""

from judgesmith.backends.dry_run import Probe
from judgesmith.models.dev import DevSet
from judgesmith.models.judge import Shown, judge
from judgesmith.models.protocol import Model
from judgesmith.records import Status

PROBED = 8
"""Dev items that the student is asked about after a dry run."""


def probe_of(dev_set: DevSet) -> Probe:
    """Asks about a few of the dev items whose kappa each evaluation measures."""
    return Probe(lambda model: parsed(model, dev_set), len(dev_set.items))


def parsed(model: Model, dev_set: DevSet) -> tuple[int, int]:
    """How many of a few replies on dev items the dialect reads, and of how many."""
    shown = [Shown(item, tuple(range(len(item.response_ids)))) for item in dev_set.items[:PROBED]]
    asking = dev_set.asking
    judged = judge(
        model, shown, dev_set.questions, dev_set.responses,
        dialect=asking.dialect, max_tokens=asking.max_tokens,
    )  # fmt: skip
    found = [judgment.status is Status.PARSED for judgment, _ in judged]
    return sum(found), len(found)
