"""From rows to results: each judge on its own items, pairs of judges on what they share."""

import random
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.evaluation.collect import collect
from judgesmith.evaluation.evidence import measure
from judgesmith.evaluation.measure import Subject, evaluation_of, prepare
from judgesmith.evaluation.scoring import Plan
from judgesmith.metrics import cohen_kappa
from judgesmith.records import Direction
from judgesmith.report.evidence import Evidence
from judgesmith.report.results import Evaluation
from judgesmith.sources.imported import ImportedRow

PLAN = Plan(seed=1, resamples=200, slice_resamples=100, confidence=0.95, least=20, scale=())
PAIRS = Subject(
    kind="pair", names=Direction.BETTER, scale=("A", "B", "TIE"), tie="TIE", labels="majority"
)


def measured(rows: list[ImportedRow], subject: Subject = PAIRS) -> tuple[Evaluation, Evidence]:
    found = collect(rows, responses=2 if subject.pairs else 1)
    return measure(prepare(found, subject, PLAN), lambda: iter(rows))


def pair_rows(make_row: Any, say: Any, n: int = 60) -> list[ImportedRow]:
    """People, a good judge in both orders with probabilities, a poor one on half of the items."""
    draw = random.Random(5)
    rows = []
    for i in range(n):
        item, label = f"i{i}", draw.choice(["A", "B", "TIE"])
        good = label if draw.random() < 0.8 else draw.choice(["A", "B"])
        back = good if draw.random() < 0.8 else draw.choice(["A", "B", "TIE"])
        sure = 0.5 + 0.4 * (good == label)
        chances = {v: sure if v == good else (1 - sure) / 2 for v in ("A", "B", "TIE")}
        turned = {v: sure if v == back else (1 - sure) / 2 for v in ("A", "B", "TIE")}
        votes = [say(item, f"p{k}", label, role="person") for k in range(2)]
        votes.append(say(item, "p2", draw.choice(["A", "B", "TIE"]), role="person"))
        votes.append(say(item, "good", good, distribution=chances, rationale=f"because {i}"))
        votes.append(say(item, "good", back, distribution=turned, swapped=True))
        votes.append(say(item, "good", good, sample=1))
        if i % 2:
            votes.append(say(item, "poor", draw.choice(["A", "B", None])))
        rows.append(
            make_row(item, *votes, cluster=f"q{i // 2}", question=f"question {i}",
                     responses=("word " * draw.randint(1, 9), "word " * draw.randint(1, 9)),
                     models=("x", "y"), fields={"bucket": "even" if i % 4 else "odd"})
        )  # fmt: skip
    return rows


def test_numbers_are_those_of_the_plain_metrics(make_row: Any, say: Any) -> None:
    rows = pair_rows(make_row, say)
    evaluation, _ = measured(rows)
    poor = next(judge for judge in evaluation.judges if judge.name == "poor")
    said = {j.item: j.verdict for row in rows for j in row.judgments if j.by == "poor"}
    labels = {j.item: j.verdict for row in rows for j in row.judgments if j.by == "p0"}
    kept = [i for i, verdict in said.items() if verdict is not None]
    plain = cohen_kappa([str(said[i]) for i in kept], [str(labels[i]) for i in kept])
    assert poor.slices["all"].kappa.value == pytest.approx(plain.value)
    assert poor.slices["all"].coverage.n == 30
    assert poor.note == "judged in one order only; judged 30 of 60 labelled items"
    assert poor.slices["all"].consistency is None


def test_two_judges_meet_on_shared_items_only(make_row: Any, say: Any) -> None:
    evaluation, _ = measured(pair_rows(make_row, say))
    compared = next(c for c in evaluation.comparisons if (c.a, c.b) == ("good", "poor"))
    assert compared.difference.n == 30
    against_rule = [c for c in evaluation.comparisons if c.b == "longer response"]
    assert [c.a for c in against_rule] == ["good", "poor"]


def test_evidence_holds_what_the_data_allow(make_row: Any, say: Any) -> None:
    _, evidence = measured(pair_rows(make_row, say))
    good, poor = evidence.judges
    assert good.flips is not None
    assert good.flips.repeatability is not None
    assert good.flips.repeatability.value == 1.0
    assert good.calibration is not None
    assert good.risk_coverage is not None
    assert set(good.accuracy_by_ties) == {"wrong", "half", "dropped"}
    assert poor.flips is None
    assert poor.calibration is None
    assert [(a, b) for a, b, _ in evidence.people[:3]] == [("p0", "p1"), ("p0", "p2"), ("p1", "p2")]
    assert len(evidence.alternative) == 2
    assert evidence.panel is not None
    assert [member.judge for member in evidence.panel.members] == ["good", "poor"]
    assert "teacher and student" in evidence.not_measured
    assert evidence.browser_of == 60
    assert all(
        row.rationales.get("good", "because").startswith("because") for row in evidence.browser
    )
    assert "NaN" not in evidence.model_dump_json()


def test_rows_in_another_order_give_the_same_results(make_row: Any, say: Any) -> None:
    rows = pair_rows(make_row, say)
    mixed = rows[:]
    random.Random(1).shuffle(mixed)
    one, other = (measured(r)[0] for r in (rows, mixed))
    assert one.judges == other.judges
    assert one.comparisons == other.comparisons


def test_scores_go_by_criterion(make_row: Any, say: Any) -> None:
    draw = random.Random(2)
    rows = []
    for i in range(40):
        votes = []
        for criterion in ("clarity", "depth"):
            label = float(draw.randint(1, 5))
            near = min(5.0, max(1.0, label + draw.choice([-1, 0, 0, 1])))
            votes += [
                say(f"i{i}", "ann", None, scores=(label,), role="person", criterion=criterion),
                say(f"i{i}", "near", None, scores=(near,), criterion=criterion),
                say(
                    f"i{i}", "dice", None, scores=(float(draw.randint(1, 5)),), criterion=criterion
                ),
            ]
        rows.append(make_row(f"i{i}", *votes))
    subject = Subject(
        kind="single", names=None, scale=(), tie=None, labels="majority", limits=(1, 5)
    )
    evaluation, evidence = measured(rows, subject)
    near, dice = evidence.judges
    assert [one.criterion for one in near.scores] == ["clarity", "depth"]
    assert near.scores[0].n == 40
    assert near.scores[0].spearman.value > dice.scores[0].spearman.value  # type: ignore[operator]
    assert near.scores[0].weighted_kappa is not None
    assert {c.metric for c in evaluation.comparisons} == {"spearman"}
    assert {c.conclusion for c in evaluation.comparisons} == {"near is better"}
    assert evaluation.judges == ()


def test_ids_that_do_not_meet_are_said_so(make_row: Any, say: Any) -> None:
    rows = [
        make_row("1", say("1", "ann", "A", role="person")),
        make_row("item 1", say("item 1", "j", "A")),
    ]
    with pytest.raises(DataError, match="do not meet"):
        prepare(collect(rows, responses=2), PAIRS, PLAN)


def test_labels_without_judgments_are_said_so(make_row: Any, say: Any) -> None:
    rows = [
        make_row(f"i{n}", *(say(f"i{n}", who, "AB"[n % 2], role="person") for who in "pq"))
        for n in range(30)
    ]
    evaluation, evidence = measured(rows)
    assert {judge.role for judge in evaluation.judges} == {"baseline"}
    assert set(evidence.not_measured) == {"judges"}
    ((_, _, kappa),) = evidence.people
    assert kappa.value == 1.0
    assert evidence.people_alpha["all items"].value == 1.0


def test_judgments_without_labels_give_what_needs_none(make_row: Any, say: Any) -> None:
    rows = [
        make_row(f"i{n}", say(f"i{n}", "j", "A"), say(f"i{n}", "j", "AB"[n % 2], swapped=True))
        for n in range(30)
    ]
    evaluation, evidence = measured(rows)
    assert evaluation.labels_kind == "nobody"
    assert evaluation.judges == ()
    assert evidence.judges[0].flips is not None
    assert evidence.judges[0].flips.consistency.value == 0.5
    assert evidence.judges[0].ac1 is None
    assert "agreement" in evidence.not_measured


def test_an_unknown_judge_is_named_with_the_known(make_row: Any, say: Any) -> None:
    found = collect(pair_rows(make_row, say), responses=2)
    with pytest.raises(DataError, match="did you mean 'good'"):
        prepare(found, Subject(**{**PAIRS.__dict__, "judges": ("god",)}), PLAN)


def test_one_class_only_is_hidden_not_perfect(make_row: Any, say: Any) -> None:
    rows = [
        make_row(f"i{n}", say(f"i{n}", "ann", "A", role="person"), say(f"i{n}", "j", "A"))
        for n in range(40)
    ]
    evaluation = evaluation_of(prepare(collect(rows, responses=2), PAIRS, PLAN))
    assert evaluation.judges[0].slices["all"].kappa.hidden is not None
