"""What labels by teachers rest on, from the functions of the labels stage to the page."""

import json
from pathlib import Path
from typing import Any

import pytest

from judgesmith.evaluation.cross_check import cross_check, quota_table, supply_of
from judgesmith.evaluation.dry_run import Limits, ResponseLimits, dry_run, response_dry_run
from judgesmith.evaluation.final_label import (
    FinalLabel,
    Policy,
    decide,
    decided_by,
    decision_table,
)
from judgesmith.evaluation.judges import Read
from judgesmith.evaluation.scoring import Plan
from judgesmith.evaluation.teacher_check import against_people
from judgesmith.evaluation.teacher_reading import Teacher
from judgesmith.evaluation.weighing import accuracies
from judgesmith.records import TIE, Item, Kind, Question, Status, keyed_rng
from judgesmith.report.blocks import Plots, Section, Table, Text
from judgesmith.report.document import Document
from judgesmith.report.dry_run_tables import generators_section
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.report.teacher_panel import KINDS
from judgesmith.report.teacher_sections import decision_blocks, people_table, teacher_section
from judgesmith.report.teaching import Teaching

KEPT = Path(__file__).with_name("teaching.json")


def judged_items() -> tuple[list[Item], dict[str, Question]]:
    """Pairs in three buckets, one of them too small to show a kappa of."""
    items, questions = [], {}
    for n, bucket in enumerate(["clear"] * 30 + ["subtle"] * 26 + ["rare"] * 8):
        question = Question.make(
            source="test", licence="none", group_id=f"g{n}", template_id=None, category=None,
            context=None, text=f"question {n}", choices=None, key=None, reference=None,
            grounding=None, task={},
        )  # fmt: skip
        questions[question.id] = question
        items.append(
            Item.make(
                source="test",
                licence="none",
                kind=Kind.PAIR,
                question_id=question.id,
                response_ids=(f"{n}a", f"{n}b"),
                bucket=bucket,
                subtype=None,
                split=None,
            )
        )
    return items, questions


def teacher(name: str, items: list[Item], truth: dict[str, str], right: float) -> Teacher:
    """Right at this rate, unread or torn on one item in twenty each, else wrong at random."""
    reads, statuses = {}, {}
    for n, item in enumerate(items):
        draw = keyed_rng(3, name, item.id)
        said = truth[item.id] if draw.random() < right else draw.choice(["A", "B", TIE])
        unread = n % 20 == 7 and name != "big-teacher"
        torn = n % 20 == 9 and name == "small-teacher"
        verdict = None if unread else said
        reads[item.id] = Read("A", "B", None) if torn else Read(verdict, verdict, verdict)
        statuses[item.id] = (Status.PARSED, Status.REFUSED if unread else Status.PARSED)
    return Teacher(name, "teacher", False, "", reads, statuses=statuses)


@pytest.fixture(scope="module")
def teaching() -> Teaching:
    """What the labels stage would say, by the functions that it uses."""
    items, questions = judged_items()
    truth = {item.id: keyed_rng(1, item.id).choice(["A", "B", TIE]) for item in items}
    plan = Plan(
        seed=5, resamples=100, slice_resamples=100, confidence=0.95, least=20,
        scale=("A", "B", TIE),
    )  # fmt: skip
    rates = {"big-teacher": 0.95, "second-teacher": 0.85, "small-teacher": 0.6}
    panel = [teacher(name, items, truth, rate) for name, rate in rates.items()]
    limits = Limits(hard=("subtle",))
    dry = dry_run(items, (panel[0], panel[1]), questions=questions, limits=limits, plan=plan)
    rows = against_people(items, panel[0], truth, questions=questions, plan=plan).rows
    ids = [item.id for item in items]
    decisions = decide(ids, panel, FinalLabel(policy=Policy.PERSON))
    agreed = [d for d in decisions if d.verdict is not None]
    left = [d for d in decisions if d.to_person]
    people = {
        left[0].item_id: "A",
        agreed[0].item_id: str(agreed[0].verdict),
        agreed[1].item_id: "B" if agreed[1].verdict == "A" else "A",
    }
    decisions = [decided_by(people.get(d.item_id), d) for d in decisions]
    supply = supply_of(items)
    return Teaching(
        primary="big-teacher",
        panel=("second-teacher", "small-teacher"),
        policy="person",
        dry_run=dry.model_dump(mode="json"),
        against_people=tuple(rows),
        panel_items=quota_table(supply, supply, {"clear": 30, "subtle": 26, "rare": 20}),
        cross_check=cross_check(
            items, panel, questions=questions, people=truth, key=truth, plan=plan
        ),
        final_labels={**decision_table(decisions), "accuracies": accuracies(ids, panel)},
        statuses={
            "big-teacher": {"parsed": 126, "call_failed": 2},
            "small-teacher": {"parsed": 90},
        },
        queue=("queue/disagreements-0a1b2c3d.csv",),
    )


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    """38 of 40 read and 15 biased passes; 20 of 40 read is undecided, 1 of 20 biased aborts."""
    return [
        response_dry_run(name, counts, limits=ResponseLimits()).model_dump(mode="json")
        for name, counts in (("local", (40, 38, 15)), ("polite", (40, 20, 1)))
    ]


def named(section: Section, title: str) -> Table:
    return next(b for b in section.blocks if isinstance(b, Table) and b.title.startswith(title))


def texts(section: Section) -> str:
    return " ".join(block.text for block in section.blocks if isinstance(block, Text))


def cells(table: Table, first: str) -> list[str]:
    return next([cell.text for cell in row] for row in table.rows if row[0].text == first)


def test_the_kept_document_is_what_the_stage_gives(
    teaching: Teaching, runs: list[dict[str, Any]]
) -> None:
    """Pages are tested with a kept copy: it has every field of what is made today."""

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        return [shape(inner) for inner in value] if isinstance(value, list) else None

    made = {"teaching": teaching.model_dump(mode="json"), "generator_runs": runs}
    assert shape(json.loads(KEPT.read_text())) == shape(made)


def test_counts_and_kappas_are_those_of_the_stage(teaching: Teaching) -> None:
    section = teacher_section(teaching)
    assert teaching.cross_check is not None
    mix = named(section, "Items of the cross-check")
    for bucket, row in teaching.cross_check["items"].items():
        counts = [str(row[kind]) for kind in KINDS]
        assert cells(mix, bucket)[3:] == counts
    assert cells(mix, "all items")[1:3] == ["64", "76"]
    assert cells(mix, "rare")[1:4] == ["8", "20", "8"]
    kappas = named(section, "Kappa of every two teachers")
    assert [row[0].text for row in kappas.rows] == [
        bucket for bucket in ("all items", "clear", "rare", "subtle") for _ in range(3)
    ]
    assert kappas.folded
    rare = [row for row in kappas.rows if row[0].text == "rare"]
    assert all(row[3].text.startswith("hidden: only") for row in rare)
    assert all(row[3].aside.startswith("n = ") for row in kappas.rows)


def test_hidden_kappas_are_on_no_picture(teaching: Teaching) -> None:
    """The rare bucket has 8 items: three dashes, and none of its values in a hint."""
    plots = [b for b in teacher_section(teaching).blocks if isinstance(b, Plots)]
    (plot,) = [plot for block in plots for plot in block.plots]
    assert plot.svg.count(">–<") == 3
    assert plot.svg.count("rare: hidden: only") == 3


def test_without_a_kappa_to_show_there_is_no_picture(teaching: Teaching) -> None:
    assert teaching.cross_check is not None
    rare = [one for one in teaching.cross_check["kappas"] if one["bucket"] == "rare"]
    few = teaching.model_copy(update={"cross_check": {**teaching.cross_check, "kappas": rare}})
    section = teacher_section(few)
    assert not any(isinstance(block, Plots) for block in section.blocks)
    assert len(named(section, "Kappa of every two teachers").rows) == 3


def test_the_teacher_is_shown_against_people_by_bucket(teaching: Teaching) -> None:
    table = people_table(teaching.against_people)
    assert table.heading == "Teacher big-teacher against people · labels by people"
    assert [row[0].text for row in table.rows] == ["all items", "clear", "rare", "subtle"]
    assert cells(table, "rare")[1:3] == ["8", "8"]
    assert cells(table, "rare")[-1].startswith("hidden: only 8 labels")
    assert "[" in cells(table, "all items")[-1]


def test_errors_votes_and_decisions_are_said(teaching: Teaching) -> None:
    section = teacher_section(teaching)
    said = texts(section)
    assert "Against 64 labels by people, the 3 teachers are worth" in said
    assert "Against 64 labels by the answer key, which are not people's, the 3 teachers" in said
    assert "3 labels are a person's: on 1 items teachers left the verdict open, on 1 they" in said
    assert "the person overruled them" in said
    assert "queue/disagreements-0a1b2c3d.csv" in said
    errors = [b for b in section.blocks if isinstance(b, Table) and b.title.startswith("Errors")]
    assert [len(table.rows) for table in errors] == [3, 3]
    assert [table.labels for table in errors] == [
        "labels by people", "labels: answer key, not people",
    ]  # fmt: skip
    decisions = named(section, "Decisions by reason, policy person")
    assert sum(int(row[1].text) for row in decisions.rows) == 64


def test_coverage_consistency_and_both_kappas_are_shown(teaching: Teaching) -> None:
    """The picture has the kappa that counts missing verdicts against agreement."""
    section = teacher_section(teaching)
    read = named(section, "How each teacher was read")
    assert cells(read, "small-teacher")[1:2] == ["128"]
    assert cells(read, "small-teacher")[3:5] == ["refused 3", "3"]
    assert cells(read, "big-teacher")[3:5] == ["none", "0"]
    assert cells(read, "small-teacher")[2] != cells(read, "small-teacher")[5]
    kappas = named(section, "Kappa of every two teachers")
    assert teaching.cross_check is not None
    pair = next(
        p for p in teaching.cross_check["kappas"][0]["pairs"] if p["second"] == "small-teacher"
    )
    assert pair["kappa"]["n"] == 64 > pair["kappa of both"]["n"] == 64 - pair["left out"]
    row = next(r for r in kappas.rows if r[2].text == "small-teacher")
    assert row[3].aside != row[4].aside
    (plot,) = [p for b in section.blocks if isinstance(b, Plots) for p in b.plots]
    shown = f"{pair['kappa']['value']:.2f}".lstrip("0")
    assert shown in plot.svg
    ended = named(section, "How judgments ended")
    assert cells(ended, "big-teacher") == ["big-teacher", "128", "126", "2"]
    assert cells(ended, "small-teacher") == ["small-teacher", "90", "90", "0"]


def test_buckets_stand_in_one_order_in_all_tables(teaching: Teaching) -> None:
    section = teacher_section(teaching)
    titles = ("Items of the cross-check", "Teacher big-teacher", "Kappa of every", "Dry run by")
    orders = [
        [b for b in dict.fromkeys(row[0].text for row in named(section, title).rows)
         if b != "all items"]
        for title in titles
    ]  # fmt: skip
    assert orders == [["clear", "rare", "subtle"]] * 4


def test_single_votes_are_called_unchecked_and_losses_are_told() -> None:
    final = {
        "items": 10, "decided": 7, "to a person": 0, "by reason": {"the only vote": 4},
        "by verdict": {"A": 7}, "not sure of": {"TIE": 3}, "accuracies": {"x": 0.91},
    }  # fmt: skip
    blocks = decision_blocks(final, "weighted")
    said = " ".join(block.text for block in blocks if isinstance(block, Text))
    assert "Nobody checked 4 of these items" in said
    tables = {block.title: block for block in blocks if isinstance(block, Table)}
    lost = tables["Labels by most probable verdict"]
    assert [[cell.text for cell in row] for row in lost.rows] == [
        ["A", "7", "0"],
        ["TIE", "0", "3"],
    ]
    assert tables["Weights of the votes"].rows[0][1].text == ".91"
    assert len(decision_blocks({**final, "accuracies": {}, "by reason": {}}, "majority")) == 2


def test_errors_that_were_not_measured_say_why(teaching: Teaching) -> None:
    why = "people judged none of these items outside a queue"
    assert teaching.cross_check is not None
    unknown = {**teaching.cross_check, "errors": None, "errors not measured": why}
    unknown["errors against the key"] = None
    section = teacher_section(teaching.model_copy(update={"cross_check": unknown}))
    assert f"was not measured against people: {why}." in texts(section)
    assert not any("answer key" in text for text in texts(section).split("."))


def test_checks_have_bounds_outcomes_and_reasons(teaching: Teaching) -> None:
    """Kappa on all and on the hard bucket, read twice; coverage and consistency of both."""
    table = named(teacher_section(teaching), "Dry run")
    assert [row[0].text for row in table.rows] == [
        "kappa, all items", "kappa, hard buckets",
        "coverage, big-teacher", "consistency, big-teacher",
        "coverage, second-teacher", "consistency, second-teacher",
    ]  # fmt: skip
    assert [row[3].text for row in table.rows] == [".60", ".60", ".80", ".60", ".80", ".60"]
    assert [row[4].text for row in table.rows] == [".40", ".40", ".50", ".40", ".50", ".40"]
    assert [row[2].text == "the same" for row in table.rows] == [False] * 2 + [True] * 4
    assert all(row[5].aside for row in table.rows)
    assert {row[5].tone for row in table.rows} <= {"pass", "inconclusive", "fail"}


def test_a_dry_run_that_stopped_the_stage_is_shown() -> None:
    """Its checks are all that is left of it."""
    check = {
        "name": "kappa, all items", "pass_on": {"value": 0.1, "low": 0.0, "high": 0.2, "n": 60},
        "abort_on": {"value": 0.1, "low": 0.0, "high": 0.2, "n": 60}, "pass_above": 0.6,
        "abort_below": 0.4, "outcome": "abort", "items_needed": None,
        "reason": "even the upper end 0.200 is below 0.4",
    }  # fmt: skip
    stopped = Teaching(
        primary="a", simulated=("a",), policy="majority", stopped=True,
        dry_run={"outcome": "abort", "checks": [check]},
    )  # fmt: skip
    section = teacher_section(stopped)
    assert "Dry run: abort, a check is contradicted; the stage stopped there." in texts(section)
    assert "Simulated: a." in texts(section)
    (row,) = named(section, "Dry run").rows
    assert (row[5].text, row[5].tone) == ("abort", "fail")
    assert teacher_section(None).blocks == ()


def test_generators_have_a_row_per_check(runs: list[dict[str, Any]]) -> None:
    (table,) = generators_section(runs).blocks
    assert isinstance(table, Table)
    assert [(row[0].text, row[4].text) for row in table.rows] == [
        ("local", "pass"), ("local", "pass"), ("polite", "review"), ("polite", "abort"),
    ]  # fmt: skip
    assert table.rows[2][2].text == ".50 [.35, .65]"
    assert generators_section([]).blocks == ()


def test_both_pages_have_the_sections(full_document: Document, empty_document: Document) -> None:
    for name in ("Labels by teachers", "Generators", "Money"):
        assert f"<h2>{name}</h2>" in render_html(full_document)
        assert f"## {name}\n" in render_markdown(full_document)
        assert f"<h2>{name}</h2>" not in render_html(empty_document)
