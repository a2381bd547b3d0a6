"""What a stranger needs of a card: what is judged how, where it fails, how sure it is."""

import json
import re
from typing import Any

import pytest

from judgesmith.judging.library import LIBRARY
from judgesmith.records import Kind
from judgesmith.report.card import Card, render_card
from judgesmith.report.card_sure import Sureness
from judgesmith.report.card_weak import broken_down, clearly_weak, weak_sentences, weak_table
from judgesmith.report.document import Document
from judgesmith.report.exports import Exported
from judgesmith.report.markdown import render_block
from judgesmith.report.results import Evaluation, JudgeResult, Number, SliceInfo
from judgesmith.report.score_results import ScoreResult, ScoreSlice
from judgesmith.tasks import TASKS, load_task

DIALECTS = {**LIBRARY, **load_task("bias").dialects}
STUDENT = "student-0.5b"
PROMISE = "--abstain-risk 0.1: at most 10% of the verdicts given are wrong"


def card(
    document: Document, dialect: str = "bias-pair-compact", student: str = STUDENT, **changed: Any
) -> str:
    told = DIALECTS[dialect]
    one = Exported(
        checkpoint="sft", student=student, folder="sft", form="model", base=None, quantize=None,
        dtype="bfloat16", dialect=told.name, dialect_hash=told.hash, reply_tokens=48,
        parameters=1_500_000,
    )  # fmt: skip
    made = Card(
        document=document, exported=one, dialect=told, judge="run/student", version="abc",
        command="judgesmith run recipe.yaml",
    )  # fmt: skip
    return render_card(made.model_copy(update=changed))


def section(text: str, title: str) -> str:
    return re.split(r"\n##+ ", text.split(f"# {title}\n")[1])[0]


def accuracy(value: float, half: float, n: int) -> Number:
    return Number(value=value, low=value - half, high=value + half, n=n, clusters=n // 2)


def measured(document: Document) -> tuple[Evaluation, JudgeResult]:
    """The evaluation with a slice `all`, and one bucket on which the student fails."""
    evaluation = document.evaluation
    assert evaluation is not None
    judge = next(one for one in evaluation.judges if one.name == STUDENT)
    slices = dict(judge.slices)
    slices["all"] = slices["in"].model_copy(update={"accuracy": accuracy(0.6, 0.03, 300)})
    slices["subtle"] = slices["subtle"].model_copy(update={"accuracy": accuracy(0.1, 0.07, 66)})
    judge = judge.model_copy(update={"slices": slices})
    whole = SliceInfo(
        name="all", kind="domain", title="both together", n=300, questions=150, label_counts={}
    )
    others = tuple(judge if one.name == STUDENT else one for one in evaluation.judges)
    changed = {"slices": (*evaluation.slices, whole), "judges": others}
    return evaluation.model_copy(update=changed), judge


def failing(document: Document) -> Document:
    return document.model_copy(update={"evaluation": measured(document)[0]})


def test_a_slice_on_which_it_fails_is_named_with_n_and_interval(full_document: Document) -> None:
    (told,) = weak_sentences(*measured(full_document), {"subtle": "hidden bias"})
    assert told.startswith("Clearly weaker on subtle (hidden bias): accuracy .10 [.03, .17] (n = 6")
    assert ".60 [.57, .63] (n = 300, 150 questions)" in told
    found = section(card(failing(full_document)), "Where it is weakest")
    assert ".10 [.03, .17]" in found
    top = card(failing(full_document)).split("## What it is\n")[0]
    assert "clearly weaker than as a whole on 1 slice of its items: subtle. See" in top


def test_a_judge_of_scores_is_broken_down_by_its_scores(full_document: Document) -> None:
    """It stands in an evaluation of its own, beside one of verdicts or alone."""
    evaluation = full_document.evaluation
    assert evaluation is not None

    def at(exact: Number) -> ScoreSlice:
        return ScoreSlice(
            coverage=exact, exact=exact, within_one=exact, pearson=exact, spearman=None,
            kendall=None, weighted_kappa=accuracy(0.25, 0.1, 66), mean_error=exact, expected=None,
            confusion=None,
        )  # fmt: skip

    graded = ScoreResult(
        name="grader", role="student", note="",
        slices={"in_domain": at(accuracy(0.8, 0.05, 300)), "subtle": at(accuracy(0.2, 0.1, 66)),
                "Age": at(accuracy(0.79, 0.1, 120))},
    )  # fmt: skip
    scores = evaluation.model_copy(
        update={"form": "scores", "judges": (), "scored": (graded,), "comparisons": ()}
    )
    both = evaluation.model_copy(update={"also": (scores,)})
    found = section(
        card(full_document.model_copy(update={"evaluation": both}), student="grader"),
        "Where it is weakest",
    )
    assert "Clearly weaker on subtle: exact scores .20 [.10, .30] (n = 66, 33 questions)" in found
    (table,) = (weak_table(*one, {}) for one in broken_down(both, "grader"))
    assert table is not None
    assert [head.title for head in table.columns][2:] == ["exact scores", "weighted kappa"]
    assert [row[0].text for row in table.rows] == ["subtle", "Age"]


def test_a_slice_whose_interval_reaches_the_whole_is_not_called_weak(
    full_document: Document
) -> None:  # fmt: skip
    evaluation, judge = measured(full_document)
    near = judge.slices["subtle"].model_copy(update={"accuracy": accuracy(0.5, 0.1, 66)})
    judge = judge.model_copy(update={"slices": {**judge.slices, "subtle": near}})
    assert not clearly_weak(evaluation, judge)


def test_the_lowest_stand_first_and_say_that_they_were_picked(full_document: Document) -> None:
    table = weak_table(*measured(full_document), {})
    assert table is not None
    first = table.rows[0]
    assert first[0].text == "subtle"
    assert "n = 66" in first[2].aside
    assert "by chance" in "".join(render_block(table, ""))


def test_each_entry_of_the_index_has_its_own_number_of_items(full_document: Document) -> None:
    evaluation, _ = measured(full_document)
    key = evaluation.model_copy(update={"labels_title": "labels: answer key (x); n = 1600"})
    head = card(full_document.model_copy(update={"evaluation": key})).split("---\n")[1]
    assert "1600" not in head
    assert re.findall(r"n\s+=\s+(\d+)", head) == ["224", "67", "224"]


def test_without_a_calibration_it_says_what_confidence_is_worth(full_document: Document) -> None:
    assert "was not calibrated" in section(card(full_document), "How sure it is")


def test_a_calibration_shows_before_after_and_each_promise(
    full_document: Document, rehearsed_document: Document
) -> None:
    found = Sureness(
        what="the dev side", kind="pair", mapped=True, labels="key",
        items=400, without_verdict=3, also_chose=True,
        before=accuracy(0.13, 0.05, 397), after=accuracy(0.04, 0.03, 397), promises=(PROMISE,),
    )  # fmt: skip
    text = section(card(full_document, sureness=found), "How sure it is")
    assert ".13 [.08, .18] (n = 397, 198 questions) before" in text
    assert ".04 [.01, .07] (n = 397, 198 questions) after" in text
    assert "- `--abstain-risk 0.1`: at most 10%" in text
    assert "somewhat too good" in text
    assert "is calibrated on 400 pair items from the dev side" in text
    left = card(full_document, sureness=found.model_copy(update={"mapped": False}))
    assert "is calibrated" not in section(left, "How sure it is")
    assert "[rehearsed]" not in text
    rehearsed = card(rehearsed_document, sureness=found)
    assert "[rehearsed]" in section(rehearsed, "How sure it is")


def test_a_reader_is_shown_a_row_that_judgesmith_reads(full_document: Document) -> None:
    use = section(card(full_document), "How to use it")
    assert "`response_a` and `response_b`" in use
    (line,) = re.findall(r"^\{.*\}$", use, re.MULTILINE)
    row = json.loads(line)
    assert {"question", "response_a", "response_b"} <= row.keys()
    evaluation = full_document.evaluation
    assert evaluation is not None
    assert row["question"] in {one.question for one in evaluation.examples}
    assert "pip install" in use


def test_what_a_judge_said_of_the_row_stands_beside_it(full_document: Document) -> None:
    evaluation = full_document.evaluation
    assert evaluation is not None
    use = section(card(full_document, student=evaluation.judges[0].name), "How to use it")
    said = [one for one in evaluation.examples if one.verdict is not None and one.right]
    assert said[0].rationale
    assert f"On it this judge said {said[0].verdict}; the label is {said[0].label}" in use
    assert said[0].rationale in use
    other = section(card(full_document, student=evaluation.judges[1].name), "How to use it")
    assert "A row of the run's test side" in other
    assert "this judge said" not in other


@pytest.mark.parametrize(
    ("dialect", "there", "absent"),
    [
        ("bias-pair-compact", "consistent", "rationales"),
        ("bias-single-compact", "own_reference", "orders"),
    ],
)
def test_fields_that_it_writes_are_those_of_its_dialect(
    full_document: Document, dialect: str, there: str, absent: str
) -> None:
    text = section(card(full_document, dialect), "It writes one JSON object for each row")
    names = [line.split("**")[1].replace("\\", "") for line in text.splitlines() if "**" in line]
    assert there in names
    assert absent not in names
    assert "verdict" in names


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_every_shipped_dialect_says_what_it_reads_and_writes(
    full_document: Document, name: str
) -> None:
    told = DIALECTS[name]
    use = section(card(full_document, name), "How to use it")
    several = told.kind is Kind.LIST
    assert ("`responses`" in use) is several
    assert ("`fields`" in use) is ("fields." in told.user + (told.system or ""))


def test_it_says_what_the_answer_key_calls_biased(full_document: Document) -> None:
    glossary = dict(load_task("bias").glossary)
    text = card(full_document, policy="biased_is_worse", glossary=glossary)
    assert "tracked stereotype names although the context" in section(text, "What it is")


@pytest.mark.parametrize("name", TASKS)
def test_every_policy_and_bucket_that_is_shipped_is_in_the_glossary(name: str) -> None:
    task = load_task(name)
    buckets = {str(rule["name"]) for rules in task.bucket_presets.values() for rule in rules}
    assert {*task.key_policies, *buckets} <= task.glossary.keys()


def test_the_essentials_come_first_and_hashes_stay_in_the_report(full_document: Document) -> None:
    hashed = {**full_document.provenance, "sha256 of rows/sft.jsonl": "011997bd487d50d8"}
    text = card(full_document.model_copy(update={"provenance": hashed}))
    assert "011997bd487d50d8" not in text
    order = ["What it is", "How to use it", "What it is worth", "Limits", "Data and licences",
             "Its prompt", "Made with"]  # fmt: skip
    places = [text.index(f"\n## {title}\n") for title in order]
    assert places == sorted(places)


def test_nobody_is_compared_with_a_judge_that_says_nothing(full_document: Document) -> None:
    evaluation = full_document.evaluation
    assert evaluation is not None
    first = evaluation.comparisons[0].model_copy(update={"slice": "in_domain"})
    both = tuple(first.model_copy(update={"b": b}) for b in ("random", "answer-choice rule"))
    changed = evaluation.model_copy(update={"comparisons": both})
    text = card(full_document.model_copy(update={"evaluation": changed}))
    assert "minus answer-choice rule" in text
    assert "minus random" not in text


def test_how_much_it_learned_from_and_in_which_language(full_document: Document) -> None:
    rows = tuple(
        row.model_copy(update={"made": 700}) if row.stage == "sft" else row
        for row in full_document.stages
    )
    trained = full_document.model_copy(update={"stages": rows})
    text = section(
        card(trained, student="student", language="en", simulated=True), "Data and licences"
    )
    assert "The stage sft trained on 700 rows." in text
    assert "1,890 responses (some or all by simulated models) to 480 questions" in text
    assert "in English" in text
    assert "1,500,000 numbers in bfloat16 (3.0 MB)" in card(full_document)
