"""Whose labels a student learns from, and what people decided in a teacher's place."""

from judgesmith.evaluation.learnt import learnt_labels
from judgesmith.records import AnnotatorKind, Label, choice

MODEL, SIMULATED, PERSON, KEY = (
    AnnotatorKind.MODEL, AnnotatorKind.SIMULATED, AnnotatorKind.PERSON, AnnotatorKind.KEY
)  # fmt: skip


def label(item: str, kind: AnnotatorKind, policy: str, who: str, verdict: str = "A") -> Label:
    return Label.make(
        source="test", licence="none", item_id=item, verdict=choice(verdict), direction=None,
        confidence=None, policy=policy, judgment_ids=(), annotator_kind=kind, annotator=who,
    )  # fmt: skip


def test_people_who_decided_stand_in_a_teachers_place() -> None:
    """i is the teacher's, j was decided by ann and bob, k people said of beside the teacher."""
    labels = [
        label("i", MODEL, "person", "big"), label("i", KEY, "p", "answer key"),
        label("j", PERSON, "person", "ann", "B"), label("j", PERSON, "person", "bob", "B"),
        label("j", PERSON, "as given", "cat"),
        label("k", MODEL, "person", "big"), label("k", PERSON, "as given", "ann", "B"),
    ]  # fmt: skip

    def whose(kind: AnnotatorKind) -> dict[str, str]:
        return {i: one.annotator for i, one in learnt_labels(labels, kind).items()}

    assert whose(MODEL) == {"i": "big", "j": "ann", "k": "big"}
    assert whose(KEY) == {"i": "answer key"}
    assert whose(PERSON) == {"j": "ann", "k": "ann"}
    assert whose(SIMULATED) == {}  # what people decided stands for the teachers there are


def test_where_people_decided_all_they_are_all() -> None:
    labels = [label("j", PERSON, "person", "ann")]
    assert set(learnt_labels(labels, MODEL)) == set(learnt_labels(labels, SIMULATED)) == {"j"}
    assert learnt_labels(labels, KEY) == {}


def test_of_three_people_one_who_says_what_most_say_is_learnt_from() -> None:
    """i: A, A and B. j: one vote each way. k has two people, and the last counts."""
    votes = {"i": "AAB", "j": ("A", "B", "TIE"), "k": "AB"}
    labels = [
        label(item, PERSON, "as given", f"p{n}", verdict)
        for item, given in votes.items()
        for n, verdict in enumerate(given)
    ]
    found = learnt_labels(labels, PERSON)
    assert {item: one.annotator for item, one in found.items()} == {"i": "p0", "k": "p1"}
