"""What the page says of training: each student as it was trained, its curve, DPO's numbers."""

from typing import Any

import pytest

from judgesmith.report.blocks import Plots, Section, Table, Text
from judgesmith.report.document import Document
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.report.sections import build_sections
from judgesmith.report.training import (
    CurvePoint,
    Preference,
    PreferencePoint,
    Student,
    Training,
)

CONFIG: dict[str, Any] = {
    "student": "google/gemma-3-4b-it", "dialect": "absolute", "steps": None, "epochs": 2,
    "learning_rate": 1e-4, "batch": 4, "max_length": 1024, "quantize": "nf4", "packing": "bfd",
    "keep": "best", "patience": 3, "soft_labels": None, "launch": None,
    "peft": {"r": 64, "lora_alpha": 32, "target_modules": ["q_proj", "v_proj"]},
    "trl": {"gradient_accumulation_steps": 16, "lr_scheduler_type": "cosine", "warmup_steps": 20},
}  # fmt: skip
DRY_RUN = {
    "rows": 50, "steps": 25, "loss_before": 2.311, "loss_after": 0.874, "parsed": 9, "asked": 10,
    "tokens_per_second": 4213.7, "projected_hours": 3.25, "peak_memory_gb": 17.42,
}  # fmt: skip


def lengths(over: int = 0) -> dict[str, dict[str, dict[str, int]]]:
    whole = {"n": 640, "p50": 410, "p95": 800, "max": 1300, "over max_length": over}
    return {
        "train": {
            "prompts": {"n": 640, "p50": 330, "p95": 700, "max": 1200},
            "replies": {"n": 640, "p50": 80, "p95": 120, "max": 180},
            "rows": whole, "rows of subtle": whole | {"n": 300},
        },
        "dev": {"rows": whole | {"n": 60, "over max_length": 0}},
    }  # fmt: skip


def curve(worth: float) -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(
            step=step, train_loss=0.5 + 1.8 / (1 + step / 3),
            dev_loss=0.6 + 1.7 / (1 + step / 3) + (0.02 * max(0, step - 14) ** 1.2)
            if step % 4 == 0 else None,
            dev_kappa=round(worth - 0.6 / (1 + step / 2) - 0.01 * max(0, step - 14), 6)
            if step % 4 == 0 else None,
        )
        for step in range(1, 21)
    )  # fmt: skip


def student(name: str = "student", worth: float = 0.7, **changes: Any) -> Student:
    fields: dict[str, Any] = {
        "config": CONFIG,
        "counts": {"rows too long": 0, "dev rows too long": 0, "tokens per epoch": 262_144,
                   "supervised tokens per epoch": 52_000, "parameters": 4_300_000_000,
                   "trained parameters": 131_000_000},
        "tokens": lengths(), "dry_run": DRY_RUN, "curve": curve(worth),
    }  # fmt: skip
    return Student(name=name, **fields | changes)


def preference() -> Preference:
    def side(loss: float, margin: float) -> dict[str, float]:
        return {
            "pairs": 256, "loss": loss, "margin": margin, "rewarded": 0.9, "accuracy": 0.8,
            "accuracy_per_token": 0.7, "gap": 4.5, "settled": 0.3, "chosen": -0.41,
            "chosen_change": -0.02,
        }  # fmt: skip

    points = tuple(
        PreferencePoint(
            step=step, train_loss=0.693147 - 0.02 * step, train_margin=0.06 * step,
            train_rewarded=min(1.0, 0.5 + 0.04 * step),
            **({} if step % 5 else {
                "dev_loss": 0.693147 - 0.015 * step, "dev_margin": 0.05 * step,
                "dev_rewarded": 0.5 + 0.03 * step, "dev_accuracy": 0.8, "dev_chosen": -0.4,
                "dev_kappa": 0.6 + 0.004 * step,
            }),
        )
        for step in range(11)
    )  # fmt: skip
    config = {
        "dialect": "bias-pair", "steps": None, "epochs": 1, "learning_rate": 5e-6, "batch": 2,
        "beta": 0.1, "trl": {"gradient_accumulation_steps": 8, "lr_scheduler_type": "cosine"},
        "peft": None,
    }  # fmt: skip
    return Preference(
        config=config, counts={"rows too long": 3},
        before={"train": side(0.693147, 0.0), "dev": side(0.693147, 0.0)},
        after={"train": side(0.41, 0.9), "dev": side(0.52, 0.61)}, curve=points,
    )  # fmt: skip


def section(document: Document, anchor: str) -> Section:
    return next(one for one in build_sections(document) if one.anchor == anchor)


def tables(found: Section) -> dict[str, Table]:
    return {block.title: block for block in found.blocks if isinstance(block, Table)}


def facts(table: Table) -> dict[str, list[str]]:
    return {
        row[0].text: [
            f"{cell.text} | {cell.aside}" if cell.aside else cell.text for cell in row[1:]
        ]
        for row in table.rows
    }


def trained(document: Document, *students: Student) -> Document:
    return document.model_copy(update={"training": Training(students=students, wall_s=12_000.0)})


def test_one_student_is_told_as_it_was_trained(full_document: Document) -> None:
    """20 steps of 4 x 16 rows are 1,280 rows: twice each of the 640."""
    found = section(trained(full_document, student()), "training")
    said = facts(tables(found)["What was trained"])
    assert said["base"] == ["google/gemma-3-4b-it | stored in four bits (nf4)"]
    assert said["trained"] == [
        "an adapter: 131,000,000 weights | over 4,300,000,000 of the base; r 64, lora_alpha 32, "
        "target_modules q_proj / v_proj"
    ]
    assert said["steps"] == ["20 | 64 rows each, 2 epochs"]
    assert said["kept"][0].startswith("step 12 | the best on dev; stops after 3")
    assert said["learning rate"] == ["0.0001 | cosine, 20 steps of warm-up"]
    assert "processes" not in said
    dry = tables(found)["Dry run, before the training"]
    assert [cell.text for cell in dry.rows[0][1:]] == [
        "50", "2.311 → .874", "9 of 10", "4,214", "3 h 15 min", "17.4 GB",
    ]  # fmt: skip
    assert "took 3 h 20 min" in dry.note


@pytest.mark.parametrize(
    ("changes", "row", "words"),
    [
        ({"peft": None, "quantize": None}, "trained", "all weights: 4,300,000,000"),
        ({"student": {"layers": 4, "width": 128, "architecture": "gemma3"}}, "base",
         "from nothing | gemma3, 4 layers of width 128, random weights; stored in four bits (nf4)"),
        ({"epochs": 3}, "steps", "20 | 64 rows each, 2 epochs, stopped before 30"),
        ({"epochs": None, "steps": 40}, "steps", "20 | 64 rows each, 2 epochs, stopped before 40"),
        ({"launch": {"processes": 2, "config": "fsdp"}}, "processes", "2 | fsdp"),
        ({"launch": {"processes": 2}, "epochs": 2}, "steps", "20 | 128 rows each, 4 epochs"),
        ({"soft_labels": 0.5}, "target of the verdict", "the teachers' distribution, weight 0.5"),
        ({"keep": "last", "patience": None}, "kept", "the last step"),
        ({"packing": "none"}, "batches", "padded, rows of similar length"),
        ({"trl": {"weight_decay": 0.01}}, "other options of TRL", "weight_decay 0.01"),
    ],
)  # fmt: skip
def test_each_setting_is_said_in_words(
    full_document: Document, changes: dict[str, Any], row: str, words: str
) -> None:
    found = section(trained(full_document, student(config=CONFIG | changes)), "training")
    assert facts(tables(found)["What was trained"])[row] == [words]


def test_rows_that_are_too_long_are_said_and_their_table_stands_open(
    full_document: Document,
) -> None:
    long = student(tokens=lengths(over=7), counts={"rows too long": 7, "dev rows too long": 0})
    found = section(trained(full_document, long), "training")
    assert facts(tables(found)["What was trained"])["training rows"] == [
        "633 | 60 on dev; 7 left out, longer than 1,024 tokens"
    ]
    table = tables(found)["Lengths of rows in tokens"]
    assert not table.folded
    assert table.columns[-1].title == "over 1,024"
    assert [cell.text for cell in table.rows[2]] == [
        "rows", "train", "640", "410", "800", "1,300", "7",
    ]  # fmt: skip


def test_several_students_stand_side_by_side_on_the_same_axes(full_document: Document) -> None:
    several = ("absolute", "pairwise", "joint")
    students = [student(name, 0.5 + n / 5) for n, name in enumerate(several)]
    other = students[1].config | {"dialect": ["absolute", "pairwise"]}
    students[1] = students[1].model_copy(update={"config": other, "dry_run": None})
    found = section(trained(full_document, *students), "training")
    table = tables(found)["What was trained"]
    assert [column.title for column in table.columns] == ["", *several]
    assert facts(table)["steps"] == ["20 | 64 rows each, 2 epochs", "the same", "the same"]
    assert facts(table)["dialects"] == ["absolute", "absolute, pairwise", "absolute"]
    assert [row[0].text for row in tables(found)["Dry run, before the training"].rows] == [
        "absolute", "joint",
    ]  # fmt: skip
    plots = next(block for block in found.blocks if isinstance(block, Plots))
    assert plots.medium
    assert [plot.title.partition(":")[0] for plot in plots.plots] == [*several]
    axes = [
        [part for part in plot.svg.split("<text") if 'text-anchor="end"' in part and ">." in part]
        for plot in plots.plots
    ]
    assert axes[0] == axes[1] == axes[2]
    mean = [block.text for block in found.blocks if isinstance(block, Text)]
    assert mean == ["Dev kappa is, of a student of several dialects, the mean over them."]


def test_dev_kappa_of_scores_is_said_to_be_another(full_document: Document) -> None:
    assert full_document.evaluation is not None
    empty: dict[str, Any] = dict.fromkeys(("judges", "comparisons", "slices", "examples"), ())
    changes: dict[str, Any] = {"form": "scores", "dialect": "absolute", **empty}
    scores = full_document.evaluation.model_copy(update=changes)
    both = full_document.evaluation.model_copy(update={"also": (scores,)})
    document = trained(full_document, student()).model_copy(update={"evaluation": both})
    said = [b.text for b in section(document, "training").blocks if isinstance(b, Text)]
    assert said == ["Dev kappa is, on scores, quadratic weighted kappa."]


def test_a_student_without_a_curve_is_said_to_have_none(full_document: Document) -> None:
    found = section(trained(full_document, student(curve=())), "training")
    said = [block.text for block in found.blocks if isinstance(block, Text)]
    assert said == ["No training curve was logged in this run."]


def test_a_run_that_tells_nothing_of_its_training_has_its_curve_as_before(
    full_document: Document,
) -> None:
    found = section(full_document, "training")
    assert [type(block) for block in found.blocks] == [Plots, Table]


def test_an_adapter_over_four_bits_says_so(full_document: Document) -> None:
    found = preference()
    stored = found.model_copy(
        update={
            "config": {**found.config, "quantize": "nf4"},
            "counts": {"parameters": 4_300_000_000, "trained parameters": 131_000_000},
        }
    )
    page = section(full_document.model_copy(update={"preference": stored}), "dpo")
    told = "an adapter: 131,000,000 weights over 4,300,000,000, stored in four bits (nf4)"
    assert facts(tables(page)["How it was trained"])["trained"] == [told]


def test_preference_training_is_drawn_and_told(full_document: Document) -> None:
    document = full_document.model_copy(update={"preference": preference()})
    found = section(document, "dpo")
    plots = next(block for block in found.blocks if isinstance(block, Plots))
    drawn = "".join(plot.svg for plot in plots.plots)
    for name in ("train loss", "dev margin", "train rewarded", "dev kappa"):
        assert f"{name} at step 10" in drawn
    table = tables(found)["Before the first step and after the last"]
    assert facts(table)["loss (ln 2 = .693 at the start)"] == [".693", ".410", ".693", ".520"]
    assert facts(table)["pairs"] == ["256"] * 4
    said = facts(tables(found)["How it was trained"])
    assert said["length"] == ["1 epoch, 16 pairs a step"]
    assert said["pairs too long, left out"] == ["3"]
    assert said["trained"] == ["all weights: number unknown"]
    steps = tables(found)["Preference training, step by step"]
    assert steps.folded
    assert len(steps.rows) == 11
    on_dev = tables(found)["Preference training on dev pairs"]
    assert [row[0].text for row in on_dev.rows] == ["0", "5", "10"]
    assert [column.title for column in on_dev.columns] == [
        "step", "loss", "margin", "rewarded", "accuracy", "chosen", "kappa",
    ]  # fmt: skip


def test_a_long_curve_is_thinned_and_keeps_its_end(full_document: Document) -> None:
    """100 steps, every third: 1, 4, ..., 100."""
    long = tuple(
        PreferencePoint(step=n, train_loss=0.6, train_margin=0.1, train_rewarded=0.6)
        for n in range(1, 101)
    )
    found = preference().model_copy(update={"curve": long})
    page = section(full_document.model_copy(update={"preference": found}), "dpo")
    table = tables(page)["Preference training, step by step"]
    assert [row[0].text for row in table.rows] == [str(n) for n in range(1, 101, 3)]
    assert table.note == "One of every 3 of the 100 logged."


def test_small_margins_have_ticks_that_differ(full_document: Document) -> None:
    tiny = tuple(
        PreferencePoint(step=n, train_loss=0.693, train_margin=0.0001 * n, train_rewarded=0.5)
        for n in range(5)
    )
    found = preference().model_copy(update={"curve": tiny})
    page = section(full_document.model_copy(update={"preference": found}), "dpo")
    plots = next(block for block in page.blocks if isinstance(block, Plots))
    assert {">.0001<", ">.0002<", ">.0004<"} <= {
        f">{part.split('<')[0]}<" for part in plots.plots[0].svg.split(">")
    }


def test_the_parts_are_in_page_and_markdown_and_stamped(rehearsed_document: Document) -> None:
    document = trained(rehearsed_document, student()).model_copy(
        update={"preference": preference()}
    )
    html, text = render_html(document), render_markdown(document)
    for title in ("What was trained", "Dry run, before the training", "How it was trained"):
        assert title in html
        assert f"### [rehearsed] {title}" in text
    assert html.count(">REHEARSED</text>") == html.count("<svg")
