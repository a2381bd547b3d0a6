"""Readers of published training sets on real rows: counts that are known, and nothing lost unseen.

The rows of GPT-4's reviews are put into JudgeLM's columns, which were made from such reviews; the
Prometheus files are read as they are.
"""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.judging import augment
from judgesmith.judging.dialect import Dialect, Scale
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.slot_names import swap_names
from judgesmith.records import (
    AnnotatorKind,
    Judgment,
    Kind,
    Question,
    Response,
    Scores,
    index_by_id,
)
from judgesmith.sources import About, Dropped, ImportedLabel
from judgesmith.sources.published import feedback, judgelm, preference_collection
from judgesmith.stages.labels.imported import CLASH, OFF_SCALE, model_labels

BENCH = "prometheus_eval/eval/benchmark/data"


def read_lines(path: Path) -> list[dict[str, Any]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in content.split(b"\n") if line.strip()]


def parts(module: Any, path: Path, about: About | None = None) -> tuple[Any, ...]:
    more = () if about is None else (about,)
    questions = index_by_id(q for q in module.read_questions(path, *more))
    responses = index_by_id(module.read_responses(path, questions, *more))
    items = list(module.read_items(path, questions, responses, *more))
    labels = list(module.read_labels(path, questions, responses, *more))
    return questions, responses, items, labels


@pytest.fixture(scope="module")
def reviews(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 1,040 reviews of the Vicuna blog as rows of JudgeLM."""
    table = shared_data / "vicuna_blog_eval/eval/table"
    asked = {r["question_id"]: r["text"] for r in read_lines(table / "question.jsonl")}
    answers = {r["answer_id"]: r for f in sorted(table.glob("answer/*")) for r in read_lines(f)}
    rows = []
    for file in sorted(table.glob("review/*/*.jsonl")):
        for review in read_lines(file):
            row = {
                "question_id": review["question_id"], "text": review["text"],
                "question_body": asked[review["question_id"]], "score": review["score"],
            }  # fmt: skip
            for side in (1, 2):
                answer = answers[review[f"answer{side}_id"]]
                row[f"answer{side}_body"] = answer["text"]
                row[f"answer{side}_model_id"] = answer["model_id"]
                row[f"answer{side}_metadata"] = {}
            rows.append(row)
    path = tmp_path_factory.mktemp("judgelm") / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_reviews_with_two_scores_on_their_first_line(reviews: Path) -> None:
    """1,001 of 1,040 begin with two numbers; the other 39 are dropped with their reason."""
    questions, responses, items, labels = parts(judgelm, reviews)
    assert (len(questions), len(responses), len(items)) == (80, 560, 1040)
    lost = Counter(x.reason for x in labels if isinstance(x, Dropped))
    assert lost == {judgelm.NO_SCORES: 39}
    given = [x for x in labels if isinstance(x, ImportedLabel)]
    found = model_labels(given, items, LIBRARY["judgelm"], LIBRARY.__getitem__)
    assert found.counts == {OFF_SCALE: 4}
    assert len(found.judgments) == 997
    for judgment in found.judgments:
        assert judgment.reply is not None
        read = parse_reply(LIBRARY["judgelm"], judgment.reply)
        assert (read.verdict, read.rationale) == (judgment.verdict, judgment.rationale)


def test_real_reviews_are_turned_and_turned_back(reviews: Path) -> None:
    """Of 997 judgments 15 point at an answer in a way that cannot be renamed."""
    _, _, items, labels = parts(judgelm, reviews)
    given = [x for x in labels if isinstance(x, ImportedLabel)]
    found = model_labels(given, items, LIBRARY["judgelm"], LIBRARY.__getitem__).judgments
    turned = [augment.swap(one, LIBRARY["judgelm"]) for one in found]
    assert sum(one is None for one in turned) == 15
    for before, after in zip(found, turned, strict=True):
        if after is None:
            continue
        assert augment.swap(after, LIBRARY["judgelm"]) == before
        assert after.in_item_order() == before.in_item_order()
        for one, other in (("1", "2"), ("2", "1")):
            counts = [str(x.rationale).count(f"Assistant {n}") for x, n in
                      ((before, one), (after, other))]  # fmt: skip
            assert counts[0] == counts[1]


def test_4480_reviews_of_qlora_keep_their_names_apart(shared_data: Path) -> None:
    """57 of 4,480 are refused; in the others every name is exchanged and nothing else."""
    folder = shared_data / "qlora_gpt4_vicuna/eval/ratings-gpt4/vicuna/pairwise"
    reasons = [r["text"].rpartition("\n")[0] for f in folder.iterdir() for r in read_lines(f)]
    turned = {text: swap_names(text) for text in reasons}
    assert len(reasons) == 4480
    assert sum(turned[text] is None for text in reasons) == 57
    for text, other in turned.items():
        if other is not None:
            assert text.count("Assistant 1") == other.count("Assistant 2")
            assert text.count("Assistant 2") == other.count("Assistant 1")
            assert len(other) == len(text)


@pytest.mark.parametrize(
    ("name", "counts", "clashes"),
    [("vicuna_eval", (12, 41, 80, 489, 338), 0), ("mt_bench_eval", (106, 147, 122, 342, 243), 1)],
)
def test_prompts_of_prometheus_are_taken_apart(
    name: str, counts: tuple[int, ...], clashes: int, shared_data: Path
) -> None:
    """320 prompts with three scores each; the counts of scores are the published ones.

    One feedback holds a mark of the reply's form in its text, and keeps its score alone.
    """
    path = shared_data / BENCH / f"{name}.json.gz"
    questions, responses, items, labels = parts(feedback, path)
    assert (len(responses), len(items), len(labels)) == (320, 320, 960)
    assert {item.kind for item in items} == {Kind.SINGLE}
    scores = Counter(x.verdict.values[0] for x in labels)
    assert tuple(scores[float(n)] for n in range(1, 6)) == counts
    stored = [json.loads(x) for x in _rows(path)]
    for row in stored:
        for question in (q for q in questions.values() if q.text in row["instruction"]):
            assert len(question.task["levels"]) == 5
    dialect = LIBRARY["prometheus-absolute-reference"]
    found = model_labels(labels, items, dialect, LIBRARY.__getitem__)
    assert found.counts.get(CLASH, 0) == clashes
    assert (len(found.judgments), len(found.labels)) == (960, 320)
    assert {one.sample for one in found.judgments} == {0, 1, 2}
    means = {x.item_id: x.verdict.values[0] for x in found.labels if isinstance(x.verdict, Scores)}
    by_item: dict[str, list[float]] = {}
    for one in found.judgments:
        assert isinstance(one.verdict, Scores)
        by_item.setdefault(one.item_id, []).append(one.verdict.values[0])
    assert all(means[item] == pytest.approx(sum(v) / 3) for item, v in by_item.items())


def _rows(path: Path) -> list[str]:
    with gzip.open(path, "rt") as file:
        text = file.read()
    try:
        return [json.dumps(row) for row in json.loads(text)]
    except ValueError:
        return [line for line in text.splitlines() if line.strip()]


def test_every_part_of_a_real_prompt_is_found_again(shared_data: Path) -> None:
    """The parts put back in their places are the prompt itself, to the letter."""
    path = shared_data / BENCH / "vicuna_eval.json.gz"
    questions, responses, _, _ = parts(feedback, path)
    prompts = [json.loads(row)["instruction"] for row in _rows(path)]
    rebuilt = {_prompt(questions[r.question_id], r) for r in responses.values()}
    assert sum(any(tail in p for tail in rebuilt) for p in prompts) == 320


def _prompt(question: Question, response: Response) -> str:
    levels = question.task["levels"]
    assert isinstance(levels, list)
    rubric = "\n".join(f"Score {n}: {level}" for n, level in enumerate(levels, start=1))
    return (
        f"###The instruction to evaluate:\n{question.text}\n\n"
        f"###Response to evaluate:\n{response.text}\n\n"
        f"###Reference Answer (Score 5):\n{question.reference}\n\n"
        f"###Score Rubrics:\n[{question.task['criterion']}]\n{rubric}"
    )


def test_people_of_hhh_prefer_one_of_two_prompts(shared_data: Path) -> None:
    """221 pairs in four categories: 61 honest, 59 helpful, 58 harmless, 43 other."""
    path = shared_data / BENCH / "hhh_alignment_eval.json.gz"
    with pytest.raises(DataError, match="does not say whose verdict"):
        parts(preference_collection, path)
    about = About(annotator="HHH", annotator_kind=AnnotatorKind.PERSON, licence="Apache-2.0")
    questions, _, items, labels = parts(preference_collection, path, about)
    assert (len(items), len(labels)) == (221, 221)
    assert Counter(questions[item.question_id].category for item in items) == {
        "honest": 61, "helpful": 59, "harmless": 58, "other": 43,
    }  # fmt: skip
    assert {x.annotator_kind for x in labels} == {AnnotatorKind.PERSON}


def test_grades_of_auto_j_as_a_feedback_collection_of_ten_steps(
    shared_data: Path, tmp_path: Path
) -> None:
    """960 critiques with a grade from 1 to 10, in a dialect that has that scale."""
    grades = read_lines(shared_data / "auto_j/data/training/single_traindata.jsonl.gz")
    rows = []
    for grade in grades:
        query, _, rest = grade["usrmsg"].partition("\n[Query]: ")[2].partition("\n***\n")
        reason = grade["target_output"].rpartition("Rating:")[0]
        rows.append({
            "orig_instruction": query, "orig_criteria": "How good is the response?",
            "orig_response": rest.removeprefix("[Response]: ").rpartition("\n***\n")[0],
            "orig_feedback": reason, "orig_score": grade["pred_score"],
        })  # fmt: skip
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    _, _, items, labels = parts(feedback, path)
    assert len(labels) == 960
    ten = Dialect(
        name="ten", kind="single", user="{{ question }}{{ responses[0].text }}",
        scale=Scale(low=1, high=10, step=0.5), direction="better",
    )  # fmt: skip
    found = model_labels([x._replace(dialect=None) for x in labels], items, ten, {}.__getitem__)
    assert sum(found.counts.values()) == 0
    assert len(found.judgments) == 960
    assert all(_same(one, ten) for one in found.judgments)


def _same(judgment: Judgment, dialect: Dialect) -> bool:
    assert judgment.reply is not None
    return parse_reply(dialect, judgment.reply).verdict == judgment.verdict
