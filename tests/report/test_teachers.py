"""What labels by teachers rest on, from the functions of the labels stage to the page."""

import json
from pathlib import Path
from typing import Any

import pytest

from judgesmith.evaluation.cross_check import cross_check, quota_table, supply_of
from judgesmith.evaluation.dry_run import Limits, ResponseLimits, dry_run, response_dry_run
from judgesmith.evaluation.final_label import FinalLabel, Policy, decide, decision_table
from judgesmith.evaluation.judges import Judge, Read
from judgesmith.evaluation.scoring import Plan
from judgesmith.evaluation.teacher_check import against_people
from judgesmith.records import TIE, Item, Kind, Question, keyed_rng
from judgesmith.report.blocks import Plots, Section, Table, Text
from judgesmith.report.document import Document
from judgesmith.report.dry_run_tables import generators_section
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.report.teacher_sections import people_table, teacher_section
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


def teacher(name: str, items: list[Item], truth: dict[str, str], right: float) -> Judge:
    """Right at this rate, unread on one item in twenty, wrong at random else."""
    reads = {}
    for n, item in enumerate(items):
        draw = keyed_rng(3, name, item.id)
        said = truth[item.id] if draw.random() < right else draw.choice(["A", "B", TIE])
        verdict = None if n % 20 == 7 and name != "big-teacher" else said
        reads[item.id] = Read(verdict, verdict, verdict)
    return Judge(name, "teacher", False, "", reads)


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
    rows, _ = against_people(items, panel[0], truth, questions=questions, plan=plan)
    decisions = decide([i.id for i in items], panel, FinalLabel(policy=Policy.PERSON))
    supply = supply_of(items)
    return Teaching(
        primary="big-teacher",
        panel=("second-teacher", "small-teacher"),
        policy="person",
        dry_run=dry.model_dump(mode="json"),
        against_people=tuple(rows),
        panel_items=quota_table(supply, supply, {"clear": 30, "subtle": 26, "rare": 20}),
        cross_check=cross_check(items, panel, questions=questions, labels=truth, plan=plan),
        final_labels=decision_table(decisions),
        queue="queue/disagreements-0a1b2c3d.csv",
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
        counts = [str(row[kind]) for kind in ("items", "all agree", "disagree", "not all read")]
        assert cells(mix, bucket)[3:] == counts
    assert cells(mix, "all items")[1:3] == ["64", "76"]
    assert cells(mix, "rare")[1:4] == ["8", "20", "8"]
    kappas = named(section, "Kappa of every two teachers")
    assert [row[0].text for row in kappas.rows] == [
        bucket for bucket in ("all items", "clear", "subtle", "rare") for _ in range(3)
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
    assert "independent votes" in said
    assert "queue/disagreements-0a1b2c3d.csv" in said
    assert len(named(section, "Errors of teachers together").rows) == 3
    decisions = named(section, "Decisions by reason, policy person")
    assert sum(int(row[1].text) for row in decisions.rows) == 64


def test_errors_that_were_not_measured_say_why(teaching: Teaching) -> None:
    why = "no item of the cross-check has a label by people or the answer key"
    assert teaching.cross_check is not None
    unknown = {**teaching.cross_check, "errors": None, "errors not measured": why}
    section = teacher_section(teaching.model_copy(update={"cross_check": unknown}))
    assert f"was not measured: {why}." in texts(section)


def test_checks_have_bounds_outcomes_and_reasons(teaching: Teaching) -> None:
    """Four checks: kappa on all and on the hard bucket, coverage of both; kappa is read twice."""
    table = named(teacher_section(teaching), "Dry run")
    assert [row[0].text for row in table.rows] == [
        "kappa, all items", "kappa, hard buckets",
        "coverage, big-teacher", "coverage, second-teacher",
    ]  # fmt: skip
    assert [row[3].text for row in table.rows] == [".60", ".60", ".80", ".80"]
    assert [row[4].text for row in table.rows] == [".40", ".40", ".50", ".50"]
    assert [row[2].text == "the same" for row in table.rows] == [False, False, True, True]
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
