"""What preference rows can be learned from, and the mistakes about it from either source."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from judgesmith.errors import DataError
from judgesmith.evaluation.final_label import NO_REASON, why_no_reason
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.reply import reply_in
from judgesmith.records import Item, Judgment, Label, Split
from judgesmith.stages.preferences.contrasts import Materials
from judgesmith.stages.preferences.selection import Candidate
from judgesmith.stages.preferences.wishes import cases_of
from judgesmith.stages.preferences.written import Writer
from judgesmith.tasks import Task

LEARNING = (Split.TRAIN, Split.DEV)


def require_policy(labels: Iterable[Label], task: Task) -> None:
    """Refuse labels that no policy of the answer key gave: its mistakes need not contradict them.

    Raises DataError naming the policies.
    """
    for label in labels:
        if label.policy not in task.key_policies:
            raise DataError(
                f"preferences.labels: expected labels by a policy of the answer key "
                f"({', '.join(task.key_policies)}), found {label.policy!r} "
                f"({label.annotator_kind.value}). Mistakes are written as the key writes: learn "
                "from the key (preferences.labels: key)."
            )


class Labelled(NamedTuple):
    """An item to learn from, with the judgments that its label rests on."""

    item: Item
    label: Label
    judgments: list[Judgment]


def learnable(
    items: Iterable[Item], labels: Mapping[str, Label], judgments: Mapping[str, Judgment],
    dialect: Dialect,
) -> tuple[dict[Split, list[Labelled]], Counter[str]]:  # fmt: skip
    """What there is to learn from by side of the split, and why other items are left out."""
    by_side: dict[Split, list[Labelled]] = {side: [] for side in LEARNING}
    dropped: Counter[str] = Counter()
    for item in items:
        label = labels.get(item.id)
        cited = () if label is None else label.judgment_ids
        found = [judgments[i] for i in cited if i in judgments]
        if item.split not in LEARNING:
            dropped["on the test side"] += 1
        elif cited and not found:
            dropped["judged in a dialect whose verdicts mean something else"] += 1
        elif label is None or not any(reply_in(dialect, one) for one in found):
            dropped[why_no_reason(label)] += 1
        else:
            by_side[item.split].append(Labelled(item, label, found))
    return by_side, dropped


def misread(
    labelled: Mapping[Split, Sequence[Labelled]], materials: Materials, dropped: Counter[str]
) -> dict[Split, list[Candidate]]:
    """All mistakes of misread facts by side of the split; items without any are counted."""
    by_side: dict[Split, list[Candidate]] = {side: [] for side in LEARNING}
    for side, found in labelled.items():
        for one in found:
            made = materials.candidates(*one)
            by_side[side] += made
            dropped["no mistake changes the verdict"] += not made
    return by_side


def have_written(
    labelled: Mapping[Split, Sequence[Labelled]], writer: Writer, dialect: Dialect,
    dropped: Counter[str],
) -> dict[Split, list[Candidate]]:  # fmt: skip
    """All mistakes that a model wrote, by side of the split; items without any are counted."""
    cases = [
        [case for one in labelled[side] for case in cases_of(one.item, one.judgments, dialect)]
        for side in LEARNING
    ]
    by_side: dict[Split, list[Candidate]] = {}
    for side, written in zip(LEARNING, writer.write(cases), strict=True):
        by_side[side] = written.candidates
        why = {item_id: reason for (item_id, _), reason in reversed(written.failed.items())}
        made = {candidate.item_id for candidate in written.candidates}
        for one in labelled[side]:
            if one.item.id not in made:
                dropped[why.get(one.item.id, NO_REASON)] += 1
    return by_side
