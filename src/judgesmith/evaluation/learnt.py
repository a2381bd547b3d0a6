"""Whose labels a student learns from."""

from collections.abc import Iterable

from judgesmith.audits.ties import majority
from judgesmith.errors import DataError
from judgesmith.evaluation.final_label import Policy
from judgesmith.records import AnnotatorKind, Choice, Label

LEAST_VOTERS = 3
"""How many people make a majority: of two who disagree there is none."""
TEACHERS = (AnnotatorKind.MODEL, AnnotatorKind.SIMULATED)


def require_distinct(labels: Iterable[Label], *, path: str) -> None:
    """Refuse two labels of one id that say different things: nobody could tell which one counts.

    Raises DataError naming the lines of both in the file at `path`.
    """
    seen: dict[str, tuple[int, Label]] = {}
    for line, label in enumerate(labels, start=1):
        before, first = seen.setdefault(label.id, (line, label))
        if first.verdict != label.verdict:
            raise DataError(
                f"{path}:{line}: expected one verdict of each label, found another one with the id "
                f"{label.id} in line {before}: both on item {label.item_id} by "
                f"{label.annotator!r} ({label.policy}), {first.verdict} and {label.verdict}. Leave "
                "one of them out."
            )


def learnt_labels(labels: Iterable[Label], kind: AnnotatorKind) -> dict[str, Label]:
    """One label per item, of one kind of annotator, with what people decided in a teacher's place.

    By the policy `person` a person's verdict is final: such a label is by the person, and cites the
    judgments of teachers that say the same. It is learnt from where labels by teachers are asked
    for, as the item has none of theirs; with no judgment to cite it gives a verdict and no reason.
    Labels that people gave otherwise stand beside those of teachers, and are taken for `person`
    only. Of several people one who decided is taken, of three or more who gave verdicts one who
    says what most say, and of several labels by one annotator the first: that of `labels.dialect`,
    which those of further dialects stand beside.

    Args:
        labels: of the run.
        kind: what the recipe asks for.
    """
    everyone = list(labels)
    decided = {
        one.item_id: one
        for one in reversed(everyone)
        if one.annotator_kind is AnnotatorKind.PERSON and one.policy == Policy.PERSON
    }
    first: dict[tuple[str, str], Label] = {}
    for one in everyone:
        if one.annotator_kind is kind:
            first.setdefault((one.item_id, one.annotator), one)
    found = _one_each(first.values(), kind)
    others = {one.annotator_kind for one in everyone} & set(TEACHERS) - {kind}
    if kind is AnnotatorKind.PERSON or (kind in TEACHERS and not others):
        found |= decided
    return found


def _one_each(labels: Iterable[Label], kind: AnnotatorKind) -> dict[str, Label]:
    """The label of each item: of three people or more the majority's, and none without one."""
    by_item: dict[str, list[Label]] = {}
    for one in labels:
        by_item.setdefault(one.item_id, []).append(one)
    chosen = {item_id: given[-1] for item_id, given in by_item.items()}
    if kind is AnnotatorKind.PERSON:
        for item_id, given in by_item.items():
            if len(given) >= LEAST_VOTERS and all(isinstance(x.verdict, Choice) for x in given):
                most = majority(str(one.verdict) for one in given)
                said = (one for one in given if str(one.verdict) == most)
                del chosen[item_id]
                if most is not None:
                    chosen[item_id] = next(said)
    return chosen
