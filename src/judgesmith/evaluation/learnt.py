"""Whose labels a student learns from."""

from collections.abc import Iterable

from judgesmith.evaluation.final_label import Policy
from judgesmith.records import AnnotatorKind, Label

TEACHERS = (AnnotatorKind.MODEL, AnnotatorKind.SIMULATED)


def learnt_labels(labels: Iterable[Label], kind: AnnotatorKind) -> dict[str, Label]:
    """One label per item, of one kind of annotator, with what people decided in a teacher's place.

    By the policy `person` a person's verdict is final: such a label is by the person, and cites the
    judgments of teachers that say the same. It is learnt from where labels by teachers are asked
    for, as the item has none of theirs; with no judgment to cite it gives a verdict and no reason.
    Labels that people gave otherwise stand beside those of teachers, and are taken for `person`
    only. Of several people one who decided is taken.

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
    found = {one.item_id: one for one in everyone if one.annotator_kind is kind}
    others = {one.annotator_kind for one in everyone} & set(TEACHERS) - {kind}
    if kind is AnnotatorKind.PERSON or (kind in TEACHERS and not others):
        found |= decided
    return found
