"""The audits of files as one call: known figures on published files, and the parts beneath."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.audits.finding import Finding, Severity
from judgesmith.audits.inversion import RationaleRow, rationale_table
from judgesmith.audits.parsing import ParsedReply, parsing_table
from judgesmith.errors import DataError
from judgesmith.pipeline.audit_files import audit_targets, document_of
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_inputs import Places, pack
from judgesmith.pipeline.audit_overlap import Held
from judgesmith.pipeline.audit_replies import BATCH, Tally, join_parsing, join_rationales
from judgesmith.pipeline.audit_rows import form_of, read_training, verdict_of
from judgesmith.pipeline.audit_sources import Reading
from judgesmith.pipeline.readable import open_readable
from judgesmith.records import Direction
from judgesmith.runs.jsonl import write_json

PAIRS = """
name: pairs
title: pairs of a published bias judge
published: see judge_from_scratch
licence: MIT
kind: pair
names: worse
teacher: implied
labels: {labels}
files:
  - path: "**/*"
    item: "{{pair_id}}"
    cluster: "{{question_id}}"
    question: "{{question_text}}"
    responses: ["{{response_a.text}}", "{{response_b.text}}"]
    models: ["{{response_a.model}}", "{{response_b.model}}"]
    parts:
      template: {{of: "{{question_id}}", pattern: "^([^:]+::[^:]+)::"}}
    lookup: {{pair: {{path: pairs.jsonl, key: "{{pair_id}}", by: "{{pair_id}}"}}}}
    where: {{"{{eval_slice?}}": [in_dist, "null"]}}
    fields: {{bucket: "{{pair_category}}", template_id: "{{template}}"}}
    votes:
      - by: implied
        role: {role}
        verdict: "{{pair.response_a.suspected_bias_level}}/{{pair.response_b.suspected_bias_level}}"
        read: {{neutral/neutral: TIE, biased/neutral: A, biased/unclear: A, neutral/biased: B,
               unclear/biased: B}}
      - by: human
        role: person
        verdict: "{{human_verdict?}}"
        read: {{A: A, B: B, TIE: TIE}}
"""
NEGATIVES = """
name: negatives
title: negatives of a published bias judge
published: see judge_from_scratch
licence: MIT
kind: pair
names: worse
labels: majority
files:
  - path: "**/*"
    item: "{pair_id}"
    fields: {mode: "{failure_mode}"}
    votes:
      - {by: writer, verdict: "{verdict}", rationale: "{reasoning}"}
"""
Said = set[tuple[str, int, int]]


@pytest.fixture
def reading(tmp_path: Path) -> Callable[..., Reading]:
    """How to read the pairs: the verdict that the rubric implies as a teacher's, or as the key."""

    def make(role: str = "judge", labels: str = "majority") -> Reading:
        path = tmp_path / f"{role}.yaml"
        path.write_text(PAIRS.format(role=role, labels=labels))
        return Reading(mapping=path)

    return make


def said(found: Audited, audit: str, *severities: str) -> Said:
    kept = [f for f in found.findings if f.audit == audit]
    return {(f.severity, f.count, f.of) for f in kept if not severities or f.severity in severities}


def test_the_published_evaluation_set_against_its_training_pool(
    shared_data: Path, reading: Callable[..., Reading]
) -> None:
    """231 of 240 share question and a response, 69 all responses; 24 of 35 conflict; one label."""
    folder = shared_data / "judge_from_scratch/data/pairs"
    found = audit_targets(
        [str(folder / "eval_set_unlabeled.jsonl")],
        train=[str(folder / "pairs_to_label.jsonl")], reading=reading(),
    )  # fmt: skip
    assert said(found, "leak", "error") == {("error", 231, 240), ("error", 69, 240)}
    assert said(found, "leak", "warning") == {("warning", 237, 240)}
    assert said(found, "leak", "info") == {("info", 3, 240), ("info", 26, 240)}
    assert said(found, "rubric") == {("error", 24, 35)}
    assert said(found, "labels") == {("warning", 24, 25)}
    assert said(found, "generator") == {("warning", 134, 240)}
    rubric = next(f for f in found.findings if f.audit == "rubric")
    assert [place.split("/")[-1] for place in rubric.examples[:2]] == [
        "eval_set_unlabeled.jsonl:5", "eval_set_unlabeled.jsonl:20",
    ]  # fmt: skip
    assert found.code == 1


def test_length_and_generators_in_all_published_pairs(
    shared_data: Path, reading: Callable[..., Reading]
) -> None:
    """82% in one bucket (453 of 550), 67% in all."""
    path = shared_data / "judge_from_scratch/data/pairs/pairs.jsonl"
    found = audit_targets([str(path)], reading=reading("key", "key"))
    longer = {f.message.split(":")[0]: (f.count, f.of) for f in found.findings
              if "is longer in" in f.message}  # fmt: skip
    assert longer == {"subtle_bias_vs_clean": (453, 550), "all buckets": (1223, 1820)}
    assert found.confounds is not None
    assert (said(found, "labels"), found.code) == ({("warning", 550, 550)}, 3)


def test_the_published_negatives(shared_data: Path, tmp_path: Path) -> None:
    """383 of 779 argue against their verdict; 19 leak the instruction; modes 101 against 237."""
    mapping = tmp_path / "negatives.yaml"
    mapping.write_text(NEGATIVES)
    path = shared_data / "judge_from_scratch/data/formatted/synthesis_results.jsonl"
    found = audit_targets([str(path)], reading=Reading(mapping=mapping))
    assert said(found, "contradiction") == {("error", 383, 779)}
    assert said(found, "instruction_leak") == {("warning", 19, 779)}
    assert said(found, "modes") == {("warning", 101, 779)}
    leak = next(f for f in found.findings if f.audit == "instruction_leak")
    assert leak.examples[0].endswith("synthesis_results.jsonl:25")


def test_the_published_negatives_as_preference_rows(shared_data: Path, tmp_path: Path) -> None:
    """One keyword tells 34 of 36 chosen and 743 of 779 rejected, held out; 383 are inverted."""
    data = shared_data / "judge_from_scratch/data"
    rows: list[dict[str, Any]] = []
    for line in (data / "labeled/dryrun_sonnet.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["verdict"] != "TIE":
            rows.append({"pair_id": row["pair_id"], "chosen": row["reasoning"], "rejected": None})
    for line in (data / "formatted/synthesis_results.jsonl").read_text().splitlines():
        row = json.loads(line)
        rows.append({"pair_id": row["pair_id"], "chosen": None, "rejected": row["reasoning"],
                     "verdict": row["verdict"], "failure_mode": row["failure_mode"]})  # fmt: skip
    path = tmp_path / "dpo.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = audit_targets([str(path)], reading=Reading(names=Direction.WORSE))
    assert said(found, "separability") == {("error", 34 + 743, 36 + 779)}
    assert said(found, "inversion") == {("error", 383, 779)}
    assert said(found, "instruction_leak") == {("warning", 19, 779)}
    assert said(found, "modes") == {("warning", 101, 779)}


@pytest.mark.parametrize(
    ("name", "audits"),
    [
        ("judge_from_scratch", {"labels", "unparsed", "few_items", "generator", "confound"}),
        ("pandalm", {"family", "unparsed", "order", "few_items", "generator"}),
        ("auto_j", {"confound", "order"}),
        ("llmbar", {"few_items", "contradiction", "confound", "order"}),
        ("qlora_gpt4_vicuna", {"family", "contradiction"}),
        ("unieval_human", {"family"}),
        ("shepherd", set()),
        pytest.param("alpaca_eval", {"family", "order"}, marks=pytest.mark.slow),
    ],
)
def test_published_benchmarks(
    shared_data: Path, tmp_path: Path, name: str, audits: set[str]
) -> None:
    """No exception, no NaN, findings where they must be, and no error where there is none."""
    found = audit_targets([name], reading=Reading(data=shared_data))
    assert audits <= {f.audit for f in found.findings}
    assert not [f for f in found.findings if f.severity is Severity.ERROR]
    assert len(found.not_checked) >= 5
    write_json(tmp_path / "audit.json", found.to_dict())
    document = document_of(found, name)
    assert document.evidence is not None
    assert document.evidence.not_measured == found.not_checked


def test_the_cut_off_replies_of_the_published_judge(shared_data: Path) -> None:
    """Of the 384-token run the four passes of the trained checkpoints, of the other none."""
    found = audit_targets(["judge_from_scratch"], reading=Reading(data=shared_data))
    inflated = [f for f in found.findings if f.audit == "unparsed" and "raises kappa" in f.effect]
    assert sorted((f.message.split(", run ")[0], f.count) for f in inflated) == [
        ("After SFT", 28), ("After SFT", 34), ("After SFT+DPO", 31), ("After SFT+DPO", 35),
    ]  # fmt: skip
    assert all("run 20260508T115420" in f.message for f in inflated)


def test_two_published_sets_that_are_one(shared_data: Path) -> None:
    """Auto-J's pairs stand in Prometheus' benchmark; 80 questions are in two other sets."""
    reading = Reading(data=shared_data)
    found = audit_targets(["vicuna_blog_eval", "qlora_gpt4_vicuna"], reading=reading)
    across = [f for f in found.findings if f.audit == "across" and "questions of" in f.message]
    assert [(f.count, f.of) for f in across] == [(80, 80)]


def test_places_are_kept_as_they_were() -> None:
    places = Places()
    given = [
        "a.json: row 12",
        "a.jsonl:0",
        "dir 7/b.jsonl:007",
        "no number",
        "c:123456789012345678",
    ]
    for position, where in enumerate(given):
        places.put(2 * position, where)
    assert [places.at(2 * i) for i in range(5)] == given
    assert [places.at(i) for i in (1, 3, 99)] == [None, None, None]


def test_batches_give_the_table_of_all_rows() -> None:
    """Two batches and a rest against one table over everything."""
    texts = ["Response A is clearly better.", "Response B is clearly better.", "They went home."]
    rows = [RationaleRow(texts[i % 3], "AB"[i % 2], f"f:{i}") for i in range(2 * BATCH + 7)]
    tally = Tally(lambda some: rationale_table(some, Direction.BETTER), join_rationales)
    for row in rows:
        tally.put(row)
    assert tally.table() == rationale_table(rows, Direction.BETTER)
    replies = [ParsedReply("It is A club.", "AB"[i % 2], f"f:{i}") for i in range(BATCH + 1)]
    parsed = Tally(parsing_table, join_parsing)
    for reply in replies:
        parsed.put(reply)
    assert parsed.table() == parsing_table(replies)


def test_texts_are_found_inside_prompts_whatever_their_marks() -> None:
    held = Held(
        {
            "q1": ["Who went to the market?"],
            "q2": ["too short text"],
            "q3": [
                "Who went to \
the market today?"
            ],
        }
    )
    assert held.inside('"WHO went -- to the market", she said') == {
        "q1": ["Who went to the market?"]
    }
    assert set(held.inside("Who went to the market today? I.")) == {"q1", "q3"}
    assert held.inside("too short text") == {}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("It is A. <verdict>B</verdict>", "B"),
        ("<verdict> TIE </verdict>", "TIE"),
        ("[[A]] first, then [[C]]", "TIE"),
        ("So my final verdict: **A**.", "A"),
        ("The verdict is hard to give", None),
    ],
)
def test_the_verdict_that_a_text_states(text: str, verdict: str | None) -> None:
    assert verdict_of(text)[1] == verdict


def test_forms_of_training_rows(tmp_path: Path) -> None:
    def made(*rows: dict[str, Any]) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    assert form_of(made({"prompt": "p", "completion": "c"})) == "supervised"
    assert form_of(made({"messages": []})) == "supervised"
    assert form_of(made({"chosen": "c", "rejected": "r"})) == "preference"
    assert form_of(made({"item": "i", "label": "A"})) is None
    ask, reply = {"role": "user", "content": "p"}, {"role": "assistant", "content": "c"}
    (row,) = read_training(
        made({"chosen": [ask, reply], "rejected": [ask, {**reply, "content": "r"}]})
    )
    assert (row.prompt, row.chosen, row.rejected) == ("p", "c", "r")
    with pytest.raises(DataError, match="list of messages"):
        list(read_training(made({"chosen": [{"role": "user"}], "rejected": "r"})))


def test_a_set_is_packed_without_texts(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    common = {"response_a": "a", "response_b": "b", "judge": "j", "verdict": "A"}
    asked = "q " * 300
    rows = [{"item": f"i{k}", "question": f"{asked}{k // 2}", **common} for k in range(6)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = pack(open_readable([str(path)]))
    assert len(set(made.groups)) == 3
    assert all(len(group) == 16 for group in made.groups)
    key = next(key for key in made.found.votes if key.by == "j")
    assert made.judged_at(key, 3) == f"{path}:4"
    assert made.reply_of(key, 3) is None


@pytest.mark.parametrize(
    ("severities", "code"),
    [((), 0), (("info",), 0), (("info", "warning"), 3), (("warning", "error", "info"), 1)],
)
def test_the_exit_code_follows_the_worst_finding(severities: tuple[str, ...], code: int) -> None:
    found = Audited()
    found.say(Finding("labels", Severity(s), s, 0, 0, (), "", "") for s in severities)
    assert found.code == code
    assert [f.severity for f in found.worst_first()] == sorted(
        severities, key=["error", "warning", "info"].index
    )
