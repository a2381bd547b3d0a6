"""The evaluate stage on data small enough to be worked by hand."""

from collections.abc import Sequence
from typing import Any

import pytest
from statsmodels.stats.multitest import multipletests

from judgesmith.evaluation.comparing import compare, student_and_neighbours
from judgesmith.evaluation.judges import Judge, Read, read_judgments
from judgesmith.evaluation.scoring import (
    Plan,
    Scored,
    SliceOfItems,
    domain_difference,
    make_slices,
    score_judge,
    score_slice,
)
from judgesmith.models.asking import whole_questions
from judgesmith.models.judge import Shown
from judgesmith.records import (
    TIE,
    AnnotatorKind,
    Choice,
    Direction,
    Item,
    Judgment,
    Kind,
    Label,
    Split,
    Status,
    choice,
    reorder,
)
from judgesmith.report.results import SliceResult
from judgesmith.stages.evaluate.examples import pick_examples
from judgesmith.stages.evaluate.labelled_side import labels_title
from judgesmith.stages.evaluate.rules import by_rule, constant_rule, longer_rule, random_rule
from judgesmith.tasks import load_task

SCALE = ("A", "B", TIE)
STORED, SWAPPED = (0, 1), (1, 0)


def plan(least: int = 2) -> Plan:
    return Plan(
        seed=7, resamples=200, slice_resamples=100, confidence=0.95, least=least, scale=SCALE
    )  # fmt: skip


def judgment(
    item: str, order: tuple[int, int], shown: str | None, chances: dict[str, float] | None = None
) -> Judgment:
    """A judgment whose verdict is as written in the reply, in the order shown."""
    return Judgment.make(
        source="t", licence="n", item_id=item, judge="j", dialect="d", order=order, sample=0,
        reply="", rationale=f"reason {order}", verdict=None if shown is None else choice(shown),
        distribution=None if chances is None else {"verdict": chances},
        status=Status.NO_VERDICT if shown is None else Status.PARSED, reference=None,
    )  # fmt: skip


def judged(
    items: Sequence[str], stored: Sequence[str | None], swapped: Sequence[str | None]
) -> Judge:
    """A judge from its verdicts in item order, through real judgments in shown order."""
    found = []
    for item, one, other in zip(items, stored, swapped, strict=True):
        shown = None
        if other is not None:
            turned = reorder(choice(other), SWAPPED)
            assert isinstance(turned, Choice)
            shown = turned.value
        found += [judgment(item, STORED, one), judgment(item, SWAPPED, shown)]
    return read_judgments("j", "student", found, tie=TIE)


def rows(labels: Sequence[str], *, prefix: str = "i") -> list[Scored]:
    """One item a question; the first response is always the longer one."""
    return [
        Scored(
            item_id=f"{prefix}{n}", label=label, cluster=f"{prefix}{n}", words=(9, 3),
            fields={"bucket": "b"},
        )
        for n, label in enumerate(labels, start=1)
    ]  # fmt: skip


def part(found: Sequence[Scored], kind: str = "domain") -> SliceOfItems:
    return SliceOfItems("in_domain", kind, "in domain", tuple(found))


LABELS = ("A", "A", "B", "B", TIE, TIE)
IDS = [f"i{n}" for n in range(1, 7)]
SIX = judged(IDS, ["A", "A", "B", "A", TIE, None], ["A", "B", "B", "A", TIE, TIE])


@pytest.fixture
def six() -> SliceResult:
    return score_slice(SIX, part(rows(LABELS)), plan())


def test_the_averaged_verdict_of_two_orders() -> None:
    """Agreeing verdicts stand, disagreeing ones are a tie, and unparsed is never a tie."""
    assert [SIX.verdicts[i].averaged for i in IDS] == ["A", TIE, "B", "A", TIE, None]
    assert SIX.verdicts["i1"].rationale == "reason (0, 1)"


def test_kappa_and_accuracy_by_hand(six: SliceResult) -> None:
    """Five are parsed: A T B A T against A A B B T, three right.

    Chance: A 2*2, B 1*2, T 2*1 of 25 = .32. Kappa = (.6 - .32) / .68 = 7/17.
    """
    assert (six.kappa.value, six.kappa.n) == (pytest.approx(7 / 17), 5)
    assert six.accuracy.value == pytest.approx(0.6)


def test_single_order_kappas_by_hand(six: SliceResult) -> None:
    """Stored: A A B A T, 4 of 5, chance (3*2 + 1*2 + 1*1)/25 = .36: .44/.64 = 11/16.

    Swapped: A B B A T T, 4 of 6, chance 3 * 2*2/36 = 1/3: 1/2.
    """
    assert six.kappa_stored_order is not None
    assert six.kappa_swapped_order is not None
    assert six.kappa_stored_order.value == pytest.approx(11 / 16)
    assert six.kappa_swapped_order.value == pytest.approx(1 / 2)


def test_order_effects_by_hand(six: SliceResult) -> None:
    """Five pairs are parsed twice: four keep their verdict, one names the first slot twice."""
    assert six.consistency is not None
    assert six.position_bias is not None
    assert (six.consistency.value, six.consistency.n) == (pytest.approx(4 / 5), 5)
    assert six.position_bias.value == pytest.approx(1 / 5)


def test_coverage_and_what_the_unparsed_could_do(six: SliceResult) -> None:
    """Item 6 (label T) is unparsed. As T: 4 of 6, chance 12/36: 1/2. As A or B: 3 of 6: 1/4.

    Counted as wrong it is a verdict of its own: chance (2*2 + 1*2 + 2*2)/36: (18-10)/(36-10).
    """
    assert (six.coverage.value, six.coverage.n) == (pytest.approx(5 / 6), 6)
    found = {name: number.value for name, number in six.if_unparsed.items()}
    assert found == {
        "best case": pytest.approx(1 / 2),
        "worst case": pytest.approx(1 / 4),
        "counted as wrong": pytest.approx(4 / 13),
    }
    assert six.confusion is not None
    assert six.confusion.counts == ((1, 1, 0), (0, 1, 0), (1, 0, 1))
    assert six.confusion.unparsed == (0, 0, 1)


def test_verbosity_by_hand(six: SliceResult) -> None:
    """A is always longer. On the parsed items (ties are in no share) the judge names it 2 of 3
    times, the labels 2 of 4: 1/6 more."""
    assert six.verbosity is not None
    assert six.verbosity.value == pytest.approx(1 / 6)


def test_two_distributions_are_averaged() -> None:
    """Stored A .6, B .3; swapped A .7, which is B: B has (.3 + .7)/2 = .5, A (.6 + .2)/2 = .4."""
    found = read_judgments(
        "j", "student",
        [
            judgment("i", STORED, "A", {"A": 0.6, "B": 0.3, TIE: 0.1}),
            judgment("i", SWAPPED, "A", {"A": 0.7, "B": 0.2, TIE: 0.1}),
        ],
        tie=TIE,
    ).verdicts["i"]  # fmt: skip
    assert (found.stored, found.swapped, found.averaged) == ("A", "B", "B")
    assert found.probability == pytest.approx(0.5)


def test_one_distribution_alone_decides_nothing() -> None:
    """Verdicts A and B with one distribution: a tie, as without any; no probability is claimed."""
    both = [judgment("i", STORED, "A", {"A": 0.9, "B": 0.1}), judgment("i", SWAPPED, "A")]
    found = read_judgments("j", "student", both, tie=TIE).verdicts["i"]
    assert (found.averaged, found.probability) == (TIE, None)
    assert read_judgments("j", "student", both, tie=None).verdicts["i"].averaged is None


def test_unparsed_in_one_order_has_no_averaged_verdict_even_with_a_distribution() -> None:
    both = [judgment("i", STORED, "A", {"A": 1.0}), judgment("i", SWAPPED, None, {"A": 1.0})]
    found = read_judgments("j", "student", both, tie=TIE).verdicts["i"]
    assert (found.stored, found.swapped, found.averaged) == ("A", None, None)


def test_an_order_proof_judge_has_no_order_numbers() -> None:
    verdicts = {f"i{n}": Read(v, v, v) for n, v in enumerate(LABELS, start=1)}
    judge = Judge("key", "key", order_proof=True, note="", verdicts=verdicts)
    found = score_slice(judge, part(rows(LABELS)), plan())
    assert found.kappa.value == pytest.approx(1.0)
    assert (found.consistency, found.position_bias, found.kappa_stored_order) == (None, None, None)


def test_too_few_items_hide_agreement_but_not_coverage() -> None:
    found = score_slice(SIX, part(rows(LABELS)), plan(least=20))
    assert found.kappa.hidden == "only 6 labels, fewer than 20"
    assert found.kappa_swapped_order is not None
    assert found.kappa_swapped_order.hidden is not None
    assert all(number.hidden is not None for number in found.if_unparsed.values())
    assert found.coverage.hidden is None


def test_one_label_over_nine_tenths_hides_agreement() -> None:
    """Defect 17: 24 of 25 are ties."""
    labels = [TIE] * 24 + ["A"]
    ids = [f"i{n}" for n in range(1, 26)]
    found = score_slice(judged(ids, labels, labels), part(rows(labels)), plan())
    assert found.kappa.hidden is not None
    assert "24 of 25" in found.kappa.hidden


def test_three_parsed_replies_of_thirty_are_too_few_as_well() -> None:
    """Agreement on three parsed items is agreement on three items, however many were asked."""
    labels = ["A", "B", TIE] * 10
    ids = [f"i{n}" for n in range(1, 31)]
    replies: list[str | None] = [*labels[:3], *[None] * 27]
    found = score_slice(judged(ids, replies, replies), part(rows(labels)), plan(least=20))
    assert found.kappa.n == 3
    assert found.kappa.hidden == "among items with a parsed verdict: only 3 labels, fewer than 20"
    assert found.if_unparsed["counted as wrong"].hidden is None
    outside = rows(labels, prefix="o")
    both = [part(rows(labels)), SliceOfItems("out_of_domain", "domain", "", tuple(outside))]
    difference = domain_difference(judged(ids, replies, replies), both, plan(least=20))
    assert difference is not None
    assert difference.hidden is not None


def test_domain_difference_by_hand() -> None:
    """In domain 1; out of domain A A B B against A B B B: (3/4 - 1/2) / (1/2) = 1/2 less."""
    inside = rows(["A", "B", "A", "B"])
    outside = rows(["A", "B", "B", "B"], prefix="o")
    said = {"i1": "A", "i2": "B", "i3": "A", "i4": "B", "o1": "A", "o2": "A", "o3": "B", "o4": "B"}
    judge = judged(list(said), list(said.values()), list(said.values()))
    parts = make_slices(inside, outside)
    found = domain_difference(judge, parts, plan())
    assert found is not None
    assert found.value == pytest.approx(-0.5)
    assert domain_difference(judge, make_slices(inside, []), plan()) is None
    assert [p.name for p in parts] == ["in_domain", "out_of_domain", "all", "bucket:b"]


def many(right: int, of: int, name: str) -> Judge:
    """A judge that is right on the first `right` items and says the other letter on the rest."""
    labels = ["A", "B"] * (of // 2)
    said = [v if n < right else {"A": "B", "B": "A"}[v] for n, v in enumerate(labels)]
    ids = [f"i{n}" for n in range(1, of + 1)]
    found = judged(ids, said, said)
    return Judge(name, "student", order_proof=False, note="", verdicts=found.verdicts)


def test_comparisons_count_gains_and_losses_and_are_holm_adjusted() -> None:
    """Of 40, 40, 34, 24 are right. Gains 6, 10, 16: p = 2/2**6, 2/2**10, 2/2**16, then Holm."""
    labels = ["A", "B"] * 20
    judges = [many(40, 40, "first"), many(34, 40, "second"), many(24, 40, "third")]
    found = compare(student_and_neighbours(judges), [part(rows(labels))], plan())
    assert [(c.a, c.b, c.gained, c.lost) for c in found] == [
        ("first", "second", 6, 0), ("second", "third", 10, 0), ("first", "third", 16, 0),
    ]  # fmt: skip
    assert [c.p for c in found] == pytest.approx([2 / 2**6, 2 / 2**10, 2 / 2**16])
    oracle = multipletests([c.p for c in found], method="holm")[1]
    assert [c.p_holm for c in found] == pytest.approx(list(oracle))
    assert [c.conclusion for c in found] == [
        "first is better", "second is better", "first is better",
    ]  # fmt: skip


def test_mcnemar_on_the_six_items() -> None:
    """Against the labels themselves items 2, 4 and 6 (unparsed) are lost: p = 2/2**3."""
    key = judged(IDS, LABELS, LABELS)
    (found,) = compare([(SIX, key)], [part(rows(LABELS))], plan())
    assert (found.gained, found.lost, found.p, found.p_holm) == (0, 3, 0.25, 0.25)
    assert found.conclusion == "no difference shown"
    assert found.difference.value == pytest.approx(4 / 13 - 1)


def test_no_winner_where_agreement_may_not_be_shown() -> None:
    """Significant or not: below `least` items, or with one label over 90%, nothing is concluded."""
    labels = ["A", "B"] * 20
    judges = [many(40, 40, "first"), many(20, 40, "second")]
    (shown,) = compare(student_and_neighbours(judges), [part(rows(labels))], plan(least=40))
    (hidden,) = compare(student_and_neighbours(judges), [part(rows(labels))], plan(least=41))
    assert shown.conclusion == "first is better"
    assert hidden.conclusion == "no difference shown"
    assert hidden.difference.hidden == "only 40 labels, fewer than 41"


def test_score_judge_covers_every_slice() -> None:
    parts = make_slices(rows(LABELS), [])
    found = score_judge(SIX, parts, plan())
    assert set(found.slices) == {"in_domain", "bucket:b"}
    assert found.slices["bucket:b"].confusion is None


def test_baselines(make: Any) -> None:
    """Longer by words, equal lengths a tie; constant the commonest; random drawn by responses."""
    question = make.question("q")
    long, short = make.response(question, "x", "a b c"), make.response(question, "y", "a b")
    rule = longer_rule(Direction.WORSE)
    assert rule(question, [long, short]) == choice("A")
    assert rule(question, [short, long]) == choice("B")
    assert rule(question, [long, long]) == choice(TIE)
    assert constant_rule(["B", "A", "B"])(question, []) == choice("B")
    assert constant_rule(["B", "A"])(question, []) == constant_rule(["A", "B"])(question, [])
    assert constant_rule([])(question, []) == choice(TIE)
    item = make.item(long, short)
    index = {r.id: r for r in (long, short)}
    draw = random_rule(SCALE, seed=1)
    one, again = (
        by_rule("random", "baseline", draw, [item], {question.id: question}, index)
        for _ in range(2)
    )  # fmt: skip
    assert one.order_proof
    assert one.verdicts == again.verdicts


def test_the_random_judge_uses_the_whole_scale(make: Any) -> None:
    question = make.question("q")
    draw = random_rule(SCALE, seed=1)
    drawn = {
        draw(question, [make.response(question, "x", f"t{n}"), make.response(question, "y", "u")])
        for n in range(40)
    }
    assert {verdict.value for verdict in drawn if verdict} == set(SCALE)


def test_the_answer_choice_rule(make: Any) -> None:
    """Naming a person beside "unknown" is more biased; a person beside a person is a tie."""
    rule = load_task("bias").baselines()["answer-choice rule"]
    question = make.question("q")
    person, other, unknown = (
        make.response(question, name, "t", letter=letter)
        for name, letter in (("x", "A"), ("y", "B"), ("z", "C"))
    )
    assert rule(question, [person, unknown]) == choice("A")
    assert rule(question, [unknown, person]) == choice("B")
    assert rule(question, [person, other]) == choice(TIE)


def test_the_title_counts_the_people_behind_these_labels() -> None:
    def label(item: str, who: str, kind: AnnotatorKind) -> Label:
        return Label.make(
            source="t", licence="n", item_id=item, verdict=choice("A"), direction=Direction.WORSE,
            confidence=None, policy="as given", judgment_ids=(), annotator_kind=kind,
            annotator=who,
        )  # fmt: skip

    person, key = AnnotatorKind.PERSON, AnnotatorKind.KEY
    found = [label("i1", "p", person), label("i9", "q", person), label("i1", "answer key", key)]
    assert labels_title(person, found, {"i1": "A"}, "ann") == (
        "labels: 1 verdicts by one person (ann)"
    )
    assert "answer key (as given), not people; n = 1" in labels_title(
        key, found, {"i1": "A"}, "key"
    )


def test_examples_are_half_wrong_where_there_are_enough(make: Any) -> None:
    found, verdicts, questions, responses = [], {}, {}, {}
    for n in range(10):
        question = make.question(f"q{n}")
        pair = [make.response(question, m, f"{m}{n}") for m in "xy"]
        item = make.item(*pair, split=Split.TEST)
        questions[question.id] = question
        responses |= {r.id: r for r in pair}
        found.append(item)
        said = None if n == 0 else "A" if n > 2 else "B"
        verdicts[item.id] = Read(said, said, said)
    judge = Judge("j", "student", order_proof=False, note="", verdicts=verdicts)
    texts = (dict.fromkeys(verdicts, "A"), questions, responses)
    four = pick_examples(judge, found, *texts, count=4, seed=7)
    assert [example.right for example in four] == [False, False, True, True]
    eight = pick_examples(judge, found[::-1], *texts, count=8, seed=7)
    assert sum(not example.right for example in eight) == 3
    assert len(eight) == 8
    assert {e.verdict for e in eight if not e.right} == {None, "B"}
    assert pick_examples(judge, found, *texts, count=0, seed=7) == ()


def test_no_lot_cuts_a_question_in_two() -> None:
    """A judge answers a question once; in two lots it could answer differently."""
    items = [
        Item.make(
            source="t", licence="n", kind=Kind.PAIR, question_id=question, bucket="b",
            subtype=None, split=None, response_ids=(f"{question}{n}", f"{question}{n}x"),
        )
        for n, question in enumerate("abacbdaae")
    ]  # fmt: skip
    chunks = whole_questions([Shown(item, (0, 1)) for item in items], 3)
    told = ["".join(entry.item.question_id for entry in chunk) for chunk in chunks]
    assert told == ["aaaa", "bbc", "de"]
