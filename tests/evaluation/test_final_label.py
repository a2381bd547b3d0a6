"""Final verdicts: every item has a decision, and what is not decided is no tie."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from judgesmith.errors import DataError, RecipeError
from judgesmith.evaluation.final_label import (
    Decision,
    FinalLabel,
    Policy,
    Why,
    check_teachers,
    decide,
    decided_by,
    decision_table,
)
from judgesmith.evaluation.judges import Judge, Read
from judgesmith.evaluation.lost_verdicts import weighing_findings
from judgesmith.evaluation.teacher_reading import read_teacher, read_teachers
from judgesmith.evaluation.weighing import accuracies, expected_accuracy, weigh
from judgesmith.records import TIE, Judgment, Scores, Status, choice

NOT_ASKED = "-"


def teacher(name: str, said: str) -> Judge:
    """One letter per item i0, i1, ...: A, B, T (tie), ? (unread) or - (not asked)."""
    value = {"A": "A", "B": "B", "T": TIE, "?": None}
    reads = {f"i{n}": value[c] for n, c in enumerate(said) if c != NOT_ASKED}
    return Judge(name, "teacher", False, "", {i: Read(v, v, v) for i, v in reads.items()})


def judged(
    item: str, value: str | None, order: tuple[int, ...] = (0, 1), *, judge: str = "ann",
    sample: int = 0, chances: dict[str, float] | None = None, dialect: str = "d",
) -> Judgment:  # fmt: skip
    return Judgment.make(
        source="test", licence="none", item_id=item, judge=judge, dialect=dialect, order=order,
        sample=sample, reply=None, rationale=None, reference=None,
        verdict=None if value is None else choice(value),
        distribution=None if chances is None else {"verdict": chances},
        status=Status.NO_VERDICT if value is None else Status.PARSED,
    )  # fmt: skip


def said(decisions: list[Decision]) -> list[str | None]:
    return [decision.verdict for decision in decisions]


PANEL = [teacher("x", "AAAA?-?"), teacher("y", "AABT?-A"), teacher("z", "ABTB?--")]
"""i0 agreed; i1 two to one; i2, i3 three ways; i4 unread; i5 not asked; i6 one vote of two."""
ITEMS = [f"i{n}" for n in range(7)]


def test_majority_is_of_the_votes_that_were_read() -> None:
    """i1: 2 of 3 is more than half. i2 and i3: 1 of 3 each. i6: the only vote decides."""
    found = decide(ITEMS, PANEL, FinalLabel(policy=Policy.MAJORITY))
    assert said(found) == ["A", "A", None, None, None, None, "A"]
    assert [d.why for d in found] == [
        Why.AGREED, Why.MAJORITY, Why.NO_MAJORITY, Why.NO_MAJORITY, Why.UNREAD, Why.NOT_ASKED,
        Why.ONE_VOTE,
    ]  # fmt: skip
    assert (found[1].votes, found[1].read, found[1].asked) == (2, 3, 3)
    assert (found[6].votes, found[6].read, found[6].asked) == (1, 1, 2)


def test_the_most_votes_are_no_majority_if_they_are_not_more_than_half() -> None:
    """Two of four is the first place alone (A 2, B 1, TIE 1), but not more than half."""
    four = [teacher(name, vote) for name, vote in zip("wxyz", "AABT", strict=True)]
    assert said(decide(["i0"], four, FinalLabel(policy=Policy.MAJORITY))) == [None]


def test_unanimity_wants_every_teacher_that_was_asked() -> None:
    found = decide(ITEMS, PANEL, FinalLabel(policy=Policy.UNANIMITY))
    assert said(found) == ["A", None, None, None, None, None, None]
    assert [d.why for d in found[1:]] == [
        Why.DISAGREE, Why.DISAGREE, Why.DISAGREE, Why.UNREAD, Why.NOT_ASKED, Why.SOME_UNREAD,
    ]  # fmt: skip
    assert not any(d.to_person for d in found)


def test_what_the_teachers_leave_open_goes_to_a_person_but_not_what_nobody_was_asked() -> None:
    found = decide(ITEMS, PANEL, FinalLabel(policy=Policy.PERSON))
    assert [d.to_person for d in found] == [False, True, True, True, True, False, True]
    assert decision_table(found)["to a person"] == 5


def test_a_quorum_keeps_a_single_vote_from_deciding() -> None:
    found = decide(ITEMS, PANEL, FinalLabel(policy=Policy.MAJORITY, quorum=2))
    assert (found[6].verdict, found[6].why) == (None, Why.FEW_VOTES)
    assert found[1].verdict == "A"


def test_the_primary_decides_whatever_the_others_say() -> None:
    found = decide(ITEMS, PANEL, FinalLabel(policy=Policy.PRIMARY, primary="z"))
    assert said(found) == ["A", "B", TIE, "B", None, None, None]
    assert [d.why for d in found[4:]] == [
        Why.PRIMARY_UNREAD, Why.PRIMARY_NOT_ASKED, Why.PRIMARY_NOT_ASKED,
    ]  # fmt: skip
    assert (found[1].votes, found[1].read) == (1, 3)


def test_counts_of_a_report_add_up() -> None:
    found = decide(ITEMS, PANEL, FinalLabel(policy=Policy.MAJORITY))
    table = decision_table(found)
    assert table["by verdict"] == {"A": 3}
    assert table["by reason"] == {
        "all votes agree": 1, "majority": 1, "no majority": 2, "no teacher was read": 1,
        "no teacher was asked": 1, "the only vote": 1,
    }  # fmt: skip
    assert table["decided"] == 3


def test_weighted_votes_believe_the_careful_teacher() -> None:
    """Two careful teachers, right 95% of the time, outvote three that toss a coin.

    A plain majority of the five is right about as often as 2 sure votes and 3 coins allow: wrong
    where all three coins are, 12.5%, and more. Weighted votes know who tosses.
    """
    rng = random.Random(3)
    truth = [rng.choice("AB") for _ in range(300)]
    other = {"A": "B", "B": "A"}
    careful = ["".join(t if rng.random() < 0.95 else other[t] for t in truth) for _ in range(2)]
    coins = ["".join(rng.choice("AB") for _ in truth) for _ in range(3)]
    panel = [teacher(f"t{n}", column) for n, column in enumerate([*careful, *coins])]
    items = [f"i{n}" for n in range(300)]
    fitted = weigh(items, panel)
    assert fitted is not None
    accuracies = [expected_accuracy(fitted, t.name) for t in panel]
    assert min(accuracies[:2]) > 0.85
    assert max(accuracies[2:]) < 0.65

    def right(policy: Policy) -> tuple[int, int]:
        found = decide(items, panel, FinalLabel(policy=policy))
        decided = [(d, t) for d, t in zip(found, truth, strict=True) if d.verdict is not None]
        assert all(d.confidence is None or d.confidence >= 0.9 for d, _ in decided)
        return sum(d.verdict == t for d, t in decided), len(decided)

    weighted, majority = right(Policy.WEIGHTED), right(Policy.MAJORITY)
    assert weighted[0] / weighted[1] > 0.97 > majority[0] / majority[1] + 0.05
    assert weighted[1] > 230


def test_too_little_is_not_weighed() -> None:
    """Two teachers, or 19 items with two votes, tell nothing of who is right."""
    rule = FinalLabel(policy=Policy.WEIGHTED)
    with pytest.raises(RecipeError, match="3 teachers or more"):
        decide(ITEMS, PANEL[:2], rule)
    few = [teacher(name, "AB" * 9 + "A") for name in "xyz"]
    items = [f"i{n}" for n in range(20)]
    found = decide(items, few, rule)
    assert {d.why for d in found} == {Why.NOT_WEIGHED, Why.NOT_ASKED}
    enough = [teacher(name, "AB" * 10) for name in "xyz"]
    assert said(decide(items, enough, rule)) == list("AB" * 10)
    mute = [*enough[:2], teacher("z", "?" * 20)]
    assert {d.why for d in decide(items, mute, rule)} == {Why.NOT_WEIGHED}


def test_what_cannot_be_carried_out_is_said_before_anything_is_paid() -> None:
    with pytest.raises(RecipeError, match="did you mean 'gpt'"):
        check_teachers(["gpt", "qwen"], FinalLabel(policy=Policy.PRIMARY, primary="gtp"))
    with pytest.raises(RecipeError, match="different names"):
        check_teachers(["gpt", "gpt"], FinalLabel(policy=Policy.MAJORITY))
    with pytest.raises(RecipeError, match="at most 2 votes"):
        check_teachers(["gpt", "qwen"], FinalLabel(policy=Policy.MAJORITY, quorum=3))
    with pytest.raises(ValidationError, match="exactly where the policy is"):
        FinalLabel(policy=Policy.MAJORITY, primary="gpt")
    with pytest.raises(ValidationError, match="exactly where the policy is"):
        FinalLabel(policy=Policy.PRIMARY)


def test_both_orders_make_one_verdict_and_one_order_is_a_verdict() -> None:
    """Shown swapped, the reply B names the item's first response.

    i0: A and, swapped, B: both name the first response. i1: A twice follows the slot: a tie. i2:
    unread in one of two orders: no verdict. i3: asked swapped only, B: the first response.
    """
    judge = read_teacher(
        "ann",
        [
            judged("i0", "A"), judged("i0", "B", (1, 0)),
            judged("i1", "A"), judged("i1", "A", (1, 0)),
            judged("i2", "A"), judged("i2", None, (1, 0)),
            judged("i3", "B", (1, 0), chances={"A": 0.2, "B": 0.7, TIE: 0.1}),
            judged("i4", None),
        ],
        tie=TIE,
    )  # fmt: skip
    found = decide(ITEMS[:6], [judge], FinalLabel(policy=Policy.PRIMARY, primary="ann"))
    assert said(found) == ["A", TIE, None, "A", None, None]
    assert found[3].confidence == 0.7
    assert [d.why for d in found[4:]] == [Why.PRIMARY_UNREAD, Why.PRIMARY_NOT_ASKED]
    assert judge.both_orders


def test_orders_that_contradict_each_other_are_no_verdict_and_are_not_called_unread() -> None:
    """i0: the same slot twice, both parsed. i1: one of two orders was not parsed."""
    judgments = [
        judged("i0", "A"), judged("i0", "A", (1, 0)), judged("i1", "A"), judged("i1", None, (1, 0))
    ]  # fmt: skip
    torn = read_teacher("ann", judgments, tie=None)
    assert [torn.verdicts[i].averaged for i in ("i0", "i1")] == [None, None]
    assert torn.statuses["i0"] == (Status.PARSED, Status.PARSED)
    other = teacher("bob", "AA")
    reasons = {
        policy: [d.why for d in decide(["i0", "i1"], panel, FinalLabel(policy=policy))]
        for policy, panel in (("person", [torn, other]), ("majority", [torn]))
    }
    assert reasons == {
        "person": [Why.CONTRADICTS, Why.SOME_UNREAD],
        "majority": [Why.CONTRADICTS, Why.UNREAD],
    }
    primary = FinalLabel(policy=Policy.PRIMARY, primary="ann")
    assert [d.why for d in decide(["i0", "i1"], [torn], primary)] == [
        Why.PRIMARY_CONTRADICTS, Why.PRIMARY_UNREAD,
    ]  # fmt: skip


def test_a_person_is_final_also_where_teachers_agree() -> None:
    """i0 agreed on A: overruled. i1 open: decided. i2 open and no person: to a person."""
    said = {"i0": "B", "i1": TIE}
    found = decide(ITEMS[:3], PANEL, FinalLabel(policy=Policy.PERSON))
    found = [decided_by(said.get(d.item_id), d) for d in found]
    assert [(d.verdict, d.to_person) for d in found] == [("B", False), (TIE, False), (None, True)]
    table = decision_table(found)
    assert (table["decided by people"], table["overruled by people"]) == (1, 1)
    assert table["confirmed by people"] == 0
    assert table["by reason"] == {"a person's verdict": 2, "the teachers disagree": 1}
    same = decided_by("A", decide(["i0"], PANEL, FinalLabel(policy=Policy.PERSON))[0])
    assert decision_table([same])["confirmed by people"] == 1


def rare_ties() -> tuple[list[str], list[Judge]]:
    """60 items with three votes, where ties are rare and often mistaken; 40 with a single vote."""
    truth = "AB" * 24 + "T" * 12
    x = "AB" * 24 + "T" * 9 + "AAB"
    y = "AB" * 20 + "TTTT" + "ABAB" + "T" * 8 + "ABBA"
    z = "AB" * 24 + "T" * 7 + "ABABA"
    assert len(truth) == len(x) == len(y) == len(z) == 60
    single = "AB" * 10 + "T" * 20
    panel = [teacher("x", x + "-" * 40), teacher("y", y + single), teacher("z", z + "-" * 40)]
    return [f"i{n}" for n in range(100)], panel


def test_weighted_votes_say_which_verdict_they_lose() -> None:
    """All single ties are lost and single letters are not: a student would see too few ties."""
    items, panel = rare_ties()
    rule = FinalLabel(policy=Policy.WEIGHTED)
    found = decide(items, panel, rule)
    alone = [d for d in found if d.read == 1]
    kept = Counter(d.verdict for d in alone)
    assert (kept["A"] + kept["B"], kept[TIE]) == (20, 0)
    assert Counter(d.leaning for d in alone) == {None: 20, TIE: 20}
    (warning,) = weighing_findings(found, rule.least_posterior)
    table = decision_table(found)
    lost = table["not sure of"]
    assert isinstance(lost, dict)
    assert warning.count == sum(lost.values())
    assert f"TIE {lost[TIE]} of {lost[TIE] + Counter(said(found))[TIE]}" in warning.message
    assert "20 of 40 items with a single vote" in warning.message
    assert "verdict is TIE" in warning.effect
    shown = accuracies(items, panel)
    assert set(shown) == {"x", "y", "z"}
    assert shown["y"] < min(shown["x"], shown["z"])


def test_where_nothing_is_lost_there_is_no_warning() -> None:
    enough = [teacher(name, "AB" * 10) for name in "xyz"]
    found = decide([f"i{n}" for n in range(20)], enough, FinalLabel(policy=Policy.WEIGHTED))
    assert weighing_findings(found, 0.9) == []
    assert accuracies(["i0"], enough[:2]) == {}


def test_the_first_sample_counts_in_whatever_order_judgments_come() -> None:
    samples = [judged("i0", "B", sample=1), judged("i0", "A", sample=0)]
    for given_order in (samples, samples[::-1]):
        assert read_teacher("ann", given_order, tie=TIE).verdicts["i0"].averaged == "A"


def test_scores_of_responses_alone_need_a_margin() -> None:
    """Scores 1 and 0: the first is higher by more than .5. Without a margin they name nothing."""
    scored = judged("i0", "A").with_fields(
        verdict=Scores(kind="scores", values=(1.0, 0.0), criteria=None)
    )
    assert read_teacher("ann", [scored], tie=TIE, margin=0.5).verdicts["i0"].averaged == "A"
    assert read_teacher("ann", [scored], tie=TIE).verdicts["i0"].averaged is None


def test_judgments_of_several_judges_or_dialects_are_not_one_teacher() -> None:
    with pytest.raises(DataError, match="one judge in one dialect"):
        read_teacher("ann", [judged("i0", "A"), judged("i1", "A", judge="bob")], tie=TIE)
    with pytest.raises(DataError, match="one judge in one dialect"):
        read_teacher("ann", [judged("i0", "A"), judged("i1", "A", dialect="e")], tie=TIE)
    both = [judged("i0", "A", (0, 1, 2)), judged("i0", "A", (2, 1, 0))]
    with pytest.raises(DataError, match="Only pairs"):
        read_teacher("ann", both, tie=TIE)
    names = [t.name for t in read_teachers([judged("i0", "A", judge=n) for n in "ba"], tie=TIE)]
    assert names == ["a", "b"]


VOTE = st.sampled_from("ABT?-")
POLICIES = st.sampled_from([p for p in Policy if p is not Policy.PRIMARY])


@settings(max_examples=40, deadline=None)
@given(st.data(), POLICIES, st.integers(1, 3))
def test_every_item_has_a_decision_and_no_verdict_comes_from_nowhere(
    data: Any, policy: Policy, quorum: int
) -> None:
    """A verdict was given by a teacher, is never made of unread votes, and says how many gave it.

    Neither the order of teachers nor that of items changes it.
    """
    n = data.draw(st.integers(1, 24))
    columns = [data.draw(st.text(VOTE, min_size=n, max_size=n)) for _ in range(3)]
    panel = [teacher(name, column) for name, column in zip("xyz", columns, strict=True)]
    items = [f"i{i}" for i in range(n)]
    rule = FinalLabel(policy=policy, quorum=quorum)
    found = decide(items, panel, rule)
    assert [d.item_id for d in found] == items
    for decision, *votes in zip(found, *columns, strict=True):
        read = Counter(TIE if v == "T" else v for v in votes if v not in "?-")
        assert (decision.read, decision.asked) == (read.total(), 3 - votes.count("-"))
        if decision.verdict is None:
            assert (decision.confidence, decision.votes) == (None, 0)
        else:
            assert decision.votes == read[decision.verdict]
            assert decision.read >= quorum
            assert decision.votes > 0 or policy is Policy.WEIGHTED
            assert not decision.to_person
    again = decide(items[::-1], panel[::-1], rule)
    assert [(d.verdict, d.why) for d in again[::-1]] == [(d.verdict, d.why) for d in found]
